//! A stand-in for Grafana's annotations that holds every request and answer to the published
//! document, and fails on demand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub const TOKEN: &str = "glsa_of_the_tests";

/// What happens to the next request.
#[derive(Clone, Copy, Debug)]
pub enum Mood {
    /// It is answered with this status, and nothing is done.
    Refuses(u16),
    /// The same, with a wish to wait, in seconds.
    AsksToWait(u16, u64),
    /// The connection is cut, and nothing is done.
    Cuts,
    /// It is done, and the connection cut before its answer.
    LosesTheAnswer,
    /// It is done, and never answered in time.
    Hangs,
}

#[derive(Default)]
struct Room {
    annotations: BTreeMap<i64, Value>,
    moods: VecDeque<Mood>,
    /// What broke the contract.
    broken: Vec<String>,
    calls: Vec<String>,
}

#[derive(Clone)]
pub struct Grafana {
    pub url: String,
    document: Arc<Value>,
    room: Arc<Mutex<Room>>,
}

impl Grafana {
    pub async fn start() -> Self {
        let text = include_str!("../../data/grafana/openapi-annotations.json");
        let document = Arc::new(serde_json::from_str(text).expect("the document is JSON"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let grafana = Self { url, document, room: Arc::default() };
        let app = Router::new().fallback(handle).with_state(grafana.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        grafana
    }

    pub fn will(&self, moods: &[Mood]) {
        self.room.lock().expect("no panic").moods = moods.iter().copied().collect();
    }

    /// What is drawn, oldest first.
    pub fn annotations(&self) -> Vec<Value> {
        self.room.lock().expect("no panic").annotations.values().cloned().collect()
    }

    /// `METHOD path` of each request, those that failed included.
    pub fn calls(&self) -> Vec<String> {
        self.room.lock().expect("no panic").calls.clone()
    }

    pub fn forget(&self) {
        self.room.lock().expect("no panic").annotations.clear();
    }

    /// Panics where a request or an answer left the document.
    pub fn assert_kept(&self) {
        let broken = &self.room.lock().expect("no panic").broken;
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    /// Whether `value` is what the document says at `place`, a JSON pointer.
    fn holds_to(&self, place: &str, value: &Value) -> Result<(), String> {
        let root = json!({
            "$ref": format!("#{place}"),
            "paths": self.document["paths"],
            "components": self.document["components"],
        });
        let validator = jsonschema::draft7::new(&root).map_err(|error| error.to_string())?;
        validator.validate(value).map_err(|error| format!("{place}: {error}"))
    }

    /// The document leaves unknown properties open; ours must be known all the same.
    fn knows(&self, command: &str, body: &Value) -> Result<(), String> {
        let known = &self.document["components"]["schemas"][command]["properties"];
        let keys = body.as_object().into_iter().flatten().map(|(key, _)| key);
        let unknown: Vec<_> = keys.filter(|key| known.get(key.as_str()).is_none()).collect();
        if unknown.is_empty() { Ok(()) } else { Err(format!("{command} has no {unknown:?}")) }
    }

    fn check_request(
        &self,
        method: &str,
        template: &str,
        query: &[(String, String)],
        body: &Value,
    ) -> Result<(), String> {
        let operation = &self.document["paths"][template][method];
        if operation.is_null() {
            return Err(format!("there is no {method} {template}"));
        }
        for (name, _) in query {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            if !parameters.into_iter().any(|one| one["in"] == "query" && one["name"] == **name) {
                return Err(format!("{method} {template} has no parameter {name}"));
            }
        }
        let schema =
            operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
        let Some(schema) = schema else { return Ok(()) };
        self.holds_to(schema.trim_start_matches('#'), body)?;
        self.knows(schema.rsplit('/').next().unwrap_or_default(), body)
    }

    fn check_answer(
        &self,
        method: &str,
        template: &str,
        status: u16,
        body: &Value,
    ) -> Result<(), String> {
        let answers = &self.document["paths"][template][method]["responses"];
        let answer = answers[status.to_string()]["$ref"].as_str();
        let answer = answer.ok_or(format!("{method} {template} never answers {status}"))?;
        let place = format!("{}/content/application~1json/schema", answer.trim_start_matches('#'));
        self.holds_to(&place, body)
    }

    fn serve(
        &self,
        method: &Method,
        id: Option<i64>,
        query: &[(String, String)],
        body: &Value,
    ) -> (u16, Value) {
        let mut room = self.room.lock().expect("no panic");
        match (method.as_str(), id) {
            ("GET", None) => {
                let tags: Vec<&str> = query
                    .iter()
                    .filter(|(name, _)| name == "tags")
                    .map(|(_, tag)| tag.as_str())
                    .collect();
                let has = |one: &&Value| {
                    let own = one["tags"].as_array().cloned().unwrap_or_default();
                    tags.iter().all(|tag| own.iter().any(|own| own == tag))
                };
                // The newest come first, as from Grafana.
                (200, room.annotations.values().rev().filter(has).cloned().collect())
            }
            ("POST", None) => {
                if body["text"].as_str().is_none_or(str::is_empty) {
                    return (400, json!({"message": "text field should not be empty"}));
                }
                let id = room.annotations.len() as i64 + 1;
                let mut annotation = body.clone();
                annotation["id"] = id.into();
                if annotation.get("timeEnd").is_none() {
                    annotation["timeEnd"] = annotation["time"].clone();
                }
                room.annotations.insert(id, annotation);
                (200, json!({"message": "Annotation added", "id": id}))
            }
            ("PATCH", Some(id)) => match room.annotations.get_mut(&id) {
                Some(annotation) => {
                    for (key, value) in body.as_object().into_iter().flatten() {
                        annotation[key] = value.clone();
                    }
                    (200, json!({"message": "Annotation patched"}))
                }
                None => (404, json!({"message": "Annotation not found"})),
            },
            _ => (500, json!({"message": "not of these tests"})),
        }
    }
}

async fn handle(
    State(grafana): State<Grafana>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let query: Vec<(String, String)> = reqwest::Url::parse(&format!("http://grafana{uri}"))
        .expect("a request's URL")
        .query_pairs()
        .into_owned()
        .collect();
    let path = uri.path().strip_prefix("/api").unwrap_or("");
    let id = path.strip_prefix("/annotations/").and_then(|id| id.parse::<i64>().ok());
    let template = if id.is_some() { "/annotations/{annotation_id}" } else { path };
    let (name, body) =
        (method.as_str().to_lowercase(), serde_json::from_slice(&bytes).unwrap_or_default());
    let kept = grafana.check_request(&name, template, &query, &body);
    let mood = {
        let mut room = grafana.room.lock().expect("no panic");
        room.broken.extend(kept.err());
        room.calls.push(format!("{method} {template}"));
        room.moods.pop_front()
    };
    let allowed =
        headers.get("authorization").is_some_and(|value| value == &format!("Bearer {TOKEN}"));
    let (status, answer) = match mood {
        Some(Mood::Refuses(status) | Mood::AsksToWait(status, _)) => {
            (status, json!({"message": "refused"}))
        }
        Some(Mood::Cuts) => return cut(),
        _ if !allowed => (401, json!({"message": "Unauthorized"})),
        _ => grafana.serve(&method, id, &query, &body),
    };
    match mood {
        Some(Mood::LosesTheAnswer) => return cut(),
        // Longer than any test waits for an answer: the client goes away.
        Some(Mood::Hangs) => tokio::time::sleep(Duration::from_secs(600)).await,
        Some(Mood::Refuses(_) | Mood::AsksToWait(..)) => {}
        _ => {
            let kept = grafana.check_answer(&name, template, status, &answer);
            grafana.room.lock().expect("no panic").broken.extend(kept.err());
        }
    }
    let mut response = Response::builder().status(StatusCode::from_u16(status).expect("a status"));
    if let Some(Mood::AsksToWait(_, seconds)) = mood {
        response = response.header("retry-after", seconds);
    }
    response
        .header("content-type", "application/json")
        .body(answer.to_string().into())
        .expect("an answer")
}

/// Nothing but the beginning of an answer.
fn cut() -> Response {
    let broken =
        futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
    Response::new(Body::from_stream(broken))
}
