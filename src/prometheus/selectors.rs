//! Finds the series selectors of a PromQL expression, and writes the query that dates them.
//!
//! In: an expression that Prometheus understands.
//! Out: its selectors without ranges, and a query for the age of what they match.
//! Never: judges the expression; that is Prometheus's part. One that it refuses gives anything.
//!
//! A scanner, not a parser: a name is a selector unless what stands around it says otherwise.

use std::collections::BTreeSet;

/// The query whose value is the time, in seconds since 1970, of the newest sample behind each
/// selector of `expression`, and of those the oldest; `None` when the expression has none.
///
/// Empty when no selector matches a series that is alive.
pub(super) fn dating_query(expression: &str) -> Option<String> {
    let selectors = selectors(expression);
    // The label keeps `or` from taking the second for the first.
    let newest = |(number, selector): (usize, &String)| {
        format!(r#"label_replace(max(timestamp({selector})),"selector","{number}","","")"#)
    };
    let each: Vec<_> = selectors.iter().enumerate().map(newest).collect();
    (!each.is_empty()).then(|| format!("min({})", each.join(" or ")))
}

/// The same for each node: the time of the newest raw sample behind each selector, by the label
/// that tells nodes apart, with the selector's number in the label [`SELECTOR`].
pub(super) fn node_dating_query(expression: &str, node_label: &str) -> Option<String> {
    let selectors = selectors(expression);
    let newest = |(number, selector): (usize, &String)| {
        format!(
            r#"label_replace(max by ({node_label}) (timestamp({selector})),"{SELECTOR}","{number}","","")"#
        )
    };
    let each: Vec<_> = selectors.iter().enumerate().map(newest).collect();
    (!each.is_empty()).then(|| each.join(" or "))
}

/// The label that keeps the selectors of a [`node_dating_query`] apart. Nobody names nodes by it.
pub(super) const SELECTOR: &str = "windlass_selector";

/// The selectors of `expression` that look at the present, each once.
pub(super) fn selectors(expression: &str) -> BTreeSet<String> {
    let tokens = tokens(expression);
    let mut found = BTreeSet::new();
    let mut at = 0;
    while at < tokens.len() {
        let next = tokens.get(at + 1);
        match &tokens[at] {
            Token::Name(name) if takes_labels(name) => {
                at = if next == Some(&Token::Mark('(')) {
                    after_list(&tokens, at + 1)
                } else {
                    at + 1
                };
            }
            Token::Name(name) if is_word(name, next) => at += 1,
            Token::Name(name) => {
                let (matchers, end) = match next {
                    Some(Token::Matchers(matchers)) => (*matchers, at + 2),
                    _ => ("", at + 1),
                };
                if looks_at_the_present(&tokens[end..]) {
                    found.insert(format!("{name}{matchers}"));
                }
                at = end;
            }
            Token::Matchers(matchers) => {
                at += 1;
                if looks_at_the_present(&tokens[at..]) {
                    found.insert((*matchers).to_string());
                }
            }
            Token::Range | Token::Mark(_) => at += 1,
        }
    }
    found
}

/// A piece of an expression, as far as it matters here. Numbers, durations, strings and comments
/// are left out.
#[derive(Debug, PartialEq)]
enum Token<'a> {
    /// A metric, function, operator or keyword.
    Name(&'a str),
    /// `{…}`, braces included.
    Matchers(&'a str),
    /// `[…]`.
    Range,
    /// Any other sign.
    Mark(char),
}

/// What a range and a modifier after a selector say: `offset` and `@` look at the past.
fn looks_at_the_present(rest: &[Token<'_>]) -> bool {
    let rest = rest.strip_prefix(&[Token::Range]).unwrap_or(rest);
    match rest.first() {
        Some(Token::Mark('@')) => false,
        Some(Token::Name(name)) => !name.eq_ignore_ascii_case("offset"),
        _ => true,
    }
}

/// Keywords that a list of label names may follow.
fn takes_labels(name: &str) -> bool {
    let keywords = ["by", "without", "on", "ignoring", "group_left", "group_right"];
    keywords.iter().any(|keyword| name.eq_ignore_ascii_case(keyword))
}

/// Whether a name is no metric: a function, an aggregation, an operator or a number's name.
fn is_word(name: &str, next: Option<&Token<'_>>) -> bool {
    let words = ["and", "or", "unless", "atan2", "bool", "offset", "inf", "nan"];
    let aggregates = matches!(next, Some(Token::Name(clause))
        if clause.eq_ignore_ascii_case("by") || clause.eq_ignore_ascii_case("without"));
    next == Some(&Token::Mark('('))
        || aggregates
        || words.iter().any(|word| name.eq_ignore_ascii_case(word))
}

/// The place after the list that opens at `open`.
fn after_list(tokens: &[Token<'_>], open: usize) -> usize {
    let close = tokens[open..].iter().position(|token| *token == Token::Mark(')'));
    close.map_or(tokens.len(), |close| open + close + 1)
}

fn tokens(expression: &str) -> Vec<Token<'_>> {
    let mut tokens = vec![];
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' | '`' => string_length(rest, first),
            '{' => block_length(rest, '}'),
            '[' => block_length(rest, ']'),
            c if begins_name(c) => length_while(rest, |c| begins_name(c) || c.is_ascii_digit()),
            c if c.is_ascii_digit() || c == '.' => number_length(rest),
            c => c.len_utf8(),
        };
        let (text, after) = rest.split_at(length);
        match first {
            '{' => tokens.push(Token::Matchers(text)),
            '[' => tokens.push(Token::Range),
            c if begins_name(c) => tokens.push(Token::Name(text)),
            '#' | '"' | '\'' | '`' | '.' => {}
            c if c.is_ascii_digit() || c.is_whitespace() => {}
            c => tokens.push(Token::Mark(c)),
        }
        rest = after;
    }
    tokens
}

fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == ':'
}

