//! Each checker is shown what it must refuse, and what it must not.

use std::path::Path;
use std::sync::LazyLock;

use super::super::invariant::Invariant;
use super::super::judge::Judge;
use super::super::moment::{End, Moment};
use super::super::{QUICK_POLICY, live_all};
use super::bills::{costs, hired, node};
use crate::domain::{
    DecisionId, Duration, Failure, FleetCounts, InstanceLabel, Missing, NodeCount, NodeId,
    NodeState, Notice, NoticeKind, NoticePhase, PoolName, Reading, Sample, Timestamp, after,
};
use crate::engine::{Announced, Decision, History, Observation, Overrides, decide};
use crate::policy::{Policy, parse};
use crate::sim::{Cut, SimAnnotation};
use crate::store::{DecisionRecord, Entry, JournalRecord};

pub(super) fn quick() -> Policy {
    static QUICK: LazyLock<Policy> = LazyLock::new(|| {
        parse(QUICK_POLICY, Path::new("quick.yaml")).unwrap_or_else(|all| panic!("{all}"))
    });
    QUICK.clone()
}

pub(super) fn at(seconds: u64) -> Timestamp {
    after("2026-03-02T12:00:00Z".parse().expect("a legal moment"), Duration::from_secs(seconds))
}

fn id(number: u128) -> NodeId {
    NodeId(uuid::Uuid::from_u128(number))
}

fn label(number: u128) -> String {
    InstanceLabel::of(&quick().pool, id(number)).to_string()
}

fn enters(
    number: u128,
    before: Option<NodeState>,
    after: NodeState,
    failure: Option<Failure>,
) -> JournalRecord {
    let entry = Entry::Entered { before, after, because: "a forgery".into(), failure };
    JournalRecord { sequence: 1, at: at(0), pool: quick().pool, node: Some(id(number)), entry }
}

fn provisioning() -> NodeState {
    NodeState::Provisioning { deadline: at(60) }
}

/// What a judge says of these moments, one after the other.
fn judged(moments: Vec<Moment>) -> Vec<Invariant> {
    let policy = quick();
    let mut judge = Judge::new(&policy);
    moments.iter().for_each(|moment| judge.see(moment));
    judge.into_broken().into_iter().map(|one| one.invariant).collect()
}

/// A node that lives as it should until it serves.
fn born(number: u128) -> Vec<JournalRecord> {
    vec![
        enters(number, None, NodeState::Planned, None),
        enters(number, Some(NodeState::Planned), NodeState::InService, None),
    ]
}

#[test]
fn a_good_life_breaks_nothing() {
    let draining = NodeState::Draining { deadline: at(30) };
    let deleting = NodeState::Deleting { deadline: at(90) };
    let mut entries = born(1);
    entries.push(enters(1, Some(NodeState::InService), draining.clone(), None));
    entries.push(enters(1, Some(draining), deleting.clone(), None));
    let first = Moment { entries, existing: vec![label(1)], ..Moment::default() };
    let last = Moment {
        entries: vec![enters(1, Some(deleting), NodeState::Deleted, None)],
        ..Moment::default()
    };
    assert_eq!(judged(vec![first, last]), []);
}

#[test]
fn more_instances_than_max_are_seen() {
    let crowd = |most_instances| Moment { most_instances, ..Moment::default() };
    assert_eq!(judged(vec![crowd(10)]), []);
    assert_eq!(judged(vec![crowd(11)]), [Invariant::AtMostMax]);
}

#[test]
fn an_instance_without_a_row_is_seen() {
    let moment = Moment { existing: vec![label(1)], ..Moment::default() };
    assert_eq!(judged(vec![moment]), [Invariant::WrittenFirst]);
}

#[test]
fn an_instance_of_a_node_that_is_over_is_seen() {
    for state in [NodeState::Deleted, NodeState::Failed { why: Failure::NeverBooted }] {
        let entries = vec![
            enters(1, None, provisioning(), None),
            enters(1, Some(provisioning()), state, None),
        ];
        let moment = Moment { entries, existing: vec![label(1)], ..Moment::default() };
        assert_eq!(judged(vec![moment]), [Invariant::GoneBeforeOver]);
    }
}

#[test]
fn a_gap_in_a_life_is_seen() {
    let moment = Moment {
        entries: vec![
            enters(1, None, NodeState::Planned, None),
            enters(1, Some(provisioning()), NodeState::InService, None),
        ],
        ..Moment::default()
    };
    assert_eq!(judged(vec![moment]), [Invariant::NoGapInALife]);
}

