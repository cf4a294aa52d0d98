//! Grafana's annotations. Facts: its published OpenAPI document (`/api/annotations`).

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::http::{Answer, SetupError, client, fault_of, send};
use super::link::Links;
use crate::domain::{Duration, Notice, NoticePhase, Timestamp};
use crate::ports::{Annotations, Closing, Fault};

/// The longest words of Grafana's that are passed on, in characters.
const LONGEST_REASON: usize = 300;

/// How Grafana is spoken to.
#[derive(Clone, Debug)]
pub struct GrafanaSettings {
    /// Its URL, without `/api`.
    pub url: String,
    /// The dashboard that shows the regions; none: any that asks for the tags.
    pub dashboard_uid: Option<String>,
    /// The panel of that dashboard; none: all of them.
    pub panel_id: Option<u32>,
    /// Tags beside ours.
    pub tags: Vec<String>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Where regions lead.
    pub links: Links,
}

/// Grafana, as one token may use it.
#[derive(Clone, Debug)]
pub struct Grafana {
    http: Client,
    base: Url,
    authorization: HeaderValue,
    token: SecretString,
    settings: GrafanaSettings,
}

/// Whether annotations may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// They may.
    Granted,
    /// The token may read them, and not write.
    ReadOnly,
}

#[derive(Deserialize)]
struct Posted {
    id: i64,
}

#[derive(Deserialize)]
struct Found {
    id: i64,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct Said {
    message: String,
}

impl Grafana {
    /// Asks nothing yet.
    pub fn new(settings: GrafanaSettings, token: SecretString) -> Result<Self, SetupError> {
        let whose = || "Grafana".to_owned();
        let base = Url::parse(&format!("{}/api/annotations", settings.url))
            .map_err(|error| SetupError::Url { whose: whose(), why: error.to_string() })?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| SetupError::Token { whose: whose() })?;
        authorization.set_sensitive(true);
        Ok(Self { http: client(settings.timeout)?, base, authorization, token, settings })
    }

    /// Whether the token may make annotations, without making one: a request to change one that
    /// can't exist is refused for its right first.
    pub async fn permission(&self) -> Result<Permission, Fault> {
        self.look(&[]).await?;
        let act = "asking Grafana for the right to write annotations";
        let request = self.request(Method::PATCH, Some("0")).json(&json!({}));
        let answer = send(act, request).await?;
        match answer.status {
            401 | 403 => Ok(Permission::ReadOnly),
            _ => Ok(Permission::Granted),
        }
    }

    async fn look(&self, tags: &[&str]) -> Result<Vec<Found>, Fault> {
        let act = "looking for annotations in Grafana";
        let tags = tags.iter().map(|tag| ("tags", *tag));
        let query: Vec<(&str, &str)> =
            [("type", "annotation"), ("limit", "100")].into_iter().chain(tags).collect();
        let answer = send(act, self.request(Method::GET, None).query(&query)).await?;
        if answer.status != 200 {
            return Err(self.fault(act, &answer));
        }
        json_of(act, &answer)
    }

