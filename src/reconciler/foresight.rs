//! The forecasters of a pool's rules: one for each `forecast` rule, for as long as the policy has
//! it.
//!
//! In: what the rules' signals say, decision by decision; what was kept, or else what the metrics
//! source still knows of the past.
//! Out: what is expected, for the next decision.
//! Never: fails a look for want of a past: then it learns from now on. Works out two weeks on a
//! thread that others wait for.

use std::collections::BTreeMap;

use tokio::task::spawn_blocking;
use tracing::warn;

use super::look::PoolLoop;
use crate::domain::{
    CandidateName, Duration, Reading, Sample, SignalName, Timestamp, after, before, elapsed,
};
use crate::engine::{Foreseen, RuleKey};
use crate::forecast::{ForecastSettings, Forecaster};
use crate::policy::{ForecastRule, Policy, Rule, SignalSource};
use crate::ports::{Fault, MetricsSource};
use crate::store::{KeptForecast, Store, StoreError, shadow_rule};
use crate::telemetry::RuleLabels;

/// How far back a forecaster can make use of.
const PAST: Duration = Duration::from_secs(14 * 86_400);
/// Asked for at once: a quarter of the 11,000 samples that Prometheus gives at most.
const CHUNK: Duration = Duration::from_secs(2 * 86_400);
/// The forecaster's grid.
const STEP: Duration = Duration::from_secs(60);
/// What was learned is kept this often; what decisions saw since then is read from them.
const KEEP_EVERY: Duration = Duration::from_secs(60);
/// Lead times change slowly: a phase ends a few times in an hour.
const LEAD_EVERY: Duration = Duration::from_secs(600);
/// Where no node has shown it yet: a boot of two minutes and a short playbook.
const USUAL_LEAD: Duration = Duration::from_secs(180);
/// A look is never further from the next one.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// More decisions than are made between two times that a state is kept.
const DECISIONS_SINCE: u32 = 200;

/// What one pool's loop knows of the future.
#[derive(Default)]
pub(super) struct Foresight {
    forecasters: BTreeMap<String, Learned>,
    lead: Option<(Timestamp, Duration)>,
    kept_at: Option<Timestamp>,
}

/// One rule's forecaster, and what it learned from.
struct Learned {
    query: String,
    forecaster: Forecaster,
}

/// What a rule's forecaster must know.
struct Wanted {
    key: String,
    signal: SignalName,
    query: String,
    past: Past,
    settings: ForecastSettings,
}

/// Who remembers what a signal said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Past {
    /// Prometheus.
    Metrics,
    /// Our own store: balancers remember nothing.
    Store,
}

/// What forecasters learn from, and where that is kept.
pub(super) struct Lessons<'a> {
    pub policy: &'a Policy,
    pub metrics: &'a dyn MetricsSource,
    pub store: &'a Store,
    pub whose: Whose<'a>,
}

/// Whose forecasters they are.
pub(super) enum Whose<'a> {
    /// The live policy's.
    Live,
    /// A candidate's, beside a live policy that reads some of the same signals.
    Candidate { name: &'a CandidateName, live: &'a Policy },
}

impl Lessons<'_> {
    /// How what a rule learned is kept.
    fn kept_as(&self, rule: &str) -> String {
        match self.whose {
            Whose::Live => rule.to_owned(),
            Whose::Candidate { name, .. } => shadow_rule(name, rule),
        }
    }

    /// What decisions of the live policy call a signal; none where they don't read it.
    fn live_name<'a>(&'a self, signal: &'a SignalName) -> Option<&'a SignalName> {
        match self.whose {
            Whose::Live => Some(signal),
            Whose::Candidate { live, .. } => same_signal(live, self.policy, signal),
        }
    }
}

/// The signal of `live` that says just what `signal` says to `policy`.
pub(super) fn same_signal<'a>(
    live: &'a Policy,
    policy: &Policy,
    signal: &SignalName,
) -> Option<&'a SignalName> {
    let wanted = policy.signals.get(signal)?;
    let same = live.signals.iter().find(|(_, known)| {
        (&known.source, known.stale_after, &known.coverage)
            == (&wanted.source, wanted.stale_after, &wanted.coverage)
    });
    same.map(|(name, _)| name)
}

