//! A client that starts a sandbox and checks every answer against the API document.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{LazyLock, Mutex, Once};
use std::time::{Duration, Instant};

use jsonschema::Validator;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Map, Value, json};
use windlass::sandbox::{Running, Sandbox, SandboxOptions, Speed, served};

pub const TOKEN: &str = "a-token-of-the-tests";

pub struct Api {
    pub sandbox: Running,
    pub token: String,
    client: Client,
    /// Operations that answered with a good status, as `METHOD path`.
    pub seen: Mutex<BTreeSet<String>>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

/// A sandbox that is a thousand times faster than life and counts no calls.
pub fn quick() -> SandboxOptions {
    SandboxOptions {
        tokens: vec![TOKEN.parse().expect("a token")],
        speed: Speed::new(1_000.0).expect("above zero"),
        no_rate_limit: true,
        ..SandboxOptions::default()
    }
}

pub fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another test of this process may have been first; either way there is one now.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let timeout = Duration::from_secs(20);
    Client::builder().no_proxy().timeout(timeout).build().expect("a client without TLS needs")
}

impl Api {
    pub async fn start(options: SandboxOptions) -> Self {
        let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
        Self { sandbox, token: TOKEN.into(), client: client(), seen: Mutex::default() }
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, reqwest::Error> {
        let url = format!("http://{}{path}", self.sandbox.address);
        let method: Method = method.parse().expect("a method");
        let mut request = self.client.request(method, url);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, headers, body })
    }

    /// A call below `/v4` whose answer, good or bad, must be as the document says.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.filtered(method, path, &[], body).await
    }

    pub async fn filtered(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let full = format!("/v4{path}");
        let answer = self.send(method, &full, headers, body.as_ref()).await.expect("an answer");
        let template = template_of(method, path);
        check_against_document(method, &template, &answer);
        if answer.status.is_success() {
            let mut seen = self.seen.lock().expect("no test panicked while it held this");
            seen.insert(format!("{method} {template}"));
        }
        answer
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, None).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.body
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.call("POST", path, Some(body.clone())).await;
        assert_eq!(answer.status, 200, "POST {path} {body}: {}", answer.body);
        answer.body
    }

    /// Creates a Linode and returns its id.
    pub async fn create(&self, body: Value) -> u64 {
        self.post("/linode/instances", body).await["id"].as_u64().expect("ids are numbers")
    }

    /// The sandbox's own endpoints.
    pub async fn control(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let full = format!("/sandbox{path}");
        let answer = self.send(method, &full, &[], body.as_ref()).await.expect("an answer");
        assert_eq!(answer.status, 200, "{method} {full}: {}", answer.body);
        answer.body
    }

    pub async fn status(&self, id: u64) -> String {
        let answer = self.call("GET", &format!("/linode/instances/{id}"), None).await;
        match answer.status.as_u16() {
            200 => answer.body["status"].as_str().expect("a text").to_owned(),
            404 => "gone".into(),
            other => panic!("status {other}: {}", answer.body),
        }
    }

    /// Polls until a Linode has a status; `gone` waits for 404.
    pub async fn until(&self, id: u64, status: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let now = self.status(id).await;
            if now == status {
                return;
            }
            assert!(Instant::now() < deadline, "Linode {id} is {now}, not {status}, after 20 s");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The smallest body that makes a Linode which boots.
pub fn bootable(label: &str) -> Value {
    json!({
        "type": "g6-nanode-1", "region": "eu-central", "image": "linode/debian12", "label": label,
        "authorized_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample test"],
    })
}

/// The body of [`bootable`] with further fields.
pub fn bootable_with(label: &str, more: Value) -> Value {
    let mut body = bootable(label);
    let fields = body.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    body
}

pub fn reference(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/linode").join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = reference("openapi-trimmed.json");
    make_json_schema(&mut document);
    document
});

/// OpenAPI 3.0 is not JSON Schema: `nullable` becomes a type.
fn make_json_schema(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(make_json_schema);
            if object.remove("nullable") == Some(json!(true)) {
                allow_null(object);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(make_json_schema),
        _ => {}
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(kind) = schema.get("type").cloned() {
        schema.insert("type".into(), json!([kind, "null"]));
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(Value::Array(choices)) = schema.get_mut(key) {
            choices.push(json!({"type": "null"}));
        }
    }
}

/// The path as the document writes it; the path itself when it is not served.
fn template_of(method: &str, path: &str) -> String {
    let bare = path.split('?').next().unwrap_or(path);
    let fits = |template: &str| {
        // An image's id contains a slash.
        if let Some(start) = template.strip_suffix("{imageId}") {
            return bare.starts_with(start) && bare != start;
        }
        if let Some(start) = template.strip_suffix("{kernelId}") {
            return bare.starts_with(start) && bare != start;
        }
        let (parts, own) = (template.split('/'), bare.split('/'));
        parts.clone().count() == own.clone().count()
            && parts.zip(own).all(|(part, own)| part.starts_with('{') || part == own)
    };
    let found = served().find(|(served, template)| *served == method && fits(template));
    found.map_or_else(|| bare.to_owned(), |(_, template)| template)
}

fn check_against_document(method: &str, template: &str, answer: &Answer) {
    let responses = &DOCUMENT["paths"][template][method.to_lowercase()]["responses"];
    let status = answer.status.as_str();
    let schema = match responses.get(status) {
        Some(response) => response["content"]["application/json"]["schema"].clone(),
        // Kernels, which the document leaves out.
        None if answer.status.is_success() => return,
        None => json!({"$ref": "#/components/schemas/ErrorEnvelope"}),
    };
    if answer.status == StatusCode::NO_CONTENT {
        return;
    }
    assert!(schema.is_object(), "{method} {template}: the document has no body for {status}");
    let problems: Vec<String> = validator(schema)
        .iter_errors(&answer.body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{method} {template} {status}: {problems:#?}\n{}", answer.body);
}

fn validator(schema: Value) -> Validator {
    let mut root = schema;
    root["components"] = DOCUMENT["components"].clone();
    jsonschema::validator_for(&root).expect("the document's schemas are schemas")
}
