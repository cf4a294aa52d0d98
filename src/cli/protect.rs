//! `windlass protect`: a node that stays while somebody looks into it.

use super::ConfigArguments;
use super::exit::{Failure, load};
use super::hold::{LONGEST_HOLD, leave_in, refuse_no_reason};
use crate::domain::{Duration, Node, PoolName};
use crate::ports::{Clock, SystemClock};
use crate::store::{CommandKind, Store};

/// Arguments of `windlass protect`.
#[derive(Debug, clap::Args)]
pub(super) struct ProtectArguments {
    /// The node's label or id, as `windlass status` shows it.
    node: String,
    /// How long, such as 30m or 2h.
    #[arg(
        long = "for",
        value_parser = humantime::parse_duration,
        required_unless_present = "release",
        conflicts_with = "release"
    )]
    length: Option<Duration>,
    /// Why; shown beside the node while it lasts.
    #[arg(long)]
    reason: String,
    /// End the node's protection instead.
    #[arg(long)]
    release: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) async fn protect(arguments: ProtectArguments) -> Result<(), Failure> {
    let length = arguments.length.unwrap_or(LONGEST_HOLD);
    if LONGEST_HOLD < length || length.is_zero() {
        let message = "a protection lasts up to seven days, and longer than no time; use --for 2h";
        return Err(Failure::failed(anyhow::anyhow!("{message}")));
    }
    let (config, policies) = load(&arguments.config.config)?;
    let pools: Vec<PoolName> = policies.into_iter().map(|(_, policy)| policy.pool).collect();
    refuse_no_reason(&arguments.reason)?;
    let store = Store::open_beside(&config.database).await.map_err(Failure::failed)?;
    let done = leave(&store, &pools, &arguments, length).await;
    store.close().await;
    done
}

async fn leave(
    store: &Store,
    pools: &[PoolName],
    arguments: &ProtectArguments,
    length: Duration,
) -> Result<(), Failure> {
    let node = known_node(store, pools, &arguments.node).await?;
    let kind = match arguments.release {
        false => CommandKind::Protect { node: node.id },
        true => CommandKind::Release { node: node.id },
    };
    let until = leave_in(store, &node.pool, kind, arguments.reason.clone(), length).await?;
    match arguments.release {
        false => anstream::eprintln!("{} is protected until {until}", node.label),
        true => anstream::eprintln!("{} is protected no more", node.label),
    }
    Ok(())
}

/// The living node that was named.
async fn known_node(store: &Store, pools: &[PoolName], named: &str) -> Result<Node, Failure> {
    let mut labels = Vec::new();
    for pool in pools {
        let state = store.load_pool(pool, SystemClock.now()).await.map_err(Failure::failed)?;
        for node in state.nodes.into_iter().filter(|node| !node.state.is_final()) {
            if node.label.as_str() == named || node.id.to_string() == named {
                return Ok(node);
            }
            labels.push(node.label.to_string());
        }
    }
    let known = if labels.is_empty() { "none".into() } else { labels.join(", ") };
    Err(Failure::failed(anyhow::anyhow!("no living node is named {named}; there are: {known}")))
}
