//! What must survive, and what must be noticed.

use std::net::Ipv4Addr;
use std::path::Path;

use sqlx::Row;
use uuid::Uuid;

use super::{
    Announcement, Change, Command, CommandKind, Entry, Lives, NewDecision, Phase, PoolState,
    Retention, Store, StoreError, sql,
};
use crate::domain::{
    Attempt, Duration, FleetCounts, Hint, HintId, HintSize, HintSource, InstanceId, InstanceLabel,
    Node, NodeCount, NodeId, NodeState, PoolName, RunId, Timestamp, after,
};
use crate::engine::{Decision, History, Observation, decide};
use crate::forecast::campaign::Response;
use crate::planner::AddressUse;
use crate::policy::{Policy, parse};

const POLICY: &str = "
pool: web
bounds: {min: 1, max: 10}
signals: {requests: {prometheus: {query: rate}}}
rules: [{target: {signal: requests, per_node: 100}}]
node:
  type: g6-standard-2
  region: eu-central
  image: linode/debian12
  vlan: {label: app, cidr: 10.10.0.0/24}
configure: {playbook: node.yml}
join: {backend: web}
";

fn policy() -> Policy {
    parse(POLICY, Path::new("web.yaml")).unwrap_or_else(|problems| panic!("{problems}"))
}

fn web() -> PoolName {
    "web".parse().expect("a legal name")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_000_000 + seconds).expect("a time in range")
}

/// A node with every field set to something that is not its default.
fn node(number: u8, state: NodeState) -> Node {
    let id = NodeId(Uuid::from_u128(u128::from(number)));
    Node {
        id,
        pool: web(),
        label: InstanceLabel::of(&web(), id),
        address: Ipv4Addr::new(10, 10, 0, number),
        vlan: "app".into(),
        instance_type: "g6-standard-2".into(),
        region: "eu-central".into(),
        state,
        state_since: at(i64::from(number)),
        planned_at: at(0),
        instance: Some(InstanceId(7)),
        instance_created_at: Some(at(1)),
        host_keys: vec!["ssh-ed25519 AAAA".into()],
        doubts: 3,
        attempt: Some(Attempt { count: 2, at: at(2), not_before: at(3), error: Some("no".into()) }),
        joining_since: Some(at(4)),
        left_at: Some(at(7)),
        served_at: Some(at(5)),
        admitting: ["lb1".parse().expect("a legal name")].into(),
        failure: Some(crate::domain::Failure::NeverBooted),
        failed_at: Some(at(6)),
    }
}

fn entered(node: &Node) -> (Option<NodeId>, Entry) {
    let entry = Entry::Entered {
        before: None,
        after: node.state.clone(),
        because: "a test needs it".into(),
        failure: None,
    };
    (Some(node.id), entry)
}

fn change(nodes: Vec<Node>) -> Change {
    Change { entries: nodes.iter().map(entered).collect(), nodes, ..Change::default() }
}

async fn store() -> Store {
    Store::in_memory().await.expect("memory to spare")
}

async fn journal_rows(store: &Store) -> usize {
    store.journal(&web(), i64::MAX, 1_000).await.expect("a journal").len()
}

async fn write_decision(store: &Store, number: u128, seconds: i64, found: u32) -> Decision {
    let fleet = FleetCounts { serving: NodeCount(found), ..FleetCounts::default() };
    let history = History::default();
    let readings = Default::default();
    let observation = Observation {
        at: at(seconds),
        fleet,
        nodes: vec![],
        readings,
        forecasts: Default::default(),
        is_held: false,
        overrides: Default::default(),
        costs: None,
        hints: Default::default(),
        history,
    };
    let decision = decide(&policy(), &observation);
    let new = NewDecision {
        id: crate::domain::DecisionId(Uuid::from_u128(number)),
        policy_digest: "digest",
        observation: &observation,
        decision: &decision,
        entry: None,
        news: Default::default(),
    };
    store.write_decision(&web(), &new).await.expect("the store works");
    decision
}

