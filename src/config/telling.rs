//! The settings of who is told: Grafana and webhooks.
//!
//! In: the sections `grafana` and `notifications`.
//! Out: both, apart from what lies in further files; or every problem.
//! Never: shows a URL, which may be a secret.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::policies::absolute;
use super::read::{refuse_token, url};
use crate::domain::{Duration, NoticeKind};
use crate::notify::{Template, check_text, default_body};
use crate::policy::document::{Kind, Node};
use crate::policy::fields::{self, Fields, Notes, Value, refuse};
use crate::ports::RateLimit;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// A receiver in the same house answers in milliseconds; one that takes this long is overloaded, and
/// asked again later.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a chart of a pool should show without being asked: the count, and why it stood still.
const ON_CHARTS: [NoticeKind; 4] =
    [NoticeKind::ScaleOut, NoticeKind::ScaleIn, NoticeKind::Freeze, NoticeKind::Campaign];

/// Enough for a busy hour of one pool, and no flood: three failed nodes and their pool's change.
const LIMIT: RateLimit = RateLimit { most: 20, within: Duration::from_secs(600) };

/// Where whose URLs alone let anybody write: those are secrets.
const SECRET_HOSTS: [&str; 6] = [
    "slack.com",
    "discord.com",
    "discordapp.com",
    "office.com",
    "logic.azure.com",
    "chat.googleapis.com",
];

const KINDS: &[(&str, NoticeKind)] = &[
    ("scale_out", NoticeKind::ScaleOut),
    ("scale_in", NoticeKind::ScaleIn),
    ("freeze", NoticeKind::Freeze),
    ("hold", NoticeKind::Hold),
    ("breaker", NoticeKind::Breaker),
    ("budget", NoticeKind::Budget),
    ("ineffective", NoticeKind::Ineffective),
    ("blind", NoticeKind::Blind),
    ("node_failed", NoticeKind::NodeFailed),
    ("campaign", NoticeKind::Campaign),
];

/// Grafana, apart from the token.
pub(super) struct GrafanaDraft {
    pub url: String,
    pub token_file: Option<PathBuf>,
    pub dashboard_uid: Option<String>,
    pub panel_id: Option<u32>,
    pub tags: Vec<String>,
    pub events: BTreeSet<NoticeKind>,
    pub timeout: Duration,
    pub give_up_after: Duration,
}

/// A webhook, apart from a URL that lies in a file.
pub(super) struct WebhookDraft {
    pub name: String,
    pub url: UrlDraft,
    pub events: BTreeSet<NoticeKind>,
    pub body: Template,
    pub limit: RateLimit,
    pub timeout: Duration,
    pub give_up_after: Duration,
}

/// Where a webhook's URL is.
pub(super) enum UrlDraft {
    /// In the settings.
    Here(String),
    /// In a file.
    File(PathBuf),
}

pub(super) fn grafana(value: Value<'_>, folder: &Path, notes: &mut Notes) -> Option<GrafanaDraft> {
    let mut fields = Fields::of(value, notes)?;
    refuse_token(&mut fields);
    let url = fields.required("url", "'http://127.0.0.1:3000'", notes, url);
    let token_file = fields.optional("token_file", notes, |value, notes| {
        fields::path(value, notes).map(|path| absolute(folder, &path))
    });
    let dashboard_uid = fields.optional("dashboard_uid", notes, fields::line);
    let panel_id = fields.optional("panel_id", notes, fields::whole(0, u32::MAX));
    let tags = fields
        .or("tags", Vec::new(), notes, |value, notes| fields::list(value, notes, fields::line));
    let events = fields.or("events", ON_CHARTS.into(), notes, events);
    let timeout = fields.or("timeout", TIMEOUT, notes, fields::duration_above_zero);
    let give_up_after = fields.or("give_up_after", DAY, notes, fields::duration_from(MINUTE));
    let alone = fields.has("panel_id") && !fields.has("dashboard_uid");
    let place = fields.place("panel_id");
    fields.finish(notes);
    if alone {
        let what = "`panel_id` says nothing without `dashboard_uid`";
        return refuse(notes, place, what, "name the dashboard, too");
    }
    Some(GrafanaDraft {
        url: url?,
        token_file: token_file?,
        dashboard_uid: dashboard_uid?,
        panel_id: panel_id?,
        tags: tags?,
        events: events?,
        timeout: timeout?,
        give_up_after: give_up_after?,
    })
}

pub(super) fn notifications(
    mut fields: Fields<'_>,
    folder: &Path,
    notes: &mut Notes,
) -> Option<Vec<WebhookDraft>> {
    let webhooks = fields.or("webhooks", Vec::new(), notes, |value, notes| {
        let mut names = BTreeSet::from(["grafana".to_owned()]);
        fields::list(value, notes, |value, notes| {
            let webhook = webhook(value, folder, notes)?;
            if !names.insert(webhook.name.clone()) {
                let what = format!("the name `{}` is taken", webhook.name);
                return refuse(notes, value.node.at, what, "give each webhook its own");
            }
            Some(webhook)
        })
    });
    fields.finish(notes);
    webhooks
}

