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
        one.warnings.extend(shorter_than_learned(&one.policy, &learned));
    }
    store.close().await;
    Ok(())
}

fn shorter_than_learned(policy: &Policy, learned: &[PhaseTimes]) -> Vec<Warning> {
    let to_serve = [Phase::Create, Phase::Boot, Phase::Configure, Phase::Join];
    let known = learned.iter().filter(|times| to_serve.contains(&times.phase));
    let seconds: f64 = known.map(|times| times.p90_seconds).sum();
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
    let boot = learned.iter().find(|times| times.phase == Phase::Boot);
    if let Some(boot) =
        boot.filter(|boot| policy.node.boot_timeout.as_secs_f64() < boot.p90_seconds)
    {
        warnings.push(Warning {
            key: "node.boot_timeout".into(),
            what: format!(
                "one in ten of this pool's instances took longer than {:.0} s to run, and is given \
                 up before",
                boot.p90_seconds
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

    fn keys(text: &str, learned: &[(Phase, f64)]) -> Vec<String> {
        let policy = parse(text, Path::new("p.yaml")).expect("a good policy");
        let times = learned.iter().map(|(phase, seconds)| PhaseTimes {
            phase: *phase,
            nodes: 20,
            median_seconds: seconds / 2.0,
            p90_seconds: *seconds,
        });
        let warnings = shorter_than_learned(&policy, &times.collect::<Vec<_>>());
        warnings.into_iter().map(|warning| warning.key).collect()
    }

    #[test]
    fn windows_are_held_to_what_the_pool_itself_has_learned() {
        const MINIMAL: &str = include_str!("../../../policies/minimal.yaml");
        let usual = [(Phase::Boot, 100.0), (Phase::Configure, 90.0), (Phase::Drain, 9_000.0)];
        assert_eq!(keys(MINIMAL, &[]), [""; 0], "nothing is known yet");
        assert_eq!(keys(MINIMAL, &usual), [""; 0], "ten minutes are longer than three");
        let hasty = format!("{MINIMAL}scale_in: {{stabilize: 3m}}\n");
        assert_eq!(keys(&hasty, &usual), ["scale_in.stabilize"]);
        let restless = format!("{MINIMAL}scale_out: {{cooldown: 2m}}\n");
        assert_eq!(keys(&restless, &usual), ["scale_out.cooldown"]);
        let none = format!("{MINIMAL}scale_out: {{cooldown: 0s}}\n");
        assert_eq!(keys(&none, &usual), [""; 0], "no cooldown is no short one");
        let patient = format!("{MINIMAL}scale_out: {{cooldown: 4m}}\n");
        assert_eq!(keys(&patient, &usual), [""; 0]);
        let slow = [(Phase::Boot, 1_500.0)];
        assert_eq!(keys(MINIMAL, &slow), ["scale_in.stabilize", "node.boot_timeout"]);
    }
}
