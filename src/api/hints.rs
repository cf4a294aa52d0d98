//! Announced campaigns: listed, announced, taken back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Sources;
use super::access::Caller;
use super::commands::{TryQuery, wrong_reason};
use super::document::{AnyProblem, Refusals};
use super::extract::{Asked, At, Sent};
use super::pools::{find, limit};
use super::problem::Problem;
use crate::domain::{
    CampaignKind, Duration, Hint, HintId, HintSize, HintSource, RequestsPerSecond, Timestamp, after,
};
use crate::policy::{Policy, Rule};
use crate::store::{Announcement, HintRecord};

/// No campaign is planned longer ahead, and a typing mistake in a year would wait as long.
const LONGEST_AHEAD: Duration = Duration::from_secs(366 * 86_400);
/// Longer sending is no campaign, but the daily load.
const LONGEST: Duration = Duration::from_secs(86_400);
/// So many are announced at once.
const MOST_AT_ONCE: usize = 500;
/// Who announces what stands in a policy.
const CALENDAR: &str = "the policy's calendar";

/// Campaigns to be announced: all or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHints {
    /// The campaigns; one to 500.
    #[schema(min_items = 1, max_items = 500)]
    pub hints: Vec<NewHint>,
}

/// A campaign to be announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHint {
    /// What kind of campaign it is: those of one kind teach what the next one brings. `campaign`
    /// by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// When the first message is sent.
    pub starts_at: Timestamp,
    /// When it is announced; now by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced_at: Option<Timestamp>,
    /// How many devices are sent a message. This or `requests_per_second`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<u64>,
    /// How many requests per second come on top, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<f64>,
    /// Over how long the messages are sent; `2m` by default, a day at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<String>,
    /// How long after that it still counts; ten minutes by default, a day at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<String>,
    /// Why; kept in the journal.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// What was announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Announced {
    /// The campaigns.
    pub hints: Vec<Hint>,
    /// Whether a rule of the pool's policy listens to campaigns.
    pub is_listened_to: bool,
}

/// A page of campaigns, by their start.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HintPage {
    /// The campaigns.
    pub hints: Vec<HintRecord>,
    /// Ask with this as `after` for more; none at the end.
    pub next_after: Option<HintId>,
}

/// Which campaigns.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct HintQuery {
    /// Those that end after this; now by default.
    since: Option<Timestamp>,
    /// Only those after this one; `next_after` of the last page.
    #[param(value_type = Option<String>, format = "uuid")]
    after: Option<HintId>,
    /// At most so many; 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Campaigns that are announced and not over, those of the policy's calendar too.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/hints", tag = "hints", operation_id = "hints",
    params(("pool" = String, Path, description = "The pool's name"), HintQuery),
    responses((status = 200, description = "A page", body = HintPage), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn list(
    State(sources): State<Sources>,
    At(pool): At<String>,
    Asked(query): Asked<HintQuery>,
) -> Result<Json<HintPage>, Problem> {
    let (name, source) = find(&sources, &pool)?;
    let limit = limit(query.limit)? as usize;
    let now = sources.world.clock.now();
    let records = sources.store.hints(name, query.since.unwrap_or(now)).await?;
    let policy = source.policy.borrow().clone();
    let records = with_calendar(records, &policy, now);
    let place = |id| records.iter().position(|record| record.announcement.hint.id == id);
    let begin = match query.after {
        None => 0,
        Some(id) => place(id).map_or(records.len(), |place| place + 1),
    };
    let has_more = begin + limit < records.len();
    let hints: Vec<HintRecord> = records.into_iter().skip(begin).take(limit).collect();
    let next_after = hints.last().filter(|_| has_more).map(|last| last.announcement.hint.id);
    Ok(Json(HintPage { hints, next_after }))
}

/// Announces campaigns, so that their nodes serve before the first message.
#[utoipa::path(
    post, path = "/api/v1/pools/{pool}/hints", tag = "hints", operation_id = "announce",
    params(("pool" = String, Path, description = "The pool's name"), TryQuery),
    request_body = NewHints,
    responses(
        (status = 200, description = "What would be announced", body = Announced),
        (status = 201, description = "What was announced", body = Announced),
        AnyProblem, Refusals
    ),
    security(("token" = ["operate"]))
)]
pub(super) async fn announce(
    State(sources): State<Sources>,
    caller: Caller,
    At(pool): At<String>,
    Asked(query): Asked<TryQuery>,
    Sent(new): Sent<NewHints>,
) -> Result<(StatusCode, Json<Announced>), Problem> {
    let (name, source) = find(&sources, &pool)?;
    let now = Timestamp::from_millisecond(sources.world.clock.now().as_millisecond())
        .expect("a clock's time is in range");
    let mut problems = Vec::new();
    if !(1..=MOST_AT_ONCE).contains(&new.hints.len()) {
        problems.push(format!("{} campaigns; announce 1 to {MOST_AT_ONCE}", new.hints.len()));
    }
    let mut hints = Vec::new();
    for (place, one) in new.hints.iter().take(MOST_AT_ONCE).enumerate() {
        match campaign(one, HintId(sources.world.chance.uuid(now)), now) {
            Ok(hint) => hints.push(hint),
            Err(wrong) => problems.push(format!("campaign {}: {wrong}", place + 1)),
        }
    }
    if !problems.is_empty() {
        let detail = format!("nothing was announced: {}", problems.join("; "));
        return Err(Problem { problems, ..Problem::unprocessable(detail) });
    }
    let is_listener = |rule: &Rule| matches!(rule, Rule::Hint(_));
    let is_listened_to = source.policy.borrow().rules.iter().any(is_listener);
    if query.dry_run {
        return Ok((StatusCode::OK, Json(Announced { hints, is_listened_to })));
    }
    let by = |hint: &Hint| Announcement { hint: hint.clone(), owner: caller.owner.clone() };
    let announcements: Vec<Announcement> = hints.iter().map(by).collect();
    sources.store.add_hints(name, &announcements).await?;
    source.wake.notify_one();
    Ok((StatusCode::CREATED, Json(Announced { hints, is_listened_to })))
}

