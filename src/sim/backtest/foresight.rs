//! The forecasters of a policy's rules.
//!
//! In: what the rules' signals say, look by look.
//! Out: what each of them expects.
//! Never: knows what was before the trace; looks ahead.

use std::collections::BTreeMap;

use super::query::window;
use super::settings::Settings;
use crate::domain::{Duration, Reading, SignalName, Timestamp};
use crate::engine::{Foreseen, RuleKey};
use crate::forecast::Forecaster;
use crate::policy::{Policy, Rule};

/// One forecaster for each `forecast` rule.
pub(super) struct Foresight {
    forecasters: Vec<(String, SignalName, Forecaster)>,
}

impl Foresight {
    /// Forecasters that know nothing yet. Where a policy has its lead learned, what nine in
    /// ten boots take is what its pool would have shown.
    pub fn of(policy: &Policy, settings: &Settings) -> Self {
        let seconds = Duration::from_secs;
        let rules = policy.rules.iter().zip(RuleKey::of_all(&policy.rules));
        let forecasters = rules.filter_map(|(rule, key)| match rule {
            Rule::Forecast(rule) => {
                let window = policy.signals.get(&rule.signal).map_or(60, window);
                let lead = seconds(settings.boot.upper());
                let settings = rule.forecasting(lead, seconds(window));
                Some((key.to_string(), rule.signal.clone(), Forecaster::new(settings)))
            }
            _ => None,
        });
        Self { forecasters: forecasters.collect() }
    }

    /// Takes in what the signals say, and puts what is expected at `at` into `forecasts`.
    pub fn look(
        &mut self,
        at: Timestamp,
        readings: &BTreeMap<SignalName, Reading>,
        forecasts: &mut BTreeMap<String, Foreseen>,
    ) {
        for (key, signal, forecaster) in &mut self.forecasters {
            if let Some(sample) = readings.get(signal).and_then(Reading::sample) {
                forecaster.observe(sample.at, sample.value);
            }
            let foreseen = Foreseen::from(&forecaster.forecast(at));
            match forecasts.get_mut(key) {
                Some(known) => *known = foreseen,
                None => drop(forecasts.insert(key.clone(), foreseen)),
            }
        }
    }
}
