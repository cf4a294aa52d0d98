//! The pace against Kubernetes' HPA, case by case.
//!
//! Source: `pkg/controller/podautoscaler/horizontal.go`. By hand from
//! `calculateScaleUpLimitWithScalingRules`, `calculateScaleDownLimitWithBehaviors` and
//! `getReplicasChangePerPeriod`: a period begins with `current - added + removed`, where only
//! changes younger than the period count; `Max` takes the largest change, `Min` the smallest,
//! `Disabled` none; `convertDesiredReplicasWithBehaviorRate` keeps the present count where that
//! limit lies beyond it.

use super::fixture::*;
use super::{Direction, Reason, ScaleEvent};
use crate::domain::{NodeCount, after, before};
use crate::policy::{Pace, PaceSelect};

/// The same pace in both directions, and nothing else that guards.
fn pool(from: u32, wants: u32, paces: &[Pace], select: PaceSelect) -> Pool {
    let mut policy = policy();
    policy.bounds.min = NodeCount(0);
    policy.bounds.default = NodeCount(0);
    policy.bounds.max = NodeCount(10_000);
    policy.scale_out.pace = paces.to_vec();
    policy.scale_out.pace_select = select;
    policy.scale_in.pace = paces.to_vec();
    policy.scale_in.pace_select = select;
    Pool::settled(policy, from).reads("requests", f64::from(wants) * 400.0)
}

/// A change of the count so many seconds ago.
fn changed(seconds_ago: u64, from: u32, to: u32) -> ScaleEvent {
    let at = before(noon(), seconds(seconds_ago));
    ScaleEvent { at, before: NodeCount(from), after: NodeCount(to) }
}

#[test]
fn each_selection_of_limits_moves_the_count_as_kubernetes_does() {
    use PaceSelect::{Disabled, Largest, Smallest};
    let minute = seconds(60);
    let both = [nodes_per(4, minute), percent_per(100.0, minute)];
    let few = [nodes_per(3, minute), percent_per(10.0, minute)];
    for (from, wants, paces, select, count, because) in [
        (3, 90, &both[..], Largest, 7, "3 + 4 is more than 3 × 2"),
        (3, 90, &both[..], Smallest, 6, "3 × 2 is less than 3 + 4"),
        (3, 90, &both[..], Disabled, 3, "no rise at all"),
        (3, 90, &[], Disabled, 3, "no rise at all, though nothing limits it"),
        (3, 90, &[], Smallest, 90, "nothing limits it"),
        (3, 5, &both[..], Smallest, 5, "within both"),
        (100, 900, &both[..], Largest, 200, "100 × 2"),
        (100, 900, &both[..], Smallest, 104, "100 + 4"),
        (100, 900, &few[..], Largest, 111, "ceil(100 × 1.1), noise and all"),
        (15, 90, &few[..], Smallest, 17, "ceil(16.5)"),
        (100, 0, &both[..], Largest, 0, "100 × 0"),
        (100, 0, &both[..], Smallest, 96, "100 - 4"),
        (100, 0, &both[..], Disabled, 100, "no fall at all"),
        (100, 0, &[], Disabled, 100, "no fall at all, though nothing limits it"),
        (15, 0, &few[..], Largest, 12, "15 - 3 is less than floor(13.5)"),
        (15, 0, &few[..], Smallest, 13, "floor(13.5) is more than 15 - 3"),
        (2, 0, &few[..], Largest, 0, "2 - 3 is below zero"),
        (2, 0, &few[..], Smallest, 1, "floor(1.8)"),
        (0, 9, &few[..], Largest, 3, "0 + 3"),
        (0, 9, &few[..], Smallest, 0, "10 % of nothing"),
    ] {
        let decision = pool(from, wants, paces, select).would_decide();
        assert_eq!(to(&decision), count, "{from} → {wants}, {select:?}: {because}");
    }
}

#[test]
fn a_limit_says_when_the_first_change_of_its_direction_stops_counting() {
    let paces = [nodes_per(4, seconds(60)), nodes_per(4, seconds(300))];
    let changes =
        vec![changed(290, 9, 6), changed(240, 6, 8), changed(60, 8, 9), changed(20, 9, 10)];
    for (wants, direction, in_seconds) in [(50, Direction::Out, 40), (0, Direction::In, 10)] {
        let mut pool = pool(10, wants, &paces, PaceSelect::Smallest);
        pool.look.history.scale_events = changes.clone();
        let decision = pool.would_decide();
        let Reason::LimitedByPace { direction: way, until, .. } = &decision.reasons[0] else {
            panic!("{:?}", decision.reasons)
        };
        assert_eq!((*way, *until), (direction, Some(after(noon(), seconds(in_seconds)))));
    }
    let decision = pool(10, 50, &paces, PaceSelect::Smallest).would_decide();
    let Reason::LimitedByPace { until, .. } = &decision.reasons[0] else { panic!("it is limited") };
    assert_eq!(*until, None, "nothing changed, so nothing ends");
}

