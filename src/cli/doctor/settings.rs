//! The settings, the policies, and where the API listens.

use std::path::{Path, PathBuf};

use super::finding::Finding;
use crate::config::{Config, ConfigError, Environment, PolicyFiles, read_policies};
use crate::policy::{Policy, Problem, Problems, lint};

/// Settings and every policy that can be used.
type Read = (Config, Vec<(PathBuf, Policy)>);

/// Reads them; nothing to go on with where the settings themselves can't be read.
pub(super) fn examine(file: &Path) -> (Vec<Finding>, Option<Read>) {
    let read = Config::load_partly(file, &Environment::of_this_process());
    let (config, lacks) = match read {
        Ok(read) => read,
        Err(ConfigError::Problems(problems)) => return (told("settings", &problems), None),
        Err(error) => return (vec![lack(&error)], None),
    };
    let mut findings = vec![Finding::ok("settings", file.display().to_string())];
    findings.extend(lacks.iter().map(lack));
    let unwise = |text: &String| Finding::warning("settings", text, "change it, or leave it so");
    findings.extend(config.warnings.iter().map(unwise));
    let PolicyFiles { good, bad } = read_policies(&config);
    findings.extend(good.iter().map(|(file, policy)| readable(file, policy)));
    findings.extend(bad.iter().flat_map(|problems| told("policies", problems)));
    findings.extend(listen(&config));
    (findings, Some((config, good)))
}

fn readable(file: &Path, policy: &Policy) -> Finding {
    let subject = format!("policy {}", policy.pool);
    match lint(policy).len() {
        0 => Finding::ok(subject, file.display().to_string()),
        count => {
            let what = format!("{} can be used, with {count} warnings", file.display());
            Finding::warning(subject, what, format!("windlass check {}", file.display()))
        }
    }
}

fn lack(error: &ConfigError) -> Finding {
    // The cause is a part of it: who may not read the file, or that there is none.
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    let what = format!("{error}{}", cause.unwrap_or_default());
    let remedy = error.hint().unwrap_or_else(|| "correct it".into());
    Finding::failed("settings", what, remedy)
}

fn told(subject: &str, problems: &Problems) -> Vec<Finding> {
    let file = problems.file.display();
    let one = |problem: &Problem| {
        let what = format!("{} ({file}:{}:{})", problem.what, problem.at.line, problem.at.column);
        Finding::failed(subject, what, problem.help.clone())
    };
    problems.problems.iter().map(one).collect()
}

/// Elsewhere than on loopback is among the settings' own warnings.
fn listen(config: &Config) -> Option<Finding> {
    let address = config.listen;
    let what = format!("listens on {address}, which only this machine reaches");
    address.ip().is_loopback().then(|| Finding::ok("api", what))
}
