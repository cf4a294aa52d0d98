//! Candidates: policies that are followed beside the live ones, and never acted on.
//!
//! In: a folder, and the live policies.
//! Out: a candidate for each good file; or every problem of every other one.
//! Never: touches a live policy.
//!
//! A candidate's paths are resolved as if it lay where the live policy lies: that is where it will
//! lie once it is promoted.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::policies::{read_text, resolved};
use crate::domain::{CandidateName, PoolName};
use crate::policy::{self, Policy, Problems};
use crate::reconciler::Candidate;

/// Each costs a decision and a row at every tick; nobody compares more at once.
const MOST_PER_POOL: usize = 3;

/// What the folder of candidates holds.
#[derive(Clone, Debug, Default)]
pub struct CandidateFiles {
    /// Every file that is a candidate, sorted by path.
    pub good: Vec<Candidate>,
    /// What is wrong with each other one.
    pub bad: Vec<Problems>,
}

impl CandidateFiles {
    /// The candidates of one pool.
    pub fn of(&self, pool: &PoolName) -> Vec<Candidate> {
        self.good.iter().filter(|one| one.policy.pool == *pool).cloned().collect()
    }
}

/// Reads every candidate in `folder`, each for itself, beside the `live` policies and their files.
/// A folder that can't be read is a problem, an empty one is none.
pub fn read_candidates(folder: &Path, live: &[(PathBuf, Policy)]) -> CandidateFiles {
    let mut found = CandidateFiles::default();
    let files = match yaml_files(folder) {
        Ok(files) => files,
        Err(cause) => {
            let what = format!("the candidates can't be read: {cause}");
            let help = "make this folder, or take `shadow` out of the settings";
            found.bad.push(Problems::of_file(folder, what, help));
            return found;
        }
    };
    let mut names: BTreeMap<(PoolName, CandidateName), PathBuf> = BTreeMap::new();
    for file in files {
        let read = read_candidate(&file, live).and_then(|candidate| {
            let (pool, name) = (candidate.policy.pool.clone(), candidate.name.clone());
            let others = names.keys().filter(|(of, _)| *of == pool).count();
            if others == MOST_PER_POOL {
                let what = format!("the pool {pool} has {MOST_PER_POOL} candidates already");
                return Err(Problems::of_file(&file, what, "take one of them away first"));
            }
            match names.insert((pool, name), file.clone()) {
                Some(twin) => Err(Problems::of_file(
                    &file,
                    format!("{} has the same name", twin.display()),
                    "rename one of the two files",
                )),
                None => Ok(candidate),
            }
        });
        match read {
            Ok(candidate) => found.good.push(candidate),
            Err(problems) => found.bad.push(problems),
        }
    }
    found
}

/// The candidate in `file`, beside the `live` policies and their files.
pub fn read_candidate(file: &Path, live: &[(PathBuf, Policy)]) -> Result<Candidate, Problems> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = CandidateName::new(stem.unwrap_or_default())
        .map_err(|what| Problems::of_file(file, what, "rename the file"))?;
    if live.iter().any(|(known, _)| known == file) {
        let what = "the file is a live policy, and can't be a candidate beside itself";
        return Err(Problems::of_file(file, what, "keep candidates in a folder of their own"));
    }
    let text = read_text(file).map_err(|cause| {
        let what = format!("the candidate can't be read: {cause}");
        Problems::of_file(file, what, "let this user read it, or take it away")
    })?;
    let policy = policy::parse(&text, file)?;
    let Some((home, beside)) = live.iter().find(|(_, one)| one.pool == policy.pool) else {
        let known: Vec<String> = live.iter().map(|(_, one)| one.pool.to_string()).collect();
        let what = format!("no live policy is for the pool `{}`", policy.pool);
        let help = format!("name one of: {}", known.join(", "));
        return Err(Problems::at_key(file, &text, &["pool"], what, help));
    };
    if policy.join.backend != beside.join.backend {
        let what = format!(
            "`{}` is another backend than the live policy's, which is `{}`",
            policy.join.backend, beside.join.backend
        );
        let help = "name the live policy's backend; another one is for another pool";
        return Err(Problems::at_key(file, &text, &["join", "backend"], what, help));
    }
    let policy = Arc::new(resolved(policy, home));
    Ok(Candidate { name, file: file.to_owned(), policy })
}

fn yaml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if super::policies::is_policy_file(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: &str = include_str!("../../policies/minimal.yaml");

    /// What comes of these files, by name and text, beside one live policy.
    fn read(files: &[(&str, &str)]) -> CandidateFiles {
        let folder = tempfile::tempdir().expect("a folder");
        let (policies, candidates) =
            (folder.path().join("policies"), folder.path().join("candidates"));
        std::fs::create_dir_all(&policies).expect("a folder");
        std::fs::create_dir_all(&candidates).expect("a folder");
        let home = policies.join("live.yaml");
        let live = policy::parse(LIVE, &home).expect("a good policy");
        for (name, text) in files {
            std::fs::write(candidates.join(name), text).expect("written");
        }
        read_candidates(&candidates, &[(home, live)])
    }

    #[test]
    fn a_candidate_is_read_as_if_it_lay_where_the_live_policy_lies() {
        let found = read(&[("bolder.yaml", LIVE), ("notes.txt", "not a policy")]);
        assert!(found.bad.is_empty(), "{:?}", found.bad);
        let [candidate] = found.good.as_slice() else { panic!("{:?}", found.good) };
        assert_eq!(candidate.name.as_str(), "bolder");
        let playbook = &candidate.policy.configure.playbook;
        assert!(playbook.is_absolute() && !playbook.to_string_lossy().contains("candidates"));
    }

    #[test]
    fn a_bad_candidate_is_told_with_its_place_and_harms_no_other() {
        let other_pool = LIVE.replacen("pool: ", "pool: not-", 1);
        let other_backend = LIVE.replacen("backend: ", "backend: not-", 1);
        assert!(other_backend != LIVE && other_pool != LIVE);
        let found = read(&[
            ("a.yaml", LIVE),
            ("b.yaml", "pool: ["),
            ("c.yaml", &other_pool),
            ("d.yaml", &other_backend),
            ("a.yml", LIVE),
            ("e f.yaml", LIVE),
        ]);
        assert_eq!(found.good.len(), 1);
        let told: Vec<String> = found.bad.iter().map(ToString::to_string).collect();
        let told = told.join("\n");
        for part in ["b.yaml", "no live policy", "another backend", "the same name", "e f"] {
            assert!(told.contains(part), "no `{part}` in:\n{told}");
        }
    }

    #[test]
    fn a_pool_has_three_candidates_at_most() {
        let files = ["a.yaml", "b.yaml", "c.yaml", "d.yaml"].map(|name| (name, LIVE));
        let found = read(&files);
        assert_eq!((found.good.len(), found.bad.len()), (3, 1));
    }
}
