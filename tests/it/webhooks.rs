//! Webhooks: what is sent, and what becomes of failures.

use std::collections::BTreeSet;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use windlass::domain::{NodeCount, Notice, NoticeKind, NoticePhase, PoolName};
use windlass::notify::{Links, Template, Webhook, WebhookSettings, default_body};
use windlass::ports::{Errand, Fault, Notifier, RateLimit};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn notice() -> Notice {
    Notice {
        subject: "decision:0196f7a0".into(),
        kind: NoticeKind::ScaleOut,
        phase: NoticePhase::Began,
        pool: PoolName::new("web").expect("a name"),
        began_at: "2026-03-02T12:00:00Z".parse().expect("a moment"),
        ended_at: None,
        is_dry_run: false,
        from: Some(NodeCount(4)),
        to: Some(NodeCount(6)),
        title: "web scales out from 4 to 6 nodes".into(),
        reasons: vec!["\"quoted\", and\nbroken".into()],
        outcome: None,
    }
}

fn webhook(url: &str, body: Template) -> Webhook {
    let settings = WebhookSettings {
        name: "on-call".into(),
        kinds: BTreeSet::from([NoticeKind::ScaleOut]),
        body,
        limit: RateLimit { most: 20, within: Duration::from_secs(600) },
        gives_up_after: Duration::from_secs(3_600),
        timeout: Duration::from_millis(500),
        links: Links { external_url: Some("https://windlass.example".into()) },
    };
    Webhook::new(settings, SecretString::from(url)).expect("a webhook")
}

async fn deliver(webhook: &Webhook) -> Result<Option<String>, Fault> {
    webhook.deliver(&Errand { notice: notice(), tried: 0, reference: None }).await
}

#[tokio::test]
async fn a_notice_arrives_whole_with_its_identity() {
    let server = MockServer::start().await;
    let ok = Mock::given(method("POST")).and(path("/T0/secret"));
    let ok = ok.and(header("windlass-notice", "decision:0196f7a0/began"));
    ok.respond_with(ResponseTemplate::new(200)).expect(2).mount(&server).await;
    let url = format!("{}/T0/secret", server.uri());
    deliver(&webhook(&url, default_body())).await.expect("delivered");
    let slack = Template::new(json!({"text": "{title}\n{reasons}\n<{link}|console>"}));
    deliver(&webhook(&url, slack.expect("a body"))).await.expect("delivered");
    let sent = server.received_requests().await.expect("recorded");
    let bodies: Vec<Value> = sent.iter().map(|one| one.body_json().expect("JSON")).collect();
    assert_eq!(bodies[0]["reasons"], json!(["\"quoted\", and\nbroken"]));
    assert_eq!((&bodies[0]["from"], &bodies[0]["to"]), (&json!(4), &json!(6)));
    let text = "web scales out from 4 to 6 nodes\n\"quoted\", and\nbroken\n\
                <https://windlass.example/#pool=web&at=2026-03-02T12:00:00Z|console>";
    assert_eq!(bodies[1], json!({"text": text}));
}

#[tokio::test]
async fn failures_are_sorted_and_never_show_the_url() {
    for (status, kind) in [
        (302, "denied"),
        (400, "permanent"),
        (404, "denied"),
        (429, "transient"),
        (500, "transient"),
    ] {
        let server = MockServer::start().await;
        let answer =
            ResponseTemplate::new(status).set_body_string(format!("{}/secret", server.uri()));
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        let fault = deliver(&webhook(&format!("{}/secret", server.uri()), default_body())).await;
        let fault = fault.expect_err("it was refused");
        assert_eq!(fault.kind(), kind, "{status}");
        assert!(!fault.to_string().contains("secret"), "{fault}");
    }
    let nobody = webhook("http://127.0.0.1:9/secret", default_body());
    let fault = deliver(&nobody).await.expect_err("nobody is there");
    assert_eq!(fault.kind(), "transient");
    assert!(!fault.to_string().contains("secret"), "{fault}");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_in_doubt() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(600));
    Mock::given(method("POST")).respond_with(slow).mount(&server).await;
    let fault = deliver(&webhook(&server.uri(), default_body())).await.expect_err("too slow");
    assert_eq!(fault.kind(), "in_doubt");
}

#[test]
fn the_body_in_the_documentation_has_what_is_sent() {
    let docs = include_str!("../../docs/notifications.md");
    let body = docs.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
    let body: Value = serde_json::from_str(body.expect("a body")).expect("JSON");
    let sent = default_body().fill(&notice(), &Links::default());
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    assert_eq!(keys(&body), keys(&sent));
}
