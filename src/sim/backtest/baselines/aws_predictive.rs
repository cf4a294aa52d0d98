//! Amazon EC2 Auto Scaling's predictive scaling, with target tracking beside it.
//!
//! Source: the documentation of predictive scaling; its forecast is not published, so it is the
//! mean of the same hour on earlier days here.
//! Defaults: target 70 %; up to 14 days of history, at least 24 h; refreshed every 6 h; capacity is
//! raised 300 s before the hour (`SchedulingBufferTime`). It never takes nodes away.

use std::collections::VecDeque;

use super::super::contender::{Contender, View};
use super::super::node_model::whole_nodes;
use super::aws_target_tracking::AwsTargetTracking;
use crate::domain::NodeCount;

const HOUR: u64 = 3_600;
const BUFFER: u64 = 300;
const DAYS: u64 = 14;
const REFRESH_HOURS: u64 = 6;

pub(super) struct AwsPredictive {
    tracking: AwsTargetTracking,
    utilisation: f64,
    /// The mean rate of each complete hour, the newest last.
    hours: VecDeque<f64>,
    /// How many hours are complete.
    complete: u64,
}

impl AwsPredictive {
    pub fn new(utilisation: f64) -> Self {
        let tracking = AwsTargetTracking::new(utilisation);
        Self { tracking, utilisation, hours: VecDeque::new(), complete: 0 }
    }

    fn remember(&mut self, view: &View<'_>) {
        if view.now / HOUR <= self.complete {
            return;
        }
        self.complete = view.now / HOUR;
        self.hours.push_back(view.past.rate(HOUR, view.settings.lag));
        // One day more than is looked back: the newest hours are not yet part of a forecast.
        if (DAYS + 1) * 24 < self.hours.len() as u64 {
            self.hours.pop_front();
        }
    }

    /// The mean rate that is expected in the hour numbered `hour`.
    fn forecast(&self, hour: u64) -> Option<f64> {
        let known_at_forecast = hour / REFRESH_HOURS * REFRESH_HOURS;
        let oldest = self.complete - self.hours.len() as u64;
        let same_hours = (1..=DAYS).filter_map(|days| {
            let past = hour.checked_sub(24 * days).filter(|past| *past < known_at_forecast)?;
            self.hours.get(past.checked_sub(oldest)? as usize)
        });
        let rates: Vec<f64> = same_hours.copied().collect();
        (!rates.is_empty()).then(|| rates.iter().sum::<f64>() / rates.len() as f64)
    }
}

impl Contender for AwsPredictive {
    fn period(&self) -> u64 {
        60
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        self.remember(view);
        let tracked = self.tracking.want(view);
        let capacity = self.utilisation * view.settings.node.capacity();
        let forecast = self.forecast((view.now + BUFFER) / HOUR);
        tracked
            .max(forecast.map_or(NodeCount::ZERO, |rate| NodeCount(whole_nodes(rate / capacity))))
    }
}
