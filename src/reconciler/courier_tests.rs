//! What couriers do with messages: in order, again, once, too many, too old.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{Courier, Regions, give_up_for_strangers};
use crate::domain::{
    Duration, Notice, NoticeKind, NoticePhase, PoolName, Timestamp, after, elapsed,
};
use crate::ports::{Annotations, Chance, Clock, Closing, Errand, Fault, Notifier, RateLimit};
use crate::store::{Change, Entry, MessageRecord, News, Store};
use crate::telemetry::Metrics;

const HOUR: Duration = Duration::from_secs(3_600);

/// A receiver that says what it is told to, at a time that a test sets.
struct Desk {
    now: Mutex<Timestamp>,
    /// What came, and whether it was tried before.
    came: Mutex<Vec<(String, u32)>>,
    /// What the next answers are; once there is none, all is well.
    faults: Mutex<Vec<Fault>>,
    limit: Option<RateLimit>,
}

impl Desk {
    fn new(limit: Option<RateLimit>) -> Arc<Self> {
        let now = Mutex::new("2026-03-02T12:00:00Z".parse().expect("a moment"));
        let (came, faults) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        Arc::new(Self { now, came, faults, limit })
    }

    fn now(&self) -> Timestamp {
        *self.now.lock().expect("no panic")
    }

    fn pass(&self, length: Duration) {
        let now = self.now();
        *self.now.lock().expect("no panic") = after(now, length);
    }

    fn will_answer(&self, faults: &[Fault]) {
        *self.faults.lock().expect("no panic") = faults.iter().rev().cloned().collect();
    }

    fn came(&self) -> Vec<String> {
        self.came.lock().expect("no panic").iter().map(|(what, _)| what.clone()).collect()
    }
}

#[async_trait]
impl Notifier for Desk {
    fn name(&self) -> &str {
        "desk"
    }

    fn wants(&self, _: NoticeKind) -> bool {
        true
    }

    fn limit(&self) -> Option<RateLimit> {
        self.limit
    }

    fn gives_up_after(&self) -> Duration {
        24 * HOUR
    }

    async fn deliver(&self, errand: &Errand) -> Result<Option<String>, Fault> {
        let what = errand.notice.to_string();
        self.came.lock().expect("no panic").push((what, errand.tried));
        self.faults.lock().expect("no panic").pop().map_or(Ok(None), Err)
    }
}

impl Clock for Desk {
    fn now(&self) -> Timestamp {
        Desk::now(self)
    }
}

/// Chance that always waits longest.
struct Longest;

impl Chance for Longest {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0xff);
    }
}

fn web() -> PoolName {
    PoolName::new("web").expect("a name")
}

fn notice(subject: &str, title: &str, at: Timestamp) -> Notice {
    Notice {
        subject: subject.into(),
        kind: NoticeKind::ScaleOut,
        phase: NoticePhase::Began,
        pool: web(),
        began_at: at,
        ended_at: None,
        is_dry_run: false,
        from: None,
        to: None,
        title: title.into(),
        reasons: Vec::new(),
        outcome: None,
    }
}

struct Office {
    desk: Arc<Desk>,
    store: Arc<Store>,
    courier: Courier,
}

impl Office {
    async fn new(limit: Option<RateLimit>) -> Self {
        let desk = Desk::new(limit);
        let store = Arc::new(Store::in_memory().await.expect("memory to spare"));
        let courier = courier(desk.clone(), &desk, &store);
        Self { desk, store, courier }
    }

    async fn write(&self, notice: &Notice) {
        let news = News(vec![(notice.clone(), vec!["desk".into()])]);
        let change = Change { news, ..Change::default() };
        self.store.write(&web(), self.desk.now(), &change).await.expect("written");
    }

    /// Rounds until `length` is over, each rest as long as it is asked for.
    async fn run_for(&mut self, length: Duration) {
        let end = after(self.desk.now(), length);
        while self.desk.now() < end {
            let rest = self.courier.round().await.expect("the store works");
            self.desk.pass(rest.max(Duration::from_millis(100)));
        }
    }

