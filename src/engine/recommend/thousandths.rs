//! Numbers in whole thousandths, as Kubernetes' HPA counts them.
//!
//! In: measured values and targets.
//! Out: whole thousandths, held at the ends of the range instead of overflowing.
//! Never: sees a negative number or none at all: those are missing readings.
//!
//! Source: HPA keeps every metric and target as an `int64` of thousandths. What comes from
//! Prometheus was cut down to them (prometheus-adapter, `int64(value * 1000)`); what was written
//! in a specification was rounded up (`resource.Quantity`'s `MilliValue`).

/// A measured value in thousandths, the rest dropped.
///
/// Decimal fractions miss whole thousandths by a few units in the last place (1.001 × 1,000 is a
/// little below 1,001); within that noise, the nearest one counts.
pub(in crate::engine) fn measured(value: f64) -> i64 {
    let exact = value * 1_000.0;
    near_whole(exact).unwrap_or(exact.trunc()) as i64
}

/// A value that somebody wrote, in thousandths, rounded up: what is above zero stays above it.
pub(in crate::engine) fn written(value: f64) -> i64 {
    let exact = value * 1_000.0;
    near_whole(exact).unwrap_or(exact.ceil()) as i64
}

/// A value over the pool in thousandths: whole where it misses a whole number only by noise, so
/// that HPA's arithmetic comes out, and as it is where it is finer than HPA could tell. (Nomad
/// Autoscaler keeps every digit.)
pub(in crate::engine) fn as_it_is(value: f64) -> f64 {
    let exact = value * 1_000.0;
    near_whole(exact).unwrap_or(exact).min(f64::MAX)
}

/// The whole number that `exact` misses only by noise; see [`super::target::ceil_whole`].
fn near_whole(exact: f64) -> Option<f64> {
    const NOISE: f64 = 1e-9;
    let nearest = exact.round();
    ((exact - nearest).abs() <= (exact * NOISE).min(1e-6)).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_over_the_pool_keeps_what_is_finer_than_a_thousandth() {
        for (value, thousandths) in [(8.6, 8_600.0), (5.000_01, 5_000.01), (0.000_4, 0.4)] {
            assert!((as_it_is(value) - thousandths).abs() < 1e-9, "{value}");
        }
        assert!(0.0 < as_it_is(5e-10), "a little is not nothing");
        assert_eq!(as_it_is(8.6), 8_600.0, "a whole one is exact");
        assert_eq!(as_it_is(f64::MAX), f64::MAX);
    }

    #[test]
    fn what_is_measured_is_cut_and_what_is_written_is_rounded_up() {
        for (value, cut, up) in [
            (0.0, 0, 0),
            (0.000_4, 0, 1),
            (5e-10, 0, 1),
            (1.001, 1_001, 1_001),
            (8.6, 8_600, 8_600),
            (20.666_7, 20_666, 20_667),
            (1e300, i64::MAX, i64::MAX),
        ] {
            assert_eq!((measured(value), written(value)), (cut, up), "{value}");
        }
    }
}
