//! Signals that the load balancers have counted.
//!
//! In: the views of every look.
//! Out: a reading over all balancers.
//! Never: asks a balancer anything; takes one that says nothing for one that has nothing to say.
//!
//! Between two views requests are what the counter rose by; where it fell, or another process
//! answers, it began anew from zero. What came between the last view and the restart is lost, so a
//! time with a restart in it is a lower bound, and so is a sum with a balancer missing: both may
//! add nodes, and take none away.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::{
    BackendCounts, BackendName, BackendView, BalancerName, BalancerProcess, Duration, Missing,
    Reading, Sample, Timestamp, before, elapsed,
};
use crate::policy::{BalancerMetric, BalancerSignal, Take};
use crate::ports::Fault;

/// Looks that follow one another faster than this are one to a counter: they would fill the
/// memory, and say nothing new.
const CLOSEST: Duration = Duration::from_millis(500);

/// A balancer on which a backend is counted.
type Place = (BackendName, BalancerName);

/// What balancers counted lately.
#[derive(Default)]
pub struct Counting {
    of: BTreeMap<Place, Counted>,
}

/// What one balancer counted of one backend.
#[derive(Default)]
struct Counted {
    /// In the order of time.
    seen: VecDeque<Seen>,
    /// Why the last look at it failed.
    fault: Option<String>,
}

#[derive(Clone, Copy)]
struct Seen {
    at: Timestamp,
    process: BalancerProcess,
    counts: BackendCounts,
}

/// What one balancer contributes to a signal.
enum Part {
    Value { at: Timestamp, value: f64, is_whole: bool },
    Missing(Missing),
}

impl Counting {
    /// Takes in what the balancers showed of a backend; what is older than `longest` and not needed
    /// for it is forgotten.
    pub fn look(
        &mut self,
        backend: &BackendName,
        views: &[(BalancerName, Result<BackendView, Fault>)],
        longest: Duration,
        now: Timestamp,
    ) {
        for (balancer, view) in views {
            let counted = self.of.entry((backend.clone(), balancer.clone())).or_default();
            match view {
                Ok(view) => counted.see(view, longest, now),
                Err(fault) => counted.fault = Some(fault.to_string()),
            }
        }
    }

    /// Forgets backends that no signal asks for.
    pub fn keep_only(&mut self, backends: &[&BackendName]) {
        self.of.retain(|(backend, _), _| backends.contains(&backend));
    }

    /// What a signal says of `backend`, summed over its balancers.
    pub fn reading(
        &self,
        backend: &BackendName,
        signal: &BalancerSignal,
        stale_after: Duration,
        now: Timestamp,
    ) -> Reading {
        let places = self.of.iter().filter(|((of, _), _)| of == backend);
        let parts: Vec<Part> =
            places.map(|(_, counted)| counted.part(signal, stale_after, now)).collect();
        let (mut oldest, mut sum, mut seen) = (None, 0.0, 0);
        let mut missing = None;
        for part in &parts {
            match part {
                Part::Value { at, value, is_whole } => {
                    oldest = Some(oldest.map_or(*at, |oldest: Timestamp| oldest.min(*at)));
                    sum += value;
                    seen += u32::from(*is_whole);
                }
                Part::Missing(why) => missing = missing.or(Some(why.clone())),
            }
        }
        let wanted = parts.len() as u32;
        match (oldest, missing) {
            (Some(at), _) if seen == wanted => Reading::Fresh { sample: Sample { at, value: sum } },
            (Some(at), _) => Reading::Partial { sample: Sample { at, value: sum }, seen, wanted },
            (None, Some(why)) => Reading::Missing { why },
            (None, None) => {
                let message = "no balancer was looked at yet".to_owned();
                Reading::Missing { why: Missing::QueryFailed { message } }
            }
        }
    }
}

impl Counted {
    fn see(&mut self, view: &BackendView, longest: Duration, now: Timestamp) {
        self.fault = None;
        // A clock that was set back: what it said is no order any more.
        self.seen.retain(|seen| seen.at < now);
        let two = self.seen.iter().rev().nth(1);
        if two.is_some_and(|two| elapsed(two.at, now) < CLOSEST) {
            self.seen.pop_back();
        }
        self.seen.push_back(Seen { at: now, process: view.process, counts: view.counts });
        let oldest = before(now, longest);
        while self.seen.get(1).is_some_and(|second| second.at <= oldest) {
            self.seen.pop_front();
        }
    }

