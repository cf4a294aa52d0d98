//! `windlass test`: unit tests of policies.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Output;
use super::exit::Failure;
use crate::domain::SignalName;
use crate::policy::{Policy, Rule, parse};
use crate::policytest::{PolicyTest, Suite, Unmet, read_suite, run_test};

/// Where tests are when no file is named.
const FOLDER: &str = "policies/tests";

/// Arguments of `windlass test`.
#[derive(Debug, clap::Args)]
pub(super) struct TestArguments {
    /// Files of tests; without any, every YAML file in policies/tests.
    files: Vec<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// One file, run.
struct Ran {
    file: PathBuf,
    tests: usize,
    failed: usize,
    unmet: Vec<Unmet>,
}

pub(super) fn test(arguments: &TestArguments) -> Result<(), Failure> {
    let files = match arguments.files.is_empty() {
        true => files_in(Path::new(FOLDER))?,
        false => arguments.files.clone(),
    };
    let (mut ran, mut unreadable) = (Vec::new(), Vec::new());
    for file in files {
        match load(&file) {
            Ok((policy, suite)) => ran.push(run(file, &policy, &suite)),
            Err(problem) => unreadable.push(problem),
        }
    }
    match arguments.output {
        Output::Json => print_json(&ran),
        Output::Text => ran.iter().for_each(print),
    }
    if !unreadable.is_empty() {
        return Err(Failure::BadSettings(unreadable.join("\n\n")));
    }
    match ran.iter().all(|one| one.unmet.is_empty()) {
        true => Ok(()),
        false => Err(Failure::Found),
    }
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |cause: io::Error| {
        Failure::BadSettings(format!(
            "error: can't look into {}: {cause}\nhint: name files of tests, or write some there; \
             docs/policy-tests.md tells how",
            folder.display()
        ))
    };
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            files.push(path);
        }
    }
    files.sort();
    match files.is_empty() {
        true => Err(unreadable(io::Error::other("there is no YAML file"))),
        false => Ok(files),
    }
}

/// The tests of a file and the policy that they are about, or all that is wrong with either.
fn load(file: &Path) -> Result<(Policy, Suite), String> {
    let suite = read_suite(&text(file)?, file).map_err(|problems| problems.to_string())?;
    let policy = file.parent().unwrap_or(Path::new("")).join(&suite.policy);
    let read = parse(&text(&policy)?, &policy).map_err(|problems| problems.to_string())?;
    let unknown = |test: &PolicyTest| {
        let named = test.signals.keys().chain(test.coverage.keys()).chain(test.forecasts.keys());
        let unknown = named.filter(|name| !read.signals.contains_key(*name));
        unknown.map(|name| (test.name.clone(), name.clone())).collect::<Vec<_>>()
    };
    let unknown: Vec<String> = suite
        .tests
        .iter()
        .flat_map(unknown)
        .map(|(test, name)| {
            format!(
                "error: `{name}` in the test `{test}` is no signal of {} ({})\nhint: use the \
                 policy's own names",
                policy.display(),
                file.display()
            )
        })
        .collect();
    if !unknown.is_empty() {
        return Err(unknown.join("\n\n"));
    }
    if let Some([what, help]) = suite.tests.iter().find_map(|test| unheard(&read, test)) {
        return Err(format!("error: {what} ({})\nhint: {help}", file.display()));
    }
    if read.budget.is_some() && suite.node_price.is_none() {
        return Err(format!(
            "error: {} has a budget, and {} does not say what a node costs\nhint: add \
             `node_price`, the dollars of a started hour, such as `node_price: 0.036`",
            policy.display(),
            file.display()
        ));
    }
    Ok((read, suite))
}

/// What a test says that no rule would hear, and what to do about it.
fn unheard(policy: &Policy, test: &PolicyTest) -> Option<[String; 2]> {
    let hears_hints = policy.rules.iter().any(|rule| matches!(rule, Rule::Hint(_)));
    if !test.hints.is_empty() && !hears_hints {
        let what = format!(
            "the test `{}` announces campaigns, but the policy has no rule `hint`",
            test.name
        );
        return Some([what, "add the rule, or delete `hints`".into()]);
    }
    let forecasts = |signal: &SignalName| {
        let mut rules = policy.rules.iter();
        rules.any(|rule| matches!(rule, Rule::Forecast(rule) if rule.signal == *signal))
    };
    let unheard = test.forecasts.keys().find(|signal| !forecasts(signal))?;
    let what = format!(
        "the test `{}` gives a forecast of `{unheard}`, but no rule `forecast` looks at it",
        test.name
    );
    Some([what, "add the rule, or delete the signal from `forecasts`".into()])
}

fn text(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|cause| {
        format!(
            "error: can't read {}: {cause}\nhint: name a file that you may read",
            file.display()
        )
    })
}

fn run(file: PathBuf, policy: &Policy, suite: &Suite) -> Ran {
    let unmet: Vec<Vec<Unmet>> =
        suite.tests.iter().map(|test| run_test(policy, suite.node_price, test)).collect();
    let failed = unmet.iter().filter(|unmet| !unmet.is_empty()).count();
    Ran { file, tests: suite.tests.len(), failed, unmet: unmet.into_iter().flatten().collect() }
}

fn print(ran: &Ran) {
    let file = ran.file.display();
    for unmet in &ran.unmet {
        let place = unmet.place;
        anstream::println!("failed: {file}:{}:{}: {unmet}", place.line, place.column);
    }
    let passed = ran.tests - ran.failed;
    anstream::println!("{file}: {passed} passed, {} failed", ran.failed);
}

fn print_json(ran: &[Ran]) {
    let files: Vec<Value> = ran
        .iter()
        .map(|one| {
            json!({"file": one.file, "tests": one.tests, "failed": one.failed, "unmet": one.unmet})
        })
        .collect();
    anstream::println!("{:#}", json!({"files": files}));
}
