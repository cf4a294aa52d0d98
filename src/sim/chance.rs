//! Chance by seed, purpose and thing.

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::domain::Duration;

/// A stream of chance that belongs to one seed and purpose alone.
pub(super) fn stream(seed: u64, purpose: &str) -> StdRng {
    StdRng::seed_from_u64(mixed(seed, purpose))
}

/// A number from zero up to one.
pub(super) fn roll(seed: u64, purpose: &str) -> f64 {
    // 53 bits are what a number between zero and one has room for.
    (mixed(seed, purpose) >> 11) as f64 / (1u64 << 53) as f64
}

/// A length of time from `shortest` to `longest` seconds.
pub(super) fn length(seed: u64, purpose: &str, shortest: u64, longest: u64) -> Duration {
    let share = roll(seed, purpose);
    Duration::from_millis(shortest * 1_000 + (share * ((longest - shortest) * 1_000) as f64) as u64)
}

/// Thrown many times in each look, so it has to be cheap: FNV-1a over the purpose, then the last
/// round of SplitMix64, after which each bit depends on each.
fn mixed(seed: u64, purpose: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in purpose.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_spread_evenly_and_belong_to_their_seed_and_purpose() {
        let throws: Vec<f64> = (0..10_000).map(|count| roll(7, &format!("boot {count}"))).collect();
        for tenth in 0..10 {
            let from = f64::from(tenth) / 10.0;
            let inside = throws.iter().filter(|throw| (from..from + 0.1).contains(*throw)).count();
            assert!((900..1_100).contains(&inside), "{inside} of 10000 in the tenth from {from}");
        }
        assert_eq!(roll(7, "boot 1"), roll(7, "boot 1"));
        assert_ne!(roll(7, "boot 1"), roll(8, "boot 1"));
    }
}