    fn part(&self, signal: &BalancerSignal, stale_after: Duration, now: Timestamp) -> Part {
        let Some(last) = self.seen.back() else {
            let message = self.fault.clone().unwrap_or_default();
            return Part::Missing(Missing::QueryFailed { message });
        };
        if stale_after < elapsed(last.at, now) {
            return Part::Missing(match &self.fault {
                Some(fault) => Missing::QueryFailed { message: fault.clone() },
                None => Missing::Stale {
                    age_seconds: elapsed(last.at, now).as_secs(),
                    limit_seconds: stale_after.as_secs(),
                },
            });
        }
        let begins = before(last.at, signal.over);
        let first = self.seen.iter().rposition(|seen| seen.at <= begins);
        // After a long time without a view nobody knows when in it the requests came.
        let too_old = before(begins, signal.over.max(Duration::from_secs(1)));
        let first = first.filter(|first| too_old <= self.seen[*first].at);
        let Some(first) = first else {
            let since = self.seen.iter().find(|seen| too_old <= seen.at).unwrap_or(last);
            return Part::Missing(Missing::CountedTooShortly {
                seconds: elapsed(since.at, last.at).as_secs(),
                needed_seconds: signal.over.as_secs(),
            });
        };
        let time: Vec<Seen> = self.seen.range(first..).copied().collect();
        let value = match signal.metric {
            BalancerMetric::RequestRate => rate(&time),
            BalancerMetric::Queue => gauge(&time, signal.take, |counts| counts.queued),
            BalancerMetric::Sessions => gauge(&time, signal.take, |counts| counts.sessions),
        };
        let is_whole = match signal.metric {
            BalancerMetric::RequestRate => !time.windows(2).any(|two| began_anew(&two[0], &two[1])),
            BalancerMetric::Queue | BalancerMetric::Sessions => {
                time.iter().all(|seen| seen.counts.is_whole)
            }
        };
        Part::Value { at: last.at, value, is_whole }
    }
}

/// Whether the counters of `later` began after those of `earlier` had ended.
fn began_anew(earlier: &Seen, later: &Seen) -> bool {
    earlier.process != later.process || later.counts.requests < earlier.counts.requests
}

/// Requests per second between the first view and the last.
fn rate(time: &[Seen]) -> f64 {
    let [first, .., last] = time else { return 0.0 };
    let rises = time.windows(2).map(|two| match began_anew(&two[0], &two[1]) {
        true => two[1].counts.requests,
        false => two[1].counts.requests - two[0].counts.requests,
    });
    let requests: u64 = rises.fold(0, u64::saturating_add);
    requests as f64 / elapsed(first.at, last.at).as_secs_f64()
}

