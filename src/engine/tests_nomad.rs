//! Rules and groups against what Nomad's Autoscaler does in the same situations.

use super::fixture::*;
use super::{Decision, Reason};
use crate::domain::NodeCount;
use crate::policy::{
    CountRule, FixedRule, Policy, Rule, RuleScaleIn, StepRule, TargetForm, Tolerance,
};

fn nomad_policy(rules: Vec<Rule>) -> Policy {
    let mut policy = policy();
    policy.bounds.min = NodeCount(0);
    policy.tolerance = Tolerance { out: percent(1.0), scale_in: percent(1.0) };
    policy.rules = rules;
    policy
}

fn value(signal: &str, target: f64) -> Rule {
    with_form(signal, TargetForm::Value(target))
}

fn in_group(group: &str, rule: Rule) -> Rule {
    let group = Some(group.to_owned());
    match rule {
        Rule::Target(mut rule) => {
            rule.group = group;
            Rule::Target(rule)
        }
        Rule::Count(rule) => Rule::Count(CountRule { group, ..rule }),
        Rule::Fixed(rule) => Rule::Fixed(FixedRule { group, ..rule }),
        Rule::Step(rule) => Rule::Step(StepRule { group, ..rule }),
        Rule::Latency(_)
        | Rule::Schedule(_)
        | Rule::Forecast(_)
        | Rule::Surge(_)
        | Rule::Hint(_) => {
            panic!("it has no group")
        }
    }
}

fn count(signal: &str) -> Rule {
    Rule::Count(CountRule { signal: name(signal), scale_in: RuleScaleIn::Allowed, group: None })
}

fn fixed(count: u32) -> Rule {
    Rule::Fixed(FixedRule { count: NodeCount(count), group: None })
}

/// Ten nodes under `rules`, each looking at a signal of its own: the first at `a`, and so on.
fn ten_nodes(rules: Vec<Rule>, values: &[f64]) -> Decision {
    let mut pool = Pool::settled(nomad_policy(rules), 10);
    for (signal, value) in ["a", "b", "c", "d"].into_iter().zip(values) {
        pool.set(signal, *value);
    }
    pool.would_decide()
}

#[test]
fn one_value_against_its_target_multiplies_the_nodes() {
    for (target, from, measured, to_count, because) in [
        (13.0, 2, 13.0, 2, "at the target"),
        (13.0, 2, 26.0, 4, "twice the target"),
        (10.0, 0, 20.0, 2, "from nothing"),
        (10.0, 1, 9.0, 1, "a node that is not quite filled is a node"),
        (10.0, 2, 10.1, 2, "the end of the precision"),
        (10.0, 2, 10.2, 3, "beyond it"),
        (0.0, 0, 1.0, 1, "a target of 0: one job in an empty queue"),
        (0.0, 5, 0.0, 0, "a target of 0: an empty queue"),
        (0.0, 2, 3.0, 6, "a target of 0: the value is the factor"),
    ] {
        let pool = Pool::settled(nomad_policy(vec![value("queue", target)]), from);
        let decision = pool.reads("queue", measured).would_decide();
        assert_eq!(to(&decision), to_count, "{because}: {:?}", decision.recommendations);
    }
}

#[test]
fn a_signal_may_be_the_count_itself() {
    for (says, to_count) in [(10.0, 10), (10.9, 10), (11.0, 11), (9.999, 9), (0.0, 0), (1e9, 40)] {
        let decision = ten_nodes(vec![count("a")], &[says]);
        assert_eq!(to(&decision), to_count, "{says}");
    }
    let mut pool = Pool::settled(nomad_policy(vec![count("a")]), 10).misses("a");
    assert_eq!(why(&pool.would_decide()), ["blind_held", "signal_missing"]);
    pool.set_partial("a", 4.0);
    assert_eq!(to(&pool.would_decide()), 10, "not fewer than all can speak for");
    pool.set_partial("a", 14.0);
    assert_eq!(to(&pool.would_decide()), 14);
}

