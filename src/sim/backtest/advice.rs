//! What a rehearsal advises: sentences with numbers, each tried before it is said.
//!
//! In: what came of a policy as it is, and of the same traffic with one thing changed at a time.
//! Out: what to change and what that brings, as data and as a sentence.
//! Never: advises what was not rehearsed; weighs money against requests for the operator.

mod evidence;
mod sentence;

use serde::Serialize;

pub use evidence::{Evidence, Freshness, advise, evidence, trials_at_most};

/// A smaller share of all requests than this is not worth a sentence: a hundredth of a percent is
/// what elasticity is usually promised to.
const WORTH: f64 = 1e-4;

/// What of the late requests a change must save to be advised: a tenth could be the luck of one
/// seed, and who asks for half hears of nothing until it hurts.
const MUCH: f64 = 0.25;

/// How much more "as cheap" may cost: one billed hour in a hundred.
const AS_CHEAP: f64 = 1.01;

/// The share of the bill that `min` must be before less of it is tried, and what that must save.
const MOST: f64 = 0.8;
const SAVES: f64 = 0.1;

/// Bursts an hour from which on a larger static base is tried: whoever orders a node for each pays
/// for an hour each time.
const OFTEN: f64 = 1.0;

/// What came of one run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// Requests that waited longer than the objective, of all.
    pub late_ratio: f64,
    /// How many that are.
    pub late_requests: f64,
    /// Started hours of each node.
    pub billed_node_hours: u64,
    /// Those times the price.
    pub cost_usd: f64,
}

/// A piece of advice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// What it is, with its numbers.
    #[serde(flatten)]
    pub kind: AdviceKind,
    /// The same as a sentence.
    pub text: String,
}

/// The kinds of advice. `is` is what came of the policy as it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AdviceKind {
    /// A larger `bounds.min` is as cheap, since bursts come more often than a paid hour ends.
    LargerMin {
        /// Bursts an hour.
        bursts_per_hour: f64,
        /// The median of what is needed, in nodes.
        usual_nodes: u32,
        /// `bounds.min`.
        from: u32,
        /// The largest that is as cheap.
        to: u32,
        /// As it is.
        is: Trial,
        /// With the larger one.
        then: Trial,
    },
    /// Nodes that serve sooner would save many requests.
    FasterBoot {
        /// From ordering a node until it serves, in seconds.
        seconds: u64,
        /// As it is.
        is: Trial,
        /// In half of the time.
        halved: Trial,
        /// In a quarter of it.
        quartered: Trial,
    },
    /// Late requests that nobody serves in time who only reacts.
    Unavoidable {
        /// From ordering a node until it serves, in seconds.
        seconds: u64,
        /// How many of the late requests that are.
        late_requests: f64,
        /// The same, of all requests.
        late_ratio: f64,
        /// The same, of the late ones.
        share_of_late: f64,
    },
    /// The bill is mostly `bounds.min`.
    MinDominates {
        /// Its share of the bill.
        share_of_bill: f64,
        /// `bounds.min`.
        from: u32,
        /// Half of it.
        to: u32,
        /// As it is.
        is: Trial,
        /// With half.
        then: Trial,
    },
    /// `bounds.max` was reached and cost requests.
    MaxReached {
        /// `bounds.max`.
        from: u32,
        /// Twice that.
        to: u32,
        /// As it is.
        is: Trial,
        /// With twice that.
        then: Trial,
    },
    /// Old, slow metrics cost requests.
    StaleMetrics {
        /// How old metrics are, and over how long they are taken.
        #[serde(flatten)]
        freshness: Freshness,
        /// As it is.
        is: Trial,
        /// With a third of both.
        then: Trial,
    },
    /// Nothing that was tried changes much.
    Nothing {
        /// As it is.
        is: Trial,
    },
}

impl From<AdviceKind> for Advice {
    fn from(kind: AdviceKind) -> Self {
        Self { text: kind.to_string(), kind }
    }
}

/// What the evidence advises; never nothing at all: then it says that.
pub fn judge(evidence: &Evidence) -> Vec<Advice> {
    let changes = [
        larger_min(evidence),
        larger_max(evidence),
        faster_boot(evidence),
        fresher_metrics(evidence),
        smaller_min(evidence),
    ];
    let mut kinds: Vec<AdviceKind> = changes.into_iter().flatten().collect();
    if kinds.is_empty() {
        kinds.push(AdviceKind::Nothing { is: evidence.is });
    }
    kinds.extend(unavoidable(evidence));
    kinds.into_iter().map(Advice::from).collect()
}

