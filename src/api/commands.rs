//! Operators' commands: given, tried, listed, ended.
//!
//! In: what an operator wants of a pool, why, and for how long.
//! Out: a row that the pool's loop keeps to from its next look on.
//! Never: acts; lets a command without a reason or an end through.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::access::Caller;
use super::document::{AnyProblem, Refusals};
use super::extract::{Asked, At, Sent};
use super::pools::{find, limit};
use super::problem::Problem;
use super::{PoolSource, Sources};
use crate::domain::{Duration, NodeCount, NodeId, PoolName, Timestamp, after, hex};
use crate::policy::Policy;
use crate::reconciler::{Preview, preview_with};
use crate::store::{Command, CommandKind, CommandRecord, Given, HeldAct, IdempotencyKey};

/// No order lasts longer: what shall stay belongs into the policy.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A reason is a sentence or two.
const LONGEST_REASON: usize = 500;

/// What can be commanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandName {
    /// This very `count`.
    Set,
    /// No fewer than `count`.
    Floor,
    /// No more than `count`.
    Ceiling,
    /// No change, or only not the `change` that is named.
    Hold,
    /// Every hold ends.
    Resume,
    /// `node` gets no more requests and leaves; another is made if one is then missing.
    Drain,
    /// Another node takes the place of `node`, and then it leaves.
    Replace,
    /// `node` is not removed.
    Protect,
    /// Protection, drain and replacement of `node` end.
    Release,
    /// The rest after the last change of the count ends.
    ClearCooldown,
}

/// A command to be given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCommand {
    /// What is wanted.
    pub kind: CommandName,
    /// How many nodes, for `set`, `floor` and `ceiling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// What alone is held, for `hold`; none: every change of the count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<HeldAct>,
    /// The node's label or id, for `drain`, `replace`, `protect` and `release`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Why; shown in every explanation while it lasts. One to 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// How long it lasts, such as `30m` or `2h`: at most seven days. This or `until` must be given,
    /// but for `resume`, `release` and `clear_cooldown`, which happen once.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<String>,
    /// When it ends instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A command, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CommandDocument {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: Uuid,
    /// What was wanted.
    pub kind: CommandName,
    /// How many nodes.
    pub count: Option<NodeCount>,
    /// What alone is held.
    pub change: Option<HeldAct>,
    /// The node.
    pub node: Option<NodeId>,
    /// Why.
    pub reason: String,
    /// Who gave it.
    pub owner: String,
    /// When it was given.
    pub given_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When the pool's loop first acted by it; none: not yet.
    pub applied_at: Option<Timestamp>,
    /// When somebody ended it before its time.
    pub ended_at: Option<Timestamp>,
    /// Who did.
    pub ended_by: Option<String>,
}

/// A page of commands, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CommandPage {
    /// The commands.
    pub commands: Vec<CommandDocument>,
    /// Ask with this as `before` for older ones; none at the end.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub next_before: Option<Uuid>,
}

/// Which commands.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandQuery {
    /// Only those before this one; `next_before` of the last page.
    #[param(value_type = Option<String>, format = "uuid")]
    before: Option<Uuid>,
    /// At most so many; 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Whether it is only tried.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TryQuery {
    /// Say what would be decided and done, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Gives a command, or says what it would lead to.
///
/// Sent again under the same `Idempotency-Key` within a day, it is answered as the first time and
/// given no second time; another command under a used key is refused with 409.
#[utoipa::path(
    post, path = "/api/v1/pools/{pool}/commands", tag = "commands", operation_id = "command",
    params(
        ("pool" = String, Path, description = "The pool's name"),
        TryQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible characters"),
    ),
    request_body = NewCommand,
    responses(
        (status = 200, description = "What it would lead to", body = Preview),
        (status = 201, description = "The command, which the next look keeps to", body = CommandDocument),
        AnyProblem, Refusals
    ),
    security(("token" = ["operate"]))
)]
pub(super) async fn give(
    State(sources): State<Sources>,
    caller: Caller,
    At(pool): At<String>,
    Asked(query): Asked<TryQuery>,
    headers: HeaderMap,
    Sent(new): Sent<NewCommand>,
) -> Result<Response, Problem> {
    let (name, source) = find(&sources, &pool)?;
    let key = idempotency_key(&headers)?;
    let digest = digest_of(name, &new);
    if let (Some(key), false) = (&key, query.dry_run) {
        // Before anything else is looked at: by now its node may be gone, or its end past.
        match sources.store.given_before(&caller.owner, key, &digest).await? {
            Given::New => {}
            Given::Again(answer) => return Ok(created(answer)),
            Given::AnotherRequest => return Err(another_request(key)),
        }
    }
    let command = command(&sources, name, source, caller, &new).await?;
    if query.dry_run {
        let policy = Policy::clone(&source.policy.borrow().clone());
        let (world, store) = (&sources.world, sources.store.clone());
        let preview = preview_with(policy, world, store, Some(command)).await?;
        return Ok(Json(preview).into_response());
    }
    let document = document(CommandRecord {
        command: command.clone(),
        applied_at: None,
        ended_at: None,
        ended_by: None,
    });
    let answer = serde_json::to_string(&document).expect("a command has string keys");
    let kept =
        key.as_deref().map(|key| IdempotencyKey { key, request_digest: &digest, answer: &answer });
    match sources.store.give_command(name, &command, kept).await? {
        Given::New => {
            source.wake.notify_one();
            Ok(created(answer))
        }
        Given::Again(before) => Ok(created(before)),
        Given::AnotherRequest => Err(another_request(key.as_deref().unwrap_or_default())),
    }
}