#[tokio::test]
async fn every_statement_fits_the_tables() {
    let store = store().await;
    for statement in sql::ALL {
        let explained = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN {statement}")))
            .fetch_all(&store.writer)
            .await;
        assert!(explained.is_ok(), "{statement}: {explained:?}");
    }
}

#[test]
fn no_statement_is_missing_from_the_list_that_is_tried() {
    let declared = include_str!("sql.rs").matches("pub const ").count();
    assert_eq!(declared, sql::ALL.len() + 1, "the list itself is the one more");
}

#[tokio::test]
async fn what_was_written_is_there_after_the_file_was_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("windlass.db");
    let states = [
        NodeState::Planned,
        NodeState::Provisioning { deadline: at(60) },
        NodeState::Configuring { run: RunId(Uuid::from_u128(5)), deadline: at(60) },
        NodeState::Joining { deadline: at(60) },
        NodeState::InService,
        NodeState::Standby,
        NodeState::Draining { deadline: at(60) },
        NodeState::Deleting { deadline: at(60) },
        NodeState::Deleted,
        NodeState::Failed { why: crate::domain::Failure::Vanished },
    ];
    let nodes: Vec<Node> = (1..).zip(states).map(|(number, state)| node(number, state)).collect();
    let store = Store::open(&path).await.expect("a new file");
    store.write(&web(), at(0), &change(nodes.clone())).await.expect("the store works");
    let decision = write_decision(&store, 1, 0, 3).await;
    store.close().await;
    drop(store);
    let store = Store::open(&path).await.expect("the same file");
    let state = store.load_pool(&web(), at(-1)).await.expect("a pool");
    assert_eq!(state, PoolState { history: decision.history, nodes });
    assert_eq!(store.verify_journal().await.expect("a whole chain"), 10);
    let other = store.load_pool(&"api".parse().expect("a legal name"), at(-1)).await;
    assert_eq!(other.expect("an unknown pool"), PoolState::default());
}

#[tokio::test]
async fn nodes_that_ended_long_ago_are_left_out_and_living_ones_never() {
    let store = store().await;
    let nodes = vec![node(1, NodeState::InService), node(2, NodeState::Deleted)];
    store.write(&web(), at(0), &change(nodes)).await.expect("the store works");
    for (since, count) in [(at(2), 2), (at(3), 1)] {
        let nodes = store.load_pool(&web(), since).await.expect("a pool").nodes;
        assert_eq!(nodes.len(), count);
    }
}

#[tokio::test]
async fn a_state_and_its_journal_row_are_written_together_or_not_at_all() {
    let store = store().await;
    store.write(&web(), at(0), &change(vec![node(1, NodeState::Planned)])).await.expect("works");
    // The second node of the change has an address that is taken.
    let clash = Node { address: Ipv4Addr::new(10, 10, 0, 1), ..node(3, NodeState::Planned) };
    let both = change(vec![node(2, NodeState::Planned), clash]);
    assert!(store.write(&web(), at(1), &both).await.is_err());
    let nodes = store.load_pool(&web(), at(0)).await.expect("a pool").nodes;
    assert_eq!(nodes.len(), 1, "no node of the failed change");
    assert_eq!(journal_rows(&store).await, 1, "and no word of it");
    // The journal fails: a row with the next number is there already.
    sqlx::query("INSERT INTO journal VALUES (9, 0, 'web', NULL, 'x', '{}', '', 'z')")
        .execute(&store.writer)
        .await
        .expect("an insertion");
    sqlx::query(
        "CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'full'); END",
    )
    .execute(&store.writer)
    .await
    .expect("a trigger");
    let failed = store.write(&web(), at(1), &change(vec![node(2, NodeState::Planned)])).await;
    assert!(failed.is_err());
    let nodes = store.load_pool(&web(), at(0)).await.expect("a pool").nodes;
    assert_eq!(nodes.len(), 1, "what can't be told is not done");
}

