//! Faults on demand: what should go wrong, how often, with which effect.
//!
//! In: a YAML or JSON text, and each call as it comes.
//! Out: the effects that strike this call.
//! Never: carries an effect out; the gate and the handlers do.
//!
//! ```yaml
//! faults:
//!   - operation: create_instance      # a name (`*` stands for anything), or "POST /linode/instances*"
//!     label: "web-*"                  # only calls about a Linode of this label
//!     skip: 1                         # let the first one pass
//!     times: 2                        # strike twice, then be quiet
//!     probability: 0.5                # seeded
//!     effect: drop_answer_after_acting
//!   - operation: "*"
//!     effect: {answer: {status: 500}}
//! ```

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::effects::Effect;
use super::operations::{OPERATIONS, Operation};

/// The file's root.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    faults: Vec<Fault>,
}

/// One thing that goes wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which calls: a pattern for the operation's name or for `METHOD path`.
    pub operation: String,
    /// Only calls about a Linode whose label fits this pattern.
    pub label: Option<String>,
    /// How many fitting calls to let pass first.
    #[serde(default)]
    pub skip: u64,
    /// How often to strike; for ever when absent.
    pub times: Option<u64>,
    /// Chance to strike a fitting call; 1 when absent.
    pub probability: Option<f64>,
    /// What happens.
    pub effect: Effect,
}

/// The faults in force, with their counters.
#[derive(Debug)]
pub struct Faults {
    entries: Vec<Entry>,
    chance: StdRng,
    /// The text they came from, to notice a change.
    text: String,
    /// Why a later text was not taken.
    problem: Option<String>,
}

#[derive(Debug)]
struct Entry {
    fault: Fault,
    seen: u64,
    struck: u64,
}

/// A call as faults see it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// `None` for paths that don't exist.
    pub operation: Option<&'static Operation>,
    pub method: &'a str,
    /// Below `/v4`.
    pub path: &'a str,
    /// Of the Linode that the call is about.
    pub label: Option<&'a str>,
}

impl Faults {
    /// No faults.
    pub fn none(seed: u64) -> Self {
        let chance = StdRng::seed_from_u64(seed);
        Self { entries: Vec::new(), chance, text: String::new(), problem: None }
    }

    /// Takes a new text if it differs from the last one. A bad text leaves the old faults in
    /// force and says why.
    pub fn update(&mut self, text: &str) -> Result<(), String> {
        if self.text == text {
            return self.problem.clone().map_or(Ok(()), Err);
        }
        self.text = text.to_owned();
        match parse(text) {
            Ok(faults) => {
                let fresh = |fault| Entry { fault, seen: 0, struck: 0 };
                self.entries = faults.into_iter().map(fresh).collect();
                self.problem = None;
                Ok(())
            }
            Err(problem) => {
                self.problem = Some(problem.clone());
                Err(problem)
            }
        }
    }

    /// Whether `text` is the one that was taken, or refused, last.
    pub fn is_from(&self, text: &str) -> bool {
        self.text == text
    }

    /// The effects that strike a call, in the order of the file.
    pub fn strike(&mut self, target: Target) -> Vec<Effect> {
        let mut effects = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| entry.fault.fits(target)) {
            entry.seen += 1;
            let due = entry.fault.skip < entry.seen;
            let left = entry.fault.times.is_none_or(|times| entry.struck < times);
            let lucky = entry.fault.probability.is_none_or(|chance| {
                let drawn: f64 = self.chance.random();
                drawn < chance
            });
            if due && left && lucky {
                entry.struck += 1;
                effects.push(entry.fault.effect.clone());
            }
        }
        effects
    }

    /// For the control endpoint.
    pub fn view(&self) -> Value {
        let entry = |entry: &Entry| json!({"fault": entry.fault, "seen": entry.seen, "struck": entry.struck});
        let faults: Vec<Value> = self.entries.iter().map(entry).collect();
        json!({"faults": faults, "problem": self.problem})
    }
}

fn parse(text: &str) -> Result<Vec<Fault>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let document: Document = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let problems: Vec<String> = document
        .faults
        .iter()
        .enumerate()
        .filter_map(|(index, fault)| Some(format!("fault {}: {}", index + 1, fault.problem()?)))
        .collect();
    if problems.is_empty() { Ok(document.faults) } else { Err(problems.join("; ")) }
}

