//! The word that somebody probably meant.
//!
//! In: what was written, and the words that would have been right.
//! Out: the nearest of them, if one is near enough to be meant.
//! Never: guesses when two strangers meet.

/// The word of `known` that `written` most resembles, where at most a third of it is
/// different: letters added, dropped, replaced, or swapped with their neighbours.
pub(crate) fn nearest<'k>(
    written: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    let written = written.to_lowercase().replace('-', "_");
    let length = written.chars().count();
    known
        .into_iter()
        // A cheap look first: a file of garbage must not cost seconds.
        .filter(|word| length.abs_diff(word.chars().count()) <= word.len() / 3 + 1)
        .map(|word| (strsim::osa_distance(&written, word), word))
        .filter(|(distance, word)| *distance <= (word.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// `hint` for a wrong word: the nearest known one, or all of them.
pub(crate) fn suggestion(written: &str, known: &[&str]) -> String {
    let all = || known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    match nearest(written, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None if known.is_empty() => "there is none to choose from".into(),
        None => format!("possible here: {}", all()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_a_stranger_is_not() {
        let known = ["cooldown", "stabilize", "pace", "max", "of"];
        for (written, meant) in [
            ("cooldwon", Some("cooldown")),
            ("stabilise", Some("stabilize")),
            ("Pace", Some("pace")),
            ("mx", Some("max")),
            ("mxa", Some("max")),
            ("stabelise", Some("stabilize")),
            ("stbilz", Some("stabilize")),
            ("or", Some("of")),
            ("oft", Some("of")),
            ("colour", None),
            ("", None),
            (&"x".repeat(10_000), None),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
    }
    #[test]
    fn whoever_means_none_of_the_words_is_told_all_of_them() {
        assert_eq!(suggestion("mxa", &["pace", "max"]), "did you mean `max`?");
        assert_eq!(suggestion("colour", &["pace", "max"]), "possible here: `pace`, `max`");
        assert_eq!(suggestion("colour", &[]), "there is none to choose from");
    }
}
