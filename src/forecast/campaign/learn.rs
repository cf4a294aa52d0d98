//! What past campaigns teach about the next one of their kind.
//!
//! In: a hint, and the load that was measured from some minutes before it until its tail is over.
//! Out: the [`Response`] that explains the measurements best; for a kind, the middle of the last
//! few. A campaign that never came teaches nothing.
//! Never: looks at single samples: a rate over a minute is late by half of one, a campaign by
//! seconds, and sums over minutes mind neither.

use super::response::{Response, seconds_after};
use crate::domain::{Duration, Hint, Sample, Timestamp, after, before};

/// The load before a campaign is the mean of so much time, long enough to average noise out and
/// short enough that the day has not moved on.
const BEFORE: Duration = Duration::from_secs(300);
/// What comes so early already belongs to the campaign: clocks and senders are early, too.
const EARLY: Duration = Duration::from_secs(30);
/// The load is summed up to each of these, in seconds after the fan-out: finely where what comes
/// at once ends, coarsely where only the tail is left.
const ENDS: [f64; 8] = [30.0, 75.0, 120.0, 180.0, 300.0, 420.0, 560.0, 700.0];
/// How late the measurements may be, in seconds: senders begin late, and a rate over a minute is
/// half of one behind.
const LATE: [f64; 5] = [0.0, 10.0, 20.0, 30.0, 40.0];
/// Below this share of the announced peak nothing came. A third of the peak is what a rate over a
/// minute shows of a burst of twenty seconds; half of that, where the size was told too large.
pub const CAME_SHARE: f64 = 0.15;
/// Medians of the tail that are tried, in seconds.
const TAILS: [f64; 7] = [30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1_920.0];
/// Samples of a time arrive so late at most: older ones are missing for the signals themselves.
pub const LATE_SAMPLES: Duration = Duration::from_secs(120);
/// Nobody's devices call so rarely or so often; beyond, something else was measured.
const FACTORS: (f64, f64) = (0.02, 20.0);
/// The middle of so many is taken: one odd campaign changes nothing, and habits may change.
const REMEMBERED: usize = 7;
/// Until so many have taught, the usual response has the missing votes.
const ENOUGH: usize = 3;

/// The load around a campaign, in requests per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Around {
    /// The mean of the minutes before; none where nothing was measured.
    pub before: Option<f64>,
    /// The most since; none where nothing was measured.
    pub peak: Option<f64>,
}

/// What was measured around `hint`, as far as `samples` reach.
pub fn around(hint: &Hint, samples: &[Sample]) -> Around {
    let begins = before(hint.starts_at, EARLY);
    let calm = before(begins, BEFORE)..begins;
    let values = samples.iter().filter(|sample| calm.contains(&sample.at));
    let values: Vec<f64> = values.map(|sample| sample.value).collect();
    let since = samples.iter().filter(|sample| begins <= sample.at);
    Around {
        before: (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64),
        peak: since.map(|sample| sample.value).reduce(f64::max),
    }
}

/// The time of which [`fit`] needs samples: its end.
pub fn learned_until(hint: &Hint) -> Timestamp {
    after(hint.sent_at(), Duration::from_secs_f64(ENDS[ENDS.len() - 1]))
}

/// The response that explains `samples` best; none where they are too few or nothing came.
///
/// Least squares over the sums up to [`ENDS`]: for each tail and each lateness that is tried, the
/// prompt and the late requests are the two unknowns.
pub fn fit(hint: &Hint, samples: &[Sample]) -> Option<Response> {
    let Around { before, peak } = around(hint, samples);
    let calm = before?;
    if peak? - calm < CAME_SHARE * Response::USUAL.peak(hint) {
        return None;
    }
    let windows = windows(hint);
    let seen: Option<Vec<f64>> =
        windows.iter().map(|window| extra(hint, samples, calm, *window)).collect();
    let seen = seen?;
    let tried = TAILS.iter().flat_map(|&tail| LATE.iter().map(move |&late| (tail, late)));
    let fits = tried.filter_map(|(tail_seconds, late_by)| {
        let part = |prompt_share| -> Vec<f64> {
            let shape = Response { prompt_share, tail_seconds, ..Response::USUAL };
            let share =
                |(from, until)| share_within(&shape, hint, (from - late_by, until - late_by));
            windows.iter().map(|window| share(*window)).collect()
        };
        let (prompt, late, error) = two_parts(&part(1.0), &part(0.0), &seen)?;
        let requests = prompt + late;
        let prompt_share = prompt / requests;
        let shape = Response { factor: 1.0, prompt_share, tail_seconds, campaigns: 1 };
        let factor = requests / shape.requests(hint);
        let is_sound = (FACTORS.0..=FACTORS.1).contains(&factor);
        is_sound.then_some((error, Response { factor, ..shape }))
    });
    fits.min_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, found)| found)
}