#[tokio::test]
async fn two_living_nodes_never_share_an_address_and_a_freed_one_may_be_used_again() {
    let store = store().await;
    let first = node(1, NodeState::InService);
    let second = Node { address: first.address, ..node(2, NodeState::Planned) };
    store.write(&web(), at(0), &change(vec![first.clone()])).await.expect("the store works");
    assert!(store.write(&web(), at(1), &change(vec![second.clone()])).await.is_err());
    let elsewhere = Node { vlan: "other".into(), ..second.clone() };
    store.write(&web(), at(1), &change(vec![elsewhere])).await.expect("another VLAN");
    let gone = Node { state: NodeState::Deleted, state_since: at(50), ..first.clone() };
    store.write(&web(), at(2), &change(vec![gone])).await.expect("the store works");
    let uses = store.addresses("app", at(0)).await.expect("addresses");
    assert_eq!(uses.get(&first.address), Some(&AddressUse::FreedAt(at(50))));
    let third = Node { address: first.address, ..node(3, NodeState::Planned) };
    store.write(&web(), at(3), &change(vec![third])).await.expect("it is free");
    let uses = store.addresses("app", at(0)).await.expect("addresses");
    assert_eq!(uses.get(&first.address), Some(&AddressUse::Held));
}

#[tokio::test]
async fn addresses_that_were_freed_long_ago_are_as_good_as_new() {
    let store = store().await;
    store.write(&web(), at(0), &change(vec![node(1, NodeState::Deleted)])).await.expect("works");
    assert_eq!(store.addresses("app", at(1)).await.expect("addresses").len(), 1);
    assert_eq!(store.addresses("app", at(2)).await.expect("addresses").len(), 0);
}

#[tokio::test]
async fn a_changed_or_missing_journal_row_is_noticed() {
    for (damage, row) in [
        ("UPDATE journal SET document = replace(document, 'needs', 'wants') WHERE sequence = 3", 3),
        ("UPDATE journal SET at_milliseconds = at_milliseconds + 1 WHERE sequence = 2", 2),
        ("UPDATE journal SET pool = 'api' WHERE sequence = 1", 1),
        ("UPDATE journal SET node = NULL WHERE sequence = 4", 4),
        ("UPDATE journal SET kind = 'decided' WHERE sequence = 2", 2),
        ("DELETE FROM journal WHERE sequence = 2", 2),
        ("DELETE FROM journal WHERE sequence = 1", 1),
        ("UPDATE journal SET sequence = 99 WHERE sequence = 5", 99),
    ] {
        let store = store().await;
        let nodes = (1..=5).map(|number| node(number, NodeState::Planned)).collect();
        store.write(&web(), at(0), &change(nodes)).await.expect("the store works");
        assert_eq!(store.verify_journal().await.expect("a whole chain"), 5);
        sqlx::query(damage).execute(&store.writer).await.expect("damage");
        let found = store.verify_journal().await.expect_err(damage).to_string();
        assert!(found.contains(&format!("journal row {row} ")), "{damage}: {found}");
    }
}

#[tokio::test]
async fn a_second_daemon_on_the_same_file_is_refused_and_told_who_has_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("windlass.db");
    let first = Store::open(&path).await.expect("a new file");
    let refused = Store::open(&path).await.expect_err("it is in use").to_string();
    assert!(refused.contains(&path.display().to_string()), "{refused}");
    assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
    assert!(refused.contains("stop that process"), "{refused}");
    let beside = Store::open_beside(&path).await.expect("whoever only reads is let in");
    assert_eq!(journal_rows(&beside).await, 0);
    first.close().await;
    drop(first);
    Store::open(&path).await.expect("its holder is gone");
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_named_with_its_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").expect("a file");
    for (path, help) in [
        (folder.path().join("missing/windlass.db"), "does not exist; make it"),
        (file.join("windlass.db"), "does not exist; make it"),
        (folder.path().to_path_buf(), "or name another `database`"),
    ] {
        let error = Store::open(&path).await.expect_err("it can't be opened");
        let said = error.to_string();
        assert!(said.contains(&path.display().to_string()) && said.contains(help), "{said}");
        assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    }
    let missing = folder.path().join("none.db");
    assert!(Store::open_beside(&missing).await.is_err(), "reading makes no file");
    assert!(!missing.exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("windlass.db");
    let text = "this is a letter and no database at all, ".repeat(40);
    std::fs::write(&path, &text).expect("a file");
    let said = Store::open(&path).await.expect_err("no database").to_string();
    assert!(said.contains(&path.display().to_string()), "{said}");
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), text);
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("windlass.db");
    let store = Store::open(&path).await.expect("a new file");
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99, 'later', 1, x'00', 0)",
    )
    .execute(&store.writer)
    .await
    .expect("a row");
    store.close().await;
    drop(store);
    let said = Store::open(&path).await.expect_err("a newer file").to_string();
    assert!(said.contains("newer"), "{said}");
}

