//! Drills: one thing goes wrong in the simulated world, and the daemon's own loop, by an operator's
//! own policy, shows what it would do until all is well again.
//!
//! In: a policy, a scenario, how long it lasts.
//! Out: what was decided and done, minute by minute; when it recovered; what was broken.
//! Never: touches anything real, or a file that the policy names.

mod invariants;
mod load;
mod scenario;
mod story;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::simulation::{Settings, Simulation};
use super::world::SimWorld;
use crate::domain::{Duration, NodeCount};
use crate::policy::{Control, Policy};
use crate::ports::Clock;
use crate::store::{Store, StoreError};

use load::Load;
pub use scenario::{Scenario, UnknownScenario};
pub use story::Line;

/// A drill is given up when so long after the fault's end not all is well.
const LONGEST_RECOVERY_MINUTES: u64 = 180;

/// A pool that starts from nothing gets so long to come to rest.
const LONGEST_START: Duration = Duration::from_secs(6 * 3_600);

const MINUTE: Duration = Duration::from_secs(60);

/// What a drill came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drill {
    /// What went wrong.
    pub scenario: &'static str,
    /// The same as a sentence.
    pub fault: String,
    /// Nodes that served when it began.
    pub served: NodeCount,
    /// How many times as large as before the load is while it lasts.
    pub load_times: f64,
    /// How long the fault lasted, in minutes.
    pub lasts_minutes: u64,
    /// Every minute in which something was decided, done or noted.
    pub minutes: Vec<Minute>,
    /// Minutes after the fault's end until as many nodes as wanted served on every balancer; none:
    /// not within three hours.
    pub recovered_after_minutes: Option<u64>,
    /// Invariants that were broken; a bug of ours.
    pub broken: Vec<String>,
}

/// One minute.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Minute {
    /// Since the fault began, from zero.
    pub minute: u64,
    /// Nodes that served at its end.
    pub serving: NodeCount,
    /// Nodes that were wanted then.
    pub wanted: NodeCount,
    /// What happened, in order.
    pub lines: Vec<Line>,
}

/// Lets `scenario` happen for so many minutes to a pool under `policy`.
pub async fn drill(policy: &Policy, scenario: Scenario, minutes: u64) -> Result<Drill, StoreError> {
    let policy = rehearsed(policy);
    let load = Load::of(&policy);
    let world = SimWorld::new(1, 2);
    load.explain_to(&world, &policy);
    world.set_traffic(load.calm());
    let settings = Settings {
        interval: Duration::from_secs(10),
        grain: Duration::from_secs(5),
        control: Control::Automatic,
    };
    let store = Store::in_memory().await?;
    let mut simulation = Simulation::new(world, policy, store, settings);
    simulation.run_to(LONGEST_START, |status| settled(status.fleet, status.desired)).await?;
    // Whatever starting has left behind, such as notes, is no part of the drill.
    simulation.run_for(5 * MINUTE).await?;
    let served = serving(&simulation);
    let began = simulation.world().now();
    let since = simulation.last_entry().await?;
    let world = simulation.world();
    world.set_traffic(if scenario.comes_with_a_surge() { load.surge() } else { load.calm() });
    scenario.begin(world, simulation.policy(), minutes * 60);
    let mut counts = Vec::new();
    let mut recovered = None;
    for minute in 0..minutes + LONGEST_RECOVERY_MINUTES {
        if minute == minutes {
            scenario.end(simulation.world());
        }
        simulation.run_for(MINUTE).await?;
        let wanted = simulation.desired().unwrap_or_default();
        counts.push((serving(&simulation), wanted));
        // In its first minute after the end it may still go by what it saw before.
        if minutes < minute && all_is_well(&simulation) {
            recovered = Some(minute + 1 - minutes);
            break;
        }
    }
    let lines = story::lines(&simulation, since, began).await?;
    let mut broken = invariants::broken(&simulation).await?;
    if recovered.is_none() {
        broken.push("three hours after the fault's end the pool had not recovered".into());
    }
    let load_times = if scenario.comes_with_a_surge() { load.surge_times() } else { 1.0 };
    Ok(Drill {
        scenario: scenario.name(),
        fault: scenario.sentence().into(),
        served,
        load_times,
        lasts_minutes: minutes,
        minutes: by_minute(&counts, lines),
        recovered_after_minutes: recovered,
        broken,
    })
}

/// The policy as it is rehearsed: it acts, and reads no file.
fn rehearsed(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    policy.control = Control::Automatic;
    policy.node.ssh.authorized_keys_file = "/dev/null".into();
    policy
}

fn serving(simulation: &Simulation) -> NodeCount {
    simulation.status().map(|status| status.fleet.serving).unwrap_or_default()
}

fn settled(fleet: crate::domain::FleetCounts, desired: Option<NodeCount>) -> bool {
    desired.is_some_and(|desired| desired <= fleet.serving && fleet.on_the_way.0 == 0)
}

/// As many as are wanted serve, on every balancer, and none is on its way.
fn all_is_well(simulation: &Simulation) -> bool {
    let Some(status) = simulation.status() else { return false };
    let wanted = status.desired.unwrap_or_default().0;
    let world = simulation.world();
    let everywhere = (0..world.balancers()).all(|index| wanted <= world.serving_on(index));
    settled(status.fleet, status.desired) && everywhere
}

fn by_minute(counts: &[(NodeCount, NodeCount)], lines: Vec<(u64, Line)>) -> Vec<Minute> {
    let minutes = (0..).zip(counts).map(|(minute, (serving, wanted))| Minute {
        minute,
        serving: *serving,
        wanted: *wanted,
        lines: lines.iter().filter(|(at, _)| *at == minute).map(|(_, line)| line.clone()).collect(),
    });
    minutes.filter(|minute| !minute.lines.is_empty()).collect()
}
