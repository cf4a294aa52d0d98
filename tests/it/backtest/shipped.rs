//! What the shipped policies come to on recorded traffic, written down: a change to the engine, to a
//! forecast or to a policy shows its worth as a change of `policies/recorded`.
//!
//! `make record` writes them anew. The traces are beside the project (`../shared/traces`); where they
//! are not, nothing can be compared, and that is said.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use windlass::domain::Dollars;
use windlass::policy::{Policy, parse};
use windlass::sim::backtest::{
    Bounds, KNEE, Lasts, NodeModel, Rehearse, Settings, Trace, read_hints, rehearse,
};

/// So much of each trace is rehearsed, and so much of it not scored: forecasts learn.
const DAYS: f64 = 4.0;
const UNSCORED_DAYS: f64 = 2.0;
const PEAK_NODES: u32 = 40;
const WORKERS: u32 = 8;

/// A policy, and the kinds of traffic that it is for.
struct Recorded {
    name: &'static str,
    /// What its rules take a node to carry, in requests per second.
    per_node: f64,
    objective_seconds: f64,
    traces: &'static [(&'static str, Hears)],
}

#[derive(Clone, Copy, PartialEq)]
enum Hears {
    Hints,
    Nothing,
}

#[test]
fn notifications_comes_to_what_is_recorded() {
    let traces = &[
        ("twitter_stream_2021a", Hears::Nothing),
        ("push_campaigns_semisynthetic_a", Hears::Hints),
    ];
    is_as_recorded(&Recorded {
        name: "notifications",
        per_node: 128.0,
        objective_seconds: 0.25,
        traces,
    });
}

#[test]
fn smooth_web_comes_to_what_is_recorded() {
    let traces = &[("ms_web_query_01", Hears::Nothing), ("ms_web_query_02", Hears::Nothing)];
    is_as_recorded(&Recorded {
        name: "smooth-web",
        per_node: 128.0,
        objective_seconds: 0.25,
        traces,
    });
}

#[test]
fn bursty_api_comes_to_what_is_recorded() {
    let traces = &[("ms_web_query_04", Hears::Nothing), ("servegen_m_large", Hears::Nothing)];
    is_as_recorded(&Recorded {
        name: "bursty-api",
        per_node: 128.0,
        objective_seconds: 0.25,
        traces,
    });
}

#[test]
fn batch_queue_comes_to_what_is_recorded() {
    // Its jobs may wait; a rehearsal holds none for longer than ten seconds.
    let traces = &[("servegen_m_large", Hears::Nothing)];
    is_as_recorded(&Recorded {
        name: "batch-queue",
        per_node: 20.0,
        objective_seconds: 5.0,
        traces,
    });
}

fn is_as_recorded(recorded: &Recorded) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let traces = project.join("../shared/traces");
    if !traces.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "{} is missing", traces.display());
        eprintln!("SKIPPED, NOTHING WAS COMPARED: {} is missing", traces.display());
        return;
    }
    let file = project.join("policies/recorded").join(recorded.name).with_extension("json");
    let now = recorded.rehearsed(project, &traces);
    if std::env::var_os("WINDLASS_RECORD").is_some() {
        std::fs::write(&file, format!("{now:#}\n")).expect("a record that can be written");
        return;
    }
    let text = std::fs::read_to_string(&file).expect("it was recorded: `make record`");
    let then: Value = serde_json::from_str(&text).expect("JSON");
    assert!(
        is_same(&then, &now),
        "{}: recorded was\n{then:#}\nand now it is\n{now:#}\n\
         If that is meant, run `make record` and say why in the commit.",
        recorded.name
    );
}

