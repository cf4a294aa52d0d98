//! The two speeds of the simulator agree: the loop of the daemon, on a store, with every port and a
//! look each second, and the rehearsal, which asks the engine alone.
//!
//! What is equal: at each decision the count that is wanted, the nodes that serve, and those on
//! their way. What is the model's rounding: a node begins to serve, or is gone, within a step of ten
//! seconds, and the rehearsal has it at the step's end. In between the loop is some seconds behind,
//! as it looks once a second.

use super::super::backtest::{
    Bounds, Contender, FleetRules, Lasts, NodeModel, PolicyContender, STEP_SECONDS, Settings,
    Trace, View, accompany,
};
use super::super::{self as sim, Faults, MetricsMood, Paces, SimWorld, Simulation, Traffic};
use super::fixture::{quick_with, seconds};
use crate::domain::{
    CampaignKind, Dollars, Duration, FleetCounts, Hint, HintId, HintSize, HintSource, NodeCount,
    Timestamp, after, elapsed,
};
use crate::policy::Policy;
use crate::ports::Clock;
use crate::store::{Announcement, Store};

/// The first nodes boot in so long before the trace begins.
const BOOT: Duration = seconds(120);

/// What a decision saw, and what it wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decided {
    /// Seconds since the trace's beginning.
    at: u64,
    wanted: NodeCount,
    serving: NodeCount,
    on_the_way: NodeCount,
}

impl Decided {
    fn new(at: u64, wanted: NodeCount, fleet: FleetCounts) -> Self {
        Self { at, wanted, serving: fleet.serving, on_the_way: fleet.on_the_way }
    }
}

/// One policy and one load, to be lived through at both speeds.
struct Life {
    policy: Policy,
    rates: Vec<f64>,
    hints: Vec<Hint>,
    rhythm: Rhythm,
}

/// How closely the loop looks.
#[derive(Clone, Copy)]
struct Rhythm {
    /// Between two decisions.
    interval: Duration,
    /// Between two looks while nothing goes on.
    grain: Duration,
    /// Boot and playbook: with the looks between, a node takes a little less than [`BOOT`].
    boot: u64,
    playbook: u64,
}

/// As in life.
const CLOSELY: Rhythm = Rhythm { interval: seconds(10), grain: seconds(2), boot: 60, playbook: 45 };
/// For whole days.
const WIDELY: Rhythm = Rhythm { interval: seconds(60), grain: seconds(10), boot: 40, playbook: 30 };

impl Life {
    /// The loop's decisions.
    async fn at_full_length(&self) -> Vec<Decided> {
        let world = SimWorld::new(1, 1);
        world.set_faults(Faults::none());
        let Rhythm { interval, grain, boot, playbook } = self.rhythm;
        let (boot, playbook) = ((boot, boot), (playbook, playbook));
        // From a drain until the node is gone: a little less than a minute.
        world.set_paces(Paces { boot, playbook, drain: (51, 51), deletion: (1, 1) });
        let length = seconds(STEP_SECONDS);
        world.set_traffic(Traffic::Steps { from: BOOT, length, rates: self.rates.clone() });
        let store = Store::in_memory().await.expect("memory to spare");
        self.announce(&store).await;
        let settings = sim::Settings { interval, grain, ..Default::default() };
        let mut simulation = Simulation::new(world, self.policy.clone(), store, settings);
        // Nothing is known of the time before the trace.
        simulation.world().set_metrics(MetricsMood::Empty);
        simulation.runs(BOOT).await;
        simulation.world().set_metrics(MetricsMood::Well);
        let began = simulation.world().now();
        simulation.runs(length * self.rates.len() as u32).await;
        let store = simulation.store();
        let all = store.decisions(&self.policy.pool, Timestamp::MAX, u32::MAX).await;
        let all = all.expect("the store works");
        let decided = all.iter().rev().filter(|record| began <= record.at).map(|record| {
            assert_eq!(elapsed(began, record.at).subsec_millis(), 0, "decisions are in time");
            let at = elapsed(began, record.at).as_secs();
            Decided::new(at, record.decision.to, record.observation.fleet)
        });
        decided.collect()
    }

