//! `windlass completions`: what a shell needs to complete commands and flags.
//!
//! In: a shell. Out: its script, on standard output. Never: writes to the user's settings.

use std::io::Write;

use anyhow::Context;
use clap::CommandFactory;

use super::Arguments;
use super::exit::Failure;

/// Arguments of `windlass completions`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArguments {
    /// The shell that shall complete.
    shell: clap_complete::Shell,
}

pub(super) fn completions(arguments: &CompletionsArguments) -> Result<(), Failure> {
    // Into memory first: writing to a closed pipe would panic inside.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "windlass", &mut script);
    let written = std::io::stdout().write_all(&script);
    Ok(written.context("can't write the completions")?)
}
