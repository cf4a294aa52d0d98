//! Events: what the account's journal tells, and its three calls.
//!
//! In: jobs that are scheduled, start and end; changes that are over at once.
//! Out: `GET /account/events`, newest first, with the percentage that the clock says.
//! Never: grows for ever: the oldest go once there are too many.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, Reply};
use super::errors::Refusal;
use super::views::time;
use super::world::World;

// The real API keeps 90 days. This many are a few hundred KB of state file, and more than any
// test or demonstration makes.
const KEPT: usize = 2_000;

const KEYS: &[&str] = &["id", "action", "created", "read", "entity.id", "entity.type"];

/// One event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    pub id: u64,
    pub action: String,
    pub created: Timestamp,
    pub progress: Progress,
    pub entity: Option<Entity>,
    pub secondary: Option<Entity>,
    pub message: String,
    pub seen: bool,
}

/// How far the job behind an event is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// There never was a job.
    Notification,
    /// Waits for its turn.
    Scheduled,
    /// Under way, expected to end at `due`.
    Started { at: Timestamp, due: Timestamp },
    /// Done.
    Finished { at: Timestamp, seconds: f64 },
    /// Given up.
    Failed { at: Timestamp, seconds: f64 },
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    pub id: Value,
    pub kind: String,
    pub label: String,
    pub url: String,
}

impl Entity {
    /// A Linode.
    pub fn linode(id: u64, label: &str) -> Self {
        let url = format!("/v4/linode/instances/{id}");
        Self { id: id.into(), kind: "linode".into(), label: label.into(), url }
    }

    fn view(&self) -> Value {
        json!({"id": self.id, "type": self.kind, "label": self.label, "url": self.url})
    }
}

impl World {
    /// Adds an event and returns its id.
    pub fn record_event(
        &mut self,
        now: Timestamp,
        action: &str,
        progress: Progress,
        entity: Option<Entity>,
        secondary: Option<Entity>,
    ) -> u64 {
        let id = self.next_id();
        let action = action.to_owned();
        let message = String::new();
        let created = now;
        let event =
            Event { id, action, created, progress, entity, secondary, message, seen: false };
        self.events.push_back(event);
        while self.events.len() > KEPT {
            self.events.pop_front();
        }
        id
    }

    /// Adds the event of a change that is over at once.
    pub fn notify(&mut self, now: Timestamp, action: &str, entity: Entity) {
        self.record_event(now, action, Progress::Notification, Some(entity), None);
    }

    /// Moves an event on; one that was dropped for age is no loss.
    pub fn set_progress(&mut self, id: u64, progress: Progress) {
        if let Some(event) = self.events.iter_mut().find(|event| event.id == id) {
            event.progress = progress;
        }
    }
}

fn view(event: &Event, now: Timestamp) -> Value {
    let since = |at: Timestamp| now.duration_since(at).as_secs_f64().max(0.0);
    let (status, percent, remaining, duration) = match event.progress {
        Progress::Notification => ("notification", Value::Null, Value::Null, Value::Null),
        Progress::Scheduled => ("scheduled", 0.into(), Value::Null, Value::Null),
        Progress::Started { at, due } => {
            let whole = due.duration_since(at).as_secs_f64().max(0.001);
            // A job that is late stays short of 100: only its end says it is done.
            let percent = (100.0 * since(at) / whole).min(99.0) as u64;
            ("started", percent.into(), Value::Null, since(at).into())
        }
        Progress::Finished { seconds, .. } => ("finished", 100.into(), 0.into(), seconds.into()),
        Progress::Failed { seconds, .. } => ("failed", 100.into(), 0.into(), seconds.into()),
    };
    json!({
        "id": event.id,
        "action": event.action,
        "created": time(event.created),
        "status": status,
        "percent_complete": percent,
        "time_remaining": remaining,
        "rate": null,
        "duration": duration,
        "seen": event.seen,
        "read": event.seen,
        "username": super::account::USERNAME,
        "entity": event.entity.as_ref().map(Entity::view),
        "secondary_entity": event.secondary.as_ref().map(Entity::view),
        "message": event.message,
        "details": {},
    })
}

/// `GET /account/events`
pub fn list(world: &mut World, call: &Call) -> Answer {
    let events = world.events.iter().rev().map(|event| view(event, call.now)).collect();
    Ok(Reply::list(events, KEYS))
}

/// `GET /account/events/{eventId}`
pub fn get(world: &mut World, call: &Call) -> Answer {
    let id = call.id(0)?;
    let event = world.events.iter().find(|event| event.id == id);
    Ok(Reply::Object(view(event.ok_or_else(Refusal::not_found)?, call.now)))
}

/// `POST /account/events/{eventId}/seen`: this event and all before it.
pub fn seen(world: &mut World, call: &Call) -> Answer {
    let id = call.id(0)?;
    if !world.events.iter().any(|event| event.id == id) {
        return Err(Refusal::not_found());
    }
    for event in world.events.iter_mut().filter(|event| event.id <= id) {
        event.seen = true;
    }
    Ok(Reply::empty())
}