#[tokio::test]
async fn pruning_keeps_what_is_recent_alive_or_in_the_journal() {
    let store = store().await;
    let nodes = vec![
        node(1, NodeState::InService),
        node(2, NodeState::Deleted),
        Node { state_since: at(900), ..node(3, NodeState::Deleted) },
    ];
    store.write(&web(), at(0), &change(nodes)).await.expect("the store works");
    for (number, seconds, found) in [(1, 0, 1), (2, 0, 0), (3, 900, 1), (4, 900, 0)] {
        // With one node found the count holds; with none the first decision raises it.
        write_decision(&store, number, seconds, found).await;
    }
    let minute = Duration::from_secs(60);
    let keep = Retention {
        idle_decisions: minute,
        decisions: Duration::from_secs(10_000),
        samples: minute,
        nodes: minute,
        hints: minute,
        journal: None,
        messages: minute,
    };
    let gone = store.prune(at(930), keep).await.expect("the store works");
    let left = store.decisions(&web(), at(10_000), 10).await.expect("decisions");
    let idle = |seconds| {
        let at = at(seconds);
        left.iter().filter(|one| one.at == at && one.decision.from == one.decision.to).count()
    };
    assert_eq!(idle(0), 0, "old decisions that changed nothing go");
    assert_ne!(idle(900), 0, "new ones stay");
    let nodes = store.load_pool(&web(), at(-1)).await.expect("a pool").nodes;
    let ids: Vec<u128> = nodes.iter().map(|node| node.id.0.as_u128()).collect();
    assert_eq!(ids, [1, 3], "the living stay, and who ended lately");
    assert!(0 < gone);
    assert_eq!(store.verify_journal().await.expect("a whole chain"), 3, "the journal stays");
    assert_eq!(store.prune(at(930), keep).await.expect("the store works"), 0, "once is enough");
}

#[tokio::test]
async fn a_command_is_in_force_until_it_expires_and_journaled_once() {
    let store = store().await;
    let command = Command {
        id: Uuid::from_u128(1),
        kind: CommandKind::Hold,
        reason: "a rehearsal".into(),
        owner: "operator".into(),
        given_at: at(0),
        expires_at: after(at(0), Duration::from_secs(60)),
    };
    store.add_command(&web(), &command).await.expect("the store works");
    let seen = store.see_commands(&web(), at(1)).await.expect("commands");
    assert_eq!(seen, std::slice::from_ref(&command));
    assert_eq!(journal_rows(&store).await, 0, "seeing leaves no trace");
    for seconds in [1, 2, 59] {
        let taken = store.take_commands(&web(), at(seconds)).await.expect("commands");
        assert_eq!(taken, std::slice::from_ref(&command));
        assert_eq!(journal_rows(&store).await, 1);
    }
    assert_eq!(store.take_commands(&web(), at(60)).await.expect("commands"), []);
    let other = "api".parse().expect("a legal name");
    assert_eq!(store.take_commands(&other, at(1)).await.expect("commands"), []);
}

#[tokio::test]
async fn decisions_come_back_newest_first_as_they_were_made() {
    let store = store().await;
    let first = write_decision(&store, 1, 0, 1).await;
    let second = write_decision(&store, 2, 5, 2).await;
    let all = store.decisions(&web(), at(100), 10).await.expect("decisions");
    let made: Vec<&Decision> = all.iter().map(|record| &record.decision).collect();
    assert_eq!(made, [&second, &first]);
    for record in &all {
        assert_eq!(decide(&policy(), &record.observation), record.decision, "made again");
    }
    let until = store.decisions(&web(), at(4), 10).await.expect("decisions");
    assert_eq!(until.len(), 1);
}

