//! What nodes cost: every started hour of each.
//!
//! In: when each node was ordered and when it was gone.
//! Out: the hours that are billed within the scored time.
//! Never: bills a fraction: Linode rounds up to the hour.

/// Seconds of a billed hour.
const HOUR: i64 = 3_600;

/// Started hours of a life that begin in the scored time; the hour under way when that begins
/// counts whole. Moments are seconds after the trace's beginning; a node may be older than that.
///
/// A node that is cancelled at once has started an hour.
pub(super) fn started_hours(ordered: i64, gone: i64, scored_from: i64) -> u64 {
    if gone <= scored_from {
        return 0;
    }
    let over = (scored_from - ordered).max(0) / HOUR;
    let started = ((gone - ordered) + HOUR - 1) / HOUR;
    (started.max(1) - over) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_started_hour_is_billed() {
        for (ordered, gone, scored_from, hours, because) in [
            (0, 0, -1, 1, "cancelled at once"),
            (0, 1, 0, 1, "a second"),
            (0, 3_600, 0, 1, "exactly an hour"),
            (0, 3_601, 0, 2, "a second into the next"),
            (100, 10_900, 0, 3, "three hours to the second"),
            (-120, 3_480, 0, 1, "ordered before the beginning"),
            (0, 7_200, 7_200, 0, "gone before the scored time"),
            (0, 7_201, 7_200, 1, "its third hour begins with the scored time"),
            (0, 9_000, 5_400, 2, "the hour under way counts whole"),
            (0, 7_200, 5_400, 1, "the hour under way alone"),
        ] {
            assert_eq!(started_hours(ordered, gone, scored_from), hours, "{because}");
        }
    }
}