impl Recorded {
    /// The record, as it is now.
    fn rehearsed(&self, project: &Path, traces: &Path) -> Value {
        let file = project.join("policies").join(self.name).with_extension("yaml");
        let policy = policy(&file);
        let settings = self.settings(&policy);
        let rehearsals = self.traces.iter().map(|(trace, hears)| {
            let (name, file) = (*trace, traces.join(trace).with_extension("csv"));
            self.one(&policy, &settings, name, &file, *hears)
        });
        json!({
            "policy": format!("policies/{}.yaml", self.name),
            "settings": {
                "days": DAYS,
                "unscored_days": UNSCORED_DAYS,
                "peak_nodes": PEAK_NODES,
                "boot_seconds": settings.boot.upper(),
                "drain_seconds": settings.drain.upper(),
                "lag_seconds": settings.lag,
                "interval_seconds": settings.interval,
                "min": settings.bounds.min,
                "max": settings.bounds.max,
                "node_requests_per_second_within_objective": self.per_node,
                "objective_seconds": self.objective_seconds,
            },
            "rehearsals": rehearsals.collect::<Vec<_>>(),
        })
    }

    fn settings(&self, policy: &Policy) -> Settings {
        let rate = self.per_node / (f64::from(WORKERS) * KNEE);
        Settings {
            node: NodeModel::new(WORKERS, rate, self.objective_seconds),
            bounds: Bounds { min: policy.bounds.min, max: policy.bounds.max },
            boot: Lasts::always(120),
            drain: Lasts::always(60),
            lag: 15,
            interval: 10,
            scored_from: (UNSCORED_DAYS * 86_400.0) as u64,
            seed: 1,
            hourly_price: Dollars::new(0.036).expect("a price"),
        }
    }

    fn one(
        &self,
        policy: &Policy,
        settings: &Settings,
        name: &str,
        file: &Path,
        hears: Hears,
    ) -> Value {
        let trace = Trace::read(name, &first_days(file)).expect("a good trace");
        let trace = trace.scaled_to_peak(PEAK_NODES, &settings.node).expect("not silent");
        let hints = match hears {
            Hears::Hints => read_hints(&read(&file.with_extension("hints.csv"))).expect("hints"),
            Hears::Nothing => Vec::new(),
        };
        let policies = [(name.to_owned(), policy.clone())];
        let (trace, hints, policies) = (&trace, &hints[..], &policies[..]);
        let baselines = &[];
        let all = Rehearse { trace, settings, hints, policies, baselines };
        let rehearsal = rehearse(&all).expect("rates and latencies alone");
        let score = &rehearsal.scores[0];
        json!({
            "trace": name,
            "hints": hears == Hears::Hints,
            "violating_requests_ratio": score.violating_requests_ratio,
            "announced_requests_violating_ratio": score.announced_requests_violating_ratio,
            "billed_node_hours": score.billed_node_hours,
            "billed_vs_oracle": score.billed_vs_oracle,
            "node_hours": score.node_hours,
            "scale_out_events": score.scale_out_events,
            "scale_in_events": score.scale_in_events,
            "peak_nodes": score.peak_nodes,
        })
    }
}

fn policy(file: &Path) -> Policy {
    parse(&read(file), file).unwrap_or_else(|problems| panic!("{problems}"))
}

fn read(file: &Path) -> String {
    let shown: PathBuf = file.into();
    std::fs::read_to_string(file).unwrap_or_else(|cause| panic!("{}: {cause}", shown.display()))
}

/// The header and the first days of a trace that begins at 0.
fn first_days(file: &Path) -> String {
    let text = read(file);
    let is_early = |line: &&str| {
        let seconds = line.split(',').next().and_then(|seconds| seconds.parse().ok());
        seconds.is_none_or(|seconds: f64| seconds < DAYS * 86_400.0)
    };
    text.lines().take_while(is_early).flat_map(|line| [line, "\n"]).collect()
}

/// Equal, up to what another platform's logarithm may differ by.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(key, value): (&String, &Value)| {
                other.get(key).is_some_and(|other| is_same(value, other))
            };
            one.len() == other.len() && one.iter().all(has)
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64(), other.as_f64());
            one.zip(other).is_some_and(|(a, b)| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()))
        }
        _ => one == other,
    }
}
