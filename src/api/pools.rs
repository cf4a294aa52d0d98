//! Pools, their decisions and their journal.

use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::access::Caller;
use super::document::AnyProblem;
use super::extract::{Asked, At};
use super::problem::Problem;
use super::{PoolSource, Sources};
use crate::domain::{DecisionId, NodeId, PoolName, Timestamp};
use crate::engine::{Decision, Direction, Explanation, Observation, WhyNot, explain};
use crate::policy::{self, Policy};
use crate::reconciler::PoolStatus;
use crate::store::{DecisionRecord, Decisions, JournalFilter, JournalRecord, PhaseTimes};

/// At most so many rows an answer.
const MOST: u32 = 500;

/// Which decisions.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionQuery {
    /// Not after this; now by default.
    until: Option<Timestamp>,
    /// Only those before this one; `next_before` of the last page.
    #[param(value_type = Option<String>, format = "uuid")]
    before: Option<DecisionId>,
    /// At most so many; 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Only those that changed the count.
    #[serde(default)]
    changes: bool,
}

/// A decision with what it saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DecisionDocument {
    /// Its id.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// The digest of the policy that made it.
    pub policy_digest: String,
    /// Why, in sentences; the first one binds.
    pub sentences: Vec<String>,
    /// What it came to.
    pub decision: Decision,
    /// What it saw.
    pub observation: Observation,
}

/// A page of a pool's decisions, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DecisionPage {
    /// The decisions.
    pub decisions: Vec<DecisionDocument>,
    /// Ask with this as `before` for older ones; none at the end.
    pub next_before: Option<DecisionId>,
}

/// Which journal rows.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct JournalQuery {
    /// Only rows below this number; `next_before` of the last page.
    before: Option<i64>,
    /// At most so many; 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Only of this kind, such as `decided` or `commanded`.
    kind: Option<String>,
    /// Only about this node.
    #[param(value_type = Option<String>, format = "uuid")]
    node: Option<NodeId>,
    /// Not before this.
    since: Option<Timestamp>,
    /// Not after this.
    until: Option<Timestamp>,
}

/// A page of a pool's journal, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct JournalPage {
    /// The rows.
    pub entries: Vec<JournalRecord>,
    /// Ask with this as `before` for older ones; none at the end.
    pub next_before: Option<i64>,
}

/// An explanation for programs and for people.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ExplanationDocument {
    /// For programs.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// For people: the same as some lines of text.
    pub text: String,
}

/// Why a pool went no further, both ways.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct WhyNotDocument {
    /// Why not more nodes.
    pub more: WhyNotAnswer,
    /// Why not fewer.
    pub fewer: WhyNotAnswer,
}

/// One way's answer for programs and for people.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct WhyNotAnswer {
    /// For programs.
    #[serde(flatten)]
    pub why_not: WhyNot,
    /// For people.
    pub text: String,
}

/// Which explanation.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplanationQuery {
    /// Of the last decision up to this; now by default.
    at: Option<Timestamp>,
    /// Of this decision instead.
    #[param(value_type = Option<String>, format = "uuid")]
    decision: Option<DecisionId>,
}

/// Every pool as of its last look; as many as the settings name, so all at once.
#[utoipa::path(
    get, path = "/api/v1/pools", tag = "pools", operation_id = "pools",
    responses((status = 200, description = "Every pool", body = Vec<PoolStatus>), AnyProblem),
    security(("token" = ["read"])), extensions(("x-pools" = json!("seen")))
)]
pub(super) async fn list(State(sources): State<Sources>, caller: Caller) -> Json<Vec<PoolStatus>> {
    let seen = sources.pools.iter().filter(|(name, _)| caller.may_see(name));
    Json(seen.map(|(_, pool)| PoolStatus::clone(&pool.now())).collect())
}

