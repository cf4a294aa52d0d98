//! Money, exact to a millionth of a dollar.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Duration;

const HOUR_MILLISECONDS: u128 = 3_600_000;

/// An amount of United States dollars, in millionths: prices such as $0.0075 an hour stay exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dollars {
    millionths: u64,
}

impl utoipa::PartialSchema for Dollars {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let millionths = u64::schema();
        if let utoipa::openapi::RefOr::T(utoipa::openapi::Schema::Object(mut object)) = millionths {
            let what = "An amount of United States dollars, in millionths.";
            object.description = Some(what.into());
            return object.into();
        }
        millionths
    }
}

impl utoipa::ToSchema for Dollars {}

impl Dollars {
    /// `None` for a negative, infinite, absent (NaN) or absurd (over $10^12) amount.
    pub fn new(dollars: f64) -> Option<Self> {
        let sane = dollars.is_finite() && (0.0..=1e12).contains(&dollars);
        sane.then(|| Self { millionths: (dollars * 1e6).round() as u64 })
    }

    /// The amount in dollars.
    pub fn get(self) -> f64 {
        self.millionths as f64 / 1e6
    }

    /// The sum of both.
    pub fn plus(self, more: Self) -> Self {
        Self { millionths: self.millionths.saturating_add(more.millionths) }
    }

    /// What is left of this, and nothing instead of less.
    pub fn minus(self, spent: Self) -> Self {
        Self { millionths: self.millionths.saturating_sub(spent.millionths) }
    }

    /// What so much time costs at this amount an hour, fractions of a millionth dropped.
    pub fn for_time(self, time: Duration) -> Self {
        let cost = u128::from(self.millionths) * time.as_millis() / HOUR_MILLISECONDS;
        Self { millionths: u64::try_from(cost).unwrap_or(u64::MAX) }
    }

    /// How many things that cost `hourly` this pays for during `time`, whole ones; `None` where
    /// they, or no time at all, cost nothing.
    pub fn pays_for(self, hourly: Self, time: Duration) -> Option<u32> {
        let one = u128::from(hourly.millionths) * time.as_millis();
        let all = u128::from(self.millionths) * HOUR_MILLISECONDS;
        all.checked_div(one).map(|things| u32::try_from(things).unwrap_or(u32::MAX))
    }

    /// This as a share of `whole`; 0 where that is nothing.
    pub fn share_of(self, whole: Self) -> f64 {
        if whole.millionths == 0 { 0.0 } else { self.millionths as f64 / whole.millionths as f64 }
    }

    /// This amount `times` over.
    pub fn times(self, times: u64) -> Self {
        Self { millionths: self.millionths.saturating_mul(times) }
    }
}

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${:.4}", self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(amount: f64) -> Dollars {
        Dollars::new(amount).expect("a sane amount")
    }

    #[test]
    fn an_amount_pays_for_whole_things_only_and_exactly() {
        let hour = Duration::from_secs(3_600);
        for (amount, hourly, hours, things, because) in [
            (1.50, 0.036, 1, Some(41), "41.67"),
            (0.36, 0.036, 1, Some(10), "exactly ten, noise of fractions or not"),
            (0.3599, 0.036, 1, Some(9), "nearly ten"),
            (600.0, 0.036, 744, Some(22), "22.4 for a month"),
            (0.0, 0.036, 1, Some(0), "nothing"),
            (1.0, 0.0, 1, None, "what is free"),
            (1.0, 0.036, 0, None, "no time at all"),
            (1e12, 0.000_001, 1, Some(u32::MAX), "more than can be counted"),
        ] {
            let paid = dollars(amount).pays_for(dollars(hourly), hour * hours);
            assert_eq!(paid, things, "{because}");
        }
    }

    #[test]
    fn a_part_of_an_hour_costs_its_part() {
        let half = dollars(0.036).for_time(Duration::from_secs(1_800));
        assert_eq!(half, dollars(0.018));
        assert_eq!(dollars(0.01).minus(dollars(0.02)), Dollars::default());
        assert_eq!(dollars(0.01).plus(dollars(0.02)), dollars(0.03));
        assert_eq!(dollars(40.0).share_of(dollars(50.0)), 0.8);
    }
}
