//! Hint: as many nodes as announced campaigns need, before they begin.
//!
//! In: what was announced, how devices respond, and the load that it comes on top of.
//! Out: the nodes for the most that is expected from now until nodes that are asked for now serve.
//! Never: lowers a count; counts a campaign twice; waits for one that did not come.
//!
//! The load beside a campaign is what was measured before it: from its beginning on, the signal
//! shows both together. What came beyond the hint is for the rules that measure; what came short
//! of it costs the time of its window.

use super::super::guard::pace;
use super::super::look::{Look, Value};
use super::super::observation::ObservedHint;
use super::super::{Opinion, Reason};
use super::target::ceil_whole;
use crate::domain::{Duration, Missing, NodeCount, Timestamp, after, before, elapsed};
use crate::forecast::campaign::{CAME_SHARE, seconds_after};
use crate::policy::{HintRule, Lead};

/// Campaigns begin so much earlier or later than announced. Half of it would miss senders whose
/// queues take a while, double would hold every peak for another minute.
const START_MARGIN: Duration = Duration::from_secs(30);
/// A campaign that has not shown so long after its last message should have been sent will not
/// come: a rate over a minute shows the last of it by then.
const GRACE: Duration = Duration::from_secs(90);
/// Where nobody knows yet how long nodes take: booted, configured and joined by most clouds.
const USUAL_LEAD: Duration = Duration::from_secs(180);
/// How finely the time ahead is looked at, in seconds: below any spread that matters.
const STEP_SECONDS: u64 = 5;

/// The most that is expected, and when.
struct Need {
    exact: f64,
    /// When so much is expected.
    at: Timestamp,
}

/// What the rule wants.
pub(super) fn recommend(look: &Look<'_>, rule: &HintRule) -> Opinion {
    let announced = &look.observation.hints.hints;
    let mut hints: Vec<&ObservedHint> =
        announced.iter().filter(|hint| is_awaited(hint, look.at)).collect();
    hints.sort_by_key(|hint| hint.hint.starts_at);
    let Some(first) = hints.first() else {
        return Opinion::None { because: Reason::NothingAnnounced {} };
    };
    let value = look.value(&rule.signal);
    let beside = beside(look, first, &value);
    let plan = Plan { look, rule, hints: &hints, beside: beside.unwrap_or(0.0) };
    let need = plan.need();
    if need.is_none() && look.at < before(first.hint.starts_at, START_MARGIN) {
        return Opinion::None { because: plan.ahead(first) };
    }
    let Need { exact, at } = need.unwrap_or(Need { exact: plan.exact_at(look.at), at: look.at });
    let count = ceil_whole(exact);
    if count <= look.from
        && let Some(because) = unsure(rule, beside, value)
    {
        return Opinion::Blind { because };
    }
    let because = plan.because(at, count);
    match count <= look.from {
        true => Opinion::AtLeast { count, exact, because },
        false => Opinion::Wants { count, exact, because },
    }
}

/// Whether a campaign is announced, not over, and not known to have never come.
fn is_awaited(observed: &ObservedHint, now: Timestamp) -> bool {
    let hint = &observed.hint;
    if !hint.is_known(now) || now < after(hint.sent_at(), GRACE) {
        return hint.is_known(now);
    }
    match (observed.before, observed.peak) {
        (Some(before), Some(peak)) => CAME_SHARE * observed.response.peak(hint) <= peak - before,
        // What nobody has measured may have come.
        _ => true,
    }
}

/// The load that campaigns come on top of: before the first one it is measured now, from then on
/// it is what was measured before.
fn beside(look: &Look<'_>, first: &ObservedHint, value: &Result<Value, Missing>) -> Option<f64> {
    let has_begun = before(first.hint.starts_at, START_MARGIN) <= look.at;
    let now = value.as_ref().ok().map(|value| value.number);
    if has_begun { first.before.or(now) } else { now.or(first.before) }
}

/// Why nobody can say that so few nodes are enough.
fn unsure(rule: &HintRule, beside: Option<f64>, value: Result<Value, Missing>) -> Option<Reason> {
    let signal = rule.signal.clone();
    match value {
        Err(missing) if beside.is_none() => Some(Reason::SignalMissing { signal, missing }),
        Ok(Value { partial: Some((seen, wanted)), .. }) => {
            Some(Reason::SignalPartial { signal, seen, wanted })
        }
        Ok(_) | Err(_) => None,
    }
}

