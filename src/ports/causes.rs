//! Errors in words: with all their causes, or by the innermost one.
//!
//! In: an error of ours or of a library. Out: text of one line. Never: decides what to do about it.

use std::error::Error;

/// An error and its causes, outermost first, as they stand in the log, too.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The innermost cause alone: of what libraries say, the outer ones repeat it and name addresses.
pub fn root_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

/// The error itself, what caused it, and so on inwards.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn an_error_is_told_with_all_its_causes_or_by_the_innermost() {
        let error = Outer(std::io::Error::other("the cable is cut"));
        assert_eq!(with_causes(&error), "no answer: the cable is cut");
        assert_eq!(root_cause(&error), "the cable is cut");
        let alone = std::io::Error::from(std::io::ErrorKind::TimedOut);
        assert_eq!(
            (with_causes(&alone), root_cause(&alone)),
            ("timed out".into(), "timed out".into())
        );
    }
}
