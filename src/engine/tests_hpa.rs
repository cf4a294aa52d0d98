//! Targets against the published cases of Kubernetes' HPA (`replica_calculator_test.go`), in
//! numbers of our own: the same situations must come to the same counts.

use super::fixture::*;
use super::{Decision, Opinion};
use crate::domain::{FleetCounts, NodeCount};
use crate::policy::{Policy, TargetForm, Tolerance};

/// HPA's own tests tolerate 10 %; bounds play no part.
fn hpa_policy(form: TargetForm) -> Policy {
    let mut policy = policy();
    policy.bounds.min = NodeCount(0);
    policy.bounds.max = NodeCount(1_000);
    policy.tolerance = Tolerance { out: percent(10.0), scale_in: percent(10.0) };
    policy.rules = vec![with_form("load", form)];
    policy
}

fn on_nodes(form: TargetForm, from: u32, nodes: &[Seen]) -> Decision {
    Pool::settled(hpa_policy(form), from).sees("load", nodes).would_decide()
}

fn on_total(form: TargetForm, from: u32, serving: u32, value: f64) -> Decision {
    let mut pool = Pool::settled(hpa_policy(form), from).reads("load", value);
    pool.look.fleet = FleetCounts { serving: NodeCount(serving), ..FleetCounts::default() };
    pool.would_decide()
}

/// Serving nodes of capacity 1.
fn serving(values: &[f64]) -> Vec<Seen> {
    values.iter().map(|value| Seen::Serves(*value)).collect()
}

const LEAVING: Seen = Seen::Leaves(0.9);

#[test]
fn utilisation_moves_as_hpa_moves_pods() {
    use Seen::{OnItsWay, Serves, Silent};
    let cases: &[(u32, u32, &[Seen], u32, &str)] = &[
        (40, 3, &serving(&[0.5, 0.6, 0.7]), 5, "60 % is half more than 40 %"),
        (60, 5, &serving(&[0.1, 0.4, 0.5, 0.3, 0.2]), 3, "30 % is half of 60 %"),
        (40, 3, &[OnItsWay(0.5), Serves(0.7), Serves(0.8)], 4, "one on its way counts as idle"),
        (40, 3, &[Serves(0.5), OnItsWay(0.5), OnItsWay(0.7)], 3, "two would turn it around"),
        (40, 2, &[Serves(0.6), Serves(0.7), LEAVING, LEAVING], 4, "who leaves counts nowhere"),
        (
            60,
            5,
            &[Serves(0.3), Serves(0.3), Serves(0.3), OnItsWay(0.9), OnItsWay(0.9)],
            2,
            "none on its way keeps others from leaving",
        ),
        (
            60,
            5,
            &[Serves(0.1), OnItsWay(0.0), OnItsWay(0.0), OnItsWay(0.0), OnItsWay(0.0)],
            1,
            "nor do many",
        ),
        (
            60,
            5,
            &[serving(&[0.1, 0.4, 0.5, 0.3, 0.2]), vec![LEAVING, LEAVING]].concat(),
            3,
            "nor does who leaves",
        ),
        (100, 4, &[Serves(0.4), Serves(0.1), Silent, Silent], 3, "the silent count as wholly used"),
        (100, 2, &[Serves(1.0), Silent], 2, "at the target nothing is guessed"),
        (100, 2, &[Serves(1.9), Silent], 2, "an idle one turns the rise around"),
        (100, 2, &[Serves(0.6), Silent], 2, "a used one leaves little of the fall"),
        (50, 3, &[OnItsWay(0.1), Serves(0.45), Silent], 3, "a used one turns the fall around"),
        (50, 3, &[OnItsWay(0.1), Serves(2.0), Silent], 4, "twice idle, and still too much"),
        (50, 4, &[OnItsWay(0.0), Serves(0.1), Serves(0.1), Silent], 3, "on the way: not counted"),
        (50, 2, &[Serves(0.1), Serves(0.1), Silent], 2, "a surplus node turns no fall into a rise"),
        (300, 3, &[Serves(1.0), Serves(1.0), Silent], 2, "a target over 100 % is a silent one's"),
    ];
    for (target, from, nodes, count, because) in cases {
        let decision = on_nodes(TargetForm::UtilisationPercent(*target), *from, nodes);
        assert_eq!(to(&decision), *count, "{because}: {:?}", decision.recommendations);
    }
}

#[test]
fn utilisation_weighs_each_node_by_what_it_has_and_drops_fractions_of_a_per_cent() {
    let has = |value, capacity| Seen::Has { value, capacity };
    let utilisation = TargetForm::UtilisationPercent;
    let near = [has(1.01, 0.9), has(1.06, 1.0), has(1.02, 1.1)];
    assert_eq!(to(&on_nodes(utilisation(100), 3, &near)), 3, "103 % of all is within 10 %");
    let uneven = [has(1.0, 1.0), has(1.0, 9.0)];
    assert_eq!(to(&on_nodes(utilisation(80), 2, &uneven)), 1, "20 %, though one of them is full");

    let mut pool =
        Pool::settled(hpa_policy(utilisation(33)), 3).sees("load", &serving(&[1.0, 0.0, 0.0]));
    pool.policy.tolerance = Tolerance { out: percent(0.0), scale_in: percent(0.0) };
    assert_eq!(to(&pool.would_decide()), 3, "a third is 33 %, neither more nor less");

    let pool = Pool::settled(hpa_policy(utilisation(100)), 4);
    let mut pool = pool.sees("load", &serving(&[4.0, 9.5, 3.0, 7.0]));
    pool.hears_strangers("load", &[3.2, 2.0]);
    assert_eq!(to(&pool.would_decide()), 24, "587 % of the four; strangers count for nothing");
}