/// What campaigns of one kind, newest first, teach about the next one: the middle of each number
/// by itself. Those who have not taught yet vote for the usual response.
pub fn learned(past: &[Response]) -> Response {
    let past = &past[..past.len().min(REMEMBERED)];
    let missing = ENOUGH.saturating_sub(past.len());
    let votes = past.iter().chain(std::iter::repeat_n(&Response::USUAL, missing));
    let votes: Vec<&Response> = votes.collect();
    let middle = |of: fn(&Response) -> f64| {
        let mut values: Vec<f64> = votes.iter().map(|vote| of(vote)).collect();
        values.sort_by(f64::total_cmp);
        // Of an even number, the larger one of the two: too many nodes cost less than too few.
        values[values.len() / 2]
    };
    Response {
        factor: middle(|vote| vote.factor),
        prompt_share: middle(|vote| vote.prompt_share),
        tail_seconds: middle(|vote| vote.tail_seconds),
        campaigns: past.len() as u32,
    }
}

/// The sums that are compared, in seconds after the first message.
fn windows(hint: &Hint) -> Vec<(f64, f64)> {
    let mut from = -EARLY.as_secs_f64();
    let ends = ENDS.iter().map(|end| hint.spread.as_secs_f64() + end);
    ends.map(|until| (std::mem::replace(&mut from, until), until)).collect()
}

/// The requests within a window above those of a calm time; none where a half of the window's
/// samples or more is missing at one of its ends.
fn extra(hint: &Hint, samples: &[Sample], calm: f64, (from, until): (f64, f64)) -> Option<f64> {
    let within = samples.iter().map(|sample| (seconds_after(hint, sample.at), sample.value));
    let within: Vec<(f64, f64)> = within.filter(|(at, _)| (from..until).contains(at)).collect();
    let (first, last) = (within.first()?.0, within.last()?.0);
    let half = (until - from) / 2.0;
    if from + half < first || last < until - half {
        return None;
    }
    let mean = within.iter().map(|(_, value)| value).sum::<f64>() / within.len() as f64;
    Some((mean - calm) * (until - from))
}

/// The share of all requests that falls into a window.
fn share_within(shape: &Response, hint: &Hint, (from, until): (f64, f64)) -> f64 {
    const STEPS: u32 = 40;
    let step = (until - from) / f64::from(STEPS);
    let at = |number: u32| from + step * (f64::from(number) + 0.5);
    (0..STEPS).map(|number| shape.share_per_second(hint, at(number)) * step).sum()
}