/// The commands of a pool, newest first, those that have ended too.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/commands", tag = "commands", operation_id = "commands",
    params(("pool" = String, Path, description = "The pool's name"), CommandQuery),
    responses((status = 200, description = "A page", body = CommandPage), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn list(
    State(sources): State<Sources>,
    At(pool): At<String>,
    Asked(query): Asked<CommandQuery>,
) -> Result<Json<CommandPage>, Problem> {
    let (name, _) = find(&sources, &pool)?;
    let limit = limit(query.limit)?;
    let records = sources.store.commands(name, query.before, limit).await?;
    let full = records.len() == limit as usize;
    let next_before = records.last().filter(|_| full).map(|last| last.command.id);
    Ok(Json(CommandPage { commands: records.into_iter().map(document).collect(), next_before }))
}

/// One command.
#[utoipa::path(
    get, path = "/api/v1/pools/{pool}/commands/{id}", tag = "commands",
    operation_id = "one_command",
    params(
        ("pool" = String, Path, description = "The pool's name"),
        ("id" = String, Path, description = "The command's id"),
    ),
    responses((status = 200, description = "The command", body = CommandDocument), AnyProblem),
    security(("token" = ["read"]))
)]
pub(super) async fn one(
    State(sources): State<Sources>,
    At((pool, id)): At<(String, String)>,
) -> Result<Json<CommandDocument>, Problem> {
    let (name, _) = find(&sources, &pool)?;
    Ok(Json(known(&sources, name, &id).await?))
}

/// Ends a command before its time.
#[utoipa::path(
    delete, path = "/api/v1/pools/{pool}/commands/{id}", tag = "commands",
    operation_id = "end_command",
    params(
        ("pool" = String, Path, description = "The pool's name"),
        ("id" = String, Path, description = "The command's id"),
    ),
    responses(
        (status = 200, description = "The command, which has ended", body = CommandDocument),
        AnyProblem, Refusals
    ),
    security(("token" = ["operate"]))
)]
pub(super) async fn end(
    State(sources): State<Sources>,
    caller: Caller,
    At((pool, id)): At<(String, String)>,
) -> Result<Json<CommandDocument>, Problem> {
    let (name, source) = find(&sources, &pool)?;
    let before = known(&sources, name, &id).await?;
    let now = sources.world.clock.now();
    if !sources.store.end_command(name, before.id, &caller.owner, now).await? {
        let when = before.ended_at.unwrap_or(before.expires_at);
        return Err(Problem::conflict(format!("the command {id} has ended already, at {when}")));
    }
    source.wake.notify_one();
    Ok(Json(known(&sources, name, &id).await?))
}

async fn known(sources: &Sources, pool: &PoolName, id: &str) -> Result<CommandDocument, Problem> {
    let unknown = || {
        let list = format!("/api/v1/pools/{pool}/commands");
        Problem::not_found(format!("{pool} has no command {id}; {list} lists them"))
    };
    let id: Uuid = id.parse().map_err(|_| unknown())?;
    sources.store.command(pool, id).await?.map(document).ok_or_else(unknown)
}

