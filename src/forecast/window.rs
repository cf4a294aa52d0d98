//! A rolling quantile: the values of the last while, sorted.
//!
//! In: values with their minute, oldest first. Out: a quantile of those young enough.
//! Never: depends on anything but what it holds and the minute it is asked at.

use std::collections::VecDeque;

/// The values of the last `span` minutes.
#[derive(Clone, Debug)]
pub(super) struct Window {
    span: i64,
    by_age: VecDeque<(i64, f32)>,
    sorted: Sorted,
}

impl Window {
    pub(super) fn new(span: i64) -> Self {
        Self { span, by_age: VecDeque::new(), sorted: Sorted::default() }
    }

    /// Takes in the value of `minute`, the newest so far.
    pub(super) fn add(&mut self, minute: i64, value: f32) {
        self.forget(minute);
        self.sorted.insert(value);
        self.by_age.push_back((minute, value));
    }

    /// The `level` quantile at `now`: the value of rank `ceil(level (n + 1))`, so that the
    /// next value exceeds it with at most the chance that is left (split conformal
    /// prediction). `None` with fewer than `least` values.
    pub(super) fn quantile(&mut self, now: i64, level: f64, least: usize) -> Option<f64> {
        self.forget(now);
        let count = self.by_age.len();
        if count < least.max(1) {
            return None;
        }
        let rank = (level * (count as f64 + 1.0)).ceil() as usize;
        self.sorted.nth_largest(count - rank.clamp(1, count)).map(f64::from)
    }

    fn forget(&mut self, now: i64) {
        while let Some(&(then, old)) = self.by_age.front()
            && then <= now - self.span
        {
            self.by_age.pop_front();
            self.sorted.remove(old);
        }
    }
}

/// Values beyond which a block is halved. Three days of minutes are then some fifty blocks: half of
/// it walks longer than it moves, double moves longer than it walks.
const BLOCK: usize = 128;

/// Sorted values in blocks, so that who comes and who goes moves a block and not all that is larger.
#[derive(Clone, Debug, Default)]
struct Sorted {
    /// None of them empty.
    blocks: Vec<Vec<f32>>,
}

impl Sorted {
    fn insert(&mut self, value: f32) {
        let Some(last) = self.blocks.len().checked_sub(1) else {
            self.blocks.push(vec![value]);
            return;
        };
        let at = self.block_of(value).min(last);
        let block = &mut self.blocks[at];
        block.insert(block.partition_point(|other| *other < value), value);
        if BLOCK < block.len() {
            let upper = block.split_off(BLOCK / 2);
            self.blocks.insert(at + 1, upper);
        }
    }

    /// Removes one of the values that are equal to `value`, which is there.
    fn remove(&mut self, value: f32) {
        let at = self.block_of(value);
        let block = &mut self.blocks[at];
        block.remove(block.partition_point(|other| *other < value));
        if block.is_empty() {
            self.blocks.remove(at);
        }
    }

    /// The first block that reaches up to `value`; one past the last if none does.
    fn block_of(&self, value: f32) -> usize {
        self.blocks.partition_point(|block| block.last().is_some_and(|last| *last < value))
    }

    /// The value so far from the largest: quantiles are asked for near that end.
    fn nth_largest(&self, mut place: usize) -> Option<f32> {
        for block in self.blocks.iter().rev() {
            match block.len().checked_sub(place + 1) {
                Some(at) => return block.get(at).copied(),
                None => place -= block.len(),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::strategy::Strategy as _;

    use super::*;

    #[test]
    fn a_quantile_is_of_the_young_values_only() {
        let mut window = Window::new(100);
        (0..100).for_each(|minute| window.add(minute, (99 - minute) as f32));
        assert_eq!(window.quantile(99, 0.5, 1), Some(50.0));
        assert_eq!(window.quantile(99, 0.98, 1), Some(98.0));
        assert_eq!(window.quantile(99, 0.9999, 1), Some(99.0), "never past the largest");
        assert_eq!(window.quantile(149, 0.9999, 1), Some(49.0), "the oldest fifty are gone");
        assert_eq!(window.quantile(149, 0.5, 51), None, "too few to tell");
    }

    proptest::proptest! {
        #[test]
        fn blocks_hold_what_one_sorted_list_would(
            values in proptest::collection::vec((0_u8..20).prop_map(f32::from), 1..900),
            span in 1..600_i64,
        ) {
            let mut window = Window::new(span);
            for (minute, value) in values.iter().enumerate() {
                window.add(minute as i64, *value);
                let oldest = (minute + 1).saturating_sub(span as usize);
                let mut kept = values[oldest..=minute].to_vec();
                kept.sort_by(f32::total_cmp);
                let held = (0..=kept.len()).filter_map(|place| window.sorted.nth_largest(place));
                kept.reverse();
                proptest::prop_assert_eq!(held.collect::<Vec<_>>(), kept);
            }
        }

        #[test]
        fn a_higher_level_never_gives_less(
            values in proptest::collection::vec(-1e6_f32..1e6, 1..60),
            low in 0.0..1.0_f64,
            more in 0.0..1.0_f64,
        ) {
            let mut window = Window::new(1000);
            values.iter().enumerate().for_each(|(minute, x)| window.add(minute as i64, *x));
            let high = low + more * (1.0 - low);
            proptest::prop_assert!(window.quantile(60, low, 1) <= window.quantile(60, high, 1));
        }
    }
}