impl PoolLoop {
    /// What is expected at a decision, after what its signals said.
    pub(super) async fn foresee(
        &mut self,
        readings: &BTreeMap<SignalName, Reading>,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Foreseen>, StoreError> {
        let (policy, store) = (self.policy.clone(), self.store.clone());
        let metrics = self.world.metrics.as_ref();
        let lessons = Lessons { policy: &policy, metrics, store: &store, whose: Whose::Live };
        let forecasts = self.foresight.foresee(&lessons, readings, now).await?;
        forecasts.iter().for_each(|(rule, foreseen)| self.show_forecast(rule, foreseen));
        Ok(forecasts)
    }

    /// Keeps what was learned, where that is due; comes after the decision of `now`.
    pub(super) async fn keep_forecasts(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let (policy, store) = (self.policy.clone(), self.store.clone());
        let metrics = self.world.metrics.as_ref();
        let lessons = Lessons { policy: &policy, metrics, store: &store, whose: Whose::Live };
        self.foresight.keep(&lessons, now).await
    }

    fn show_forecast(&self, rule: &str, foreseen: &Foreseen) {
        let labels = RuleLabels { pool: self.policy.pool.to_string(), rule: rule.to_owned() };
        self.telemetry.forecast_bound.get_or_create(&labels).set(foreseen.bound);
        if let Some(error) = foreseen.error {
            self.telemetry.forecast_error.get_or_create(&labels).set(error);
        }
        if let Some(coverage) = foreseen.coverage {
            self.telemetry.forecast_coverage.get_or_create(&labels).set(coverage);
        }
    }
}

impl Foresight {
    /// What is expected at a decision, after what its signals said.
    pub(super) async fn foresee(
        &mut self,
        lessons: &Lessons<'_>,
        readings: &BTreeMap<SignalName, Reading>,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Foreseen>, StoreError> {
        let policy = lessons.policy;
        if !policy.rules.iter().any(|rule| matches!(rule, Rule::Forecast(_))) {
            *self = Self::default();
            return Ok(BTreeMap::new());
        }
        let lead = self.lead(lessons, now).await?;
        let wanted = wanted(policy, lead);
        self.forecasters.retain(|key, learned| {
            wanted.iter().any(|wanted| wanted.key == *key && wanted.query == learned.query)
        });
        let mut forecasts = BTreeMap::new();
        for wanted in wanted {
            let forecaster = match self.forecasters.remove(&wanted.key) {
                Some(learned) => learned.forecaster,
                None => lessons.take_up_forecaster(&wanted, now).await?,
            };
            let mut forecaster = following(forecaster, wanted.settings).await;
            observe(&mut forecaster, readings.get(&wanted.signal));
            let foreseen = Foreseen::from(&forecaster.forecast(now));
            forecasts.insert(wanted.key.clone(), foreseen);
            let learned = Learned { query: wanted.query, forecaster };
            self.forecasters.insert(wanted.key, learned);
        }
        Ok(forecasts)
    }

    /// Keeps what was learned, where that is due; comes after the decision of `now`.
    pub(super) async fn keep(
        &mut self,
        lessons: &Lessons<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let due = self.kept_at.is_none_or(|kept| after(kept, KEEP_EVERY) <= now);
        if !due {
            return Ok(());
        }
        self.kept_at = Some(now);
        for (rule, learned) in &self.forecasters {
            let forecaster = learned.forecaster.clone();
            let state = blocking(move || serde_json::to_string(&forecaster)).await;
            let state = state.expect("a forecaster is plain data");
            let kept = KeptForecast { saved_at: now, query: learned.query.clone(), state };
            let rule = lessons.kept_as(rule);
            lessons.store.keep_forecast(&lessons.policy.pool, &rule, &kept).await?;
        }
        Ok(())
    }

    /// From an order until the node serves, as nine in ten of the pool's nodes have shown in each
    /// phase.
    async fn lead(
        &mut self,
        lessons: &Lessons<'_>,
        now: Timestamp,
    ) -> Result<Duration, StoreError> {
        if let Some((asked, lead)) = self.lead
            && elapsed(asked, now) < LEAD_EVERY
        {
            return Ok(lead);
        }
        let seconds = lessons.store.seconds_to_serve(&lessons.policy.pool).await?;
        let lead = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let lead = lead.unwrap_or(USUAL_LEAD);
        self.lead = Some((now, lead));
        Ok(lead)
    }
}

impl Lessons<'_> {
    /// A forecaster that goes on from what was kept, or knows what the metrics source does.
    async fn take_up_forecaster(
        &self,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Forecaster, StoreError> {
        let kept = self.store.kept_forecast(&self.policy.pool, &self.kept_as(&wanted.key)).await?;
        if let Some(kept) = kept.filter(|kept| kept.query == wanted.query)
            && let Some(forecaster) = self.gone_on(wanted, kept, now).await?
        {
            return Ok(forecaster);
        }
        let new = Forecaster::new(wanted.settings);
        Ok(self.with_past(new, wanted, before(now, PAST), now).await)
    }

    /// The kept forecaster with what the decisions since then saw, and what nobody looked at.
    async fn gone_on(
        &self,
        wanted: &Wanted,
        kept: KeptForecast,
        now: Timestamp,
    ) -> Result<Option<Forecaster>, StoreError> {
        let state = kept.state;
        let mut forecaster: Forecaster = match blocking(move || serde_json::from_str(&state)).await
        {
            Ok(forecaster) => forecaster,
            Err(error) => {
                warn!(pool = %self.policy.pool, rule = wanted.key, %error, "forgets a forecast");
                return Ok(None);
            }
        };
        let Some(signal) = self.live_name(&wanted.signal) else {
            let last = kept.saved_at;
            return Ok(Some(self.with_past(forecaster, wanted, last, now).await));
        };
        let decisions = self.store.decisions(&self.policy.pool, now, DECISIONS_SINCE).await?;
        let mut last = kept.saved_at;
        for decision in decisions.iter().rev().filter(|decision| kept.saved_at < decision.at) {
            observe(&mut forecaster, decision.observation.readings.get(signal));
            last = decision.at;
        }
        if elapsed(last, now) > LONGEST_PAUSE {
            forecaster = self.with_past(forecaster, wanted, last, now).await;
        }
        Ok(Some(forecaster))
    }

    /// The forecaster with what the metrics source knows; as much of it as it tells.
    async fn with_past(
        &self,
        mut forecaster: Forecaster,
        wanted: &Wanted,
        from: Timestamp,
        now: Timestamp,
    ) -> Forecaster {
        let metrics = self.metrics;
        let mut past: Vec<Sample> = Vec::new();
        let mut begins = from;
        while begins < now {
            let ends = after(begins, CHUNK).min(now);
            let read = match wanted.past {
                Past::Metrics => metrics.read_range(&wanted.query, begins, ends, STEP).await,
                Past::Store => match self.live_name(&wanted.signal) {
                    Some(signal) => self.stored(signal, begins, ends).await,
                    None => Ok(Vec::new()),
                },
            };
            match read {
                Ok(samples) => past.extend(samples),
                Err(error) => {
                    let (pool, rule) = (&self.policy.pool, &wanted.key);
                    warn!(%pool, rule, %error, "a forecast learns from now on: its past can't be read");
                    break;
                }
            }
            begins = after(ends, STEP);
        }
        blocking(move || {
            forecaster.backfill(past.into_iter().map(|sample| (sample.at, sample.value)));
            forecaster
        })
        .await
    }

    async fn stored(
        &self,
        signal: &SignalName,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Sample>, Fault> {
        let read = self.store.samples(&self.policy.pool, signal, from, to).await;
        read.map_err(|error| Fault::transient(error.to_string()))
    }
}

/// The forecasters that a policy's rules want.
fn wanted(policy: &Policy, lead: Duration) -> Vec<Wanted> {
    let rules = policy.rules.iter().zip(RuleKey::of_all(&policy.rules));
    let rules = rules.filter_map(|(rule, key)| match rule {
        Rule::Forecast(rule) => want(policy, rule, key.to_string(), lead),
        _ => None,
    });
    rules.collect()
}

fn want(policy: &Policy, rule: &ForecastRule, key: String, lead: Duration) -> Option<Wanted> {
    let signal = policy.signals.get(&rule.signal)?;
    let (query, past) = match &signal.source {
        SignalSource::Prometheus { query, .. } => (query.clone(), Past::Metrics),
        SignalSource::Haproxy(counted) => {
            let backend = counted.backend.as_ref().unwrap_or(&policy.join.backend);
            (format!("haproxy {} of {backend}", counted.metric.word()), Past::Store)
        }
    };
    let settings = rule.forecasting(lead, signal.window().unwrap_or(STEP));
    Some(Wanted { key, signal: rule.signal.clone(), query, past, settings })
}

/// The forecaster under these settings. Another horizon has it work two weeks through again.
async fn following(mut forecaster: Forecaster, settings: ForecastSettings) -> Forecaster {
    if *forecaster.settings() == settings {
        return forecaster;
    }
    blocking(move || {
        forecaster.follow(settings);
        forecaster
    })
    .await
}

/// A missing reading is a gap, and so is one that not all sources speak in.
fn observe(forecaster: &mut Forecaster, reading: Option<&Reading>) {
    if let Some(Reading::Fresh { sample }) = reading {
        forecaster.observe(sample.at, sample.value);
    }
}

/// The outcome of `work`, which takes longer than others should wait for.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