/// The command that was asked for, or why it can't be given.
async fn command(
    sources: &Sources,
    pool: &PoolName,
    source: &PoolSource,
    caller: Caller,
    new: &NewCommand,
) -> Result<Command, Problem> {
    let now = Timestamp::from_millisecond(sources.world.clock.now().as_millisecond())
        .expect("a clock's time is in range");
    let mut problems = superfluous(new);
    problems.extend(wrong_reason(&new.reason));
    let expires_at = end_of(new, now).unwrap_or_else(|wrong| {
        problems.push(wrong);
        now
    });
    let policy = source.policy.borrow().clone();
    problems.extend(wrong_count(new, &policy));
    let kind = match kind_of(sources, pool, new).await? {
        Ok(kind) if problems.is_empty() => kind,
        Ok(_) => return Err(refused(problems)),
        Err(wrong) => {
            problems.push(wrong);
            return Err(refused(problems));
        }
    };
    Ok(Command {
        id: sources.world.chance.uuid(now),
        kind,
        reason: new.reason.trim().to_owned(),
        owner: caller.owner,
        given_at: now,
        expires_at,
    })
}

fn refused(problems: Vec<String>) -> Problem {
    let detail = format!("nothing was commanded: {}", problems.join("; "));
    Problem { problems, ..Problem::unprocessable(detail) }
}

/// What is wrong with a reason.
pub(super) fn wrong_reason(reason: &str) -> Option<String> {
    if reason.trim().is_empty() {
        return Some("`reason` is empty; say why".into());
    }
    let is_too_long = LONGEST_REASON < reason.chars().count();
    let is_wild = reason.chars().any(char::is_control);
    (is_too_long || is_wild)
        .then(|| format!("`reason` is one line of at most {LONGEST_REASON} characters"))
}

/// When it ends; those that happen once last as long as what they end could.
fn end_of(new: &NewCommand, now: Timestamp) -> Result<Timestamp, String> {
    let latest = after(now, LONGEST);
    let ends = match (&new.lasts, new.until) {
        (Some(_), Some(_)) => return Err("give `for` or `until`, not both".into()),
        (Some(length), None) => {
            let wrong = |_| format!("`for` is `{length}`, no length of time; use 30m or 2h");
            after(now, humantime::parse_duration(length).map_err(wrong)?)
        }
        (None, Some(until)) => until,
        (None, None) if happens_once(new.kind) => return Ok(latest),
        (None, None) => return Err("say how long: `for`, such as 2h, or `until`".into()),
    };
    if happens_once(new.kind) {
        return Err("this happens once and takes neither `for` nor `until`".into());
    }
    if ends <= now {
        return Err(format!("it would end at {ends}, which is past; name a later end"));
    }
    if latest < ends {
        return Err("it would last longer than seven days; what shall stay belongs into the \
                    policy"
            .into());
    }
    Ok(Timestamp::from_millisecond(ends.as_millisecond()).unwrap_or(ends))
}

fn happens_once(kind: CommandName) -> bool {
    matches!(kind, CommandName::Resume | CommandName::Release | CommandName::ClearCooldown)
}

/// What was given and means nothing for this kind.
fn superfluous(new: &NewCommand) -> Vec<String> {
    let (takes_count, takes_node) = match new.kind {
        CommandName::Set | CommandName::Floor | CommandName::Ceiling => (true, false),
        CommandName::Hold | CommandName::Resume | CommandName::ClearCooldown => (false, false),
        CommandName::Drain | CommandName::Replace => (false, true),
        CommandName::Protect | CommandName::Release => (false, true),
    };
    let takes_change = new.kind == CommandName::Hold;
    let given = [
        ("count", new.count.is_some() && !takes_count),
        ("node", new.node.is_some() && !takes_node),
        ("change", new.change.is_some() && !takes_change),
    ];
    let given = given.into_iter().filter(|(_, is_too_much)| *is_too_much);
    given.map(|(name, _)| format!("`{name}` means nothing for this kind; leave it out")).collect()
}

/// A count that the policy's bounds would not let through is a mistake.
fn wrong_count(new: &NewCommand, policy: &Policy) -> Option<String> {
    let count = new.count?;
    let (min, max) = (policy.bounds.min.0, policy.bounds.max.0);
    match new.kind {
        CommandName::Set | CommandName::Floor if max < count => Some(format!(
            "`count` is {count}, above the policy's `bounds.max`, which is {max}; ask for less, \
             or change the policy"
        )),
        CommandName::Set | CommandName::Ceiling if count < min => Some(format!(
            "`count` is {count}, below the policy's `bounds.min`, which is {min}; ask for more, \
             or change the policy"
        )),
        _ => None,
    }
}

