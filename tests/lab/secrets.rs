//! Where the cloud's token must not be found.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{DaemonStart, HERE, Lab, replace_file, windlass};
use crate::world::in_a_world;

/// The files that hold tokens by purpose.
const KEEPERS: [&str; 4] = ["token", "tokens", "eyes", "eyes.token"];

#[test]
fn the_token_stands_in_no_log_no_table_no_process_list_and_no_error() {
    in_a_world!(300, |lab| {
        lab.follow_the_dial(1, 3);
        lab.dial_for(1);
        lab.start_surroundings();
        lab.start_daemon(DaemonStart::default());
        lab.wait_until_settled_at(1, 120);
        let token = read("token");
        assert_nowhere(lab, &token, "while all is well");

        // Errors are where secrets leak.
        lab.kill("cloud");
        lab.dial_for(2);
        lab.wait_for_state("planned", 20);
        lab.start_cloud();
        lab.wait_until_settled_at(2, 120);
        assert_nowhere(lab, &token, "after a cloud that could not be reached");

        lab.kill("windlass");
        let wrong = token.replace(|c: char| c.is_ascii_digit(), "e");
        replace_file("token", &wrong);
        let said = Command::new("nsenter")
            .args(["--net=/run/netns/mon", "--", "timeout", "20", windlass(), "run", "--config"])
            .arg(format!("{HERE}/windlass.yaml"))
            .output()
            .expect("nsenter is there");
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&said.stdout),
            String::from_utf8_lossy(&said.stderr)
        );
        assert!(said.contains("token"), "a refused token is named as the cause: {said}");
        assert!(!said.contains(wrong.trim()), "the error shows the token: {said}");
        assert_nowhere(lab, &wrong, "after a refused token");
    });
}

fn assert_nowhere(lab: &Lab, token: &str, when: &str) {
    let token = token.trim();
    assert_eq!(token.len(), 64, "a token worth looking for");
    let mut places = Vec::new();
    for folder in [Path::new(HERE), lab.logs()] {
        files(folder, &mut places);
    }
    let processes = fs::read_dir("/proc").expect("it is mounted").flatten();
    places.extend(processes.map(|process| process.path().join("cmdline")));
    let mut read = 0;
    for place in places {
        // A process may end, and a file may go, while we look.
        let Ok(bytes) = fs::read(&place) else { continue };
        read += 1;
        let found = bytes.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!found, "{when}: {} holds the token", place.display());
    }
    assert!(20 < read, "only {read} places were looked at");
}

/// Every file below `folder` but those that hold tokens by purpose, and the VMs' disks: they are
/// copies of this machine's.
fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the lab").flatten() {
        let name = entry.file_name();
        let kind = entry.file_type().expect("the kind of a file of the lab");
        if kind.is_dir() && name != "vms" {
            files(&entry.path(), into);
        } else if kind.is_file() && !KEEPERS.iter().any(|keeper| name == *keeper) {
            into.push(entry.path());
        }
    }
}

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(HERE).join(name)).expect("setup wrote it")
}
