//! A trace of request rates, read from CSV and shown in steps of ten seconds.
//!
//! In: `timestamp_seconds,requests_per_second` with a constant step; a value is the mean rate
//! from its moment to the next.
//! Out: the rate of each step, scaled; what was missing.
//! Never: smooths, or fills a gap without saying so.
//!
//! A coarser trace is drawn as straight lines between the middles of its samples, as the
//! reference experiment does; it stays in memory as it was read, so a year of minutes is 4 MB.

use std::io::BufRead;

use super::STEP_SECONDS;
use super::node_model::NodeModel;
use super::recorded::Held;
use super::table::{Unreadable, rows};

const COLUMNS: [&str; 2] = ["timestamp_seconds", "requests_per_second"];

/// The most samples, and the most steps: a year of seconds, twelve of steps. A slip in a moment must
/// not fill the memory.
const MOST: f64 = 40e6;

/// Steps in a minute.
const MINUTE: usize = (60 / STEP_SECONDS) as usize;

/// Request rates over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Its name in reports.
    pub name: String,
    /// The first sample's moment, in seconds: of Unix time where the file says so.
    pub begins_at: i64,
    /// Between two samples, in seconds.
    pub sample_seconds: f64,
    /// Lines that were missing, and were drawn as straight lines.
    pub gaps: Vec<Gap>,
    /// Stretches of a recording without a number, through which the last one was held.
    pub held: Vec<Held>,
    /// By what every rate was multiplied.
    pub scale: f64,
    samples: Vec<f64>,
    steps: usize,
}

/// Samples that were missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Gap {
    /// The line after them.
    pub before_line: usize,
    /// How many.
    pub samples: u64,
}

/// What is wrong with a trace.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TraceError {
    /// A line can't be read.
    #[error("{0}")]
    Line(Unreadable),
    /// There is too little of it.
    #[error(
        "only {samples} samples, which is less than two minutes\nhint: rehearse on at least a few hours"
    )]
    TooShort {
        /// How many samples there are.
        samples: usize,
    },
    /// There is more of it than anybody rehearses on.
    #[error("it has {days:.0} days, more than twelve years\nhint: are its moments seconds?")]
    TooLong {
        /// How many days it has.
        days: f64,
    },
    /// No request at all.
    #[error(
        "every rate is 0, so it can't be scaled\nhint: check the query that it was exported with, or leave --peak-nodes out"
    )]
    Silent,
}

impl Trace {
    /// Reads the text of a CSV file.
    pub fn read(name: &str, text: &str) -> Result<Self, TraceError> {
        Self::read_from(name, text.as_bytes())
    }

    /// Reads a CSV file line by line: of a long one only the rates are kept.
    pub fn read_from(name: &str, source: impl BufRead) -> Result<Self, TraceError> {
        let mut rows = rows(source, COLUMNS).map_err(TraceError::Line)?;
        let mut next = || rows.next().transpose().map_err(TraceError::Line);
        let Some(first) = next()? else { return Err(TraceError::TooShort { samples: 0 }) };
        let Some(second) = next()? else { return Err(TraceError::TooShort { samples: 1 }) };
        let seconds = second.1[0] - first.1[0];
        let unreadable = |line: usize, what: String, help: &str| {
            TraceError::Line(Unreadable { line, what, help: help.into() })
        };
        if seconds <= 0.0 {
            let what = format!("time goes from {} s to {} s", first.1[0], second.1[0]);
            return Err(unreadable(second.0, what, "sort the lines by time, each moment once"));
        }
        let fine = STEP_SECONDS as f64 / seconds;
        if seconds < STEP_SECONDS as f64 && fine.fract() != 0.0 {
            let what = format!("the step is {seconds} s");
            return Err(unreadable(second.0, what, "use a step of 1, 2, 5, 10 or more seconds"));
        }
        let (mut samples, mut gaps) = (vec![first.1[1]], Vec::new());
        let (mut before, mut row) = (first, Some(second));
        while let Some(now) = row {
            let ((_, [from, last]), (line, [to, rate])) = (before, now);
            let steps = ((to - from) / seconds).round();
            if steps < 1.0 || 1e-3 < ((to - from) / seconds - steps).abs() {
                let what =
                    format!("time goes from {from} s to {to} s, while the step is {seconds} s");
                let help = "keep the step constant; whole missing steps may be left out";
                return Err(unreadable(line, what, help));
            }
            if MOST < samples.len() as f64 + steps {
                let what = format!("{} samples are missing before this one", steps - 1.0);
                return Err(unreadable(line, what, "is the moment right?"));
            }
            if 1.0 < steps {
                gaps.push(Gap { before_line: line, samples: steps as u64 - 1 });
            }
            let rise = (rate - last) / steps;
            samples.extend((1..steps as u64).map(|step| last + rise * step as f64));
            samples.push(rate);
            (before, row) = (now, next()?);
        }
        let mut trace = Self::from_samples(name, seconds, samples)?;
        trace.begins_at = first.1[0] as i64;
        trace.gaps = gaps;
        Ok(trace)
    }

