//! What people are told: which notices a decision, a note or a failure makes.
//!
//! In: decisions, notes, states as they are written.
//! Out: notices for the outbox, in the transaction of what they tell of.
//! Never: talks to a receiver; tells at each look what goes on: what began is told when it begins
//! and when it has ended, whatever restarts lie between.

use std::collections::BTreeMap;

use super::look::PoolLoop;
use super::status::is_ineffective;
use crate::domain::{
    DecisionId, Duration, FleetCounts, Hint, Node, NodeId, NodeState, Notice, NoticeKind,
    NoticePhase, Timestamp, elapsed,
};
use crate::engine::{Decision, Direction, Reason};
use crate::planner::Note;
use crate::policy::Control;
use crate::store::{Change, Command, CommandKind, Entry, News, StoreError};

/// What is gone for so long has ended: a freeze that is off for one look is the same freeze.
const QUIET: Duration = Duration::from_secs(60);

/// Kinds that decisions show.
const OF_DECISIONS: [NoticeKind; 3] =
    [NoticeKind::Budget, NoticeKind::Ineffective, NoticeKind::Blind];

/// Kinds that looks show.
const OF_LOOKS: [NoticeKind; 3] = [NoticeKind::Freeze, NoticeKind::Hold, NoticeKind::Breaker];

/// What was told to have begun and not to have ended.
#[derive(Debug, Default)]
pub(super) struct Told {
    open: BTreeMap<NoticeKind, Open>,
}

#[derive(Debug)]
struct Open {
    notice: Notice,
    /// When it was last seen to go on.
    seen_at: Timestamp,
}

impl Told {
    /// What the store remembers.
    pub fn of(open: Vec<Notice>, now: Timestamp) -> Self {
        let open = open.into_iter().map(|notice| (notice.kind, Open { notice, seen_at: now }));
        Self { open: open.collect() }
    }

    /// Remembers what was written.
    pub fn remember(&mut self, news: &News, now: Timestamp) {
        for (notice, _) in &news.0 {
            match notice.phase {
                NoticePhase::Began => {
                    let open = Open { notice: notice.clone(), seen_at: now };
                    self.open.insert(notice.kind, open);
                }
                NoticePhase::Ended => drop(self.open.remove(&notice.kind)),
                NoticePhase::Happened => {}
            }
        }
    }

    /// The change of the count that is under way.
    fn scaling(&self) -> Option<&Notice> {
        let of = |kind| self.open.get(&kind).map(|open| &open.notice);
        of(NoticeKind::ScaleOut).or(of(NoticeKind::ScaleIn))
    }

    /// Of the kinds `among`: those in `seen` that have not been told, and the ends of those told
    /// that have not been seen for a while.
    fn differs<'s>(
        &mut self,
        seen: &'s BTreeMap<NoticeKind, String>,
        among: &[NoticeKind],
        now: Timestamp,
    ) -> (Vec<(NoticeKind, &'s String)>, Vec<Notice>) {
        let begun = seen.iter().filter(|(kind, _)| !self.open.contains_key(kind));
        let begun = begun.map(|(kind, why)| (*kind, why)).collect();
        let mut ended = Vec::new();
        for (kind, open) in &mut self.open {
            if seen.contains_key(kind) || now < open.seen_at {
                open.seen_at = now;
            } else if among.contains(kind) && QUIET <= elapsed(open.seen_at, now) {
                let lasted = elapsed(open.notice.began_at, now).as_secs();
                let lasted = humantime::format_duration(Duration::from_secs(lasted));
                ended.push(open.notice.ended(now, format!("over after {lasted}")));
            }
        }
        (begun, ended)
    }
}

impl PoolLoop {
    /// What a decision tells: a change of the count, and what binds it.
    pub(super) fn news_of_decision(
        &mut self,
        id: DecisionId,
        decision: &Decision,
        control: Control,
    ) -> News {
        if self.world.notifiers.is_empty() {
            return News::default();
        }
        let mut notices = self.scaling_news(id, decision, control);
        let seen = conditions_of(decision);
        notices.extend(self.changes(&seen, &OF_DECISIONS, control, decision.at));
        self.addressed(notices)
    }

