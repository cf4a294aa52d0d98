//! What people read: explanations and reasons, as they are printed.

use super::explain::ahead::spacing;
use super::fixture::*;
use super::{
    Belief, BudgetPeriod, Costs, Direction, Distance, Explanation, Guard, History, KeptSample,
    Reason, StepMemory, explain,
};
use crate::domain::{Dollars, FleetCounts, HintSource, Missing, NodeCount, after};
use crate::policy::{
    Band, BandAction, Budget, Control, CountRule, FixedRule, Measures, Rule, RuleScaleIn, Samples,
    StepRule, TargetForm,
};

fn explained(pool: &Pool) -> Explanation {
    explain(&pool.would_decide(), &pool.look, &pool.policy)
}

/// Six nodes under a cautious policy, watched for an hour; every signal is good.
fn quiet_pool() -> Pool {
    let mut pool = Pool::settled(cautious_policy(), 6);
    pool.counts_for(minutes(60));
    for (signal, value) in [("requests", 2_359.0), ("surge", 2_300.0), ("p95", 0.12)] {
        pool.set(signal, value);
    }
    pool.decides_after(seconds(5));
    pool
}

#[test]
fn an_idle_look_explains_itself() {
    insta::assert_snapshot!(explained(&quiet_pool()));
}

#[test]
fn a_surge_explains_itself() {
    let mut pool = quiet_pool();
    pool.set("surge", 12_000.0);
    pool.look.at = after(pool.look.at, seconds(4));
    insta::assert_snapshot!(explained(&pool));
}

#[test]
fn a_fall_that_waits_explains_itself() {
    let mut pool = quiet_pool();
    pool.set("requests", 1_000.0);
    pool.set("surge", 900.0);
    pool.counts_for(seconds(230));
    insta::assert_snapshot!(explained(&pool));
}

#[test]
fn a_broken_signal_explains_itself() {
    let mut pool = quiet_pool();
    pool.set("requests", 1_000.0);
    pool.lose("surge");
    pool.counts_for(minutes(11));
    insta::assert_snapshot!(explained(&pool));
}

#[test]
fn blindness_explains_itself() {
    let mut pool = quiet_pool();
    pool.policy.bounds.default = NodeCount(8);
    for signal in ["requests", "surge", "p95"] {
        pool.lose(signal);
    }
    pool.counts_for(minutes(2));
    insta::assert_snapshot!(explained(&pool));
}

#[test]
fn a_hold_explains_itself() {
    let mut pool = quiet_pool();
    pool.policy.control = Control::Hold;
    pool.set("requests", 4_000.0);
    insta::assert_snapshot!(explained(&pool));
}

#[test]
fn a_scale_out_on_its_way_explains_itself() {
    let mut pool = quiet_pool();
    pool.nodes = Nodes::StayPut;
    pool.set("requests", 3_600.0);
    pool.decides_after(seconds(5));
    pool.look.fleet =
        FleetCounts { serving: NodeCount(6), on_the_way: NodeCount(3), ..FleetCounts::default() };
    pool.look.at = after(pool.look.at, seconds(40));
    pool.set("requests", 2_400.0);
    insta::assert_snapshot!(explained(&pool));
}

#[test]
fn both_questions_why_not_are_answered() {
    let mut quiet = quiet_pool();
    let idle = explained(&quiet);
    quiet.set("requests", 1_000.0);
    quiet.set("surge", 900.0);
    quiet.counts_for(seconds(230));
    let falling = explained(&quiet);
    quiet.set("surge", 90_000.0);
    let surging = explained(&quiet);
    let answers = [idle, falling, surging].map(|explanation| {
        format!("{}{}", explanation.why_not(Direction::Out), explanation.why_not(Direction::In))
    });
    insta::assert_snapshot!(answers.join("\n"));
}

