//! `windlass sandbox`

use tokio_util::sync::CancellationToken;

use super::exit::Failure;
use crate::sandbox::{SandboxOptions, run};
use crate::telemetry::{LogFormat, start_logs};

/// Arguments of `windlass sandbox`.
#[derive(Debug, clap::Args)]
pub(super) struct SandboxArguments {
    #[command(flatten)]
    options: SandboxOptions,
}

pub(super) async fn sandbox(arguments: SandboxArguments) -> Result<(), Failure> {
    start_logs(LogFormat::Text);
    let stop = CancellationToken::new();
    super::run::stop_on_signals(stop.clone()).map_err(Failure::failed)?;
    run(arguments.options, stop).await.map_err(Failure::failed)
}
