//! The console in a real browser: Debian's Chromium, headless, driven by real clicks.
//!
//! `tests/browser/install` puts what drives it under `target/browser` when it is missing. The walk
//! itself is `tests/browser/console.mjs`; what it saw lies in `target/console/*.png`. With
//! `WINDLASS_KEEP_PICTURES=1` the small pictures of docs/console.md are made anew.

mod place;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use place::Place;

/// A browser that hangs is ended after this long, and what it saw until then is kept.
const LONGEST_WALK: Duration = Duration::from_secs(420);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder with what drives a browser, which is installed first if need be.
fn installed() -> PathBuf {
    let install = Command::new(root().join("tests/browser/install")).output();
    let install = install.expect("tests/browser/install runs");
    assert!(install.status.success(), "{}", said(&install));
    root().join("target/browser")
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_walks_through_every_screen() {
    let installed = installed();
    let place = Place::new().await;
    let pictures = root().join("target/console");
    std::fs::create_dir_all(&pictures).expect("a folder for pictures");
    let mut walk = tokio::process::Command::new("node");
    walk.arg(root().join("tests/browser/console.mjs"))
        .env("CONSOLE", format!("http://{}", place.address))
        .env("INSTALLED", &installed)
        .env("PICTURES", &pictures)
        .env("KEPT_PICTURES", root().join("docs/pictures"))
        .env("NO_PROXY", "127.0.0.1")
        .kill_on_drop(true);
    let output = tokio::time::timeout(LONGEST_WALK, walk.output()).await;
    let output = output.expect("the walk ends in time").expect("node runs");
    place.stop().await;
    assert!(output.status.success(), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("all steps done"));
}
