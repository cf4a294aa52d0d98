//! The policy files that the settings name.
//!
//! In: a folder or a list of files.
//! Out: a policy for each, with its paths resolved; or every problem of every file.
//! Never: takes two policies for one pool or one backend.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Config, ConfigError};
use crate::policy::{self, Policy, Problems};

/// Larger than any text that we accept, so that the reader can say how it is too large, and
/// small enough that a device file does no harm.
const LARGEST_FILE: u64 = 1024 * 1024;

/// What the settings say about policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PolicySet {
    /// Every `*.yaml` and `*.yml` directly in this folder; if it is a file, that one.
    Folder(PathBuf),
    /// These files.
    Files(Vec<PathBuf>),
}

/// The files of a set, sorted; at least one.
pub(super) fn files(set: &PolicySet) -> Result<Vec<PathBuf>, ConfigError> {
    let folder = match set {
        PolicySet::Files(files) => {
            let mut files = files.clone();
            files.sort();
            files.dedup();
            return Ok(files);
        }
        PolicySet::Folder(file) if file.is_file() => return Ok(vec![file.clone()]),
        PolicySet::Folder(folder) => folder,
    };
    let unreadable = |cause| ConfigError::PoliciesUnreadable { path: folder.clone(), cause };
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if is_policy_file(&path) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(ConfigError::NoPolicies { path: folder.clone() });
    }
    files.sort();
    Ok(files)
}

/// Whether a file of a folder is read as a policy.
pub(super) fn is_policy_file(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    yaml && !hidden && path.is_file()
}

/// What the policy files hold.
#[derive(Clone, Debug, Default)]
pub struct PolicyFiles {
    /// Every file that is a policy, with it.
    pub good: Vec<(PathBuf, Policy)>,
    /// What is wrong with each other one.
    pub bad: Vec<Problems>,
}

/// Reads every policy of `config`, as [`read_policies`] does. Fails with the problems of every
/// file at once.
pub fn load_policies(config: &Config) -> Result<Vec<(PathBuf, Policy)>, Vec<Problems>> {
    let PolicyFiles { good, bad } = read_policies(config);
    if bad.is_empty() { Ok(good) } else { Err(bad) }
}

/// Reads every policy of `config`, each for itself. Paths in a policy are resolved against its
/// own folder; two policies for one pool, or for one backend, are a problem of the second.
pub fn read_policies(config: &Config) -> PolicyFiles {
    let mut policies: Vec<(PathBuf, Policy)> = Vec::new();
    let mut problems = Vec::new();
    let (mut pools, mut backends) = (BTreeMap::new(), BTreeMap::new());
    for file in &config.policies {
        let text = match read_text(file) {
            Ok(text) => text,
            Err(cause) => {
                let help = "let this user read it, or take it out of `policies`";
                let what = format!("the policy can't be read: {cause}");
                problems.push(Problems::of_file(file, what, help));
                continue;
            }
        };
        let policy = match policy::parse(&text, file) {
            Ok(policy) => resolved(policy, file),
            Err(found) => {
                problems.push(found);
                continue;
            }
        };
        let taken = pools.insert(policy.pool.clone(), file).map(|first| {
            let what =
                format!("the pool `{}` has a policy already, in {}", policy.pool, first.display());
            (what, &["pool"][..], "rename the pool, or remove one of the two files")
        });
        let taken = taken.or_else(|| {
            backends.insert(policy.join.backend.clone(), file).map(|first| {
                let what = format!(
                    "the backend `{}` belongs to another pool already, in {}",
                    policy.join.backend,
                    first.display()
                );
                (what, &["join", "backend"][..], "give each pool a backend of its own")
            })
        });
        match taken {
            Some((what, keys, help)) => {
                problems.push(Problems::at_key(file, &text, keys, what, help));
            }
            None => policies.push((file.clone(), policy)),
        }
    }
    PolicyFiles { good: policies, bad: problems }
}

/// A policy's text, its paths as seen from the folder of `file`.
pub fn parse_policy(text: &str, file: &Path) -> Result<Policy, Problems> {
    policy::parse(text, file).map(|policy| resolved(policy, file))
}

/// The policy with its paths as seen from the folder of `file`.
pub(super) fn resolved(mut policy: Policy, file: &Path) -> Policy {
    let folder = file.parent().unwrap_or(Path::new(""));
    for path in [
        &mut policy.configure.playbook,
        &mut policy.node.ssh.authorized_keys_file,
        &mut policy.node.ssh.private_key_file,
    ] {
        *path = absolute(folder, path);
    }
    policy
}

/// `path` as seen from `folder`, absolute; its folder, where it exists, without `..` and links.
/// The last part stays as it is named: a link may be there so that its target can change.
pub(super) fn absolute(folder: &Path, path: &Path) -> PathBuf {
    let joined = folder.join(path);
    // Fails only where this process has no current folder; the path then stays relative.
    let joined = std::path::absolute(&joined).unwrap_or(joined);
    match (joined.parent().map(Path::canonicalize), joined.file_name()) {
        (Some(Ok(parent)), Some(name)) => parent.join(name),
        _ => joined,
    }
}

/// The text of a file, at most a megabyte of it.
pub(super) fn read_text(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(file)?.take(LARGEST_FILE).read_to_string(&mut text)?;
    Ok(text)
}
