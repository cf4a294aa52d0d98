//! What a rehearsal says of a contender: users, money, and SPEC's elasticity metrics.
//!
//! In: each scored step: demand and supply in nodes, requests, what moved.
//! Out: a [`Score`], in the fields of the JSON contract.
//! Never: weighs one against another.
//!
//! Demand is the fewest nodes within the objective, but at least the smallest count, so that a
//! quiet night doesn't look like waste. Accuracies and timeshares are sums over all steps,
//! instability and jitter are taken on a grid of a minute: the largest demand in it, and the
//! supply at its end. Source: Herbst et al., Ready for Rain?, SPEC-RG-2016-01, with accuracies
//! relative to the demand (Bauer et al., Chameleon); jitter: Herbst et al., BUNGEE, 2015.

use serde::Serialize;

use super::STEP_SECONDS;
use super::fleet::Moved;
use crate::domain::Dollars;

/// The score of one contender over the scored time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// The contender.
    pub name: String,
    /// Requests that waited longer than the objective, of all.
    pub violating_requests_ratio: f64,
    /// From each order to the end of the drain, in hours.
    pub node_hours: f64,
    /// Started hours of each node, as Linode bills them.
    pub billed_node_hours: u64,
    /// Node hours against the plan with the fewest.
    pub node_hours_vs_oracle: f64,
    /// Billed hours against the plan with the fewest.
    pub billed_vs_oracle: f64,
    /// Billed hours times the price.
    pub cost_usd: f64,
    /// Mean share of the demand that is missing, in percent: 100/T Σ max(d - s, 0) / d.
    pub accuracy_under: f64,
    /// Mean surplus against the demand, in percent: 100/T Σ max(s - d, 0) / d.
    pub accuracy_over: f64,
    /// Time with too few nodes, in percent.
    pub timeshare_under: f64,
    /// Time with more than needed, in percent.
    pub timeshare_over: f64,
    /// Minutes in which supply and demand don't move the same way, in percent.
    pub instability: f64,
    /// Changes of the supply less those of the demand, an hour: above zero it oscillates.
    pub jitter: f64,
    /// Moments at which nodes were ordered or taken back.
    pub scale_out_events: u64,
    /// Moments at which nodes were cancelled or sent away.
    pub scale_in_events: u64,
    /// Events that go the other way than the one before.
    pub reversals: u64,
    /// Nodes ordered, taken back, cancelled or sent away, a day.
    pub nodes_moved_per_day: f64,
    /// The most nodes that were paid for at once.
    pub peak_nodes: u32,
    /// As `violating_requests_ratio`, of the requests within announced campaigns alone; nothing
    /// where none was announced.
    pub announced_requests_violating_ratio: Option<f64>,
}

/// What the best plans in full knowledge cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Yardstick {
    /// The fewest node hours without a step over the knee.
    pub node_hours: f64,
    /// The fewest billed hours, likewise.
    pub billed_node_hours: u64,
}

/// One scored step.
pub(super) struct Step {
    /// Its beginning, in seconds after the trace's.
    pub now: u64,
    /// Nodes that would do.
    pub demand: u32,
    /// Nodes that serve.
    pub serving: u32,
    /// Nodes that are paid for.
    pub existing: u32,
    /// Nodes that moved.
    pub moved: Moved,
    /// Requests that arrive.
    pub arrived: f64,
    /// Those that wait too long.
    pub violating: f64,
}

/// Sums over the scored steps.
pub(super) struct Tally {
    pub node_seconds: u64,
    pub billed_hours: u64,
    steps: u64,
    requests: Requests,
    announced: Requests,
    announced_times: Vec<(f64, f64)>,
    under: f64,
    over: f64,
    steps_under: u64,
    steps_over: u64,
    grid: Grid,
    events: Events,
    nodes_moved: u64,
    peak_nodes: u32,
}

#[derive(Clone, Copy, Default)]
struct Requests {
    all: f64,
    violating: f64,
}

impl Requests {
    fn add(&mut self, step: &Step) {
        self.all += step.arrived;
        self.violating += step.violating;
    }

    fn ratio(self) -> f64 {
        if self.all > 0.0 { self.violating / self.all } else { 0.0 }
    }
}

