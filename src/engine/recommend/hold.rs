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

/// What a rule wants in the end, and what it will have wanted.
pub(super) fn held(look: &Look<'_>, rule: &Rule, key: &str, now: Opinion) -> (Opinion, Vec<Wish>) {
    let hold = rule.hold();
    if hold.is_zero() {
        return (now, Vec::new());
    }
    let known = look.past.wishes.get(key).map_or(&[][..], Vec::as_slice);
    let begins = before(look.at, hold);
    let mut wishes: Vec<Wish> = known.iter().filter(|wish| begins < wish.at).copied().collect();
    let seen_lately = known.last().is_some_and(|wish| elapsed(wish.at, look.at) <= LONGEST_GAP);
    if now.is_blind() {
        return (now, wishes);
    }
    let count = now.count();
    if let Opinion::Wants { count, exact, .. } | Opinion::AtLeast { count, exact, .. } = now {
        if !seen_lately && may_lower(rule) {
            let (count, exact) = (look.from, f64::from(look.from.0));
            remember(&mut wishes, Wish { count, exact, at: look.at });
        }
        remember(&mut wishes, Wish { count, exact, at: look.at });
    }
    let highest = wishes.first().filter(|wish| count.is_none_or(|count| count < wish.count));
    let opinion = match (highest, rule.signal()) {
        (Some(highest), Some(signal)) => {
            let (signal, until) = (signal.clone(), after(highest.at, hold));
            let because = Reason::WishHeld { signal, held: highest.count, until };
            wanting(look, rule, *highest, because)
        }
        _ => now,
    };
    (opinion, wishes)
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