    async fn messages(&self) -> Vec<MessageRecord> {
        self.store.messages("desk").await.expect("the store works")
    }

    async fn states(&self) -> Vec<String> {
        self.messages().await.into_iter().map(|message| message.state).collect()
    }
}

fn courier(notifier: Arc<dyn Notifier>, desk: &Arc<Desk>, store: &Arc<Store>) -> Courier {
    Courier::new(notifier, store.clone(), desk.clone(), Arc::new(Longest), Metrics::new())
}

#[tokio::test]
async fn what_is_written_is_delivered_once_and_in_order() {
    let mut office = Office::new(None).await;
    let began = notice("decision:1", "web scales out", office.desk.now());
    office.write(&began).await;
    office.write(&began.ended(office.desk.now(), "6 serve")).await;
    office.run_for(Duration::from_secs(60)).await;
    assert_eq!(office.desk.came(), ["web scales out", "web scales out: 6 serve"]);
    assert_eq!(office.states().await, ["delivered", "delivered"]);
}

#[tokio::test]
async fn an_end_waits_for_its_beginning_and_others_wait_for_neither() {
    let mut office = Office::new(None).await;
    let began = notice("decision:1", "first", office.desk.now());
    office.desk.will_answer(&[Fault::transient("busy")]);
    office.write(&began).await;
    office.write(&began.ended(office.desk.now(), "over")).await;
    office.write(&notice("decision:2", "second", office.desk.now())).await;
    office.run_for(Duration::from_secs(60)).await;
    // After the rest the second is as due as the first, and the end comes after its beginning.
    assert_eq!(office.desk.came(), ["first", "first", "second", "first: over"]);
}

#[tokio::test]
async fn waits_double_and_stay_bounded_and_what_the_receiver_asks_for_counts() {
    let mut office = Office::new(None).await;
    let asked = Fault::Transient { message: "later".into(), retry_after: Some(HOUR / 2) };
    let mut faults = vec![Fault::transient("busy"); 9];
    faults.push(asked);
    office.desk.will_answer(&faults);
    office.write(&notice("decision:1", "it", office.desk.now())).await;
    let mut tries = Vec::new();
    for _ in 0..10_000 {
        let before = office.desk.came().len();
        office.courier.round().await.expect("the store works");
        if before < office.desk.came().len() {
            tries.push(office.desk.now());
        }
        office.desk.pass(Duration::from_secs(1));
    }
    let waits: Vec<u64> = tries.windows(2).map(|two| elapsed(two[0], two[1]).as_secs()).collect();
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300, 1_800]);
}

#[tokio::test]
async fn a_receiver_that_is_back_after_an_hour_is_told_everything() {
    let mut office = Office::new(None).await;
    office.desk.will_answer(&vec![Fault::transient("no connection"); 18]);
    for number in 0..30 {
        office.write(&notice(&format!("decision:{number}"), "it", office.desk.now())).await;
        office.run_for(Duration::from_secs(120)).await;
    }
    office.run_for(HOUR).await;
    assert!(office.states().await.iter().all(|state| state == "delivered"));
    assert_eq!(office.desk.came().len(), 30 + 18);
}

#[tokio::test]
async fn what_is_refused_is_given_up_with_a_word_in_the_journal() {
    let mut office = Office::new(None).await;
    office.desk.will_answer(&[Fault::permanent("it answered 400: bad text")]);
    office.write(&notice("decision:1", "it", office.desk.now())).await;
    office.write(&notice("decision:2", "the next", office.desk.now())).await;
    office.run_for(Duration::from_secs(5)).await;
    assert_eq!(office.states().await, ["given_up", "delivered"]);
    let journal = office.store.journal(&web(), i64::MAX, 10).await.expect("read");
    let Entry::NotTold { destination, subject, because, .. } = &journal[0].entry else {
        panic!("{journal:?}");
    };
    assert_eq!((destination.as_str(), subject.as_str()), ("desk", "decision:1"));
    assert_eq!(because, "it answered 400: bad text");
}

