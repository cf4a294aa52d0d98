//! The JSON document. Of one trace it is `trace`, `settings`, `contenders` and, where it was asked
//! for, `curve`; of several `traces` has these of each, and `summary` and `curve` are over all.

use serde_json::{Map, Value, json};

use super::arguments::BacktestArguments;
use super::setup::Setup;
use crate::sim::backtest::{Bout, mean_curve, together};

pub(super) fn document(arguments: &BacktestArguments, setup: &Setup, bouts: &[Bout]) -> Value {
    let each = bouts.iter().enumerate().map(|(place, bout)| one(arguments, setup, place, bout));
    let mut each: Vec<Value> = each.collect();
    if each.len() == 1 {
        return each.remove(0);
    }
    let mut all = Map::from_iter([
        ("traces".to_owned(), Value::Array(each)),
        ("summary".to_owned(), json!(together(bouts))),
    ]);
    if arguments.curve.is_some() {
        all.insert("curve".to_owned(), json!(mean_curve(bouts)));
    }
    Value::Object(all)
}

/// What came of the trace at `place`.
fn one(arguments: &BacktestArguments, setup: &Setup, place: usize, bout: &Bout) -> Value {
    let scene = &setup.scenes[place];
    let (trace, settings, node) = (&scene.trace, &scene.settings, &scene.settings.node);
    let (source, sources, boot) = (&setup.traffic[place], &setup.sources, settings.boot.ends());
    let mut document = json!({
        "trace": {
            "name": trace.name,
            "file": source.file(),
            "recorded": source.recorded(),
            "begins_at_seconds": trace.begins_at,
            "length_seconds": trace.seconds(),
            "sample_seconds": trace.sample_seconds,
            "scale": trace.scale,
            "peak_requests_per_second": trace.peak_minute(),
            "gaps": trace.gaps,
            "held": trace.held,
            "held_seconds": trace.held_seconds(),
            "hints": scene.hints.len(),
            "oracle": bout.yardstick,
        },
        "settings": {
            "peak_nodes": arguments.world.peak_nodes,
            "min": settings.bounds.min,
            "max": settings.bounds.max,
            "boot_seconds": [boot.0, boot.1],
            "boot_source": sources.boot,
            "drain_seconds": settings.drain.upper(),
            "drain_source": sources.drain,
            "lag_seconds": settings.lag,
            "interval_seconds": settings.interval,
            "unscored_seconds": settings.scored_from,
            "seed": settings.seed,
            "workers": node.workers(),
            "worker_rate": node.worker_rate(),
            "worker_rate_source": sources.node,
            "objective_seconds": node.objective(),
            "node_requests_per_second": node.capacity(),
            "node_requests_per_second_within_objective": node.knee_rate(),
            "hourly_price_usd": settings.hourly_price.get(),
            "hourly_price_source": sources.price,
        },
        "contenders": bout.scores,
    });
    if arguments.curve.is_some() {
        document["curve"] = json!(bout.curve);
    }
    document
}
