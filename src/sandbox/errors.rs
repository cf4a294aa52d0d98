//! The refusals of the Linode API: a status and a body `{"errors": […]}`.
//!
//! In: what is wrong, in the words that the live API was recorded to use where they are known.
//! Out: a [`Refusal`] that the gate turns into a response.
//! Never: decides who is refused.

use axum::http::StatusCode;
use serde_json::{Value, json};

/// A status with at least one complaint.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The HTTP status, 4xx.
    pub status: StatusCode,
    /// What is wrong; several complaints may come at once.
    pub complaints: Vec<Complaint>,
}

/// One entry of `errors`.
#[derive(Clone, Debug, PartialEq)]
pub struct Complaint {
    /// The sentence.
    pub reason: String,
    /// The field at fault, when there is a single one.
    pub field: Option<String>,
}

impl Complaint {
    /// `field` is at fault because of `reason`.
    pub fn on(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), field: Some(field.into()) }
    }

    /// No single field is at fault.
    pub fn general(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), field: None }
    }
}

impl Refusal {
    /// A refusal with one complaint.
    pub fn new(status: StatusCode, complaint: Complaint) -> Self {
        Self { status, complaints: vec![complaint] }
    }

    /// 400 on one field.
    pub fn on(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Complaint::on(field, reason))
    }

    /// 400 on no field.
    pub fn general(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Complaint::general(reason))
    }

    /// 400 with every complaint; `Ok` when there is none.
    pub fn unless_empty(complaints: Vec<Complaint>) -> Result<(), Self> {
        if complaints.is_empty() {
            return Ok(());
        }
        Err(Self { status: StatusCode::BAD_REQUEST, complaints })
    }

    /// 404: no such thing, or not visible to this token.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, Complaint::general("Not found"))
    }

    /// 405: the path exists, but not with this method.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Complaint::general("Method Not Allowed"))
    }

    /// 401: the token is missing or unknown.
    pub fn invalid_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Complaint::general("Invalid Token"))
    }

    /// 401, not 403: the token is known, but lacks the scope.
    pub fn missing_scope() -> Self {
        let reason = "Your OAuth token is not authorized to use this endpoint.";
        Self::new(StatusCode::UNAUTHORIZED, Complaint::general(reason))
    }

    /// 429.
    pub fn too_many_requests() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, Complaint::general("Too many requests"))
    }

    /// 400: the Linode has a job under way that excludes this call.
    pub fn busy() -> Self {
        Self::general("Linode busy.")
    }

    /// The body to send.
    pub fn body(&self) -> Value {
        let errors: Vec<Value> = self
            .complaints
            .iter()
            .map(|complaint| match &complaint.field {
                Some(field) => json!({"reason": complaint.reason, "field": field}),
                None => json!({"reason": complaint.reason}),
            })
            .collect();
        json!({ "errors": errors })
    }
}
