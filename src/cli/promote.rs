//! `windlass promote`: puts a candidate in the live policy's place.
//!
//! In: the settings, the candidate's file and the live one.
//! Out: the live file with the candidate's text, the candidate out of its folder, a journal row of
//! who did it, and a daemon that goes by it.
//! Never: leaves the live file half written, or without either text.
//!
//! The journal's row comes first, then the live file is replaced in one step, then the candidate is
//! moved away. After a crash before the replacement nothing has changed, and after one behind it the
//! live policy is the new one; in both cases the same command goes on.

use std::fs::{self, File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::ConfigArguments;
use super::client::{ApiArguments, post};
use super::exit::{Failure, load};

use super::shadow::text;
use super::token::owner;
use crate::api::ReloadReport;
use crate::config::{Config, read_candidate, read_candidates};
use crate::domain::{CandidateName, PoolName};
use crate::policy::{Policy, differences, lint};
use crate::ports::{Clock, SystemClock};
use crate::reconciler::{Candidate, compare_shadows};
use crate::store::{Entry, Store};

/// Arguments of `windlass promote`.
#[derive(Debug, clap::Args)]
pub(super) struct PromoteArguments {
    /// The pool.
    pool: PoolName,
    /// The candidate; needless where there is only one.
    candidate: Option<CandidateName>,
    /// Don't ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    api: ApiArguments,
}

pub(super) async fn promote(arguments: PromoteArguments) -> Result<(), Failure> {
    let pool = &arguments.pool;
    let (config, live) = load(&arguments.config.config)?;
    let Some((file, before)) = live.iter().find(|(_, policy)| policy.pool == *pool) else {
        let known: Vec<String> = live.iter().map(|(_, one)| one.pool.to_string()).collect();
        let known = known.join(", ");
        return Err(Failure::failed(anyhow::anyhow!(
            "no pool is named {pool}; there are: {known}"
        )));
    };
    let candidate = choose(&arguments, &config, &live)?;
    for warning in lint(&candidate.policy) {
        anstream::eprintln!("{warning}");
    }
    let store = Store::open_beside(&config.database).await.map_err(Failure::failed)?;
    let done = put_in_place(&arguments, &store, (file, before), &candidate).await;
    store.close().await;
    done?;
    reload(&arguments.api, pool).await
}

/// The candidate that was named, or the only one; one that can't be used is refused with all that is
/// wrong with it.
fn choose(
    arguments: &PromoteArguments,
    config: &Config,
    live: &[(PathBuf, Policy)],
) -> Result<Candidate, Failure> {
    let pool = &arguments.pool;
    let Some(folder) = &config.candidates else {
        return Err(Failure::failed(anyhow::anyhow!(
            "the settings name no folder of candidates; write `shadow: {{policies: …}}`"
        )));
    };
    if let Some(name) = &arguments.candidate {
        let files = ["yaml", "yml"].map(|end| folder.join(format!("{name}.{end}")));
        let file = files.iter().find(|file| file.exists()).unwrap_or(&files[0]);
        let candidate = read_candidate(file, live)
            .map_err(|problems| Failure::BadSettings(problems.to_string()))?;
        if candidate.policy.pool != *pool {
            let own = &candidate.policy.pool;
            let what = format!("{name} is a candidate of the pool {own}, not of {pool}");
            return Err(Failure::failed(anyhow::anyhow!(what)));
        }
        return Ok(candidate);
    }
    let found = read_candidates(folder, live);
    let names = |all: &[Candidate]| {
        all.iter().map(|one| one.name.to_string()).collect::<Vec<_>>().join(", ")
    };
    match found.of(pool).as_slice() {
        [only] if found.bad.is_empty() => Ok(only.clone()),
        [] if !found.bad.is_empty() => {
            let told: Vec<String> = found.bad.iter().map(ToString::to_string).collect();
            Err(Failure::BadSettings(told.join("\n\n")))
        }
        [] => {
            let folder = folder.display();
            Err(Failure::failed(anyhow::anyhow!("{pool} has no candidate in {folder}")))
        }
        several => {
            let names = names(several);
            Err(Failure::failed(anyhow::anyhow!("name the candidate; {pool} has: {names}")))
        }
    }
}

/// Shows what changes and what the comparison says, asks, and does it.
async fn put_in_place(
    arguments: &PromoteArguments,
    store: &Store,
    (file, before): (&Path, &Policy),
    candidate: &Candidate,
) -> Result<(), Failure> {
    let (pool, after) = (&arguments.pool, &candidate.policy);
    if before.digest == after.digest {
        anstream::eprintln!("{} has this very text already", file.display());
        return move_away(candidate);
    }
    anstream::println!("{}: what {} changes", pool, candidate.name);
    let changes = differences(before, after);
    changes.iter().for_each(|change| anstream::println!("  {change}"));
    if changes.is_empty() {
        anstream::println!("  nothing but remarks or the spelling");
    }
    let compared = compare_shadows(store, pool, None).await.map_err(Failure::failed)?;
    let compared = compared
        .iter()
        .find(|one| one.candidate == candidate.name && one.policy_digest == after.digest);
    match compared {
        Some(one) => anstream::print!("{}", text(one)),
        None => anstream::println!("  the daemon has not followed this candidate"),
    }
    if !arguments.yes && !confirmed(&candidate.name, file)? {
        return Err(Failure::failed(anyhow::anyhow!("nothing was changed")));
    }
    let now = SystemClock.now();
    for policy in [before, after] {
        store.keep_policy(policy, now).await.map_err(Failure::failed)?;
    }
    let entry = Entry::Promoted {
        candidate: candidate.name.clone(),
        before: before.digest.clone(),
        after: after.digest.clone(),
        by: owner(),
    };
    store.note_promotion(pool, entry, now).await.map_err(Failure::failed)?;
    replace(file, before, after).map_err(Failure::failed)?;
    anstream::eprintln!("{} has the text of {}", file.display(), candidate.name);
    move_away(candidate)
}

fn confirmed(candidate: &CandidateName, file: &Path) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage("nobody can be asked here; say --yes".into()));
    }
    anstream::eprint!("put {candidate} in the place of {}? [y/N] ", file.display());
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(Failure::failed)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Replaces the live file in one step, if it still is what it was when it was shown.
fn replace(file: &Path, before: &Policy, after: &Policy) -> anyhow::Result<()> {
    let shown = file.display();
    // A link stays one: what it leads to is replaced.
    let target = file.canonicalize().with_context(|| format!("can't find {shown}"))?;
    let text = fs::read_to_string(&target).with_context(|| format!("can't read {shown}"))?;
    if *text != *before.text {
        anyhow::bail!("{shown} was changed meanwhile; nothing was replaced, look again");
    }
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    // Hidden files are no policies, so one that a crash leaves is nothing but old paper.
    let draft = target.with_file_name(format!(".{name}.promoting"));
    let unwritten = || format!("can't write {}; {shown} is as it was", draft.display());
    write_draft(&draft, &target, &after.text).with_context(unwritten)?;
    fs::rename(&draft, &target).with_context(|| format!("can't replace {shown}"))?;
    sync_folder(&target)
}

