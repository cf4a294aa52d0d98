//! The database: whole, writable, with room to grow.

use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::finding::{Finding, within};
use crate::config::Config;
use crate::domain::Duration;
use crate::store::Store;

/// A gigabyte is read through in seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// Below this a busy day can fill the disk; a full one stops everything.
const ENOUGH_MEGABYTES: u64 = 1_000;
/// Below this the next hours can.
const LEAST_MEGABYTES: u64 = 100;

const SUBJECT: &str = "database";

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let path = &config.database;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let what = format!("the folder {} does not exist", folder.display());
        let remedy = "make it, writable for the daemon's user, or correct `database`";
        return vec![Finding::failed(SUBJECT, what, remedy)];
    }
    let mut findings = Vec::new();
    let locked = [folder, path].into_iter().filter(|place| place.exists());
    for place in locked.filter(|place| access(*place, Access::WRITE_OK).is_err()) {
        let what = format!("this user may not write to {}", place.display());
        let remedy = "run the doctor as the daemon's user; if you do, give it the folder and files";
        findings.push(Finding::failed(SUBJECT, what, remedy));
    }
    findings.extend(room(folder));
    findings.extend(within(LIMIT, SUBJECT, whole(path)).await);
    findings
}

async fn whole(path: &Path) -> Vec<Finding> {
    if !path.exists() {
        let what = format!("{} is not there yet: the first start makes it", path.display());
        return vec![Finding::ok(SUBJECT, what)];
    }
    let found = match Store::examine(path).await {
        Ok(found) => found,
        Err(error) => {
            let what = format!("{:#}", anyhow::Error::new(error));
            let remedy = "restore a backup (docs/disaster-recovery.md), or correct `database`";
            return vec![Finding::failed(SUBJECT, what, remedy)];
        }
    };
    if !found.damage.is_empty() {
        let what = format!("{} is damaged: {}", path.display(), found.damage.join("; "));
        let remedy = "stop the daemon and restore a backup: docs/disaster-recovery.md";
        return vec![Finding::failed(SUBJECT, what, remedy)];
    }
    let (tables, newest) = (found.tables, found.newest_tables);
    let place = path.display();
    vec![match tables.cmp(&newest) {
        std::cmp::Ordering::Equal => Finding::ok(SUBJECT, format!("{place} is whole")),
        std::cmp::Ordering::Less => Finding::ok(
            SUBJECT,
            format!("{place} is whole; the next start brings its tables from {tables} to {newest}"),
        ),
        std::cmp::Ordering::Greater => Finding::failed(
            SUBJECT,
            format!("{place} has tables {tables}, and this version knows {newest} at most"),
            "install the newer windlass again, or restore the backup of before",
        ),
    }]
}

fn room(folder: &Path) -> Option<Finding> {
    let disk = statvfs(folder).ok()?;
    let megabytes = disk.f_bavail.saturating_mul(disk.f_frsize) / 1_000_000;
    let what = format!("{megabytes} MB are free in {}", folder.display());
    let remedy = "free some: while the disk is full, nothing is done";
    Some(match megabytes {
        ENOUGH_MEGABYTES.. => Finding::ok("disk", what),
        LEAST_MEGABYTES.. => Finding::warning("disk", what, remedy),
        _ => Finding::failed("disk", what, remedy),
    })
}