    async fn announce(&self, store: &Store) {
        let announcements = self.hints.iter().map(|hint| {
            let owner = "operator".into();
            Announcement { hint: hint.clone(), owner }
        });
        let announcements: Vec<_> = announcements.collect();
        store.add_hints(&self.policy.pool, &announcements).await.expect("the store works");
    }

    /// The rehearsal's decisions.
    fn in_short(&self) -> Vec<Decided> {
        let mut trace = Trace::from_samples("t", STEP_SECONDS as f64, self.rates.clone())
            .expect("it is long enough");
        trace.begins_at = began().as_second();
        let Bounds { min, max } = FleetRules::of(&self.policy).bounds;
        let settings = Settings {
            node: NodeModel::new(8, 100.0 / (8.0 * 0.8), 0.25),
            bounds: Bounds { min, max },
            boot: Lasts::always(BOOT.as_secs()),
            drain: Lasts::always(60),
            lag: 10,
            interval: self.rhythm.interval.as_secs(),
            scored_from: 0,
            seed: 1,
            hourly_price: Dollars::new(0.036).expect("a price"),
        };
        let asked =
            PolicyContender::new(&self.policy, &settings, self.hints.clone(), trace.begins_at)
                .expect("rates alone");
        let mut witness = Witness { asked, decided: Vec::new() };
        accompany((&trace, &settings), FleetRules::of(&self.policy), &mut witness);
        witness.decided
    }

    /// Lives it at both speeds; the decisions.
    async fn agrees(&self) -> Vec<Decided> {
        let (full, short) = (self.at_full_length().await, self.in_short());
        for (full, short) in full.iter().zip(&short) {
            assert_eq!(full, short, "the loop, and the rehearsal");
        }
        assert_eq!(full.len(), short.len());
        assert_eq!(
            full.len() as u64 * self.rhythm.interval.as_secs(),
            self.rates.len() as u64 * 10
        );
        short
    }
}

/// A contender that remembers what it was asked, and what it said.
struct Witness {
    asked: PolicyContender,
    decided: Vec<Decided>,
}

impl Contender for Witness {
    fn period(&self) -> u64 {
        self.asked.period()
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        let wanted = self.asked.want(view);
        self.decided.push(Decided::new(view.now, wanted, view.fleet));
        wanted
    }
}

/// When traces begin.
fn began() -> Timestamp {
    after(SimWorld::new(1, 1).now(), BOOT)
}

/// The quick policy with a measured rate, from four nodes to forty.
fn measured(changes: &[(&str, &str)]) -> Policy {
    let own = [
        ("bounds: {min: 2, max: 10, default: 3}", "bounds: {min: 4, max: 40, default: 4}"),
        ("prometheus: {query: rate}", "prometheus: {query: 'rate[1m]'}"),
        ("leave: {drain_timeout: 2m}", "leave: {drain_timeout: 1m}"),
    ];
    quick_with(&[&own[..], changes].concat())
}

/// Half an hour that four nodes carry, and then `hours` of a wave with noise; `more` comes on top.
fn rates(hours: f64, more: impl Fn(f64) -> f64) -> Vec<f64> {
    let noise = |step: u64| {
        let mixed = step.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) % 1_000;
        mixed as f64 / 1_000.0 - 0.5
    };
    let steps = ((hours + 0.5) * 360.0) as u64;
    let rate = |step: u64| {
        let hour = step as f64 / 360.0 - 0.5;
        let wave = 600.0 - 300.0 * (hour * std::f64::consts::TAU / 3.0).cos();
        let base = if hour < 0.0 { 300.0 } else { wave * (1.0 + 0.1 * noise(step)) };
        base + more(hour)
    };
    (0..steps).map(rate).collect()
}

/// A burst at `begins` hours: there within half a minute, gone after some.
fn burst(hour: f64, begins: f64, peak: f64) -> f64 {
    let seconds = (hour - begins) * 3_600.0;
    match seconds {
        _ if seconds < 0.0 => 0.0,
        _ if seconds < 30.0 => peak * seconds / 30.0,
        _ => peak * (-(seconds - 30.0) / 240.0).exp(),
    }
}

fn most(decided: &[Decided]) -> u32 {
    decided.iter().map(|one| one.wanted.0).max().unwrap_or_default()
}