#[tokio::test]
async fn after_a_day_it_is_given_up_and_not_sooner() {
    let mut office = Office::new(None).await;
    office.desk.will_answer(&vec![Fault::Denied { message: "401".into() }; 2_000]);
    office.write(&notice("decision:1", "it", office.desk.now())).await;
    for _ in 0..23 * 12 {
        office.courier.round().await.expect("the store works");
        office.desk.pass(HOUR / 12);
    }
    assert_eq!(office.states().await, ["waiting"]);
    for _ in 0..2 * 12 {
        office.courier.round().await.expect("the store works");
        office.desk.pass(HOUR / 12);
    }
    assert_eq!(office.states().await, ["given_up"]);
    assert_eq!(office.messages().await[0].error.as_deref(), Some("401"));
}

#[tokio::test]
async fn a_try_that_a_crash_cut_off_is_known_and_does_not_come_again_at_once() {
    let office = Office::new(None).await;
    office.write(&notice("decision:1", "it", office.desk.now())).await;
    let now = office.desk.now();
    let due = office.store.due_messages("desk", now, 10).await.expect("read");
    office.store.try_message(due[0].id, after(now, Duration::from_secs(15))).await.expect("noted");
    // The daemon dies here, and another one starts.
    let mut next =
        Office { courier: courier(office.desk.clone(), &office.desk, &office.store), ..office };
    next.run_for(Duration::from_secs(14)).await;
    assert_eq!(next.desk.came().len(), 0);
    next.run_for(Duration::from_secs(3)).await;
    assert_eq!(*next.desk.came.lock().expect("no panic"), [("it".to_owned(), 1)]);
}

#[tokio::test]
async fn what_is_too_much_is_left_out_and_summed_up() {
    let limit = RateLimit { most: 3, within: Duration::from_secs(60) };
    let mut office = Office::new(Some(limit)).await;
    for number in 0..10 {
        office.write(&notice(&format!("decision:{number}"), "it", office.desk.now())).await;
    }
    office.run_for(Duration::from_secs(30)).await;
    assert_eq!(office.desk.came().len(), 3);
    office.run_for(Duration::from_secs(60)).await;
    let came = office.desk.came();
    assert_eq!(came.len(), 4, "{came:?}");
    assert_eq!(came[3], "7 notices were left out: there were too many of them");
    let states = office.states().await;
    assert_eq!(states.iter().filter(|state| *state == "summed_up").count(), 7);
    let sum = office.messages().await.pop().expect("the sum");
    assert_eq!(sum.notice.reasons, ["scale_out of web: 7"]);
    // The sum is summed up by nothing: all is quiet from here on.
    office.run_for(Duration::from_secs(600)).await;
    assert_eq!(office.desk.came().len(), 4);
}

#[tokio::test]
async fn nobody_waits_for_whom_the_settings_no_longer_name() {
    let office = Office::new(None).await;
    let now = office.desk.now();
    let notice = notice("decision:1", "it", now);
    let news = News(vec![(notice, vec!["desk".into(), "gone".into()])]);
    let change = Change { news, ..Change::default() };
    office.store.write(&web(), now, &change).await.expect("written");
    let known: [Arc<dyn Notifier>; 1] = [office.desk.clone()];
    give_up_for_strangers(&office.store, &known, now).await.expect("the store works");
    let state = |destination: &str| {
        let (store, destination) = (office.store.clone(), destination.to_owned());
        async move { store.messages(&destination).await.expect("read")[0].state.clone() }
    };
    assert_eq!((state("desk").await, state("gone").await), ("waiting".into(), "given_up".into()));
}

