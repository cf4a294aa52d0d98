//! Waiting for the world: bounded, and on a condition.

use std::time::{Duration, Instant};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What a look found: the thing waited for, or what there is instead.
pub type Look<T> = Result<T, String>;

/// Looks until `look` finds what it waits for; panics with what it last saw when time is up.
pub fn wait_for<T>(what: &str, seconds: u64, mut look: impl FnMut() -> Look<T>) -> T {
    let begin = Instant::now();
    loop {
        let seen = match look() {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        if Duration::from_secs(seconds) <= begin.elapsed() {
            panic!("waited {seconds} s for this: {what}. Instead: {seen}");
        }
        std::thread::sleep(LOOK);
    }
}

/// Looks for `seconds` and panics as soon as `look` finds something wrong.
pub fn stays(what: &str, seconds: u64, mut look: impl FnMut() -> Look<()>) {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(seconds) {
        if let Err(seen) = look() {
            panic!(
                "after {:.1} s this was so no more: {what}. {seen}",
                begin.elapsed().as_secs_f64()
            );
        }
        std::thread::sleep(LOOK);
    }
}

/// `Ok` when `is`, and what was seen when not.
pub fn found(is: bool, seen: impl std::fmt::Debug) -> Look<()> {
    if is { Ok(()) } else { Err(format!("{seen:?}")) }
}
