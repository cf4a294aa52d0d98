//! Why a pool did not go further one way: what holds it, and what would move it.
//!
//! In: an explanation, and a way.
//! Out: the guards and rules that hold it, and the distances that way.
//! Never: decides or searches anew.

use std::fmt;

use serde::Serialize;

use super::super::text::TimeOfDay;
use super::{Direction, Distance, ExplainedRule, Explanation, Stage};
use crate::domain::{NodeCount, PoolName, Timestamp};

/// Why a pool did not go further one way.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct WhyNot {
    /// The pool.
    pub pool: PoolName,
    /// The moment of the decision.
    pub at: Timestamp,
    /// The way that was asked about: out or in.
    pub direction: Direction,
    /// The count before.
    pub from: NodeCount,
    /// The count that the pool shall have.
    pub to: NodeCount,
    /// The guards that held the count back on this way.
    pub guards: Vec<Stage>,
    /// The rules that keep it from going further: for out, all that want no more than it has;
    /// for in, those that want as many or are blind.
    pub rules: Vec<ExplainedRule>,
    /// What would move it.
    pub distances: Vec<Distance>,
}

impl Explanation {
    /// What kept the pool from going further out, or further in.
    pub fn why_not(&self, direction: Direction) -> WhyNot {
        let held_back = |stage: &&Stage| match direction {
            Direction::Out => stage.after < stage.before,
            Direction::In => stage.after > stage.before,
            Direction::Hold => false,
        };
        let guards: Vec<_> = self.stages.iter().filter(held_back).cloned().collect();
        let keeps = |rule: &&ExplainedRule| match direction {
            Direction::Out => rule.opinion.count().is_none_or(|count| count <= self.to),
            Direction::In => {
                rule.opinion.is_blind() || rule.opinion.count().is_some_and(|c| c >= self.to)
            }
            Direction::Hold => false,
        };
        let rules = self.rules.iter().filter(keeps).cloned().collect();
        let that_way = |distance: &&Distance| distance.is_towards(direction);
        let distances = self.distances.iter().filter(that_way).cloned().collect();
        WhyNot {
            pool: self.pool.clone(),
            at: self.at,
            direction,
            from: self.from,
            to: self.to,
            guards,
            rules,
            distances,
        }
    }
}

impl Distance {
    /// Whether it speaks of going this way, or of neither way while the pool is held.
    fn is_towards(&self, direction: Direction) -> bool {
        match self {
            Self::ByTime { direction: way, .. } | Self::KeptByGuard { direction: way, .. } => {
                *way == direction
            }
            Self::Adds { .. } | Self::AtMax { .. } => direction == Direction::Out,
            Self::LetsLeave { .. } | Self::AtMin { .. } => direction == Direction::In,
            Self::NeedsReadings { .. } | Self::KeptByRules { .. } => direction == Direction::In,
            Self::ScaleInDisabled | Self::ScaleInHeld => direction == Direction::In,
            Self::Held => true,
        }
    }
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.at.strftime("%Y-%m-%d");
        write!(f, "{} at {date} {}: ", self.pool, TimeOfDay(self.at))?;
        match self.from == self.to {
            true => write!(f, "stays at {}", self.to)?,
            false => write!(f, "goes from {} to {}", self.from.0, self.to)?,
        }
        let question = match self.direction {
            Direction::Out => "more",
            Direction::In | Direction::Hold => "fewer",
        };
        writeln!(f, "; why not {question}?")?;
        for stage in self.guards.iter().rev() {
            writeln!(f, "  guard  {stage}")?;
        }
        for rule in &self.rules {
            writeln!(f, "  rule   {rule}")?;
        }
        if self.distances.is_empty() {
            writeln!(f, "  next   no change this way is in sight")?;
        }
        for distance in &self.distances {
            writeln!(f, "  next   {distance}")?;
        }
        Ok(())
    }
}
