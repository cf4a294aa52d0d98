//! What becomes of instances that are no node of ours.

use super::super::{Note, Orphan, OrphanKept, sweep};
use super::fixture::at;
use crate::domain::{Duration, InstanceId, Timestamp};
use crate::policy::{OrphanEnd, Orphans};

const DELETES: Orphans = Orphans { keep_for: Duration::from_secs(3_600), then: OrphanEnd::Delete };

/// One that is ripe: ours by tag and label, seen for an hour.
fn orphan(number: u64) -> Orphan {
    Orphan {
        instance: InstanceId(number),
        label: format!("web-{number:012x}"),
        since: at(0),
        listings: 2,
        has_our_label: true,
        is_disowned: false,
        may_serve: false,
        is_going: false,
    }
}

/// The one that is deleted now, and why each is still there.
fn told(orphans: &[Orphan], policy: Orphans, now: Timestamp) -> (Option<u64>, Vec<OrphanKept>) {
    let (notes, deleted) = sweep(orphans, policy, at(-3_600), now);
    let kept = notes.into_iter().map(|note| match note {
        Note::Orphan { kept, .. } => kept,
        other => panic!("{other:?} is about no orphan"),
    });
    (deleted.map(|orphan| orphan.instance.0), kept.collect())
}

#[test]
fn only_what_is_ours_by_every_sign_and_serves_nobody_is_deleted() {
    let reports = Orphans { then: OrphanEnd::Report, ..DELETES };
    let until = at(3_600);
    let ripe = orphan(1);
    for (orphan, policy, now, kept) in [
        (ripe.clone(), DELETES, at(3_600), OrphanKept::Due),
        (ripe.clone(), DELETES, at(3_599), OrphanKept::Quarantined { until }),
        (ripe.clone(), reports, at(9_999), OrphanKept::Reported),
        (
            Orphan { has_our_label: false, ..ripe.clone() },
            DELETES,
            at(9_999),
            OrphanKept::StrangeLabel,
        ),
        (Orphan { is_disowned: true, ..ripe.clone() }, DELETES, at(9_999), OrphanKept::Disowned),
        (Orphan { may_serve: true, ..ripe.clone() }, DELETES, at(9_999), OrphanKept::MayServe),
        (Orphan { is_going: true, ..ripe.clone() }, DELETES, at(9_999), OrphanKept::Going),
    ] {
        let deleted = (kept == OrphanKept::Due).then_some(1);
        assert_eq!(
            told(std::slice::from_ref(&orphan), policy, now),
            (deleted, vec![kept]),
            "{orphan:?}"
        );
    }
}

#[test]
fn one_listing_alone_deletes_nothing() {
    let once = Orphan { listings: 1, ..orphan(1) };
    assert_eq!(told(&[once], DELETES, at(9_999)), (None, vec![OrphanKept::Due]));
}

#[test]
fn the_oldest_goes_first_and_the_next_a_minute_later() {
    let later = Orphan { since: at(5), ..orphan(1) };
    let orphans = [later, orphan(2), orphan(3)];
    let deleted = |last, now| sweep(&orphans, DELETES, at(last), at(now)).1.cloned();
    assert_eq!(deleted(0, 9_000), Some(orphan(2)));
    assert_eq!(deleted(8_941, 9_000), None, "59 s after the last one");
    assert_eq!(deleted(8_940, 9_000), Some(orphan(2)));
}
