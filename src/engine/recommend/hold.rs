//! Hold: a rule wants the most that it wanted within a while.
//!
//! In: what a rule wants now, and what it wanted lately.
//! Out: the highest of both.
//! Never: speaks for a rule that can't see; wants more than was once wanted.
//!
//! It is what `scale_in.stabilize` is for the whole pool, for one rule alone, so that a forecast
//! may let go sooner than a measured load. Time that nobody looked at counts as if a rule that may
//! lower the count had wanted the count that stood, as in [`Look`].

use super::super::look::{LONGEST_GAP, Look};
use super::super::{Opinion, Reason, Wish};
use crate::domain::{after, before, elapsed};
use crate::policy::{Rule, RuleScaleIn};

/// What a rule wanted now, beside what it wanted before: in this order.
#[derive(Clone, Copy, Default)]
pub(in crate::engine) struct Wished([Option<Wish>; 2]);

/// What a rule wants in the end, and what is to be remembered of it.
pub(super) fn held(look: &Look<'_>, rule: &Rule, key: &str, now: Opinion) -> (Opinion, Wished) {
    let hold = rule.hold();
    let mut wished = Wished::default();
    if hold.is_zero() || now.is_blind() {
        return (now, wished);
    }
    let known = look.past.wishes.get(key).map_or(&[][..], Vec::as_slice);
    let begins = before(look.at, hold);
    let seen_lately = known.last().is_some_and(|wish| elapsed(wish.at, look.at) <= LONGEST_GAP);
    let count = now.count();
    if let Opinion::Wants { count, exact, .. } | Opinion::AtLeast { count, exact, .. } = now {
        let (from, at) = (look.from, look.at);
        let unseen = Wish { count: from, exact: f64::from(from.0), at };
        let stood = (!seen_lately && may_lower(rule)).then_some(unseen);
        wished = Wished([stood, Some(Wish { count, exact, at })]);
    }
    // Each is lower than the one before, so the oldest is the highest; later ones outlast equals.
    let oldest = known.iter().find(|wish| begins < wish.at).copied();
    let all = [oldest].into_iter().chain(wished.0).flatten();
    let highest = all.reduce(|first, next| if next.count < first.count { first } else { next });
    let highest = highest.filter(|wish| count.is_none_or(|count| count < wish.count));
    let opinion = match (highest, rule.signal()) {
        (Some(highest), Some(signal)) => {
            let (signal, until) = (signal.clone(), after(highest.at, hold));
            let because = Reason::WishHeld { signal, held: highest.count, until };
            wanting(look, rule, highest, because)
        }
        _ => now,
    };
    (opinion, wished)
}

/// Remembers what each rule wished, in the policy's order, and forgets what no `hold` reaches back
/// to.
pub(in crate::engine) fn remember_wishes(look: &mut Look<'_>, wished: Vec<Wished>) {
    let (at, wishes) = (look.at, &mut look.past.wishes);
    let mut held = 0;
    for ((rule, key), wished) in look.policy.rules.iter().zip(look.keys).zip(wished) {
        let begins = before(at, rule.hold());
        let mut news = wished.0.into_iter().flatten().peekable();
        let known = match wishes.get_mut(&**key) {
            Some(known) => known,
            None if news.peek().is_some() => wishes.entry(key.to_string()).or_default(),
            None => continue,
        };
        known.retain(|wish| begins < wish.at);
        news.for_each(|wish| remember(known, wish));
        held += usize::from(!known.is_empty());
    }
    if held < wishes.len() {
        let keys = look.keys;
        wishes.retain(|key, known| !known.is_empty() && keys.iter().any(|own| **own == **key));
    }
}

/// A later wish outlasts all that are no higher.
fn remember(wishes: &mut Vec<Wish>, wish: Wish) {
    while wishes.last().is_some_and(|last| last.count <= wish.count) {
        wishes.pop();
    }
    wishes.push(wish);
}

fn wanting(look: &Look<'_>, rule: &Rule, wish: Wish, because: Reason) -> Opinion {
    let Wish { count, exact, .. } = wish;
    match !may_lower(rule) && count <= look.from {
        true => Opinion::AtLeast { count, exact, because },
        false => Opinion::Wants { count, exact, because },
    }
}

/// Whether the rule may ask for fewer nodes than there are.
fn may_lower(rule: &Rule) -> bool {
    match rule {
        Rule::Target(target) => target.scale_in == RuleScaleIn::Allowed,
        Rule::Count(count) => count.scale_in == RuleScaleIn::Allowed,
        Rule::Step(step) => step.lowers(),
        Rule::Fixed(_) => true,
        Rule::Latency(_) | Rule::Forecast(_) | Rule::Surge(_) | Rule::Schedule(_) => false,
        Rule::Hint(_) => false,
    }
}
