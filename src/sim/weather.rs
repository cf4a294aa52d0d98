//! What goes wrong by itself as minutes pass.

use super::cloud::CloudMood;
use super::metrics::MetricsMood;
use super::model::Model;
use super::queueing::Carried;
use crate::domain::{InstanceId, Timestamp, after, elapsed};

impl Model {
    /// Throws for each minute that began since `before`.
    pub(super) fn weather(&mut self, before: Timestamp) {
        if self.metrics_until.is_some_and(|until| until <= self.now) {
            (self.metrics, self.metrics_until) = (MetricsMood::Well, None);
            self.tell("metrics are well again".into());
        }
        if self.cloud_until.is_some_and(|until| until <= self.now) {
            (self.cloud_mood, self.cloud_until) = (CloudMood::Well, None);
            self.tell("the cloud is well again".into());
        }
        let minute = |at: Timestamp| elapsed(self.began, at).as_secs() / 60;
        for minute in minute(before) + 1..=minute(self.now) {
            self.one_minute(&minute.to_string());
        }
    }

    fn one_minute(&mut self, minute: &str) {
        if self.happens(self.faults.metrics_bad, "metrics", minute) {
            self.spoil_metrics(minute);
        }
        if self.happens(self.faults.cloud_down, "cloud", minute) {
            let storm = self.happens(0.5, "cloud mood", minute);
            self.cloud_mood =
                if storm { CloudMood::TooManyRequests } else { CloudMood::ServerErrors };
            self.cloud_until = Some(self.in_minutes("cloud", minute));
            self.tell(format!("the cloud answers {:?} only", self.cloud_mood));
        }
        if self.happens(self.faults.vanishes, "vanishes", minute) {
            self.vanish_one();
        }
        if self.happens(self.faults.breaks, "breaks", minute) {
            self.break_one();
        }
        for index in 0..self.balancers.len() {
            let thing = format!("{index} {minute}");
            if self.happens(self.faults.balancer_restarts, "restart", &thing) {
                self.restart_balancer(index);
            }
            if self.happens(self.faults.balancer_cut_off, "cut off", &thing) {
                let until = self.in_minutes("cut off", &thing);
                self.balancers[index].cut_off_until = Some(until);
                let name = self.balancers[index].name.clone();
                self.tell(format!("{name} reaches no node until {until}"));
            }
            if self.happens(self.faults.balancer_down, "down", &thing) {
                let until = self.in_minutes("down", &thing);
                self.balancers[index].unreachable_until = Some(until);
                let name = self.balancers[index].name.clone();
                self.tell(format!("{name} answers nobody until {until}"));
            }
        }
    }

    fn in_minutes(&mut self, purpose: &str, thing: &str) -> Timestamp {
        let length = self.length(&format!("{purpose} lasts"), thing, 60, 600);
        after(self.now, length)
    }

    fn spoil_metrics(&mut self, minute: &str) {
        let moods = [
            MetricsMood::Empty,
            MetricsMood::Stuck(self.now),
            MetricsMood::NotANumber,
            MetricsMood::Failing,
            MetricsMood::Partial,
        ];
        let which = self.length("metrics mood", minute, 0, 5).as_secs() as usize;
        self.metrics = moods[which.min(moods.len() - 1)];
        self.metrics_until = Some(self.in_minutes("metrics", minute));
        self.tell(format!("metrics are {:?}", self.metrics));
    }

    /// The oldest running instance is gone, as if somebody had deleted it.
    pub(super) fn vanish_one(&mut self) {
        let now = self.now;
        let running = self.instances.values().filter(|one| one.is_ours() && one.runs(now));
        let oldest: Option<(Timestamp, InstanceId)> =
            running.map(|one| (one.created_at, one.id)).min();
        let Some((_, id)) = oldest else { return };
        let instance = self.instances.get_mut(&id).expect("it was found above");
        instance.gone_at = Some(now);
        let label = instance.label.clone();
        self.configured.remove(&label);
        self.tell(format!("{label} vanishes"));
    }

    /// The application of the oldest running instance that is well breaks.
    fn break_one(&mut self) {
        let now = self.now;
        let running = self.instances.values().filter(|one| one.is_ours() && one.runs(now));
        let well = running.filter(|one| !self.broken.contains(&one.label));
        let oldest = well.min_by_key(|one| (one.created_at, one.id));
        let Some(label) = oldest.map(|one| one.label.clone()) else { return };
        self.tell(format!("the application of {label} breaks"));
        self.broken.insert(label);
    }

    pub(super) fn restart_balancer(&mut self, index: usize) {
        let now = self.now;
        let balancer = &mut self.balancers[index];
        balancer.servers.clear();
        balancer.started_at = now;
        balancer.carried = Carried::nothing(now);
        let name = balancer.name.clone();
        self.tell(format!("{name} restarts and has no servers"));
    }
}
