//! A small policy and a pool that lives through time, for this module's tests.

use std::path::PathBuf;

use super::{Decision, History, Observation, ObservedNode, Overrides, Readiness, Reason, decide};
use crate::domain::{
    Duration, FleetCounts, Missing, NodeCount, NodeSample, Percent, Reading, RequestsPerSecond,
    Sample, SignalName, Timestamp, after,
};
use crate::forecast::{Level, Mode};
use crate::policy::{
    Backoff, Band, BandAction, Bounds, Brake, Configure, Control, Effectiveness, ForecastRule,
    HealthCheck, Join, LatencyRule, Lead, Leave, LeaveEarly, LeaveOrder, Measures, MissingData,
    NodeTemplate, OrphanEnd, Orphans, Pace, PaceLimit, PaceSelect, Policy, Rule, RuleScaleIn,
    Samples, ScaleIn, ScaleOut, Signal, SignalSource, Ssh, Standby, StepRounding, StepRule,
    SurgeRule, TargetForm, TargetRule, Tolerance, Vlan,
};

/// 400 req/s a node without headroom, 2 to 40 nodes, no tolerance, no guard that waits.
pub(super) fn policy() -> Policy {
    Policy {
        pool: "notifications".parse().expect("a legal name"),
        control: Control::Automatic,
        bounds: Bounds { min: NodeCount(2), max: NodeCount(40), default: NodeCount(6) },
        budget: None,
        signals: Default::default(),
        rules: vec![target("requests", 400.0)],
        hints: Vec::new(),
        tolerance: Tolerance { out: percent(0.0), scale_in: percent(0.0) },
        scale_out: ScaleOut {
            stabilize: seconds(0),
            pace: vec![],
            pace_select: PaceSelect::Largest,
            cooldown: seconds(0),
        },
        scale_in: ScaleIn {
            stabilize: seconds(0),
            pace: vec![],
            pace_select: PaceSelect::Largest,
            cooldown: seconds(0),
            order: LeaveOrder::BillingHour,
            leave_early: LeaveEarly::No,
        },
        effectiveness: None,
        missing_data: MissingData { hold_for: minutes(5) },
        standby: Standby { nodes: NodeCount::ZERO },
        node: NodeTemplate {
            fallback_types: Vec::new(),
            instance_type: "g6-standard-2".into(),
            region: "eu-central".into(),
            image: "linode/debian12".into(),
            vlan: Vlan {
                label: "app".into(),
                cidr: "10.10.0.0/24".parse().expect("a legal block"),
                reserve: vec![],
                quarantine: minutes(2),
            },
            firewall: None,
            ssh: Ssh {
                user: "root".into(),
                port: 22,
                authorized_keys_file: PathBuf::new(),
                private_key_file: PathBuf::new(),
            },
            boot_timeout: minutes(5),
            backoff: Backoff { first: minutes(5), longest: minutes(30) },
        },
        configure: Configure {
            playbook: PathBuf::new(),
            timeout: minutes(8),
            batch: 10,
            variables: Default::default(),
        },
        join: Join {
            backend: "notifications".parse().expect("a legal name"),
            port: 8080,
            check: HealthCheck { interval: seconds(2), rise: 2, fall: 3 },
            max_connections: None,
            slow_start: seconds(20),
            timeout: minutes(2),
        },
        leave: Leave { drain_timeout: minutes(2) },
        health: None,
        brake: Brake { nodes: 50, share: percent(75.0), per: minutes(10) },
        orphans: Orphans { keep_for: minutes(60), then: OrphanEnd::Report },
        digest: String::new(),
        text: "".into(),
    }
}

/// The policy that a cautious operator would write: every guard at work.
pub(super) fn cautious_policy() -> Policy {
    let mut policy = policy();
    policy.rules = vec![target("requests", 400.0), raise_only("surge", 400.0), latency("p95")];
    policy.tolerance = Tolerance { out: percent(5.0), scale_in: percent(15.0) };
    policy.scale_out.pace = vec![nodes_per(10, minutes(1)), percent_per(100.0, minutes(1))];
    policy.scale_in.stabilize = minutes(10);
    policy.scale_in.pace = vec![nodes_per(2, minutes(5))];
    policy.scale_in.cooldown = minutes(5);
    policy.effectiveness = Some(effectiveness());
    policy
}

pub(super) fn target(signal: &str, per_node: f64) -> Rule {
    Rule::Target(target_rule(signal, per_node))
}

pub(super) fn target_rule(signal: &str, per_node: f64) -> TargetRule {
    TargetRule {
        signal: name(signal),
        form: TargetForm::PerNode(RequestsPerSecond::new(per_node).expect("a legal rate")),
        headroom: percent(0.0),
        square_root: None,
        scale_in: RuleScaleIn::Allowed,
        tolerance: None,
        hold: seconds(0),
        group: None,
    }
}

