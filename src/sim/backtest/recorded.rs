//! A trace of what a metrics server recorded, with holes and with values that are no numbers.
//!
//! In: points on a grid.
//! Out: a trace from the first number to the last; what was held in it, stretch by stretch.
//! Never: takes a hole for a time without requests.

use super::trace::{Trace, TraceError};

/// A stretch without a number, through which the last one was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Held {
    /// When it begins, in seconds since 1970.
    pub from_seconds: i64,
    /// How long it is.
    pub seconds: u64,
}

/// Why points are no trace.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RecordedError {
    /// There is no number among them.
    #[error("there is no sample in all that time")]
    Nothing,
    /// All that there is are values that are no numbers.
    #[error("all {points} samples are no numbers")]
    NoNumbers {
        /// How many there are.
        points: usize,
    },
    /// A rate below zero.
    #[error("it says {value} at {at_seconds} s, and no rate of requests is below 0")]
    Negative {
        /// When, in seconds since 1970.
        at_seconds: i64,
        /// What it says.
        value: f64,
    },
    /// They make no trace.
    #[error(transparent)]
    Trace(#[from] TraceError),
}

impl Trace {
    /// The trace of `points`: seconds since 1970, multiples of `step` seconds in order, and
    /// requests per second. A value speaks of the step that ends at its moment, as Prometheus'
    /// `rate` does. Where a point is missing, or no number, the last number stands.
    pub fn recorded(name: &str, step: u32, points: &[(i64, f64)]) -> Result<Self, RecordedError> {
        let width = i64::from(step.max(1));
        let mut samples: Vec<f64> = Vec::new();
        let mut held: Vec<Held> = Vec::new();
        let mut first = None;
        for &(at, value) in points.iter().filter(|(_, value)| value.is_finite()) {
            if value < 0.0 {
                return Err(RecordedError::Negative { at_seconds: at, value });
            }
            let begin = *first.get_or_insert(at);
            let place = ((at - begin) / width) as usize;
            if let Some(last) = samples.last().copied().filter(|_| samples.len() < place) {
                let from = begin + (samples.len() as i64 - 1) * width;
                let seconds = (place - samples.len()) as u64 * width as u64;
                held.push(Held { from_seconds: from, seconds });
                samples.resize(place, last);
            }
            samples.push(value);
        }
        let Some(first) = first else {
            return Err(match points.len() {
                0 => RecordedError::Nothing,
                points => RecordedError::NoNumbers { points },
            });
        };
        let mut trace = Self::from_samples(name, width as f64, samples)?;
        trace.begins_at = first - width;
        trace.held = held;
        Ok(trace)
    }

    /// How many seconds the last number was held for, in all.
    pub fn held_seconds(&self) -> u64 {
        self.held.iter().map(|held| held.seconds).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[(i64, f64)]) -> Vec<(i64, f64)> {
        values.iter().map(|(place, value)| (6_000 + place * 10, *value)).collect()
    }

    #[test]
    fn a_hole_holds_the_last_number_and_is_told() {
        let mut recorded: Vec<(i64, f64)> = (0..20).map(|place| (place, 5.0)).collect();
        recorded[3].1 = 7.0;
        recorded[7].1 = f64::NAN;
        recorded.drain(4..6);
        let trace = Trace::recorded("t", 10, &points(&recorded)).expect("a trace");
        let rates: Vec<f64> = trace.rates().take(9).collect();
        assert_eq!(rates, [5., 5., 5., 7., 7., 7., 5., 5., 5.]);
        let held = [(6_030, 20), (6_060, 10)];
        let held = held.map(|(from_seconds, seconds)| Held { from_seconds, seconds });
        assert_eq!((&trace.held[..], trace.held_seconds()), (&held[..], 30));
        assert_eq!((trace.begins_at, trace.seconds()), (5_990, 200));
    }

    #[test]
    fn it_begins_and_ends_with_a_number() {
        let mut recorded: Vec<(i64, f64)> = (0..20).map(|place| (place, 5.0)).collect();
        recorded[0].1 = f64::NAN;
        recorded[19].1 = f64::INFINITY;
        let trace = Trace::recorded("t", 10, &points(&recorded)).expect("a trace");
        assert_eq!((trace.begins_at, trace.seconds(), trace.held.len()), (6_000, 180, 0));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        let error = |values: &[(i64, f64)]| {
            Trace::recorded("t", 10, &points(values)).expect_err("no trace").to_string()
        };
        assert_eq!(error(&[]), "there is no sample in all that time");
        assert_eq!(error(&[(0, f64::NAN); 3]), "all 3 samples are no numbers");
        assert!(error(&[(0, 1.0), (1, -0.5)]).contains("-0.5 at 6010 s"));
        assert!(error(&[(0, 1.0), (1, 2.0)]).contains("less than two minutes"));
    }
}