/// One pool as of its last look.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}", tag = "pools", operation_id = "pool",
    params(("pool" = String, Path, description = "The pool's name")),
    responses((status = 200, description = "The pool", body = PoolStatus), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn one(
    State(sources): State<Sources>,
    At(pool): At<String>,
) -> Result<Json<PoolStatus>, Problem> {
    let (_, source) = find(&sources, &pool)?;
    Ok(Json(PoolStatus::clone(&source.now())))
}

/// What was decided, newest first.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/decisions", tag = "pools", operation_id = "decisions",
    params(("pool" = String, Path, description = "The pool's name"), DecisionQuery),
    responses((status = 200, description = "A page of decisions, newest first", body = DecisionPage), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn decisions(
    State(sources): State<Sources>,
    At(pool): At<String>,
    Asked(query): Asked<DecisionQuery>,
) -> Result<Json<DecisionPage>, Problem> {
    let (name, _) = find(&sources, &pool)?;
    let until = query.until.unwrap_or(Timestamp::MAX);
    let limit = limit(query.limit)?;
    let which = match query.changes {
        true => Decisions::Changes,
        false => Decisions::All,
    };
    let records = sources.store.decisions_before(name, which, until, query.before, limit).await?;
    let full = records.len() == limit as usize;
    let next_before = records.last().filter(|_| full).map(|last| last.id);
    let decisions = records.into_iter().map(document).collect();
    Ok(Json(DecisionPage { decisions, next_before }))
}

/// What was intended, done and noticed in a pool, newest first.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/journal", tag = "pools", operation_id = "journal",
    params(("pool" = String, Path, description = "The pool's name"), JournalQuery),
    responses((status = 200, description = "A page of rows, newest first", body = JournalPage), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn journal(
    State(sources): State<Sources>,
    At(pool): At<String>,
    Asked(query): Asked<JournalQuery>,
) -> Result<Json<JournalPage>, Problem> {
    let (name, _) = find(&sources, &pool)?;
    let before = query.before.unwrap_or(i64::MAX);
    let limit = limit(query.limit)?;
    let JournalQuery { kind, node, since, until, .. } = query;
    let filter = JournalFilter { kind, node, since, until };
    let entries = sources.store.journal_where(name, before, limit, &filter).await?;
    let full = entries.len() == limit as usize;
    let next_before = entries.last().filter(|_| full).map(|last| last.sequence);
    Ok(Json(JournalPage { entries, next_before }))
}

/// Why the count is what it is, and what would change it.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/explanation", tag = "pools", operation_id = "explanation",
    params(("pool" = String, Path, description = "The pool's name"), ExplanationQuery),
    responses((status = 200, description = "The explanation", body = ExplanationDocument), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn explanation(
    State(sources): State<Sources>,
    At(pool): At<String>,
    Asked(query): Asked<ExplanationQuery>,
) -> Result<Json<ExplanationDocument>, Problem> {
    let explanation = explained(&sources, &pool, &query).await?;
    let text = explanation.to_string();
    Ok(Json(ExplanationDocument { explanation, text }))
}

/// Why the pool has not more nodes, and why not fewer.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/why-not", tag = "pools", operation_id = "why_not",
    params(("pool" = String, Path, description = "The pool's name"), ExplanationQuery),
    responses((status = 200, description = "Both answers", body = WhyNotDocument), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn why_not(
    State(sources): State<Sources>,
    At(pool): At<String>,
    Asked(query): Asked<ExplanationQuery>,
) -> Result<Json<WhyNotDocument>, Problem> {
    let explanation = explained(&sources, &pool, &query).await?;
    let answer = |direction| {
        let why_not = explanation.why_not(direction);
        let text = why_not.to_string();
        WhyNotAnswer { why_not, text }
    };
    Ok(Json(WhyNotDocument { more: answer(Direction::Out), fewer: answer(Direction::In) }))
}

/// The decision that was asked for, explained by the policy that made it.
async fn explained(
    sources: &Sources,
    pool: &str,
    query: &ExplanationQuery,
) -> Result<Explanation, Problem> {
    let (name, source) = find(sources, pool)?;
    let until = query.at.unwrap_or(Timestamp::MAX);
    let record = match query.decision {
        Some(id) => Some(known_decision(sources, name, id).await?),
        None => sources.store.decisions(name, until, 1).await?.pop(),
    };
    let Some(record) = record else {
        return Err(Problem::not_found(match query.at {
            Some(at) => format!("nothing is remembered of {pool} at or before {at}"),
            None => format!("nothing was decided yet for {pool}; ask again in a few seconds"),
        }));
    };
    let policy = policy_of(sources, source, &record).await?;
    Ok(explain(&record.decision, &record.observation, &policy))
}

/// One decision with all that it saw.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/decisions/{id}", tag = "pools", operation_id = "decision",
    params(
        ("pool" = String, Path, description = "The pool's name"),
        ("id" = String, Path, description = "The decision's id"),
    ),
    responses((status = 200, description = "The decision", body = DecisionDocument), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn decision(
    State(sources): State<Sources>,
    At((pool, id)): At<(String, String)>,
) -> Result<Json<DecisionDocument>, Problem> {
    let (name, _) = find(&sources, &pool)?;
    let wrong = |_| Problem::not_found(format!("`{id}` is no decision's id"));
    let id = id.parse().map_err(wrong)?;
    Ok(Json(document(known_decision(&sources, name, id).await?)))
}

async fn known_decision(
    sources: &Sources,
    pool: &PoolName,
    id: DecisionId,
) -> Result<DecisionRecord, Problem> {
    let found = sources.store.decision(pool, id).await?;
    found
        .ok_or_else(|| Problem::not_found(format!("{pool} has no decision {id}, or none any more")))
}

/// How long the phases of a node's life take in this pool.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/learned", tag = "pools", operation_id = "learned",
    params(("pool" = String, Path, description = "The pool's name")),
    responses((status = 200, description = "Each phase that was seen", body = Vec<PhaseTimes>), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn learned(
    State(sources): State<Sources>,
    At(pool): At<String>,
) -> Result<Json<Vec<PhaseTimes>>, Problem> {
    let (name, _) = find(&sources, &pool)?;
    Ok(Json(sources.store.learned(name).await?))
}

/// The policy that made a decision, which need not be the one of now.
async fn policy_of(
    sources: &Sources,
    source: &PoolSource,
    record: &DecisionRecord,
) -> Result<Arc<Policy>, Problem> {
    let digest = &record.policy_digest;
    let in_force = source.policy.borrow().clone();
    if in_force.digest == *digest {
        return Ok(in_force);
    }
    let text = sources.store.policy_text(digest).await?;
    let policy = text.and_then(|text| policy::parse(&text, Path::new("a policy of then")).ok());
    policy.map(Arc::new).ok_or_else(|| {
        Problem::not_found(format!(
            "the policy that made this decision ({}) can't be read by this version; the decision \
             itself is among `decisions`",
            digest.get(..12).unwrap_or(digest)
        ))
    })
}

pub(super) fn find<'a>(
    sources: &'a Sources,
    pool: &str,
) -> Result<(&'a PoolName, &'a PoolSource), Problem> {
    let name = PoolName::new(pool).map_err(Problem::not_found)?;
    sources.pools.get_key_value(&name).ok_or_else(|| {
        let known: Vec<String> = sources.pools.keys().map(ToString::to_string).collect();
        Problem::not_found(format!("no pool is named {pool}; there are: {}", known.join(", ")))
    })
}

pub(super) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked.unwrap_or(50) {
        limit @ 1..=MOST => Ok(limit),
        other => Err(Problem::bad_request(format!("`limit` is {other}; use 1 to {MOST}"))),
    }
}

fn document(record: DecisionRecord) -> DecisionDocument {
    DecisionDocument {
        id: record.id,
        at: record.at,
        policy_digest: record.policy_digest,
        sentences: record.decision.reasons.iter().map(ToString::to_string).collect(),
        decision: record.decision,
        observation: record.observation,
    }
}
