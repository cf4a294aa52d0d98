//! Where the traffic of a rehearsal comes from: a file, or Prometheus.

use std::fmt::Display;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::exit::Failure;
use super::super::metrics::{TokenArguments, source};
use super::super::progress::Progress;
use super::arguments::{refuse, time};
use super::print::length;
use super::setup::open;
use crate::domain::{Duration, Timestamp};
use crate::policy::Policy;
use crate::ports::{Clock, Fault, SystemClock};
use crate::prometheus::{Kept, PrometheusSettings, Recording, Stretch};
use crate::sim::backtest::{STEP_SECONDS, Trace, demand_signal};

/// How long one piece of a recording may take. A day of a heavy query takes seconds; Prometheus
/// itself gives up after two minutes by default, and half of a piece is tried then.
const PIECE_DEADLINE: std::time::Duration = std::time::Duration::from_secs(120);

/// A file, or Prometheus and what to ask it.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
#[command(group(clap::ArgGroup::new("traffic").args(["trace", "prometheus"]).required(true)))]
pub(in crate::cli) struct TrafficArguments {
    /// The traffic: CSV with the header `timestamp_seconds,requests_per_second`; may be
    /// repeated.
    #[arg(long = "trace", id = "trace", value_name = "FILE")]
    pub traces: Vec<PathBuf>,
    /// The traffic: as this Prometheus has recorded it.
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,
    #[command(flatten)]
    token: TokenArguments,
    /// How long ago the recording begins.
    #[arg(long, conflicts_with = "trace", default_value = "30d", value_name = "TIME",
        value_parser = time)]
    from: Duration,
    /// How long ago it ends.
    #[arg(long, conflicts_with = "trace", default_value = "0s", value_name = "TIME",
        value_parser = time)]
    to: Duration,
    /// Between two points of it.
    #[arg(long, conflicts_with = "trace", default_value = "15s", value_name = "TIME",
        value_parser = time)]
    step: Duration,
    /// What to ask, in PromQL: requests per second, one series. By default the query of the signal
    /// that the first policy's `target` counts with `per_node`; without one, that of its
    /// `forecast`, `surge` or `hint`.
    #[arg(long, conflicts_with = "trace", value_name = "PROMQL")]
    query: Option<String>,
    /// Where days that were read once are kept; by default `windlass` in the user's cache folder.
    #[arg(long, conflicts_with = "trace", value_name = "FOLDER")]
    cache: Option<PathBuf>,
}

/// Where a trace came from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A file.
    File(PathBuf),
    /// Prometheus.
    Recorded(Box<Recorded>),
}

/// What Prometheus was asked, and how that went.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Recorded {
    /// The query.
    query: String,
    /// Whose query that is, for people.
    #[serde(skip)]
    choice: String,
    /// From when it was asked for, in seconds since 1970.
    from_seconds: i64,
    /// Until when.
    to_seconds: i64,
    /// Between two points.
    step_seconds: u32,
    /// Requests made.
    requests: u64,
    /// Chunks that were on disk.
    chunks_kept: u64,
    /// Values that were no numbers.
    undefined_samples: usize,
    /// Seconds over which the query averages, where it says so.
    window_seconds: Option<u64>,
    /// Why a chunk could not be kept.
    #[serde(skip)]
    unkept: Option<String>,
}

impl TrafficArguments {
    /// Refuses what each flag may say, but not together.
    pub fn refuse_contradictions(&self) -> Result<(), Failure> {
        let step = self.step.as_secs();
        refuse(&[
            (
                self.from <= self.to,
                "--from is no longer ago than --to\nhint: give a longer --from".to_owned(),
            ),
            (
                step == 0 || (step < STEP_SECONDS && !STEP_SECONDS.is_multiple_of(step)),
                format!("--step is {step}s\nhint: give 1s, 2s, 5s, 10s or more"),
            ),
            (
                86_400 < step,
                format!("--step is {step}s\nhint: give at most a day; 15s shows bursts"),
            ),
        ])
    }

