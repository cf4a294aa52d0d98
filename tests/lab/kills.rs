//! A daemon that is killed at any instant, again and again, while nodes come and go.
//!
//! `WINDLASS_LAB_KILLS` says how often; a run of 50 takes about six minutes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use serde_json::Value;
use windlass::domain::{PoolName, Timestamp};
use windlass::store::{Entry, Store};

use crate::lab::{DaemonStart, HERE, Lab, labels};
use crate::world::in_a_world;

/// The most instances that the pool may have.
const MAX: u32 = 5;

/// So many times, where nobody says otherwise.
const KILLS: u32 = 12;

/// A settled pool proves that nothing was left behind; it is waited for after so many kills.
const SETTLES_EVERY: u32 = 6;

#[test]
fn killed_at_random_instants_it_leaves_no_orphan_makes_nothing_twice_and_forgets_no_decision() {
    in_a_world!(640, |lab| {
        let kills = std::env::var("WINDLASS_LAB_KILLS").ok().and_then(|text| text.parse().ok());
        let kills = kills.unwrap_or(KILLS);
        let seed = std::env::var("WINDLASS_LAB_SEED").ok().and_then(|text| text.parse().ok());
        let seed: u64 = seed.unwrap_or_else(rand::random);
        eprintln!("again: WINDLASS_LAB_SEED={seed} WINDLASS_LAB_KILLS={kills}");
        let mut chance = rand::rngs::StdRng::seed_from_u64(seed);
        lab.follow_the_dial(1, MAX);
        // More nodes leave in these minutes than anybody would want to lose in ten.
        lab.edit_policy("\nnode:", "\nbrake: {percent: 100}\nnode:");
        lab.dial_for(1);
        lab.start_surroundings();
        for kill in 1..=kills {
            let nodes = chance.random_range(1..=MAX);
            lab.dial_for(nodes);
            lab.start_daemon(DaemonStart { crash_at: None });
            if kill % SETTLES_EVERY == 0 {
                lab.wait_until_settled_at(nodes as usize, 120);
            }
            let lives = Duration::from_millis(chance.random_range(0..5_000));
            // Not a wait for anything: the instant of death is what is thrown.
            std::thread::sleep(lives);
            let promised = lab.changes().unwrap_or_default();
            lab.kill("windlass");
            is_whole(lab, &promised);
        }
        lab.dial_for(2);
        lab.start_daemon(DaemonStart { crash_at: None });
        lab.wait_until_settled_at(2, 120);
        is_whole(lab, &[]);
        lab.assert_never_more_instances_than(MAX);
        let ever = lab.instances_ever();
        eprintln!("{kills} kills, {ever} instances, none doubled, none left over");
    });
}

/// What must be so at each death: a whole file and chain, every decision that was shown kept, a row
/// for every instance, and no label made twice.
fn is_whole(lab: &Lab, promised: &[Value]) {
    let runtime = tokio::runtime::Runtime::new().expect("threads to spare");
    let known = runtime.block_on(look_into_the_file(promised));
    let instances = lab.instances().expect("the cloud answers");
    for instance in &instances {
        let label = instance["label"].as_str().unwrap_or_default();
        let row = known.get(label);
        assert!(row.is_some(), "{label} exists, and no row says why: {}", labels(&instances));
        assert_eq!(row, Some(&false), "{label} exists, and its node is over");
    }
    for (label, made) in lab.creations() {
        assert!(made <= 1, "{label} was made {made} times");
    }
}

/// Every node's label, and whether its life is over.
async fn look_into_the_file(promised: &[Value]) -> BTreeMap<String, bool> {
    let path = Path::new(HERE).join("windlass.db");
    let store = Store::open_beside(&path).await.expect("the file can be opened");
    assert_eq!(store.wrong_in_file().await.expect("it can be read"), Vec::<String>::new());
    store.verify_journal().await.expect("the journal is as it was written");
    let pool: PoolName = "notifications".parse().expect("a name");
    let decisions = store.decisions(&pool, Timestamp::MAX, u32::MAX).await.expect("decisions");
    let kept: Vec<String> = decisions.iter().map(|record| record.id.to_string()).collect();
    for decision in promised {
        let id = decision["id"].as_str().expect("a decision has an id");
        assert!(kept.iter().any(|one| one == id), "the decision {id} was shown and is lost");
    }
    let journal = store.journal(&pool, i64::MAX, u32::MAX).await.expect("a journal");
    for record in journal {
        if let Entry::Decided { decision, .. } = record.entry {
            let id = decision.to_string();
            assert!(kept.contains(&id), "the journal names the decision {id}, which is lost");
        }
    }
    let nodes = store.load_pool(&pool, Timestamp::MIN).await.expect("nodes").nodes;
    store.close().await;
    nodes.into_iter().map(|node| (node.label.to_string(), node.state.is_final())).collect()
}
