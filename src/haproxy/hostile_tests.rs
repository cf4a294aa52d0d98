//! Answers of a runtime API that is none, or not quite.

use proptest::prelude::*;
use tokio::io::AsyncWriteExt;

use super::info::{Info, Version};
use super::reply::understand;
use super::state;
use super::statistics::Statistics;
use super::transport::{ExchangeError, converse};
use crate::hostile_tests::{hostile_text, nested};

const RECORDED: [&str; 5] = [
    include_str!("recorded/2.6-info.txt"),
    include_str!("recorded/2.6-servers-state.txt"),
    include_str!("recorded/2.6-stat.txt"),
    include_str!("recorded/3.2-stat.txt"),
    "[3]:Server not found.\n\nNo such backend.\nPermission denied\n",
];

proptest! {
    #[test]
    fn no_answer_makes_a_reader_panic_or_grow_beyond_it(text in hostile_text(&RECORDED)) {
        let _ = understand(&text);
        let _ = text.parse::<Version>();
        let _ = Info::parse(&text);
        if let Ok(rows) = state::parse(&text) {
            prop_assert!(rows.len() <= text.lines().count());
        }
        if let Ok(statistics) = Statistics::parse(&text) {
            prop_assert!(statistics.sessions_by_address().count() <= text.lines().count());
            let _ = statistics.queued();
        }
    }
}

#[test]
fn brackets_without_end_are_no_answer() {
    let text = nested("[", "]");
    let _ = understand(&text);
    assert!(Info::parse(&text).is_err());
    assert!(state::parse(&text).is_err());
}

#[tokio::test]
async fn an_answer_without_end_is_refused_once_it_is_too_large() {
    let (ours, mut theirs) = tokio::io::duplex(1 << 20);
    let flood = async move {
        let chunk = vec![b'x'; 1 << 20];
        while theirs.write_all(&chunk).await.is_ok() {}
    };
    let (answer, ()) = tokio::join!(converse(ours, "show info"), flood);
    assert!(matches!(answer, Err(ExchangeError::TooLarge)), "{answer:?}");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_replaced() {
    let (ours, mut theirs) = tokio::io::duplex(1 << 10);
    let babble = async move {
        theirs.write_all(&[0xff, b'a', 0xc3]).await.expect("room");
    };
    let (answer, ()) = tokio::join!(converse(ours, "show info"), babble);
    assert_eq!(answer.expect("an answer"), "\u{fffd}a\u{fffd}");
}
