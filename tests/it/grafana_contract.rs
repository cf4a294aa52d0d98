//! Regions in Grafana, held to its published document: drawn once and closed, whatever fails.

mod server;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use server::{Grafana as Stand, Mood, TOKEN};
use windlass::domain::{NodeCount, Notice, NoticeKind, NoticePhase, PoolName, Timestamp, after};
use windlass::notify::{Grafana, GrafanaSettings, Links, Permission};
use windlass::ports::{Clock, Fault, SystemChance};
use windlass::reconciler::{Courier, Regions};
use windlass::store::{Change, News, Store};
use windlass::telemetry::Metrics;

/// A clock that a test moves.
struct Hands(Mutex<Timestamp>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("no panic")
    }
}

struct Place {
    stand: Stand,
    hands: Arc<Hands>,
    store: Arc<Store>,
    courier: Courier,
}

fn grafana(stand: &Stand, token: &str) -> Grafana {
    let settings = GrafanaSettings {
        url: stand.url.clone(),
        dashboard_uid: None,
        panel_id: None,
        tags: vec!["production".into()],
        timeout: Duration::from_millis(500),
        links: Links { external_url: Some("https://windlass.example".into()) },
    };
    Grafana::new(settings, SecretString::from(token)).expect("a client")
}

fn courier(grafana: Grafana, store: &Arc<Store>, hands: &Arc<Hands>) -> Courier {
    let regions = Regions {
        name: "grafana".into(),
        board: Arc::new(grafana),
        kinds: BTreeSet::from([NoticeKind::ScaleOut]),
        gives_up_after: Duration::from_secs(24 * 3_600),
    };
    Courier::new(
        Arc::new(regions),
        store.clone(),
        hands.clone(),
        Arc::new(SystemChance),
        Metrics::new(),
    )
}

impl Place {
    async fn new() -> Self {
        let stand = Stand::start().await;
        let noon = "2026-03-02T12:00:00Z".parse().expect("a moment");
        let hands = Arc::new(Hands(Mutex::new(noon)));
        let store = Arc::new(Store::in_memory().await.expect("memory to spare"));
        let courier = courier(grafana(&stand, TOKEN), &store, &hands);
        Self { stand, hands, store, courier }
    }

    async fn write(&self, notice: &Notice) {
        let news = News(vec![(notice.clone(), vec!["grafana".into()])]);
        let change = Change { news, ..Change::default() };
        self.store.write(&notice.pool, self.hands.now(), &change).await.expect("written");
    }

    fn pass(&self, length: Duration) {
        let now = self.hands.now();
        *self.hands.0.lock().expect("no panic") = after(now, length);
    }

    /// So many rounds, each after the longest wait that a failure makes.
    async fn rounds(&mut self, count: u32) {
        for _ in 0..count {
            self.courier.round().await.expect("the store works");
            self.pass(Duration::from_secs(301));
        }
    }

    async fn states(&self) -> Vec<String> {
        let messages = self.store.messages("grafana").await.expect("read");
        messages.into_iter().map(|message| message.state).collect()
    }
}

fn decision(number: u32, at: Timestamp) -> Notice {
    Notice {
        subject: format!("decision:0196f7a0-0000-7000-8000-{number:012}"),
        kind: NoticeKind::ScaleOut,
        phase: NoticePhase::Began,
        pool: PoolName::new("web").expect("a name"),
        began_at: at,
        ended_at: None,
        is_dry_run: false,
        from: Some(NodeCount(4)),
        to: Some(NodeCount(6)),
        title: "web scales out from 4 to 6 nodes".into(),
        reasons: vec!["requests is 580 req/s: 6 nodes at 100 each, <all> counted".into()],
        outcome: None,
    }
}

#[tokio::test]
async fn a_region_begins_at_the_decision_and_ends_when_the_capacity_serves() {
    let mut place = Place::new().await;
    let began = decision(1, place.hands.now());
    place.write(&began).await;
    place.rounds(1).await;
    let [open] = &place.stand.annotations()[..] else { panic!("one is drawn") };
    assert_eq!(open["time"], began.began_at.as_millisecond());
    assert_eq!(open["time"], open["timeEnd"], "nobody knows its end yet");
    place.write(&began.ended(place.hands.now(), "6 nodes serve")).await;
    place.rounds(1).await;
    let [closed] = &place.stand.annotations()[..] else { panic!("one is drawn") };
    assert_eq!(closed["timeEnd"], began.began_at.as_millisecond() + 301_000);
    let text = "web scales out from 4 to 6 nodes: 6 nodes serve\n\
                requests is 580 req/s: 6 nodes at 100 each, &lt;all&gt; counted\n\
                <a href=\"https://windlass.example/#pool=web&amp;at=2026-03-02T12:00:00Z\">Windlass</a>";
    assert_eq!(closed["text"], text);
    let tags: Vec<&str> =
        closed["tags"].as_array().expect("tags").iter().filter_map(Value::as_str).collect();
    assert_eq!(tags, ["windlass", "web", "out", "scale_out", &began.subject, "production"]);
    place.stand.assert_kept();
}

