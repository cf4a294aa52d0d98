//! The journal's chain, damaged in every way that one can think of; and tokens.

use super::{
    ChainEnd, Change, Entry, NewToken, PoolState, Retention, Scope, Store, StoreError, TokenId,
};
use crate::domain::{Duration, InstanceId, PoolName, Timestamp};

fn web() -> PoolName {
    "web".parse().expect("a legal name")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_000_000 + seconds).expect("a time in range")
}

/// A row for each of these seconds.
async fn write(store: &Store, seconds: std::ops::Range<i64>) {
    for second in seconds {
        let entry = Entry::Suppressed { what: format!("create {second} nodes") };
        let change = Change { entries: vec![(None, entry)], ..Change::default() };
        store.write(&web(), at(second), &change).await.expect("the store works");
    }
}

async fn damage(store: &Store, statement: &'static str) {
    sqlx::query(statement).execute(&store.writer).await.expect(statement);
}

/// The first broken row, and what is said of it.
async fn broken(store: &Store, noted: Option<&ChainEnd>) -> (i64, String) {
    match store.audit_journal(noted).await {
        Err(StoreError::Broken { sequence, what }) => (sequence, what),
        other => panic!("nothing was found: {other:?}"),
    }
}

fn keep_a_minute() -> Retention {
    let long = Duration::from_secs(1_000_000);
    Retention {
        idle_decisions: long,
        decisions: long,
        samples: long,
        nodes: long,
        hints: long,
        messages: Duration::MAX,
        journal: Some(Duration::from_secs(60)),
    }
}

const FORGED: &str = "INSERT INTO journal
    SELECT sequence + 1, at_milliseconds, pool, node, kind, document, hash, hash
    FROM journal ORDER BY sequence DESC LIMIT 1";

#[tokio::test]
async fn the_first_row_that_was_changed_removed_or_inserted_is_named() {
    for (statement, row, word) in [
        (
            "UPDATE journal SET document = replace(document, '3', '4') WHERE sequence = 4",
            4,
            "as it",
        ),
        ("UPDATE journal SET hash = previous_hash WHERE sequence = 2", 2, "as it was"),
        ("DELETE FROM journal WHERE sequence = 3", 3, "missing"),
        ("DELETE FROM journal WHERE sequence <= 2", 1, "missing"),
        ("DELETE FROM journal WHERE sequence = 5", 5, "missing"),
        ("DELETE FROM journal WHERE sequence >= 3", 3, "missing"),
        ("DELETE FROM journal", 1, "missing"),
        (FORGED, 6, "is not as it was written"),
        (
            "INSERT INTO journal SELECT 0, at_milliseconds, pool, node, kind, document, '', hash \
          FROM journal WHERE sequence = 1",
            0,
            "before the chain's beginning",
        ),
        (
            "UPDATE journal_ends SET sequence = 3, hash = (SELECT hash FROM journal \
          WHERE sequence = 3) WHERE which = 'end'",
            4,
            "somebody else",
        ),
    ] {
        let store = Store::in_memory().await.expect("a store");
        write(&store, 0..5).await;
        assert_eq!(store.verify_journal().await.expect("a whole chain"), 5);
        damage(&store, statement).await;
        let (found, what) = broken(&store, None).await;
        assert!(found == row && what.contains(word), "{statement}: row {found} {what}");
        // What comes later does not cover it up: it hangs on the end that is known.
        write(&store, 5..8).await;
        let (found, what) = broken(&store, None).await;
        let is_known = if statement.contains("journal_ends") { 6 } else { row };
        assert_eq!(found, is_known, "{statement}, and three more rows: {what}");
    }
}

#[tokio::test]
async fn a_chain_that_was_written_anew_is_known_by_an_end_that_was_noted() {
    let store = Store::in_memory().await.expect("a store");
    write(&store, 0..5).await;
    let noted = store.journal_end().await.expect("an end");
    assert_eq!(noted.to_string().parse(), Ok(noted.clone()));
    write(&store, 5..9).await;
    let chain = store.audit_journal(Some(&noted)).await.expect("a whole chain");
    assert_eq!((chain.rows, chain.end.sequence), (9, 9));

    let anew = Store::in_memory().await.expect("a store");
    write(&anew, 100..109).await;
    let (row, what) = broken(&anew, Some(&noted)).await;
    assert!(row == 5 && what.contains("written anew"), "{what}");
    let short = Store::in_memory().await.expect("a store");
    write(&short, 0..3).await;
    let (row, what) = broken(&short, Some(&noted)).await;
    assert!(row == 5 && what.contains("ends at 3:"), "{what}");
}