#[tokio::test]
async fn a_clock_that_is_set_back_stops_nobody() {
    let mut office = Office::new(None).await;
    office.desk.pass(48 * HOUR);
    office.desk.will_answer(&[Fault::transient("busy")]);
    office.write(&notice("decision:1", "it", office.desk.now())).await;
    office.courier.round().await.expect("the store works");
    *office.desk.now.lock().expect("no panic") = "2026-03-02T12:00:00Z".parse().expect("a moment");
    office.run_for(Duration::from_secs(30)).await;
    assert_eq!(office.states().await, ["delivered"]);
}

/// A board that draws, and whose answers to that get lost.
#[derive(Default)]
struct Board {
    drawn: Mutex<Vec<(String, Option<Timestamp>)>>,
    loses: Mutex<u32>,
}

#[async_trait]
impl Annotations for Board {
    async fn find(&self, subject: &str) -> Result<Option<String>, Fault> {
        let drawn = self.drawn.lock().expect("no panic");
        Ok(drawn.iter().position(|(known, _)| known == subject).map(|place| place.to_string()))
    }

    async fn post(&self, notice: &Notice) -> Result<String, Fault> {
        let mut drawn = self.drawn.lock().expect("no panic");
        drawn.push((notice.subject.clone(), notice.ended_at));
        let mut loses = self.loses.lock().expect("no panic");
        if 0 < *loses {
            *loses -= 1;
            return Err(Fault::InDoubt { message: "the answer got lost".into() });
        }
        Ok((drawn.len() - 1).to_string())
    }

    async fn close(&self, name: &str, notice: &Notice) -> Result<Closing, Fault> {
        let mut drawn = self.drawn.lock().expect("no panic");
        match name.parse().ok().and_then(|place: usize| drawn.get_mut(place)) {
            Some(one) => {
                one.1 = notice.ended_at;
                Ok(Closing::Closed)
            }
            None => Ok(Closing::Gone),
        }
    }
}

fn regions(board: &Arc<Board>) -> Arc<Regions> {
    Arc::new(Regions {
        name: "desk".into(),
        board: board.clone(),
        kinds: BTreeSet::from([NoticeKind::ScaleOut]),
        gives_up_after: 24 * HOUR,
    })
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_region() {
    let mut office = Office::new(None).await;
    let board = Arc::new(Board { loses: Mutex::new(1), ..Board::default() });
    office.courier = courier(regions(&board), &office.desk, &office.store);
    let began = notice("decision:1", "it", office.desk.now());
    office.write(&began).await;
    office.run_for(Duration::from_secs(60)).await;
    let ended = began.ended(office.desk.now(), "over");
    office.write(&ended).await;
    office.run_for(Duration::from_secs(60)).await;
    assert_eq!(*board.drawn.lock().expect("no panic"), [("decision:1".into(), ended.ended_at)]);
    assert_eq!(office.states().await, ["delivered", "delivered"]);
}

#[tokio::test]
async fn an_end_without_a_beginning_is_drawn_whole_and_what_was_deleted_stays_so() {
    let mut office = Office::new(None).await;
    let board = Arc::new(Board::default());
    office.courier = courier(regions(&board), &office.desk, &office.store);
    let ended = notice("decision:1", "it", office.desk.now()).ended(office.desk.now(), "over");
    office.write(&ended).await;
    office.run_for(Duration::from_secs(5)).await;
    assert_eq!(*board.drawn.lock().expect("no panic"), [("decision:1".into(), ended.ended_at)]);
    let began = notice("decision:2", "it", office.desk.now());
    office.write(&began).await;
    office.run_for(Duration::from_secs(5)).await;
    board.drawn.lock().expect("no panic").clear();
    office.write(&began.ended(office.desk.now(), "over")).await;
    office.run_for(Duration::from_secs(5)).await;
    assert_eq!(board.drawn.lock().expect("no panic").len(), 0);
    assert!(office.states().await.iter().all(|state| state == "delivered"));
}
