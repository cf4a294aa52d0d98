//! Numbers and names as a report shows them.

/// `text` as HTML shows it, in an element or an attribute's value.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
    }
    out
}

/// As [`escaped`]; what stands between two backticks is code.
pub(super) fn coded(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let pieces = pieces.map(|(place, piece)| match place % 2 {
        0 => escaped(piece),
        _ => format!("<code>{}</code>", escaped(piece)),
    });
    pieces.collect()
}

/// A share as a percentage, with as many digits as tell something: `0.020 %`, `1.9 %`. The
/// space doesn't break.
pub(super) fn percent(ratio: f64) -> String {
    let percent = 100.0 * ratio;
    match percent {
        _ if percent == 0.0 => "0\u{a0}%".to_owned(),
        _ if percent < 0.001 => "under 0.001\u{a0}%".to_owned(),
        _ if percent < 0.1 => format!("{percent:.3}\u{a0}%"),
        _ if percent < 1.0 => format!("{percent:.2}\u{a0}%"),
        _ => format!("{percent:.1}\u{a0}%"),
    }
}

/// How long a request may wait, given in seconds: `250 ms`, `1.5 s`.
pub(super) fn wait(seconds: f64) -> String {
    let (number, unit) = if seconds < 1.0 { (1e3 * seconds, "ms") } else { (seconds, "s") };
    format!("{}\u{a0}{unit}", (10.0 * number).round() / 10.0)
}

/// `value` with so many digits that matter; what is above zero stays so.
pub(super) fn digits(value: f64, digits: i32) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let unit = 10f64.powi(digits - 1 - value.log10().floor() as i32);
    (value * unit).round() / unit
}

/// Dollars, in cents below a hundred: `$19.50`, `$1,234`.
pub(super) fn dollars(amount: f64) -> String {
    if amount < 100.0 { format!("${amount:.2}") } else { format!("${}", grouped(amount)) }
}

/// A whole number with its thousands apart: `12,345`.
pub(in crate::sim::backtest) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if 0 < place && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Seconds as people say them: `6 days`, `2 minutes`.
pub(super) fn length(seconds: u64) -> String {
    for (unit, word) in [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")] {
        if unit <= seconds {
            let number = (10.0 * seconds as f64 / unit as f64).round() / 10.0;
            let ending = if number == 1.0 { "" } else { "s" };
            return format!("{number} {word}{ending}");
        }
    }
    "no time".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_tell_something() {
        for (ratio, says) in [
            (0.0, "0\u{a0}%"),
            (0.000_001, "under 0.001\u{a0}%"),
            (0.000_2, "0.020\u{a0}%"),
            (0.001_94, "0.19\u{a0}%"),
            (0.082_6, "8.3\u{a0}%"),
        ] {
            assert_eq!(percent(ratio), says);
        }
        let amounts = [0.5, 99.9, 100.0, 1_234.4, 1_234_567.0].map(dollars);
        assert_eq!(amounts, ["$0.50", "$99.90", "$100", "$1,234", "$1,234,567"]);
        assert_eq!([0.25, 1.5].map(wait), ["250\u{a0}ms", "1.5\u{a0}s"]);
        let lengths = [10, 60, 5_400, 518_400].map(length);
        assert_eq!(lengths, ["10 seconds", "1 minute", "1.5 hours", "6 days"]);
        assert_eq!(escaped("<a & 'b\">"), "&lt;a &amp; &#39;b&quot;&gt;");
        assert_eq!(coded("`min: <2`, or `4`"), "<code>min: &lt;2</code>, or <code>4</code>");
    }
}
