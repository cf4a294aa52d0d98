//! What a pool's chart is drawn from.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::Sources;
use super::document::AnyProblem;
use super::extract::{Asked, At};
use super::pools::find;
use super::problem::Problem;
use crate::domain::{DecisionId, Duration, NodeCount, SignalName, Timestamp, before, elapsed};
use crate::policy::{Policy, Rule, TargetForm};
use crate::store::{Band, Buckets, CountBands, Freeze, HintRecord};

/// A screen has no more columns to draw in.
const MOST_POINTS: u32 = 2_000;
/// So many are still told apart on a desktop.
const USUAL_POINTS: u32 = 600;
/// Samples are kept for a month by default; a year's chart would be a year of scanning.
const LONGEST: Duration = Duration::from_secs(93 * 86_400);
const USUAL_LENGTH: Duration = Duration::from_secs(3_600);
/// More marks than this hide each other; the newest are shown.
const MOST_CHANGES: u32 = 1_000;

/// Which part of the past.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryQuery {
    /// Its beginning; an hour before its end by default.
    from: Option<Timestamp>,
    /// Its end; the pool's last look by default.
    until: Option<Timestamp>,
    /// In how many buckets it comes; 600 by default, at most 2000.
    #[param(minimum = 1, maximum = 2000)]
    points: Option<u32>,
}

/// A pool over a time, thinned to buckets of one length. Of each bucket the least and the most are
/// kept; lists run side by side, one place for each bucket.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HistoryDocument {
    /// When the first bucket begins: a whole multiple of the length since 1970.
    pub from: Timestamp,
    /// When the last bucket ends.
    pub until: Timestamp,
    /// How long each bucket is.
    pub bucket_seconds: f64,
    /// The pool's counts.
    pub counts: CountBands,
    /// Each signal of the policy in force.
    pub signals: BTreeMap<SignalName, SignalHistory>,
    /// Decisions that changed the count, oldest first; the newest thousand.
    pub changes: Vec<ChangeDocument>,
    /// Campaigns that touch this time, cancelled ones too.
    pub hints: Vec<HintRecord>,
    /// When a hold, or that no signal could be read, kept the pool as it was.
    pub freezes: Vec<Freeze>,
}

/// What a signal said.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SignalHistory {
    /// What one node carries by the policy in force, in the signal's own unit; the pool's capacity
    /// is that times its nodes. None: no rule says so.
    pub per_node: Option<f64>,
    /// What it should be by the policy in force; none where no rule says so, or where it follows
    /// from `per_node`.
    pub target: Option<f64>,
    /// Its values.
    #[serde(flatten)]
    pub band: Band<f64>,
}

/// A decision that changed the count.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ChangeDocument {
    /// Its id.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// The count before.
    pub from: NodeCount,
    /// The count after.
    pub to: NodeCount,
    /// What bound, as a sentence.
    pub reason: String,
}

/// What a chart of the pool is drawn from, thinned on the server.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/history", tag = "pools", operation_id = "history",
    params(("pool" = String, Path, description = "The pool's name"), HistoryQuery),
    responses((status = 200, description = "The pool over that time", body = HistoryDocument), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn history(
    State(sources): State<Sources>,
    At(pool): At<String>,
    Asked(query): Asked<HistoryQuery>,
) -> Result<Json<HistoryDocument>, Problem> {
    let (name, source) = find(&sources, &pool)?;
    let buckets = query.buckets(source.now().at)?;
    let policy = source.policy.borrow().clone();
    let store = &sources.store;
    let counts = store.count_bands(name, buckets).await?;
    let mut signals = BTreeMap::new();
    for signal in policy.signals.keys() {
        let band = store.signal_band(name, signal, buckets).await?;
        let (per_node, target) = yardstick(&policy, signal);
        signals.insert(signal.clone(), SignalHistory { per_node, target, band });
    }
    let changes = store.count_changes(name, buckets, MOST_CHANGES).await?;
    let changes = changes.into_iter().map(|change| ChangeDocument {
        id: change.id,
        at: change.at,
        from: change.from,
        to: change.to,
        reason: change.reasons.first().map(ToString::to_string).unwrap_or_default(),
    });
    let mut hints = store.hints(name, buckets.since).await?;
    hints.retain(|record| record.announcement.hint.starts_at < buckets.until);
    Ok(Json(HistoryDocument {
        from: buckets.since,
        until: buckets.until,
        bucket_seconds: buckets.milliseconds as f64 / 1_000.0,
        counts,
        signals,
        changes: changes.collect(),
        hints,
        freezes: store.freezes(name, buckets).await?,
    }))
}

impl HistoryQuery {
    /// Whole buckets that cover what was asked for; the same ones for whoever asks a second later.
    fn buckets(&self, now: Timestamp) -> Result<Buckets, Problem> {
        let until = self.until.unwrap_or(now);
        let from = self.from.unwrap_or_else(|| before(until, USUAL_LENGTH));
        let points = self.points.unwrap_or(USUAL_POINTS);
        if !(1..=MOST_POINTS).contains(&points) {
            let detail = format!("`points` is {points}; use 1 to {MOST_POINTS}");
            return Err(Problem::bad_request(detail));
        }
        let length = elapsed(from, until);
        if until <= from || LONGEST < length {
            let detail = format!(
                "`from` is {from} and `until` is {until}; `until` comes later, by at most 93 days"
            );
            return Err(Problem::bad_request(detail));
        }
        // Nothing is decided more often than once a second.
        let milliseconds =
            (length.as_millis() as u64).div_ceil(u64::from(points)).max(1_000) as i64;
        let whole = |at: Timestamp| at.as_millisecond().div_euclid(milliseconds) * milliseconds;
        let moment = |at: i64| {
            Timestamp::from_millisecond(at)
                .map_err(|_| Problem::bad_request("`from` and `until` lie outside of all time"))
        };
        let since = moment(whole(from))?;
        let until = moment(whole(until).saturating_add(milliseconds))?;
        Ok(Buckets { since, until, milliseconds })
    }
}

/// What one node carries of a signal, and what it should be, by the first rule that says so.
fn yardstick(policy: &Policy, signal: &SignalName) -> (Option<f64>, Option<f64>) {
    let (mut per_node, mut target) = (None, None);
    for rule in &policy.rules {
        match rule {
            Rule::Target(rule) if rule.signal == *signal => match rule.form {
                TargetForm::PerNode(rate) => per_node = per_node.or(Some(rate.get())),
                TargetForm::Value(value) | TargetForm::Average(value) => {
                    target = target.or(Some(value));
                }
                TargetForm::UtilisationPercent(_) => {}
            },
            Rule::Latency(rule) if rule.signal == *signal => {
                target = target.or(Some(rule.objective.as_secs_f64()));
            }
            Rule::Forecast(rule) if rule.signal == *signal => {
                per_node = per_node.or(Some(rule.per_node.get()));
            }
            Rule::Surge(rule) if rule.signal == *signal => {
                per_node = per_node.or(Some(rule.per_node.get()));
            }
            Rule::Target(_)
            | Rule::Latency(_)
            | Rule::Forecast(_)
            | Rule::Surge(_)
            | Rule::Count(_)
            | Rule::Fixed(_)
            | Rule::Step(_)
            | Rule::Schedule(_)
            | Rule::Hint(_) => {}
        }
    }
    (per_node, target)
}
