//! The word that somebody probably meant.
//!
//! In: what was written, and the words that would have been right.
//! Out: the nearest of them, if one is near enough to be meant.
//! Never: guesses when two strangers meet.

/// The word of `known` that `written` most resembles, where at most a third of it is different.
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
        .map(|word| (distance(&written, word), word))
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

/// How many letters are to be added, dropped, replaced or swapped with their neighbour to turn
/// one word into the other (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            rows[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let replaced = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
                    let swapped = (2 <= i
                        && 2 <= j
                        && left[i - 1] == right[j - 2]
                        && left[i - 2] == right[j - 1])
                        .then(|| rows[i - 2][j - 2] + 1);
                    (rows[i - 1][j] + 1)
                        .min(rows[i][j - 1] + 1)
                        .min(replaced)
                        .min(swapped.unwrap_or(usize::MAX))
                }
            };
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_a_stranger_is_not() {
        let known = ["cooldown", "stabilize", "pace", "max"];
        for (written, meant) in [
            ("cooldwon", Some("cooldown")),
            ("stabilise", Some("stabilize")),
            ("Pace", Some("pace")),
            ("mx", Some("max")),
            ("colour", None),
            ("", None),
            (&"x".repeat(10_000), None),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
    }
}