#[test]
fn averages_move_as_hpa_moves_pods() {
    use Seen::{OnItsWay, Serves, Silent};
    let cases: &[(f64, u32, &[Seen], u32, &str)] = &[
        (15.0, 3, &serving(&[20.0, 10.0, 30.0]), 4, "20 is a third more than 15"),
        (20.0, 5, &serving(&[12.0; 5]), 3, "12 is three fifths of 20"),
        (20.0, 3, &serving(&[20.0, 21.0, 21.0]), 3, "20.666 is within 10 %"),
        (15.0, 3, &[Serves(50.0), Serves(10.0), OnItsWay(30.0)], 4, "on its way counts as idle"),
        (15.0, 3, &[OnItsWay(50.0), Serves(15.0), OnItsWay(30.0)], 3, "at the target: none does"),
        (20.0, 4, &[Serves(10.0), Serves(10.0), Silent, Silent], 3, "the silent at their target"),
        (20.0, 4, &[Serves(50.0), Serves(50.0), Silent, Silent], 5, "the silent as idle"),
        (20.0, 4, &[Serves(30.0), Serves(30.0), Silent, Silent], 4, "idle, they turn it around"),
        (15.0, 2, &[Serves(20.0), Serves(30.0), LEAVING], 4, "who leaves counts nowhere"),
        (0.001, 3, &serving(&[0.001, 0.001, 0.002]), 3, "a thousandth is the smallest part"),
    ];
    for (target, from, nodes, count, because) in cases {
        let decision = on_nodes(TargetForm::Average(*target), *from, nodes);
        assert_eq!(to(&decision), *count, "{because}: {:?}", decision.recommendations);
    }
}

#[test]
fn one_value_moves_as_hpa_moves_pods_by_an_object_or_something_external() {
    for (target, from, serving, value, count, because) in [
        (15.0, 3, 3, 20.0, 4, "a third more"),
        (20.0, 5, 5, 12.0, 3, "three fifths"),
        (10.0, 3, 1, 50.0, 5, "five times the one that serves"),
        (4.4, 3, 1, 8.6, 2, "twice the one that serves, though that is fewer than are on the way"),
        (14.334, 5, 5, 8.6, 3, "fractions of thousandths"),
        (20.0, 3, 3, 20.666, 3, "within 10 % above"),
        (8.888, 3, 3, 8.6, 3, "within 10 % below"),
        (10.0, 0, 0, 20.0, 2, "from nothing, the ratio is the count"),
        (10.0, 0, 0, 1.0, 1, "and a fraction of it is a node"),
        (10.0, 0, 0, 0.0, 0, "and nothing stays nothing"),
    ] {
        let decision = on_total(TargetForm::Value(target), from, serving, value);
        assert_eq!(to(&decision), count, "{because}: {:?}", decision.recommendations);
    }
}

#[test]
fn a_total_against_a_share_moves_as_hpa_moves_pods() {
    for (per_node, from, load, count, because) in [
        (2.15, 3, 8.6, 4, "four shares exactly"),
        (2.867, 5, 8.6, 3, "a little under three"),
        (2.9, 3, 8.6, 3, "within 10 % below"),
        (5.0, 4, 20.166, 4, "within 10 % above"),
        (5.0, 3, 20.0, 4, "a third more"),
        (400.0, 0, 400.000_9, 2, "a little over a share is a second one"),
        (400.0, 0, 0.001, 1, "a thousandth alone is a node"),
    ] {
        let form = TargetForm::PerNode(crate::domain::RequestsPerSecond::new(per_node).unwrap());
        // Who serves does not matter.
        for serving in [0, from, 9] {
            let decision = on_total(form, from, serving, load);
            assert_eq!(to(&decision), count, "{because}: {:?}", decision.recommendations);
        }
    }
}

#[test]
fn the_exact_count_by_the_present_one_is_the_usage_ratio() {
    use Seen::{OnItsWay, Serves, Silent};
    let form = TargetForm::UtilisationPercent(50);
    for (nodes, ratio, because) in [
        (vec![Serves(0.4), Serves(0.4), Serves(0.4), Serves(0.4)], 0.8, "all speak"),
        (vec![Serves(0.2), Serves(0.2), Serves(0.2), Silent], 0.8, "one silent at 100 %"),
        (vec![Serves(0.8), Serves(0.8), Serves(0.8), Silent], 1.2, "one silent at 0"),
        (vec![Serves(0.8), Serves(0.8), Serves(0.8), OnItsWay(0.9)], 1.2, "one on its way"),
    ] {
        let decision = on_nodes(form, 4, &nodes);
        let Opinion::Wants { exact, .. } = decision.recommendations[0].opinion else {
            panic!("{because}: {:?}", decision.recommendations)
        };
        assert!((exact / 4.0 - ratio).abs() < 1e-12, "{because}: {exact}");
    }
}

#[test]
fn the_ends_of_a_tolerance_are_tolerated_with_silent_nodes_counted_in() {
    use Seen::{Serves, Silent};
    // Of ten nodes, one is silent: on the way out it counts 0, on the way in 100 %.
    let nine = |each: f64| [vec![Serves(each); 9], vec![Silent]].concat();
    for (each, count, because) in [
        (0.611, 10, "9 × 0.611 are 54 % of ten: within 10 % of 50 %"),
        (0.612, 10, "and so are 55 %, the very end"),
        (0.623, 12, "56 % are beyond it"),
        (0.389, 10, "9 × 0.389 and 1 are 45 %, the very end"),
        (0.377, 9, "43 % are beyond it"),
    ] {
        let decision = on_nodes(TargetForm::UtilisationPercent(50), 10, &nine(each));
        assert_eq!(to(&decision), count, "{because}: {:?}", decision.recommendations);
    }
}
