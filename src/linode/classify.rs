//! Sorts answers into faults.
//!
//! In: an answer that is not what was hoped for.
//! Out: the fault's kind, with the API's own words and, for people, what to do.
//! Never: decides by prose what a status or a field already tells.
//!
//! Nothing machine-readable marks a sold-out plan or an account's limit, so those two, and only
//! on a create, go by what has been seen in the wild.

use std::time::Duration;

use super::limits::retry_after;
use super::transport::{Answer, Api, NoAnswer};
use super::wire::{ApiError, ErrorEnvelope};
use crate::ports::Fault;

/// What a create came to that did not bring an instance.
pub(super) enum CreateRefusal {
    /// An instance with this label exists already.
    LabelTaken,
    /// It may have happened.
    MayExist { why: String },
    /// It did not happen.
    Refused(Fault),
}

/// The wait that an API under maintenance gets: its header asks not to be hammered.
const MAINTENANCE: Duration = Duration::from_secs(60);

/// The fault of an answer to anything but a create; `act` says what was asked: "listing instances".
pub(super) fn fault_of(api: &Api, answer: &Answer, act: &str) -> Fault {
    let status = answer.status;
    match (status, errors(answer)) {
        (408 | 429 | 500.., _) => unavailable(api, answer, act),
        (401 | 403, errors) => denied(api, answer, errors.as_deref().unwrap_or_default(), act),
        (400..500, Some(errors)) => refused(api, status, &errors, act),
        // Something before the API answered: nginx' own 400 page passes by itself.
        _ => Fault::transient(format!(
            "{act}: answered {status} by something that is not the Linode API; if this goes on, \
             check the API's URL"
        )),
    }
}

/// The fault of a call that brought no answer, where a second try does no harm.
pub(super) fn fault_of_silence(silence: &NoAnswer, act: &str) -> Fault {
    match silence {
        NoAnswer::Limited { wait } => limited(*wait, act),
        NoAnswer::NeverSent { why } => {
            Fault::transient(format!("{act}: the Linode API can't be reached: {why}"))
        }
        NoAnswer::Lost { why } => Fault::transient(format!("{act}: the answer got lost: {why}")),
    }
}

/// The fault of a change that brought no answer: it may have happened.
pub(super) fn doubt_of_silence(silence: &NoAnswer, act: &str) -> Fault {
    match silence {
        NoAnswer::Lost { why } => {
            Fault::InDoubt { message: format!("{act}: the answer got lost: {why}") }
        }
        NoAnswer::Limited { .. } | NoAnswer::NeverSent { .. } => fault_of_silence(silence, act),
    }
}

/// A good status with a body that says nothing of use.
pub(super) fn unreadable(why: &str, act: &str) -> Fault {
    Fault::transient(format!("{act}: {why}"))
}

/// What an answer to a create means that holds no instance.
pub(super) fn create_refusal(api: &Api, answer: &Answer, act: &str) -> CreateRefusal {
    let status = answer.status;
    if matches!(status, 200..300 | 408 | 500..) {
        return CreateRefusal::MayExist { why: format!("answered {status} without an instance") };
    }
    let errors = match errors(answer) {
        Some(errors) if (400..500).contains(&status) && status != 429 => errors,
        _ => return CreateRefusal::Refused(fault_of(api, answer, act)),
    };
    if errors.iter().any(is_label_taken) {
        return CreateRefusal::LabelTaken;
    }
    let message = || format!("{act}: {}", worded(api, &errors));
    CreateRefusal::Refused(if errors.iter().any(is_sold_out) {
        Fault::OutOfCapacity { message: message() }
    } else if status != 401 && errors.iter().any(is_account_limit) {
        let remedy = "open a support ticket to have the account's limit raised, or lower `max`";
        Fault::Denied { message: format!("{}; {remedy}", message()) }
    } else {
        fault_of(api, answer, act)
    })
}

/// Whether the API itself says that there is no such thing. A proxy's 404 page proves nothing.
pub(super) fn is_no_such_thing(answer: &Answer) -> bool {
    answer.status == 404 && errors(answer).is_some()
}

