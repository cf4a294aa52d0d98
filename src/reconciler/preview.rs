//! What a look would do now, without a written word or an act.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::look::{PoolLoop, World};
use super::orders::Orders;
use crate::domain::{Duration, Missing, NodeCount, Reading, SignalName, Timestamp, elapsed};
use crate::engine::{Explanation, decide, explain};
use crate::policy::{Control, Policy};
use crate::store::{Command, Store, StoreError};
use crate::telemetry::Metrics;

/// What a look would do.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Preview {
    /// The decision that would be made, and why.
    pub explanation: Explanation,
    /// The acts that would follow, as sentences.
    pub acts: Vec<String>,
    /// What would not be done, and why.
    pub notes: Vec<String>,
}

/// Looks at a pool once: observes, decides and plans as the daemon would, from what `store`
/// remembers.
pub async fn preview(
    policy: Policy,
    world: &World,
    store: Arc<Store>,
) -> Result<Preview, StoreError> {
    preview_with(policy, world, store, None).await
}

/// The same, as if `trial` had just been commanded.
pub async fn preview_with(
    policy: Policy,
    world: &World,
    store: Arc<Store>,
    trial: Option<Command>,
) -> Result<Preview, StoreError> {
    let policy = Arc::new(policy);
    let control = policy.control;
    let mut pool = PoolLoop::take_up(
        policy.clone(),
        world.clone(),
        store,
        Metrics::new(),
        control,
        Duration::from_secs(1),
    )
    .await?;
    let now = pool.now();
    let mut commands = pool.store.see_commands(&policy.pool, now).await?;
    commands.extend(trial);
    pool.orders = Orders::of(&commands);
    let is_held = pool.control() == Control::Hold;
    let (seeing, mut readings, price) =
        tokio::join!(pool.see(now), pool.read_signals(now), pool.ask_price(now));
    pool.count(&seeing, now);
    readings.extend(pool.counted_signals(&policy, now));
    pool.fill_in_counted(&mut readings, now).await?;
    let mut seen = pool.facts(&seeing, now);
    let costs = pool.costs(price, now).await?;
    let hints = pool.announced(now).await?;
    let forecasts = pool.foresee(&readings, now).await?;
    let observation = pool.observation(readings, forecasts, costs, hints, is_held, now);
    let decision = decide(&policy, &observation);
    pool.history = decision.history.clone();
    let plan = pool.plan(&mut seen, now).await?;
    let mut acts = Vec::new();
    if !plan.create.is_empty() {
        acts.push(format!("create {}", NodeCount(plan.create.len() as u32)));
    }
    for step in &plan.moves {
        let label = pool.nodes.get(&step.node).map(|node| node.label.to_string());
        let act = step.step.as_ref().map_or("change its state", |step| step.name());
        acts.push(format!("{}: {act}, {}", label.unwrap_or_default(), step.because));
    }
    if let Some(orphan) = &plan.sweep {
        acts.push(format!("delete the orphan {}", orphan.label));
    }
    let notes = plan.notes.iter().map(ToString::to_string).collect();
    Ok(Preview { explanation: explain(&decision, &observation, &policy), acts, notes })
}

/// What a running daemon read so long ago at most stands for what one look can't count.
const READ_LATELY: Duration = Duration::from_secs(60);

impl PoolLoop {
    /// A single look counts nothing over a time; a daemon that runs has, and has written it down.
    async fn fill_in_counted(
        &self,
        readings: &mut BTreeMap<SignalName, Reading>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let last = self.store.decisions(&self.policy.pool, now, 1).await?.pop();
        let lately = last.filter(|last| elapsed(last.at, now) <= READ_LATELY);
        let Some(mut lately) = lately.map(|last| last.observation.readings) else {
            return Ok(());
        };
        for (signal, reading) in readings {
            if let Reading::Missing { why: Missing::CountedTooShortly { .. } } = reading
                && let Some(known) = lately.remove(signal)
            {
                *reading = known;
            }
        }
        Ok(())
    }
}