#[tokio::test]
async fn a_policy_that_reacts_with_cooldowns_and_paid_hours_wants_the_same_at_both_speeds() {
    let policy = measured(&[
        ("cooldown: 0s}", "cooldown: 1m}"),
        ("cooldown: 30s, leave_early: yes", "cooldown: 2m, leave_early: no"),
    ]);
    let rates = rates(4.0, |hour| burst(hour, 1.1, 1_800.0) + burst(hour, 2.9, 900.0));
    let decided = Life { policy, rates, hints: vec![], rhythm: CLOSELY }.agrees().await;
    assert!((16..40).contains(&most(&decided)), "the burst was seen: {}", most(&decided));
    assert!(decided.iter().any(|one| one.wanted.0 + 4 < one.serving.0), "paid hours were kept");
    assert!(decided.iter().any(|one| one.serving.0 < one.wanted.0), "nodes take their time");
}

#[tokio::test]
async fn a_policy_that_foresees_wants_the_same_at_both_speeds() {
    let with = |rules: &str| {
        let target = "{target: {signal: requests, per_node: 100, headroom_percent: 0}}";
        // No brake: rehearsals know none, and here it would bind after each burst.
        let rules = format!("brake: {{percent: 100}}\nrules: [{target}, {rules}]");
        measured(&[(&format!("rules: [{target}]"), &rules)])
    };
    let surge = "{surge: {signal: requests, per_node: 100, over: 2m, rise_percent: 20}}";
    // Fixed, as the loop learns a lead to the second, and a forecast is slow to shorten its own.
    let forecast = "{forecast: {signal: requests, per_node: 100, lead: 2m}}";
    // A forecast is trusted after a day; each hour has its burst.
    let each_hour = |hour: f64| if hour < 0.0 { 0.0 } else { burst(hour.fract(), 0.4, 900.0) };
    let rates = rates(25.0, each_hour);
    let life = |policy| Life { policy, rates: rates.clone(), hints: vec![], rhythm: WIDELY };
    let foreseen = life(with(&format!("{surge}, {forecast}"))).agrees().await;
    let unforeseen = life(with(surge)).in_short();
    let last_hours = |decided: &[Decided]| {
        let last = decided.iter().filter(|one| 24 * 3_600 < one.at);
        last.map(|one| one.wanted.0).sum::<u32>()
    };
    assert!(last_hours(&unforeseen) + 30 < last_hours(&foreseen), "the forecast was believed");
}

#[tokio::test]
async fn a_policy_that_is_told_of_campaigns_wants_the_same_at_both_speeds() {
    let target = "{target: {signal: requests, per_node: 100, headroom_percent: 0}}";
    let hint = "{hint: {signal: requests, per_node: 100, lead: 150s}}";
    let policy = measured(&[
        (&format!("rules: [{target}]"), &format!("rules: [{target}, {hint}]")),
        ("cooldown: 30s, leave_early: yes", "cooldown: 30s, leave_early: no"),
    ]);
    // Told half as large as they are: the third knows better than the first.
    let begins = [0.7, 1.5, 2.4];
    let hints = begins.map(|hours: f64| {
        let starts_at = after(began(), Duration::from_secs_f64((hours + 0.5) * 3_600.0));
        Hint {
            id: HintId(uuid::Uuid::from_u128((hours * 10.0) as u128)),
            kind: CampaignKind::new("lunch").expect("a legal name"),
            announced_at: starts_at - seconds(1_205),
            starts_at,
            size: HintSize::Devices(40_000),
            spread: seconds(30),
            tail: None,
            reason: "lunch push".into(),
            source: HintSource::Person,
        }
    });
    let campaigns = |hour| begins.iter().map(|begins| burst(hour, *begins, 1_200.0)).sum();
    let rates = rates(3.0, campaigns);
    let decided = Life { policy, rates, hints: hints.into(), rhythm: CLOSELY }.agrees().await;
    let before = |hours: f64| {
        let at = ((hours + 0.5) * 3_600.0) as u64;
        decided.iter().find(|one| one.at == at).map(|one| one.wanted.0).expect("a decision")
    };
    assert!(before(1.4) + 4 < before(1.5), "nodes were there before the campaign");
    assert!(before(0.7) < before(2.4), "and more of them, as was learned");
}