#[test]
fn a_serving_node_that_is_deleted_without_a_drain_is_seen_unless_it_failed() {
    let deleting = NodeState::Deleting { deadline: at(90) };
    for (failure, broken) in
        [(None, vec![Invariant::DrainedFirst]), (Some(Failure::Vanished), vec![])]
    {
        let mut entries = born(1);
        entries.push(enters(1, Some(NodeState::InService), deleting.clone(), failure));
        assert_eq!(judged(vec![Moment { entries, ..Moment::default() }]), broken);
    }
}

#[test]
fn requests_cut_off_before_the_drains_deadline_are_seen() {
    for (seconds, broken) in [(29, vec![Invariant::DrainedFirst]), (30, vec![])] {
        let draining = NodeState::Draining { deadline: at(30) };
        let mut entries = born(1);
        entries.push(enters(1, Some(NodeState::InService), draining, None));
        let balancer = crate::domain::BalancerName::new("lb1").expect("a legal name");
        let cut = Cut { at: at(seconds), label: label(1), balancer, sessions: 5 };
        let moment = Moment { entries, cuts: vec![cut], ..Moment::default() };
        assert_eq!(judged(vec![moment]), broken, "at {seconds} s");
    }
}

#[test]
fn doubles_bare_machines_and_touched_strangers_are_seen() {
    let moment = Moment {
        made_twice: vec!["web-1".into()],
        sent_to_bare: vec!["web-1 at lb1".into()],
        touched: vec!["instance mail of somebody else".into()],
        ..Moment::default()
    };
    let broken = [Invariant::NoDouble, Invariant::OnlyConfigured, Invariant::OthersUntouched];
    assert_eq!(judged(vec![moment]), broken);
}

/// Six nodes serve, and the signal says this.
fn observed(reading: Reading) -> Observation {
    let history = History { desired: Some(NodeCount(6)), ..History::default() };
    let signal = quick().signals.keys().next().expect("a signal").clone();
    Observation {
        at: at(0),
        fleet: FleetCounts { serving: NodeCount(6), ..FleetCounts::default() },
        nodes: Vec::new(),
        readings: [(signal, reading)].into(),
        forecasts: Default::default(),
        is_held: false,
        overrides: Overrides::default(),
        // Without a price the budget would let no node come.
        costs: Some(costs(0)),
        hints: Announced::default(),
        history,
    }
}

fn fresh(value: f64) -> Reading {
    Reading::Fresh { sample: Sample { at: at(0), value } }
}

/// A decision as the engine makes it, then changed, as the store would have it.
fn decided(reading: Reading, forge: impl Fn(&mut Decision)) -> Moment {
    let observation = observed(reading);
    let mut decision = decide(&quick(), &observation);
    forge(&mut decision);
    let record = DecisionRecord {
        id: crate::domain::DecisionId(uuid::Uuid::from_u128(9)),
        at: at(0),
        policy_digest: quick().digest,
        observation,
        decision,
    };
    let entry = Entry::Decided {
        decision: record.id,
        direction: record.decision.direction(),
        from: record.decision.from,
        to: record.decision.to,
        reasons: record.decision.reasons.clone(),
    };
    let told = JournalRecord { sequence: 2, at: at(0), pool: quick().pool, node: None, entry };
    Moment { at: at(0), entries: vec![told], decision: Some(record), ..Moment::default() }
}

#[test]
fn a_good_decision_breaks_nothing() {
    assert_eq!(judged(vec![decided(fresh(900.0), |_| {})]), []);
    assert_eq!(judged(vec![decided(Reading::Missing { why: Missing::Empty }, |_| {})]), []);
}

#[test]
fn a_count_that_falls_on_missing_or_partial_data_is_seen() {
    let partial = Reading::Partial { sample: Sample { at: at(0), value: 1.0 }, seen: 1, wanted: 6 };
    for reading in [Reading::Missing { why: Missing::NotANumber }, partial] {
        let moment = decided(reading, |decision| decision.to = NodeCount(5));
        let broken = judged(vec![moment]);
        assert!(broken.contains(&Invariant::MissingNeverLowers), "{broken:?}");
    }
    let moment = decided(fresh(450.0), |decision| decision.to = NodeCount(5));
    assert!(!judged(vec![moment]).contains(&Invariant::MissingNeverLowers));
}

#[test]
fn a_decision_that_comes_out_otherwise_when_made_again_is_seen() {
    let moment = decided(fresh(900.0), |decision| decision.to = NodeCount(8));
    assert_eq!(judged(vec![moment]), [Invariant::DecidesTheSame]);
}