    /// A trace of known samples, `seconds` apart: at least 10, or a whole part of 10.
    pub fn from_samples(name: &str, seconds: f64, samples: Vec<f64>) -> Result<Self, TraceError> {
        let step = STEP_SECONDS as f64;
        let (seconds, samples) = match (step / seconds).round() as usize {
            fine if 1 < fine => {
                let mean = |bin: &[f64]| bin.iter().sum::<f64>() / bin.len() as f64;
                (step, samples.chunks_exact(fine).map(mean).collect())
            }
            _ => (seconds, samples),
        };
        if MOST * step < samples.len() as f64 * seconds {
            return Err(TraceError::TooLong { days: samples.len() as f64 * seconds / 86_400.0 });
        }
        // Steps whose middle lies within the trace.
        let steps = (samples.len() as f64 * seconds / step - 0.5).ceil().max(0.0) as usize;
        if steps < 2 * MINUTE {
            return Err(TraceError::TooShort { samples: samples.len() });
        }
        let name = name.to_owned();
        Ok(Self {
            name,
            begins_at: 0,
            sample_seconds: seconds,
            gaps: vec![],
            held: vec![],
            scale: 1.0,
            samples,
            steps,
        })
    }

    /// How many steps of [`STEP_SECONDS`] it has.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// How long it is, in seconds.
    pub fn seconds(&self) -> u64 {
        self.steps as u64 * STEP_SECONDS
    }

    /// Requests per second in a step.
    pub fn rate(&self, step: usize) -> f64 {
        self.scale * self.unscaled(step)
    }