fn larger_min(evidence: &Evidence) -> Option<AdviceKind> {
    let &Evidence { is, min: from, bursts_per_hour, usual_nodes, .. } = evidence;
    let (to, then) = evidence.larger_min?;
    let is_cheap = then.cost_usd <= AS_CHEAP * is.cost_usd;
    let helps = saves(is, then) || then.cost_usd <= (1.0 - SAVES) * is.cost_usd;
    (OFTEN <= bursts_per_hour && is_cheap && helps && then.late_ratio <= is.late_ratio)
        .then_some(AdviceKind::LargerMin { bursts_per_hour, usual_nodes, from, to, is, then })
}

fn larger_max(evidence: &Evidence) -> Option<AdviceKind> {
    let (to, then) = evidence.larger_max?;
    let (from, is) = (evidence.max, evidence.is);
    saves(is, then).then_some(AdviceKind::MaxReached { from, to, is, then })
}

fn faster_boot(evidence: &Evidence) -> Option<AdviceKind> {
    let &Evidence { is, halved, quartered, boot_seconds: seconds, .. } = evidence;
    saves(is, halved).then_some(AdviceKind::FasterBoot { seconds, is, halved, quartered })
}

fn fresher_metrics(evidence: &Evidence) -> Option<AdviceKind> {
    let (freshness, then) = evidence.fresher?;
    let is = evidence.is;
    saves(is, then).then_some(AdviceKind::StaleMetrics { freshness, is, then })
}

fn smaller_min(evidence: &Evidence) -> Option<AdviceKind> {
    let (to, then) = evidence.smaller_min?;
    let (from, is) = (evidence.min, evidence.is);
    let share_of_bill = evidence.min_share_of_bill;
    (MOST <= share_of_bill && then.cost_usd <= (1.0 - SAVES) * is.cost_usd)
        .then_some(AdviceKind::MinDominates { share_of_bill, from, to, is, then })
}

fn unavoidable(evidence: &Evidence) -> Option<AdviceKind> {
    let (is, floor) = (evidence.is, evidence.reactive);
    let late_requests = floor.late_requests.min(is.late_requests);
    let late_ratio = floor.late_ratio.min(is.late_ratio);
    (WORTH <= late_ratio).then(|| AdviceKind::Unavoidable {
        seconds: evidence.boot_seconds,
        late_requests,
        late_ratio,
        share_of_late: late_requests / is.late_requests,
    })
}