#[test]
fn a_change_without_a_reason_or_a_row_is_seen() {
    let bare = decided(fresh(900.0), |decision| decision.reasons.clear());
    let broken = judged(vec![bare]);
    assert!(broken.contains(&Invariant::EveryChangeHasAReason), "{broken:?}");
    let mut silent = decided(fresh(900.0), |_| {});
    silent.entries.clear();
    assert_eq!(judged(vec![silent]), [Invariant::EveryChangeHasAReason]);
}

#[test]
fn a_count_that_changed_between_two_decisions_is_seen() {
    let first = decided(fresh(900.0), |_| {});
    let again = decided(fresh(900.0), |_| {});
    assert_eq!(judged(vec![first, again]), [Invariant::EveryChangeHasAReason]);
}

#[test]
fn a_count_above_max_is_seen() {
    let moment = decided(fresh(900.0), |decision| decision.to = NodeCount(11));
    let broken = judged(vec![moment]);
    assert!(broken.contains(&Invariant::AtMostMax), "{broken:?}");
}

/// Two nodes that serve, as an end should be.
fn annotation(until: Option<Timestamp>) -> SimAnnotation {
    let notice = Notice {
        subject: "decision:1".into(),
        kind: NoticeKind::ScaleOut,
        phase: NoticePhase::Began,
        pool: PoolName::new("web").expect("a name"),
        began_at: at(1),
        ended_at: None,
        is_dry_run: false,
        from: None,
        to: None,
        title: "web scales out".into(),
        reasons: vec![],
        outcome: None,
    };
    SimAnnotation { subject: notice.subject.clone(), notice, until }
}

fn good_end() -> End {
    End {
        at: at(7_000),
        settled: Ok((NodeCount(2), NodeCount(0))),
        instances: 2,
        servers: vec![(2, 2)],
        acts: vec![],
        notes: vec![],
        account: vec![hired(1, 0, None), hired(2, 0, None)],
        nodes: vec![node(1, 0, NodeState::InService, 50), node(2, 0, NodeState::InService, 50)],
        costs: Some((at(7_000), costs(4))),
        annotations: vec![],
        changes: vec![],
        store: vec![],
    }
}

#[test]
fn what_is_wrong_with_an_end_is_seen() {
    type Forge = fn(&mut End);
    let forgeries: [(Forge, Option<Invariant>); 12] = [
        (|_| {}, None),
        (|end| end.settled = Err("still moving".into()), Some(Invariant::Settles)),
        (|end| end.instances = 3, Some(Invariant::NoOrphan)),
        (|end| end.servers = vec![(2, 3)], Some(Invariant::NoOrphan)),
        (|end| end.servers = vec![(2, 2), (1, 2)], Some(Invariant::NoOrphan)),
        (|end| end.acts = vec!["create 1 node".into()], Some(Invariant::SettledPlansNothing)),
        (|end| end.notes = vec!["an orphan".into()], Some(Invariant::SettledPlansNothing)),
        (|end| end.store = vec!["row 3 was altered".into()], Some(Invariant::StoreIsWhole)),
        (|end| end.costs = Some((at(7_000), costs(5))), Some(Invariant::BillIsRight)),
        (|end| end.annotations = vec![annotation(None)], Some(Invariant::AnnotatedOnce)),
        (|end| end.annotations = vec![annotation(Some(at(9))); 2], Some(Invariant::AnnotatedOnce)),
        (|end| end.changes = vec![DecisionId(uuid::Uuid::nil())], Some(Invariant::AnnotatedOnce)),
    ];
    for (number, (forge, broken)) in forgeries.into_iter().enumerate() {
        let policy = quick();
        let mut judge = Judge::new(&policy);
        let mut end = good_end();
        forge(&mut end);
        judge.see_end(&end);
        let seen: Vec<_> = judge.into_broken().into_iter().map(|one| one.invariant).collect();
        assert_eq!(seen, broken.into_iter().collect::<Vec<_>>(), "forgery {number}");
    }
}

#[test]
fn a_rule_that_is_broken_in_earnest_is_seen_by_a_whole_life() {
    // The policy that is judged allows three nodes; the pool's load asks for more, and the count
    // that it should settle at is one that it can never reach.
    let text = QUICK_POLICY.replace("max: 10, default: 3", "max: 3, default: 3");
    let policy = parse(&text, Path::new("quick.yaml")).expect("a legal policy");
    let swarm = super::super::Swarm {
        policies: vec![policy],
        trouble: Duration::from_secs(60),
        settles_at: Some(NodeCount(4)),
    };
    let lives = live_all(&swarm, 0..1, 1, &|_| {}).expect("a thread");
    let broken: Vec<_> = lives[0].broken.iter().map(|one| one.invariant).collect();
    assert_eq!(broken, [Invariant::Settles]);
    assert!(!lives[0].timeline.is_empty(), "a failed life tells what happened");
}
