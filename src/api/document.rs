//! The OpenAPI document, made from the handlers themselves.
//!
//! In: the routes.
//! Out: one document for the server, the command line and the checks of access.
//! Never: describes a route that is not served; `routes` is the only list of both.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, Ref, RefOr, Response as Answer};
use utoipa::{IntoResponses, Modify};

use super::problem::{MEDIA_TYPE, Problem};
use super::server::routes;

/// What the document says beside its routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Windlass",
        description = "Pools of nodes: what they are, why, and operators' commands. Errors are \
                       problem documents (RFC 9457). Each operation names the scope that its \
                       token needs: read, operate or admin.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "pools", description = "What pools are and were, and why"),
        (name = "commands", description = "What operators order"),
        (name = "hints", description = "Announced campaigns"),
        (name = "daemon", description = "The daemon itself"),
    ),
    components(schemas(Problem)),
    modifiers(&Tokens)
)]
pub(super) struct ApiDoc;

/// Declares how a token is sent.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

/// The document of this version.
pub fn document() -> &'static OpenApi {
    static DOCUMENT: OnceLock<OpenApi> = OnceLock::new();
    DOCUMENT.get_or_init(|| routes().into_openapi())
}

/// `GET /api/v1/openapi.json`
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "daemon", operation_id = "openapi",
    responses((status = 200, description = "This document", body = Object), AnyProblem),
    security(("token" = ["read"])), extensions(("x-pools" = json!("seen")))
)]
pub(super) async fn openapi() -> Json<OpenApi> {
    Json(document().clone())
}

/// What any operation may answer when it can't: its status is in the document, too.
pub(super) struct AnyProblem;

impl IntoResponses for AnyProblem {
    fn responses() -> BTreeMap<String, RefOr<Answer>> {
        let unchanged = utoipa::openapi::ResponseBuilder::new();
        let unchanged = unchanged.description("Not changed since `If-None-Match`").build();
        let problems = problems(&[
            ("400", "The request can't be understood"),
            ("401", "No good token"),
            ("403", "The token's scope does not allow this"),
            ("404", "There is no such thing"),
            ("413", "The body is too large"),
            ("429", "Too many requests"),
            ("500", "A fault of windlass; its log has the reason"),
            ("503", "Not ready, or not in time"),
        ]);
        let unchanged = [("304".to_string(), RefOr::T(unchanged))];
        unchanged.into_iter().chain(problems).collect()
    }
}

/// What an operation that changes something may answer beside that.
pub(super) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Answer>> {
        problems(&[
            ("409", "At odds with what is there; nothing was done"),
            ("415", "The body is of another kind"),
            ("422", "It can be read and must not be done; nothing was done"),
        ])
        .collect()
    }
}

fn problems(all: &[(&str, &str)]) -> impl Iterator<Item = (String, RefOr<Answer>)> {
    all.iter().map(|(status, what)| {
        let schema = Some(Ref::from_schema_name("Problem"));
        let content = utoipa::openapi::ContentBuilder::new().schema(schema).build();
        let answer = utoipa::openapi::ResponseBuilder::new().description(*what);
        ((*status).to_string(), RefOr::T(answer.content(MEDIA_TYPE, content).build()))
    })
}
