//! Lives through a test: a decision every few seconds of virtual time, each remembering the last.

use std::collections::{BTreeMap, VecDeque};

use super::events::in_force;
use super::{Expectation, Fleet, PolicyTest, Series, Unlike, Unmet};
use crate::domain::{
    Dollars, Duration, FleetCounts, Missing, NodeCount, NodeSample, Reading, Sample, SignalName,
    Timestamp, after, calendar_month, elapsed,
};
use crate::engine::{
    Announced, Belief, Costs, Decision, Foreseen, History, Observation, ObservedHint, ObservedNode,
    Readiness, Reason, RuleKey, decide, explain,
};
use crate::forecast::campaign::{Around, Response, around};
use crate::policy::{CoverageNeed, ForecastRule, Policy, Rule, Signal};

/// Runs one test by the real engine: every expectation that was not met.
///
/// `node_price` is what a started hour of a node costs; a budget without it allows no more nodes.
pub fn run_test(policy: &Policy, node_price: Option<Dollars>, test: &PolicyTest) -> Vec<Unmet> {
    let mut pool = Pool::at_first(policy, node_price, test);
    let mut unmet = Vec::new();
    let mut expected = test.expect.iter().peekable();
    while expected.peek().is_some() {
        let (observation, decision) = pool.decides();
        let next = pool.age + test.decides_every;
        // A decision is in force until the next one.
        while let Some(expectation) = expected.next_if(|one| one.at < next) {
            unmet.extend(compare(policy, test, expectation, &observation, &decision));
        }
        pool.passes();
    }
    unmet
}

/// A pool in virtual time.
struct Pool<'t> {
    policy: &'t Policy,
    test: &'t PolicyTest,
    node_price: Option<Dollars>,
    /// What it has cost this month.
    spent: Dollars,
    /// Since the test began.
    age: Duration,
    history: History,
    /// What the signal said that campaigns come on top of, at each look.
    said: Vec<Sample>,
    serving: u32,
    /// When each node on its way will serve, the next one first.
    on_the_way: VecDeque<Duration>,
}

impl<'t> Pool<'t> {
    /// A pool that has had its first nodes for as long as anyone remembers.
    fn at_first(policy: &'t Policy, node_price: Option<Dollars>, test: &'t PolicyTest) -> Self {
        let mut pool = Self {
            policy,
            test,
            node_price,
            spent: test.spent,
            age: Duration::ZERO,
            history: History::default(),
            said: Vec::new(),
            serving: 0,
            on_the_way: VecDeque::new(),
        };
        pool.serving = match &test.fleet {
            Fleet::Follows { serving, .. } => serving.0,
            Fleet::Given(series) => pool.given(series),
        };
        pool.history.desired = Some(NodeCount(pool.serving));
        pool
    }

    /// Decides and remembers; the fleet follows.
    fn decides(&mut self) -> (Observation, Decision) {
        let observation = self.looks();
        self.hears(&observation);
        let decision = decide(self.policy, &observation);
        self.history = decision.history.clone();
        self.follows(decision.to.0);
        (observation, decision)
    }

    fn passes(&mut self) {
        let nodes = self.serving + self.on_the_way.len() as u32;
        let cost = self.node_price.unwrap_or_default().times(nodes.into());
        self.spent = self.spent.plus(cost.for_time(self.test.decides_every));
        self.age += self.test.decides_every;
        while self.on_the_way.front().is_some_and(|ready| *ready <= self.age) {
            self.on_the_way.pop_front();
            self.serving += 1;
        }
        if let Fleet::Given(series) = &self.test.fleet {
            self.serving = self.given(series);
        }
    }

    fn follows(&mut self, desired: u32) {
        let Fleet::Follows { ready_after, .. } = &self.test.fleet else { return };
        while desired < self.serving + self.on_the_way.len() as u32 {
            if self.on_the_way.pop_back().is_none() {
                self.serving -= 1;
            }
        }
        while self.serving + (self.on_the_way.len() as u32) < desired {
            match ready_after.is_zero() {
                true => self.serving += 1,
                false => self.on_the_way.push_back(self.age + *ready_after),
            }
        }
    }