/// Takes a campaign back that is ahead or under way.
#[utoipa::path(
    delete, path = "/api/v1/pools/{pool}/hints/{id}", tag = "hints", operation_id = "take_back",
    params(
        ("pool" = String, Path, description = "The pool's name"),
        ("id" = String, Path, description = "The campaign's id"),
    ),
    responses((status = 204, description = "It is taken back"), AnyProblem, Refusals),
    security(("token" = ["operate"]))
)]
pub(super) async fn take_back(
    State(sources): State<Sources>,
    caller: Caller,
    At((pool, id)): At<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (name, source) = find(&sources, &pool)?;
    let unknown = || {
        let list = format!("/api/v1/pools/{name}/hints");
        Problem::not_found(format!(
            "no campaign {id} of {name} is ahead or under way; {list} lists them"
        ))
    };
    let parsed: HintId = id.parse().map_err(|_| unknown())?;
    let now = sources.world.clock.now();
    // One of the calendar can be taken back once it is stored.
    let policy = source.policy.borrow().clone();
    if let Some(hint) = policy.campaigns_at(now).into_iter().find(|hint| hint.id == parsed) {
        let announcement = Announcement { hint, owner: CALENDAR.to_owned() };
        sources.store.add_hints(name, &[announcement]).await?;
    }
    if !sources.store.cancel_hint(name, parsed, &caller.owner, now).await? {
        return Err(unknown());
    }
    source.wake.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

/// The records, and what the policy's calendar announces beside them, by their start.
fn with_calendar(mut records: Vec<HintRecord>, policy: &Policy, now: Timestamp) -> Vec<HintRecord> {
    for hint in policy.campaigns_at(now) {
        if records.iter().all(|record| record.announcement.hint.id != hint.id) {
            let announcement = Announcement { hint, owner: CALENDAR.to_owned() };
            records.push(HintRecord { announcement, cancelled_at: None, response: None });
        }
    }
    records.sort_by_key(|record| record.announcement.hint.starts_at);
    records
}

/// The campaign that was asked for, or what is wrong with it.
fn campaign(new: &NewHint, id: HintId, now: Timestamp) -> Result<Hint, String> {
    let length = |text: &Option<String>, name: &str| match text {
        None => Ok(None),
        Some(text) => humantime::parse_duration(text)
            .map(Some)
            .map_err(|_| format!("`{name}` is `{text}`, no length of time; use 2m or 1h")),
    };
    let size = match (new.devices, new.requests_per_second) {
        (Some(devices), None) => HintSize::Devices(devices),
        (None, Some(rate)) => HintSize::RequestsPerSecond(
            RequestsPerSecond::new(rate)
                .ok_or("`requests_per_second` is no rate; give one such as 9000")?,
        ),
        _ => return Err("how large is it? Give `devices` or `requests_per_second`".into()),
    };
    if let Some(wrong) = wrong_reason(&new.reason) {
        return Err(wrong);
    }
    let hint = Hint {
        id,
        kind: CampaignKind::new(new.kind.as_deref().unwrap_or("campaign"))?,
        announced_at: new.announced_at.unwrap_or(now),
        starts_at: new.starts_at,
        size,
        spread: length(&new.spread, "spread")?.unwrap_or(Duration::from_secs(120)),
        tail: length(&new.tail, "tail")?,
        reason: new.reason.trim().to_owned(),
        source: HintSource::Person,
    };
    let starts_at = hint.starts_at;
    if LONGEST < hint.spread || hint.tail.is_some_and(|tail| LONGEST < tail) {
        return Err("spread and tail last a day at most; give shorter ones".into());
    }
    if hint.ends_at() <= now {
        return Err(format!("{starts_at} is past; give a moment that is ahead"));
    }
    if after(now, LONGEST_AHEAD) < hint.starts_at {
        return Err(format!("{starts_at} is more than a year ahead; announce it later"));
    }
    Ok(hint)
}