#[test]
fn changes_of_both_directions_count_until_they_are_as_old_as_the_period() {
    use PaceSelect::{Largest, Smallest};
    let four = [nodes_per(4, seconds(60))];
    let half = [percent_per(50.0, seconds(60))];
    let two_periods = [nodes_per(4, seconds(60)), nodes_per(9, seconds(300))];
    let none = vec![];
    for (from, wants, paces, select, events, count, because) in [
        (10, 50, &four[..], Largest, none, 14, "nothing changed lately"),
        (10, 50, &four[..], Largest, vec![changed(59, 7, 10)], 11, "three of the four are used"),
        (10, 50, &four[..], Largest, vec![changed(60, 7, 10)], 14, "as old as the period"),
        (10, 50, &four[..], Largest, vec![changed(9, 4, 10)], 10, "more than the four are used"),
        (10, 50, &four[..], Largest, vec![changed(9, 13, 10)], 17, "what was taken may come back"),
        (
            10,
            50,
            &four[..],
            Largest,
            vec![changed(30, 8, 12), changed(10, 12, 10)],
            12,
            "the period began with 10 - 4 + 2 = 8",
        ),
        (10, 50, &half[..], Largest, vec![changed(9, 8, 10)], 12, "ceil(8 × 1.5)"),
        (10, 50, &half[..], Largest, vec![changed(9, 13, 10)], 20, "ceil(13 × 1.5)"),
        (
            10,
            50,
            &two_periods[..],
            Largest,
            vec![changed(200, 4, 10)],
            14,
            "10 + 4 in a minute, 4 + 9 in five",
        ),
        (
            10,
            50,
            &two_periods[..],
            Smallest,
            vec![changed(200, 4, 10)],
            13,
            "10 + 4 in a minute, 4 + 9 in five",
        ),
        (10, 0, &four[..], Largest, vec![changed(59, 13, 10)], 9, "three of the four are used"),
        (10, 0, &four[..], Largest, vec![changed(60, 13, 10)], 6, "as old as the period"),
        (10, 0, &four[..], Largest, vec![changed(9, 16, 10)], 10, "more than the four are used"),
        (10, 0, &four[..], Largest, vec![changed(9, 7, 10)], 3, "what was added may go again"),
        (10, 0, &half[..], Largest, vec![changed(9, 13, 10)], 6, "floor(13 / 2)"),
        (
            10,
            0,
            &two_periods[..],
            Smallest,
            vec![changed(200, 16, 10)],
            7,
            "10 - 4 in a minute, 16 - 9 in five",
        ),
    ] {
        let mut pool = pool(from, wants, paces, select);
        pool.look.history.scale_events = events.clone();
        assert_eq!(to(&pool.would_decide()), count, "{from} → {wants}, {events:?}: {because}");
    }
}

#[test]
fn a_change_is_remembered_until_no_pace_counts_it() {
    let paces = [nodes_per(4, seconds(20)), nodes_per(9, seconds(60))];
    for (later, remembered) in [(59, 1), (60, 0)] {
        let mut pool = pool(4, 6, &paces, PaceSelect::Largest);
        assert_eq!(to(&pool.decides()), 6);
        let history = pool.decides_after(seconds(later)).history;
        assert_eq!(history.scale_events.len(), remembered, "{later} s later");
    }
}

#[test]
fn a_direction_that_is_disabled_says_so_and_lets_the_other_move() {
    let mut pool = pool(10, 4, &[], PaceSelect::Largest);
    pool.policy.scale_in.pace_select = PaceSelect::Disabled;
    let decision = pool.would_decide();
    assert_eq!((to(&decision), why(&decision)[0]), (10, "direction_disabled"));
    assert_eq!(decision.direction(), Direction::Hold);
    pool.set("requests", 8_000.0);
    assert_eq!(to(&pool.would_decide()), 20);
}

#[test]
fn the_bounds_move_a_pool_whose_directions_are_disabled() {
    for (from, count) in [(1, 2), (90, 40)] {
        let mut pool = Pool::settled(policy(), from).reads("requests", 4_000.0);
        pool.policy.scale_out.pace_select = PaceSelect::Disabled;
        pool.policy.scale_in.pace_select = PaceSelect::Disabled;
        assert_eq!(to(&pool.would_decide()), count);
    }
}