#[test]
fn a_count_that_only_raises_leaves_scaling_in_to_others() {
    let raises =
        Rule::Count(CountRule { signal: name("a"), scale_in: RuleScaleIn::Never, group: None });
    assert_eq!(to(&ten_nodes(vec![raises.clone()], &[4.0])), 10);
    assert_eq!(to(&ten_nodes(vec![raises.clone(), value("b", 10.0)], &[4.0, 2.0])), 4);
    assert_eq!(to(&ten_nodes(vec![raises], &[14.0])), 14);
}

#[test]
fn a_fixed_count_is_wanted_whatever_happens_and_never_blind() {
    for (wants, to_count) in [(3, 3), (10, 10), (17, 17), (60, 40)] {
        assert_eq!(to(&ten_nodes(vec![fixed(wants)], &[])), to_count, "{wants}");
    }
    let pool = Pool::settled(nomad_policy(vec![fixed(3), value("a", 10.0)]), 10).misses("a");
    assert_eq!(why(&pool.would_decide())[0], "broken_signal_holds", "another may be");
    assert_eq!(
        ten_nodes(vec![fixed(3)], &[]).reasons,
        [Reason::FixedCount { count: NodeCount(3) }]
    );
}

#[test]
fn in_a_group_who_would_stay_keeps_nobody_back() {
    let high = || in_group("memory", value("a", 10.0));
    let low = || in_group("memory", value("b", 10.0));
    let alone = || value("c", 10.0);
    for (rules, values, to_count, because) in [
        (
            vec![value("a", 10.0), value("b", 10.0)],
            [10.0, 6.0, 0.0],
            10,
            "no group: one would stay",
        ),
        (vec![high(), low()], [10.0, 6.0, 0.0], 6, "in a group it is not asked"),
        (vec![high(), low()], [10.05, 6.0, 0.0], 6, "nor where it stays by tolerance"),
        (vec![high(), low()], [14.0, 6.0, 0.0], 14, "out wins over in"),
        (vec![high(), low()], [7.0, 6.0, 0.0], 7, "of two that would shrink, the larger count"),
        (vec![high(), low()], [10.0, 14.0, 0.0], 14, "who would grow is heard as ever"),
        (
            vec![high(), low(), alone()],
            [10.0, 10.0, 4.0],
            10,
            "a group that would stay holds others",
        ),
        (vec![high(), low(), alone()], [10.0, 6.0, 10.0], 10, "one by itself holds a group"),
        (vec![high(), low(), alone()], [10.0, 6.0, 8.0], 8, "groups are compared as rules are"),
        (
            vec![high(), low(), in_group("cpu", alone())],
            [10.0, 6.0, 10.0],
            10,
            "a group of one is no group",
        ),
    ] {
        let decision = ten_nodes(rules, &values);
        assert_eq!(to(&decision), to_count, "{because}: {:?}", decision.reasons);
    }
}

#[test]
fn a_blind_rule_of_a_group_lets_no_node_leave() {
    let rules = vec![in_group("memory", value("a", 10.0)), in_group("memory", value("b", 10.0))];
    let mut pool = Pool::settled(nomad_policy(rules), 10).misses("a").reads("b", 6.0);
    assert_eq!(why(&pool.would_decide())[0], "broken_signal_holds");
    pool.set("b", 13.0);
    assert_eq!(to(&pool.would_decide()), 13, "but it stops no rise");

    // A rise that is tolerated away uncovers what another rule of the group wants.
    pool.policy.rules.push(in_group("memory", value("c", 10.0)));
    pool.set("b", 10.05);
    pool.set("c", 6.0);
    assert_eq!(to(&pool.would_decide()), 10);
    pool.set("a", 10.0);
    assert_eq!(to(&pool.would_decide()), 6, "once all can be read");
}

#[test]
fn only_the_rules_that_were_heard_are_reasons() {
    let rules = vec![in_group("memory", value("a", 10.0)), in_group("memory", value("b", 10.0))];
    let decision = ten_nodes(rules, &[10.0, 6.0]);
    let [Reason::RatioNeeds { signal, .. }] = decision.reasons.as_slice() else {
        panic!("{:?}", decision.reasons)
    };
    assert_eq!(*signal, name("b"));
}
