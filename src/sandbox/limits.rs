//! Rate limits as published, counted per token and kind of call.
//!
//! In: who calls what, and the time.
//! Out: the numbers for the `X-RateLimit-*` headers, and whether this call is one too many.
//! Never: shortens its windows with `--speed`: limits hold in real time.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::operations::Operation;
use crate::domain::after;

/// Calls counted so far.
#[derive(Debug, Default)]
pub struct Limits(BTreeMap<([u8; 32], Kind), Window>);

/// Calls that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Create,
    Images,
    Collection,
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    ends: Timestamp,
    used: u32,
}

/// What the headers say after a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    /// Calls per window.
    pub limit: u32,
    /// Calls left in this one.
    pub remaining: u32,
    /// When the window ends.
    pub reset: Timestamp,
    /// Whether this call was one too many.
    pub exceeded: bool,
}

impl Kind {
    fn of(operation: &Operation) -> Self {
        match operation.name {
            "create_instance" => Self::Create,
            "list_images" => Self::Images,
            name if name.starts_with("list_") => Self::Collection,
            _ => Self::Other,
        }
    }

    /// Calls and the window they may come in, published 2026-09-15.
    fn limit(self) -> (u32, Duration) {
        match self {
            Self::Create => (20, Duration::from_secs(15)),
            Self::Images => (20, Duration::from_secs(60)),
            Self::Collection => (200, Duration::from_secs(60)),
            Self::Other => (1600, Duration::from_secs(60)),
        }
    }
}

impl Limits {
    /// Counts a call by `key`. One that exceeds the limit is counted no further.
    pub fn count(&mut self, now: Timestamp, key: [u8; 32], operation: &Operation) -> Allowance {
        let kind = Kind::of(operation);
        let (limit, length) = kind.limit();
        let fresh = Window { ends: after(now, length), used: 0 };
        let window = self.0.entry((key, kind)).or_insert(fresh);
        if window.ends <= now {
            *window = fresh;
        }
        let exceeded = window.used == limit;
        if !exceeded {
            window.used += 1;
        }
        Allowance { limit, remaining: limit - window.used, reset: window.ends, exceeded }
    }
}

impl Allowance {
    /// Whole seconds from `now` until the window ends, at least one.
    pub fn retry_after(&self, now: Timestamp) -> u64 {
        crate::domain::elapsed(now, self.reset).as_secs_f64().ceil().max(1.0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::operations::OPERATIONS;

    fn operation(name: &str) -> &'static Operation {
        OPERATIONS.iter().find(|one| one.name == name).expect("a known operation")
    }

    #[test]
    fn the_twenty_first_create_in_fifteen_seconds_is_one_too_many() {
        let mut limits = Limits::default();
        let start = Timestamp::UNIX_EPOCH;
        let create = operation("create_instance");
        for left in (0..20).rev() {
            let allowance = limits.count(start, [0; 32], create);
            assert_eq!((allowance.remaining, allowance.exceeded), (left, false));
        }
        let late = after(start, Duration::from_millis(13_500));
        let refused = limits.count(late, [0; 32], create);
        assert!(refused.exceeded);
        assert_eq!(refused.retry_after(late), 2);
        assert!(!limits.count(late, [1; 32], create).exceeded, "another token has its own");
        assert!(!limits.count(late, [0; 32], operation("get_instance")).exceeded, "other kinds");
        let next = after(start, Duration::from_secs(15));
        assert!(!limits.count(next, [0; 32], create).exceeded, "a new window");
    }
}