#[test]
fn targets_on_nodes_and_single_values_explain_themselves() {
    let mut policy = policy();
    policy.rules = vec![
        with_form("cpu", TargetForm::UtilisationPercent(70)),
        with_form("connections", TargetForm::Average(200.0)),
        with_form("queue", TargetForm::Value(50.0)),
        Rule::Count(CountRule {
            signal: name("wanted"),
            scale_in: RuleScaleIn::Never,
            group: None,
        }),
        Rule::Fixed(FixedRule { count: NodeCount(3), group: None }),
    ];
    let mut pool = Pool::settled(policy, 4).reads("queue", 40.0).reads("wanted", 3.7);
    pool.set_nodes("connections", &[Seen::Serves(150.0); 4]);
    pool.set_nodes("cpu", &[[Seen::Serves(0.91); 3].as_slice(), &[Seen::Silent]].concat());
    insta::assert_snapshot!(explained(&pool));
}

#[test]
fn programs_read_the_same_explanation() {
    insta::assert_json_snapshot!(explained(&quiet_pool()));
}

#[test]
fn the_load_that_adds_a_node_is_told_to_the_request() {
    let mut policy = policy();
    policy.scale_out.stabilize = seconds(30);
    let distances = explained(&Pool::watched(policy, 6, 2_359.0)).distances;
    assert!(
        distances.iter().any(|next| next.to_string()
            == "42 more req/s on requests for 30 s adds 1 node, to 7 \
                    (target:requests; stabilization holds it until then)"),
        "{distances:?}"
    );
}

#[test]
fn a_pool_at_its_bounds_says_so() {
    let at_max = explained(&Pool::watched(policy(), 40, 20_000.0)).distances;
    assert!(at_max.contains(&Distance::AtMax { max: NodeCount(40) }), "{at_max:?}");
    let at_min = explained(&Pool::watched(policy(), 2, 0.0)).distances;
    assert!(at_min.contains(&Distance::AtMin { min: NodeCount(2) }), "{at_min:?}");
}

#[test]
fn rules_that_keep_nodes_are_named() {
    let mut pool = quiet_pool();
    pool.policy.rules.push(Rule::Fixed(FixedRule { count: NodeCount(6), group: None }));
    pool.counts_for(minutes(20));
    let distances = explained(&pool).distances;
    let kept = Distance::KeptByRules { rules: vec!["fixed".into()] };
    assert!(distances.contains(&kept), "{distances:?}");
}

fn said(pool: &Pool) -> Vec<String> {
    explained(pool).distances.iter().map(Distance::to_string).collect()
}

#[test]
fn a_step_tells_how_many_samples_it_takes() {
    let bands = [
        band(Some(5_000.0), None, BandAction::Add(4)),
        band(None, Some(300.0), BandAction::Remove(1)),
    ];
    let samples = Samples { within: 3, of: 3 };
    let mut policy = policy();
    policy.rules = vec![Rule::Step(StepRule { samples, ..step_rule("queue", &bands) })];
    let mut pool = Pool::settled(policy, 8).reads("queue", 4_988.0);
    pool.decides();
    assert_eq!(
        said(&pool),
        [
            "12 more on queue for 3 samples adds 4 nodes, to 12 (step:queue)",
            "4,689 less on queue for 3 samples lets 1 node leave, to 7",
        ]
    );
}

/// Eight nodes, a queue of this length, four more from 5,000 on and one fewer below 300.
fn queueing(length: f64, for_at_least: u64, samples: Samples) -> Pool {
    let add = band(Some(5_000.0), None, BandAction::Add(4));
    let bands = [
        Band { for_at_least: seconds(for_at_least), ..add },
        band(None, Some(300.0), BandAction::Remove(1)),
    ];
    let mut policy = policy();
    policy.rules = vec![Rule::Step(StepRule { samples, ..step_rule("queue", &bands) })];
    Pool::settled(policy, 8).reads("queue", length)
}