    /// The traces, and where they come from: at least one.
    pub(super) async fn read(
        &self,
        policy: Option<&(String, Policy)>,
    ) -> Result<Vec<(Trace, Source)>, Failure> {
        if !self.traces.is_empty() {
            return self.traces.iter().map(|file| from_file(file)).collect();
        }
        let url = self.prometheus.as_deref().unwrap_or_default();
        let (query, choice) = self.what_to_ask(policy)?;
        Ok(vec![self.recorded(url, query, choice).await?])
    }

    /// The query, and whose it is.
    fn what_to_ask(&self, policy: Option<&(String, Policy)>) -> Result<(String, String), Failure> {
        if let Some(query) = &self.query {
            return Ok((query.clone(), "as told by --query".to_owned()));
        }
        let Some((name, policy)) = policy else {
            let what = "there is no policy that could say what to ask Prometheus";
            return Err(Failure::Usage(format!("{what}\nhint: give a --query")));
        };
        let demand = demand_signal(policy).ok_or_else(|| {
            let what = format!("error: no rule of {name} asks Prometheus for requests per second");
            Failure::BadSettings(format!("{what}\nhint: give a --query that does"))
        })?;
        let (signal, rule) = (demand.signal, demand.rule);
        Ok((demand.query.to_owned(), format!("signal `{signal}` of {name}, of its `{rule}`")))
    }

    async fn recorded(
        &self,
        url: &str,
        query: String,
        choice: String,
    ) -> Result<(Trace, Source), Failure> {
        let settings =
            PrometheusSettings { range_deadline: PIECE_DEADLINE, ..PrometheusSettings::default() };
        let token = self.token.read()?;
        let server = source(url, token.as_ref(), settings)?;
        let now = SystemClock.now();
        let ago = |time: Duration| now.as_second() - time.as_secs() as i64;
        let (from, to, step) = (ago(self.from), ago(self.to), self.step.as_secs() as u32);
        let folder = self.cache.clone().or_else(usual_cache);
        let kept = folder.map(|folder| Kept::new(&folder, url, &query, step));
        let stretch = Stretch { query: &query, from, to, step };
        let progress = Progress::new("reading Prometheus", stretch.chunks());
        let told = |chunks| progress.more(chunks);
        let recording = server.recording(&stretch, kept.as_ref(), now, &told).await;
        let recording = recording.map_err(unread)?;
        let Recording { points, requests, chunks_kept, unkept } = recording;
        let undefined_samples = points.iter().filter(|(_, value)| !value.is_finite()).count();
        let window = crate::policy::window_of(&query).map(|window| window.as_secs());
        let recorded = Recorded {
            query,
            choice,
            from_seconds: from,
            to_seconds: to,
            step_seconds: step,
            requests,
            chunks_kept,
            undefined_samples,
            window_seconds: window,
            unkept,
        };
        let source = Source::Recorded(Box::new(recorded));
        let trace = Trace::recorded("prometheus", step, &points).map_err(|error| {
            let help = "try the query in Prometheus; is the metric's name right, and was it \
                        scraped at that time?";
            source.mistake(format!("{error}\nhint: {help}"))
        })?;
        Ok((trace, source))
    }
}

fn from_file(file: &Path) -> Result<(Trace, Source), Failure> {
    let source = Source::File(file.to_owned());
    let lines = BufReader::new(open(file, "a trace")?);
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let trace = Trace::read_from(&name, lines).map_err(|error| source.mistake(error))?;
    Ok((trace, source))
}

/// `$XDG_CACHE_HOME/windlass`, else `~/.cache/windlass`. Source: the XDG base directories; a
/// relative path there is to be ignored.
fn usual_cache() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("windlass"))
}

/// Says that a recording can't be read, and what to do.
fn unread(fault: Fault) -> Failure {
    let text = fault.to_string();
    let is_refused = ["answered 401", "answered 403"].iter().any(|words| text.contains(words));
    let help = match fault {
        _ if is_refused => "name the file of its token as --prometheus-token-file",
        Fault::Permanent { .. } => {
            "ask for one series of requests per second, such as `sum(rate(http_requests_total[1m]))`"
        }
        _ => "try again: whole days that were read are kept; a larger --step asks for less",
    };
    Failure::failed(anyhow::anyhow!("Prometheus: {text}\nhint: {help}"))
}

