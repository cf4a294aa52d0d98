//! What a fault does to a call.
//!
//! In: effects as the faults file names them.
//! Out: an answer that replaces the real one, or a curse on what the call starts.
//! Never: decides which call is struck.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Answer this, and do nothing.
    Answer(Canned),
    /// 403: the plan is not available in the region.
    SoldOut,
    /// 400: the account's limit is reached.
    AccountLimit,
    /// 503 with `X-Maintenance-Mode`.
    Maintenance,
    /// 502 as HTML, from a proxy in front.
    BadGateway,
    /// 429 with this many seconds in `Retry-After`.
    RateLimited(u32),
    /// Do what was asked, then close the connection without an answer.
    DropAnswerAfterActing,
    /// Close the connection without having done anything.
    DropBeforeActing,
    /// Wait this many seconds before doing anything.
    HangSeconds(f64),
    /// Do what was asked, then wait this many seconds before answering.
    AnswerAfterSeconds(f64),
    /// A create that stays `provisioning`.
    NeverProvisions,
    /// A boot that stays `booting`; its hook isn't run.
    NeverBoots,
    /// A boot that fails in the end, without its hook: the Linode is `offline`.
    BootFails,
    /// Jobs that this call starts take this many times longer.
    BootSlowFactor(f64),
    /// The Linode that this call makes disappears after so many seconds, without an event.
    VanishAfterSeconds(f64),
    /// The Linode that this call makes is left out of listings for so many seconds.
    ListedAfterSeconds(f64),
}

/// An answer made up in advance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canned {
    /// The HTTP status.
    pub status: u16,
    /// The body; one in the API's form when absent.
    pub body: Option<String>,
    /// Headers to add or replace.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// What faults do to the jobs that a call starts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Curse {
    pub drag: Option<f64>,
    pub never_provisions: bool,
    pub never_boots: bool,
    pub boot_fails: bool,
    pub vanish_after: Option<Duration>,
    pub listed_after: Option<Duration>,
}

impl Effect {
    /// The answer that replaces the real one, if this effect is one.
    pub fn canned(&self) -> Option<Canned> {
        let errors = |status, reason: &str, headers: &[(&str, String)]| Canned {
            status,
            body: Some(json!({"errors": [{"reason": reason}]}).to_string()),
            headers: headers.iter().map(|(name, text)| (name.to_string(), text.clone())).collect(),
        };
        match self {
            Self::Answer(canned) => Some(canned.clone()),
            Self::SoldOut => Some(errors(
                403,
                "The Linode plan you chose is not currently available in the selected region. \
                 Please select another region or plan type, or contact Support for assistance.",
                &[],
            )),
            Self::AccountLimit => {
                Some(errors(400, "Account Limit reached. Please open a support ticket.", &[]))
            }
            Self::Maintenance => Some(errors(
                503,
                "Currently in maintenance mode.",
                &[("x-maintenance-mode", "all, System is undergoing maintenance".into())],
            )),
            Self::BadGateway => Some(Canned {
                status: 502,
                body: Some(
                    "<html><head><title>502 Bad Gateway</title></head>\
                     <body><center><h1>502 Bad Gateway</h1></center></body></html>"
                        .into(),
                ),
                headers: [("content-type", "text/html"), ("server", "nginx")]
                    .map(|(name, text)| (name.to_owned(), text.to_owned()))
                    .into(),
            }),
            Self::RateLimited(seconds) => Some(errors(
                429,
                "Too many requests",
                &[("retry-after", seconds.to_string()), ("x-ratelimit-remaining", "0".into())],
            )),
            _ => None,
        }
    }

    /// Adds this effect to what lies on a call's jobs.
    pub fn add_to(&self, curse: &mut Curse) {
        match self {
            Self::NeverProvisions => curse.never_provisions = true,
            Self::NeverBoots => curse.never_boots = true,
            Self::BootFails => curse.boot_fails = true,
            Self::BootSlowFactor(factor) => curse.drag = Some(*factor),
            Self::VanishAfterSeconds(seconds) => {
                curse.vanish_after = Duration::try_from_secs_f64(*seconds).ok();
            }
            Self::ListedAfterSeconds(seconds) => {
                curse.listed_after = Duration::try_from_secs_f64(*seconds).ok();
            }
            _ => {}
        }
    }
}
