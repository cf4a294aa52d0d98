//! How long boots and drains take, node by node.
//!
//! In: what is said of them, or what nodes took.
//! Out: a time for each node, the same for the same seed.
//! Never: makes up a time that lies outside of what is known.

use super::super::chance;

/// How long something takes, in whole seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// Anything from the first to the second, evenly.
    Between(u64, u64),
    /// As long as one of these took, each as likely; sorted, at least one.
    Known(Vec<u64>),
}

impl Lasts {
    /// Always as long.
    pub fn always(seconds: u64) -> Self {
        Self::Between(seconds, seconds)
    }

    /// As long as what is known, rounded; none where nothing is, or no time at all.
    pub fn known(seconds: impl IntoIterator<Item = f64>) -> Option<Self> {
        let sane = seconds.into_iter().filter(|seconds| (0.0..1e7).contains(seconds));
        let mut seconds: Vec<u64> = sane.map(|seconds| seconds.round() as u64).collect();
        seconds.sort_unstable();
        (!seconds.is_empty()).then_some(Self::Known(seconds))
    }

    /// The shortest and the longest.
    pub fn ends(&self) -> (u64, u64) {
        match self {
            Self::Between(shortest, longest) => (*shortest, *longest),
            Self::Known(seconds) => {
                let end = |place: Option<&u64>| place.copied().unwrap_or_default();
                (end(seconds.first()), end(seconds.last()))
            }
        }
    }

    /// What a careful planner counts with: the longest, or what nine in ten of the known ones didn't
    /// exceed, as the daemon learns it.
    pub fn upper(&self) -> u64 {
        match self {
            Self::Between(_, longest) => *longest,
            Self::Known(seconds) => {
                let rank = (seconds.len() * 9).div_ceil(10);
                seconds.get(rank.max(1) - 1).copied().unwrap_or_default()
            }
        }
    }

    /// The time of one thing, which is the same for the same seed and purpose.
    pub(super) fn draw(&self, seed: u64, purpose: &str) -> u64 {
        match self {
            Self::Between(shortest, longest) => {
                chance::length(seed, purpose, *shortest, *longest).as_secs()
            }
            Self::Known(seconds) => {
                let place = (chance::roll(seed, purpose) * seconds.len() as f64) as usize;
                seconds.get(place).copied().unwrap_or_default()
            }
        }
    }

    /// In one of `parts` equal parts of the time, fractions of a second dropped.
    pub(super) fn divided(&self, parts: u64) -> Self {
        match self {
            Self::Between(shortest, longest) => Self::Between(shortest / parts, longest / parts),
            Self::Known(seconds) => {
                Self::Known(seconds.iter().map(|seconds| seconds / parts).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_are_drawn_as_often_as_they_came() {
        let known = Lasts::known([90.4, 300.0, 89.6, 90.0, f64::NAN]).expect("times");
        assert_eq!(known, Lasts::Known(vec![90, 90, 90, 300]));
        let draws: Vec<u64> =
            (0..4_000).map(|node| known.draw(7, &format!("boot of node {node}"))).collect();
        let slow = draws.iter().filter(|seconds| **seconds == 300).count();
        assert!((900..1_100).contains(&slow), "{slow} of 4000");
        assert!(draws.iter().all(|seconds| [90, 300].contains(seconds)));
        assert_eq!(known.draw(7, "boot of node 1"), known.draw(7, "boot of node 1"));
        assert_eq!(Lasts::known([]), None);
    }

    #[test]
    fn one_known_time_is_a_constant() {
        let (known, constant) = (Lasts::known([120.0]).expect("a time"), Lasts::always(120));
        for parts in [1, 2, 4] {
            let (known, constant) = (known.divided(parts), constant.divided(parts));
            assert_eq!((known.ends(), known.upper()), (constant.ends(), constant.upper()));
            for seed in 0..20 {
                assert_eq!(known.draw(seed, "drain"), constant.draw(seed, "drain"));
            }
        }
    }

    #[test]
    fn a_careful_planner_counts_with_nine_in_ten() {
        let ten = Lasts::known((1..=10).map(f64::from)).expect("times");
        assert_eq!((ten.upper(), ten.ends()), (9, (1, 10)));
        assert_eq!(Lasts::Between(60, 240).upper(), 240);
    }
}