/// What of the views' numbers counts.
fn gauge(time: &[Seen], take: Take, of: impl Fn(&BackendCounts) -> u32) -> f64 {
    let numbers = time.iter().map(|seen| f64::from(of(&seen.counts)));
    match take {
        Take::Mean => numbers.sum::<f64>() / time.len() as f64,
        Take::Max => numbers.fold(0.0, f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds as i64).expect("a legal moment")
    }

    fn backend() -> BackendName {
        BackendName::new("web").expect("a legal name")
    }

    fn view(pid: u32, requests: u64, queued: u32) -> Result<BackendView, Fault> {
        Ok(BackendView {
            process: BalancerProcess { pid, started_at_seconds: 0 },
            version: "3.0.6".into(),
            servers: Vec::new(),
            counts: BackendCounts { requests, sessions: 2 * queued, queued, is_whole: true },
            free_slots: None,
            old_workers: false,
        })
    }

    fn silent() -> Result<BackendView, Fault> {
        Err(Fault::transient("balancer edge-2: connection refused"))
    }

    fn signal(metric: BalancerMetric, over: u64, take: Take) -> BalancerSignal {
        BalancerSignal { backend: None, metric, over: Duration::from_secs(over), take }
    }

    /// Looks each second from 0 to `last` at balancers that show what `views` says.
    fn counting(
        last: u64,
        views: impl Fn(u64) -> Vec<Result<BackendView, Fault>>,
    ) -> impl Fn(BalancerMetric, Take, u64) -> Reading {
        let mut counting = Counting::default();
        let names = ["edge-1", "edge-2"].map(|name| BalancerName::new(name).expect("legal"));
        for second in 0..=last {
            let views: Vec<_> = names.iter().cloned().zip(views(second)).collect();
            counting.look(&backend(), &views, Duration::from_secs(20), at(second));
        }
        move |metric, take, now| {
            let signal = signal(metric, 20, take);
            counting.reading(&backend(), &signal, Duration::from_secs(5), at(now))
        }
    }

    #[test]
    fn rates_are_summed_over_the_balancers_and_their_own_time() {
        let read = counting(40, |second| {
            let faster = if second < 20 { 0 } else { (second - 20) * 30 };
            vec![view(1, 100 * second, 3), view(2, faster, 4)]
        });
        let fresh = |value| Reading::Fresh { sample: Sample { at: at(40), value } };
        assert_eq!(read(BalancerMetric::RequestRate, Take::Mean, 40), fresh(130.0));
        assert_eq!(read(BalancerMetric::Queue, Take::Mean, 40), fresh(7.0));
        assert_eq!(read(BalancerMetric::Sessions, Take::Max, 40), fresh(14.0));
    }

    #[test]
    fn a_peak_is_in_the_max_and_hardly_in_the_mean() {
        let peak = |second| if second == 30 { 210 } else { 0 };
        let read = counting(40, |second| vec![view(1, 0, peak(second))]);
        let of = |take| read(BalancerMetric::Queue, take, 40).sample().map(|sample| sample.value);
        assert_eq!((of(Take::Mean), of(Take::Max)), (Some(10.0), Some(210.0)));
    }

    #[test]
    fn a_restart_is_counted_from_zero_and_makes_a_lower_bound() {
        let restarted = |second: u64| match second {
            0..30 => view(1, 5_000 + 100 * second, 0),
            _ => view(2, 100 * (second - 30), 0),
        };
        let read = counting(40, |second| vec![restarted(second), view(3, 0, 0)]);
        let reading = read(BalancerMetric::RequestRate, Take::Mean, 40);
        let Reading::Partial { sample, seen, wanted } = reading else { panic!("{reading:?}") };
        // The hundred requests between the last view and the restart are lost.
        assert_eq!((sample.value, seen, wanted), (95.0, 1, 2));
        let read = counting(50, |second| vec![restarted(second), view(3, 0, 0)]);
        let reading = read(BalancerMetric::RequestRate, Take::Mean, 50);
        assert_eq!(reading, Reading::Fresh { sample: Sample { at: at(50), value: 100.0 } });
    }

    #[test]
    fn cleared_counters_are_no_negative_rate() {
        let cleared = |second: u64| if second < 30 { 9_000 } else { second - 30 };
        let read = counting(40, |second| vec![view(1, cleared(second), 0)]);
        let reading = read(BalancerMetric::RequestRate, Take::Mean, 40);
        assert_eq!(reading.sample().map(|sample| sample.value), Some(0.5));
        assert!(!reading.may_lower());
    }

    #[test]
    fn a_silent_balancer_makes_the_sum_a_lower_bound() {
        let edge_2 = |second: u64| if second <= 30 { view(2, 50 * second, 5) } else { silent() };
        let read = counting(40, |second| vec![view(1, 100 * second, 3), edge_2(second)]);
        let reading = read(BalancerMetric::Queue, Take::Mean, 40);
        let sample = Sample { at: at(40), value: 3.0 };
        assert_eq!(reading, Reading::Partial { sample, seen: 1, wanted: 2 });

        // One look that fails: what was seen just before counts, at its own age.
        let read = counting(32, |second| vec![view(1, 100 * second, 3), edge_2(second)]);
        let reading = read(BalancerMetric::RequestRate, Take::Mean, 32);
        assert_eq!(reading, Reading::Fresh { sample: Sample { at: at(30), value: 150.0 } });
    }

    #[test]
    fn who_says_nothing_is_missing_with_the_reason() {
        let missing = |reading| match reading {
            Reading::Missing { why } => why.to_string(),
            other => panic!("{other:?}"),
        };
        let read = counting(40, |_| vec![silent(), silent()]);
        let why = missing(read(BalancerMetric::Queue, Take::Mean, 40));
        assert!(why.contains("connection refused"), "{why}");

        let read = counting(12, |second| vec![view(1, second, 0), view(2, second, 0)]);
        let why = missing(read(BalancerMetric::RequestRate, Take::Mean, 12));
        assert_eq!(why, "has been counted for 12 s of the 20 s that it needs");
        let why = missing(read(BalancerMetric::RequestRate, Take::Mean, 30));
        assert_eq!(why, "is 18 s old, over its limit of 5 s");

        let nobody = Counting::default();
        let signal = signal(BalancerMetric::Queue, 20, Take::Mean);
        let why = missing(nobody.reading(&backend(), &signal, Duration::from_secs(5), at(0)));
        assert!(why.contains("no balancer"), "{why}");
    }

    #[test]
    fn after_a_long_silence_counting_begins_anew() {
        let lost = |second: u64| if (30..100).contains(&second) { silent() } else { view(1, 9, 0) };
        let read = counting(110, |second| vec![lost(second)]);
        assert_eq!(
            read(BalancerMetric::RequestRate, Take::Mean, 110),
            Reading::Missing {
                why: Missing::CountedTooShortly { seconds: 10, needed_seconds: 20 }
            }
        );
    }

    #[test]
    fn looks_in_haste_fill_no_memory() {
        let mut counting = Counting::default();
        let edge = BalancerName::new("edge-1").expect("legal");
        for millisecond in 0..60_000 {
            let now = at(0) + jiff::SignedDuration::from_millis(millisecond);
            let views = [(edge.clone(), view(1, millisecond as u64, 0))];
            counting.look(&backend(), &views, Duration::from_secs(20), now);
        }
        let counted = &counting.of[&(backend(), edge)];
        assert!(counted.seen.len() < 100, "{}", counted.seen.len());
        let signal = signal(BalancerMetric::RequestRate, 20, Take::Mean);
        let now = counted.seen.back().expect("seen").at;
        let reading = counting.reading(&backend(), &signal, Duration::from_secs(5), now);
        let value = reading.sample().map(|sample| sample.value).expect("a rate");
        assert!((value - 1_000.0).abs() < 0.1, "{value}");
    }
}
