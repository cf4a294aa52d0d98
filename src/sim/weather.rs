//! What goes wrong by itself as minutes pass.

use super::cloud::CloudMood;
use super::metrics::MetricsMood;
use super::model::Model;
use super::queueing::Carried;
use super::servers::Mode;
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
        self.spoil_cloud(minute);
        if self.strikes("clock_jumps", self.faults.clock_jumps, "clock", minute) {
            self.jump_clock(minute);
        }
        if self.strikes("vanishes", self.faults.vanishes, "vanishes", minute) {
            self.vanish_one();
        }
        if self.strikes("breaks", self.faults.breaks, "breaks", minute) {
            self.break_one();
        }
        if self.strikes("notifier_down", self.faults.notifier_down, "board down", minute) {
            let until = self.in_minutes("board", minute);
            self.board_down_until = Some(until);
            self.tell(format!("the board of annotations answers nobody until {until}"));
        }
        for index in 0..self.balancers.len() {
            let thing = format!("{index} {minute}");
            if self.strikes("balancer_restarts", self.faults.balancer_restarts, "restart", &thing) {
                self.restart_balancer(index);
            }
            let rate = self.faults.balancer_reloads;
            if self.strikes("balancer_reloads", rate, "reload", &thing) {
                self.reload_balancer(index, &thing);
            }
            let rate = self.faults.balancer_cut_off;
            if self.strikes("balancer_cut_off", rate, "cut off", &thing) {
                let until = self.in_minutes("cut off", &thing);
                self.balancers[index].cut_off_until = Some(until);
                let name = self.balancers[index].name.clone();
                self.tell(format!("{name} reaches no node until {until}"));
            }
            if self.strikes("balancer_down", self.faults.balancer_down, "down", &thing) {
                let until = self.in_minutes("down", &thing);
                self.balancers[index].unreachable_until = Some(until);
                let name = self.balancers[index].name.clone();
                self.tell(format!("{name} answers nobody until {until}"));
            }
        }
    }

    /// The cloud goes bad for some minutes, one way or another.
    fn spoil_cloud(&mut self, minute: &str) {
        let storm = self.happens(0.5, "cloud mood", minute);
        let (kind, down) = match storm {
            true => ("cloud_too_many_requests", CloudMood::TooManyRequests),
            false => ("cloud_server_errors", CloudMood::ServerErrors),
        };
        let faults = self.faults;
        for (kind, rate, mood) in [
            (kind, faults.cloud_down, down),
            ("sold_out_long", faults.sold_out_long, CloudMood::SoldOut),
            ("nothing_boots", faults.nothing_boots, CloudMood::NothingBoots),
            ("lists_half", faults.lists_half, CloudMood::ListsHalf),
        ] {
            if self.strikes(kind, rate, &format!("the cloud is {mood:?}"), minute) {
                self.cloud_mood = mood;
                self.cloud_until = Some(self.in_minutes("cloud", minute));
                self.tell(format!("the cloud is {mood:?}"));
            }
        }
    }

    /// The daemon's clock is an hour ahead or behind from now on, or a little, or right again.
    fn jump_clock(&mut self, minute: &str) {
        const OFF_SECONDS: [i64; 5] = [3_600, -3_600, 90, -90, 0];
        let most = OFF_SECONDS.len() - 1;
        let which = self.length("clock is off", minute, 0, OFF_SECONDS.len() as u64).as_secs();
        let seconds = OFF_SECONDS[(which as usize).min(most)];
        self.clock_is_off = seconds * 1_000;
        self.tell(format!("the daemon's clock is off by {seconds} s"));
    }

    fn in_minutes(&mut self, purpose: &str, thing: &str) -> Timestamp {
        let length = self.length(&format!("{purpose} lasts"), thing, 60, 600);
        after(self.now, length)
    }

    fn spoil_metrics(&mut self, minute: &str) {
        let moods = [
            ("metrics_empty", MetricsMood::Empty),
            ("metrics_stale", MetricsMood::Stuck(self.now)),
            ("metrics_not_a_number", MetricsMood::NotANumber),
            ("metrics_failing", MetricsMood::Failing),
            ("metrics_partial", MetricsMood::Partial),
        ];
        let which = self.length("metrics mood", minute, 0, 5).as_secs() as usize;
        let (kind, mood) = moods[which.min(moods.len() - 1)];
        self.metrics = mood;
        self.count_fault(kind);
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
        (instance.gone_at, instance.vanished) = (Some(now), true);
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
        balancer.servers.retain(|server| !server.is_ours);
        balancer.old_workers_until = None;
        balancer.started_at = now;
        balancer.carried = Carried::nothing(now);
        let name = balancer.name.clone();
        self.tell(format!("{name} restarts and has no servers"));
    }

    /// A balancer reads its files again: slots come back from its state file, dynamic servers don't.
    fn reload_balancer(&mut self, index: usize, thing: &str) {
        let lasts = self.length("old worker", thing, 10, 120);
        let now = self.now;
        let balancer = &mut self.balancers[index];
        balancer.servers.retain(|server| !server.is_ours || balancer.mode == Mode::Slots);
        balancer.started_at = now;
        balancer.carried = Carried::nothing(now);
        balancer.old_workers_until = Some(after(now, lasts));
        let name = balancer.name.clone();
        self.tell(format!("{name} reloads"));
    }
}
