//! `windlass man`: a manual page of the program and of each command.
//!
//! In: a folder. Out: `windlass.1`, `windlass-run.1`, … in it. Never: writes elsewhere.

use std::path::PathBuf;

use anyhow::Context;
use clap::CommandFactory;

use super::Arguments;
use super::exit::Failure;

/// Arguments of `windlass man`.
#[derive(Debug, clap::Args)]
pub(super) struct ManArguments {
    /// The folder that the pages are written into; it is made where it is missing.
    directory: PathBuf,
}

pub(super) fn man(arguments: &ManArguments) -> Result<(), Failure> {
    let directory = &arguments.directory;
    let failed = || format!("can't write manual pages into {}", directory.display());
    std::fs::create_dir_all(directory).with_context(failed)?;
    clap_mangen::generate_to(Arguments::command(), directory).with_context(failed)?;
    Ok(())
}
