//! What a look would do now, without a written word or an act.

use std::sync::Arc;

use serde::Serialize;

use super::look::{PoolLoop, World};
use crate::domain::{Duration, NodeCount};
use crate::engine::{Explanation, decide, explain};
use crate::policy::{Control, Policy};
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;

/// What a look would do.
#[derive(Clone, Debug, Serialize)]
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
    let commands = pool.store.see_commands(&policy.pool, now).await?;
    let is_held = pool.control(&commands) == Control::Hold;
    let (seeing, readings, price) =
        tokio::join!(pool.see(now), pool.read_signals(now), pool.ask_price(now));
    let mut seen = pool.facts(&seeing);
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
    let notes = plan.notes.iter().map(ToString::to_string).collect();
    Ok(Preview { explanation: explain(&decision, &observation, &policy), acts, notes })
}