    fn given(&self, series: &Series) -> u32 {
        series.at(self.index()).map_or(0, |(_, count)| count.clamp(0.0, 1e6) as u32)
    }

    /// The interval that it is in.
    fn index(&self) -> usize {
        let index = self.age.as_millis() / self.test.interval.as_millis().max(1);
        usize::try_from(index).unwrap_or(usize::MAX)
    }

    fn now(&self) -> Timestamp {
        after(self.test.starts, self.age)
    }

    /// Keeps what was measured around campaigns.
    fn hears(&mut self, observation: &Observation) {
        let about = self.policy.campaign_signal();
        let reading = about.and_then(|signal| observation.readings.get(signal));
        if let Some(sample) = reading.and_then(Reading::sample) {
            self.said.push(Sample { at: observation.at, value: sample.value });
        }
    }

    /// What is known of campaigns, the test's and those of the policy's calendar. Devices respond as
    /// nobody has learned yet, and nodes are asked for as long before as they take in this test.
    fn announced(&self) -> Announced {
        let stated = self.test.hints.iter().filter(|hint| hint.is_known(self.now())).cloned();
        let mut known: Vec<_> = stated.chain(self.policy.campaigns_at(self.now())).collect();
        known.sort_by_key(|hint| (hint.starts_at, hint.id));
        let hints = known.into_iter().map(|hint| {
            let Around { before, peak } = around(&hint, &self.said);
            ObservedHint { hint, response: Response::USUAL, before, peak }
        });
        let lead_seconds = match &self.test.fleet {
            Fleet::Follows { ready_after, .. } => {
                Some((*ready_after + self.test.decides_every).as_secs_f64())
            }
            Fleet::Given(_) => None,
        };
        let hints: Vec<_> = hints.collect();
        if hints.is_empty() { Announced::default() } else { Announced { lead_seconds, hints } }
    }

    /// What forecasts say, by their rules' keys.
    fn foreseen(&self) -> BTreeMap<String, Foreseen> {
        let rules = self.policy.rules.iter().zip(RuleKey::of_all(&self.policy.rules));
        let foreseen = rules.filter_map(|(rule, key)| {
            let Rule::Forecast(rule) = rule else { return None };
            let (_, bound) = self.test.forecasts.get(&rule.signal)?.at(self.index())?;
            let foreseen = Foreseen {
                bound,
                expected: bound,
                level: rule.level,
                horizon_seconds: self.horizon(rule).as_secs(),
                error: None,
                coverage: None,
                history_seconds: 0,
                belief: Belief::Trusted,
            };
            Some((key.to_string(), foreseen))
        });
        foreseen.collect()
    }

    fn horizon(&self, rule: &ForecastRule) -> Duration {
        let learned = match &self.test.fleet {
            Fleet::Follows { ready_after, .. } => *ready_after,
            Fleet::Given(_) => Duration::ZERO,
        };
        rule.forecasting(learned, self.test.interval).horizon
    }

    fn looks(&self) -> Observation {
        let desired = self.history.desired.map_or(0, |desired| desired.0);
        let on_the_way = match &self.test.fleet {
            Fleet::Follows { .. } => self.on_the_way.len() as u32,
            Fleet::Given(_) => desired.saturating_sub(self.serving),
        };
        let fleet = FleetCounts {
            serving: NodeCount(self.serving),
            on_the_way: NodeCount(on_the_way),
            ..FleetCounts::default()
        };
        let signals = self.policy.signals.iter();
        let (overrides, is_held) = in_force(&self.test.orders, self.test.starts, self.age);
        Observation {
            at: self.now(),
            fleet,
            nodes: (0..self.serving + on_the_way).map(|node| self.node(node)).collect(),
            readings: signals
                .map(|(name, signal)| (name.clone(), self.reads(name, signal)))
                .collect(),
            forecasts: self.foreseen(),
            is_held,
            overrides,
            costs: self.policy.budget.is_some().then(|| self.costs()),
            hints: self.announced(),
            history: self.history.clone(),
        }
    }

