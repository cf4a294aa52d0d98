//! Runs a test inside its own throwaway world.
//!
//! In: a test's path and body.
//! Out: the body's verdict. Outside, the test starts `tests/lab/world` with this very binary, and
//! inside that the body runs.
//! Never: passes without having run; touches the machine's own network.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set for the process inside a world.
const INSIDE: &str = "WINDLASS_LAB_INSIDE";

/// Where the lab's scripts and configurations are.
pub fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab")
}

/// Where a test's logs stay when it has ended, for whoever wonders why it failed.
pub fn logs(test: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab").join(test.replace("::", "-"))
}

/// Runs the rest of the test inside a world that lives `seconds` at most; `body` gets the test's
/// path. Made by [`in_a_world!`], which knows that path.
pub fn run(seconds: u32, test: &str, body: impl FnOnce(&str)) {
    if std::env::var_os(INSIDE).is_some() {
        return body(test);
    }
    // One world at a time, whichever runner runs the tests: they share two or more processors with
    // nobody, because what they promise is bound to the clock.
    let turn = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab.lock");
    let turn = File::create(&turn).expect("the target directory is writable");
    turn.lock().expect("a file of ours can be locked");
    let status = Command::new(source().join("world"))
        .arg(seconds.to_string())
        .arg(std::env::current_exe().expect("a test knows its own binary"))
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(INSIDE, "yes")
        .status()
        .expect("bash is there");
    assert!(
        status.success(),
        "inside its world the test ended with {status}; see {:?}",
        logs(test)
    );
}

/// `in_a_world!(SECONDS, |lab| { … })`: the whole body of a lab test.
macro_rules! in_a_world {
    ($seconds:expr, $body:expr) => {{
        fn here() {}
        let path = std::any::type_name_of_val(&here);
        let path = path.strip_suffix("::here").expect("a nested function");
        let (_crate, test) = path.split_once("::").expect("a test lies in a module");
        crate::world::run($seconds, test, |test| {
            let body: fn(&mut crate::lab::Lab) = $body;
            body(&mut crate::lab::Lab::furnish(test));
        });
    }};
}
pub(crate) use in_a_world;