    /// Every step's rate, in order.
    pub fn rates(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.steps).map(|step| self.rate(step))
    }

    fn unscaled(&self, step: usize) -> f64 {
        let width = STEP_SECONDS as f64;
        if self.sample_seconds == width {
            return self.samples[step];
        }
        let middle = (step as f64 + 0.5) * width;
        let place = (middle - self.sample_seconds / 2.0) / self.sample_seconds;
        let last = self.samples.len() - 1;
        if place <= 0.0 {
            return self.samples[0];
        }
        let before = place as usize;
        if last <= before {
            return self.samples[last];
        }
        let (from, to) = (self.samples[before], self.samples[before + 1]);
        from + (to - from) * (place - before as f64)
    }

    /// The largest mean rate of a minute, in requests per second.
    pub fn peak_minute(&self) -> f64 {
        let mut minute: f64 = (0..MINUTE).map(|step| self.rate(step)).sum();
        let mut peak = minute;
        for step in MINUTE..self.steps {
            minute += self.rate(step) - self.rate(step - MINUTE);
            peak = peak.max(minute);
        }
        peak / MINUTE as f64
    }

    /// Scales the trace so that its busiest minute needs `nodes` at the knee of `model`.
    pub fn scaled_to_peak(mut self, nodes: u32, model: &NodeModel) -> Result<Self, TraceError> {
        let peak = self.peak_minute();
        if peak <= 0.0 {
            return Err(TraceError::Silent);
        }
        self.scale *= f64::from(nodes) * model.knee_rate() / peak;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Trace::read("t", text).expect_err("a mistake").to_string()
    }

    fn minutes(rates: &[f64]) -> Trace {
        Trace::from_samples("t", 60.0, rates.to_vec()).expect("long enough")
    }

    #[test]
    fn mistakes_name_their_line_and_the_remedy() {
        let head = "timestamp_seconds,requests_per_second\n";
        for (text, says) in [
            ("time,rate\n0,1\n", "line 1: the header is `time,rate`"),
            (&*format!("{head}0,1\n60,x\n"), "line 3: `requests_per_second` is `x`"),
            (&*format!("{head}0,1\n60\n"), "line 3: `requests_per_second` is missing"),
            (&*format!("{head}0,1\n60,NaN\n"), "line 3: `requests_per_second` is `NaN`"),
            (&*format!("{head}0,1\n60,-1\n"), "line 3: `requests_per_second` is `-1`"),
            (&*format!("{head}0,1,2\n"), "line 2: `2` is one value too many"),
            (&*format!("{head}60,1\n0,1\n"), "line 3: time goes from 60 s to 0 s"),
            (&*format!("{head}0,1\n60,1\n90,1\n"), "line 4: time goes from 60 s to 90 s"),
            (&*format!("{head}0,1\n60,1\n60,1\n"), "line 4: time goes from 60 s to 60 s"),
            (&*format!("{head}0,1\n3,1\n6,1\n"), "line 3: the step is 3 s"),
            (&*format!("{head}0,1\n10,1\n"), "less than two minutes"),
            (head, "only 0 samples"),
            ("", "line 1: the header is ``"),
        ] {
            let error = error(text);
            assert!(error.contains(says) && error.contains("hint: "), "{error:?} lacks {says:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused_at_its_line() {
        let file = b"timestamp_seconds,requests_per_second\n0,1\n\xff\xfe,1\n";
        let error = Trace::read_from("t", &file[..]).expect_err("no text").to_string();
        assert!(error.contains("line 3: it can't be read: "), "{error}");
    }

    #[test]
    fn a_gap_is_said_and_drawn_as_a_line() {
        let head = "timestamp_seconds,requests_per_second\r\n";
        let text = format!("\u{feff}{head}0,10\r\n10,20\r\n50,60\r\n60,0\r\n\r\n120,60\r\n");
        let trace = Trace::read("t", &text).expect("a trace");
        let gaps = [Gap { before_line: 4, samples: 3 }, Gap { before_line: 7, samples: 5 }];
        assert_eq!(trace.gaps, gaps);
        let rates: Vec<f64> = trace.rates().collect();
        assert_eq!(rates, [10., 20., 30., 40., 50., 60., 0., 10., 20., 30., 40., 50., 60.]);
    }

    #[test]
    fn minutes_become_lines_between_their_middles() {
        let trace = minutes(&[60.0, 120.0]);
        let rates: Vec<f64> = trace.rates().collect();
        let between = [60., 60., 60., 65., 75., 85., 95., 105., 115., 120., 120., 120.];
        assert_eq!(rates, between);
    }

    #[test]
    fn seconds_become_means_of_ten() {
        let samples = (0..240).map(f64::from).collect();
        let trace = Trace::from_samples("t", 1.0, samples).expect("long enough");
        assert_eq!((trace.steps(), trace.rate(0), trace.rate(23)), (24, 4.5, 234.5));
    }

    #[test]
    fn the_busiest_minute_may_lie_across_two_samples_and_is_scaled_to_the_peak() {
        let trace = minutes(&[0.0, 60.0, 60.0, 0.0]);
        assert!((trace.peak_minute() - 60.0).abs() < 1e-9);
        let model = NodeModel::new(8, 20.0, 0.25);
        let trace = trace.scaled_to_peak(40, &model).expect("not silent");
        assert!((trace.peak_minute() - 40.0 * 128.0).abs() < 1e-6);
        assert!(minutes(&[0.0; 4]).scaled_to_peak(40, &model).is_err());
    }
}
