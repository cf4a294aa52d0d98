//! `windlass plan`: one look without a written word or an act.

use std::sync::Arc;

use super::exit::{Failure, load};
use super::{ConfigArguments, Output};
use crate::daemon::world;
use crate::domain::PoolName;
use crate::reconciler::{Preview, preview};
use crate::store::Store;

/// Arguments of `windlass plan`.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArguments {
    /// Only this pool.
    pool: Option<PoolName>,
    #[command(flatten)]
    config: ConfigArguments,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn plan(arguments: PlanArguments) -> Result<(), Failure> {
    let (config, policies) = load(&arguments.config.config)?;
    let world = world(&config).map_err(anyhow::Error::new)?;
    let store = match config.database.exists() {
        true => Store::open_beside(&config.database).await,
        false => Store::in_memory().await,
    };
    let store = Arc::new(store.map_err(Failure::failed)?);
    let mut previews = Vec::new();
    for (_, policy) in policies {
        if arguments.pool.as_ref().is_none_or(|pool| *pool == policy.pool) {
            let preview = preview(policy, &world, store.clone()).await;
            previews.push(preview.map_err(Failure::failed)?);
        }
    }
    store.close().await;
    if let (Some(pool), true) = (&arguments.pool, previews.is_empty()) {
        return Err(Failure::failed(anyhow::anyhow!("no policy is for a pool named {pool}")));
    }
    match arguments.output {
        Output::Json => {
            let document = serde_json::to_value(&previews).map_err(Failure::failed)?;
            anstream::println!("{document:#}");
        }
        Output::Text => previews.iter().for_each(print),
    }
    Ok(())
}

fn print(preview: &Preview) {
    anstream::print!("{}", preview.explanation);
    anstream::println!("plan");
    for line in &preview.acts {
        anstream::println!("  {line}");
    }
    if preview.acts.is_empty() {
        anstream::println!("  nothing to do");
    }
    for note in &preview.notes {
        anstream::println!("  note: {note}");
    }
}
