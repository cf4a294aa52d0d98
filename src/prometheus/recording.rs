//! Weeks of a query, read a chunk at a time, and from disk where a chunk was read before.
//!
//! In: a query, a stretch of time, and where chunks are kept.
//! Out: every point that there is, no numbers among them; how much was asked for.
//! Never: fills a gap; asks for more points at once than Prometheus gives; keeps a chunk that may
//! still change.
//!
//! Chunks begin at whole multiples of their length since 1970, whenever they are asked for, so
//! that tomorrow's run finds those of today. One that the server can't answer in time or in size
//! is asked for in halves, and all that follow as well.

use super::PrometheusSource;
use super::answer::Failure;
use super::kept::Kept;
use super::source::POINTS_AT_ONCE;
use crate::domain::Timestamp;
use crate::ports::Fault;

/// The longest chunk. A day is what recordings are asked for in, and a server answers it in a
/// moment; two would be repeated whole for one hour that is new.
const LONGEST_CHUNK: u64 = 86_400;

/// The shortest piece that is asked for, in points: whoever can't answer these won't answer half.
const FEWEST_POINTS: u64 = 30;

/// How long ago a chunk must have ended to be kept, in seconds. Recording rules, remote writes and
/// samples out of order may be late; more than an hour is refused by default almost everywhere.
const MAY_CHANGE: i64 = 3_600;

/// What to read. Seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    /// A PromQL expression with one series.
    pub query: &'a str,
    /// The first moment; rounded up to a multiple of the step.
    pub from: i64,
    /// The last moment.
    pub to: i64,
    /// Between two points, in seconds; above zero.
    pub step: u32,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Seconds since 1970, multiples of the step, and values, of which some may be no numbers. In
    /// order; where there is nothing, there is no point.
    pub points: Vec<(i64, f64)>,
    /// Requests made.
    pub requests: u64,
    /// Chunks that were on disk.
    pub chunks_kept: u64,
    /// Why a chunk could not be kept on disk.
    pub unkept: Option<String>,
}

impl Stretch<'_> {
    /// In how many chunks it is read.
    pub fn chunks(&self) -> u64 {
        let length = self.chunk_seconds();
        let chunks = self.to.div_euclid(length) - self.from.div_euclid(length) + 1;
        u64::try_from(chunks).unwrap_or(0)
    }

    /// How long a chunk is, in seconds.
    fn chunk_seconds(&self) -> i64 {
        let step = u64::from(self.step.max(1));
        (points_of_a_chunk(step) * step) as i64
    }
}

/// How many points a chunk has, `step` seconds apart.
fn points_of_a_chunk(step: u64) -> u64 {
    POINTS_AT_ONCE.min(LONGEST_CHUNK / step).max(1)
}

impl PrometheusSource {
    /// Reads a stretch, as of `now`. What was read of it is on disk even if a later chunk fails.
    /// `told` hears of every chunk that is there; [`Stretch::chunks`] says how many there are.
    pub async fn recording(
        &self,
        stretch: &Stretch<'_>,
        kept: Option<&Kept>,
        now: Timestamp,
        told: &(dyn Fn(u64) + Sync),
    ) -> Result<Recording, Fault> {
        let step = u64::from(stretch.step.max(1));
        let length = stretch.chunk_seconds();
        let mut recording = Recording::default();
        let mut at_once = points_of_a_chunk(step);
        let mut start = stretch.from.div_euclid(length) * length;
        while start <= stretch.to {
            let end = start + length - step as i64;
            let is_settled = end + MAY_CHANGE <= now.as_second();
            let known = kept.filter(|_| is_settled);
            let chunk = match known.and_then(|kept| kept.chunk(start, length)) {
                Some(chunk) => {
                    recording.chunks_kept += 1;
                    chunk
                }
                None => {
                    let end = if is_settled { end } else { end.min(stretch.to) };
                    let span = Span { query: stretch.query, start, end, step };
                    let chunk = self.chunk(&span, &mut at_once, &mut recording.requests).await?;
                    // Nothing at all may be an outage as well as silence: it is asked again.
                    if let Some(kept) = known.filter(|_| !chunk.is_empty())
                        && let Err(cause) = kept.keep(start, &chunk)
                    {
                        recording.unkept = Some(cause.to_string());
                    }
                    chunk
                }
            };
            let wanted = |(at, _): &(i64, f64)| stretch.from <= *at && *at <= stretch.to;
            recording.points.extend(chunk.into_iter().filter(wanted));
            told(1);
            start += length;
        }
        Ok(recording)
    }

    /// One chunk, in pieces of `at_once` points, which are halved as long as they are too much.
    async fn chunk(
        &self,
        span: &Span<'_>,
        at_once: &mut u64,
        requests: &mut u64,
    ) -> Result<Vec<(i64, f64)>, Failure> {
        let (mut points, mut from) = (Vec::new(), span.start);
        while from <= span.end {
            let to = (from + ((*at_once - 1) * span.step) as i64).min(span.end);
            *requests += 1;
            match self.piece(span.query, from, to, span.step).await {
                Ok(piece) => {
                    let seconds = |(at, value): (f64, f64)| (at.round() as i64, value);
                    points.extend(piece.into_iter().map(seconds));
                    from = to + span.step as i64;
                }
                Err(failure) if failure.is_too_much() && FEWEST_POINTS <= *at_once / 2 => {
                    *at_once /= 2;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(points)
    }
}

/// What a chunk is asked for. Seconds since 1970; both ends are points of it.
struct Span<'a> {
    query: &'a str,
    start: i64,
    end: i64,
    step: u64,
}