#[tokio::test]
async fn retention_takes_whole_rows_off_the_beginning_and_forgets_nobodys_machine() {
    let store = Store::in_memory().await.expect("a store");
    let entry = Entry::Disowned { instance: InstanceId(7), label: "theirs".into() };
    let change = Change { entries: vec![(None, entry)], ..Change::default() };
    store.write(&web(), at(0), &change).await.expect("the store works");
    write(&store, 1..100).await;
    assert_eq!(store.prune(at(110), keep_a_minute()).await.expect("it works"), 50);
    assert_eq!(store.prune(at(110), keep_a_minute()).await.expect("it works"), 0, "once is enough");
    let chain = store.audit_journal(None).await.expect("what is left is whole");
    assert_eq!((chain.rows, chain.anchor.sequence, chain.end.sequence), (50, 50, 100));
    assert_eq!(
        store.audit_journal(Some(&chain.anchor)).await.expect("the anchor was noted"),
        chain
    );
    let theirs = store.disowned(&web()).await.expect("it is kept");
    assert!(theirs.contains(&InstanceId(7)), "{theirs:?}");
    // To the last row, and on from there.
    assert_eq!(store.prune(at(1_000), keep_a_minute()).await.expect("it works"), 50);
    write(&store, 1_000..1_003).await;
    let chain = store.audit_journal(None).await.expect("the chain goes on");
    assert_eq!((chain.rows, chain.anchor.sequence, chain.end.sequence), (3, 100, 103));
    damage(&store, "UPDATE journal_ends SET sequence = 101 WHERE which = 'anchor'").await;
    assert_eq!(broken(&store, None).await.0, 101);
}

#[tokio::test]
async fn a_broken_chain_is_not_shortened_for_that_would_hide_it() {
    let store = Store::in_memory().await.expect("a store");
    write(&store, 0..20).await;
    damage(&store, "UPDATE journal SET pool = 'api' WHERE sequence = 4").await;
    let refused = store.prune(at(500), keep_a_minute()).await.expect_err("row 4 is not ours");
    assert!(refused.to_string().contains("journal row 4 "), "{refused}");
    assert_eq!(broken(&store, None).await.0, 4);
}

#[tokio::test]
async fn writers_of_two_processes_make_one_chain_and_a_backup_of_it_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("windlass.db");
    let daemon = Store::open(&path).await.expect("a new file");
    let beside = Store::open_beside(&path).await.expect("it is there");
    let tokens = async {
        for number in 0..20 {
            let token = token(number);
            beside.add_token(&token, "root", at(i64::from(number))).await.expect("it works");
        }
    };
    tokio::join!(write(&daemon, 0..20), tokens);
    let chain = daemon.audit_journal(None).await.expect("one chain");
    assert_eq!(chain.rows, 40);

    let backup = folder.path().join("backup.db");
    let statement = format!("VACUUM INTO '{}'", backup.display());
    let copied = sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&daemon.writer).await;
    copied.expect("a copy");
    write(&daemon, 20..25).await;
    let copy = Store::open_beside(&backup).await.expect("a backup");
    assert_eq!(copy.audit_journal(None).await.expect("a whole chain"), chain);
    assert!(daemon.audit_journal(Some(&chain.end)).await.is_ok());
}

#[tokio::test]
async fn a_journal_from_before_its_ends_were_noted_is_taken_over_as_it_is() {
    let store = Store::in_memory().await.expect("a store");
    write(&store, 0..5).await;
    for statement in [
        "DROP TABLE tokens",
        "DROP TABLE journal_ends",
        "DROP TABLE disowned",
        "DELETE FROM _sqlx_migrations WHERE version = 7",
    ] {
        damage(&store, statement).await;
    }
    super::open::migrator().run(&store.writer).await.expect("it comes up to this version");
    write(&store, 5..7).await;
    assert_eq!(store.verify_journal().await.expect("a whole chain"), 7);
    assert_eq!(store.load_pool(&web(), at(0)).await.expect("a pool"), PoolState::default());
}

fn token(number: u8) -> NewToken {
    NewToken {
        id: TokenId::of([number; 6]),
        owner: format!("owner {number}"),
        hash: [number; 32],
        scope: Scope::Operate,
        pools: Some([web()].into()),
        expires_at: Some(at(100)),
    }
}

#[tokio::test]
async fn a_token_is_good_until_it_expires_or_is_revoked_and_both_are_journaled() {
    let store = Store::in_memory().await.expect("a store");
    store.add_token(&token(1), "root", at(0)).await.expect("it works");
    let twin = store.add_token(&token(1), "root", at(0)).await;
    assert!(twin.is_err(), "an id is there once");
    let read = async || store.token(&token(1).id).await.expect("it works").expect("it is there");
    let found = read().await;
    assert_eq!((found.hash, found.scope), ([1; 32], Scope::Operate));
    assert!(found.is_good(at(99)) && !found.is_good(at(100)));
    assert!(store.token(&TokenId::of([9; 6])).await.expect("it works").is_none());

    for (second, noted) in [(10, 10), (69, 10), (70, 70)] {
        store.note_token_use(&read().await, at(second)).await.expect("it works");
        assert_eq!(read().await.used_at, Some(at(noted)), "at second {second}");
    }
    assert!(store.revoke_token(&read().await, "root", at(80)).await.expect("it works"));
    assert!(!store.revoke_token(&read().await, "root", at(81)).await.expect("once is enough"));
    assert!(!read().await.is_good(at(82)) && read().await.revoked_at == Some(at(80)));
    let rows = store.audit_rows(&["token_made", "token_revoked"], i64::MAX, 10).await;
    let kinds: Vec<_> = rows.expect("rows").iter().map(|row| row.entry.kind()).collect();
    assert_eq!(kinds, ["token_revoked", "token_made"]);
    let shown = serde_json::to_string(&store.tokens().await.expect("all")).expect("JSON");
    assert!(!shown.contains("hash"), "{shown}");
    assert_eq!(store.verify_journal().await.expect("a whole chain"), 2);
}
