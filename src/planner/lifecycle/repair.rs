//! What a serving node is owed by balancers that forgot it, restarted or were down when it joined.
//!
//! In: a node in service, and what each balancer says of it.
//! Out: the step that mends one of them; none where nothing is owed.
//! Never: makes a server ready that an operator drained by hand.

use super::super::facts::{ServerFact, is_up};
use super::super::step::Step;
use super::{Life, Next, stay};
use crate::domain::{BalancerName, ServerAdmin, ServerHealth};

impl Life<'_> {
    /// What a serving node is owed by balancers that forgot it, restarted or were down when it
    /// joined.
    pub fn repair(&self) -> Option<Next> {
        if !self.may_try() {
            return None;
        }
        let serves_elsewhere = self.facts.servers.iter().any(|(_, fact)| serves(fact));
        let lost = self.facts.balancers_where(|fact| match fact {
            ServerFact::Absent { backend_usable, .. } => serves_elsewhere || !backend_usable,
            _ => false,
        });
        if !lost.is_empty() && self.node.served_at.is_some() {
            // It served before, and it serves elsewhere or nothing does: waiting for a health
            // check would only turn requests away.
            let because = "a balancer lost it; it served before";
            return Some(stay(Step::Readmit { balancers: lost }, because));
        }
        let unknown = self.unregistered();
        if !unknown.is_empty() {
            return Some(stay(Step::Register { balancers: unknown }, "a balancer lacks it"));
        }
        let owed: Vec<BalancerName> = self
            .facts
            .servers
            .iter()
            .filter(|(name, fact)| self.node.admitting.contains(name) && is_up(fact))
            .map(|(name, _)| name.clone())
            .collect();
        (!owed.is_empty()).then(|| stay(Step::MakeReady { balancers: owed }, "UP, not yet ready"))
    }
}

/// Given requests, and able to take them.
fn serves(fact: &ServerFact) -> bool {
    match fact {
        ServerFact::Present { server, .. } => {
            let dead = matches!(server.health, ServerHealth::Down { .. });
            server.admin == ServerAdmin::Ready && !dead
        }
        ServerFact::Absent { .. } | ServerFact::Unreachable { .. } => false,
    }
}