    fn scaling_news(&self, id: DecisionId, decision: &Decision, control: Control) -> Vec<Notice> {
        let kind = match decision.direction() {
            Direction::Out => NoticeKind::ScaleOut,
            Direction::In => NoticeKind::ScaleIn,
            Direction::Hold => return Vec::new(),
        };
        let (pool, from, to) = (&self.policy.pool, decision.from, decision.to);
        let way = kind.direction().unwrap_or_default();
        let is_dry_run = control == Control::DryRun;
        let new = Notice {
            // Nothing will come of a dry run's decision: there is no end to wait for.
            phase: if is_dry_run { NoticePhase::Happened } else { NoticePhase::Began },
            subject: format!("decision:{id}"),
            from: Some(from),
            to: Some(to),
            title: format!("{pool} scales {way} from {} to {to}", from.0),
            reasons: decision.reasons.iter().map(ToString::to_string).collect(),
            ..self.notice(kind, control, decision.at)
        };
        let old = self.told.scaling();
        let old = old.map(|old| old.ended(decision.at, format!("superseded, {to} wanted")));
        old.into_iter().chain([new]).collect()
    }

    /// What notes and orders tell: freezes, holds, and creating that rests. With the entries of
    /// the same look, in one transaction.
    pub(super) fn news_of_look(
        &mut self,
        notes: &[Note],
        held_because: Option<String>,
        control: Control,
        now: Timestamp,
    ) -> News {
        if self.world.notifiers.is_empty() {
            return News::default();
        }
        let mut seen = BTreeMap::new();
        seen.extend(held_because.map(|why| (NoticeKind::Hold, why)));
        for note in notes {
            let kind = match note {
                Note::HealingFrozen { .. } | Note::InventoryShrank { .. } => NoticeKind::Freeze,
                Note::CreatingRests { .. } => NoticeKind::Breaker,
                _ => continue,
            };
            seen.entry(kind).or_insert_with(|| note.to_string());
        }
        let notices = self.changes(&seen, &OF_LOOKS, control, now);
        self.addressed(notices)
    }

    /// What entries tell: nodes that came to nothing.
    pub(super) fn news_of_entries(&self, change: &Change, now: Timestamp) -> News {
        if self.world.notifiers.is_empty() {
            return News::default();
        }
        let failed = change.entries.iter().filter_map(|(node, entry)| match entry {
            Entry::Entered { before, failure: Some(failure), .. } => {
                let is_over = before.as_ref().is_some_and(NodeState::is_final);
                Some(((*node)?, failure)).filter(|_| !is_over)
            }
            _ => None,
        });
        let known_failure = |id: &NodeId| self.nodes.get(id)?.failure.as_ref();
        let failed = failed.filter(|(id, failure)| known_failure(id) != Some(*failure));
        let label = |id: NodeId| {
            let known = self.nodes.get(&id).or(change.nodes.iter().find(|node| node.id == id));
            known.map_or_else(|| id.to_string(), |node: &Node| node.label.to_string())
        };
        let notices = failed.map(|(id, failure)| Notice {
            subject: format!("node:{id}"),
            phase: NoticePhase::Happened,
            title: format!("{} came to nothing", label(id)),
            reasons: vec![failure.to_string()],
            ..self.notice(NoticeKind::NodeFailed, Control::Automatic, now)
        });
        self.addressed(notices.collect())
    }

    /// What an announced campaign tells, and one that is taken back.
    pub(super) fn news_of_hint(&self, hint: &Hint, entry: &Entry, now: Timestamp) -> News {
        let announced = Notice {
            subject: format!("campaign:{}", hint.id),
            phase: NoticePhase::Happened,
            began_at: hint.starts_at,
            ended_at: Some(hint.ends_at()),
            title: format!("campaign {} in {}", hint.kind, self.policy.pool),
            reasons: vec![hint.reason.clone()],
            ..self.notice(NoticeKind::Campaign, self.policy.control, now)
        };
        self.addressed(vec![match entry {
            Entry::HintCancelled { owner, .. } => {
                announced.ended(now, format!("taken back by {owner}"))
            }
            _ => announced,
        }])
    }

