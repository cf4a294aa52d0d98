//! How numbers, lengths of time and moments read in sentences.
//!
//! In: numbers, seconds, moments.
//! Out: what implements `Display`, the same in every reason and explanation.
//! Never: knows the local time zone; every moment reads in UTC.

use std::fmt;

use crate::domain::{Duration, Timestamp};
use crate::policy::{Band, BandAction};

/// A plain number: thousands with commas, one decimal below 100 where it has one, and powers
/// of ten where digits would no longer fit a line.
pub(super) struct Number(pub f64);

/// A number whose unit only the operator knows: as [`Number`], but below 10 to three places.
pub(super) struct Plain(pub f64);

/// A length of time in its two largest units: "45 s", "6 min 10 s", "2 h 5 min", "3 d".
pub(super) struct Length(pub u64);

/// A moment's time of day in UTC: "12:31:05 UTC".
pub(super) struct TimeOfDay(pub Timestamp);

/// A moment that may be another day: "2026-12-24 20:00 UTC".
pub(super) struct Moment(pub Timestamp);

/// A latency in seconds as people say it: "412 ms", "1.25 s".
pub(super) struct Latency(pub f64);

/// "a", "a and b", "a, b and c".
pub(super) struct Listed<'a, T>(pub &'a [T]);

/// Whole seconds, rounded up: a wait never reads shorter than it is.
pub(super) fn seconds_up(length: Duration) -> u64 {
    length.as_secs().saturating_add(u64::from(length.subsec_nanos() > 0))
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Above this, commas no longer help anybody to read it.
        const LONGEST: f64 = 1e15;
        let value = self.0;
        if value.abs() >= LONGEST {
            return write!(f, "{value:.3e}");
        }
        let tenths = (value * 10.0).round() / 10.0;
        if tenths.abs() < 100.0 && tenths.fract() != 0.0 {
            return write!(f, "{tenths:.1}");
        }
        let whole = format!("{:.0}", value.abs());
        if value.round() < 0.0 {
            f.write_str("-")?;
        }
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thousandths = (self.0 * 1_000.0).round() / 1_000.0;
        if thousandths.abs() < 10.0 { write!(f, "{thousandths}") } else { Number(self.0).fmt(f) }
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.below) {
            (Some(from), Some(below)) => {
                write!(f, "from {} to below {}", Plain(from), Plain(below))
            }
            (Some(from), None) => write!(f, "from {}", Plain(from)),
            (None, Some(below)) => write!(f, "below {}", Plain(below)),
            (None, None) => write!(f, "any value"),
        }
    }
}

impl fmt::Display for BandAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add(0) => write!(f, "keep the count"),
            Self::Add(nodes) => write!(f, "add {nodes}"),
            Self::Remove(nodes) => write!(f, "remove {nodes}"),
            Self::AddPercent(share) => write!(f, "add {} %", Number(share.get())),
            Self::RemovePercent(share) => write!(f, "remove {} %", Number(share.get())),
            Self::Set(count) => write!(f, "have {count}"),
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
        let largest = units.iter().position(|(_, size)| self.0 >= *size).unwrap_or(3);
        let (name, size) = units[largest];
        write!(f, "{} {name}", self.0 / size)?;
        let Some((smaller, smaller_size)) = units.get(largest + 1) else { return Ok(()) };
        match self.0 % size / smaller_size {
            0 => Ok(()),
            rest => write!(f, " {rest} {smaller}"),
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} UTC", self.0.strftime("%H:%M:%S"))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} UTC", self.0.strftime("%Y-%m-%d %H:%M"))
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1.0 {
            return write!(f, "{} ms", Number(self.0 * 1_000.0));
        }
        if self.0 < 10.0 {
            return write!(f, "{:.2} s", self.0);
        }
        write!(f, "{} s", Number(self.0))
    }
}

impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, item) in self.0.iter().enumerate() {
            match place {
                0 => {}
                _ if place + 1 == self.0.len() => f.write_str(" and ")?,
                _ => f.write_str(", ")?,
            }
            write!(f, "{item}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (5.4, "5.4"),
            (5.04, "5"),
            (99.96, "100"),
            (123.4, "123"),
            (1_890.0, "1,890"),
            (1_234_567.8, "1,234,568"),
            (-1_890.0, "-1,890"),
            (1e300, "1.000e300"),
        ] {
            assert_eq!(Number(value).to_string(), text);
        }
    }

    #[test]
    fn numbers_without_a_unit_keep_three_places_where_they_are_small() {
        for (value, text) in
            [(0.0, "0"), (0.62, "0.62"), (0.000_4, "0"), (9.876_54, "9.877"), (123.4, "123")]
        {
            assert_eq!(Plain(value).to_string(), text);
        }
    }

    #[test]
    fn lengths_read_in_their_two_largest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (45, "45 s"),
            (60, "1 min"),
            (370, "6 min 10 s"),
            (7_500, "2 h 5 min"),
            (7_205, "2 h"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(Length(seconds).to_string(), text);
        }
    }

    #[test]
    fn latencies_read_in_the_unit_that_fits() {
        for (seconds, text) in [(0.0125, "12.5 ms"), (0.412, "412 ms"), (1.25, "1.25 s")] {
            assert_eq!(Latency(seconds).to_string(), text);
        }
    }

    #[test]
    fn a_wait_never_reads_shorter_than_it_is() {
        assert_eq!(seconds_up(Duration::from_millis(1_001)), 2);
        assert_eq!(seconds_up(Duration::from_secs(1)), 1);
    }
}