fn length_while(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// A number or duration: `1.5e-3`, `0x1F`, `1h30m`.
fn number_length(text: &str) -> usize {
    let plain = |text: &str| length_while(text, |c| c.is_ascii_alphanumeric() || "._".contains(c));
    let length = plain(text);
    let is_exponent = text[..length].ends_with(['e', 'E']) && !text.starts_with("0x");
    match text[length..].strip_prefix(['+', '-']) {
        Some(digits) if is_exponent => length + 1 + plain(digits),
        _ => length,
    }
}

/// A string with its quotes. Only backquotes take backslashes as they are.
fn string_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (place, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return place + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// A block with both its brackets; strings and comments inside may hold brackets of their own.
fn block_length(text: &str, close: char) -> usize {
    let mut place = 1;
    while let Some(c) = text[place..].chars().next() {
        place += match c {
            '"' | '\'' | '`' => string_length(&text[place..], c),
            '#' => text[place..].find('\n').unwrap_or(text.len() - place),
            c => c.len_utf8(),
        };
        if c == close {
            return place;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_selector_of_an_expression_is_found_and_nothing_else() {
        for (expression, expected) in [
            (
                r#"sum(rate(http_requests_total{path="/notifications"}[30s]))"#,
                &[r#"http_requests_total{path="/notifications"}"#][..],
            ),
            ("histogram_quantile(0.95, sum by (le) (rate(d_bucket[1m])))", &["d_bucket"]),
            ("sum by(a,b)(x) / on (a) group_left(c) sum without (d) (y)", &["x", "y"]),
            ("sum(x) by (path)", &["x"]),
            ("Sum BY (a) (x) And y OFFSET 5m", &["x"]),
            ("hits / ignoring(code) group_left total", &["hits", "total"]),
            (r#"count(up{job="a"} == 1)"#, &[r#"up{job="a"}"#]),
            (r#"{__name__=~"a|b", x!="}"}[5m]"#, &[r#"{__name__=~"a|b", x!="}"}"#]),
            (r#"label_replace(x, "up", "$1", "by", "(.*)")"#, &["x"]),
            ("x # and y{z=\"}\"}\n + job:rate:5m", &["job:rate:5m", "x"]),
            ("max_over_time(rate(x[1m])[5m:10s])", &["x"]),
            ("x > 1e-3 and x < 0x1F or x == bool Inf unless nan", &["x"]),
            ("now - x offset 1d - y[5m] @ 1700000000", &["now"]),
            ("x offset -1m", &[]),
            ("count_values('v', x{a='\\'{'})", &["x{a='\\'{'}"]),
            ("count / sum", &["count", "sum"]),
            ("rate(x[5m]) * scalar(y)", &["x", "y"]),
            ("x{} atan2 y", &["x{}", "y"]),
            ("vector(1) + time()", &[]),
            ("\"text\"", &[]),
            ("x{a=`\\`}", &["x{a=`\\`}"]),
            ("-x ^ 2 % y", &["x", "y"]),
            ("", &[]),
        ] {
            let found = selectors(expression);
            assert_eq!(
                found.iter().map(String::as_str).collect::<Vec<_>>(),
                expected,
                "{expression}"
            );
        }
    }

    #[test]
    fn the_dating_query_takes_the_oldest_of_the_newest() {
        assert_eq!(dating_query("vector(1)"), None);
        assert_eq!(
            dating_query("rate(b[1m]) / rate(a[1m])").unwrap(),
            r#"min(label_replace(max(timestamp(a)),"selector","0","","") or "#.to_owned()
                + r#"label_replace(max(timestamp(b)),"selector","1","",""))"#
        );
    }

    #[test]
    fn the_dating_query_of_nodes_keeps_them_and_the_selectors_apart() {
        assert_eq!(node_dating_query("vector(1)", "instance"), None);
        assert_eq!(
            node_dating_query("rate(b[1m]) / a", "instance").unwrap(),
            r#"label_replace(max by (instance) (timestamp(a)),"windlass_selector","0","","") or "#
                .to_owned()
                + r#"label_replace(max by (instance) (timestamp(b)),"windlass_selector","1","","")"#
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_scanner_stumble(text in r#"[ -~{}\[\]"'`#é\n]{0,60}"#) {
            let _ = dating_query(&text);
        }
    }
}