#[tokio::test]
async fn the_lengths_of_phases_are_summed_up_by_their_middle_and_upper_end() {
    let store = store().await;
    let phases = (1..=10u128)
        .map(|number| (NodeId(Uuid::from_u128(number)), Phase::Boot, number as f64))
        .collect();
    let change = Change { phases, ..Change::default() };
    store.write(&web(), at(0), &change).await.expect("the store works");
    let learned = store.learned(&web()).await.expect("phases");
    assert_eq!(learned.len(), 1);
    let boot = learned[0];
    assert_eq!((boot.nodes, boot.median_seconds, boot.p90_seconds), (10, 5.0, 9.0));
    let one = store.phases_of(NodeId(Uuid::from_u128(3))).await.expect("phases");
    assert_eq!(one, [("boot".to_string(), 3.0)]);
}

#[tokio::test]
async fn only_whole_lives_are_told_each_as_the_sum_of_its_own_phases() {
    let store = store().await;
    let node = |number| NodeId(Uuid::from_u128(number));
    let mut phases = Vec::new();
    for (number, factor) in [(1, 1.0), (2, 3.0)] {
        for (phase, seconds) in Phase::ALL.into_iter().zip([1.0, 40.0, 50.0, 5.0, 20.0, 10.0]) {
            phases.push((node(number), phase, factor * seconds));
        }
    }
    // Two that are not whole: one has only booted, one began under an older version.
    phases.push((node(3), Phase::Boot, 7.0));
    phases.push((node(4), Phase::Drain, 7.0));
    let change = Change { phases, ..Change::default() };
    store.write(&web(), at(0), &change).await.expect("the store works");
    let mut lives = store.lives(&web()).await.expect("lives");
    lives.to_serve.sort_by(f64::total_cmp);
    lives.to_leave.sort_by(f64::total_cmp);
    assert_eq!(lives, Lives { to_serve: vec![96.0, 288.0], to_leave: vec![30.0, 90.0] });
}

#[tokio::test]
async fn a_new_file_gets_every_table_and_survives_a_power_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("windlass.db")).await.expect("a new file");
    let tables = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .fetch_all(&store.reader)
        .await
        .expect("a schema");
    let names: Vec<String> = tables.iter().map(|row| row.get(0)).collect();
    for table in
        ["commands", "decisions", "hints", "journal", "learned", "nodes", "pools", "samples"]
    {
        assert!(names.iter().any(|name| name == table), "{table} of {names:?}");
    }
    let ask = async |what: &'static str| -> String {
        let row = sqlx::query(what).fetch_one(&store.writer).await.expect("a setting");
        row.try_get::<String, _>(0).unwrap_or_else(|_| row.get::<i64, _>(0).to_string())
    };
    assert_eq!(ask("PRAGMA journal_mode").await, "wal");
    assert_eq!(ask("PRAGMA synchronous").await, "2", "FULL");
}

fn announced(number: u128, starts: i64) -> Announcement {
    let hint = Hint {
        id: HintId(Uuid::from_u128(number)),
        kind: "lunch".parse().expect("a legal name"),
        announced_at: at(0),
        starts_at: at(starts),
        size: HintSize::Devices(2_000_000),
        spread: Duration::from_secs(120),
        tail: Some(Duration::from_secs(300)),
        reason: "lunch push".into(),
        source: HintSource::Person,
    };
    Announcement { hint, owner: "ann".into() }
}

