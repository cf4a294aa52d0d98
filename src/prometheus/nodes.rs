//! Reads signals that have a series of each node.
//!
//! In: a query, and the label that tells its series apart.
//! Out: one sample of each node, each as old as its own data.
//! Never: takes one node's silence for the silence of all, nor one node's age for another's.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use prometheus_http_query::response::{Data, InstantVector};

use super::PrometheusSource;
use super::answer::Failure;
use super::selectors::{SELECTOR, node_dating_query};
use super::source::{ended, failed, fresh, label_set, moment, undated, usable};
use crate::domain::{Missing, NodeSample, Timestamp};

impl PrometheusSource {
    /// One sample of each node, at least one of them with a value.
    pub(super) async fn node_samples(
        &self,
        query: &str,
        node_label: &str,
        stale_after: Duration,
        now: Timestamp,
    ) -> Result<Vec<NodeSample>, Missing> {
        let dating = node_dating_query(query, node_label);
        let date = async {
            match &dating {
                Some(dating) => self.instant(dating).await.map(Some),
                None => Ok(None),
            }
        };
        let (values, dates) = tokio::join!(self.instant(query), date);
        let values = series(values.map_err(failed)?)?;
        if values.is_empty() {
            return Err(Missing::Empty);
        }
        let dates = match dates.map_err(undated)? {
            Some(dates) => Some(Dates::of(&series(dates)?, node_label)),
            None => None,
        };
        let mut nodes = BTreeMap::new();
        for one in &values {
            let name = named(one, node_label)?;
            let node = without_port(name);
            let said = said(one, dates.as_ref().map(|dates| dates.of_node(name)), stale_after, now);
            if nodes.insert(node, said).is_some() {
                return Err(Missing::TwiceOneNode { node: node.to_owned() });
            }
        }
        if let Some(Err(why)) = nodes.values().find(|said| said.is_err())
            && nodes.values().all(Result::is_err)
        {
            return Err(why.clone());
        }
        let sample = |(node, said): (&str, Result<(Timestamp, f64), Missing>)| NodeSample {
            node: node.to_owned(),
            at: said.as_ref().map_or(now, |(at, _)| *at),
            value: said.ok().map(|(_, value)| value),
            capacity: None,
        };
        Ok(nodes.into_iter().map(sample).collect())
    }
}

/// The newest raw sample behind each selector, by node.
struct Dates {
    /// By selector: by the nodes' label, and under the empty name where series have no such label.
    by_selector: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Dates {
    fn of(series: &[InstantVector], node_label: &str) -> Self {
        let mut by_selector: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        for one in series {
            let label = |name: &str| one.metric().get(name).cloned().unwrap_or_default();
            let nodes = by_selector.entry(label(SELECTOR)).or_default();
            nodes.insert(label(node_label), one.sample().value());
        }
        Self { by_selector }
    }

    /// How new a node's data is, in seconds since 1970: as old as the oldest of its selectors.
    /// None where other nodes have living series and this one has none. A selector whose series
    /// know nothing of nodes dates all of them.
    fn of_node(&self, name: &str) -> Option<f64> {
        let selectors = || self.by_selector.values();
        let own = || selectors().filter_map(|nodes| nodes.get(name));
        let shared = selectors().filter_map(|nodes| nodes.get(""));
        let knows_nodes = selectors().any(|nodes| nodes.keys().any(|node| !node.is_empty()));
        if knows_nodes && own().next().is_none() {
            return None;
        }
        own().chain(shared).copied().reduce(f64::min)
    }
}

/// What one series says of its node, given how new its data is; `None` where no selector of the
/// expression can be dated.
fn said(
    one: &InstantVector,
    newest: Option<Option<f64>>,
    stale_after: Duration,
    now: Timestamp,
) -> Result<(Timestamp, f64), Missing> {
    let evaluated_at = one.sample().timestamp();
    let newest = match newest {
        Some(newest) => newest.ok_or_else(ended)?,
        None => evaluated_at,
    };
    let no_moment = || undated(Failure::Passing("it is no moment in time".into()));
    let newest = moment(newest).ok_or_else(no_moment)?;
    let at = newest.min(moment(evaluated_at).ok_or_else(no_moment)?);
    fresh(at, stale_after, now)?;
    Ok((at, usable(one.sample().value())?))
}

fn series(data: Data) -> Result<Vec<InstantVector>, Missing> {
    let refuse = |message: &str| Err(Missing::QueryFailed { message: message.into() });
    match data {
        Data::Vector(series) => Ok(series),
        Data::Scalar(_) => refuse("the query gives one number and no series of each node"),
        Data::Matrix(_) => refuse(
            "the query gives a range and not a number of each node: put a function such as `rate` \
             around it",
        ),
    }
}

fn named<'s>(one: &'s InstantVector, node_label: &str) -> Result<&'s str, Missing> {
    let labels: &HashMap<String, String> = one.metric();
    labels.get(node_label).map(String::as_str).ok_or_else(|| Missing::QueryFailed {
        message: format!("a series has no label `{node_label}`: {}", label_set(labels)),
    })
}

/// `10.10.0.21` for `10.10.0.21:9100`, and `web-4f1c` for `web-4f1c:9100`.
fn without_port(name: &str) -> &str {
    match name.rsplit_once(':') {
        // More colons are an address of another kind, which no node of ours has.
        Some((host, port)) if !host.contains(':') && port.parse::<u16>().is_ok() => host,
        Some(_) | None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_does_not_belong_to_a_node() {
        for (name, node) in [
            ("10.10.0.21:9100", "10.10.0.21"),
            ("10.10.0.21", "10.10.0.21"),
            ("web-4f1c:9100", "web-4f1c"),
            ("web-4f1c", "web-4f1c"),
            ("web:http", "web:http"),
            ("web:70000", "web:70000"),
            ("fd00::21", "fd00::21"),
            ("", ""),
        ] {
            assert_eq!(without_port(name), node);
        }
    }
}
