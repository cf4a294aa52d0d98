//! Decides about cases that somebody wrote down, so that the engine can be held against another
//! implementation without a daemon, a cloud or a clock.
//!
//! In: the JSON text of one case: a fragment of a policy, an observation, a history with ages.
//! Out: the JSON of its decision, or of what is wrong with the case.
//! Never: changes what the engine makes of it; stops at a bad case. The format is in
//! `docs/decide.md`, whose examples are run.

mod answer;
mod case;
mod expected;
mod history;
mod nodes;
mod observation;
mod orders;

pub use answer::{Answer, CaseError, ErrorKind, Verdict};
pub(crate) use expected::size as hint_size;

use std::borrow::Cow;

use crate::engine;

/// The longest line that is read, in bytes: what the YAML reader takes as one text.
pub const LONGEST_LINE: usize = 256 * 1024;

/// Decides about one line. `number` counts from 1 and stands for the id where the case has none.
pub fn decide_line(line: &[u8], number: u64) -> Answer {
    let text = match text(line) {
        Ok(text) => text,
        Err(error) => return Answer::failed(number.to_string(), error),
    };
    match case::read(text) {
        Ok(case) => {
            let id = case.id.unwrap_or_else(|| number.to_string());
            let decision = engine::decide(&case.policy, &case.observation);
            Answer::decided(id, decision)
        }
        Err((id, error)) => Answer::failed(id.unwrap_or_else(|| number.to_string()), error),
    }
}

/// The answer to a line that is longer than [`LONGEST_LINE`] and was not read.
pub fn line_too_long(number: u64) -> Answer {
    let message = format!("the line is longer than {} KiB", LONGEST_LINE / 1024);
    Answer::failed(number.to_string(), CaseError::new(ErrorKind::TooLarge, message))
}

/// The line as JSON text. That it is JSON is checked first: the reader behind takes YAML, which
/// is more.
fn text(line: &[u8]) -> Result<&str, CaseError> {
    let not_json = |message: Cow<'static, str>| CaseError::new(ErrorKind::NotJson, message);
    let text = std::str::from_utf8(line).map_err(|_| not_json("the line is not UTF-8".into()))?;
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(text),
        Err(error) => Err(not_json(error.to_string().into())),
    }
}

#[cfg(test)]
mod tests;
