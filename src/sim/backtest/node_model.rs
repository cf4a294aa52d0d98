//! What a node makes of the requests that it gets.
//!
//! In: demand, the nodes that serve, and what is queued.
//! Out: which requests wait longer than the objective, what stays queued, how long it all takes.
//! Never: knows why a count is what it is.
//!
//! A node is `workers` servers of `worker_rate` requests per second each, with random arrivals
//! and service times (M/M/c, Erlang C). What exceeds the capacity is queued, first in, first out,
//! and clients give up after [`PATIENCE_SECONDS`]. The arithmetic is the reference experiment's.

use super::STEP_SECONDS;
use super::past::Served;

/// The utilisation that we call fully used: with 8 workers of 20 requests per second, 0.015 % wait
/// over 250 ms here, 1.3 % at 0.9, and 11 % at 0.95. Demand in nodes is reckoned at it, so
/// results can only be compared while it stays as it is.
pub const KNEE: f64 = 0.8;

/// How long a client waits. Half of it would forgive an overload sooner than people do, double would
/// keep the queue of a cliff that nobody waits in any more.
pub const PATIENCE_SECONDS: f64 = 10.0;

/// Places of the tables over utilisation.
const PLACES: usize = 1_000;

/// One node's abilities, and what its users are promised.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeModel {
    workers: u32,
    worker_rate: f64,
    objective: f64,
    /// The share of requests that wait longer than the objective, by utilisation.
    violating: Vec<f64>,
}

impl NodeModel {
    /// A node of `workers`, each with `worker_rate` requests per second; a request may wait
    /// `objective` seconds before it is served. All above zero.
    pub fn new(workers: u32, worker_rate: f64, objective: f64) -> Self {
        let capacity = f64::from(workers) * worker_rate;
        let share = |place: usize| {
            let utilisation = place as f64 / PLACES as f64;
            let tail = (-capacity * (1.0 - utilisation) * objective).exp();
            (waiting_probability(workers, utilisation) * tail).min(1.0)
        };
        let violating = (0..=PLACES).map(share).collect();
        Self { workers, worker_rate, objective, violating }
    }

    /// Servers within a node.
    pub fn workers(&self) -> u32 {
        self.workers
    }

    /// Requests per second that one worker carries.
    pub fn worker_rate(&self) -> f64 {
        self.worker_rate
    }

    /// Seconds that a request may wait before it is served.
    pub fn objective(&self) -> f64 {
        self.objective
    }

    /// Requests per second that one node can carry at most.
    pub fn capacity(&self) -> f64 {
        f64::from(self.workers) * self.worker_rate
    }

    /// Requests per second that one node carries within the objective: at the [`KNEE`].
    pub fn knee_rate(&self) -> f64 {
        self.capacity() * KNEE
    }

    /// The fewest nodes that carry `rate` within the objective, but at least `min`.
    pub fn demand(&self, rate: f64, min: u32) -> u32 {
        whole_nodes(rate / self.knee_rate()).max(min)
    }

    /// The share of requests that wait longer than the objective at this utilisation, without a
    /// queue from before.
    pub fn violating_share(&self, utilisation: f64) -> f64 {
        self.violating[((utilisation * PLACES as f64) as usize).min(PLACES - 1)]
    }

    /// How many requests wait on average at a utilisation below 1, where all that come to `nodes`
    /// wait in one line: the mean of an M/M/c queue, `C × utilisation / (1 - utilisation)`. So
    /// close to 1 that it would take longer than anyone waits to come about, it is held.
    pub fn waiting(&self, nodes: u32, utilisation: f64) -> f64 {
        let utilisation = utilisation.min(1.0 - 1.0 / PLACES as f64);
        let waits = waiting_probability(nodes.saturating_mul(self.workers), utilisation);
        waits * utilisation / (1.0 - utilisation)
    }