    /// What it costs; time is paid as it passes, so nothing is paid ahead.
    fn costs(&self) -> Costs {
        let month_left = elapsed(self.now(), calendar_month(self.now()).end);
        Costs {
            node_hourly: self.node_price,
            spent: self.spent,
            paid_ahead: Dollars::default(),
            month_seconds_left: month_left.as_secs(),
        }
    }

    fn node(&self, number: u32) -> ObservedNode {
        let readiness = match number < self.serving {
            true => Readiness::Ready,
            false => Readiness::Unready,
        };
        ObservedNode { label: format!("node-{number}"), address: String::new(), readiness }
    }

    /// What a signal says now; one that the test does not name says nothing.
    fn reads(&self, name: &SignalName, signal: &Signal) -> Reading {
        let sample = match self.test.signals.get(name).map(|series| self.sample(series, signal)) {
            None => return Reading::Missing { why: Missing::Empty },
            Some(Err(why)) => return Reading::Missing { why },
            Some(Ok(sample)) => sample,
        };
        if let Some(nodes) = signal.source.nodes() {
            let samples = (0..self.serving).map(|number| NodeSample {
                node: format!("node-{number}"),
                at: sample.at,
                value: Some(sample.value),
                capacity: None,
            });
            let samples = samples.collect();
            return Reading::PerNode { samples, capacity: Some(nodes.capacity) };
        }
        let (Some(coverage), Some(counted)) = (&signal.coverage, self.test.coverage.get(name))
        else {
            return Reading::Fresh { sample };
        };
        let wanted = match coverage.at_least {
            CoverageNeed::Serving => self.serving,
            CoverageNeed::Count(count) => count,
        };
        let seen = self.sample(counted, signal).map_or(0, |sample| sample.value.min(1e9) as u32);
        match wanted <= seen {
            true => Reading::Fresh { sample },
            false => Reading::Partial { sample, seen, wanted },
        }
    }

    /// A series' newest sample, where it may be used.
    fn sample(&self, series: &Series, signal: &Signal) -> Result<Sample, Missing> {
        let (index, value) = series.at(self.index()).ok_or(Missing::Empty)?;
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let at = after(self.test.starts, self.test.interval * index);
        let age = elapsed(at, self.now());
        if signal.stale_after < age {
            let (age_seconds, limit_seconds) = (age.as_secs(), signal.stale_after.as_secs());
            return Err(Missing::Stale { age_seconds, limit_seconds });
        }
        match value {
            value if !value.is_finite() => Err(Missing::NotANumber),
            value if value < 0.0 => Err(Missing::Negative { value }),
            value => Ok(Sample { at, value }),
        }
    }
}

fn compare(
    policy: &Policy,
    test: &PolicyTest,
    expected: &Expectation,
    observation: &Observation,
    decision: &Decision,
) -> Option<Unmet> {
    let explanation = explain(decision, observation, policy).to_string();
    let names: Vec<&str> = decision.reasons.iter().map(Reason::name).collect();
    let all = || names.join(", ");
    let mut differences = Vec::new();
    let mut unlike = |key, expected: String, got: String| {
        differences.push(Unlike { key, expected, got });
    };
    if let Some(count) = expected.count.filter(|count| *count != decision.to.0) {
        unlike("count", count.to_string(), decision.to.0.to_string());
    }
    let binding = names.first().copied().unwrap_or_default();
    if let Some(reason) = expected.reason.as_ref().filter(|reason| *reason != binding) {
        unlike("reason", reason.clone(), binding.into());
    }
    for reason in expected.reasons.iter().filter(|reason| !names.contains(&reason.as_str())) {
        unlike("reasons", reason.clone(), all());
    }
    for text in expected.explains.iter().filter(|text| !explanation.contains(text.as_str())) {
        unlike("explains", text.clone(), "not in the explanation below".into());
    }
    (!differences.is_empty()).then(|| Unmet {
        test: test.name.clone(),
        place: expected.place,
        at: humantime::format_duration(expected.at).to_string(),
        differences,
        explanation,
    })
}
