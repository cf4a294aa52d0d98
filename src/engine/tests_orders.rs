//! What operators order, and what a pool may cost.

use super::fixture::*;
use super::{Costs, HeldChange, OrderedCount, OrderedHold, Overrides, budget_used};
use crate::domain::{Dollars, NodeCount, after};
use crate::policy::{Budget, Control, Policy};

// Overrides.

fn order(count: u32) -> Option<OrderedCount> {
    Some(OrderedCount { count: NodeCount(count), until: None })
}

fn ordered(from: u32, load: f64, overrides: Overrides) -> Pool {
    let mut pool = Pool::settled(policy(), from).reads("requests", load);
    pool.look.overrides = overrides;
    pool
}

#[test]
fn orders_stand_over_what_the_rules_want() {
    let none = Overrides::default;
    for (overrides, load, count, because, why_first) in [
        (Overrides { set: order(12), ..none() }, 4_000.0, 12, "set", "set_by_operator"),
        (Overrides { set: order(3), ..none() }, 4_000.0, 3, "set lower", "set_by_operator"),
        (Overrides { floor: order(9), ..none() }, 400.0, 9, "a floor", "raised_by_operator"),
        (Overrides { floor: order(9), ..none() }, 4_000.0, 10, "above the floor", "load_needs"),
        (Overrides { ceiling: order(7), ..none() }, 4_000.0, 7, "a ceiling", "cut_by_operator"),
        (Overrides { ceiling: order(7), ..none() }, 2_000.0, 5, "below the ceiling", "load_needs"),
        (
            Overrides { ceiling: order(7), floor: order(9), ..none() },
            4_000.0,
            9,
            "the floor counts where they cross",
            "raised_by_operator",
        ),
        (
            Overrides { set: order(5), floor: order(9), ceiling: order(3), ..none() },
            4_000.0,
            5,
            "no order moves a set count",
            "set_by_operator",
        ),
        (Overrides { set: order(90), ..none() }, 400.0, 40, "bounds come after", "cut_to_max"),
        (Overrides { set: order(0), ..none() }, 400.0, 2, "bounds come after", "raised_to_min"),
    ] {
        let decision = ordered(6, load, overrides).would_decide();
        assert_eq!((to(&decision), why(&decision)[0]), (count, why_first), "{because}");
    }
}

#[test]
fn a_direction_is_held_while_the_other_moves() {
    for (change, load, count) in [
        (HeldChange::ScaleOut, 4_000.0, 6),
        (HeldChange::ScaleOut, 1_200.0, 3),
        (HeldChange::ScaleIn, 4_000.0, 10),
        (HeldChange::ScaleIn, 1_200.0, 6),
    ] {
        let holds = vec![OrderedHold { change, until: None }];
        let decision = ordered(6, load, Overrides { holds, ..Overrides::default() }).would_decide();
        assert_eq!(to(&decision), count, "{change:?}");
        assert_eq!(count == 6, why(&decision)[0] == "direction_held_by_operator");
    }
}

#[test]
fn an_order_that_has_ended_counts_no_more() {
    let until = Some(after(noon(), minutes(10)));
    let set = Some(OrderedCount { count: NodeCount(12), until });
    let holds = vec![OrderedHold { change: HeldChange::ScaleIn, until }];
    let mut pool = ordered(6, 1_200.0, Overrides { set, holds, ..Overrides::default() });
    assert_eq!(to(&pool.decides()), 12);
    assert!(pool.decides().reasons[0].to_string().contains("until 12:10:00 UTC"));
    assert_eq!(to(&pool.decides_after(seconds(599))), 12);
    assert_eq!(to(&pool.decides_after(seconds(1))), 3);
}

#[test]
fn a_hold_is_stricter_than_any_other_order() {
    let mut pool = ordered(6, 4_000.0, Overrides { set: order(12), ..Overrides::default() });
    pool.policy.control = Control::Hold;
    assert_eq!(to(&pool.would_decide()), 6);
}

#[test]
fn orders_wait_for_no_window_pace_or_cooldown() {
    let mut pool = Pool::settled(cautious_policy(), 6).reads("requests", 2_400.0);
    pool.counts_for(minutes(10));
    pool.look.overrides.set = order(30);
    assert_eq!(to(&pool.decides_after(seconds(5))), 30);
    pool.look.overrides.set = order(3);
    assert_eq!(to(&pool.decides_after(seconds(5))), 3);
}

// Budget.

fn dollars(amount: f64) -> Dollars {
    Dollars::new(amount).expect("a sane amount")
}

/// A node costs 3.6 cents an hour; half of a month of 30 days is left.
fn costs(spent: f64) -> Costs {
    Costs {
        node_hourly: Some(dollars(0.036)),
        spent: dollars(spent),
        paid_ahead: Dollars::default(),
        month_seconds_left: 15 * 86_400,
    }
}

fn budget(hourly: Option<f64>, monthly: Option<f64>) -> Budget {
    let (hourly, monthly) = (hourly.map(dollars), monthly.map(dollars));
    Budget { hourly, monthly, soft: percent(80.0) }
}

fn on_a_budget(from: u32, load: f64, budget: Budget, costs: Option<Costs>) -> Pool {
    let mut pool = Pool::settled(policy(), from).reads("requests", load);
    pool.policy.budget = Some(budget);
    pool.look.costs = costs;
    pool
}