impl Tally {
    /// Nothing yet; `announced_times` are sorted and apart.
    pub fn new(announced_times: Vec<(f64, f64)>) -> Self {
        Self {
            node_seconds: 0,
            billed_hours: 0,
            steps: 0,
            requests: Requests::default(),
            announced: Requests::default(),
            announced_times,
            under: 0.0,
            over: 0.0,
            steps_under: 0,
            steps_over: 0,
            grid: Grid::default(),
            events: Events::default(),
            nodes_moved: 0,
            peak_nodes: 0,
        }
    }

    /// Adds a step.
    pub fn add(&mut self, step: &Step) {
        self.steps += 1;
        self.requests.add(step);
        if self.is_announced(step.now) {
            self.announced.add(step);
        }
        self.node_seconds += u64::from(step.existing) * STEP_SECONDS;
        self.peak_nodes = self.peak_nodes.max(step.existing);
        // Where nothing is demanded, one node is what a surplus is measured by.
        let demand = f64::from(step.demand.max(1));
        self.under += f64::from(step.demand.saturating_sub(step.serving)) / demand;
        self.over += f64::from(step.serving.saturating_sub(step.demand)) / demand;
        self.steps_under += u64::from(step.serving < step.demand);
        self.steps_over += u64::from(step.demand < step.serving);
        self.grid.add(step);
        self.events.add(step.moved);
        self.nodes_moved += u64::from(step.moved.launched) + u64::from(step.moved.removed);
    }

    /// Requests that waited too long, and their share of all.
    pub fn late(&self) -> (f64, f64) {
        (self.requests.violating, self.requests.ratio())
    }

    /// The most nodes that were paid for at once.
    pub fn peak_nodes(&self) -> u32 {
        self.peak_nodes
    }

    /// Whether the middle of the step that begins at `now` lies in an announced campaign.
    fn is_announced(&self, now: u64) -> bool {
        let middle = now as f64 + STEP_SECONDS as f64 / 2.0;
        let next = self.announced_times.partition_point(|(_, until)| *until <= middle);
        self.announced_times.get(next).is_some_and(|(from, _)| *from <= middle)
    }
}

impl Score {
    /// What the sums come to.
    pub(super) fn new(name: String, tally: Tally, yardstick: Yardstick, price: Dollars) -> Self {
        let steps = tally.steps.max(1) as f64;
        let hours = steps * STEP_SECONDS as f64 / 3_600.0;
        let node_hours = tally.node_seconds as f64 / 3_600.0;
        let Events { out, in_, reversals, .. } = tally.events;
        Self {
            name,
            violating_requests_ratio: tally.requests.ratio(),
            node_hours,
            billed_node_hours: tally.billed_hours,
            node_hours_vs_oracle: node_hours / yardstick.node_hours,
            billed_vs_oracle: tally.billed_hours as f64 / yardstick.billed_node_hours as f64,
            cost_usd: price.times(tally.billed_hours).get(),
            accuracy_under: 100.0 * tally.under / steps,
            accuracy_over: 100.0 * tally.over / steps,
            timeshare_under: 100.0 * tally.steps_under as f64 / steps,
            timeshare_over: 100.0 * tally.steps_over as f64 / steps,
            instability: tally.grid.instability(),
            jitter: tally.grid.extra_changes() / hours,
            scale_out_events: out,
            scale_in_events: in_,
            reversals,
            nodes_moved_per_day: tally.nodes_moved as f64 * 24.0 / hours,
            peak_nodes: tally.peak_nodes,
            announced_requests_violating_ratio: (!tally.announced_times.is_empty())
                .then(|| tally.announced.ratio()),
        }
    }
}

/// Demand and supply, a minute at a time.
#[derive(Default)]
struct Grid {
    /// Steps of the minute under way, and the largest demand in it.
    steps: u64,
    demand: u32,
    /// Demand and supply of the last whole minute.
    last: Option<(u32, u32)>,
    pairs: u64,
    unlike: u64,
    demand_changes: u64,
    supply_changes: u64,
}

impl Grid {
    fn add(&mut self, step: &Step) {
        self.steps += 1;
        self.demand = self.demand.max(step.demand);
        if self.steps * STEP_SECONDS < 60 {
            return;
        }
        if let Some((demand, supply)) = self.last {
            let wish = self.demand.cmp(&demand);
            let deed = step.serving.cmp(&supply);
            self.pairs += 1;
            self.unlike += u64::from(wish != deed);
            self.demand_changes += u64::from(wish.is_ne());
            self.supply_changes += u64::from(deed.is_ne());
        }
        self.last = Some((self.demand, step.serving));
        (self.steps, self.demand) = (0, 0);
    }