#[test]
fn a_step_tells_a_time_where_more_than_samples_is_waited_for() {
    let mut lasting = queueing(4_988.0, 30, Samples { within: 1, of: 1 });
    lasting.decides();
    assert_eq!(said(&lasting)[0], "12 more on queue for 30 s adds 4 nodes, to 12 (step:queue)");

    let mut stabilized = queueing(4_988.0, 0, Samples { within: 3, of: 3 });
    stabilized.policy.scale_out.stabilize = minutes(5);
    stabilized.decides();
    let told = said(&stabilized).remove(0);
    assert!(told.starts_with("12 more on queue for 5 min 20 s adds 4 nodes"), "{told}");

    let mut seen_before = queueing(5_000.0, 0, Samples { within: 2, of: 3 });
    seen_before.decides();
    seen_before.look.at = after(noon(), seconds(10));
    seen_before.set("queue", 4_988.0);
    seen_before.decides();
    assert_eq!(said(&seen_before)[0], "12 more on queue adds 4 nodes, to 12 (step:queue)");
}

#[test]
fn a_step_that_further_samples_bring_comes_by_itself() {
    let mut rising = queueing(1_000.0, 0, Samples { within: 3, of: 3 });
    rising.decides();
    for later in [10, 20] {
        rising.look.at = after(noon(), seconds(later));
        rising.set("queue", 6_000.0);
        rising.decides();
    }
    assert!(said(&rising)[0].starts_with("scale-out to 12 nodes in 10 s,"), "{:?}", said(&rising));
    let mut falling = queueing(100.0, 0, Samples { within: 2, of: 2 });
    falling.set_partial("queue", 100.0);
    falling.decides();
    falling.look.at = after(noon(), seconds(10));
    falling.set("queue", 100.0);
    falling.decides();
    assert!(said(&falling)[0].starts_with("scale-in to 7 nodes in 10 s,"), "{:?}", said(&falling));
}

#[test]
fn samples_are_expected_as_far_apart_as_the_last_two_were_if_that_is_sane() {
    for (apart, expected) in [(15, 15), (0, 10), (119, 119), (120, 10)] {
        let kept =
            |later| KeptSample { at: after(noon(), seconds(later)), value: 1.0, is_whole: true };
        let samples = vec![kept(0), kept(7), kept(7 + apart)];
        let memory = StepMemory { samples, ..StepMemory::default() };
        let history =
            History { steps: [("step:queue".into(), memory)].into(), ..History::default() };
        assert_eq!(spacing(&history), seconds(expected), "{apart} s");
    }
    assert_eq!(spacing(&History::default()), seconds(10), "nobody knows");
}

#[test]
fn a_latency_tells_what_adds_nodes_and_what_lets_them_leave() {
    let mut policy = policy();
    policy.rules.push(latency("p95"));
    let mut pool = Pool::settled(policy, 8).reads("requests", 2_700.0).reads("p95", 0.22);
    pool.decides();
    assert_eq!(
        said(&pool),
        [
            "81 ms more on p95 for 30 s adds 2 nodes, to 10 (latency:p95)",
            "501 more req/s on requests adds 1 node, to 9 (target:requests)",
            "21 ms less on p95 lets 1 node leave, to 7",
        ]
    );
}

#[test]
fn a_budget_that_holds_is_named_and_not_the_rules() {
    let mut policy = policy();
    let hourly = Dollars::new(0.36);
    policy.budget = Some(Budget { hourly, monthly: None, soft: percent(100.0) });
    let mut pool = Pool::settled(policy, 10).reads("requests", 3_900.0);
    pool.look.costs = Some(Costs {
        node_hourly: Dollars::new(0.036),
        spent: Dollars::default(),
        paid_ahead: Dollars::default(),
        month_seconds_left: 86_400,
    });
    pool.decides();
    assert_eq!(
        said(&pool),
        [
            "no node is added while budget holds the count: wanted 11 nodes; \
             at $0.0360 an hour for each, the budget of $0.36 an hour pays for 10",
            "300 fewer req/s on requests lets 1 node leave, to 9",
        ]
    );
}

