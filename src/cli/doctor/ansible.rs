//! Ansible: that it runs, that the playbooks can be read, and the keys that it gets in with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use rustix::fs::{Access, access};
use ssh_key::{AuthorizedKeys, PrivateKey};

use super::finding::{Finding, within};
use crate::ansible::AnsibleOptions;
use crate::config::Config;
use crate::daemon;
use crate::domain::Duration;
use crate::policy::Policy;
use crate::ports::Fault;

/// A large playbook takes Ansible several seconds to read, on a busy machine many.
const LIMIT: Duration = Duration::from_secs(60);

const SUBJECT: &str = "ansible";

pub(super) async fn examine(config: &Config, policies: &[(PathBuf, Policy)]) -> Vec<Finding> {
    let options = daemon::ansible_options(config);
    let version = within(LIMIT, SUBJECT, async { vec![version(&options).await] });
    let playbooks = join_all(policies.iter().map(|(_, policy)| {
        let options = &options;
        async move {
            let subject = format!("policy {}, configure.playbook", policy.pool);
            let path = &policy.configure.playbook;
            within(LIMIT, &subject, async { vec![playbook(options, &subject, path).await] }).await
        }
    }));
    let (version, playbooks) = tokio::join!(version, playbooks);
    let mut findings = version;
    findings.extend(runs_folder(&config.ansible.runs_directory));
    findings.extend(playbooks.into_iter().flatten());
    findings.extend(policies.iter().map(|(_, policy)| key(policy)));
    findings
}

async fn version(options: &AnsibleOptions) -> Finding {
    let install = "install it (Debian: apt install ansible-core openssh-client python3)";
    if let Some(missing) = options.missing_program() {
        let what = format!("there is no {} on this machine", missing.display());
        return Finding::failed(SUBJECT, what, install);
    }
    match options.version().await {
        Ok(version) => Finding::ok(SUBJECT, version),
        Err(fault) => Finding::failed(
            SUBJECT,
            fault,
            format!("{install}, or correct `ansible.playbook_binary`"),
        ),
    }
}

/// The folder of runs, or the one that it is made in.
fn runs_folder(folder: &Path) -> Option<Finding> {
    let there = folder.ancestors().find(|folder| folder.is_dir())?;
    Some(match access(there, Access::WRITE_OK) {
        Ok(()) => Finding::ok("ansible runs", format!("{} is ours to write to", folder.display())),
        Err(_) => Finding::failed(
            "ansible runs",
            format!("this user may not write to {}", there.display()),
            "run the doctor as the daemon's user; if you do, give it `ansible.runs_directory`",
        ),
    })
}

async fn playbook(options: &AnsibleOptions, subject: &str, path: &Path) -> Finding {
    if let Err(cause) = fs::File::open(path) {
        let what = format!("{} can't be read: {cause}", path.display());
        return Finding::failed(subject, what, "correct the path, or let this user read it");
    }
    match options.check_playbook(path).await {
        Ok(()) => Finding::ok(subject, format!("{} can be run", path.display())),
        Err(fault @ Fault::Denied { .. }) => Finding::failed(
            subject,
            format!("{}: {fault}", path.display()),
            format!("see `ansible-playbook --syntax-check {}`", path.display()),
        ),
        Err(fault) => Finding::warning(subject, fault, "run the doctor again"),
    }
}

/// The private key: ours alone, without a passphrase, and let in by what nodes are given.
fn key(policy: &Policy) -> Finding {
    let subject = format!("policy {}, node.ssh", policy.pool);
    let ssh = &policy.node.ssh;
    let (private, public) = (&ssh.private_key_file, &ssh.authorized_keys_file);
    let read = |path: &PathBuf| {
        fs::read_to_string(path)
            .map_err(|cause| format!("{} can't be read: {cause}", path.display()))
    };
    let make = format!("ssh-keygen -t ed25519 -N '' -f {}", private.display());
    let (text, allowed) = match (read(private), read(public)) {
        (Ok(text), Ok(allowed)) => (text, allowed),
        (Err(what), _) | (_, Err(what)) => return Finding::failed(subject, what, make),
    };
    let mode = fs::metadata(private).map_or(0, |file| file.permissions().mode());
    if mode & 0o077 != 0 {
        let what = format!("{} may be read by others, so SSH refuses it", private.display());
        return Finding::failed(subject, what, format!("chmod 600 {}", private.display()));
    }
    let Ok(key) = PrivateKey::from_openssh(&text) else {
        // An RSA or ECDSA key, or an old format: SSH knows more of them than we do.
        return Finding::ok(subject, format!("{} is readable and private", private.display()));
    };
    if key.is_encrypted() {
        let what =
            format!("{} has a passphrase, and nobody is there to type it", private.display());
        return Finding::failed(subject, what, "ssh-keygen -p takes it off");
    }
    let entries = AuthorizedKeys::new(&allowed).flatten();
    match entries
        .into_iter()
        .any(|entry| entry.public_key().key_data() == key.public_key().key_data())
    {
        true => Finding::ok(
            subject,
            format!("{} is private, and {} lets it in", private.display(), public.display()),
        ),
        false => Finding::failed(
            subject,
            format!("{} does not hold the public half of {}", public.display(), private.display()),
            format!("ssh-keygen -y -f {} >> {}", private.display(), public.display()),
        ),
    }
}
