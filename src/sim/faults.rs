//! How often each thing goes wrong.

use super::chance::roll;

/// Rates from zero (never) to one (always), each for one call, node or minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// A call to the cloud answers 429 or 5xx and does nothing.
    pub cloud_error: f64,
    /// A call to the cloud does what it was asked, and its answer gets lost.
    pub answer_lost: f64,
    /// A call to the cloud gets lost on its way there.
    pub call_lost: f64,
    /// A create call finds the plan sold out.
    pub sold_out: f64,
    /// A create call is refused for good.
    pub refused: f64,
    /// An instance never comes to run.
    pub never_boots: f64,
    /// An instance takes up to fifteen minutes to run.
    pub slow_boot: f64,
    /// An instance comes up offline and must be started.
    pub comes_up_offline: f64,
    /// A new instance is missing from listings for up to fifty seconds.
    pub listing_lags: f64,
    /// The playbook fails on a host, or does not get through to it.
    pub playbook_fails: f64,
    /// A playbook run is cut off without a word.
    pub run_lost: f64,
    /// A call to start or ask about a run fails.
    pub configurator_error: f64,
    /// The application never answers checks though the playbook succeeded.
    pub never_healthy: f64,
    /// A call to a balancer fails.
    pub balancer_error: f64,
    /// A node's requests take longer to end than the drain may last.
    pub sticky_sessions: f64,
    /// Each minute: one instance vanishes.
    pub vanishes: f64,
    /// Each minute: the application of one instance breaks, and fails its checks from then on.
    pub breaks: f64,
    /// Each minute and balancer: its checks reach no node for some minutes.
    pub balancer_cut_off: f64,
    /// Each minute and balancer: it restarts and forgets every server.
    pub balancer_restarts: f64,
    /// Each minute and balancer: it reloads. Slots stay, dynamic servers are forgotten, and an
    /// old worker goes on for up to two minutes.
    pub balancer_reloads: f64,
    /// Each minute and balancer: it does not answer for some minutes, and keeps its servers.
    pub balancer_down: f64,
    /// Each minute: metrics go empty, stale, NaN, partial or unreachable for some minutes.
    pub metrics_bad: f64,
    /// Each minute: the cloud answers nothing but errors for some minutes.
    pub cloud_down: f64,
    /// Each minute: the plan is sold out for some minutes.
    pub sold_out_long: f64,
    /// Each minute: nothing that is created comes to run, for some minutes.
    pub nothing_boots: f64,
    /// Each minute: listings lack every other instance for some minutes.
    pub lists_half: f64,
    /// At each call that changes something: the daemon dies before it or after it.
    pub crash_at_call: f64,
    /// Between each written state and its act: the daemon dies.
    pub crash_after_write: f64,
    /// In each look: the daemon is killed between two of its awaits, whichever.
    pub crash_between_awaits: f64,
    /// A call to the board of annotations fails.
    pub notifier_error: f64,
    /// A call to the board of annotations does what it was asked, and its answer gets lost.
    pub notifier_answer_lost: f64,
    /// Each minute: the board of annotations answers nobody for some minutes.
    pub notifier_down: f64,
    /// Each minute: the daemon's clock jumps up to an hour forward or back, or is set right.
    pub clock_jumps: f64,
}

/// Every kind that is counted as it strikes: what each rate throws for, but that bad metrics and
/// a cloud that is down have several.
pub const KINDS: [&str; 38] = [
    "cloud_error",
    "answer_lost",
    "call_lost",
    "sold_out",
    "refused",
    "never_boots",
    "slow_boot",
    "comes_up_offline",
    "listing_lags",
    "playbook_fails",
    "run_lost",
    "configurator_error",
    "never_healthy",
    "balancer_error",
    "sticky_sessions",
    "vanishes",
    "balancer_restarts",
    "balancer_reloads",
    "balancer_down",
    "balancer_cut_off",
    "breaks",
    "metrics_empty",
    "metrics_stale",
    "metrics_not_a_number",
    "metrics_failing",
    "metrics_partial",
    "cloud_too_many_requests",
    "cloud_server_errors",
    "sold_out_long",
    "nothing_boots",
    "lists_half",
    "notifier_error",
    "notifier_answer_lost",
    "notifier_down",
    "crash_at_call",
    "crash_after_write",
    "crash_between_awaits",
    "clock_jumps",
];

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// Everything goes wrong, often enough that an hour sees most of it.
    pub fn all() -> Self {
        Self {
            cloud_error: 0.05,
            answer_lost: 0.2,
            call_lost: 0.05,
            sold_out: 0.03,
            refused: 0.1,
            never_boots: 0.05,
            slow_boot: 0.05,
            comes_up_offline: 0.05,
            listing_lags: 0.5,
            playbook_fails: 0.08,
            run_lost: 0.03,
            configurator_error: 0.05,
            never_healthy: 0.05,
            balancer_error: 0.03,
            sticky_sessions: 0.1,
            vanishes: 0.02,
            breaks: 0.03,
            balancer_cut_off: 0.01,
            balancer_restarts: 0.02,
            balancer_reloads: 0.02,
            balancer_down: 0.01,
            metrics_bad: 0.02,
            cloud_down: 0.01,
            sold_out_long: 0.005,
            nothing_boots: 0.005,
            lists_half: 0.01,
            notifier_error: 0.1,
            notifier_answer_lost: 0.2,
            notifier_down: 0.03,
            crash_at_call: 0.02,
            crash_after_write: 0.03,
            crash_between_awaits: 0.01,
            clock_jumps: 0.01,
        }
    }

    /// What goes wrong in the life of one seed: everything in every other one, else each kind with
    /// even odds, as one fault can hide what another would show. Source: Groce and others, "Swarm
    /// testing", ISSTA 2012.
    pub fn of(seed: u64) -> Self {
        let mut faults = Self::all();
        if seed % 2 == 1 {
            for (kind, rate) in faults.rates() {
                if roll(seed, &format!("leave out {kind}")) < 0.5 {
                    *rate = 0.0;
                }
            }
        }
        faults
    }

    fn rates(&mut self) -> [(&'static str, &mut f64); 33] {
        macro_rules! rates {
            ($($kind:ident),* $(,)?) => { [$((stringify!($kind), &mut self.$kind)),*] };
        }
        rates![
            cloud_error,
            answer_lost,
            call_lost,
            sold_out,
            refused,
            never_boots,
            slow_boot,
            comes_up_offline,
            listing_lags,
            playbook_fails,
            run_lost,
            configurator_error,
            never_healthy,
            balancer_error,
            sticky_sessions,
            vanishes,
            balancer_restarts,
            balancer_reloads,
            balancer_down,
            balancer_cut_off,
            breaks,
            metrics_bad,
            cloud_down,
            sold_out_long,
            nothing_boots,
            lists_half,
            notifier_error,
            notifier_answer_lost,
            notifier_down,
            crash_at_call,
            crash_after_write,
            crash_between_awaits,
            clock_jumps,
        ]
    }
}