#[tokio::test]
async fn whatever_fails_there_is_one_region_in_the_end_and_it_is_closed() {
    for moods in [
        &[Mood::Refuses(401), Mood::Refuses(403), Mood::Refuses(404)][..],
        &[Mood::Refuses(500), Mood::Refuses(502), Mood::Refuses(429)],
        &[Mood::Cuts, Mood::Cuts, Mood::Cuts],
        &[Mood::LosesTheAnswer],
        &[Mood::LosesTheAnswer, Mood::Refuses(500), Mood::Cuts],
        &[Mood::LosesTheAnswer, Mood::LosesTheAnswer],
        &[Mood::Hangs],
        &[Mood::Refuses(302), Mood::Hangs, Mood::LosesTheAnswer],
    ] {
        let mut place = Place::new().await;
        let began = decision(1, place.hands.now());
        place.stand.will(moods);
        place.write(&began).await;
        place.rounds(5).await;
        place.stand.will(moods);
        place.write(&began.ended(place.hands.now(), "6 nodes serve")).await;
        place.rounds(5).await;
        assert_eq!(place.states().await, ["delivered", "delivered"], "{moods:?}");
        let [region] = &place.stand.annotations()[..] else { panic!("{moods:?}: not one") };
        assert!(region["time"].as_i64() < region["timeEnd"].as_i64(), "{moods:?}: {region}");
        place.stand.assert_kept();
    }
}

#[tokio::test]
async fn what_grafana_refuses_for_good_is_given_up_and_the_next_one_is_drawn() {
    let mut place = Place::new().await;
    place.stand.will(&[Mood::Refuses(400)]);
    for number in [1, 2] {
        place.write(&decision(number, place.hands.now())).await;
    }
    place.rounds(1).await;
    assert_eq!(place.states().await, ["given_up", "delivered"]);
    assert_eq!(place.stand.annotations().len(), 1);
    // The end of the one that was given up draws it whole.
    let ended = decision(1, place.hands.now())
        .ended(after(place.hands.now(), Duration::from_secs(9)), "over");
    place.write(&ended).await;
    place.rounds(1).await;
    assert_eq!(place.stand.annotations().len(), 2);
    place.stand.assert_kept();
}

#[tokio::test]
async fn grafana_is_asked_no_sooner_than_it_wishes() {
    let mut place = Place::new().await;
    place.stand.will(&[Mood::AsksToWait(429, 1_000)]);
    place.write(&decision(1, place.hands.now())).await;
    place.rounds(3).await;
    assert_eq!(place.stand.calls().len(), 1, "903 s have passed");
    place.rounds(2).await;
    assert_eq!(place.states().await, ["delivered"]);
}

#[tokio::test]
async fn a_grafana_that_was_gone_for_an_hour_gets_everything_in_order() {
    let mut place = Place::new().await;
    place.stand.will(&[Mood::Refuses(503); 12]);
    let mut began = Vec::new();
    for number in 0..6 {
        let notice = decision(number, place.hands.now());
        place.write(&notice).await;
        place.rounds(1).await;
        place.write(&notice.ended(place.hands.now(), "6 nodes serve")).await;
        place.rounds(1).await;
        began.push(notice);
    }
    assert_eq!(place.stand.annotations().len(), 0);
    place.rounds(20).await;
    let drawn = place.stand.annotations();
    assert_eq!(drawn.len(), 6);
    for notice in &began {
        let mut of = drawn.iter().filter(|one| one["tags"].to_string().contains(&notice.subject));
        let region = of.next().expect("it is drawn");
        assert_eq!(region["time"], notice.began_at.as_millisecond());
        assert_eq!(region["timeEnd"], notice.began_at.as_millisecond() + 301_000);
    }
    place.stand.assert_kept();
}

#[tokio::test]
async fn what_somebody_deleted_in_grafana_stays_deleted() {
    let mut place = Place::new().await;
    let began = decision(1, place.hands.now());
    place.write(&began).await;
    place.rounds(1).await;
    place.stand.forget();
    place.write(&began.ended(place.hands.now(), "6 nodes serve")).await;
    place.rounds(1).await;
    assert_eq!(place.states().await, ["delivered", "delivered"]);
    assert_eq!(place.stand.annotations().len(), 0);
    place.stand.assert_kept();
}

#[tokio::test]
async fn the_right_to_annotate_is_found_out_without_annotating() {
    let stand = Stand::start().await;
    assert_eq!(grafana(&stand, TOKEN).permission().await, Ok(Permission::Granted));
    let refused = grafana(&stand, "glsa_another").permission().await.expect_err("it is unknown");
    assert!(matches!(refused, Fault::Denied { .. }), "{refused}");
    assert!(!refused.to_string().contains("glsa_another"));
    assert_eq!(stand.annotations().len(), 0);
    stand.assert_kept();
}

#[tokio::test]
async fn an_independent_client_reads_the_regions_back() {
    let mut place = Place::new().await;
    let began = decision(1, place.hands.now());
    place.write(&began).await;
    place
        .write(&began.ended(after(place.hands.now(), Duration::from_secs(180)), "6 nodes serve"))
        .await;
    place.rounds(2).await;
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let install =
        Command::new(clients.join("install")).output().expect("tests/clients/install runs");
    assert!(install.status.success(), "{}", String::from_utf8_lossy(&install.stderr));
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients/grafana/bin/python");
    let output = tokio::process::Command::new(python)
        .arg(clients.join("grafana_annotations.py"))
        .env("GRAFANA", &place.stand.url)
        .env("TOKEN", TOKEN)
        .env("SUBJECT", &began.subject)
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .output()
        .await
        .expect("the client starts");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", said(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(read["time"], began.began_at.as_millisecond());
    assert_eq!(read["timeEnd"], began.began_at.as_millisecond() + 180_000);
    place.stand.assert_kept();
}
