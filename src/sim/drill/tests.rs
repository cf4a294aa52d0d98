//! Drills of the policies that come with the program.

use std::path::Path;

use super::*;
use crate::policy::parse;

fn policy(text: &str) -> Policy {
    parse(text, Path::new("policy.yaml")).unwrap_or_else(|problems| panic!("{problems}"))
}

async fn drilled(policy: &Policy, scenario: Scenario) -> Drill {
    drill(policy, scenario, 10).await.expect("the store works")
}

#[tokio::test]
async fn every_scenario_is_overcome_by_the_shortest_policy() {
    let policy = policy(include_str!("../../../policies/minimal.yaml"));
    for scenario in Scenario::ALL {
        let drill = drilled(&policy, scenario).await;
        assert_eq!(drill.broken, Vec::<String>::new(), "{drill:#?}");
        assert!(drill.recovered_after_minutes.is_some(), "{drill:#?}");
        let least = drill.minutes.iter().map(|minute| minute.serving).min();
        assert!(least.is_none_or(|least| drill.served <= least), "nodes were lost: {drill:#?}");
    }
}

#[tokio::test]
async fn policies_by_other_rules_come_to_rest_and_recover() {
    for text in [
        include_str!("../../../policies/smooth-web.yaml"),
        include_str!("../../../policies/bursty-api.yaml"),
        include_str!("../../../policies/batch-queue.yaml"),
    ] {
        let policy = policy(text);
        let drill = drilled(&policy, Scenario::SocketLost).await;
        assert_eq!(drill.broken, Vec::<String>::new(), "{}: {drill:#?}", policy.pool);
        assert!(policy.bounds.min <= drill.served, "{}: {drill:#?}", policy.pool);
    }
}

#[tokio::test]
async fn a_broken_invariant_is_told() {
    let policy = rehearsed(&policy(include_str!("../../../policies/minimal.yaml")));
    let store = Store::in_memory().await.expect("memory to spare");
    let simulation = Simulation::new(SimWorld::new(1, 1), policy, store, Settings::default());
    assert_eq!(invariants::broken(&simulation).await.expect("a store"), Vec::<String>::new());
    {
        let mut model = simulation.world().model();
        model.tally.sent_to_bare.push("web-1".into());
        model.tally.created_by_label.insert("web-2".into(), 2);
        model.tally.most_instances = 13;
    }
    let broken = invariants::broken(&simulation).await.expect("a store");
    let told = ["13 instances at once, over `max` 12", "web-2 was made twice", "sent to web-1"];
    assert_eq!(broken.len(), told.len(), "{broken:?}");
    for (broken, told) in broken.iter().zip(told) {
        assert!(broken.contains(told), "{broken}");
    }
}
