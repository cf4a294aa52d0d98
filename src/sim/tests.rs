//! The loop, rehearsed.

mod balancers;
mod brake;
mod campaigns;
mod clocks;
mod counted;
mod doubt;
mod fallback;
mod fixture;
mod forecasts;
mod health;
mod money;
mod nodes;
mod notices;
mod operators;
mod orphans;
mod scenarios;
mod shadow;
mod standby;
mod stores;
mod two_speeds;
mod unknown;