/// A target of another form, without headroom.
pub(super) fn with_form(signal: &str, form: TargetForm) -> Rule {
    Rule::Target(TargetRule { form, ..target_rule(signal, 1.0) })
}

pub(super) fn raise_only(signal: &str, per_node: f64) -> Rule {
    Rule::Target(TargetRule { scale_in: RuleScaleIn::Never, ..target_rule(signal, per_node) })
}

/// The defaults of a policy file.
pub(super) fn forecast_rule(signal: &str, per_node: f64) -> ForecastRule {
    ForecastRule {
        signal: name(signal),
        lead: Lead::Learned,
        level: Level::default(),
        per_node: RequestsPerSecond::new(per_node).expect("a legal rate"),
        mode: Mode::Raise,
        hold: minutes(1),
    }
}

/// The defaults of a policy file.
pub(super) fn surge_rule(signal: &str, per_node: f64) -> SurgeRule {
    SurgeRule {
        signal: name(signal),
        over: minutes(2),
        rise: percent(15.0),
        per_node: RequestsPerSecond::new(per_node).expect("a legal rate"),
        at_most: percent(150.0),
        hold: minutes(5),
    }
}

/// Objective 300 ms for 30 s, clear below 200 ms, steps of 25 %.
pub(super) fn latency(signal: &str) -> Rule {
    latency_for(signal, seconds(30))
}

pub(super) fn latency_for(signal: &str, for_at_least: Duration) -> Rule {
    Rule::Latency(LatencyRule {
        signal: name(signal),
        objective: Duration::from_millis(300),
        clear_below: Duration::from_millis(200),
        for_at_least,
        step: percent(25.0),
    })
}

/// A signal of which only what it measures matters here.
pub(super) fn signal_of(measures: Measures) -> Signal {
    Signal {
        source: SignalSource::Prometheus { query: "up".into(), nodes: None },
        measures,
        stale_after: seconds(45),
        coverage: None,
    }
}

/// Three scale-outs in vain, an effect is a fall by 5 %, a rest of half an hour.
pub(super) fn effectiveness() -> Effectiveness {
    Effectiveness { after: 3, improves: percent(5.0), rest: minutes(30) }
}

/// One sample is enough, and shares are rounded as Nomad does.
pub(super) fn step_rule(signal: &str, bands: &[Band]) -> StepRule {
    StepRule {
        signal: name(signal),
        bands: bands.to_vec(),
        samples: Samples { within: 1, of: 1 },
        rounding: StepRounding::Nomad,
        group: None,
    }
}

/// A band that acts at once.
pub(super) fn band(from: Option<f64>, below: Option<f64>, action: BandAction) -> Band {
    Band { from, below, for_at_least: seconds(0), action }
}

pub(super) fn nodes_per(nodes: u32, per: Duration) -> Pace {
    Pace { limit: PaceLimit::Nodes(nodes), per }
}

pub(super) fn percent_per(share: f64, per: Duration) -> Pace {
    Pace { limit: PaceLimit::Percent(percent(share)), per }
}

pub(super) fn percent(value: f64) -> Percent {
    Percent::new(value).expect("a legal percentage")
}

pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

pub(super) fn name(signal: &str) -> SignalName {
    signal.parse().expect("a legal name")
}

/// Noon of a working day.
pub(super) fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().expect("a legal moment")
}

pub(super) fn to(decision: &Decision) -> u32 {
    decision.to.0
}

/// The names of a decision's reasons, the binding one first.
pub(super) fn why(decision: &Decision) -> Vec<&'static str> {
    decision.reasons.iter().map(Reason::name).collect()
}

/// A node, and what a signal says of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen {
    /// It serves, with this value.
    Serves(f64),
    /// It serves, with this value of what it has.
    Has { value: f64, capacity: f64 },
    /// It serves, and nobody speaks of it.
    Silent,
    /// It is on its way, with a value already.
    OnItsWay(f64),
    /// It leaves, still with a value.
    Leaves(f64),
}

/// A pool whose every wish comes true at once, unless a test says otherwise: nodes that are
/// wanted serve before the next look.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub policy: Policy,
    pub look: Observation,
    pub nodes: Nodes,
}

/// How fast the fleet follows the decision.
#[derive(Clone, Copy, Debug)]
pub(super) enum Nodes {
    /// Before the next look.
    FollowAtOnce,
    /// Never: the test moves them.
    StayPut,
}

impl Pool {
    /// A pool that has served with `count` nodes for a long time.
    pub fn settled(policy: Policy, count: u32) -> Self {
        let history = History { desired: Some(NodeCount(count)), ..History::default() };
        let fleet = FleetCounts { serving: NodeCount(count), ..FleetCounts::default() };
        let readings = Default::default();
        let look = Observation {
            at: noon(),
            fleet,
            nodes: vec![],
            readings,
            forecasts: Default::default(),
            is_held: false,
            overrides: Overrides::default(),
            costs: None,
            hints: Default::default(),
            history,
        };
        Self { policy, look, nodes: Nodes::FollowAtOnce }
    }

