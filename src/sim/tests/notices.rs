//! What people are told, and that it changes nothing.

use super::fixture::{seconds, simulation};
use crate::domain::{NoticeKind, NoticePhase};
use crate::engine::Decision;
use crate::sim::{Faults, Simulation, Traffic};
use crate::store::CommandKind;

/// A day's rise and fall within an hour, with or without a board that fails.
async fn hour(faults: Faults) -> Simulation {
    let mut simulation = simulation(250.0).await;
    simulation.world().set_faults(faults);
    simulation.run_for(seconds(900)).await.expect("the store works");
    simulation.world().set_traffic(Traffic::steady(650.0));
    simulation.run_for(seconds(1_200)).await.expect("the store works");
    simulation.world().set_traffic(Traffic::steady(250.0));
    simulation.run_for(seconds(1_800)).await.expect("the store works");
    simulation
}

async fn decisions(simulation: &Simulation) -> Vec<Decision> {
    let (store, pool) = (simulation.store(), &simulation.policy().pool);
    let until = simulation.world().time();
    let all = store.decisions(pool, until, u32::MAX).await.expect("read");
    all.into_iter().map(|record| record.decision).collect()
}

#[tokio::test]
async fn each_change_of_the_count_is_a_region_from_its_decision_until_it_is_there() {
    let simulation = hour(Faults::none()).await;
    let drawn = simulation.world().annotations();
    let changes = decisions(&simulation).await;
    let changes = changes.iter().filter(|decision| decision.from != decision.to).count();
    assert_eq!(drawn.len(), changes);
    assert!(2 <= changes);
    let kinds: Vec<NoticeKind> = drawn.iter().map(|one| one.notice.kind).collect();
    assert!(kinds.contains(&NoticeKind::ScaleOut) && kinds.contains(&NoticeKind::ScaleIn));
    for one in &drawn {
        let until = one.until.unwrap_or_else(|| panic!("{} is never closed", one.notice));
        assert!(one.notice.began_at < until, "{one:?}");
        assert!(!one.notice.reasons.is_empty());
    }
}

#[tokio::test]
async fn a_dead_board_changes_no_decision_and_is_told_all_once_it_is_back() {
    let well = hour(Faults::none()).await;
    let dead = hour(Faults { notifier_error: 1.0, ..Faults::none() }).await;
    assert_eq!(decisions(&dead).await, decisions(&well).await);
    assert_eq!(dead.world().annotations(), []);
    let mut back = dead;
    back.world().set_faults(Faults::none());
    back.run_for(seconds(600)).await.expect("the store works");
    let subjects = |simulation: &Simulation| {
        let drawn = simulation.world().annotations().into_iter();
        drawn.map(|one| (one.subject, one.until)).collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(subjects(&back), subjects(&well));
    assert_eq!(back.world().annotations().len(), subjects(&well).len());
}

#[tokio::test]
async fn lost_answers_make_no_second_region() {
    let faults = Faults { notifier_answer_lost: 0.5, ..Faults::none() };
    let simulation = hour(faults).await;
    let drawn = simulation.world().annotations();
    let subjects: std::collections::BTreeSet<_> = drawn.iter().map(|one| &one.subject).collect();
    assert_eq!(subjects.len(), drawn.len());
    assert!(drawn.iter().all(|one| one.until.is_some()));
    assert!(simulation.world().tally().faults["notifier_answer_lost"] >= 2);
}

#[tokio::test]
async fn a_hold_is_told_when_it_begins_and_when_it_ends_whatever_restarts_lie_between() {
    let mut simulation = simulation(250.0).await;
    simulation.run_for(seconds(300)).await.expect("the store works");
    simulation.command(CommandKind::Hold).await.expect("written");
    for _ in 0..5 {
        simulation.run_for(seconds(60)).await.expect("the store works");
        simulation.kill();
    }
    simulation.command(CommandKind::Resume).await.expect("written");
    simulation.run_for(seconds(300)).await.expect("the store works");
    let messages = simulation.store().messages("board").await.expect("read");
    let of_hold = messages.iter().filter(|one| one.notice.kind == NoticeKind::Hold);
    let phases: Vec<NoticePhase> = of_hold.clone().map(|one| one.notice.phase).collect();
    assert_eq!(phases, [NoticePhase::Began, NoticePhase::Ended]);
    let why = of_hold.clone().next().expect("two").notice.reasons[0].clone();
    assert!(why.starts_with("operator holds it until") && why.ends_with("a rehearsal"), "{why}");
}