#[test]
fn a_flap_that_holds_is_named_and_not_the_rules() {
    let bands = [
        band(Some(0.85), None, BandAction::Add(1)),
        band(Some(0.3), Some(0.5), BandAction::Remove(1)),
    ];
    let mut policy = policy();
    policy.bounds.min = NodeCount(1);
    policy.rules = vec![Rule::Step(step_rule("busy", &bands))];
    policy.signals.insert(name("busy"), signal_of(Measures::Node));
    let mut pool = Pool::settled(policy, 2).reads("busy", 0.45);
    pool.decides();
    let inward = explained(&pool).why_not(Direction::In).distances;
    let flaps =
        |distance: &Distance| matches!(distance, Distance::KeptByGuard { guard: Guard::Flap, .. });
    assert!(inward.iter().all(flaps) && inward.len() == 1, "{inward:?}");
}

#[test]
fn a_load_falls_further_where_the_survivors_would_call_nodes_back() {
    let mut policy = policy();
    policy.rules.push(Rule::Step(step_rule("busy", &[band(Some(0.8), None, BandAction::Add(1))])));
    policy.signals.insert(name("busy"), signal_of(Measures::Node));
    let mut pool = Pool::settled(policy, 4).reads("requests", 1_500.0).reads("busy", 0.7);
    pool.decides();
    let inward = explained(&pool).why_not(Direction::In).distances;
    let told: Vec<_> = inward.iter().map(Distance::to_string).collect();
    // Three would carry four thirds of it: 0.6 is the most that stays under 0.8.
    assert_eq!(told, ["0.1 less on busy and 300 fewer req/s on requests let 1 node leave, to 3"]);
}

#[test]
fn a_load_falls_further_than_to_half_where_surplus_nodes_leave_theirs_too() {
    let mut policy = policy();
    policy.bounds.min = NodeCount(1);
    policy.rules.push(Rule::Step(step_rule("busy", &[band(Some(0.8), None, BandAction::Add(1))])));
    policy.signals.insert(name("busy"), signal_of(Measures::Node));
    let mut pool = Pool::settled(policy, 2).reads("requests", 300.0).reads("busy", 0.7);
    pool.look.fleet.serving = NodeCount(4);
    pool.nodes = Nodes::StayPut;
    pool.decides();
    let told = said(&pool);
    // The last one would carry four times as much.
    assert!(
        told.iter().any(|told| told.starts_with("0.5 less on busy lets 1 node leave")),
        "{told:?}"
    );
}

