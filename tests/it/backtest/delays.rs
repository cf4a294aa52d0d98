//! Boots and drains as a daemon has learned them.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use uuid::Uuid;
use windlass::domain::{NodeId, PoolName, Timestamp};
use windlass::store::{Change, Phase, Store};

const POLICY: &str = include_str!("../../data/web.yaml");

/// A database in which so many nodes of `web` took these seconds for the six phases of their life.
async fn learned(folder: &Path, nodes: u128, seconds: [f64; 6]) {
    let store = Store::open(&folder.join("windlass.db")).await.expect("a database");
    let phases = (1..=nodes).flat_map(|number| {
        let node = NodeId(Uuid::from_u128(number));
        Phase::ALL.into_iter().zip(seconds).map(move |(phase, seconds)| (node, phase, seconds))
    });
    let change = Change { phases: phases.collect(), ..Change::default() };
    let pool = PoolName::new("web").expect("a name");
    store.write(&pool, Timestamp::UNIX_EPOCH, &change).await.expect("written");
    store.close().await;
}

fn backtest(folder: &Path, flags: &[&str]) -> Output {
    std::fs::write(folder.join("web.yaml"), POLICY.replace("max: 5", "max: 60")).expect("written");
    std::fs::write(folder.join("day.csv"), super::SPIKES).expect("written");
    Command::new(env!("CARGO_BIN_EXE_windlass"))
        .args(["backtest", "--trace", "day.csv", "--peak-nodes", "40", "--output", "json"])
        .args(flags)
        .current_dir(folder)
        .timeout(std::time::Duration::from_secs(120))
        .output()
        .expect("the program ran")
}

fn document(folder: &Path, flags: &[&str]) -> Value {
    let output = backtest(folder, &[&["--policy", "web.yaml"], flags].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a document")
}

fn fails(folder: &Path, flags: &[&str], code: i32, says: &[&str]) {
    let output = backtest(folder, flags);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for words in says {
        assert!(said.contains(words), "`{words}` is missing in:\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_enough_lives_sets_the_delays_and_a_flag_overrules_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    learned(folder, 30, [1.0, 90.0, 140.0, 9.0, 40.0, 5.0]).await;
    let database = ["--database", "windlass.db"];
    let usual = document(folder, &database);
    let settings = &usual["settings"];
    assert_eq!(settings["boot_seconds"], serde_json::json!([240, 240]));
    assert_eq!(settings["drain_seconds"], 45);
    assert_eq!(settings["boot_source"], "learned from 30 nodes of web in windlass.db");
    let told = document(folder, &["--boot", "240s", "--drain", "45s"]);
    assert_eq!(usual["contenders"], told["contenders"], "as a constant of the same length");
    assert_eq!(told["settings"]["boot_source"], "as told by --boot");
    let mixed = document(folder, &[&database[..], &["--boot", "120s"]].concat());
    assert_eq!(mixed["settings"]["boot_seconds"], serde_json::json!([120, 120]));
    assert_eq!(mixed["settings"]["drain_seconds"], 45);
    let forced = [&database[..], &["--boot", "learned", "--pool", "web"]].concat();
    assert_eq!(document(folder, &forced)["contenders"], usual["contenders"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_learned_is_said_and_refused_where_it_was_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    learned(folder, 3, [1.0, 90.0, 140.0, 9.0, 40.0, 5.0]).await;
    let web = ["--policy", "web.yaml"];
    let few = [&web[..], &["--database", "windlass.db"]].concat();
    fails(folder, &few, 0, &["--boot is 120s: too little to learn from 3 nodes of web", "20 are"]);
    let forced = [&few[..], &["--boot", "learned"]].concat();
    fails(folder, &forced, 1, &["--boot can't be learned from 3 nodes", "hint: give a time"]);
    let nothing = [&web[..], &["--drain", "learned"]].concat();
    fails(folder, &nothing, 2, &["--drain is to be learned", "name a --database"]);
    let nowhere = [&web[..], &["--database", "none.db"]].concat();
    fails(folder, &nowhere, 1, &["no database at none.db", "hint: "]);
    fails(folder, &["--baselines", "hpa", "--database", "windlass.db"], 2, &["name a --pool"]);
    assert!(!folder.join("none.db").exists(), "looking makes no database");
}
