//! `windlass schema`

use super::exit::Failure;
use crate::api::document;
use crate::policy::json_schema;

/// Arguments of `windlass schema`.
#[derive(Debug, clap::Args)]
pub(super) struct SchemaArguments {
    /// Print the OpenAPI document of the HTTP API instead.
    #[arg(long)]
    api: bool,
}

pub(super) fn schema(arguments: &SchemaArguments) -> Result<(), Failure> {
    if arguments.api {
        anstream::println!("{}", document().to_pretty_json().map_err(Failure::failed)?);
    } else {
        anstream::println!("{:#}", json_schema());
    }
    Ok(())
}
