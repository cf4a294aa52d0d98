//! Policies and simulations for these tests.

use std::path::Path;

use super::super::{Faults, Settings, SimWorld, Simulation, Traffic};
use crate::domain::Duration;
use crate::policy::{Policy, parse};
use crate::store::Store;

/// 100 req/s a node, quick to follow, nodes leave at once.
pub const QUICK: &str = "
pool: web
bounds: {min: 2, max: 10, default: 3}
signals:
  requests:
    prometheus: {query: rate}
    stale_after: 45s
    coverage: {query: sources, at_least: serving}
rules: [{target: {signal: requests, per_node: 100, headroom_percent: 0}}]
tolerance: {out_percent: 5, in_percent: 10}
scale_out: {stabilize: 0s, pace: [{nodes: 10, per: 1m}], cooldown: 0s}
scale_in: {stabilize: 2m, pace: [{nodes: 4, per: 1m}], cooldown: 30s, leave_early: yes}
missing_data: {hold_for: 5m, then: default}
node:
  type: g6-standard-2
  region: eu-central
  image: linode/debian12
  vlan: {label: app, cidr: 10.10.0.0/24, reserve: [10.10.0.1-10.10.0.19]}
  ssh: {authorized_keys_file: /dev/null, private_key_file: /dev/null}
  boot_timeout: 4m
  backoff: {first: 1m, longest: 8m}
configure: {playbook: node.yml, timeout: 3m, batch: 3}
join: {backend: web, port: 8080, timeout: 1m}
leave: {drain_timeout: 2m}
";

/// The quick policy with changed lines: each pair is a text and what takes its place.
pub fn quick_with(changes: &[(&str, &str)]) -> Policy {
    let mut text = QUICK.to_string();
    for (from, to) in changes {
        assert!(text.contains(from), "the policy has no `{from}`");
        text = text.replace(from, to);
    }
    parse(&text, Path::new("web.yaml")).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Two balancers, steady traffic, nothing goes wrong.
pub async fn simulation(rate: f64) -> Simulation {
    simulation_of(quick_with(&[]), rate).await
}

pub async fn simulation_of(policy: Policy, rate: f64) -> Simulation {
    let world = SimWorld::new(1, 2);
    world.set_traffic(Traffic::steady(rate));
    world.set_faults(Faults::none());
    let store = Store::in_memory().await.expect("memory to spare");
    Simulation::new(world, policy, store, Settings::default())
}

pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

impl Simulation {
    /// Runs, and shows the timeline if the store fails.
    pub async fn runs(&mut self, length: Duration) {
        self.run_for(length).await.expect("the store works");
    }

    /// Runs until so many nodes serve and none is on its way or leaving.
    pub async fn settles_at(&mut self, count: u32, longest: Duration) {
        let settled = self
            .run_to(longest, |status| {
                let fleet = status.fleet;
                fleet.serving.0 == count && fleet.on_the_way.0 == 0 && fleet.leaving.0 == 0
            })
            .await
            .expect("the store works");
        if !settled {
            let timeline = self.timeline().await.expect("a journal");
            panic!("{timeline}\nnot settled at {count}: {:#?}", self.status());
        }
    }

    /// Runs until so many nodes serve, so many stand by, and nothing moves.
    pub async fn settles_with(&mut self, count: u32, standby: u32, longest: Duration) {
        let settled = self
            .run_to(longest, |status| {
                let fleet = status.fleet;
                let is_settled = fleet.on_the_way.0 == 0 && fleet.leaving.0 == 0;
                is_settled && (fleet.serving.0, fleet.standby.0) == (count, standby)
            })
            .await
            .expect("the store works");
        if !settled {
            let timeline = self.timeline().await.expect("a journal");
            panic!("{timeline}\nnot settled at {count} and {standby}: {:#?}", self.status());
        }
        // A daemon that died with the last state is back within a minute.
        self.runs(seconds(70)).await;
        let problems = self.problems(count, standby).await;
        assert!(
            problems.is_empty(),
            "{}\n{}",
            self.timeline().await.expect("a journal"),
            problems.join("\n")
        );
    }

    /// Checks what must be so of any settled pool.
    pub async fn is_whole(&self, count: u32) {
        let problems = self.problems(count, 0).await;
        if !problems.is_empty() {
            let timeline = self.timeline().await.expect("a journal");
            panic!("{timeline}\n{}", problems.join("\n"));
        }
    }

    /// What is wrong with a pool that should be settled, so many nodes in service and so many in
    /// standby.
    pub async fn problems(&self, count: u32, standby: u32) -> Vec<String> {
        let mut problems = Vec::new();
        let world = self.world();
        let mut must = |is: bool, what: String| {
            if !is {
                problems.push(what);
            }
        };
        let all = count + standby;
        must(world.instances() == all, format!("{} instances, not {all}", world.instances()));
        for balancer in 0..world.balancers() {
            let (serving, entries) = (world.serving_on(balancer), world.servers_on(balancer));
            must(serving == count, format!("{serving} serve on balancer {balancer}, not {count}"));
            must(entries == all, format!("{entries} servers on balancer {balancer}"));
        }
        let preview = self.preview().await.expect("the store works");
        must(preview.acts.is_empty(), format!("still to do: {:?}", preview.acts));
        must(preview.notes.is_empty(), format!("still noted: {:?}", preview.notes));
        let tally = world.tally();
        let twice: Vec<_> = tally.created_by_label.iter().filter(|(_, made)| 1 < **made).collect();
        must(twice.is_empty(), format!("made twice: {twice:?}"));
        must(tally.deleted_strangers == 0, "deleted a stranger's instance".into());
        let bare = &tally.sent_to_bare;
        must(bare.is_empty(), format!("requests to bare machines: {bare:?}"));
        let max = self.policy().bounds.max.0;
        must(tally.most_instances <= max, format!("{} instances at once", tally.most_instances));
        let cuts = self.cuts_before_the_deadline().await.expect("the store works");
        must(cuts.is_empty(), format!("cut off: {cuts:?}"));
        let chain = self.store().verify_journal().await;
        must(chain.is_ok(), format!("the journal: {chain:?}"));
        problems
    }
}