    /// One step: `rate` requests per second arrive, `queued` requests wait from before, `nodes`
    /// serve.
    pub fn serve(&self, nodes: u32, rate: f64, queued: f64) -> Outcome {
        let step = STEP_SECONDS as f64;
        let (arrived, per_second) = (rate * step, f64::from(nodes) * self.capacity());
        let (work, capacity) = (queued + arrived, per_second * step);
        if work < capacity {
            let utilisation = work / capacity;
            let violating = arrived * self.violating_share(utilisation);
            let served = Served { requests: arrived, utilisation, waits: (0.0, 0.0), nodes };
            return Outcome { arrived, violating, queued: 0.0, served };
        }
        if nodes == 0 {
            let served =
                Served { requests: arrived, utilisation: 1.0, waits: (f64::MAX, f64::MAX), nodes };
            return Outcome { arrived, violating: arrived, queued: 0.0, served };
        }
        let left = work - capacity;
        let (first, last) = (queued / per_second, left / per_second);
        let violating = arrived * self.late_share(first, last);
        let queued = left.min(per_second * PATIENCE_SECONDS);
        let waits = (first.min(PATIENCE_SECONDS), last.min(PATIENCE_SECONDS));
        let served = Served { requests: arrived, utilisation: 1.0, waits, nodes };
        Outcome { arrived, violating, queued, served }
    }

    /// The share of a step's requests that wait too long, when the wait goes from `first` to
    /// `last` seconds in it. Nodes at their limit make some wait too long in any case.
    fn late_share(&self, first: f64, last: f64) -> f64 {
        let floor = self.violating[PLACES - 1];
        if self.objective <= first {
            return 1.0;
        }
        let late = match self.objective < last {
            true => 1.0 - (self.objective - first) / (last - first).max(1e-9),
            false => floor,
        };
        late.max(floor).min(1.0)
    }

    /// Seconds from arrival to answer that a share `quantile` of the requests stays below, by
    /// utilisation: the distribution of an M/M/c queue's sojourn, found by halving.
    pub fn response_times(&self, quantile: f64) -> Vec<f64> {
        let slowest = |place: usize| {
            let utilisation = (place as f64 / PLACES as f64).min(1.0 - 1.0 / PLACES as f64);
            let (mut low, mut high) = (0.0, 1.0 / self.worker_rate);
            while 1.0 - quantile < self.slower_than(high, utilisation) {
                high *= 2.0;
            }
            for _ in 0..50 {
                let middle = f64::midpoint(low, high);
                match self.slower_than(middle, utilisation) {
                    share if 1.0 - quantile < share => low = middle,
                    _ => high = middle,
                }
            }
            high
        };
        (0..=PLACES).map(slowest).collect()
    }

    /// The share of requests that take longer than `seconds` from arrival to answer.
    fn slower_than(&self, seconds: f64, utilisation: f64) -> f64 {
        let waiting = waiting_probability(self.workers, utilisation);
        let service = self.worker_rate;
        // What is left of the capacity empties the queue; a hair apart from the service rate,
        // where the formula has a hole.
        let mut spare = self.capacity() * (1.0 - utilisation);
        if (spare - service).abs() < 1e-6 * service {
            spare += 1e-5 * service;
        }
        let (served, emptied) = ((-service * seconds).exp(), (-spare * seconds).exp());
        let both = (spare * served - service * emptied) / (spare - service);
        (1.0 - waiting) * served + waiting * both
    }
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Requests that arrived.
    pub arrived: f64,
    /// Those of them that wait longer than the objective.
    pub violating: f64,
    /// Requests that still wait at the end.
    pub queued: f64,
    /// What an observer could have measured.
    pub served: Served,
}

/// The smallest whole count that is not below `exact`, up to the noise of fractions.
pub(super) fn whole_nodes(exact: f64) -> u32 {
    // `as` holds at the ends of the range.
    (exact - 1e-9).ceil() as u32
}