    fn request(&self, method: Method, id: Option<&str>) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Some(id) = id {
            url.path_segments_mut().expect("an http URL has a path").push(id);
        }
        self.http.request(method, url).header(AUTHORIZATION, self.authorization.clone())
    }

    fn fault(&self, act: &str, answer: &Answer) -> Fault {
        fault_of(act, answer, &self.said(answer))
    }

    /// Grafana's own words, without the token, cut to a sane length.
    fn said(&self, answer: &Answer) -> String {
        let said: Option<Said> = serde_json::from_slice(&answer.body).ok();
        let said = said.map(|said| said.message).unwrap_or_default();
        let hidden = said.replace(self.token.expose_secret(), "[token]");
        let line = hidden.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().take(LONGEST_REASON).collect()
    }

    fn tags(&self, notice: &Notice) -> Vec<String> {
        let mut tags = vec!["windlass".to_owned(), notice.pool.to_string()];
        tags.extend(notice.kind.direction().map(str::to_owned));
        tags.push(notice.kind.name().to_owned());
        tags.push(notice.subject.clone());
        if notice.is_dry_run {
            tags.push("dry_run".to_owned());
        }
        tags.extend(self.settings.tags.iter().cloned());
        tags
    }

    /// Grafana shows the text as HTML, with most of it taken out.
    fn text(&self, notice: &Notice) -> String {
        let mut lines = vec![escaped(&notice.to_string())];
        lines.extend(notice.reasons.iter().map(|reason| escaped(reason)));
        if let Some(link) = self.settings.links.to(notice) {
            lines.push(format!("<a href=\"{}\">Windlass</a>", escaped(&link)));
        }
        lines.join("\n")
    }

    fn body(&self, notice: &Notice) -> Value {
        let mut body = Map::new();
        body.insert("time".into(), notice.began_at.as_millisecond().into());
        if let Some(end) = end_of(notice) {
            body.insert("timeEnd".into(), end.into());
        }
        body.insert("text".into(), self.text(notice).into());
        body.insert("tags".into(), self.tags(notice).into());
        if let Some(uid) = &self.settings.dashboard_uid {
            body.insert("dashboardUID".into(), uid.clone().into());
            body.extend(self.settings.panel_id.map(|panel| ("panelId".into(), panel.into())));
        }
        Value::Object(body)
    }
}

/// In milliseconds; a region has some length, or it is none.
fn end_of(notice: &Notice) -> Option<i64> {
    let least = notice.began_at.as_millisecond() + 1;
    notice.ended_at.map(Timestamp::as_millisecond).map(|end| end.max(least))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn json_of<T: DeserializeOwned>(act: &str, answer: &Answer) -> Result<T, Fault> {
    serde_json::from_slice(&answer.body).map_err(|error| Fault::InDoubt {
        message: format!(
            "{act}: the answer is not Grafana's (line {}, column {}): is the URL right?",
            error.line(),
            error.column()
        ),
    })
}

#[async_trait]
impl Annotations for Grafana {
    async fn find(&self, subject: &str) -> Result<Option<String>, Fault> {
        let found = self.look(&["windlass", subject]).await?;
        // What comes back is checked, not only asked for.
        let ours = found.into_iter().filter(|one| one.tags.iter().any(|tag| tag == subject));
        Ok(ours.map(|one| one.id).min().map(|id| id.to_string()))
    }

    async fn post(&self, notice: &Notice) -> Result<String, Fault> {
        let act = "annotating in Grafana";
        let request = self.request(Method::POST, None).json(&self.body(notice));
        let answer = send(act, request).await?;
        if answer.status != 200 {
            return Err(self.fault(act, &answer));
        }
        json_of::<Posted>(act, &answer).map(|posted| posted.id.to_string())
    }

    async fn close(&self, name: &str, notice: &Notice) -> Result<Closing, Fault> {
        let act = "closing a region in Grafana";
        let mut body = json!({"text": self.text(notice)});
        if let Some(end) = end_of(notice) {
            body["timeEnd"] = end.into();
        }
        // A campaign that is taken back before it began ends where it would have begun.
        if notice.phase == NoticePhase::Ended {
            body["time"] = notice.began_at.as_millisecond().into();
        }
        let answer = send(act, self.request(Method::PATCH, Some(name)).json(&body)).await?;
        // Releases up to 8 say 500 where later ones say 404.
        let old_word = answer.status == 500 && self.said(&answer).contains("Could not find");
        match answer.status {
            200 => Ok(Closing::Closed),
            404 if !self.said(&answer).is_empty() => Ok(Closing::Gone),
            _ if old_word => Ok(Closing::Gone),
            _ => Err(self.fault(act, &answer)),
        }
    }
}
