//! The table of a node's life row by row, and whole plans.

mod brake;
mod doubt;
mod fallback;
mod fixture;
mod health;
mod orders;
mod orphans;
mod pool;
mod properties;
mod protect;
mod standby;
mod table;