    /// Tells the end of a change of the count: the capacity serves, or has gone.
    pub(super) async fn tell_settled(
        &mut self,
        control: Control,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(notice) = self.told.scaling() else { return Ok(()) };
        let fleet = FleetCounts::of(self.nodes.values());
        let to = notice.to.unwrap_or_default();
        let has_come = match notice.kind {
            NoticeKind::ScaleOut => to <= fleet.serving,
            _ => fleet.serving <= to && fleet.leaving.0 == 0,
        };
        let outcome = match (has_come, control) {
            (true, _) => format!("{} serve", fleet.serving),
            (false, Control::DryRun) => "broken off, a dry run began".to_owned(),
            (false, Control::Automatic | Control::Hold) => return Ok(()),
        };
        let news = self.addressed(vec![notice.ended(now, outcome)]);
        self.write(now, Change { news, ..Change::default() }).await
    }

    fn changes(
        &mut self,
        seen: &BTreeMap<NoticeKind, String>,
        among: &[NoticeKind],
        control: Control,
        now: Timestamp,
    ) -> Vec<Notice> {
        let (begun, ended) = self.told.differs(seen, among, now);
        let begun = begun.into_iter().map(|(kind, why)| Notice {
            subject: format!("{}:{}:{}", kind.name(), self.policy.pool, now.as_millisecond()),
            title: self.title(kind),
            reasons: vec![why.clone()],
            ..self.notice(kind, control, now)
        });
        let begun: Vec<Notice> = begun.collect();
        ended.into_iter().chain(begun).collect()
    }

    fn title(&self, kind: NoticeKind) -> String {
        let pool = &self.policy.pool;
        match kind {
            NoticeKind::Freeze => format!("{pool} is frozen"),
            NoticeKind::Hold => format!("{pool} is held"),
            NoticeKind::Breaker => format!("creating rests in {pool}"),
            NoticeKind::Budget => format!("the budget of {pool} binds"),
            NoticeKind::Ineffective => format!("more nodes do not help {pool}"),
            NoticeKind::Blind => format!("{pool} can read no signal"),
            NoticeKind::ScaleOut | NoticeKind::ScaleIn => format!("{pool} scales"),
            NoticeKind::NodeFailed => format!("a node of {pool} came to nothing"),
            NoticeKind::Campaign => format!("a campaign in {pool}"),
            NoticeKind::LeftOut => format!("notices of {pool} were left out"),
        }
    }

    fn notice(&self, kind: NoticeKind, control: Control, now: Timestamp) -> Notice {
        Notice {
            subject: String::new(),
            kind,
            phase: NoticePhase::Began,
            pool: self.policy.pool.clone(),
            began_at: now,
            ended_at: None,
            is_dry_run: control == Control::DryRun,
            from: None,
            to: None,
            title: String::new(),
            reasons: Vec::new(),
            outcome: None,
        }
    }

    fn addressed(&self, notices: Vec<Notice>) -> News {
        let wanting = |notice: &Notice| {
            let notifiers = self.world.notifiers.iter();
            let wanting = notifiers.filter(|notifier| notifier.wants(notice.kind));
            wanting.map(|notifier| notifier.name().to_owned()).collect()
        };
        let addressed = notices.into_iter().map(|notice| {
            let destinations = wanting(&notice);
            (notice, destinations)
        });
        News(addressed.collect())
    }
}

/// What a decision says goes on, with its sentence.
fn conditions_of(decision: &Decision) -> BTreeMap<NoticeKind, String> {
    let mut seen = BTreeMap::new();
    for reason in &decision.reasons {
        let kind = match reason {
            Reason::BlindHeld { .. } | Reason::BlindFloor { .. } => NoticeKind::Blind,
            Reason::BudgetNear { .. }
            | Reason::BudgetBelowMin { .. }
            | Reason::CutByBudget { .. } => NoticeKind::Budget,
            reason if is_ineffective(reason) => NoticeKind::Ineffective,
            _ => continue,
        };
        seen.entry(kind).or_insert_with(|| reason.to_string());
    }
    seen
}

/// Who holds the count, and why; none where nobody does.
pub(super) fn held_because(control: Control, commands: &[Command]) -> Option<String> {
    if control != Control::Hold {
        return None;
    }
    let held = commands.iter().rev().find(|command| command.kind == CommandKind::Hold);
    Some(held.map_or_else(
        || "the policy or the settings say `hold`".to_owned(),
        |command| {
            format!("{} holds it until {}: {}", command.owner, command.expires_at, command.reason)
        },
    ))
}
