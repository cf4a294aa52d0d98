//! Windows of a policy beside what its own nodes took.

use std::time::Duration;

use super::Good;
use crate::cli::exit::Failure;
use crate::config::Config;
use crate::policy::{Policy, Warning};
use crate::store::{Phase, PhaseTimes, Store};

/// Warns of windows that are shorter than what this pool's own nodes take to serve, where the
/// daemon has learned that.
pub(super) async fn compare_with_learned(
    config: &Config,
    good: &mut [Good],
) -> Result<(), Failure> {
    if !config.database.exists() {
        return Ok(());
    }
    let store = Store::open_beside(&config.database).await.map_err(Failure::failed)?;
    for one in good {
        let learned = store.learned(&one.policy.pool).await.map_err(Failure::failed)?;
        let to_serve = store.seconds_to_serve(&one.policy.pool).await.map_err(Failure::failed)?;
        one.warnings.extend(shorter_than_learned(&one.policy, to_serve, boots(&learned)));
    }
    store.close().await;
    Ok(())
}

/// How long nine in ten instances took to run, in seconds.
fn boots(learned: &[PhaseTimes]) -> Option<f64> {
    let boot = learned.iter().find(|times| times.phase == Phase::Boot)?;
    Some(boot.p90_seconds)
}

/// `to_serve` and `boots` are what nine in ten nodes took, in seconds; none where nobody knows.
fn shorter_than_learned(
    policy: &Policy,
    to_serve: Option<f64>,
    boots: Option<f64>,
) -> Vec<Warning> {
    let seconds = to_serve.unwrap_or_default();
    let took = Duration::from_secs(seconds.clamp(0.0, 1e6).ceil() as u64);
    let warning = |key: &str, window: Duration, effect: &str| Warning {
        key: key.into(),
        what: format!(
            "{} is shorter than nine in ten of this pool's nodes took to serve ({}), {effect}",
            humantime::format_duration(window),
            humantime::format_duration(took)
        ),
        help: format!("take at least {}", humantime::format_duration(took)),
    };
    let mut warnings = Vec::new();
    let stabilize = policy.scale_in.stabilize;
    if stabilize < took {
        let effect = "so nodes are given away faster than they can be had back";
        warnings.push(warning("scale_in.stabilize", stabilize, effect));
    }
    let cooldown = policy.scale_out.cooldown;
    if !cooldown.is_zero() && cooldown < took {
        let effect = "so it ends before those that it waits for can help";
        warnings.push(warning("scale_out.cooldown", cooldown, effect));
    }
    if let Some(boot) = boots.filter(|boot| policy.node.boot_timeout.as_secs_f64() < *boot) {
        warnings.push(Warning {
            key: "node.boot_timeout".into(),
            what: format!(
                "one in ten of this pool's instances took longer than {boot:.0} s to run, and is \
                 given up before"
            ),
            help: "take twice of what boots took here".into(),
        });
    }
    warnings
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::parse;

    fn keys(text: &str, (to_serve, boots): (Option<f64>, Option<f64>)) -> Vec<String> {
        let policy = parse(text, Path::new("p.yaml")).expect("a good policy");
        let warnings = shorter_than_learned(&policy, to_serve, boots);
        warnings.into_iter().map(|warning| warning.key).collect()
    }

    #[test]
    fn windows_are_held_to_what_the_pool_itself_has_learned() {
        const MINIMAL: &str = include_str!("../../../policies/minimal.yaml");
        let usual = (Some(190.0), Some(100.0));
        assert_eq!(keys(MINIMAL, (None, None)), [""; 0], "nothing is known yet");
        assert_eq!(keys(MINIMAL, usual), [""; 0], "ten minutes are longer than three");
        let hasty = format!("{MINIMAL}scale_in: {{stabilize: 3m}}\n");
        assert_eq!(keys(&hasty, usual), ["scale_in.stabilize"]);
        let restless = format!("{MINIMAL}scale_out: {{cooldown: 2m}}\n");
        assert_eq!(keys(&restless, usual), ["scale_out.cooldown"]);
        let none = format!("{MINIMAL}scale_out: {{cooldown: 0s}}\n");
        assert_eq!(keys(&none, usual), [""; 0], "no cooldown is no short one");
        let patient = format!("{MINIMAL}scale_out: {{cooldown: 4m}}\n");
        assert_eq!(keys(&patient, usual), [""; 0]);
        let slow = (Some(1_600.0), Some(1_500.0));
        assert_eq!(keys(MINIMAL, slow), ["scale_in.stabilize", "node.boot_timeout"]);
    }
}
