//! Two hundred lives, and forged ones that every checker must refuse.

mod bills;
mod forged;
mod lives;