#[tokio::test]
async fn pruning_keeps_of_each_kind_the_last_campaigns_that_taught() {
    let (store, pool) = (store().await, web());
    // One each hour, over after 420 s; every second of the first fifty taught something.
    let campaigns: Vec<Announcement> =
        (1..=60).map(|number| announced(number, number as i64 * 3_600)).collect();
    store.add_hints(&pool, &campaigns).await.expect("written");
    store.add_hints(&pool, &campaigns).await.expect("a second time changes nothing");
    let taught = Response { factor: 0.4, campaigns: 1, ..Response::USUAL };
    for campaign in campaigns[..50].iter().step_by(2) {
        let id = campaign.hint.id;
        store.keep_response(id, Some(&taught), at(300_000)).await.expect("written");
    }
    let keep = Retention {
        idle_decisions: Duration::MAX,
        decisions: Duration::MAX,
        samples: Duration::MAX,
        nodes: Duration::MAX,
        hints: Duration::from_secs(3_600),
        journal: None,
        messages: Duration::MAX,
    };
    // Those that began up to two hours ago stay in any case: 56 to 60 are over or yet to end.
    let gone = store.prune(at(57 * 3_600), keep).await.expect("the store works");
    let left = store.hints(&pool, at(-1)).await.expect("read");
    let left: Vec<u128> =
        left.iter().map(|record| record.announcement.hint.id.0.as_u128()).collect();
    let last_that_taught = (1..=50).step_by(2).skip(5);
    let expected: Vec<u128> = last_that_taught.chain(56..=60).collect();
    assert_eq!(left, expected);
    assert_eq!(gone, 60 - 25);
    let known = store.responses_like(&pool, &campaigns[0].hint).await.expect("read");
    assert_eq!(known.len(), 20, "as many as are ever asked for");
    assert_eq!(store.prune(at(57 * 3_600), keep).await.expect("the store works"), 0);
}

#[tokio::test]
async fn a_campaign_is_told_once_and_what_it_taught_is_found_by_its_kind() {
    let (store, pool) = (store().await, web());
    let (first, second) = (announced(1, 3_600), announced(2, 7_200));
    store.add_hints(&pool, &[second.clone(), first.clone()]).await.expect("written");
    let known = store.hints(&pool, at(60)).await.expect("read");
    let known: Vec<_> = known.into_iter().map(|record| record.announcement).collect();
    assert_eq!(known, [first.clone(), second.clone()], "by their start, and every field survives");
    assert!(store.hints(&"api".parse().expect("a name"), at(0)).await.expect("read").is_empty());

    store.tell_hints(&pool, at(60), |_, _| Default::default()).await.expect("written");
    let cancelled = store.cancel_hint(&pool, second.hint.id, "bob", at(70)).await.expect("written");
    assert!(cancelled);
    for _ in 0..2 {
        store.tell_hints(&pool, at(80), |_, _| Default::default()).await.expect("written");
    }
    let journal = store.journal(&pool, i64::MAX, 10).await.expect("a journal");
    let kinds: Vec<_> = journal.iter().rev().map(|record| record.entry.kind()).collect();
    assert_eq!(kinds, ["announced", "announced", "hint_cancelled"], "each once");

    let over = at(3_600 + 120 + 300);
    assert!(store.hints_to_learn_from(&pool, at(4_019)).await.expect("read").is_empty());
    let to_learn = store.hints_to_learn_from(&pool, over).await.expect("read");
    assert_eq!(to_learn, std::slice::from_ref(&first.hint));
    let taught = Response { factor: 0.4, campaigns: 1, ..Response::USUAL };
    store.keep_response(first.hint.id, Some(&taught), over).await.expect("written");
    assert!(store.hints_to_learn_from(&pool, at(90_000)).await.expect("read").is_empty());
    assert_eq!(store.responses_like(&pool, &second.hint).await.expect("read"), [taught]);
    let mut other = second.hint;
    other.kind = "evening".parse().expect("a legal name");
    assert!(store.responses_like(&pool, &other).await.expect("read").is_empty());
}

#[tokio::test]
async fn a_store_in_memory_outlives_a_use_that_was_given_up_midway() {
    let store = store().await;
    let entry = Entry::Suppressed { what: "anything".into() };
    let change = Change { entries: vec![(None, entry)], ..Change::default() };
    store.write(&web(), at(1), &change).await.expect("the store works");
    // What is given up between two answers takes its connection with it.
    let connection = store.writer.acquire().await.expect("a connection");
    connection.close().await.expect("it can be closed");
    assert_eq!(store.verify_journal().await.expect("all is there"), 1);
    let other = Store::in_memory().await.expect("memory to spare");
    assert_eq!(other.verify_journal().await.expect("a store of its own"), 0);
}
