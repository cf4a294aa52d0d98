//! The served document is the one that is checked in, keeps what it once promised, and names a
//! scope for every operation.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document;

/// Where the document is checked in. `windlass schema --api > docs/openapi.json` writes it anew.
const CHECKED_IN: &str = include_str!("../../docs/openapi.json");

/// Operations that answer whoever asks: a load balancer or a supervisor has no token.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

fn served() -> Value {
    serde_json::to_value(document()).expect("a document is JSON")
}

#[test]
fn the_document_that_is_checked_in_is_the_one_that_is_served() {
    let known: Value = serde_json::from_str(CHECKED_IN).expect("docs/openapi.json is JSON");
    let served = served();
    let broken = breaks(&known, &served);
    assert!(
        broken.is_empty(),
        "clients of the API would break:\n  {}\nKeep what they use; where it must go, say so in \
         CHANGELOG.md and write docs/openapi.json anew: windlass schema --api > docs/openapi.json",
        broken.join("\n  ")
    );
    assert!(
        known == served,
        "docs/openapi.json is not what is served; write it anew: \
         cargo run -q -- schema --api > docs/openapi.json"
    );
}

#[test]
fn every_operation_names_one_scope_or_is_open_on_purpose() {
    for (path, method, operation) in operations(&served()) {
        let scopes: Vec<&str> = operation["security"]
            .as_array()
            .expect("a list of requirements")
            .iter()
            .filter_map(|one| one["token"][0].as_str())
            .collect();
        match OPEN.contains(&path.as_str()) {
            true => assert!(scopes.is_empty(), "{method} {path} is open"),
            false => assert!(
                matches!(scopes.as_slice(), ["read" | "operate" | "admin"]),
                "{method} {path}: {scopes:?}"
            ),
        }
    }
}

#[test]
fn whatever_takes_away_or_asks_for_more_is_a_break() {
    let known = served();
    let change = |change: fn(&mut Value)| {
        let mut next = known.clone();
        change(&mut next);
        breaks(&known, &next)
    };
    assert!(change(|_| {}).is_empty());
    let gone = change(|next| {
        next["paths"].as_object_mut().expect("paths").remove("/api/v1/pools");
    });
    assert_eq!(gone, ["GET /api/v1/pools is gone"]);
    let field = change(|next| {
        let status = &mut next["components"]["schemas"]["PoolStatus"];
        remove_everywhere(status, "is_loaded");
    });
    assert!(field.iter().any(|one| one.contains("`is_loaded`")), "{field:?}");
    let parameter = change(|next| {
        let journal = &mut next["paths"]["/api/v1/pools/{pool}/journal"]["get"];
        journal["parameters"]
            .as_array_mut()
            .expect("parameters")
            .retain(|one| one["name"] == "pool");
    });
    assert!(parameter.iter().any(|one| one.contains("`limit`")), "{parameter:?}");
    let demand = change(|next| {
        let journal = &mut next["paths"]["/api/v1/pools/{pool}/journal"]["get"];
        for one in journal["parameters"].as_array_mut().expect("parameters") {
            one["required"] = true.into();
        }
    });
    assert!(demand.iter().any(|one| one.contains("must now be given")), "{demand:?}");
    let scope = change(|next| {
        next["paths"]["/api/v1/pools"]["get"]["security"][0]["token"][0] = "admin".into();
    });
    assert_eq!(scope, ["GET /api/v1/pools needs another scope"]);
}

fn remove_everywhere(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(fields) => {
            fields.remove(name);
            fields.values_mut().for_each(|field| remove_everywhere(field, name));
        }
        Value::Array(all) => all.iter_mut().for_each(|one| remove_everywhere(one, name)),
        _ => {}
    }
}

/// Path, method and description of every operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods
            .iter()
            .map(|(method, operation)| (path.clone(), method.to_uppercase(), operation.clone()))
    });
    operations.collect()
}

/// What a client of `known` would miss in `next`, or would have to send and doesn't.
fn breaks(known: &Value, next: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    let now = operations(next);
    for (path, method, before) in operations(known) {
        let named = format!("{method} {path}");
        let Some((_, _, after)) = now.iter().find(|one| one.0 == path && one.1 == method) else {
            broken.push(format!("{named} is gone"));
            continue;
        };
        if before["security"] != after["security"] {
            broken.push(format!("{named} needs another scope"));
        }
        inputs(&named, &parameters(&before), &parameters(after), &mut broken);
        let body = |operation: &Value, document: &Value| {
            let mut fields = Fields::default();
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            fields.gather(document, schema, "", &mut Vec::new());
            fields
        };
        let (sent, wanted) = (body(&before, known), body(after, next));
        let demanded = wanted.required.difference(&sent.required);
        broken.extend(demanded.map(|name| format!("{named}: `{name}` must now be given")));
        let dropped = sent.all.difference(&wanted.all);
        broken.extend(dropped.map(|name| format!("{named} takes no `{name}` any more")));
        for (status, answer) in before["responses"].as_object().into_iter().flatten() {
            let fields = |answer: &Value, document: &Value| {
                let mut fields = Fields::default();
                for content in answer["content"].as_object().into_iter().flatten() {
                    fields.gather(document, &content.1["schema"], "", &mut Vec::new());
                }
                fields.all
            };
            let (had, has) = (fields(answer, known), fields(&after["responses"][status], next));
            let missing = had.difference(&has);
            broken.extend(missing.map(|name| format!("{named} answers {status} without `{name}`")));
        }
    }
    broken
}

/// Name, and whether it must be given.
fn parameters(operation: &Value) -> Vec<(String, bool)> {
    let all = operation["parameters"].as_array().cloned().unwrap_or_default();
    let one =
        |one: &Value| (one["name"].as_str().unwrap_or_default().into(), one["required"] == true);
    all.iter().map(one).collect()
}

fn inputs(
    named: &str,
    before: &[(String, bool)],
    after: &[(String, bool)],
    broken: &mut Vec<String>,
) {
    for (name, _) in before {
        if !after.iter().any(|one| one.0 == *name) {
            broken.push(format!("{named} takes no `{name}` any more"));
        }
    }
    for (name, _) in after.iter().filter(|(_, required)| *required) {
        if !before.contains(&(name.clone(), true)) {
            broken.push(format!("{named}: `{name}` must now be given"));
        }
    }
}

/// The fields of a schema, those inside of others by their path.
#[derive(Default)]
struct Fields {
    all: BTreeSet<String>,
    required: BTreeSet<String>,
}

impl Fields {
    /// `open`: the schemas that this one is inside of, so that none is walked round and round.
    fn gather(&mut self, document: &Value, schema: &Value, at: &str, open: &mut Vec<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            if open.iter().any(|one| one == reference) {
                return;
            }
            let name = reference.rsplit('/').next().unwrap_or_default();
            open.push(reference.into());
            self.gather(document, &document["components"]["schemas"][name], at, open);
            open.pop();
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            for one in schema[key].as_array().into_iter().flatten() {
                self.gather(document, one, at, open);
            }
        }
        self.gather_item(document, schema, at, open);
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            let required = schema["required"].as_array().into_iter().flatten();
            if required.clone().any(|one| one == name) {
                self.required.insert(path.clone());
            }
            self.all.insert(path.clone());
            self.gather(document, field, &path, open);
        }
    }

    fn gather_item(&mut self, document: &Value, schema: &Value, at: &str, open: &mut Vec<String>) {
        for key in ["items", "additionalProperties"] {
            if schema[key].is_object() {
                self.gather(document, &schema[key], &format!("{at}[]"), open);
            }
        }
    }
}
