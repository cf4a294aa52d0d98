//! What is wrong with a text: each problem with its place, the remedy, and a picture.
//!
//! In: places, sentences, and the text that they speak of.
//! Out: [`Problems`], for people through `Display` and for programs through `Serialize`.
//! Never: decides what is wrong; knows a schema.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::document;

/// More problems than this in one file are counted, not shown: nobody reads a hundredth one,
/// and a file of garbage must not fill a log.
const SHOWN_AT_MOST: usize = 50;

/// A longer sentence loses its middle.
const LONGEST_SENTENCE: usize = 300;

/// A picture wider than this is cropped around its caret, so that it stays on one terminal line.
const WIDEST_PICTURE: usize = 100;

/// A place in a text. Line and column count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column of its first character.
    pub column: usize,
    /// How many characters it covers on that line; at least one.
    #[serde(skip)]
    pub width: usize,
}

impl Place {
    /// Where a text begins.
    pub(crate) const START: Self = Self { line: 1, column: 1, width: 1 };
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where.
    #[serde(flatten)]
    pub at: Place,
    /// What is wrong, as a sentence without its full stop.
    pub what: String,
    /// What to do about it.
    pub help: String,
}

/// Whether problems may quote the lines that they speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// The line and a caret are shown.
    Lines,
    /// Only place and sentence: the text may hold what must not reach a log.
    Nothing,
}

/// Everything that is wrong with one file, in the order of its lines; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problems {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// How many more there are beyond the ones listed.
    pub unlisted: usize,
    /// The lines that the problems speak of, in the same order; empty where nothing is quoted.
    #[serde(skip)]
    pictures: Vec<String>,
}

impl Problems {
    /// Sorts `problems` of `text` by place and keeps the first fifty.
    pub(crate) fn new(
        file: &Path,
        text: &str,
        mut problems: Vec<Problem>,
        quoting: Quoting,
    ) -> Self {
        problems.sort_by_key(|problem| problem.at);
        let unlisted = problems.len().saturating_sub(SHOWN_AT_MOST);
        problems.truncate(SHOWN_AT_MOST);
        for problem in &mut problems {
            problem.what = cropped(&problem.what);
        }
        let pictures = match quoting {
            Quoting::Lines => problems.iter().map(|problem| picture(text, problem.at)).collect(),
            Quoting::Nothing => Vec::new(),
        };
        Self { file: file.to_owned(), problems, unlisted, pictures }
    }

    /// One problem with a file as a whole.
    pub(crate) fn of_file(file: &Path, what: impl Into<String>, help: impl Into<String>) -> Self {
        let problem = Problem { at: Place::START, what: what.into(), help: help.into() };
        Self::new(file, "", vec![problem], Quoting::Nothing)
    }

    /// One problem with the value below `keys`, from the outermost key to the innermost.
    pub(crate) fn at_key(
        file: &Path,
        text: &str,
        keys: &[&str],
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let at = document::read(text).map_or(Place::START, |document| document.place_below(keys));
        let problem = Problem { at, what: what.into(), help: help.into() };
        Self::new(file, text, vec![problem], Quoting::Lines)
    }
}

impl fmt::Display for Problems {
    /// Each problem as its sentence with file, line and column, the line with a caret, and a
    /// hint; an empty line between two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index != 0 {
                write!(f, "\n\n")?;
            }
            let Place { line, column, .. } = problem.at;
            write!(f, "error: {} ({}:{line}:{column})", problem.what, self.file.display())?;
            if let Some(picture) = self.pictures.get(index) {
                write!(f, "{picture}")?;
            }
            write!(f, "\nhint: {}", problem.help)?;
        }
        match self.unlisted {
            0 => Ok(()),
            more => write!(f, "\n\n… and {more} more in {}", self.file.display()),
        }
    }
}

impl std::error::Error for Problems {}

/// `sentence` without its middle where it is endless: it may repeat what somebody wrote.
fn cropped(sentence: &str) -> String {
    let length = sentence.chars().count();
    if length <= LONGEST_SENTENCE {
        return sentence.to_owned();
    }
    let half = LONGEST_SENTENCE / 2;
    let head: String = sentence.chars().take(half).collect();
    let tail: String = sentence.chars().skip(length - half).collect();
    format!("{head} … {tail}")
}

/// The line at `at` and a caret below, or nothing for an empty line or one past the text's end.
fn picture(text: &str, at: Place) -> String {
    let Some(line) = lines(text).nth(at.line - 1).filter(|line| !line.trim().is_empty()) else {
        return String::new();
    };
    // One character, one cell: tabs and control characters would move the caret or the cursor.
    let line: Vec<char> =
        line.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let start = at.column.saturating_sub(1).min(line.len());
    let from = match line.len() {
        length if length <= WIDEST_PICTURE => 0,
        _ => start.saturating_sub(WIDEST_PICTURE / 2),
    };
    let upto = line.len().min(from + WIDEST_PICTURE);
    let shown: String = line[from..upto].iter().collect();
    let caret = "^".repeat(at.width.clamp(1, (upto - start).max(1)));
    let number = at.line.to_string();
    let margin = " ".repeat(number.len());
    format!("\n {number} | {shown}\n {margin} | {}{caret}", " ".repeat(start - from))
}

/// The lines of a text as YAML counts them: a carriage return alone ends one, too.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_sentence_keeps_its_beginning_and_its_end() {
        let longest = "x".repeat(LONGEST_SENTENCE);
        assert_eq!(cropped(&longest), longest);
        let sentence = format!("begin{}end", "é".repeat(LONGEST_SENTENCE));
        let half = LONGEST_SENTENCE / 2;
        let (head, tail) = ("é".repeat(half - 5), "é".repeat(half - 3));
        assert_eq!(cropped(&sentence), format!("begin{head} … {tail}end"));
    }

    #[test]
    fn the_caret_stands_below_the_value_wherever_the_line_had_to_be_cut() {
        for (before, after, width, because) in [
            (0, 0, 5, "a short line"),
            (10, 90, 5, "a long one, cut behind"),
            (60, 90, 5, "cut on both sides"),
            (200, 0, 5, "cut before"),
            (WIDEST_PICTURE - 5, 0, 5, "as long as fits"),
        ] {
            let text = format!("{}value{}", "é".repeat(before), "-".repeat(after));
            let picture = picture(&text, Place { line: 1, column: before + 1, width });
            let [line, caret] =
                picture.trim_start_matches('\n').split('\n').collect::<Vec<_>>()[..]
            else {
                panic!("{because}: {picture}");
            };
            let start = line.chars().take_while(|c| *c != 'v').count();
            let shown = caret.chars().take_while(|c| *c != '^').count();
            assert_eq!((start, caret.trim_end().chars().count() - shown), (shown, 5), "{because}");
            assert!(line.chars().count() <= WIDEST_PICTURE + " 1 | ".len(), "{because}: {line}");
            let in_front = before.min(WIDEST_PICTURE / 2);
            assert!(in_front <= start - " 1 | ".len(), "{because}: what is before it is shown");
        }
    }

    #[test]
    fn a_caret_ends_with_the_line() {
        let told = picture("ab", Place { line: 1, column: 2, width: 9 });
        assert_eq!(told, "\n 1 | ab\n   |  ^");
        let told = picture("ab", Place { line: 1, column: 3, width: 1 });
        assert_eq!(told, "\n 1 | ab\n   |   ^", "what is missing is missing behind it");
    }
}