/// Whether a change saves enough late requests to speak of.
fn saves(is: Trial, then: Trial) -> bool {
    let saved = is.late_ratio - then.late_ratio;
    WORTH <= saved && MUCH * is.late_ratio <= saved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(late_ratio: f64, cost_usd: f64) -> Trial {
        Trial { late_ratio, late_requests: late_ratio * 1e6, billed_node_hours: 100, cost_usd }
    }

    /// A policy with one percent of late requests, which nothing changes.
    fn settled() -> Evidence {
        let is = trial(0.01, 100.0);
        Evidence {
            is,
            min: 4,
            max: 20,
            boot_seconds: 120,
            bursts_per_hour: 0.1,
            usual_nodes: 6,
            min_share_of_bill: 0.5,
            larger_min: None,
            smaller_min: None,
            larger_max: None,
            halved: is,
            quartered: is,
            fresher: None,
            reactive: trial(0.0, 90.0),
        }
    }

    fn kinds(evidence: &Evidence) -> Vec<String> {
        let name = |advice: Advice| {
            let document = serde_json::to_value(advice).expect("a document");
            document["kind"].as_str().expect("a kind").to_owned()
        };
        judge(evidence).into_iter().map(name).collect()
    }

    #[test]
    fn what_nothing_changes_is_said_to_be_so() {
        assert_eq!(kinds(&settled()), ["nothing"]);
    }

    #[test]
    fn a_larger_min_is_advised_where_bursts_are_frequent_and_it_is_as_cheap_and_helps() {
        let with = |bursts_per_hour, then| {
            kinds(&Evidence { bursts_per_hour, larger_min: Some((8, then)), ..settled() })
        };
        assert_eq!(with(2.0, trial(0.001, 100.9)), ["larger_min"]);
        assert_eq!(with(2.0, trial(0.01, 85.0)), ["larger_min"], "as good and cheaper");
        for (bursts, then, because) in [
            (0.9, trial(0.001, 100.0), "bursts are rare"),
            (2.0, trial(0.001, 102.0), "it costs more"),
            (2.0, trial(0.009, 100.0), "it helps little"),
            (2.0, trial(0.02, 85.0), "it serves worse"),
        ] {
            assert_eq!(with(bursts, then), ["nothing"], "{because}");
        }
    }

    #[test]
    fn a_faster_boot_and_fresher_metrics_are_advised_where_they_save_a_quarter() {
        let boot =
            |halved| kinds(&Evidence { halved, quartered: trial(0.001, 100.0), ..settled() });
        assert_eq!(boot(trial(0.007, 100.0)), ["faster_boot"]);
        assert_eq!(boot(trial(0.008, 100.0)), ["nothing"]);
        let freshness = Freshness {
            lag_seconds: 15,
            window_seconds: 60,
            to_lag_seconds: 5,
            to_window_seconds: 20,
        };
        let fresher = |then| kinds(&Evidence { fresher: Some((freshness, then)), ..settled() });
        assert_eq!(fresher(trial(0.007, 100.0)), ["stale_metrics"]);
        assert_eq!(fresher(trial(0.008, 100.0)), ["nothing"]);
        let few = trial(0.000_12, 100.0);
        let none = trial(0.000_03, 100.0);
        assert_eq!(kinds(&Evidence { is: few, halved: none, ..settled() }), ["nothing"]);
    }

    #[test]
    fn bounds_that_cost_money_or_requests_are_told() {
        let smaller = |min_share_of_bill, cost| {
            let smaller_min = Some((2, trial(0.01, cost)));
            kinds(&Evidence { min_share_of_bill, smaller_min, ..settled() })
        };
        assert_eq!(smaller(0.9, 80.0), ["min_dominates"]);
        assert_eq!(smaller(0.9, 95.0), ["nothing"], "the nodes are needed all the same");
        assert_eq!(smaller(0.5, 80.0), ["nothing"]);
        let larger =
            |late| kinds(&Evidence { larger_max: Some((40, trial(late, 120.0))), ..settled() });
        assert_eq!(larger(0.001), ["max_reached"]);
        assert_eq!(larger(0.0099), ["nothing"]);
    }

    #[test]
    fn the_floor_under_whoever_reacts_is_never_more_than_what_is_late() {
        let with = |late| judge(&Evidence { reactive: trial(late, 90.0), ..settled() });
        let AdviceKind::Unavoidable { share_of_late, late_requests, .. } = with(0.006)[1].kind
        else {
            panic!("{:?}", with(0.006));
        };
        assert_eq!((share_of_late, late_requests), (0.6, 6_000.0));
        let AdviceKind::Unavoidable { share_of_late, .. } = with(0.03)[1].kind else {
            panic!("{:?}", with(0.03));
        };
        assert_eq!(share_of_late, 1.0);
        assert_eq!(with(0.000_05).len(), 1);
    }

    #[test]
    fn advice_reads_as_sentences() {
        let freshness = Freshness {
            lag_seconds: 15,
            window_seconds: 60,
            to_lag_seconds: 5,
            to_window_seconds: 20,
        };
        let all = Evidence {
            bursts_per_hour: 2.0,
            larger_min: Some((8, trial(0.001, 99.0))),
            smaller_min: Some((2, trial(0.02, 60.0))),
            larger_max: Some((40, trial(0.002, 120.0))),
            halved: trial(0.004, 101.0),
            quartered: trial(0.001, 102.0),
            fresher: Some((freshness, trial(0.005, 100.0))),
            min_share_of_bill: 0.9,
            reactive: trial(0.006, 90.0),
            ..settled()
        };
        let texts = |evidence| {
            let texts = judge(evidence).into_iter().map(|advice| advice.text);
            texts.collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(format!("{}\n{}", texts(&all), texts(&settled())));
    }
}