/// `(u, v, error)` that bring `u × one + v × other` nearest to `seen`, neither below zero.
fn two_parts(one: &[f64], other: &[f64], seen: &[f64]) -> Option<(f64, f64, f64)> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (aa, ab, bb) = (dot(one, one), dot(one, other), dot(other, other));
    let (ay, by) = (dot(one, seen), dot(other, seen));
    let determinant = aa * bb - ab * ab;
    let both = ((ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant);
    let corners = [both, (ay / aa, 0.0), (0.0, by / bb)];
    let sound = corners.into_iter().filter(|(u, v)| {
        let (u, v) = (*u, *v);
        u.is_finite() && v.is_finite() && 0.0 <= u && 0.0 <= v && 0.0 < u + v
    });
    let with_error = sound.map(|(u, v)| {
        let misses = one.iter().zip(other).zip(seen).map(|((a, b), y)| u * a + v * b - y);
        (u, v, misses.map(|miss| miss * miss).sum::<f64>())
    });
    with_error.min_by(|one, other| one.2.total_cmp(&other.2))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{HintId, HintSize, HintSource, RequestsPerSecond};

    pub(in super::super) fn hint(size: HintSize, spread: u64) -> Hint {
        Hint {
            id: HintId(uuid::Uuid::from_u128(1)),
            kind: "lunch".parse().expect("a legal name"),
            announced_at: Timestamp::UNIX_EPOCH,
            starts_at: Timestamp::from_second(86_400).expect("a moment"),
            size,
            spread: Duration::from_secs(spread),
            tail: None,
            reason: "lunch push".into(),
            source: HintSource::Person,
        }
    }

    /// A load of 500 req/s with a campaign that is like `truth`, `late` seconds later than
    /// announced, as a rate over `window` seconds that is read every ten.
    fn samples(hint: &Hint, truth: &Response, late: f64, window: u32) -> Vec<Sample> {
        let load = |at: f64| 500.0 + truth.load(hint, at - late);
        let sample = |number: i64| {
            let at =
                Timestamp::from_second(hint.starts_at.as_second() + 10 * number).expect("a moment");
            let steps = (0..window).map(|back| load(10.0 * number as f64 - f64::from(back)));
            Sample { at, value: steps.sum::<f64>() / f64::from(window) }
        };
        (-60..120).map(sample).collect()
    }

    #[test]
    fn a_campaign_teaches_what_it_was() {
        let rate = RequestsPerSecond::new(3_000.0).expect("a rate");
        for size in [HintSize::Devices(200_000), HintSize::RequestsPerSecond(rate)] {
            for (factor, prompt_share, tail_seconds) in
                [(1.0, 0.85, 240.0), (0.4, 0.5, 120.0), (2.5, 0.95, 480.0), (1.0, 0.7, 60.0)]
            {
                for (spread, window) in [(20, 10), (60, 60), (240, 60)] {
                    let hint = hint(size, spread);
                    let truth = Response { factor, prompt_share, tail_seconds, campaigns: 1 };
                    let found = fit(&hint, &samples(&hint, &truth, 4.0, window)).expect("it came");
                    let case = format!("{truth:?} over {spread} s at {window} s: {found:?}");
                    assert!((found.factor / factor - 1.0).abs() < 0.15, "{case}");
                    assert!((found.prompt_share - prompt_share).abs() < 0.12, "{case}");
                }
            }
        }
    }

    #[test]
    fn a_campaign_that_never_came_teaches_nothing() {
        let hint = hint(HintSize::Devices(200_000), 60);
        let nothing = Response { factor: 0.01, ..Response::USUAL };
        assert_eq!(fit(&hint, &samples(&hint, &nothing, 0.0, 60)), None);
        assert_eq!(fit(&hint, &[]), None, "nothing was measured");
        let mut broken = samples(&hint, &Response::USUAL, 0.0, 60);
        broken.retain(|sample| sample.at < hint.sent_at());
        assert_eq!(fit(&hint, &broken), None, "the metrics broke off");
    }

    #[test]
    fn learned_responses_take_over_and_one_odd_campaign_changes_nothing() {
        let like = |factor| Response { factor, prompt_share: 0.6, ..Response::USUAL };
        for (past, factor, because) in [
            (vec![], 1.0, "nobody has taught"),
            (vec![0.5], 1.0, "one may have been odd"),
            (vec![0.5, 0.4], 0.5, "two agree"),
            (vec![0.5, 0.4, 0.6], 0.5, "the middle of three"),
            (vec![0.5, 9.0, 0.4, 0.6, 0.5], 0.5, "one was odd"),
            (vec![0.4; 7].into_iter().chain([3.0; 20]).collect(), 0.4, "habits change"),
        ] {
            let past: Vec<Response> = past.into_iter().map(like).collect();
            assert_eq!(learned(&past).factor, factor, "{because}");
        }
    }

    #[test]
    fn what_was_before_is_no_part_of_the_campaign() {
        let hint = hint(HintSize::Devices(60_000), 60);
        let around = around(&hint, &samples(&hint, &Response::USUAL, 0.0, 10));
        assert!((around.before.expect("measured") - 500.0).abs() < 1e-9);
        let peak = around.peak.expect("measured");
        assert!((1_350.0..1_380.0).contains(&peak), "{peak}");
    }
}