    fn instability(&self) -> f64 {
        100.0 * self.unlike as f64 / self.pairs.max(1) as f64
    }

    fn extra_changes(&self) -> f64 {
        self.supply_changes as f64 - self.demand_changes as f64
    }
}

/// Scale events.
#[derive(Default)]
struct Events {
    out: u64,
    in_: u64,
    reversals: u64,
    was_out: Option<bool>,
}

impl Events {
    fn add(&mut self, moved: Moved) {
        for (count, is_out) in [(moved.launched, true), (moved.removed, false)] {
            if count == 0 {
                continue;
            }
            *(if is_out { &mut self.out } else { &mut self.in_ }) += 1;
            self.reversals += u64::from(self.was_out.is_some_and(|was_out| was_out != is_out));
            self.was_out = Some(is_out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(now: u64, demand: u32, serving: u32) -> Step {
        let moved = Moved::default();
        Step { now, demand, serving, existing: serving, moved, arrived: 100.0, violating: 1.0 }
    }

    fn score(tally: Tally) -> Score {
        let yardstick = Yardstick { node_hours: 0.1, billed_node_hours: 10 };
        Score::new("one".into(), tally, yardstick, Dollars::new(0.036).expect("a price"))
    }

    #[test]
    fn accuracies_are_relative_to_the_demand() {
        let mut tally = Tally::new(vec![]);
        for (place, (demand, serving)) in [(4, 2), (4, 5), (2, 2), (2, 2)].into_iter().enumerate() {
            tally.add(&step(place as u64 * 10, demand, serving));
        }
        tally.billed_hours = 20;
        let score = score(tally);
        assert_eq!((score.accuracy_under, score.accuracy_over), (12.5, 6.25));
        assert_eq!((score.timeshare_under, score.timeshare_over), (25.0, 25.0));
        assert_eq!((score.violating_requests_ratio, score.peak_nodes), (0.01, 5));
        assert!((score.node_hours - 110.0 / 3_600.0).abs() < 1e-12);
        assert_eq!((score.billed_vs_oracle, score.cost_usd), (2.0, 0.72));
        assert_eq!(score.announced_requests_violating_ratio, None);
    }

    #[test]
    fn instability_and_jitter_see_one_demand_and_one_supply_a_minute() {
        let mut tally = Tally::new(vec![]);
        // Minutes of (largest demand, last supply): (3, 2), (3, 3), (4, 4), (4, 4).
        let minutes = [([1, 3, 1, 1, 1, 1], 2), ([3; 6], 3), ([4; 6], 4), ([4; 6], 4)];
        for (minute, (demands, supply)) in minutes.into_iter().enumerate() {
            for (place, demand) in demands.into_iter().enumerate() {
                let serving = if place == 5 { supply } else { 9 };
                tally.add(&step((minute * 60 + place * 10) as u64, demand, serving));
            }
        }
        let score = score(tally);
        assert!((score.instability - 100.0 / 3.0).abs() < 1e-9, "{}", score.instability);
        assert!((score.jitter - 15.0).abs() < 1e-9, "one change more in four minutes");
    }

    #[test]
    fn a_reversal_goes_the_other_way_than_the_event_before() {
        let mut events = Events::default();
        for (launched, removed) in [(2, 0), (1, 0), (0, 0), (0, 1), (0, 1), (3, 0)] {
            events.add(Moved { launched, removed });
        }
        assert_eq!((events.out, events.in_, events.reversals), (3, 2, 2));
    }

    #[test]
    fn announced_requests_are_counted_apart() {
        let mut tally = Tally::new(vec![(10.0, 30.0), (100.0, 110.0)]);
        for now in (0..120).step_by(10) {
            let violating = if now == 20 { 50.0 } else { 0.0 };
            tally.add(&Step { violating, ..step(now, 1, 1) });
        }
        let ratio = score(tally).announced_requests_violating_ratio.expect("campaigns");
        assert!((ratio - 50.0 / 300.0).abs() < 1e-12);
    }
}