#[test]
fn a_budget_caps_the_count_by_the_hour_and_by_what_is_left_of_the_month() {
    for (hourly, monthly, spent, count, because) in [
        (Some(0.36), None, 0.0, 10, "ten nodes cost exactly that"),
        (Some(0.3599), None, 0.0, 9, "and not a hundredth of a cent less"),
        (None, Some(200.0), 0.0, 15, "200 / (0.036 × 360) is 15.4"),
        (None, Some(200.0), 100.0, 7, "100 are left"),
        (Some(0.36), Some(200.0), 100.0, 7, "the tighter one counts"),
        (Some(0.18), Some(200.0), 100.0, 5, "the tighter one counts"),
        (None, Some(200.0), 200.0, 2, "nothing is left, and the smallest count holds"),
        (None, Some(200.0), 900.0, 2, "overspent, and the smallest count holds"),
        (Some(100.0), None, 0.0, 20, "a generous one changes nothing"),
    ] {
        let budget = budget(hourly, monthly);
        let decision = on_a_budget(4, 8_000.0, budget, Some(costs(spent))).would_decide();
        assert_eq!(to(&decision), count, "{because}");
        assert_eq!(why(&decision)[0] == "cut_by_budget", count != 20, "{because}");
    }
}

#[test]
fn a_budget_that_is_used_up_takes_nodes_though_they_are_needed() {
    let pool = on_a_budget(20, 8_000.0, budget(Some(0.36), None), Some(costs(0.0)));
    assert_eq!(to(&pool.would_decide()), 10);
}

#[test]
fn an_hour_that_was_paid_ahead_is_not_paid_twice() {
    // 15 nodes have just begun an hour: 54 cents are spent, and not used yet.
    let mut spent = costs(5.0 + 15.0 * 0.036);
    let tight = budget(None, Some(5.0 + 15.0 * 0.036 * 360.0));
    assert_eq!(to(&on_a_budget(15, 6_000.0, tight, Some(spent)).would_decide()), 14);
    spent.paid_ahead = dollars(15.0 * 0.036);
    assert_eq!(to(&on_a_budget(15, 6_000.0, tight, Some(spent)).would_decide()), 15);
}

#[test]
fn without_a_price_nodes_may_leave_and_none_may_come() {
    let unknown = Costs { node_hourly: None, ..costs(0.0) };
    for costs in [None, Some(unknown)] {
        for (from, load, count, because) in [
            (6, 8_000.0, 6, "none may come"),
            (6, 1_200.0, 3, "some may leave"),
            (6, 2_400.0, 6, "nothing is lowered"),
        ] {
            let pool = on_a_budget(from, load, budget(Some(9.0), None), costs);
            assert_eq!(to(&pool.would_decide()), count, "{because}");
        }
    }
}

#[test]
fn a_free_node_needs_no_budget() {
    let free = Costs { node_hourly: Some(Dollars::default()), ..costs(0.0) };
    let pool = on_a_budget(4, 8_000.0, budget(Some(0.01), Some(0.01)), Some(free));
    assert_eq!(to(&pool.would_decide()), 20);
}

#[test]
fn a_budget_that_is_nearly_used_warns_and_changes_nothing() {
    let warned = |count: u32, spent: f64| {
        let load = f64::from(count) * 400.0;
        let budget = budget(Some(0.36), Some(200.0));
        let decision = on_a_budget(count, load, budget, Some(costs(spent))).would_decide();
        assert_eq!(to(&decision), count);
        why(&decision).into_iter().filter(|name| *name == "budget_near").count()
    };
    assert_eq!(warned(3, 0.0), 0, "30 % of the hour's");
    assert_eq!(warned(8, 0.0), 1, "80 % of the hour's");
    assert_eq!(warned(3, 160.0), 1, "80 % of the month's");
    assert_eq!(warned(3, 159.9), 0, "nearly 80 % of the month's");
}

#[test]
fn a_budget_below_the_smallest_count_says_so() {
    let decision =
        on_a_budget(2, 8_000.0, budget(Some(0.04), None), Some(costs(0.0))).would_decide();
    assert_eq!(to(&decision), 2);
    assert_eq!(why(&decision)[0], "cut_by_budget");
    assert!(why(&decision).contains(&"budget_below_min"));
    let decision =
        on_a_budget(2, 8_000.0, budget(Some(0.072), None), Some(costs(0.0))).would_decide();
    assert!(!why(&decision).contains(&"budget_below_min"), "it pays for just those two");
}

#[test]
fn the_used_share_of_a_budget_is_that_of_the_tighter_one() {
    let used = |budget: Option<Budget>, costs: Option<&Costs>| {
        budget_used(&Policy { budget, ..policy() }, costs, NodeCount(5))
    };
    let both = || Some(budget(Some(0.36), Some(200.0)));
    assert_eq!(used(both(), Some(&costs(20.0))), Some(0.5), "half of the hour's");
    assert_eq!(used(both(), Some(&costs(150.0))), Some(0.75), "three quarters of the month's");
    let unknown = Costs { node_hourly: None, ..costs(20.0) };
    assert_eq!(used(both(), Some(&unknown)), Some(0.1), "without a price only the month's");
    assert_eq!(used(both(), None), None);
    assert_eq!(used(None, Some(&costs(20.0))), None);
}

#[test]
fn a_budget_stands_over_an_operators_order() {
    let mut pool = on_a_budget(4, 400.0, budget(Some(0.36), None), Some(costs(0.0)));
    pool.look.overrides.set = order(30);
    assert_eq!(to(&pool.would_decide()), 10);
}
