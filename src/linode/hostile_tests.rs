//! Bodies and headers of something that may not be the Linode API.

use std::sync::LazyLock;

use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::SecretString;

use super::LinodeSettings;
use super::classify::{create_refusal, fault_of, is_already_booted, is_no_such_thing};
use super::limits::retry_after;
use super::transport::{Answer, Api};
use super::wire::{AccountSettings, Page, RawInstance, RawType};
use crate::domain::{Duration, Instance};
use crate::hostile_tests::{hostile, nested};

const BODIES: [&str; 4] = [
    r#"{"data": [{"id": 5, "label": "web-0123", "status": "running", "tags": ["windlass"], "region": "eu-central", "type": "g6-standard-2", "created": "2026-05-20T18:38:57", "locks": ["cannot_delete"], "specs": {"disk": 81920}}], "page": 1, "pages": 1, "results": 1}"#,
    r#"{"errors": [{"field": "label", "reason": "Label must be unique among your linodes"}, {"reason": "no capacity"}]}"#,
    r#"{"id": "g6-standard-2", "price": {"hourly": 0.036, "monthly": 24}, "region_prices": [{"id": "br-gru", "hourly": 0.0504}]}"#,
    r#"{"network_helper": true, "longview_subscription": null}"#,
];

fn answer(status: u16, body: Vec<u8>) -> Answer {
    Answer { status, headers: HeaderMap::new(), body, pause: None }
}

fn read(api: &Api, answer: &Answer) {
    if let Ok(page) = answer.json::<Page<RawInstance>>() {
        for raw in page.data {
            let _ = raw.deletion_lock();
            let _ = Instance::from(raw);
        }
    }
    if let Ok(raw) = answer.json::<RawType>() {
        let _ = raw.hourly_in("br-gru");
    }
    let _ = answer.json::<AccountSettings>();
    let _ = (is_no_such_thing(answer), is_already_booted(answer));
    let _ = create_refusal(api, answer, "creating");
}

// To make one takes a while: it reads the machine's certificates.
static API: LazyLock<Api> = LazyLock::new(|| {
    Api::new(LinodeSettings::default(), SecretString::from("a-secret-token")).expect("an API")
});

proptest! {
    #[test]
    fn no_body_makes_a_reader_panic_or_a_message_endless(
        status in 100..1_000_u16,
        body in hostile(&BODIES),
    ) {
        let answer = answer(status, body);
        read(&API, &answer);
        let told = fault_of(&API, &answer, "listing").to_string();
        prop_assert!(told.chars().count() < 1_200, "{told}");
    }

    #[test]
    fn no_header_makes_anybody_wait_for_long(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let wait = retry_after(&HeaderMap::from_iter([(reqwest::header::RETRY_AFTER, value)]));
            prop_assert!(wait.is_none_or(|wait| wait <= Duration::from_secs(60)));
        }
    }
}

#[test]
fn a_body_nested_without_end_is_no_answer() {
    for (open, close) in [("[", "]"), ("{\"data\":", "}"), ("{\"errors\":[", "]}")] {
        let answer = answer(200, nested(open, close).into_bytes());
        read(&API, &answer);
        assert!(answer.json::<Page<RawInstance>>().is_err());
    }
}
