//! OpenMetrics' text as the older text format of Prometheus.
//!
//! In: what `prometheus-client` wrote.
//! Out: the same samples under the same names.
//! Never: changes a sample.
//!
//! Source: OpenMetrics 1.0 and Prometheus' "text format 0.0.4": a counter's name ends in `_total`
//! in its `TYPE` and `HELP`, too; there is neither `UNIT` nor `EOF`, and what has no type is
//! `untyped`.

use std::collections::BTreeSet;

/// `open` in the older format.
pub(super) fn plain(open: &str) -> String {
    let counters: BTreeSet<&str> = open
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut plain = String::with_capacity(open.len());
    for line in open.lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            plain.extend([line, "\n"]);
            continue;
        };
        let mut words = comment.splitn(3, ' ');
        let (Some(kind @ ("TYPE" | "HELP")), Some(name), Some(rest)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let total = if counters.contains(name) { "_total" } else { "" };
        let rest = if (kind, rest) == ("TYPE", "unknown") { "untyped" } else { rest };
        plain.push_str(&format!("# {kind} {name}{total} {rest}\n"));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_stay_and_counters_are_named_as_they_are_counted() {
        let open = "# HELP a_decisions Decisions made.\n# TYPE a_decisions counter\n\
                    # UNIT a_decisions x\na_decisions_total{p=\"# x\"} 3\n\
                    # HELP b Nodes by state.\n# TYPE b gauge\nb 2\n# TYPE c unknown\nc 1\n# EOF\n";
        let wanted = "# HELP a_decisions_total Decisions made.\n# TYPE a_decisions_total counter\n\
                      a_decisions_total{p=\"# x\"} 3\n\
                      # HELP b Nodes by state.\n# TYPE b gauge\nb 2\n# TYPE c untyped\nc 1\n";
        assert_eq!(plain(open), wanted);
    }
}