/// Campaigns over the load beside them, the first one first.
struct Plan<'a> {
    look: &'a Look<'a>,
    rule: &'a HintRule,
    hints: &'a [&'a ObservedHint],
    /// Requests per second.
    beside: f64,
}

impl Plan<'_> {
    /// The most that is expected soon enough to be asked for now; none where nothing is.
    ///
    /// A larger count has to be asked for earlier, as the pace lets it come step by step. The
    /// steps are counted from what the load beside needs, so that an ask is not taken back
    /// when its first nodes have come.
    fn need(&self) -> Option<Need> {
        let lead = self.lead();
        let margin = START_MARGIN.as_secs();
        let ahead = lead.as_secs() + margin + pace::LONGEST_RISE.as_secs();
        let begin = before(self.look.at, START_MARGIN);
        let moments = (0..=(margin + ahead) / STEP_SECONDS)
            .map(|step| after(begin, Duration::from_secs(step * STEP_SECONDS)));
        let needs = moments.filter(|at| 0.0 < self.load(*at)).map(|at| (at, self.exact_at(at)));
        let in_time = needs.filter(|(at, exact)| {
            let asked_from = before(*at, START_MARGIN + lead + self.rise_to(*exact));
            asked_from <= self.look.at
        });
        let most = in_time.max_by(|one, other| one.1.total_cmp(&other.1));
        most.map(|(at, exact)| Need { exact, at })
    }

    /// What campaigns bring at a moment, in requests per second, as announced.
    fn load(&self, at: Timestamp) -> f64 {
        self.hints.iter().map(|hint| load(hint, at)).sum()
    }

    /// Nodes for all that is expected at a moment, before rounding up; always finite.
    fn exact_at(&self, at: Timestamp) -> f64 {
        self.exact(self.load(at))
    }

    fn exact(&self, load: f64) -> f64 {
        let load = self.beside + load * (1.0 + self.rule.margin.fraction());
        (load / self.rule.per_node.get()).min(f64::MAX)
    }

    /// How long the pace takes from what the load beside needs to `exact` nodes.
    fn rise_to(&self, exact: f64) -> Duration {
        let bounds = self.look.policy.bounds;
        let within = |exact| ceil_whole(exact).max(bounds.min).min(bounds.max);
        pace::time_of_rise(self.look.policy, within(self.exact(0.0)), within(exact))
    }

    fn lead(&self) -> Duration {
        match self.rule.lead {
            Lead::Fixed(lead) => lead,
            Lead::Learned => {
                let learned = self.look.observation.hints.lead_seconds;
                let learned = learned.and_then(|lead| Duration::try_from_secs_f64(lead).ok());
                learned.map_or(USUAL_LEAD, |lead| lead.min(LONGEST_LEAD))
            }
        }
    }

    fn because(&self, at: Timestamp, needed: NodeCount) -> Reason {
        let most = self.hints.iter().max_by(|one, other| load(one, at).total_cmp(&load(other, at)));
        let hint = &most.unwrap_or(&self.hints[0]).hint;
        Reason::CampaignNeeds {
            campaign: hint.kind.clone(),
            starts_at: hint.starts_at,
            expected: self.load(at),
            beside: self.beside,
            per_node: self.rule.per_node.get(),
            margin_percent: self.rule.margin.get(),
            needed,
            until: after(hint.sent_at(), START_MARGIN).max(self.look.at),
            source: hint.source,
        }
    }

    fn ahead(&self, first: &ObservedHint) -> Reason {
        let hint = &first.hint;
        let expected = first.response.peak(hint);
        let exact = self.exact(expected);
        let early = START_MARGIN + self.lead() + self.rise_to(exact);
        Reason::CampaignAhead {
            campaign: hint.kind.clone(),
            starts_at: hint.starts_at,
            expected,
            needed: ceil_whole(exact),
            in_seconds: elapsed(self.look.at, before(hint.starts_at, early)).as_secs(),
            source: hint.source,
        }
    }
}

/// Nobody looks further ahead than this for nodes to come: what takes longer is broken.
const LONGEST_LEAD: Duration = Duration::from_secs(3_600);

fn load(observed: &ObservedHint, at: Timestamp) -> f64 {
    observed.response.load(&observed.hint, seconds_after(&observed.hint, at))
}