impl Fault {
    fn problem(&self) -> Option<String> {
        let by_path = self.operation.contains(' ');
        if !by_path && !OPERATIONS.iter().any(|one| fits(&self.operation, one.name)) {
            let names: Vec<&str> = OPERATIONS.iter().map(|one| one.name).collect();
            let (given, names) = (&self.operation, names.join(", "));
            return Some(format!("no operation is called `{given}`; there are {names}"));
        }
        if self.probability.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
            return Some("`probability` must be between 0 and 1".into());
        }
        match &self.effect {
            Effect::Answer(canned) if !(200..=599).contains(&canned.status) => {
                Some("`status` must be between 200 and 599".into())
            }
            Effect::HangSeconds(number)
            | Effect::AnswerAfterSeconds(number)
            | Effect::VanishAfterSeconds(number)
            | Effect::ListedAfterSeconds(number)
                if Duration::try_from_secs_f64(*number).is_err() =>
            {
                Some("seconds must be zero or more".into())
            }
            Effect::BootSlowFactor(factor) if !(factor.is_finite() && 0.0 < *factor) => {
                Some("`boot_slow_factor` must be above zero".into())
            }
            _ => None,
        }
    }

    fn fits(&self, target: Target) -> bool {
        let called = match self.operation.split_once(' ') {
            Some((method, path)) => fits(method, target.method) && fits(path, target.path),
            None => target.operation.is_some_and(|one| fits(&self.operation, one.name)),
        };
        called
            && self
                .label
                .as_deref()
                .is_none_or(|pattern| target.label.is_some_and(|label| fits(pattern, label)))
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any characters.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| fits(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(label: &str) -> Target<'_> {
        let operation = OPERATIONS.iter().find(|one| one.name == "create_instance");
        Target { operation, method: "POST", path: "/linode/instances", label: Some(label) }
    }

    fn faults(text: &str) -> Faults {
        let mut faults = Faults::none(1);
        faults.update(text).expect("a legal text");
        faults
    }

    #[test]
    fn a_fault_skips_strikes_and_falls_silent() {
        let mut faults = faults(
            "faults: [{operation: create_instance, skip: 1, times: 2, effect: never_boots}]",
        );
        let struck: Vec<usize> = (0..5).map(|_| faults.strike(create("a")).len()).collect();
        assert_eq!(struck, [0, 1, 1, 0, 0]);
    }

    #[test]
    fn patterns_choose_calls() {
        for (pattern, fits_create) in [
            ("create_instance", true),
            ("create_*", true),
            ("'*'", true),
            ("list_instances", false),
            ("\"POST /linode/instances\"", true),
            ("\"* /linode/*\"", true),
            ("\"GET /linode/instances\"", false),
        ] {
            let text = format!("faults: [{{operation: {pattern}, effect: {{hang_seconds: 1}}}}]");
            let struck = !faults(&text).strike(create("a")).is_empty();
            assert_eq!(struck, fits_create, "{pattern}");
        }
        let text = "faults: [{operation: '*', label: 'web-*', effect: sold_out}]";
        assert_eq!(faults(text).strike(create("web-1")), [Effect::SoldOut]);
        assert_eq!(faults(text).strike(create("db-1")), []);
    }

    #[test]
    fn chance_is_seeded() {
        let text = "faults: [{operation: '*', probability: 0.3, effect: boot_fails}]";
        let run = || {
            let mut faults = faults(text);
            (0..1_000).map(|_| faults.strike(create("a")).len()).collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
        let struck: usize = run().iter().sum();
        assert!((240..360).contains(&struck), "{struck} of 1000 at 0.3");
    }

    #[test]
    fn json_is_fine_too_and_a_bad_text_leaves_the_old_faults() {
        let mut faults =
            faults(r#"{"faults": [{"operation": "*", "effect": {"answer": {"status": 500}}}]}"#);
        for (text, hint) in [
            ("faults: [{operation: creat_instance, effect: sold_out}]", "no operation is called"),
            ("faults: [{operation: '*', effect: explode}]", "explode"),
            ("faults: [{operation: '*', probability: 2, effect: sold_out}]", "between 0 and 1"),
            ("faults: [{operation: '*', effect: {answer: {status: 99}}}]", "between 200 and 599"),
        ] {
            let problem = faults.update(text).expect_err(text);
            assert!(problem.contains(hint), "{problem}");
            assert_eq!(faults.strike(create("a")).len(), 1, "{text}");
        }
        faults.update("").expect("an empty text means no faults");
        assert!(faults.strike(create("a")).is_empty());
    }
}
