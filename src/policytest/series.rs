//! Series in the compact notation of Prometheus' own rule tests.
//!
//! In: `0+10x60`, `5x10`, `1 2 _ 4`, `_x3 stale`.
//! Out: one point for each interval.
//! Never: goes beyond a day of seconds: a slip of the pen must not fill the memory.
//!
//! Source: Prometheus, "Unit testing for rules": `a+bxn` is `a a+b … a+(b*n)`, so `n` counts the
//! repetitions after the first point; `axn` is `a+0xn`; `_` is no sample, and `_xn` so many of them;
//! `stale` ends the series until its next sample.

/// The most points of one series.
const LONGEST: usize = 86_400;

/// What one interval brings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Point {
    /// A sample.
    Value(f64),
    /// No sample: the last one grows old.
    Missing,
    /// The series ends here: it is empty until its next sample.
    Stale,
}

/// One point for each interval, the first at the beginning.
#[derive(Clone, Debug, PartialEq)]
pub struct Series(Vec<Point>);

impl Series {
    /// Reads the notation; the error says which part can't be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut points = Vec::new();
        for part in text.split_whitespace() {
            let more = part_points(part, LONGEST - points.len())?;
            points.extend(more);
        }
        if points.is_empty() {
            return Err("a series needs at least one point".into());
        }
        Ok(Self(points))
    }

    /// The last sample up to the interval `index`, with its own; `None` where there is none yet,
    /// or the series has ended.
    pub fn at(&self, index: usize) -> Option<(usize, f64)> {
        let last = index.min(self.0.len() - 1);
        self.0[..=last].iter().enumerate().rev().find_map(|(at, point)| match point {
            Point::Value(value) => Some(Some((at, *value))),
            Point::Stale => Some(None),
            Point::Missing => None,
        })?
    }
}

fn part_points(part: &str, room: usize) -> Result<Vec<Point>, String> {
    let unreadable = || {
        format!(
            "`{part}` is no part of a series: write 5, 5x10, 0+10x60, 100-5x10, _, _x3 or stale"
        )
    };
    let (body, times) = match part.split_once('x') {
        Some((body, times)) => (body, Some(times.parse::<usize>().map_err(|_| unreadable())?)),
        None => (part, None),
    };
    if room <= times.unwrap_or(0) {
        return Err(format!("`{part}` makes the series longer than {LONGEST} points"));
    }
    match (body, times) {
        ("stale", None) => return Ok(vec![Point::Stale]),
        ("_", times) => return Ok(vec![Point::Missing; times.unwrap_or(1)]),
        _ => {}
    }
    let (start, step) = match times.and(step_at(body)) {
        Some(at) => (&body[..at], body[at..].parse().map_err(|_| unreadable())?),
        None => (body, 0.0),
    };
    let start: f64 = start.parse().map_err(|_| unreadable())?;
    let points = 0..=times.unwrap_or(0);
    Ok(points.map(|index| Point::Value(start + step * index as f64)).collect())
}

/// Where the step begins: at a sign that is neither the first character nor an exponent's.
fn step_at(body: &str) -> Option<usize> {
    let bytes = body.as_bytes();
    (1..bytes.len()).find(|&at| {
        matches!(bytes[at], b'+' | b'-') && !matches!(bytes[at - 1], b'e' | b'E' | b'+' | b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(text: &str) -> Vec<Point> {
        Series::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}")).0
    }

    fn values(numbers: &[f64]) -> Vec<Point> {
        numbers.iter().map(|number| Point::Value(*number)).collect()
    }

    #[test]
    fn the_notation_means_what_prometheus_means_by_it() {
        assert_eq!(points("-2+4x3"), values(&[-2.0, 2.0, 6.0, 10.0]));
        assert_eq!(points(" 1-2x4"), values(&[1.0, -1.0, -3.0, -5.0, -7.0]));
        assert_eq!(points("1x4"), values(&[1.0; 5]));
        assert_eq!(points("1e2+1e-1x1 7"), values(&[100.0, 100.1, 7.0]));
        assert_eq!(points("1x0"), values(&[1.0]));
        let missing = Point::Missing;
        assert_eq!(points("_x3 1 _"), [missing, missing, missing, Point::Value(1.0), missing]);
        assert_eq!(points("1 stale"), [Point::Value(1.0), Point::Stale]);
    }

    #[test]
    fn what_is_no_series_is_refused_with_the_part_that_is_wrong() {
        for text in ["", " ", "x3", "1x", "1x-3", "1+x3", "1 two", "stalex3", "1x9999999", "1+2"] {
            let problem = Series::parse(text).expect_err(text);
            assert!(!problem.is_empty(), "{text}");
        }
    }

    #[test]
    fn the_last_sample_counts_until_the_series_ends() {
        let series = Series::parse("5 _ _ stale 7").expect("a series");
        assert_eq!(series.at(0), Some((0, 5.0)));
        assert_eq!(series.at(2), Some((0, 5.0)), "it only grows old");
        assert_eq!(series.at(3), None, "it has ended");
        assert_eq!(series.at(99), Some((4, 7.0)), "beyond its end the last one counts");
    }
}
