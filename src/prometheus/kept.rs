//! Chunks of recordings on disk.
//!
//! In: points that won't change any more.
//! Out: the same points, or nothing where they aren't there or aren't whole.
//! Never: trusts a file whose checksum is wrong; names a server or its password.
//!
//! `FOLDER/KEY/BEGIN.csv`, where the key is the SHA-256 of server, query and step. A file is a
//! trace behind one line with the checksum of the rest.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The chunks of one query in steps of one length, on one server.
#[derive(Clone, Debug)]
pub struct Kept {
    folder: PathBuf,
}

/// The names of both columns: those of a trace.
const COLUMNS: &str = "timestamp_seconds,requests_per_second\n";

impl Kept {
    /// In `folder`, which need not exist yet. `url` is the server's; a password in it is ignored.
    pub fn new(folder: &Path, url: &str, query: &str, step: u32) -> Self {
        let server = reqwest::Url::parse(url).ok().and_then(|mut url| {
            url.set_password(None).ok()?;
            Some(url.as_str().trim_end_matches('/').to_owned())
        });
        let server = server.unwrap_or_default();
        let key = checksum(&format!("{server}\n{query}\n{step}"));
        Self { folder: folder.join(key) }
    }

    /// The chunk that begins at `start` and has `length` seconds.
    pub(super) fn chunk(&self, start: i64, length: i64) -> Option<Vec<(i64, f64)>> {
        let text = fs::read_to_string(self.file(start)).ok()?;
        let (sum, rest) = text.split_once('\n')?;
        if sum != format!("# sha256 {}", checksum(rest)) {
            return None;
        }
        let row = |line: &str| {
            let (at, value) = line.split_once(',')?;
            let at: i64 = at.parse().ok()?;
            (start..start + length).contains(&at).then_some(())?;
            Some((at, value.parse().ok()?))
        };
        rest.strip_prefix(COLUMNS)?.lines().map(row).collect()
    }

    /// Keeps a chunk. Whoever reads meanwhile sees all of it or nothing.
    pub(super) fn keep(&self, start: i64, points: &[(i64, f64)]) -> io::Result<()> {
        let mut rows = COLUMNS.to_owned();
        for (at, value) in points {
            let _ = writeln!(rows, "{at},{value}");
        }
        fs::create_dir_all(&self.folder)?;
        let file = self.file(start);
        let part = file.with_extension(format!("{}.part", std::process::id()));
        fs::write(&part, format!("# sha256 {}\n{rows}", checksum(&rows)))?;
        fs::rename(&part, &file)
    }

    fn file(&self, start: i64) -> PathBuf {
        self.folder.join(format!("{start}.csv"))
    }
}

fn checksum(text: &str) -> String {
    crate::domain::hex(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_comes_back_as_it_was_kept_and_a_changed_one_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = Kept::new(folder.path(), "http://me:hush@host:9090", "load", 15);
        assert_eq!(kept.chunk(300, 60), None);
        let points = [(300, 0.1 + 0.2), (330, f64::NAN), (345, 1e21)];
        kept.keep(300, &points).expect("kept");
        let back = kept.chunk(300, 60).expect("a chunk");
        assert_eq!(format!("{back:?}"), format!("{points:?}"));
        assert_eq!(kept.chunk(300, 30), None, "points beyond its end belong elsewhere");

        let text = fs::read_to_string(kept.file(300)).expect("a file");
        for broken in ["", "# sha256\n", &text.replace("345,1", "345,2"), &text[..text.len() - 2]] {
            fs::write(kept.file(300), broken).expect("written");
            assert_eq!(kept.chunk(300, 60), None, "{broken}");
        }
    }

    #[test]
    fn servers_queries_and_steps_are_kept_apart_and_passwords_are_no_part_of_it() {
        let key = |url, query, step| Kept::new(Path::new("k"), url, query, step).folder;
        let own = key("http://me:old@host:9090/a", "load", 15);
        assert_eq!(own, key("http://me:new@host:9090/a/", "load", 15));
        for other in [
            key("http://you@host:9090/a", "load", 15),
            key("http://me@host:9090/b", "load", 15),
            key("http://me@host:9090/a", "load1", 15),
            key("http://me@host:9090/a", "load", 10),
        ] {
            assert_ne!(own, other);
        }
    }
}
