//! Tells Grafana and webhooks what happens, over HTTP.
//!
//! In: notices, from couriers.
//! Out: annotations, posted bodies, or a fault of one of few kinds.
//! Never: follows redirects, reads an answer without end, shows a token or a webhook's URL, decides
//! what is told to whom.

mod grafana;
mod http;
mod link;
mod template;
mod webhook;

pub use grafana::{Grafana, GrafanaSettings, Permission};
pub use http::SetupError;
pub use link::Links;
pub use template::{Template, check as check_text, default_body};
pub use webhook::{Webhook, WebhookSettings};
