//! What a chart is drawn from: thinned without losing a peak, and as of before the points were kept.

use sqlx::Executor;

use super::{Buckets, FreezeKind, Store};
use crate::domain::{PoolName, Timestamp};

fn web() -> PoolName {
    "web".parse().expect("a legal name")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_000_000 + seconds).expect("a time in range")
}

fn buckets(since: i64, until: i64, seconds: i64) -> Buckets {
    Buckets { since: at(since), until: at(until), milliseconds: seconds * 1_000 }
}

/// A point every ten seconds from zero on: `(serving, on the way, held, blind)`.
async fn store_of(points: &[(u32, u32, bool, bool)]) -> Store {
    let store = Store::in_memory().await.expect("memory to spare");
    for (place, (serving, coming, held, blind)) in points.iter().enumerate() {
        let moment = at(10 * place as i64).as_millisecond();
        let statement = "INSERT INTO points VALUES ('web', ?1, ?2, ?3, ?4, 0, 0, ?5, ?6)";
        sqlx::query(statement)
            .bind(moment)
            .bind(serving + coming)
            .bind(serving)
            .bind(coming)
            .bind(held)
            .bind(blind)
            .execute(&store.writer)
            .await
            .expect("a row");
    }
    store
}

#[tokio::test]
async fn a_peak_of_one_look_is_in_the_bucket_it_came_to() {
    let mut points = vec![(3, 0, false, false); 12];
    points[4] = (3, 6, false, false);
    points[7] = (1, 0, false, false);
    let store = store_of(&points).await;
    let bands = store.count_bands(&web(), buckets(0, 180, 60)).await.expect("bands");
    assert_eq!(bands.committed.high, [Some(9), Some(3), None]);
    assert_eq!(bands.serving.low, [Some(3), Some(1), None], "nothing is known of the last one");
    assert_eq!(bands.on_the_way.high, [Some(6), Some(0), None]);
    let later = store.count_bands(&web(), buckets(60, 120, 30)).await.expect("bands");
    assert_eq!(later.serving.low, [Some(1), Some(3)], "a bucket's beginning belongs to it");
}

#[tokio::test]
async fn a_freeze_goes_from_the_first_decision_under_it_to_the_first_after_it() {
    let mut points = vec![(3, 0, false, false); 12];
    for point in &mut points[2..5] {
        point.2 = true;
    }
    for point in &mut points[4..12] {
        point.3 = true;
    }
    let store = store_of(&points).await;
    let freezes = store.freezes(&web(), buckets(0, 200, 10)).await.expect("freezes");
    let told: Vec<_> = freezes.iter().map(|one| (one.kind, one.since, one.until)).collect();
    let (held, blind) = (FreezeKind::Held, FreezeKind::Blind);
    assert_eq!(told, [(held, at(20), at(50)), (blind, at(40), at(110))], "one lasts still");
    let inside = store.freezes(&web(), buckets(30, 40, 10)).await.expect("freezes");
    assert_eq!(inside.len(), 1, "one that began before is seen, too: {inside:?}");
}

#[tokio::test]
async fn what_was_decided_before_points_were_kept_is_on_the_chart() {
    let store = Store::in_memory().await.expect("memory to spare");
    let observation =
        r#"{"fleet":{"serving":4,"on_the_way":2,"standby":1,"leaving":0},"is_held":true}"#;
    sqlx::query("INSERT INTO decisions VALUES ('d', 'web', ?1, 'out', 4, 6, '', ?2, ?3)")
        .bind(at(0).as_millisecond())
        .bind(observation)
        .bind(r#"{"history":{"blind_since":null}}"#)
        .execute(&store.writer)
        .await
        .expect("a row");
    let migration = include_str!("../../migrations/sqlite/0009_points.sql");
    let begins = migration.find("INSERT INTO points").expect("what is remembered is carried over");
    let (carries, _) = migration[begins..].split_once(';').expect("a statement");
    store.writer.execute(carries).await.expect("it runs");
    let bands = store.count_bands(&web(), buckets(0, 10, 10)).await.expect("bands");
    assert_eq!((bands.serving.low[0], bands.desired.high[0]), (Some(4), Some(6)));
    assert_eq!(store.freezes(&web(), buckets(0, 10, 10)).await.expect("freezes").len(), 1);
}
