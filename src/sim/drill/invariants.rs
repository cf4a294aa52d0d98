//! What must be true whatever goes wrong; anything here is a bug of ours.

use crate::domain::Timestamp;
use crate::engine::decide;
use crate::policy::Rule;
use crate::sim::Simulation;
use crate::store::StoreError;

/// The invariants that a simulation has broken up to now, each as a sentence.
pub(super) async fn broken(simulation: &Simulation) -> Result<Vec<String>, StoreError> {
    let tally = simulation.world().tally();
    let mut broken = Vec::new();
    let max = simulation.policy().bounds_at(Timestamp::MAX).max;
    let max = simulation.status().map_or(max, |status| status.max.max(max)).0;
    if max < tally.most_instances {
        broken.push(format!("{} instances at once, over `max` {max}", tally.most_instances));
    }
    let twice = tally.created_by_label.iter().filter(|(_, made)| 1 < **made);
    broken.extend(twice.map(|(label, _)| format!("{label} was made twice")));
    if 0 < tally.deleted_strangers {
        broken.push(format!("{} strangers' instances were deleted", tally.deleted_strangers));
    }
    let bare = tally.sent_to_bare.iter();
    broken.extend(bare.map(|label| format!("requests were sent to {label}, which was bare")));
    for cut in simulation.cuts_before_the_deadline().await? {
        broken.push(format!("{} requests of {} were cut off", cut.sessions, cut.label));
    }
    broken.extend(wrong_decisions(simulation).await?);
    if let Err(cause) = simulation.store().verify_journal().await {
        broken.push(format!("the journal's chain is broken: {cause}"));
    }
    Ok(broken)
}

/// Decisions that shrink the pool on bad data, or come out otherwise when they are made again.
async fn wrong_decisions(simulation: &Simulation) -> Result<Vec<String>, StoreError> {
    let policy = simulation.policy();
    let watched: Vec<_> = policy.rules.iter().filter_map(Rule::signal).collect();
    let decisions = simulation.store().decisions(&policy.pool, Timestamp::MAX, u32::MAX).await?;
    let mut wrong = Vec::new();
    for record in decisions {
        let read = |name| record.observation.readings.get(name);
        let blind = watched.iter().any(|name| !read(*name).is_some_and(|one| one.may_lower()));
        if record.decision.to < record.decision.from && blind {
            wrong.push(format!("{}: the pool shrank on bad data", record.at));
        }
        if decide(policy, &record.observation) != record.decision {
            wrong.push(format!("{}: a decision comes out otherwise when made again", record.at));
        }
    }
    Ok(wrong)
}