/// Writes the new text to the disk, under the old file's permissions.
fn write_draft(draft: &Path, like: &Path, text: &str) -> std::io::Result<()> {
    let mut written = OpenOptions::new().write(true).create(true).truncate(true).open(draft)?;
    written.write_all(text.as_bytes())?;
    written.set_permissions(fs::metadata(like)?.permissions())?;
    written.sync_all()
}

fn sync_folder(file: &Path) -> anyhow::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("{} may not outlive a power cut", file.display()))
}

/// Takes the candidate out of what is read as one.
fn move_away(candidate: &Candidate) -> Result<(), Failure> {
    let mut name = candidate.file.clone().into_os_string();
    name.push(".promoted");
    let away = PathBuf::from(name);
    let moved = fs::rename(&candidate.file, &away);
    let still = || format!("{} could not be moved away; delete it", candidate.file.display());
    moved.with_context(still).map_err(Failure::failed)?;
    anstream::eprintln!("the candidate is now {}", away.display());
    Ok(())
}

async fn reload(api: &ApiArguments, pool: &PoolName) -> Result<(), Failure> {
    let (_, report): (_, ReloadReport) = match post(api, "/policies/reload").await {
        Ok(answer) => answer,
        Err(Failure::Failed(cause)) => {
            let what = format!(
                "the file is replaced, but {pool} goes by it only after a `windlass reload` or \
                 the daemon's next start"
            );
            return Err(Failure::Failed(cause.context(what)));
        }
        Err(other) => return Err(other),
    };
    if !report.problems.is_empty() {
        return Err(Failure::BadSettings(report.problems.join("\n\n")));
    }
    anstream::eprintln!("{pool} goes by it from its next look on");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::parse;

    const LIVE: &str = include_str!("../../policies/minimal.yaml");

    struct Place {
        _folder: tempfile::TempDir,
        file: PathBuf,
        before: Policy,
        after: Policy,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("live.yaml");
        fs::write(&file, LIVE).expect("written");
        let before = parse(LIVE, &file).expect("a good policy");
        let after = parse(&format!("# bolder\n{LIVE}"), &file).expect("a good policy");
        Place { _folder: folder, file, before, after }
    }

    fn text_of(place: &Place) -> String {
        fs::read_to_string(&place.file).expect("a file")
    }

    #[test]
    fn a_crash_before_the_replacement_leaves_the_live_file_and_the_next_try_goes_on() {
        let place = place();
        let draft = place.file.with_file_name(".live.yaml.promoting");
        fs::write(&draft, "half of a tex").expect("written");
        assert_eq!(text_of(&place), LIVE);
        replace(&place.file, &place.before, &place.after).expect("replaced");
        assert_eq!(text_of(&place), &*place.after.text);
        assert!(!draft.exists());
    }

    #[test]
    fn a_live_file_that_was_changed_meanwhile_is_not_replaced() {
        let place = place();
        fs::write(&place.file, "pool: other").expect("written");
        let refused = replace(&place.file, &place.before, &place.after);
        assert!(refused.is_err_and(|cause| cause.to_string().contains("changed meanwhile")));
        assert_eq!(text_of(&place), "pool: other");
    }

    #[test]
    fn the_new_file_may_be_read_by_whom_the_old_one_may_and_a_link_stays_one() {
        use std::os::unix::fs::PermissionsExt;
        let place = place();
        fs::set_permissions(&place.file, fs::Permissions::from_mode(0o640)).expect("set");
        let link = place.file.with_file_name("link.yaml");
        std::os::unix::fs::symlink(&place.file, &link).expect("linked");
        replace(&link, &place.before, &place.after).expect("replaced");
        assert!(link.is_symlink());
        assert_eq!(text_of(&place), &*place.after.text);
        let mode = fs::metadata(&place.file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
}