fn webhook(value: Value<'_>, folder: &Path, notes: &mut Notes) -> Option<WebhookDraft> {
    let mut fields = Fields::of(value, notes)?;
    let name = fields.required("name", "on-call", notes, webhook_name);
    let here = fields.optional("url", notes, plain_url);
    let file = fields.optional("url_file", notes, |value, notes| {
        fields::path(value, notes).map(|path| absolute(folder, &path))
    });
    let all = NoticeKind::CHOICES.into();
    let events = fields.or("events", all, notes, events);
    let body = fields.or("body", default_body(), notes, body);
    let most = fields.or("at_most", LIMIT.most, notes, fields::whole(1, 10_000));
    let within = fields.or("within", LIMIT.within, notes, fields::duration_from(MINUTE));
    let timeout = fields.or("timeout", TIMEOUT, notes, fields::duration_above_zero);
    let give_up_after = fields.or("give_up_after", DAY, notes, fields::duration_from(MINUTE));
    fields.finish(notes);
    let url = match (here?, file?) {
        (Some(url), None) => UrlDraft::Here(url),
        (None, Some(file)) => UrlDraft::File(file),
        (Some(_), Some(_)) => {
            let what = format!("`{}` has both `url` and `url_file`", value.name);
            return refuse(notes, value.node.at, what, "keep one of them");
        }
        (None, None) => {
            let what = format!("`{}` has no URL", value.name);
            let help = "write it into a file of its own and name that as `url_file`; one that is \
                        no secret may stand here as `url`";
            return refuse(notes, value.node.at, what, help);
        }
    };
    Some(WebhookDraft {
        name: name?,
        url,
        events: events?,
        body: body?,
        limit: RateLimit { most: most?, within: within? },
        timeout: timeout?,
        give_up_after: give_up_after?,
    })
}

fn webhook_name(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    let name = fields::line(value, notes)?;
    let fits = name.len() <= 40
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits {
        return Some(name);
    }
    let what = "a webhook's name has at most 40 letters, digits, `-`, `_` and `.`";
    refuse(notes, value.node.at, what, "rename it")
}

/// A URL that is no secret.
fn plain_url(value: Value<'_>, notes: &mut Notes) -> Option<String> {
    let url = url(value, notes)?;
    let parsed = reqwest::Url::parse(&url).ok()?;
    let host = parsed.host_str().unwrap_or_default();
    let is_secret = |known: &str| host == known || host.ends_with(&format!(".{known}"));
    if SECRET_HOSTS.iter().any(|known| is_secret(known)) {
        let what = format!("`{}` is a secret: whoever has it may write there", value.name);
        let help = "write it into a file of its own and name that as `url_file`";
        return refuse(notes, value.node.at, what, help);
    }
    Some(url)
}

fn events(value: Value<'_>, notes: &mut Notes) -> Option<BTreeSet<NoticeKind>> {
    let events = fields::list(value, notes, fields::word(KINDS))?;
    if events.is_empty() {
        let what = format!("`{}` is empty, so nothing would ever be told", value.name);
        return refuse(notes, value.node.at, what, "name some, or leave the key out");
    }
    Some(events.into_iter().collect())
}

fn body(value: Value<'_>, notes: &mut Notes) -> Option<Template> {
    if !matches!(value.node.kind, Kind::Map(_)) {
        return fields::wrong_kind(value, "a mapping, as `{text: '{title}'}`", notes);
    }
    let before = notes.len();
    let json = json(value.node, notes);
    if before < notes.len() {
        return None;
    }
    match Template::new(json) {
        Ok(template) => Some(template),
        Err((what, help)) => refuse(notes, value.node.at, what, help),
    }
}

/// A body as JSON; what is wrong with a text is told at its place.
fn json(node: &Node, notes: &mut Notes) -> Json {
    match &node.kind {
        Kind::Null | Kind::Question(_) => Json::Null,
        Kind::Bool(value) => (*value).into(),
        Kind::Integer(value, written) => {
            i64::try_from(*value).map_or_else(|_| written.clone().into(), Json::from)
        }
        Kind::Number(value, written) => serde_json::Number::from_f64(*value)
            .map_or_else(|| written.clone().into(), Json::Number),
        Kind::Text(text) => {
            if let Err((what, help)) = check_text(text) {
                refuse::<()>(notes, node.at, what, help);
            }
            text.clone().into()
        }
        Kind::List(items) => items.iter().map(|item| json(item, notes)).collect(),
        Kind::Map(map) => {
            map.iter().map(|(key, node)| (key.name.clone(), json(node, notes))).collect()
        }
    }
}