/// The probability that a request must wait at all: Erlang's C formula for `servers` at a
/// utilisation below 1, through the recursion of his B formula.
fn waiting_probability(servers: u32, utilisation: f64) -> f64 {
    if utilisation <= 0.0 {
        return 0.0;
    }
    if 1.0 <= utilisation {
        return 1.0;
    }
    let load = f64::from(servers) * utilisation;
    let lost = (1..=servers).fold(1.0, |lost, k| load * lost / (f64::from(k) + load * lost));
    lost / (1.0 - utilisation * (1.0 - lost))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: M/M/1 has ρ²/(1-ρ) in its queue, M/M/2 at ρ = 0.75 has 27/14.
    #[test]
    fn so_many_wait_as_the_tables_say() {
        let one = NodeModel::new(1, 20.0, 0.25);
        assert!((one.waiting(1, 0.8) - 0.64 / 0.2).abs() < 1e-9);
        assert!((one.waiting(2, 0.75) - 27.0 / 14.0).abs() < 1e-9, "{}", one.waiting(2, 0.75));
        assert_eq!(one.waiting(0, 0.0), 0.0);
    }

    fn model() -> NodeModel {
        NodeModel::new(8, 20.0, 0.25)
    }

    #[test]
    fn erlang_c_gives_the_values_of_its_tables() {
        // One server waits with its utilisation; two at 0.75: 9/14. Ten at 0.8 (8 erlangs) is a
        // classical table entry.
        for (servers, utilisation, waits) in [
            (1, 0.5, 0.5),
            (1, 0.9, 0.9),
            (2, 0.75, 9.0 / 14.0),
            (10, 0.8, 0.409_18),
            (8, 0.0, 0.0),
            (8, 1.0, 1.0),
        ] {
            let own = waiting_probability(servers, utilisation);
            assert!((own - waits).abs() < 1e-5, "{servers} at {utilisation}: {own}");
        }
    }

    #[test]
    fn the_knee_is_where_the_reference_experiment_has_it() {
        let model = model();
        // Computed by elasticity_lab.py: PV[800], PV[900], PV[950], PV[999].
        for (utilisation, share) in [
            (0.8, 0.000_153_522_769_335),
            (0.9, 0.012_849_024_916_053),
            (0.95, 0.114_245_800_723_025),
            (0.999, 0.957_674_091_795_733),
        ] {
            let own = model.violating_share(utilisation + 1e-9);
            assert!((own / share - 1.0).abs() < 1e-6, "at {utilisation}: {own}, not {share}");
        }
        assert_eq!(
            (model.demand(128.0, 0), model.demand(128.1, 0), model.demand(0.0, 2)),
            (1, 2, 2)
        );
    }

    #[test]
    fn an_overload_hurts_until_its_queue_is_empty() {
        let model = model();
        // 10 nodes carry 1600 a second; 2000 arrive for a step: 4000 stay queued, 2.5 s of work.
        let first = model.serve(10, 2_000.0, 0.0);
        assert_eq!((first.arrived, first.queued), (20_000.0, 4_000.0));
        // The wait grows from 0 to 2.5 s, which leaves a tenth in time; at their limit, nodes
        // leave fewer than that.
        assert!((first.violating / first.arrived - 0.957_674).abs() < 1e-6);
        // The wait grows to 10 s: a fortieth is in time.
        let much = model.serve(10, 3_200.0, 0.0);
        assert!((much.violating / much.arrived - 0.975).abs() < 1e-9);
        // Then 1500 a second: all of them queue behind the 4000, of which 3000 stay.
        let second = model.serve(10, 1_500.0, first.queued);
        assert_eq!((second.violating, second.queued), (15_000.0, 3_000.0));
        // Clients give up after ten seconds.
        assert_eq!(model.serve(10, 1e6, 0.0).queued, 16_000.0);
        let nobody = model.serve(0, 10.0, 0.0);
        assert_eq!((nobody.violating, nobody.queued), (100.0, 0.0));
        assert_eq!(model.serve(0, 0.0, 0.0).violating, 0.0);
    }

    #[test]
    fn response_times_start_at_the_service_and_grow_with_use() {
        // One worker: the sojourn is exponential with the spare rate.
        let single = NodeModel::new(1, 20.0, 0.25).response_times(0.95);
        for (place, spare) in [(0, 20.0), (500, 10.0), (900, 2.0)] {
            let exact = -(0.05f64.ln()) / spare;
            assert!((single[place] / exact - 1.0).abs() < 1e-4, "{} {exact}", single[place]);
        }
        let times = model().response_times(0.95);
        assert!(times.is_sorted());
        assert!((times[0] - 0.1498).abs() < 1e-3, "ln 20 / 20: {}", times[0]);
    }
}