/// Whether a refused boot was unnecessary.
pub(super) fn is_already_booted(answer: &Answer) -> bool {
    let says_so = |error: &ApiError| lower(error).contains("already booted");
    answer.status == 400 && errors(answer).is_some_and(|errors| errors.iter().any(says_so))
}

fn is_label_taken(error: &ApiError) -> bool {
    error.field.as_deref() == Some("label") && lower(error).starts_with("label must be unique")
}

fn is_sold_out(error: &ApiError) -> bool {
    let reason = lower(error);
    reason.contains("not currently available") || reason.contains("capacity")
}

/// A limit that names a field other than plan or region is a mistake in the request ("over the
/// limit of 64 characters"), not the account's.
fn is_account_limit(error: &ApiError) -> bool {
    let reason = lower(error);
    let of_the_plan = matches!(error.field.as_deref(), None | Some("type" | "region"));
    let of_the_account = reason.contains("account limit") || reason.contains("on your account");
    reason.contains("support ticket") || of_the_account || (of_the_plan && reason.contains("limit"))
}

/// The API, or the way to it, can't answer now.
fn unavailable(api: &Api, answer: &Answer, act: &str) -> Fault {
    if answer.status == 429 {
        return limited(answer.pause.unwrap_or_default(), act);
    }
    let maintenance = answer.headers.contains_key("x-maintenance-mode").then_some(MAINTENANCE);
    let words = errors(answer).map(|errors| format!(": {}", worded(api, &errors)));
    Fault::Transient {
        message: format!("{act}: answered {}{}", answer.status, words.unwrap_or_default()),
        retry_after: retry_after(&answer.headers).or(maintenance),
    }
}

fn limited(wait: Duration, act: &str) -> Fault {
    Fault::Transient {
        message: format!("{act}: held back by the Linode API's rate limit"),
        retry_after: Some(wait),
    }
}

/// A 401 means one of two things, and only its reason and scope headers tell which.
fn denied(api: &Api, answer: &Answer, errors: &[ApiError], act: &str) -> Fault {
    let words = worded(api, errors);
    let said = |error: &ApiError, what: &str| lower(error).contains(what);
    let needed = answer.header("x-accepted-oauth-scopes");
    let message = if errors.iter().any(|error| said(error, "invalid token")) {
        format!(
            "{act}: the Linode API does not know the token ({words}): it is mistyped, expired or \
             revoked; put a valid personal access token into the token file"
        )
    } else if errors.iter().any(|error| said(error, "not authorized to use this endpoint")) {
        let needed = if needed.is_empty() { "linodes:read_write" } else { needed };
        format!(
            "{act}: the token lacks a scope ({words}): make one with the scope `{needed}`, and \
             `linodes:read_write` in any case"
        )
    } else if errors.is_empty() {
        format!(
            "{act}: answered {} by something that is not the Linode API: check the API's URL and \
             what stands between",
            answer.status
        )
    } else {
        format!(
            "{act}: not allowed ({words}): the token needs the scope `linodes:read_write`, and its \
             user the right to add Linodes and to set tags"
        )
    };
    Fault::Denied { message }
}

/// The API understood and said no.
fn refused(api: &Api, status: u16, errors: &[ApiError], act: &str) -> Fault {
    let busy = |error: &ApiError| error.reason.trim() == "Linode busy.";
    let message = format!("{act}: refused ({status}): {}", worded(api, errors));
    match errors.iter().any(busy) {
        true => Fault::transient(message),
        false => Fault::permanent(message),
    }
}

/// The errors as one line, each with the field that is at fault.
fn worded(api: &Api, errors: &[ApiError]) -> String {
    let one = |error: &ApiError| match &error.field {
        Some(field) => format!("`{field}`: {}", error.reason),
        None => error.reason.clone(),
    };
    api.presentable(&errors.iter().map(one).collect::<Vec<_>>().join("; "))
}

/// The error list; `None` when the body is not the API's.
fn errors(answer: &Answer) -> Option<Vec<ApiError>> {
    let envelope: ErrorEnvelope = answer.json().ok()?;
    (!envelope.errors.is_empty()).then_some(envelope.errors)
}

fn lower(error: &ApiError) -> String {
    error.reason.trim().to_lowercase()
}
