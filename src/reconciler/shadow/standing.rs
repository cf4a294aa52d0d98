//! Where a candidate stands: all that its next decision starts from, kept with each.
//!
//! In: ticks of the live policy, decisions of the candidate.
//! Out: the spans to be written, and what the two would-be fleets came to in them.
//! Never: asks anybody.

use serde::{Deserialize, Serialize};

use super::candidate::{Candidate, LiveTick};
use super::is_old;
use crate::domain::{
    Dollars, Duration, FleetCounts, Node, SignalName, Timestamp, calendar_month, elapsed,
};
use crate::engine::{Costs, Decision, History};
use crate::planner::{NodePaces, Paid, WouldBeFleet, WouldBeRules};
use crate::policy::Policy;
use crate::reconciler::spending::hours_since;
use crate::store::{ShadowSpan, ShadowTally};

/// A span is no longer: what is older than its time is forgotten span by span.
const LONGEST_SPAN: Duration = Duration::from_secs(3_600);
/// After a longer time without a tick nobody knows what the load asked for in between.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// Where a candidate stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Standing {
    pub since: Timestamp,
    history: History,
    live: WouldBeFleet,
    candidate: WouldBeFleet,
    paces: NodePaces,
    paces_at: Timestamp,
    /// None before the first decision.
    span: Option<ShadowSpan>,
    month: Timestamp,
    /// Hours that began in that month, in the candidate's fleet.
    hours_of_month: u64,
    pub live_price: Option<Dollars>,
    pub price: Option<Dollars>,
    pub rests_on_real_nodes: Vec<SignalName>,
}

/// What is to be written of one decision.
pub(super) struct Spans {
    pub goes_on: Option<ShadowSpan>,
    pub begins: Option<ShadowSpan>,
}

impl Standing {
    /// Where the live policy stood when it made this tick's decision; `nodes` are all of the pool
    /// that ended this month or live.
    pub fn begin(candidate: &Candidate, tick: &LiveTick, paces: NodePaces, nodes: &[Node]) -> Self {
        let now = tick.observation.at;
        let fleet = WouldBeFleet::of(&tick.nodes, paces, now);
        let month = calendar_month(now).start;
        Self {
            since: now,
            history: tick.observation.history.clone(),
            live: fleet.clone(),
            candidate: fleet,
            paces,
            paces_at: now,
            span: None,
            month,
            hours_of_month: hours_since(nodes.iter(), month, now),
            live_price: None,
            price: None,
            rests_on_real_nodes: candidate.rests_on_real_nodes(),
        }
    }

    pub fn paces_due(&self, now: Timestamp) -> bool {
        is_old(self.paces_at, now)
    }

    pub fn set_paces(&mut self, paces: NodePaces, now: Timestamp) {
        (self.paces, self.paces_at) = (paces, now);
    }

    /// Prices that are known; who is not told keeps what was.
    pub fn set_prices(&mut self, live: Option<Dollars>, candidate: Option<Dollars>) {
        self.live_price = live.or(self.live_price);
        self.price = candidate.or(self.price);
    }

    pub fn history(&self) -> &History {
        &self.history
    }

    pub fn counts(&self) -> FleetCounts {
        self.candidate.counts()
    }

    pub fn live_counts(&self) -> FleetCounts {
        self.live.counts()
    }

    /// What the candidate's pool would cost; none without a budget.
    pub fn costs(&self, policy: &Policy, now: Timestamp) -> Option<Costs> {
        policy.budget.as_ref()?;
        let price = self.price.unwrap_or_default();
        Some(Costs {
            node_hourly: self.price,
            spent: price.times(self.hours_of_month),
            paid_ahead: price.for_time(self.candidate.paid_ahead()),
            month_seconds_left: elapsed(now, calendar_month(now).end).as_secs(),
        })
    }

    /// Lets time pass in both fleets until the tick.
    pub fn pass(&mut self, candidate: &Candidate, tick: &LiveTick) {
        let now = tick.observation.at;
        let Some(span) = &mut self.span else { return };
        let (paces, passed) = (self.paces, elapsed(span.until, now));
        let live_rules = WouldBeRules::of(&tick.policy);
        let live = self.live.advance(live_rules, span.live_desired, paces, now);
        let rules = WouldBeRules::of(&candidate.policy);
        let own = self.candidate.advance(rules, span.desired, paces, now);
        add(&mut span.live, live);
        add(&mut span.candidate, own);
        if passed <= LONGEST_PAUSE
            && let Some(asked) = tick.asked()
        {
            let milliseconds = passed.as_millis() as u64;
            span.judged_milliseconds += milliseconds;
            for (fleet, tally) in
                [(&self.live, &mut span.live), (&self.candidate, &mut span.candidate)]
            {
                if fleet.counts().serving < asked {
                    tally.short_milliseconds += milliseconds;
                }
            }
        }
        span.until = now.max(span.from);
        self.count_hours(own.hours_begun, now);
    }

    fn count_hours(&mut self, begun: u64, now: Timestamp) {
        let month = calendar_month(now).start;
        if self.month != month {
            (self.month, self.hours_of_month) = (month, 0);
        }
        self.hours_of_month += begun;
    }

    /// Has both fleets follow what was decided. What is to be written.
    pub fn take(&mut self, candidate: &Candidate, tick: &LiveTick, decision: &Decision) -> Spans {
        let (now, live_to, to) = (decision.at, tick.decision.to, decision.to);
        self.history = decision.history.clone();
        let live = self.live.steer(WouldBeRules::of(&tick.policy), live_to, self.paces);
        let rules = WouldBeRules::of(&candidate.policy);
        let own = self.candidate.steer(rules, to, self.paces);
        self.count_hours(own.hours_begun, now);
        let goes_on = self.span.take();
        let same = goes_on.as_ref().is_some_and(|span| {
            (span.live_desired, span.desired) == (live_to, to)
                && span.live_digest == tick.policy.digest
                && elapsed(span.from, now) < LONGEST_SPAN
        });
        if let Some(mut span) = goes_on.clone().filter(|_| same) {
            add(&mut span.live, live);
            add(&mut span.candidate, own);
            self.span = Some(span.clone());
            return Spans { goes_on: Some(span), begins: None };
        }
        let sentences = |decision: &Decision| {
            decision.reasons.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let mut span = ShadowSpan {
            from: now,
            until: now,
            live_digest: tick.policy.digest.clone(),
            live_desired: live_to,
            desired: to,
            live_reasons: sentences(&tick.decision),
            reasons: sentences(decision),
            live: ShadowTally::default(),
            candidate: ShadowTally::default(),
            judged_milliseconds: 0,
        };
        add(&mut span.live, live);
        add(&mut span.candidate, own);
        self.span = Some(span.clone());
        Spans { goes_on, begins: Some(span) }
    }
}

fn add(tally: &mut ShadowTally, paid: Paid) {
    tally.node_milliseconds += paid.node_milliseconds;
    tally.hours_begun += paid.hours_begun;
}