#[test]
fn every_reason_reads_as_a_sentence() {
    use super::Direction::{In, Out};
    let signal = || name("requests");
    let (count, at) = (NodeCount, noon());
    let dollars = |amount| Dollars::new(amount).expect("a sane amount");
    let reasons = [
        Reason::LoadNeeds {
            signal: signal(),
            load: 12_345.6,
            per_node: 400.0,
            headroom_percent: 12.5,
            needed: count(35),
        },
        Reason::LoadFits { signal: signal(), load: 1_890.0, needs: 5.434, count: count(6) },
        Reason::SquareRootNeeds {
            signal: signal(),
            load: 7_360.0,
            per_node: 400.0,
            work: 18.4,
            spare: 5.147,
            needed: count(24),
        },
        Reason::RaisesOnly { signal: signal(), load: 300.0, needed: count(1) },
        Reason::RatioNeeds {
            signal: name("queue"),
            value: 0.75,
            target: 0.5,
            serving: count(4),
            needed: count(6),
        },
        Reason::NoNodeServes { signal: name("queue"), value: 120.0, target: 50.0 },
        Reason::AverageNeeds {
            signal: name("connections"),
            average: 250.5,
            target: 200.0,
            heard: count(4),
            missing: count(0),
            unready: count(0),
            needed: count(6),
        },
        Reason::UtilisationNeeds {
            signal: name("cpu"),
            percent: 83,
            target_percent: 70,
            heard: count(4),
            missing: count(1),
            unready: count(2),
            needed: count(5),
        },
        Reason::SilentNodesHold {
            signal: name("cpu"),
            missing: count(1),
            unready: count(0),
            count: count(5),
        },
        Reason::SignalSays { signal: name("wanted"), value: 7.4, count: count(7) },
        Reason::FixedCount { count: count(3) },
        Reason::ForecastNeeds {
            signal: signal(),
            bound: 2_801.0,
            horizon_seconds: 240,
            level: 0.95,
            per_node: 400.0,
            needed: count(8),
        },
        Reason::ForecastShown {
            signal: signal(),
            bound: 2_801.0,
            horizon_seconds: 240,
            needed: count(8),
        },
        Reason::NoForecast { signal: signal() },
        Reason::ForecastNotBelieved {
            signal: signal(),
            belief: Belief::NotEnoughHistory { have_seconds: 18_000, need_seconds: 86_400 },
        },
        Reason::ForecastNotBelieved { signal: signal(), belief: Belief::Silent { seconds: 725 } },
        Reason::ForecastNotBelieved {
            signal: signal(),
            belief: Belief::CostlierThanReacting { times: 1.44 },
        },
        Reason::Surge {
            signal: signal(),
            rate: 1_200.0,
            earlier: 1_000.0,
            over_seconds: 120,
            expected: 1_400.0,
            per_node: 400.0,
            needed: count(4),
        },
        Reason::NoSurge { signal: signal(), rate: 1_100.0, earlier: 1_000.0, over_seconds: 120 },
        Reason::RiseUnknown { signal: signal(), rate: 1_100.0 },
        Reason::WishHeld { signal: signal(), held: count(8), until: at },
        Reason::SignalMissing { signal: signal(), missing: Missing::Empty },
        Reason::SignalMissing { signal: name("cpu"), missing: Missing::NoServingNode },
        Reason::SignalMissing {
            signal: name("cpu"),
            missing: Missing::TwiceOneNode { node: "10.10.0.21".into() },
        },
        Reason::SignalMissing { signal: name("cpu"), missing: Missing::AnotherKind },
        Reason::SignalPartial { signal: signal(), seen: 3, wanted: 5 },
        Reason::LatencyTooLong {
            signal: name("p95"),
            seconds: 0.412,
            objective_seconds: 0.3,
            for_seconds: 45,
            serving: count(8),
            needed: count(10),
        },
        Reason::LatencyTooLongBriefly {
            signal: name("p95"),
            seconds: 1.25,
            objective_seconds: 0.3,
            until: at,
        },
        Reason::LatencyNotClear { signal: name("p95"), seconds: 0.25, clear_below_seconds: 0.2 },
        Reason::LatencyClear { signal: name("p95"), seconds: 0.012, clear_below_seconds: 0.2 },
        Reason::StepTaken {
            signal: name("queue"),
            value: 6_120.4,
            band: "from 5,000".into(),
            step: "add 4".into(),
            counted_from: count(8),
            needed: count(12),
        },
        Reason::StepWaits {
            signal: name("busy"),
            value: 0.8512,
            band: "from 0.85".into(),
            step: "add 20 %".into(),
            inside: 1,
            within: 3,
            of: 5,
            until: None,
        },
        Reason::StepWaits {
            signal: name("queue"),
            value: 120.6,
            band: "below 300".into(),
            step: "remove 1".into(),
            inside: 1,
            within: 1,
            of: 1,
            until: Some(at),
        },
        Reason::OutsideBands {
            signal: name("queue"),
            value: 450.0,
            nearest: vec!["below 300: remove 1".into(), "from 5,000: add 4".into()],
        },
        Reason::OutsideBands { signal: name("queue"), value: 450.0, nearest: vec![] },
        Reason::ScheduleOpen { at_least: Some(count(8)), at_most: Some(count(30)), until: at },
        Reason::ScheduleOpen { at_least: None, at_most: Some(count(30)), until: at },
        Reason::ScheduleClosed { at_least: Some(count(8)), at_most: None, opens: Some(at) },
        Reason::ScheduleClosed { at_least: Some(count(8)), at_most: None, opens: None },
        Reason::RaisedToSchedule { wanted: count(3), floor: count(8), until: at },
        Reason::CutToSchedule { wanted: count(31), ceiling: count(30), until: at },
        Reason::NothingAnnounced {},
        Reason::CampaignAhead {
            campaign: "lunch".parse().expect("a legal name"),
            starts_at: at,
            expected: 9_000.0,
            needed: count(31),
            in_seconds: 1_230,
            source: HintSource::Calendar,
        },
        Reason::CampaignNeeds {
            campaign: "lunch".parse().expect("a legal name"),
            starts_at: at,
            expected: 9_000.0,
            beside: 1_480.0,
            per_node: 400.0,
            margin_percent: 20.0,
            needed: count(31),
            until: at,
            source: HintSource::Person,
        },
        Reason::NoOpinion { count: count(1) },
        Reason::BlindHeld { count: count(3), since: at, until: at, default: count(6) },
        Reason::BlindFloor { since: at, default: count(6) },
        Reason::BrokenSignalHolds {
            wanted: count(4),
            signals: vec![name("p95"), name("requests"), name("surge")],
        },
        Reason::WithinTolerance {
            rule: "target:requests".into(),
            wanted: count(7),
            needs: 6.2,
            count: count(6),
            tolerance_percent: 5.0,
        },
        Reason::Stabilized {
            direction: In,
            wanted: count(4),
            recommended: count(6),
            window_seconds: 600,
            until: at,
        },
        Reason::Stabilized {
            direction: Out,
            wanted: count(9),
            recommended: count(6),
            window_seconds: 30,
            until: at,
        },
        Reason::LimitedByPace {
            direction: Out,
            wanted: count(11),
            allowed: count(9),
            until: Some(at),
        },
        Reason::LimitedByPace { direction: In, wanted: count(2), allowed: count(4), until: None },
        Reason::FlapAhead {
            wanted: count(4),
            allowed: count(6),
            rules: vec!["target:busy".into(), "target:memory".into()],
            not_foreseen: vec![name("p95")],
        },
        Reason::Ineffective {
            wanted: count(12),
            allowed: count(8),
            rules: vec!["latency:p95".into()],
            scale_outs: 3,
            improves_percent: 5.0,
            until: at,
        },
        Reason::SetByOperator { wanted: count(12), count: count(8), until: Some(at) },
        Reason::SetByOperator { wanted: count(12), count: count(8), until: None },
        Reason::RaisedByOperator { wanted: count(4), floor: count(8), until: Some(at) },
        Reason::CutByOperator { wanted: count(12), ceiling: count(8), until: None },
        Reason::DirectionHeldByOperator {
            direction: Out,
            wanted: count(12),
            count: count(8),
            until: Some(at),
        },
        Reason::CutByBudget {
            wanted: count(50),
            affordable: count(41),
            period: BudgetPeriod::Hour,
            cap: dollars(1.5),
            node_hourly: dollars(0.036),
        },
        Reason::PriceUnknown { wanted: count(12), count: count(8) },
        Reason::BudgetNear { period: BudgetPeriod::Month, cap: dollars(600.0), used_percent: 81.2 },
        Reason::BudgetBelowMin { affordable: count(1), period: BudgetPeriod::Month, min: count(2) },
        Reason::DirectionDisabled { direction: In, wanted: count(4), count: count(6) },
        Reason::BackWithinBounds { from: count(60), wanted: count(10), bound: count(40) },
        Reason::CoolingDown { direction: In, wanted: count(4), until: at },
        Reason::AwaitingCapacity {
            direction: Out,
            wanted: count(12),
            serving: count(6),
            desired: count(9),
            until: at,
        },
        Reason::HeldByOperator { wanted: count(9), count: count(6) },
        Reason::RaisedToMin { wanted: count(0), min: count(2) },
        Reason::CutToMax { wanted: count(41), max: count(40) },
    ];
    let sentences: Vec<_> =
        reasons.iter().map(|reason| format!("{}: {reason}", reason.name())).collect();
    insta::assert_snapshot!(sentences.join("\n"));
}
