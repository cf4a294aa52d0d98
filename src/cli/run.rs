//! `windlass run`

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::ConfigArguments;
use super::exit::{Failure, load};
use crate::config;
use crate::policy::Control;
use crate::telemetry::{LogFormat, start_logs};

/// Arguments of `windlass run`.
#[derive(Debug, clap::Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Decide and plan, and write down what would be done, but do nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(arguments: RunArguments) -> Result<(), Failure> {
    let (config, policies) = load(&arguments.config.config)?;
    start_logs(match config.log_format {
        config::LogFormat::Text => LogFormat::Text,
        config::LogFormat::Json => LogFormat::Json,
    });
    let control = if arguments.dry_run { Control::DryRun } else { config.control };
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone()).map_err(Failure::failed)?;
    crate::daemon::run(config, policies, control, stop).await?;
    info!("stopped; nodes stay as they are, and the next start goes on from here");
    Ok(())
}

/// SIGTERM and SIGINT end the loop after the look that is under way.
pub(super) fn stop_on_signals(stop: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => info!("told to stop"),
            _ = interrupt.recv() => info!("interrupted"),
        }
        stop.cancel();
    });
    Ok(())
}
