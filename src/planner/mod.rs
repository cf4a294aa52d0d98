//! Plans which acts bring the fleet to the wanted count.
//!
//! In: the policy, the wanted count, our nodes, and the facts of this look.
//! Out: a plan: nodes to add, and for each node what it does next or what it waits for.
//! Never: acts, knows async, clocks, chance, environment, logging, SQL or HTTP. New ids are
//! handed in.

mod address;
mod backoff;
mod brake;
mod choose;
mod doubt;
mod facts;
mod lifecycle;
mod orders;
mod orphans;
mod plan;
mod protect;
mod step;
#[cfg(test)]
mod tests;
mod wishes;
mod would_be;

pub use address::{AddressUse, free_address};
pub use backoff::{create_not_before, plan_of_next};
pub use choose::{Leavers, Leaving, leavers, leaves_standby_at};
pub use facts::{Facts, InstanceFact, ServerFact, are_down};
pub use lifecycle::{Next, Wish, next};
pub use orders::{Departure, DepartureOrder, NodeOrders};
pub use orphans::{Orphan, OrphanKept, sweep};
pub use plan::{Plan, PlanInput, plan};
pub use protect::Protection;
pub use step::{Move, Note, Step};
pub use wishes::spare_on_the_way;
pub use would_be::{NodePaces, Paid, WouldBeFleet, WouldBeRules};
