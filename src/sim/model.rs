//! The state of the simulated world.

use std::collections::{BTreeMap, BTreeSet};

use super::backtest::NodeModel;
use super::board::SimAnnotation;
use super::chance;
use super::cloud::{CloudMood, SimInstance};
use super::configurator::SimRun;
use super::faults::Faults;
use super::metrics::{Meaning, MetricsMood};
use super::paces::Paces;
use super::queueing;
use super::servers::SimBalancerState;
use super::tally::Tally;
use super::traffic::Traffic;
use crate::domain::{Duration, InstanceId, RunId, Timestamp, after, before};

/// All that is so at one moment.
pub(super) struct Model {
    pub seed: u64,
    pub began: Timestamp,
    pub now: Timestamp,
    /// How far the daemon's clock is off, in milliseconds; above zero: it is ahead.
    pub clock_is_off: i64,
    pub faults: Faults,
    pub paces: Paces,
    pub traffic: Traffic,
    pub node: NodeModel,
    pub metrics: MetricsMood,
    /// Queries that count the nodes that serve.
    pub sources: BTreeSet<String>,
    /// What queries say, where a scenario tells.
    pub meanings: BTreeMap<String, Meaning>,
    pub cloud_mood: CloudMood,
    pub instances: BTreeMap<InstanceId, SimInstance>,
    pub runs: BTreeMap<RunId, SimRun>,
    /// By label: which run configures it, and from when on its application answers.
    pub configured: BTreeMap<String, (RunId, Timestamp)>,
    pub balancers: Vec<SimBalancerState>,
    /// Labels of instances whose application fails its checks.
    pub broken: BTreeSet<String>,
    /// Until when the weather's metrics and cloud moods last.
    pub metrics_until: Option<Timestamp>,
    pub cloud_until: Option<Timestamp>,
    /// The next state whose writing is the daemon's death, where a scenario says so.
    pub die_after_writing: Option<&'static str>,
    /// Every annotation that was drawn.
    pub annotations: Vec<SimAnnotation>,
    /// Until when the board of annotations answers nobody.
    pub board_down_until: Option<Timestamp>,
    pub tally: Tally,
    /// What the world did by itself, for the timeline.
    pub events: Vec<(Timestamp, String)>,
    throws: BTreeMap<String, u64>,
}

impl Model {
    pub fn new(seed: u64, began: Timestamp, balancers: Vec<SimBalancerState>) -> Self {
        Self {
            seed,
            began,
            now: began,
            clock_is_off: 0,
            faults: Faults::none(),
            paces: Paces::default(),
            traffic: Traffic::default(),
            node: queueing::node(),
            metrics: MetricsMood::Well,
            sources: BTreeSet::from(["sources".to_string()]),
            meanings: BTreeMap::new(),
            cloud_mood: CloudMood::Well,
            instances: BTreeMap::new(),
            runs: BTreeMap::new(),
            configured: BTreeMap::new(),
            balancers,
            broken: BTreeSet::new(),
            metrics_until: None,
            cloud_until: None,
            die_after_writing: None,
            annotations: Vec::new(),
            board_down_until: None,
            tally: Tally::default(),
            events: Vec::new(),
            throws: BTreeMap::new(),
        }
    }

    /// Whether something of this rate happens now; each call with the same purpose and thing is
    /// the next throw of its own dice.
    pub fn happens(&mut self, rate: f64, purpose: &str, thing: &str) -> bool {
        if rate <= 0.0 {
            return false;
        }
        let purpose = self.next_throw(purpose, thing);
        chance::roll(self.seed, &purpose) < rate
    }

    /// The same of a fault, counted by its kind.
    pub fn strikes(&mut self, kind: &'static str, rate: f64, purpose: &str, thing: &str) -> bool {
        let strikes = self.happens(rate, purpose, thing);
        if strikes {
            self.count_fault(kind);
        }
        strikes
    }

    pub fn count_fault(&mut self, kind: &'static str) {
        *self.tally.faults.entry(kind).or_default() += 1;
    }

    /// The time that the daemon believes it is.
    pub fn clock(&self) -> Timestamp {
        moved(self.now, self.clock_is_off)
    }

    /// The true time of what the daemon's clock calls `moment`.
    pub fn true_time(&self, moment: Timestamp) -> Timestamp {
        moved(moment, -self.clock_is_off)
    }

    /// Whether something of this rate is so for a thing, the same at each call.
    pub fn is_thrown(&self, rate: f64, purpose: &str, thing: &str) -> bool {
        0.0 < rate && chance::roll(self.seed, &format!("{purpose} {thing}")) < rate
    }

    /// A length from `shortest` to `longest` seconds, thrown anew at each call.
    pub fn length(&mut self, purpose: &str, thing: &str, shortest: u64, longest: u64) -> Duration {
        let purpose = self.next_throw(purpose, thing);
        chance::length(self.seed, &purpose, shortest, longest)
    }

    /// Notes what the world did.
    pub fn tell(&mut self, what: String) {
        self.events.push((self.now, what));
    }

    fn next_throw(&mut self, purpose: &str, thing: &str) -> String {
        let key = format!("{purpose} {thing}");
        let count = self.throws.entry(key.clone()).or_default();
        *count += 1;
        format!("{key} {count}")
    }
}

fn moved(moment: Timestamp, milliseconds: i64) -> Timestamp {
    let by = Duration::from_millis(milliseconds.unsigned_abs());
    if milliseconds < 0 { before(moment, by) } else { after(moment, by) }
}
