//! `--what-if`: the same policy under other settings.
//!
//! In: `boot=60s`, or `min=4,max=20`, or `type=g6-standard-4`.
//! Out: a policy and a world to rehearse beside everyone's, named by what differs.
//! Never: changes the traffic.

use std::fmt;
use std::str::FromStr;

use super::arguments::{dollars, interval, rate, time};
use super::delays::told;
use super::setup::price_of;
use crate::domain::{Dollars, Duration, NodeCount, RequestsPerSecond};
use crate::policy::{Policy, Rule, TargetForm};
use crate::sandbox::{instance_types, virtual_cpus};
use crate::sim::backtest::{KNEE, Lasts, NodeModel, Settings, Variant};

/// What can differ.
const KEYS: [&str; 9] =
    ["boot", "drain", "lag", "interval", "min", "max", "type", "price", "per_node"];

/// What differs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::cli) struct WhatIf {
    text: String,
    boot: Option<Lasts>,
    drain: Option<Lasts>,
    lag: Option<Duration>,
    interval: Option<Duration>,
    min: Option<u32>,
    max: Option<u32>,
    instance_type: Option<String>,
    price: Option<Dollars>,
    per_node: Option<f64>,
}

impl FromStr for WhatIf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut what_if = Self::default();
        let mut terms: Vec<(&str, &str)> = Vec::new();
        for term in text.split(',') {
            let Some((key, value)) = term.split_once('=') else {
                return Err(format!("`{}` has no `=`; write `boot=60s`", term.trim()));
            };
            let (key, value) = (key.trim(), value.trim());
            if terms.iter().any(|(known, _)| *known == key) {
                return Err(format!("`{key}` is there twice; leave one out"));
            }
            what_if.set(key, value).map_err(|what| format!("`{key}={value}`: {what}"))?;
            terms.push((key, value));
        }
        if let (Some(min), Some(max)) = (what_if.min, what_if.max)
            && max < min
        {
            return Err(format!("`max` is {max}, below `min`, which is {min}; raise `max`"));
        }
        let terms: Vec<String> =
            terms.iter().map(|(key, value)| format!("{key}={value}")).collect();
        what_if.text = terms.join(",");
        Ok(what_if)
    }
}

impl fmt::Display for WhatIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl WhatIf {
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "boot" => self.boot = Some(told(value)?),
            "drain" => self.drain = Some(told(value)?),
            "lag" => self.lag = Some(time(value)?),
            "interval" => self.interval = Some(interval(value)?),
            "min" => self.min = Some(count(value)?),
            "max" => self.max = Some(count(value)?),
            "type" => self.instance_type = Some(known_type(value)?),
            "price" => self.price = Some(dollars(value)?),
            "per_node" => self.per_node = Some(rate(value)?),
            _ => return Err(format!("`{key}` can't differ; there are {}", KEYS.join(", "))),
        }
        Ok(())
    }

    /// The policy `name` and everyone's world, with what differs. Fails with what is wrong and
    /// what to do.
    pub fn apply(&self, name: &str, policy: &Policy, world: &Settings) -> Result<Variant, String> {
        let (mut policy, mut settings) = (policy.clone(), world.clone());
        let bounds = &mut policy.bounds;
        bounds.min = self.min.map_or(bounds.min, NodeCount);
        bounds.max = self.max.map_or(bounds.max, NodeCount);
        if bounds.max < bounds.min {
            let (min, max) = (bounds.min.0, bounds.max.0);
            let what = format!("the largest count is {max}, the smallest {min}");
            return Err(format!("{what}\nhint: let `min` and `max` differ together"));
        }
        bounds.default = bounds.default.max(bounds.min).min(bounds.max);
        settings.boot = self.boot.clone().unwrap_or(settings.boot);
        settings.drain = self.drain.clone().unwrap_or(settings.drain);
        let seconds = |own: Option<Duration>, usual: u64| own.map_or(usual, |own| own.as_secs());
        settings.lag = seconds(self.lag, settings.lag);
        settings.interval = seconds(self.interval, settings.interval);
        if let Some(instance_type) = &self.instance_type {
            let region = policy.node.region.as_str();
            let known = self.price.map_or_else(|| price_of(instance_type, region), Ok);
            settings.hourly_price = known.map_err(|what| format!("{what}\nhint: add `price=…`"))?;
        }
        settings.hourly_price = self.price.unwrap_or(settings.hourly_price);
        settings.node = self.node(&policy, &world.node)?;
        if let Some(instance_type) = &self.instance_type {
            policy.node.instance_type.clone_from(instance_type);
        }
        // The policy believes of its new nodes what it believed of the old ones.
        let times = settings.node.knee_rate() / world.node.knee_rate();
        carry(&mut policy, times);
        Ok(Variant { name: format!("{name}, if {self}"), policy, settings })
    }

    /// What a node carries: as told, or by its virtual processors.
    fn node(&self, policy: &Policy, usual: &NodeModel) -> Result<NodeModel, String> {
        let workers = match &self.instance_type {
            None => usual.workers(),
            Some(instance_type) => {
                let own = virtual_cpus(instance_type);
                let before = virtual_cpus(&policy.node.instance_type);
                match (own, before, self.per_node) {
                    (Some(own), Some(before), _) => (usual.workers() * own / before).max(1),
                    (_, _, Some(_)) => usual.workers(),
                    _ => {
                        let what = format!(
                            "how {instance_type} compares to {} isn't known",
                            policy.node.instance_type
                        );
                        return Err(format!("{what}\nhint: add `per_node=…`"));
                    }
                }
            }
        };
        let rate = match self.per_node {
            Some(per_node) => per_node / (f64::from(workers) * KNEE),
            None => usual.worker_rate(),
        };
        Ok(NodeModel::new(workers, rate, usual.objective()))
    }
}

