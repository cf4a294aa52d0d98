//! `windlass decide`

use std::io::{BufRead, BufWriter, Write};

use anyhow::Context;

use super::exit::Failure;
use crate::decide::{Answer, LONGEST_LINE, decide_line, line_too_long};

/// Arguments of `windlass decide`.
#[derive(Debug, clap::Args)]
pub(super) struct DecideArguments {}

/// Answers each line of standard input with a line, one at a time.
pub(super) fn decide(_: &DecideArguments) -> Result<(), Failure> {
    let mut output = BufWriter::new(std::io::stdout().lock());
    let tally = answer_all(std::io::stdin().lock(), &mut output).map_err(Failure::failed)?;
    if tally.failed != 0 {
        anstream::eprintln!("{} of {} cases have mistakes", tally.failed, tally.answered);
    }
    Ok(())
}

#[derive(Default)]
struct Tally {
    answered: u64,
    failed: u64,
}

fn answer_all(mut input: impl BufRead, output: &mut impl Write) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut line = Vec::new();
    let mut number = 0;
    while let Some(read) = next_line(&mut input, &mut line).context("can't read the cases")? {
        number += 1;
        let answer = match read {
            Line::TooLong => line_too_long(number),
            Line::Whole if line.iter().all(u8::is_ascii_whitespace) => continue,
            Line::Whole => decide_line(&line, number),
        };
        tally.answered += 1;
        tally.failed += u64::from(answer.is_failed());
        write(output, &answer).context("can't write the answers")?;
    }
    output.flush().context("can't write the answers")?;
    Ok(tally)
}

fn write(output: &mut impl Write, answer: &Answer) -> std::io::Result<()> {
    serde_json::to_writer(&mut *output, answer)?;
    output.write_all(b"\n")
}

enum Line {
    Whole,
    /// Only its beginning is in the buffer; the rest was passed over.
    TooLong,
}

/// Reads the next line into `line`, never more of it than [`LONGEST_LINE`]; none at the end.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<Option<Line>> {
    line.clear();
    let (mut is_too_long, mut is_anything) = (false, false);
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        is_anything |= !buffer.is_empty();
        is_too_long |= LONGEST_LINE < line.len() + part.len();
        if !is_too_long {
            line.extend_from_slice(part);
        }
        let (is_over, used) = (end.is_some() || buffer.is_empty(), part.len());
        input.consume(used + usize::from(end.is_some()));
        if is_over {
            let read = if is_too_long { Line::TooLong } else { Line::Whole };
            return Ok(is_anything.then_some(read));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers to `cases`, read in small pieces.
    fn answers(cases: &[u8]) -> Vec<serde_json::Value> {
        let mut output = Vec::new();
        let input = std::io::BufReader::with_capacity(7, cases);
        answer_all(input, &mut output).expect("memory can be read and written");
        let text = String::from_utf8(output).expect("JSON is UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }

    #[test]
    fn a_line_that_is_too_long_is_refused_and_the_next_one_answered() {
        let mut cases = vec![b' '; LONGEST_LINE + 1];
        cases.extend_from_slice(b"\n\n{\"id\": \"after\"}");
        let answers = answers(&cases);
        assert_eq!(answers.len(), 2, "an empty line is no case");
        assert_eq!(
            (&answers[0]["id"], &answers[0]["error"]["kind"]),
            (&"1".into(), &"too_large".into())
        );
        assert_eq!(answers[1]["id"], "after");
    }
}