    /// The same, looked at every five seconds for an hour with `load` on `requests`.
    pub fn watched(policy: Policy, count: u32, load: f64) -> Self {
        let mut pool = Self::settled(policy, count).reads("requests", load);
        for _ in 0..720 {
            pool.decides_after(seconds(5));
        }
        assert_eq!(pool.look.history.desired, Some(NodeCount(count)), "the load must fit");
        pool
    }

    pub fn reads(mut self, signal: &str, value: f64) -> Self {
        self.set(signal, value);
        self
    }

    pub fn sees(mut self, signal: &str, nodes: &[Seen]) -> Self {
        self.set_nodes(signal, nodes);
        self
    }

    /// The fleet consists of `nodes`, and they are what the signal speaks of.
    pub fn set_nodes(&mut self, signal: &str, nodes: &[Seen]) {
        let mut samples = Vec::new();
        self.look.nodes.clear();
        for (number, node) in nodes.iter().enumerate() {
            let (readiness, value, capacity) = match *node {
                Seen::Serves(value) => (Readiness::Ready, Some(value), None),
                Seen::Has { value, capacity } => (Readiness::Ready, Some(value), Some(capacity)),
                Seen::Silent => (Readiness::Ready, None, None),
                Seen::OnItsWay(value) => (Readiness::Unready, Some(value), None),
                Seen::Leaves(value) => (Readiness::Ignored, Some(value), None),
            };
            let (label, address) = (format!("web-{number}"), format!("10.10.0.{}", number + 20));
            // Some series are named by addresses, some by labels.
            let node = if number % 2 == 0 { address.clone() } else { label.clone() };
            samples.extend(value.map(|value| NodeSample {
                node,
                at: self.look.at,
                value: Some(value),
                capacity,
            }));
            self.look.nodes.push(ObservedNode { label, address, readiness });
        }
        let reading = Reading::PerNode { samples, capacity: None };
        self.look.readings.insert(name(signal), reading);
    }

    /// The signal speaks of machines that are no nodes, too.
    pub fn hears_strangers(&mut self, signal: &str, values: &[f64]) {
        let Some(Reading::PerNode { samples, .. }) = self.look.readings.get_mut(&name(signal))
        else {
            panic!("{signal} has a value of each node")
        };
        samples.extend(values.iter().enumerate().map(|(number, value)| NodeSample {
            node: format!("192.0.2.{number}"),
            at: self.look.at,
            value: Some(*value),
            capacity: None,
        }));
    }

    pub fn misses(mut self, signal: &str) -> Self {
        self.lose(signal);
        self
    }

    pub fn set(&mut self, signal: &str, value: f64) {
        let sample = Sample { at: self.look.at, value };
        self.look.readings.insert(name(signal), Reading::Fresh { sample });
    }

    pub fn set_partial(&mut self, signal: &str, value: f64) {
        let sample = Sample { at: self.look.at, value };
        let reading = Reading::Partial { sample, seen: 3, wanted: 5 };
        self.look.readings.insert(name(signal), reading);
    }

    pub fn lose(&mut self, signal: &str) {
        let why = Missing::Stale { age_seconds: 95, limit_seconds: 45 };
        self.look.readings.insert(name(signal), Reading::Missing { why });
    }

    /// Decides without remembering.
    pub fn would_decide(&self) -> Decision {
        decide(&self.policy, &self.look)
    }

    /// Decides and remembers; the fleet follows.
    pub fn decides(&mut self) -> Decision {
        let decision = self.would_decide();
        self.look.history = decision.history.clone();
        match self.nodes {
            Nodes::FollowAtOnce => self.look.fleet.serving = decision.to,
            Nodes::StayPut => {}
        }
        decision
    }

    /// Lets time pass without a look, then decides.
    pub fn decides_after(&mut self, pause: Duration) -> Decision {
        self.look.at = after(self.look.at, pause);
        self.decides()
    }

    /// Looks every five seconds for `time`, and gives the counts that it came to.
    pub fn counts_for(&mut self, time: Duration) -> Vec<u32> {
        (0..time.as_secs() / 5).map(|_| self.decides_after(seconds(5)).to.0).collect()
    }
}

/// Eight nodes that the load fits, with a latency rule beside it.
pub(super) fn pool_with_latency(milliseconds: f64) -> Pool {
    let mut policy = policy();
    policy.rules.push(latency("p95"));
    Pool::settled(policy, 8).reads("requests", 3_200.0).reads("p95", milliseconds / 1_000.0)
}
