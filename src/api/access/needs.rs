//! What each operation needs, read from the very document that is served.
//!
//! In: the OpenAPI document; a request's method and the path that it matched.
//! Out: a [`Need`]; or that the document does not name the operation, which then is refused.
//! Never: guesses. A route that says nothing of its scope can't be called.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::http::Method;
use serde_json::Value;

use crate::api::document;
use crate::store::Scope;

/// Pages of the console, which tell nothing: what they show they ask the API for, with the token
/// of whoever looks. They are no operations, so the document does not name them.
const PAGES: [&str; 4] = ["/", "/console", "/console/", "/console/{*path}"];

/// What an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: whoever asks is answered.
    Nothing,
    /// A token of this scope.
    Token {
        /// The least scope.
        scope: Scope,
        /// What of it a token may see that is held to some pools.
        reach: Reach,
    },
}

/// What an operation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The one pool that its path names.
    OnePool,
    /// Of all pools, those that the caller may see: the handler leaves the others out.
    SeenPools,
    /// Every pool, or none.
    Everything,
}

/// Why an operation is not to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unnamed {
    /// The document has no such path.
    Path,
    /// It has the path, with these methods only.
    Method(Vec<&'static str>),
}

/// What the operation `method` of the route `path` needs.
pub(super) fn need(method: &Method, path: &str) -> Result<Need, Unnamed> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    if PAGES.contains(&path) {
        return match *method == Method::GET {
            true => Ok(Need::Nothing),
            false => Err(Unnamed::Method(vec!["GET"])),
        };
    }
    let operations = needs().get(path).ok_or(Unnamed::Path)?;
    operations.get(method.as_str()).copied().ok_or_else(|| {
        let methods = METHODS.iter().filter(|one| operations.contains_key(**one));
        Unnamed::Method(methods.copied().collect())
    })
}

const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "PATCH"];

/// By path, then by method.
type Needs = BTreeMap<String, BTreeMap<String, Need>>;

fn needs() -> &'static Needs {
    static NEEDS: OnceLock<Needs> = OnceLock::new();
    NEEDS.get_or_init(|| {
        read(&serde_json::to_value(document()).expect("a document has string keys"))
    })
}

/// Operations that don't say what they need are left out, and so refused.
fn read(document: &Value) -> Needs {
    let mut needs = Needs::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            if let Some(need) = need_of(path, operation) {
                needs.entry(path.clone()).or_default().insert(method.to_uppercase(), need);
            }
        }
    }
    needs
}

fn need_of(path: &str, operation: &Value) -> Option<Need> {
    let requirements = operation["security"].as_array()?;
    let [requirement] = requirements.as_slice() else {
        return requirements.is_empty().then_some(Need::Nothing);
    };
    let [scope] = requirement["token"].as_array()?.as_slice() else { return None };
    let scope = scope.as_str()?.parse().ok()?;
    let reach = if path.split('/').any(|part| part == "{pool}") {
        Reach::OnePool
    } else if operation["x-pools"] == "seen" {
        Reach::SeenPools
    } else {
        Reach::Everything
    };
    Some(Need::Token { scope, reach })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_operation_that_does_not_say_what_it_needs_is_refused() {
        let document = json!({"paths": {
            "/open": {"get": {"security": []}},
            "/unsaid": {"get": {}},
            "/odd": {"get": {"security": [{"token": ["root"]}]}, "put": {"security": [{"token": []}]},
                     "post": {"security": [{}]},
                     "delete": {"security": [{"token": ["read"]}, {"token": ["admin"]}]}},
            "/all": {"post": {"security": [{"token": ["admin"]}]}},
            "/pools/{pool}/x": {"post": {"security": [{"token": ["operate"]}]}},
            "/pools": {"get": {"security": [{"token": ["read"]}], "x-pools": "seen"}},
        }});
        let needs = read(&document);
        let token = |scope, reach| Need::Token { scope, reach };
        assert_eq!(needs["/open"]["GET"], Need::Nothing);
        assert_eq!(needs["/all"]["POST"], token(Scope::Admin, Reach::Everything));
        assert_eq!(needs["/pools/{pool}/x"]["POST"], token(Scope::Operate, Reach::OnePool));
        assert_eq!(needs["/pools"]["GET"], token(Scope::Read, Reach::SeenPools));
        assert_eq!(needs.len(), 4, "{needs:?}");
    }

    #[test]
    fn a_method_or_a_path_that_the_document_lacks_is_not_to_be_had() {
        assert_eq!(need(&Method::HEAD, "/healthz"), Ok(Need::Nothing));
        assert_eq!(need(&Method::DELETE, "/healthz"), Err(Unnamed::Method(vec!["GET"])));
        assert_eq!(need(&Method::POST, "/console/"), Err(Unnamed::Method(vec!["GET"])));
        assert_eq!(need(&Method::GET, "/api/v1/secrets"), Err(Unnamed::Path));
    }
}