impl Source {
    /// What is wrong with the traffic; `text` has its place and hint.
    pub fn mistake(&self, text: impl Display) -> Failure {
        match self {
            Self::File(file) => mistake(file, &text.to_string()),
            Self::Recorded(recorded) => Failure::failed(anyhow::anyhow!(
                "`{}` between {} and {}: {text}",
                recorded.query,
                moment(recorded.from_seconds),
                moment(recorded.to_seconds)
            )),
        }
    }

    /// The file; nothing where Prometheus was asked.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file),
            Self::Recorded(_) => None,
        }
    }

    /// What Prometheus was asked; nothing for a file.
    pub fn recorded(&self) -> Option<&Recorded> {
        match self {
            Self::File(_) => None,
            Self::Recorded(recorded) => Some(recorded),
        }
    }

    /// What should be known of `trace` before its scores are read.
    pub fn notes(&self, trace: &Trace) -> Vec<String> {
        match self {
            Self::File(_) => lines_missing(trace),
            Self::Recorded(recorded) => recorded.notes(trace),
        }
    }
}

fn lines_missing(trace: &Trace) -> Vec<String> {
    let note = |gap: &crate::sim::backtest::Gap| {
        let (samples, line) = (gap.samples, gap.before_line);
        let word = if samples == 1 { "sample is" } else { "samples are" };
        format!("{samples} {word} missing before line {line}; drawn as a straight line")
    };
    trace.gaps.iter().map(note).collect()
}

impl Recorded {
    fn notes(&self, trace: &Trace) -> Vec<String> {
        let mut notes = vec![
            format!("the traffic is `{}`: {}", self.query, self.choice),
            format!(
                "{} to Prometheus, {} from disk",
                counted(self.requests, "request"),
                counted(self.chunks_kept, "chunk")
            ),
        ];
        notes.extend(self.unkept.as_ref().map(|why| {
            format!("what was read could not be kept for the next time: {why}; name a --cache")
        }));
        let late = trace.begins_at - self.from_seconds;
        if i64::from(self.step_seconds) < late {
            let (begin, late) = (moment(trace.begins_at), length(late as u64));
            notes.push(format!("there is nothing before {begin}: the trace begins {late} later"));
        }
        let ends_at = trace.begins_at + trace.seconds() as i64;
        // The newest samples are never there yet; five minutes without one is what Prometheus
        // itself calls ended.
        if 300 < self.to_seconds - ends_at {
            notes.push(format!("there is nothing after {}: the trace ends there", moment(ends_at)));
        }
        notes.extend(self.held(trace));
        if let Some(window) = self.window_seconds.filter(|window| *window > 30) {
            notes.push(format!(
                "the query averages over {}, so bursts are flatter here than they were; a --query \
                 over two scrapes is sharper",
                length(window)
            ));
        }
        notes
    }

    /// What has no sample, and that it is no zero.
    fn held(&self, trace: &Trace) -> Option<String> {
        let longest = trace.held.iter().max_by_key(|held| (held.seconds, -held.from_seconds))?;
        let (all, share) = (trace.held_seconds(), trace.held_seconds() as f64);
        let undefined = match self.undefined_samples {
            0 => String::new(),
            samples => format!(
                " ({} no number)",
                match samples {
                    1 => "1 sample is".to_owned(),
                    samples => format!("{samples} samples are"),
                }
            ),
        };
        Some(format!(
            "{all} s have no sample{undefined}, {:.2} % of the trace, in {}, the longest {} from {}; \
             the last rate is held there: a gap is no time without requests",
            100.0 * share / trace.seconds() as f64,
            counted(trace.held.len() as u64, "stretch"),
            length(longest.seconds),
            moment(longest.from_seconds),
        ))
    }
}

/// `1 chunk`, `2 chunks`, `3 stretches`.
fn counted(count: u64, noun: &str) -> String {
    match (count, noun.ends_with("ch")) {
        (1, _) => format!("1 {noun}"),
        (_, true) => format!("{count} {noun}es"),
        (_, false) => format!("{count} {noun}s"),
    }
}

fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| format!("{seconds} s"), |at| at.to_string())
}

/// A file can't be used: `text` has place and hint.
pub(super) fn mistake(file: &Path, text: &str) -> Failure {
    Failure::failed(anyhow::anyhow!("{}: {text}", file.display()))
}
