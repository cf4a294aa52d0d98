//! `windlass simulate`: many lives of a pool in which everything goes wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::Output;
use super::exit::{Failure, read_policy};
use crate::domain::{Dollars, Duration};
use crate::sim::KINDS;
use crate::sim::swarm::{Life, Swarm, live_all};

/// The bill is checked within one month, and lives begin on its second day.
const MOST_HOURS: u64 = 600;

/// Arguments of `windlass simulate`.
#[derive(Debug, clap::Args)]
pub(super) struct SimulateArguments {
    /// How many lives, each with a seed of its own.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// The pool's policy; without one, a built-in one that is quick to follow the load.
    #[arg(long)]
    policy: Option<PathBuf>,
    /// For how many hours of each life things go wrong, before all is well.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MOST_HOURS))]
    hours: u64,
    /// How many lives at once; without, one for each core.
    #[arg(long)]
    threads: Option<usize>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) fn simulate(arguments: &SimulateArguments) -> Result<(), Failure> {
    let swarm = swarm(arguments)?;
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.threads.unwrap_or_else(cores);
    let seeds = arguments.first..arguments.first.saturating_add(arguments.seeds);
    let told = |life: &Life| {
        if !life.broken.is_empty() {
            anstream::eprintln!("seed {} failed", life.seed);
        }
    };
    // Each thread has a runtime of its own, which may not be begun within another.
    let lives = tokio::task::block_in_place(|| live_all(&swarm, seeds, threads, &told));
    let lives = lives.map_err(Failure::failed)?;
    match arguments.output {
        Output::Json => anstream::println!("{:#}", as_json(arguments, &lives)),
        Output::Text => print(arguments, &lives),
    }
    match lives.iter().all(|life| life.broken.is_empty()) {
        true => Ok(()),
        false => Err(Failure::Found),
    }
}

fn swarm(arguments: &SimulateArguments) -> Result<Swarm, Failure> {
    let trouble = Duration::from_secs(arguments.hours * 3_600);
    Ok(match &arguments.policy {
        None => Swarm::built_in(trouble),
        Some(file) => Swarm { policies: vec![read_policy(file)?], trouble, settles_at: None },
    })
}

/// The command that lives this seed again.
fn again(arguments: &SimulateArguments, seed: u64) -> String {
    let policy = arguments.policy.as_ref();
    let policy = policy.map(|file| format!(" --policy {}", file.display())).unwrap_or_default();
    format!("windlass simulate --seeds 1 --first {seed}{policy} --hours {}", arguments.hours)
}

/// What all lives come to.
struct Sums {
    faults: BTreeMap<&'static str, u64>,
    pool_days: f64,
    looks: u64,
    decisions: u64,
    crashes: u64,
    instances: u64,
    bill: Dollars,
}

impl Sums {
    fn of(lives: &[Life]) -> Self {
        let mut faults: BTreeMap<_, _> = KINDS.iter().map(|kind| (*kind, 0)).collect();
        for (kind, times) in lives.iter().flat_map(|life| &life.faults) {
            *faults.entry(*kind).or_default() += times;
        }
        let lived: Duration = lives.iter().map(|life| life.lived).sum();
        Self {
            faults,
            pool_days: lived.as_secs_f64() / 86_400.0,
            looks: lives.iter().map(|life| life.looks).sum(),
            decisions: lives.iter().map(|life| life.decisions).sum(),
            crashes: lives.iter().map(|life| u64::from(life.crashes)).sum(),
            instances: lives.iter().map(|life| u64::from(life.instances)).sum(),
            bill: lives.iter().fold(Dollars::default(), |bill, life| bill.plus(life.bill)),
        }
    }
}

fn print(arguments: &SimulateArguments, lives: &[Life]) {
    let failed: Vec<&Life> = lives.iter().filter(|life| !life.broken.is_empty()).collect();
    for life in &failed {
        for line in &life.timeline {
            anstream::println!("{line}");
        }
        anstream::println!("\nseed {} broke:", life.seed);
        for one in &life.broken {
            anstream::println!("  {}, at {}: {}", one.invariant, one.at, one.what);
        }
        anstream::println!("again: {}\n", again(arguments, life.seed));
    }
    let sums = Sums::of(lives);
    anstream::println!(
        "{} lives, {:.1} pool-days, {} looks, {} decisions, {} crashes, {} instances, ${:.2}",
        lives.len(),
        sums.pool_days,
        sums.looks,
        sums.decisions,
        sums.crashes,
        sums.instances,
        sums.bill.get()
    );
    anstream::println!("what went wrong, and how often:");
    for (kind, times) in &sums.faults {
        anstream::println!("  {kind:24} {times}");
    }
    match failed.len() {
        0 => anstream::println!("every invariant held in every life"),
        count => anstream::println!("{count} of {} lives broke an invariant", lives.len()),
    }
}

fn as_json(arguments: &SimulateArguments, lives: &[Life]) -> Value {
    let sums = Sums::of(lives);
    let failed: Vec<Value> = lives
        .iter()
        .filter(|life| !life.broken.is_empty())
        .map(|life| {
            json!({
                "seed": life.seed,
                "again": again(arguments, life.seed),
                "broken": life.broken,
                "timeline": life.timeline,
            })
        })
        .collect();
    json!({
        "seeds": lives.len(),
        "first": arguments.first,
        "hours": arguments.hours,
        "pool_days": sums.pool_days,
        "looks": sums.looks,
        "decisions": sums.decisions,
        "crashes": sums.crashes,
        "instances": sums.instances,
        "bill_dollars": sums.bill.get(),
        "faults": sums.faults,
        "failed": failed,
    })
}
