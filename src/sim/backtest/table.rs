//! Reading a table of numbers with a header, every mistake named by its line.
//!
//! In: a CSV file.
//! Out: its rows of finite numbers, each with its line.
//! Never: guesses what a broken line may have meant.

use std::fmt;
use std::io::BufRead;

/// One row: its line in the file, and its numbers.
pub(super) type Row<const N: usize> = (usize, [f64; N]);

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}\nhint: {}", self.line, self.what, self.help)
    }
}

/// Reads `text`, whose header must name exactly `columns`. Values are finite and at least 0.
pub(super) fn read<const N: usize>(
    text: &str,
    columns: [&str; N],
) -> Result<Vec<Row<N>>, Unreadable> {
    rows(text.as_bytes(), columns)?.collect()
}

/// The rows of what `source` holds, one after the other, so that no long table fills the memory; its
/// header must name exactly `columns`.
pub(super) fn rows<const N: usize>(
    source: impl BufRead,
    columns: [&str; N],
) -> Result<impl Iterator<Item = Result<Row<N>, Unreadable>>, Unreadable> {
    let mut lines = source.lines().enumerate().map(|(place, line)| {
        let line = line.map_err(|cause| Unreadable {
            line: place + 1,
            what: format!("it can't be read: {cause}"),
            help: "is it a text file?".into(),
        });
        line.map(|line| (place + 1, line))
    });
    let header = lines.next().transpose()?.map(|(_, header)| header).unwrap_or_default();
    let header = header.trim_start_matches('\u{feff}').trim();
    if !header.split(',').map(str::trim).eq(columns) {
        let what = format!("the header is `{}`", shortened(header));
        let help = format!("the first line must be `{}`", columns.join(","));
        return Err(Unreadable { line: 1, what, help });
    }
    let filled = lines.filter(|line| !line.as_ref().is_ok_and(|(_, line)| line.trim().is_empty()));
    Ok(filled.map(move |line| {
        let (line, text) = line?;
        Ok((line, row(line, text.trim(), columns)?))
    }))
}

fn row<const N: usize>(
    line: usize,
    text: &str,
    columns: [&str; N],
) -> Result<[f64; N], Unreadable> {
    let mut fields = text.split(',').map(str::trim);
    let mut values = [0.0; N];
    for (value, column) in values.iter_mut().zip(columns) {
        let Some(field) = fields.next() else {
            let what = format!("`{}` is missing", column);
            let help =
                format!("each line has {N} values; leave a whole line out where none is known");
            return Err(Unreadable { line, what, help });
        };
        let number = field.parse().ok().filter(|number: &f64| number.is_finite() && 0.0 <= *number);
        *value = number.ok_or_else(|| Unreadable {
            line,
            what: format!("`{}` is `{}`", column, shortened(field)),
            help: "write a finite number of 0 or more, with a point".into(),
        })?;
    }
    match fields.next() {
        None => Ok(values),
        Some(field) => Err(Unreadable {
            line,
            what: format!("`{}` is one value too many", shortened(field)),
            help: format!("each line has {N} values"),
        }),
    }
}

/// The beginning of a text that might be a whole binary file.
fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