/// Every rule's node carries `times` as much.
fn carry(policy: &mut Policy, times: f64) {
    let more = |per_node: &mut RequestsPerSecond| {
        *per_node = RequestsPerSecond::new(per_node.get() * times).unwrap_or(*per_node);
    };
    for rule in &mut policy.rules {
        match rule {
            Rule::Target(rule) => {
                if let TargetForm::PerNode(per_node) = &mut rule.form {
                    more(per_node);
                }
            }
            Rule::Forecast(rule) => more(&mut rule.per_node),
            Rule::Surge(rule) => more(&mut rule.per_node),
            Rule::Hint(rule) => more(&mut rule.per_node),
            Rule::Latency(_) | Rule::Count(_) | Rule::Fixed(_) => {}
            Rule::Step(_) | Rule::Schedule(_) => {}
        }
    }
}

fn count(text: &str) -> Result<u32, String> {
    let count = text.parse().ok().filter(|count| *count <= 100_000);
    count.ok_or_else(|| "give a number of nodes, 100000 at most".to_owned())
}

fn known_type(text: &str) -> Result<String, String> {
    if virtual_cpus(text).is_some() {
        return Ok(text.to_owned());
    }
    let known: Vec<_> = instance_types().collect();
    Err(format!("no type of that name is known here; there are {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_rehearsed_is_refused_with_a_remedy() {
        for (text, says) in [
            ("boot", "has no `=`; write `boot=60s`"),
            ("", "has no `=`"),
            ("boot=60s,boot=90s", "twice; leave one out"),
            ("boot=soon", "`boot=soon`: "),
            ("boot=90s..60s", "the longest time comes second"),
            ("colour=red", "`colour` can't differ; there are boot, drain"),
            ("min=-1", "give a number of nodes"),
            ("min=9,max=3", "raise `max`"),
            ("interval=15s", "a multiple of 10s"),
            ("type=g6-giant-1", "there are g6-nanode-1, g6-standard-1"),
            ("price=free", "an amount of dollars"),
            ("per_node=0", "a rate above 0"),
        ] {
            let error = text.parse::<WhatIf>().expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
        let fine = " min = 4, max=20".parse::<WhatIf>().expect("legal");
        assert_eq!(fine.to_string(), "min=4,max=20");
    }
}