async fn kind_of(
    sources: &Sources,
    pool: &PoolName,
    new: &NewCommand,
) -> Result<Result<CommandKind, String>, Problem> {
    let count = || {
        let missing = "`count` is missing; say how many nodes".to_string();
        new.count.map(NodeCount).ok_or(missing)
    };
    Ok(match new.kind {
        CommandName::Set => count().map(|count| CommandKind::Set { count }),
        CommandName::Floor => count().map(|count| CommandKind::Floor { count }),
        CommandName::Ceiling => count().map(|count| CommandKind::Ceiling { count }),
        CommandName::Hold => Ok(match new.change {
            None => CommandKind::Hold,
            Some(change) => CommandKind::HoldOnly { change },
        }),
        CommandName::Resume => Ok(CommandKind::Resume),
        CommandName::ClearCooldown => Ok(CommandKind::ClearCooldown),
        CommandName::Drain | CommandName::Replace => {
            let node = living_node(sources, pool, new).await?;
            node.map(|node| match new.kind {
                CommandName::Drain => CommandKind::Drain { node },
                _ => CommandKind::Replace { node },
            })
        }
        CommandName::Protect | CommandName::Release => {
            let node = living_node(sources, pool, new).await?;
            node.map(|node| match new.kind {
                CommandName::Protect => CommandKind::Protect { node },
                _ => CommandKind::Release { node },
            })
        }
    })
}

/// The living node of the pool that was named.
async fn living_node(
    sources: &Sources,
    pool: &PoolName,
    new: &NewCommand,
) -> Result<Result<NodeId, String>, Problem> {
    const SHOWN: usize = 10;
    let Some(named) = &new.node else {
        return Ok(Err("`node` is missing; name one by its label or id".into()));
    };
    let state = sources.store.load_pool(pool, sources.world.clock.now()).await?;
    let living = state.nodes.iter().filter(|node| !node.state.is_final());
    let is_meant = |node: &&&crate::domain::Node| {
        node.label.as_str() == named || node.id.to_string() == *named
    };
    let living: Vec<_> = living.collect();
    if let Some(node) = living.iter().find(is_meant) {
        return Ok(Ok(node.id));
    }
    let labels: Vec<&str> = living.iter().map(|node| node.label.as_str()).take(SHOWN).collect();
    let known = if labels.is_empty() { "none".into() } else { labels.join(", ") };
    let more = if SHOWN < living.len() { ", …" } else { "" };
    Ok(Err(format!("no living node of {pool} is `{named}`; there are: {known}{more}")))
}

fn document(record: CommandRecord) -> CommandDocument {
    let CommandRecord { command, applied_at, ended_at, ended_by } = record;
    let (kind, count, change, node) = match command.kind {
        CommandKind::Hold => (CommandName::Hold, None, None, None),
        CommandKind::HoldOnly { change } => (CommandName::Hold, None, Some(change), None),
        CommandKind::Resume => (CommandName::Resume, None, None, None),
        CommandKind::Set { count } => (CommandName::Set, Some(count), None, None),
        CommandKind::Floor { count } => (CommandName::Floor, Some(count), None, None),
        CommandKind::Ceiling { count } => (CommandName::Ceiling, Some(count), None, None),
        CommandKind::Drain { node } => (CommandName::Drain, None, None, Some(node)),
        CommandKind::Replace { node } => (CommandName::Replace, None, None, Some(node)),
        CommandKind::Protect { node } => (CommandName::Protect, None, None, Some(node)),
        CommandKind::Release { node } => (CommandName::Release, None, None, Some(node)),
        CommandKind::ClearCooldown => (CommandName::ClearCooldown, None, None, None),
    };
    CommandDocument {
        id: command.id,
        kind,
        count,
        change,
        node,
        reason: command.reason,
        owner: command.owner,
        given_at: command.given_at,
        expires_at: command.expires_at,
        applied_at,
        ended_at,
        ended_by,
    }
}

fn created(document: String) -> Response {
    (StatusCode::CREATED, [("content-type", "application/json")], document).into_response()
}

fn another_request(key: &str) -> Problem {
    Problem::conflict(format!(
        "another command was given under the key `{key}` before; nothing was done: use a new key \
         for a new command"
    ))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| (1..=200).contains(&key.len()));
    let wrong = || Problem::bad_request("`Idempotency-Key` has 1 to 200 visible characters");
    key.map(|key| Some(key.to_owned())).ok_or_else(wrong)
}

fn digest_of(pool: &PoolName, new: &NewCommand) -> String {
    let body = serde_json::to_string(new).expect("a command has string keys");
    hex(&Sha256::digest(format!("{pool} {body}").as_bytes()))
}
