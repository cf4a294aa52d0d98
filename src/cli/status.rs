//! `windlass status`

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;

use super::Output;
use super::client::{ApiArguments, get};
use super::exit::Failure;

/// Arguments of `windlass status`.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArguments {
    /// Only this pool.
    pool: Option<String>,
    #[command(flatten)]
    api: ApiArguments,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn status(arguments: StatusArguments) -> Result<(), Failure> {
    let pools: Vec<Value> = match &arguments.pool {
        Some(pool) => vec![get(&arguments.api, &format!("/pools/{pool}"), &[]).await?],
        None => get(&arguments.api, "/pools", &[]).await?,
    };
    if arguments.output == Output::Json {
        anstream::println!("{:#}", Value::Array(pools));
        return Ok(());
    }
    for pool in &pools {
        print_pool(pool);
    }
    Ok(())
}

fn print_pool(pool: &Value) {
    let text = |key: &str| pool[key].as_str().unwrap_or("-").to_string();
    let number = |key: &str| pool[key].as_u64().map_or("-".into(), |number| number.to_string());
    anstream::println!(
        "{} ({}): {} wanted, {} serving, {} on the way, {} leaving, bounds {} to {}",
        text("pool"),
        text("control"),
        number("desired"),
        number("serving"),
        number("on_the_way"),
        number("leaving"),
        number("min"),
        number("max"),
    );
    if let Some(failure) = pool["store_failure"].as_str() {
        anstream::println!("  nothing is done while the store fails: {failure}");
    }
    for (key, word) in [("reasons", "because"), ("notes", "note"), ("suppressed", "dry run: would")]
    {
        for line in pool[key].as_array().into_iter().flatten().filter_map(Value::as_str) {
            anstream::println!("  {word} {line}");
        }
    }
    let nodes = pool["nodes"].as_array().cloned().unwrap_or_default();
    if !nodes.is_empty() {
        anstream::println!("{}", table(&nodes));
    }
}

fn table(nodes: &[Value]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["  node", "state", "since", "address", "waits for"]);
    for node in nodes {
        let text = |key: &str| node[key].as_str().unwrap_or_default().to_string();
        let since = text("since");
        let time = since.split('T').nth(1).map_or("", |time| &time[..time.len().min(8)]);
        let waits = match node["error"].as_str() {
            Some(error) => format!("{} ({error})", text("waits_for")),
            None => text("waits_for"),
        };
        let waits = match node["protected"].as_str() {
            Some(protected) if waits.is_empty() => protected.to_string(),
            Some(protected) => format!("{waits}; {protected}"),
            None => waits,
        };
        let label = format!("  {}", text("label"));
        table.add_row([label, text("state"), time.to_string(), text("address"), waits]);
    }
    table
}
