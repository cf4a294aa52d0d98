//! Policies as operators write them: the shipped ones, broken ones, and garbage.

use std::path::{Path, PathBuf};

use windlass::policy::{self, Policy, Problems};

/// A policy of the fewest keys, to be spoiled by the tests.
const MINIMAL: &str = include_str!("../../policies/minimal.yaml");
const REFERENCE: &str = include_str!("../../policies/notifications.yaml");

fn parse(text: &str) -> Result<Policy, Problems> {
    policy::parse(text, Path::new("policies/notifications.yaml"))
}

fn problems(text: &str) -> Problems {
    match parse(text) {
        Ok(policy) => panic!("this was accepted:\n{text}\n{policy:#?}"),
        Err(problems) => problems,
    }
}

/// The minimal policy with `find` replaced; `find` must be there.
fn minimal_with(find: &str, replace: &str) -> String {
    assert!(MINIMAL.contains(find), "{find:?} is not in policies/minimal.yaml");
    MINIMAL.replace(find, replace)
}

/// The minimal policy with the top-level keys of `fragment` in place of its own.
fn minimal_and(fragment: &str) -> String {
    let keys: Vec<&str> = fragment.lines().filter_map(top_level_key).collect();
    let mut kept = String::new();
    let mut keep = true;
    for line in MINIMAL.lines() {
        if let Some(key) = top_level_key(line) {
            keep = !keys.contains(&key);
        }
        if keep {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept + fragment
}

fn top_level_key(line: &str) -> Option<&str> {
    let key = line.split_once(':')?.0;
    key.starts_with(|c: char| c.is_ascii_lowercase()).then_some(key)
}

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let files = folder.read_dir().expect("the folder is part of the repository");
    let files: Vec<PathBuf> = files
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    assert!(2 <= files.len(), "only {files:?}");
    files
}

#[test]
fn every_shipped_policy_parses_and_has_no_warning() {
    for file in shipped() {
        let text = std::fs::read_to_string(&file).expect("it is a text");
        let policy = policy::parse(&text, &file).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(policy::lint(&policy), [], "{}", file.display());
    }
}

#[test]
fn a_dozen_lines_are_a_policy_and_the_whole_that_results_can_be_read() {
    let written = MINIMAL.lines().filter(|line| !line.starts_with('#')).count();
    assert!(written <= 12, "{written} lines");
    let policy = parse(MINIMAL).unwrap_or_else(|problems| panic!("{problems}"));
    insta::assert_snapshot!(policy::explain_defaults(&policy));
}

#[test]
fn the_digest_is_that_of_the_file_as_it_is() {
    let digest = |text: &str| parse(text).unwrap_or_else(|problems| panic!("{problems}")).digest;
    assert_eq!(digest(MINIMAL).len(), 64);
    assert_eq!(digest(MINIMAL), digest(MINIMAL));
    assert_ne!(digest(MINIMAL), digest(&format!("{MINIMAL}# a remark\n")));
}

#[test]
fn every_problem_of_a_file_is_told_at_once_with_its_place_and_remedy() {
    let text = "\
pool: Notifications
control: dryrun
bounds: {min: 3, max: 2}
signals:
  requests:
    prometheus: {query: 'sum(rate(http_requests_total[1m]))', querry: x}
    stale_after: 45
  p95: {prometheus: {query: ''}}
rules:
  - target: {signal: request, per_node: 0, headroom_percent: 15%}
  - latency: {signal: p95, objective: 300ms, clear_below: 1 fortnight}
  - latncy: {}
  - {target: {}, latency: {}}
tolerance: {out_percent: -5, in_percent: 100}
scale_out: {pace: [{nodes: 10, percent: 100, per: 1m}, {per: 1m}, {nodes: 0, per: 0s}]}
scale_in: {cooldwon: 5m, order: random, order: newest}
missing_data: {then: panic}
budget: {hourly: 0, monthly: -3, soft_percent: 120}
effectiveness: {after: 0, improves_percent: 100, rest: 0}
node:
  type: g6 standard
  image: linode/debian12
  vlan: {label: app, cidr: 10.10.0.0/30, reserve: [10.10.0.9-10.10.0.1]}
  ssh: {port: 70000}
  backoff: {first: 1h, longest: 5m}
configure: {playbook: node.yml, batch: 0, variables: {1st: x, windlass_pool: y, list: []}}
join: {backend: app/1, port: eighty, check: {path: /healthz, fall: 1}, timeout:}
";
    insta::assert_snapshot!(problems(text));
}

#[test]
fn what_this_version_does_not_know_yet_is_refused_rather_than_believed() {
    let text = minimal_and(
        "\
signals:
  requests: {prometheus: {query: up}}
rules:
  - target: {signal: requests, per_node: 400}
schedule: {cron: '0 17 * * *'}
",
    );
    insta::assert_snapshot!(problems(&text));
}

#[test]
fn a_file_that_is_no_yaml_has_one_problem_at_its_place() {
    let texts = [
        ("a bracket that stays open", "pool: notifications\nbounds: {min: 2, max: 12\nrules: []\n"),
        ("a colon too many", "pool: notifications: x\n"),
        ("a quote that stays open", "pool: 'notifications\n"),
        ("an alias without its anchor", "pool: *nothing\n"),
        ("a tag of somebody else", "pool: !vault x\n"),
        ("two documents", "pool: a\n---\npool: b\n"),
        ("nothing at all", ""),
        ("a list", "- pool: a\n"),
        ("a word", "windlass\n"),
    ];
    let told: Vec<String> =
        texts.map(|(what, text)| format!("# {what}\n{}\n", problems(text))).into();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn problems_are_there_for_programs_too() {
    let text = minimal_with("{min: 2, max: 12}", "{min: 20, max: 12}");
    insta::assert_json_snapshot!(problems(&text));
}

#[test]
fn a_setting_that_cannot_be_meant_is_refused() {
    for (fragment, what) in [
        ("pool: a--b\n", "`a--b` is no pool name"),
        ("pool: this-name-is-far-too-long\n", "is no pool name"),
        ("pool: 42\n", "`pool` must be text, but 42 is a number"),
        ("bounds: {min: 2}\n", "`max` is missing in `bounds`"),
        ("bounds: {min: -1, max: 4}\n", "`min` is -1, but must be at least 0"),
        ("bounds: {max: 0}\n", "`max` is 0, but must be at least 1"),
        ("bounds: {max: 4.5}\n", "`max` must be a whole number, but is the number 4.5"),
        ("bounds: {max: 99999999999999999999}\n", "but is the number 99999999999999999999"),
        ("bounds: {max: '4'}\n", "`max` must be a whole number, but is text"),
        ("bounds: {max: 4, default: 5}\n", "`default` is 5, outside of `min` 1 and `max` 4"),
        ("bounds: {max: 300}\n", "has 235 addresses left beside `reserve`, but `max` is 300"),
        ("bounds: {max: 3, <<: {min: 2}}\n", "merge keys (`<<`) are not supported"),
        ("bounds: {max: 3, max: 4}\n", "`max` is there a second time"),
        ("bounds:\n", "`bounds` has no value"),
        ("configure: {playbook: ' node.yml'}\n", "`playbook` must be one line of text without"),
        (
            "scale_in: {order: 5}\n",
            "`order` must be `billing_hour` or `newest` or `oldest`, but is",
        ),
        ("scale_in: {pace: [{percent: 0, per: 1m}]}\n", "`percent` is 0"),
        ("signals: {}\n", "`signals` is empty"),
        ("signals: {'a b': {prometheus: {query: up}}}\n", "`a b` is no signal name"),
        ("rules: []\n", "`rules` is empty"),
        ("rules: {target: {}}\n", "`rules` must be a list"),
        ("rules: [target]\n", "`rules[0]` must be a mapping such as `target: {…}`"),
        ("rules: [{}]\n", "`rules[0]` must have one key, its kind, but has 0"),
        (
            "rules: [{target: {signal: requests, per_node: .inf}}]\n",
            "`per_node` must be a finite number",
        ),
        ("rules: [{latency: {signal: requests, objective: 0s}}]\n", "`objective` is 0s, too short"),
        (
            "rules: [{latency: {signal: requests, objective: 1s, clear_below: 2s}}]\n",
            "`clear_below` is 2s, above `objective`, which is 1s",
        ),
        (
            "rules: [{target: {signal: requests}}]\n",
            "`per_node` is missing in `target`, or one of `value`, `average` and",
        ),
        (
            "rules: [{target: {signal: requests, per_node: 1, value: 1}}]\n",
            "`target` has more than one of `per_node`, `value`, `average` and",
        ),
        (
            "rules: [{target: {signal: requests, utilization_percent: 70}}]\n",
            "`utilization_percent` is no key of `target`",
        ),
        ("rules: [{target: {signal: requests, utilisation: 0.7}}]\n", "`utilisation` is no key of"),
        ("rules: [{target: {signal: requests, value: -1}}]\n", "`value` is -1, below zero"),
        (
            "rules: [{target: {signal: requests, average: 0}}]\n",
            "`average` is 0, but must be above zero",
        ),
        (
            "rules: [{target: {signal: requests, utilisation_percent: 0}}]\n",
            "`utilisation_percent` is 0, but must be from 1",
        ),
        (
            "rules: [{target: {signal: requests, utilisation_percent: 70.5}}]\n",
            "`utilisation_percent` must be a whole number",
        ),
        (
            "rules: [{target: {signal: requests, value: 1, tolerance: {in_percent: 100}}}]\n",
            "`in_percent` is 100, so no node could ever leave",
        ),
        ("rules: [{target: {signal: requests, value: 1, group: ' '}}]\n", "`group` is empty"),
        (
            "rules: [{target: {signal: requests, average: 1}}]\n",
            "`requests` has one value, but this rule needs one of each node",
        ),
        (
            "signals: {cpu: {prometheus: {query: up, node_label: instance}}}\n\
             rules: [{count: {signal: cpu}}]\n",
            "`cpu` has a value of each node, but this rule needs one",
        ),
        (
            "signals: {requests: {prometheus: {query: up, node_label: a-b}}}\n",
            "`a-b` is no name of a label",
        ),
        (
            "signals: {requests: {prometheus: {query: up, capacity: 4}}}\n",
            "`capacity` without `node_label`",
        ),
        (
            "signals: {cpu: {prometheus: {query: up, node_label: a, capacity: 0}}}\n\
             rules: [{target: {signal: cpu, average: 1}}]\n",
            "`capacity` is 0, but must be above zero",
        ),
        (
            "signals: {cpu: {prometheus: {query: up, node_label: a}, coverage: {query: up}}}\n\
             rules: [{target: {signal: cpu, average: 1}}]\n",
            "`coverage` beside `node_label`",
        ),
        ("rules: [{count: {}}]\n", "`signal` is missing in `count`"),
        ("rules: [{fixed: {}}]\n", "`count` is missing in `fixed`"),
        ("rules: [{hint: {signal: requests}}]\n", "`per_node` is missing in `hint`"),
        (
            "rules: [{hint: {signal: requests, per_node: 1, lead: soon}}]\n",
            "`lead` can't be `soon`",
        ),
        ("rules: [{fixed: {count: -1}}]\n", "`count` is -1, but must be at least 0"),
        ("rules: [{step: {signal: requests, bands: []}}]\n", "`bands` is empty"),
        ("rules: [{step: {signal: requests}}]\n", "`bands` is missing in `step`"),
        (
            "rules: [{step: {signal: requests, bands: [{add: 1}]}}]\n",
            "`bands[0]` has neither `from` nor `below`",
        ),
        (
            "rules: [{step: {signal: requests, bands: [{from: 9, below: 9, add: 1}]}}]\n",
            "`bands[0]` is empty: no value is 9 or more and below 9",
        ),
        (
            "rules: [{step: {signal: requests, bands: [{below: 0, remove: 1}]}}]\n",
            "`bands[0]` is empty: no value is 0 or more and below 0",
        ),
        (
            "rules: [{step: {signal: requests, bands: [{from: 9, add: 1, set: 4}]}}]\n",
            "`bands[0]` does 2 things at once",
        ),
        ("rules: [{step: {signal: requests, bands: [{from: 9}]}}]\n", "`bands[0]` does nothing"),
        (
            "rules: [{step: {signal: requests, bands: [{above: 9, add: 1}]}}]\n",
            "`above` is no key of a band, which begins at its smallest value",
        ),
        (
            "rules: [{step: {signal: requests, bands: [{from: 1, to: 9, add: 1}]}}]\n",
            "`to` is no key of a band, which ends just before a value",
        ),
        (
            "rules: [{step: {signal: requests, bands: [{from: 9, remove_percent: 101}]}}]\n",
            "`remove_percent` is 101, more than all",
        ),
        ("rules: [{step: {signal: requests, bands: [{from: 9, remove: 0}]}}]\n", "`remove` is 0"),
        (
            "rules: [{step: {signal: requests, bands: [{from: 9, add: 1}], \
             samples: {within: 3, of: 2}}}]\n",
            "`within` is 3, more than `of`, which is 2",
        ),
        (
            "rules: [{schedule: {timezone: UTC, cron: '0 17 * *', lasts: 1h, at_least: 3}}]\n",
            "`cron` is no cron pattern: `0 17 * *`",
        ),
        (
            "rules: [{schedule: {timezone: UTC, cron: '0 0 17 * * *', lasts: 1h, at_least: 3}}]\n",
            "`cron` is no cron pattern: `0 0 17 * * *`",
        ),
        (
            "rules: [{schedule: {timezone: UTC, cron: '0 25 * * *', lasts: 1h, at_least: 3}}]\n",
            "`cron` is no cron pattern: `0 25 * * *`",
        ),
        (
            "rules: [{schedule: {timezone: UTC, cron: '0 0 31 2 *', lasts: 1h, at_least: 3}}]\n",
            "`cron` is no cron pattern: `0 0 31 2 *`: no such day ever comes",
        ),
        (
            "rules: [{schedule: {timezone: UTC, cron: '0 17 * * *', lasts: 1h}}]\n",
            "`schedule` has neither `at_least` nor `at_most`",
        ),
        (
            "rules: [{schedule: {timezone: UTC, cron: '0 17 * * *', at_least: 3}}]\n",
            "`schedule` does not say when it begins and ends",
        ),
        (
            "rules: [{schedule: {timezone: UTC, cron: '0 17 * * *', lasts: 30s, at_least: 3}}]\n",
            "`lasts` is 30s, too short",
        ),
        (
            "rules: [{schedule: {timezone: UTC, cron: '0 17 * * *', lasts: 1h, at_least: 13}}]\n",
            "`at_least` is 13, outside of `bounds`, which are 2 to 12",
        ),
        (
            "rules: [{schedule: {timezone: UTC, cron: '0 17 * * *', lasts: 1h, at_most: 1}}]\n",
            "`at_most` is 1, outside of `bounds`, which are 2 to 12",
        ),
        (
            "rules: [{schedule: {timezone: UTC, cron: '0 17 * * *', lasts: 1h, \
             at_least: 5, at_most: 4}}]\n",
            "`at_most` is 4, below `at_least`, which is 5",
        ),
        (
            "rules: [{schedule: {timezone: UTC, from: '2026-12-24 17:00', \
             until: '2026-12-24 17:00', at_least: 5}}]\n",
            "`until` is not a minute to ten years after `from`",
        ),
        (
            "rules: [{schedule: {timezone: UTC, from: '2026-02-30 17:00', lasts: 1h, \
             at_least: 5}}]\n",
            "`from` is no day and time: `2026-02-30 17:00`",
        ),
        (
            "rules: [{schedule: {timezone: UTC, from: '2026-12-24T17:00:00Z', lasts: 1h, \
             at_least: 5}}]\n",
            "`from` is no day and time",
        ),
        (
            "rules: [{schedule: {timezone: Mars/Base, cron: '0 17 * * *', lasts: 1h, \
             at_least: 5}}]\n",
            "`Mars/Base` is no time zone",
        ),
        ("scale_in: {stabilize: -5m}\n", "`stabilize` is no duration: `-5m`"),
        ("scale_in: {stabilize: 5}\n", "`stabilize` is 5 without a unit"),
        ("scale_in: {stabilize: 100years}\n", "`stabilize` is longer than ten years"),
        ("scale_in: {leave_early: maybe}\n", "`leave_early` can't be `maybe`"),
        ("configure: {playbook: ' '}\n", "`playbook` is empty"),
        ("configure: {playbook: \"a\\nb\"}\n", "`playbook` must be one line of text"),
        ("configure: {playbook: \"a\\0b\"}\n", "`playbook` holds a NUL character"),
        ("join: {backend: b, check: {interval: 1s, rise: 3}, timeout: 3s}\n", "`timeout` is 3s"),
        ("join: {backend: b, port: 0}\n", "`port` is 0, but must be from 1 to 65535"),
    ] {
        let told = problems(&minimal_and(fragment));
        assert_eq!(told.problems.len(), 1, "{fragment}{told}");
        assert!(told.problems[0].what.contains(what), "{fragment}{told}");
        assert!(!told.problems[0].help.is_empty(), "{fragment}{told}");
    }
}

#[test]
fn names_that_linux_and_linode_would_refuse_are_refused_here() {
    let node = |ssh: &str, label: &str| {
        let vlan = format!("{{label: '{label}', cidr: 10.10.0.0/24, reserve: [10.10.0.1]}}");
        minimal_and(&format!(
            "node: {{type: a, region: b, image: c, vlan: {vlan}, ssh: {{user: '{ssh}'}}}}\n"
        ))
    };
    let (longest_user, longest_label) = ("u".repeat(32), "l".repeat(64));
    for (user, label) in [("_apt-1", "App-1"), (&longest_user, &longest_label)] {
        assert!(parse(&node(user, label)).is_ok(), "{user}, {label}");
    }
    for user in ["Root", "1st", "-a", "a b", "ä", &format!("{longest_user}u")] {
        let told = problems(&node(user, "app")).to_string();
        assert!(told.contains("`user` is no name of a Linux user"), "{user}: {told}");
    }
    for label in ["-a", "a--b", "a_b", "a b", "ä", &format!("{longest_label}l")] {
        let told = problems(&node("root", label)).to_string();
        assert!(told.contains("`label` is no label of a VLAN"), "{label}: {told}");
    }
}

#[test]
fn a_rule_on_the_wrong_kind_of_signal_is_told_where_it_names_it() {
    let text = minimal_and("rules: [{target: {average: 5, signal: requests}}]\n");
    let told = problems(&text).problems.remove(0);
    assert_eq!(told.what, "`requests` has one value, but this rule needs one of each node");
    let line = text.lines().nth(told.at.line - 1).expect("it is a line of the text");
    assert!(line[told.at.column - 1..].starts_with("requests}"), "{:?}", told.at);
}

#[test]
fn a_zone_with_a_slip_in_it_is_understood() {
    for (written, help) in [
        ("Europe/Berlim", "did you mean `Europe/Berlin`?"),
        ("europe-berlin", "did you mean `Europe/Berlin`?"),
        ("Berlin", "did you mean `Europe/Berlin`?"),
        ("New York", "did you mean `America/New_York`?"),
        ("new-yok", "did you mean `America/New_York`?"),
        ("Asia/Berlin", "did you mean `Europe/Berlin`?"),
        ("Mars/Berlim", "did you mean `Europe/Berlin`?"),
        ("Mars/Base", "write a name of the IANA database, such as Europe/Berlin or UTC"),
    ] {
        let told = problems(&minimal_and(&format!(
            "rules: [{{schedule: {{timezone: {written}, cron: '0 17 * * *', lasts: 1h, \
             at_least: 5}}}}]\n"
        )));
        assert_eq!(told.problems[0].help, help, "{written}");
    }
}

#[test]
fn a_one_off_window_is_read_on_the_clock_of_its_zone() {
    // Berlin's clocks go from 02:00 to 03:00 on 29 March 2026, and from 03:00 back to 02:00 on
    // 25 October, each at 01:00 UTC.
    for (times, opens, closes) in [
        ("from: 2026-12-24 17:00, lasts: 3h", "2026-12-24T16:00:00Z", "2026-12-24T19:00:00Z"),
        ("from: 2026-07-01T17:00:30, lasts: 1m", "2026-07-01T15:00:30Z", "2026-07-01T15:01:30Z"),
        ("from: 2026-03-29 02:30, lasts: 1h", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"),
        (
            "from: 2026-03-29 00:00, until: 2026-03-29 02:30",
            "2026-03-28T23:00:00Z",
            "2026-03-29T01:00:00Z",
        ),
        (
            "from: 2026-10-25 02:30, until: 2026-10-25 02:30",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
        ),
        ("from: 2026-10-25 02:30, lasts: 2h", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"),
    ] {
        let text = minimal_and(&format!(
            "rules: [{{schedule: {{timezone: europe/berlin, {times}, at_least: 5}}}}]\n"
        ));
        let read = parse(&text).unwrap_or_else(|problems| panic!("{times}\n{problems}"));
        let policy::Rule::Schedule(rule) = &read.rules[0] else { panic!("it is a schedule") };
        let policy::When::Once(window) = rule.when else { panic!("it is one window") };
        assert_eq!([window.opens, window.closes].map(|at| at.to_string()), [opens, closes]);
        let explained = policy::explain_defaults(&read);
        let again = parse(&explained).unwrap_or_else(|problems| panic!("{explained}\n{problems}"));
        assert_eq!(again.rules, read.rules, "{explained}");
    }
}

#[test]
fn bands_that_overlap_and_windows_that_never_close_are_warnings() {
    let warned = |rule: &str| {
        let target = "{target: {signal: requests, per_node: 400}}";
        let text = minimal_and(&format!("rules: [{target}, {rule}]\n"));
        let read = parse(&text).unwrap_or_else(|problems| panic!("{rule}\n{problems}"));
        policy::lint(&read).into_iter().map(|warning| warning.what).collect::<Vec<_>>()
    };
    let step = |bands: &str| warned(&format!("{{step: {{signal: requests, bands: [{bands}]}}}}"));
    assert_eq!(
        step("{from: 9, add: 1}, {from: 5, below: 9, add: 2}, {below: 3, remove: 1}"),
        [""; 0]
    );
    assert_eq!(
        step("{from: 9, add: 1}, {from: 5, below: 9.5, add: 2}"),
        ["`bands[0]` and `bands[1]` overlap; where both speak, the larger count wins"]
    );
    let schedule = |cron: &str, lasts: &str| {
        warned(&format!(
            "{{schedule: {{timezone: Europe/Berlin, cron: '{cron}', lasts: {lasts}, at_least: 5}}}}"
        ))
    };
    assert_eq!(schedule("0 * * * *", "59m"), [""; 0]);
    assert_eq!(schedule("0 17 * * 1-5", "3h"), [""; 0]);
    assert_eq!(schedule("0 0-12 * * *", "1h"), [""; 0], "it closes for the afternoon");
    assert_eq!(
        schedule("0 * * * *", "1h"),
        ["`0 * * * *` opens the next window before 1h are over, so it never closes"]
    );
}

#[test]
fn defaults_make_way_for_what_is_written() {
    let read = |fragment: &str| {
        parse(&minimal_and(fragment)).unwrap_or_else(|problems| panic!("{fragment}{problems}"))
    };
    let seconds = std::time::Duration::from_secs;
    let bounds = read("bounds: {min: 3, max: 12}\n").bounds;
    assert_eq!(bounds.default, bounds.min, "blind, the smallest count is the floor");
    let all = read("bounds: {max: 235}\n").bounds.max;
    assert_eq!(all, windlass::domain::NodeCount(235), "as many as there are addresses");
    let clears = |latency: &str| {
        let rules = read(&format!("rules: [{{latency: {{signal: requests, {latency}}}}}]\n")).rules;
        let policy::Rule::Latency(latency) = &rules[0] else { panic!("it is a latency") };
        latency.clear_below
    };
    let nanoseconds = std::time::Duration::from_nanos;
    assert_eq!(clears("objective: 100ms"), nanoseconds(66_000_000), "two thirds, in whole ms");
    assert_eq!(clears("objective: 1ms"), nanoseconds(666_666), "where there are any");
    assert_eq!(clears("objective: 100ms, clear_below: 100ms"), nanoseconds(100_000_000));
    let schedule = "timezone: UTC, cron: '0 17 * * *', lasts: 1h, at_least: 5, at_most: 5";
    assert_eq!(read(&format!("rules: [{{schedule: {{{schedule}}}}}]\n")).rules.len(), 1);
    let vlan = "vlan: {label: app, cidr: 10.10.0.0/24}";
    let ssh = |ssh: &str| {
        read(&format!("node: {{type: a, region: b, image: c, {vlan}, ssh: {ssh}}}\n")).node.ssh
    };
    let beside = ssh("{private_key_file: keys/id}");
    assert_eq!(beside.authorized_keys_file, Path::new("keys/id.pub"), "as ssh-keygen does");
    let backoff = |backoff: &str| {
        read(&format!("node: {{type: a, region: b, image: c, {vlan}, backoff: {backoff}}}\n"))
            .node
            .backoff
    };
    assert_eq!(backoff("{first: 1h}").longest, seconds(3600), "never below `first`");
    assert_eq!(backoff("{longest: 1m}").first, seconds(60), "never above `longest`");
    for (word, meaning) in [
        ("no", policy::LeaveEarly::No),
        ("false", policy::LeaveEarly::No),
        ("'no'", policy::LeaveEarly::No),
        ("yes", policy::LeaveEarly::Yes),
        ("true", policy::LeaveEarly::Yes),
    ] {
        let scale_in = read(&format!("scale_in: {{leave_early: {word}}}\n")).scale_in;
        assert_eq!(scale_in.leave_early, meaning, "{word}");
    }
    let coverage = |at_least: &str| {
        let coverage = format!("{{query: up, at_least: {at_least}}}");
        let signal = format!("{{prometheus: {{query: up}}, coverage: {coverage}}}");
        let read = read(&format!("signals: {{requests: {signal}}}\n"));
        read.signals.into_values().next().and_then(|signal| signal.coverage).expect("it has one")
    };
    assert_eq!(coverage("serving").at_least, policy::CoverageNeed::Serving);
    assert_eq!(coverage("3").at_least, policy::CoverageNeed::Count(3));
    assert_eq!(read("scale_in: {pace: []}\n").scale_in.pace, [], "no limit at all");
    assert_eq!(read("scale_in: {cooldown: 0}\n").scale_in.cooldown, seconds(0), "0 needs no unit");
    let budget = |text: &str| read(&format!("budget: {text}\n")).budget.expect("there is one");
    assert_eq!(budget("{hourly: 1.5}").monthly, None, "one of the two is enough");
    assert_eq!(budget("{monthly: 600}").soft.get(), 80.0, "warned at four fifths");
    assert!(read("effectiveness: {after: 5}\n").effectiveness.is_some_and(|on| on.after == 5));
    for off in ["off", "'off'", "no", "false"] {
        assert_eq!(read(&format!("effectiveness: {off}\n")).effectiveness, None, "{off}");
    }
    let variables = read("configure: {playbook: a, variables: {v: 1.10, w: 08, x: yes}}\n");
    let variables: Vec<_> = variables.configure.variables.into_values().collect();
    assert_eq!(variables, ["1.10", "08", "yes"], "as they were written");
}

#[test]
fn every_form_of_a_target_is_read_with_its_defaults_and_written_out_again() {
    let text = minimal_and(
        "\
signals:
  requests: {prometheus: {query: a}}
  cpu: {prometheus: {query: b, node_label: instance}}
  connections: {prometheus: {query: c, node_label: host, capacity: 500}}
rules:
  - target: {signal: requests, per_node: 400}
  - target: {signal: requests, value: 0}
  - target: {signal: connections, average: 200, headroom_percent: 10, scale_in: never}
  - target: {signal: cpu, utilisation_percent: 70, tolerance: {out_percent: 3}, group: load}
  - target: {signal: connections, utilisation_percent: 120, group: load}
  - count: {signal: requests, scale_in: never}
  - fixed: {count: 4, group: load}
",
    );
    let read = parse(&text).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(policy::lint(&read), []);
    let explained = policy::explain_defaults(&read);
    let (signals, rest) = explained.split_once("rules:").expect("it has rules");
    let (rules, _) = rest.split_once("tolerance:\n  out").expect("a policy's tolerance follows");
    let (_, signals) = signals.split_once("signals:").expect("it has signals");
    insta::assert_snapshot!(format!("signals:{signals}rules:{rules}"));
    let again = parse(&explained).unwrap_or_else(|problems| panic!("{explained}\n{problems}"));
    assert_eq!(Policy { digest: read.digest.clone(), text: read.text.clone(), ..again }, read);
}

#[test]
fn forecasts_and_surges_are_read_with_their_defaults_and_written_out_again() {
    let text = minimal_and(
        "\
rules:
  - forecast: {signal: requests, per_node: 400}
  - surge: {signal: requests, per_node: 380}
",
    );
    let whole = policy::explain_defaults(&parse(&text).expect("a legal policy"));
    for line in [
        "lead: learned",
        "level: 0.95",
        "mode: raise",
        "hold: 1m",
        "over: 2m",
        "rise_percent: 15",
        "at_most_percent: 150",
        "hold: 5m",
    ] {
        assert!(whole.contains(&format!("      {line}\n")), "{line} in {whole}");
    }
    let again = parse(&whole).expect("what was written out is legal");
    assert_eq!(policy::explain_defaults(&again), whole);
}

#[test]
fn what_a_forecast_or_a_surge_cannot_mean_is_refused() {
    for (rule, what) in [
        ("forecast: {signal: requests, per_node: 400, level: 0.999}", "from 0.5 to 0.995"),
        ("forecast: {signal: requests, per_node: 400, lead: guessed}", "`lead` can't be `guessed`"),
        ("forecast: {signal: requests, per_node: 400, lead: 2h}", "longer than an hour"),
        ("forecast: {signal: requests}", "`per_node`"),
        ("surge: {signal: requests, per_node: 400, over: 20m}", "longer than 15m"),
        ("surge: {signal: requests, per_node: 400, at_most_percent: 90}", "less than what is"),
        ("surge: {signal: requests, per_node: 0}", "a node carries more than that"),
    ] {
        let told = problems(&minimal_and(&format!("rules:\n  - {rule}\n"))).to_string();
        assert!(told.contains(what), "{rule}: {told}");
    }
}

#[test]
fn words_that_yaml_could_take_for_something_else_survive_being_written_out() {
    for word in
        ["nan", "NaN", "inf", "Infinity", "null", "Null", "yes", "No", "true", "e5", "a1e5", "Off"]
    {
        let text = minimal_and(&format!(
            "signals: {{'{word}': {{prometheus: {{query: '{word}'}}}}}}\n\
             rules: [{{target: {{signal: '{word}', per_node: 1}}}}]\n\
             configure: {{playbook: '{word}', variables: {{a: '{word}'}}}}\n"
        ));
        let read = parse(&text).unwrap_or_else(|problems| panic!("{problems}"));
        let explained = policy::explain_defaults(&read);
        let again = parse(&explained).unwrap_or_else(|problems| panic!("{explained}\n{problems}"));
        assert_eq!(
            Policy { digest: read.digest.clone(), text: read.text.clone(), ..again },
            read,
            "{word}"
        );
    }
}

#[test]
fn letters_that_no_editor_shows_are_escaped_when_written_out() {
    let text = minimal_and(
        "signals: {requests: {prometheus: {query: \"a\\x07b\\u2028c\\uFEFFd\\u00A0e\\u0085f ü\"}}}\n",
    );
    let read = parse(&text).unwrap_or_else(|problems| panic!("{problems}"));
    let explained = policy::explain_defaults(&read);
    let written = r#""a\U00000007b\U00002028c\U0000feffd\U000000a0e\U00000085f ü""#;
    assert!(explained.contains(written), "{explained}");
    let again = parse(&explained).unwrap_or_else(|problems| panic!("{explained}\n{problems}"));
    assert_eq!(again.signals, read.signals);
}

#[test]
fn a_file_may_be_as_long_as_the_sentence_says() {
    let filled = |bytes: usize| format!("{MINIMAL}#{}\n", "x".repeat(bytes - MINIMAL.len() - 2));
    let most = 256 * 1024;
    assert!(parse(&filled(most)).is_ok());
    assert!(problems(&filled(most + 1)).to_string().contains("the file is 256 KiB long"));
    assert!(problems(&filled(2 * most)).to_string().contains("it may have 256 KiB at most"));
}

#[test]
fn what_is_legal_but_unwise_is_a_warning() {
    let text = minimal_and(
        "\
bounds: {min: 0, max: 12, default: 0}
budget: {hourly: 0.5, monthly: 400}
signals:
  requests: {prometheus: {query: up}, stale_after: 5s, measures: node}
  unused: {prometheus: {query: 'histogram_quantile(0.5, x)'}}
rules:
  - latency: {signal: requests, objective: 300ms}
scale_out: {pace: []}
scale_in: {stabilize: 30s}
missing_data: {hold_for: 0s}
node:
  {type: a, region: b, image: c, vlan: {label: l, cidr: 10.0.0.0/28, quarantine: 1s,
   reserve: [10.9.0.1]}}
join: {backend: b, port: 80, check: {interval: 10s}}
leave: {drain_timeout: 5s}
",
    );
    let policy = parse(&text).unwrap_or_else(|problems| panic!("{problems}"));
    let told: Vec<String> = policy::lint(&policy).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n\n"));

    let outside = parse(&minimal_and("rules: [{fixed: {count: 50, group: alone}}]\n"));
    let outside = policy::lint(&outside.unwrap_or_else(|problems| panic!("{problems}")));
    let told: Vec<String> = outside.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("a_fixed_count_may_be_unwise_too", told.join("\n\n"));

    let fixed = parse(&minimal_and("bounds: {min: 4, max: 4}\n"));
    let fixed = policy::lint(&fixed.unwrap_or_else(|problems| panic!("{problems}")));
    assert_eq!(fixed.iter().map(|warning| warning.key.as_str()).collect::<Vec<_>>(), ["bounds"]);
}

#[test]
fn a_warning_begins_where_its_sentence_says() {
    let target = "{target: {signal: requests, per_node: 400}}";
    let held = "{target: {signal: requests, per_node: 400, hold: 3m}}";
    let rules = |rules: &str| format!("rules: [{rules}]\n");
    let settles = |first: &str, other: &str| {
        format!("rules: [{first}, {other}]\nscale_in: {{stabilize: 30s}}\n")
    };
    let node = |vlan: &str| {
        let vlan = format!("{{label: l, cidr: 10.10.0.0/24, {vlan}}}");
        format!("node: {{type: a, region: b, image: c, vlan: {vlan}}}\n")
    };
    let signal =
        |more: &str| format!("signals: {{requests: {{prometheus: {{query: up}}, {more}}}}}\n");
    let latency = |clear: &str| {
        let latency = format!("{{signal: requests, objective: 300ms, clear_below: {clear}}}");
        rules(&format!("{target}, {{latency: {latency}}}"))
    };
    let reserve = "reserve: [10.10.0.1-10.10.0.19]";
    for (key, peaceful, unwise) in [
        (
            "budget.monthly",
            // 744 hours at half a dollar.
            "budget: {hourly: 0.5, monthly: 372}\n".to_owned(),
            "budget: {hourly: 0.5, monthly: 373}\n".to_owned(),
        ),
        ("signals.requests.stale_after", signal("stale_after: 15s"), signal("stale_after: 14s")),
        (
            "rules",
            rules("{count: {signal: requests}}"),
            rules("{count: {signal: requests, scale_in: never}}"),
        ),
        (
            "rules",
            rules("{step: {signal: requests, bands: [{from: 900, set: 5}]}}"),
            rules("{step: {signal: requests, bands: [{from: 900, add: 5}]}}"),
        ),
        ("rules", rules("{fixed: {count: 2}}"), rules("{fixed: {count: 1}}")),
        ("rules", rules("{fixed: {count: 12}}"), rules("{fixed: {count: 13}}")),
        ("rules.latency:requests.clear_below", latency("270ms"), latency("271ms")),
        (
            "scale_in.stabilize",
            "scale_in: {stabilize: 180s}\n".to_owned(),
            "scale_in: {stabilize: 179s}\n".to_owned(),
        ),
        (
            // Each rule that lets nodes leave must hold its wish for as long.
            "scale_in.stabilize",
            settles(held, "{count: {signal: requests, scale_in: never}}"),
            settles(held, "{count: {signal: requests}}"),
        ),
        (
            "scale_in.stabilize",
            settles(held, "{target: {signal: requests, per_node: 1, scale_in: never}}"),
            settles(held, target),
        ),
        (
            "scale_in.stabilize",
            settles(held, "{step: {signal: requests, bands: [{from: 900, add: 1}]}}"),
            settles(held, "{step: {signal: requests, bands: [{below: 3, remove: 1}]}}"),
        ),
        (
            "tolerance.in_percent",
            "tolerance: {in_percent: 0}\nscale_in: {stabilize: 120s}\n".to_owned(),
            "tolerance: {in_percent: 0}\nscale_in: {stabilize: 119s}\n".to_owned(),
        ),
        ("node.vlan.reserve", node(reserve), node("reserve: [10.10.0.250-10.10.1.5]")),
        ("node.vlan.reserve", node(reserve), node("reserve: [10.9.255.9-10.10.0.19]")),
        (
            // 235 are free; a quarter more than 188 are as many.
            "node.vlan.cidr",
            "bounds: {min: 2, max: 188}\n".to_owned(),
            "bounds: {min: 2, max: 189}\n".to_owned(),
        ),
        (
            "node.vlan.quarantine",
            node(&format!("{reserve}, quarantine: 60s")),
            node(&format!("{reserve}, quarantine: 59s")),
        ),
        (
            "leave.drain_timeout",
            "join: {backend: b, port: 80, check: {interval: 10s}}\nleave: {drain_timeout: 10s}\n"
                .to_owned(),
            "join: {backend: b, port: 80, check: {interval: 10s}}\nleave: {drain_timeout: 9s}\n"
                .to_owned(),
        ),
        (
            "join.timeout",
            "join: {backend: b, port: 80, slow_start: 40s, timeout: 40s}\n".to_owned(),
            "join: {backend: b, port: 80, slow_start: 40s, timeout: 39s}\n".to_owned(),
        ),
    ] {
        for (fragment, warned) in [(peaceful, false), (unwise, true)] {
            let policy = parse(&minimal_and(&fragment)).unwrap_or_else(|told| panic!("{told}"));
            let told = policy::lint(&policy);
            let is_there = told.iter().any(|warning| warning.key == key);
            assert_eq!(is_there, warned, "{key}: {fragment}{told:#?}");
        }
    }
}

#[test]
fn thresholds_that_make_a_pool_flap_are_a_warning() {
    for (fragment, key) in [
        (
            "rules: [{target: {signal: requests, per_node: 1}}, \
             {latency: {signal: requests, objective: 300ms, clear_below: 280ms}}]\n",
            "rules.latency:requests.clear_below",
        ),
        ("tolerance: {in_percent: 0}\nscale_in: {stabilize: 1m}\n", "tolerance.in_percent"),
    ] {
        let policy = parse(&minimal_and(fragment)).unwrap_or_else(|told| panic!("{told}"));
        let told = policy::lint(&policy);
        assert!(told.iter().any(|warning| warning.key == key), "{fragment}{told:?}");
    }
}

#[test]
fn rules_that_add_and_take_at_the_same_values_are_warnings() {
    let told = |rules: &str| {
        let target = "{target: {signal: requests, per_node: 400}}";
        let text = minimal_and(&format!("rules: [{target}, {rules}]\n"));
        let read = parse(&text).unwrap_or_else(|problems| panic!("{rules}\n{problems}"));
        policy::lint(&read).into_iter().map(|it| format!("{}: {}", it.key, it.what)).collect()
    };
    let step = |bands: &str| format!("{{step: {{signal: requests, bands: [{bands}]}}}}");
    let value = |target: &str| format!("{{target: {{signal: requests, {target}}}}}");
    for (rules, says) in [
        (step("{from: 50, add: 1}, {below: 50, remove: 1}"), "`bands[1]` takes nodes right beside"),
        (step("{below: 50, add: 1}, {from: 50, remove: 1}"), "`bands[1]` takes nodes right beside"),
        (
            step("{from: 40, add_percent: 20}, {below: 50, remove_percent: 10}"),
            "`bands[1]` takes nodes at values where `bands[0]` adds them",
        ),
        (
            format!("{}, {}", step("{from: 50, add: 1}"), step("{below: 50, remove: 1}")),
            "`bands[0]` (below 50) takes nodes right beside the values where `bands[0]` (from 50)",
        ),
        (
            // 100 with a headroom of a quarter is 80; 15 % below that is 68.
            format!(
                "{}, {}",
                value("value: 100, headroom_percent: 25"),
                step("{from: 60, add: 1}")
            ),
            "`target:requests` (below 68) takes nodes at values where `bands[0]` (from 60) adds",
        ),
        (
            format!("{}, {}", value("value: 100, headroom_percent: 0"), value("value: 50")),
            "`target:requests` (below 85) takes nodes at values where `target:requests` (from 5",
        ),
    ] {
        let warned: Vec<String> = told(&rules);
        assert!(matches!(&warned[..], [one] if one.contains(says)), "{rules}: {warned:#?}");
    }
    for peaceful in [
        step("{from: 60, add: 1}, {below: 50, remove: 1}"),
        step("{from: 60, add: 1}, {from: 50, below: 60, add: 0}, {below: 50, remove: 1}"),
        format!("{}, {}", value("value: 100, headroom_percent: 25"), step("{from: 70, add: 1}")),
        // Rules of one group stand back for each other.
        format!(
            "{}, {{step: {{signal: requests, bands: [{{from: 60, add: 1}}], group: load}}}}",
            value("value: 100, group: load")
        ),
        format!(
            "{}, {}",
            value("value: 100, scale_in: never"),
            step("{from: 60, add: 1}, {below: 50, remove: 1}")
        ),
    ] {
        let warned: Vec<String> = told(&peaceful);
        assert_eq!(warned, [""; 0], "{peaceful}");
    }
}

#[test]
fn free_addresses_are_counted_however_reservations_overlap() {
    let free = |reserve: &str| {
        let text = minimal_and(&format!(
            "bounds: {{max: 1000}}\nnode: {{type: a, region: b, image: c, \
             vlan: {{label: l, cidr: 10.10.0.0/24, reserve: [{reserve}]}}}}\n"
        ));
        let what = problems(&text).problems.remove(0).what;
        let count = what.split(" has ").nth(1).and_then(|rest| rest.split(' ').next());
        count.and_then(|count| count.parse::<u32>().ok()).unwrap_or_else(|| panic!("{what}"))
    };
    assert_eq!(free(""), 254);
    assert_eq!(free("10.10.0.1-10.10.0.10, 10.10.0.5-10.10.0.20, 10.10.0.7"), 234);
    assert_eq!(free("10.10.0.30, 10.10.0.10, 10.10.0.30"), 252);
    assert_eq!(free("10.0.0.1-10.200.0.1"), 0);
    assert_eq!(free("10.9.0.1-10.9.0.9, 10.10.0.0, 10.10.0.255"), 254, "no host's addresses");
    assert_eq!(free("0.0.0.0-255.255.255.255"), 0);
}

#[test]
fn no_text_is_too_large_too_deep_or_too_twisted_to_be_refused_soon() {
    let deep_lines: String = (0..500).map(|depth| " ".repeat(depth) + "a:\n").collect();
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
                e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    let many_keys: String = (0..9_000).map(|key| format!("cool{key}: 1\n")).collect();
    for (what, text) in [
        ("brackets", "[".repeat(200_000)),
        ("braces", "{a: ".repeat(60_000)),
        ("lines", deep_lines),
        ("a bomb of aliases", bomb.to_owned()),
        ("an alias of itself", "pool: &a [*a]\n".to_owned()),
        ("a large file", "# x\n".repeat(100_000)),
        ("one long line", format!("pool: {}\n", "é".repeat(100_000))),
        ("many keys", many_keys.clone()),
        ("many keys inside", format!("bounds: {{{}}}\n", many_keys.replace('\n', ", "))),
    ] {
        let told = problems(&text);
        assert!(told.problems.len() <= 50, "{what}");
        assert!(told.to_string().len() < 40_000, "{what}: {}", told.to_string().len());
    }
}

#[test]
fn every_example_in_the_documentation_is_a_policy() {
    let docs = include_str!("../../docs/policy.md");
    let examples: Vec<&str> = docs
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().expect("a split has a first part"))
        .collect();
    assert!(10 <= examples.len(), "only {} examples", examples.len());
    for example in examples {
        let text = minimal_and(example);
        let policy = parse(&text).unwrap_or_else(|problems| panic!("{example}\n{problems}"));
        assert_eq!(policy::lint(&policy), [], "{example}");
    }
}

#[test]
fn every_key_of_the_reference_policy_is_documented() {
    let docs = include_str!("../../docs/policy.md");
    let explained = policy::explain_defaults(&parse(REFERENCE).expect("it is shipped"));
    for line in explained.lines().filter(|line| !line.contains("app_version")) {
        let key = line.trim_start_matches([' ', '-']).split(':').next().expect("a first part");
        if !["requests", "p95", "workers"].contains(&key) {
            assert!(docs.contains(&format!("`{key}`")), "`{key}` is not in docs/policy.md");
        }
    }
}

mod any {
    //! Properties that hold for any text, and for any policy.

    use proptest::prelude::*;
    use windlass::policy::Problems;

    use super::{REFERENCE, parse, policy};

    fn problems_point_into(text: &str, told: &Problems) -> Result<(), TestCaseError> {
        // A carriage return alone ends a line, too.
        let lines = text.split(['\n', '\r']).count();
        prop_assert!(!told.problems.is_empty());
        for problem in &told.problems {
            let line = problem.at.line;
            prop_assert!((1..=lines).contains(&line), "line {line} of {lines}");
            prop_assert!(1 <= problem.at.column);
            prop_assert!(!problem.what.is_empty() && !problem.help.is_empty());
        }
        prop_assert!(told.to_string().starts_with("error: "));
        Ok(())
    }

    /// Strings with whatever a query or a variable may hold.
    fn text() -> impl Strategy<Value = String> {
        "\\PC{1,20}|[ -~\\n\\t]{1,40}|[a-z]{1,9}"
            .prop_map(|text| text.replace('\0', "x"))
            .prop_filter("a blank query is refused", |text| !text.trim().is_empty())
    }

    /// A duration that people write: whole milliseconds, up to some days.
    fn duration() -> impl Strategy<Value = String> {
        (1_000_u64..400_000_000).prop_map(|milliseconds| format!("{milliseconds}ms"))
    }

    fn percent() -> impl Strategy<Value = f64> {
        prop_oneof![0.001..99.9_f64, (1_u32..99).prop_map(f64::from)]
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(?s).{0,200}") {
            if let Err(told) = parse(&text) {
                problems_point_into(&text, &told)?;
            }
        }

        #[test]
        fn no_yaml_like_text_makes_the_reader_panic(
            tokens in proptest::collection::vec(
                prop_oneof![
                    Just("pool: "), Just("bounds: "), Just("{"), Just("}"), Just("["), Just("]"),
                    Just("\n"), Just("  "), Just("- "), Just(", "), Just("min: 3"), Just("&a "),
                    Just("*a "), Just("? "), Just(": "), Just("'"), Just("\""), Just("|\n"),
                    Just("signals: "), Just("rules:\n"), Just("é"), Just("\t"), Just("<<: "),
                    Just("!!int "), Just("---\n"), Just("# "), Just("\r\n"), Just("\u{feff}"),
                ],
                0..60,
            )
        ) {
            let text = tokens.concat();
            if let Err(told) = parse(&text) {
                problems_point_into(&text, &told)?;
            }
        }

        #[test]
        fn a_damaged_policy_is_read_or_refused_but_never_misread_into_a_panic(
            from in 0..REFERENCE.len(),
            length in 0..30_usize,
            patch in "[ -~\\n]{0,6}",
        ) {
            let boundary = |at: usize| (at..).find(|at| REFERENCE.is_char_boundary(*at));
            let from = boundary(from).expect("the end is a boundary");
            let upto = boundary((from + length).min(REFERENCE.len())).expect("the end is one");
            let text = format!("{}{patch}{}", &REFERENCE[..from], &REFERENCE[upto..]);
            match parse(&text) {
                Ok(read) => {
                    let again = parse(&policy::explain_defaults(&read));
                    let again = again.map_err(|told| TestCaseError::fail(told.to_string()))?;
                    let again = policy::Policy { digest: read.digest.clone(), text: read.text.clone(), ..again };
                    prop_assert_eq!(again, read);
                }
                Err(told) => problems_point_into(&text, &told)?,
            }
        }

        #[test]
        fn the_whole_policy_written_out_is_the_same_policy(
            (query, coverage, variable) in (text(), text(), text()),
            (stale, objective, stabilize, drain) in
                (duration(), duration(), duration(), duration()),
            (per_node, headroom, out, inward) in (1e-9..1e12_f64, percent(), percent(), percent()),
            (min, more, extra) in (0_u32..9, 0_u32..9, 0_u32..9),
        ) {
            let quote = |text: &str| format!("'{}'", text.replace('\'', "''"));
            // Line breaks are folded in single quotes, so only the values themselves vary here;
            // what matters is that whatever was read is written out unchanged.
            let (default, max) = (min + more, (min + more + extra).max(1));
            let fragment = format!(
                "bounds: {{min: {min}, max: {max}, default: {default}}}\n\
                 signals:\n  requests:\n    prometheus: {{query: {}}}\n    stale_after: {stale}\n    \
                 coverage: {{query: {}, at_least: 3}}\n\
                 rules:\n- target: {{signal: requests, per_node: {per_node}, \
                 headroom_percent: {headroom}, scale_in: never}}\n\
                 - latency: {{signal: requests, objective: {objective}, step_percent: {out}}}\n\
                 - step: {{signal: requests, bands: [{{from: {per_node}, for: {stale}, \
                 add_percent: {out}}}, {{below: {per_node}, remove: 3}}], \
                 samples: {{within: 2, of: 7}}, rounding: aws}}\n\
                 - schedule: {{timezone: Europe/Berlin, cron: '{extra} 17 * * 1-5', \
                 lasts: 1h {extra}s, at_least: {min}, at_most: {max}}}\n\
                 tolerance: {{out_percent: {out}, in_percent: {inward}}}\n\
                 scale_in: {{stabilize: {stabilize}, pace: [{{percent: {out}, per: {stale}}}], \
                 leave_early: to_standby, order: oldest}}\n\
                 standby: {{nodes: {extra}}}\n\
                 configure: {{playbook: {}, variables: {{a: {}}}}}\n\
                 leave: {{drain_timeout: {drain}}}\n\
                 health: {{unhealthy_for: {drain}, replace_at_most_percent: 12.5}}\n",
                quote(&query), quote(&coverage), "x.yml", quote(&variable),
            );
            let text = super::minimal_and(&fragment);
            // Characters that YAML forbids are refused, and that is all that may be refused here.
            if let Ok(read) = parse(&text) {
                let explained = policy::explain_defaults(&read);
                let again = parse(&explained)
                    .map_err(|told| TestCaseError::fail(format!("{explained}\n{told}")))?;
                let again = policy::Policy { digest: read.digest.clone(), text: read.text.clone(), ..again };
                prop_assert_eq!(again, read);
            } else {
                let harmless = |text: &str| text.chars().all(|c| (' '..='~').contains(&c));
                prop_assert!(
                    !(harmless(&query) && harmless(&coverage) && harmless(&variable)),
                    "refused: {}", parse(&text).expect_err("just seen")
                );
            }
        }
    }
}
