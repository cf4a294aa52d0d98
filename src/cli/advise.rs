//! `windlass advise`: what would serve better or cost less, each tried on recorded traffic.

use serde_json::{Value, json};

use super::Output;
use super::backtest::{Advised, WorldArguments, advised, say_what_is_odd, set_up};
use super::exit::Failure;

/// Arguments of `windlass advise`.
#[derive(Debug, clap::Args)]
pub(super) struct AdviseArguments {
    #[command(flatten)]
    world: WorldArguments,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn advise(arguments: &AdviseArguments) -> Result<(), Failure> {
    if arguments.world.policies.is_empty() {
        let what = "there is no policy to advise\nhint: name a --policy";
        return Err(Failure::Usage(what.to_owned()));
    }
    arguments.world.refuse_contradictions()?;
    let setup = set_up(&arguments.world, &[]).await?;
    say_what_is_odd(&setup);
    let each = advised(&setup.scenes, &setup.policies)?;
    let traces = || setup.scenes.iter().map(|scene| &*scene.trace.name);
    match arguments.output {
        Output::Json => anstream::println!("{:#}", document(traces(), &each)),
        Output::Text => match &*each {
            [one] => anstream::print!("{}", text(one)),
            _ => {
                for (trace, one) in traces().zip(&each) {
                    anstream::println!("on {trace}");
                    anstream::print!("{}", text(one));
                }
            }
        },
    }
    Ok(())
}

/// Of one trace its `policies`; of several `traces` has those of each.
fn document<'a>(traces: impl Iterator<Item = &'a str>, each: &[Advised]) -> Value {
    let policies = |one: &Advised| {
        let policies = one.iter();
        let policies = policies.map(|(policy, advice)| json!({"policy": policy, "advice": advice}));
        policies.collect::<Vec<Value>>()
    };
    if let [one] = each {
        return json!({"policies": policies(one)});
    }
    let traces = traces.zip(each);
    let traces = traces.map(|(trace, one)| json!({"trace": trace, "policies": policies(one)}));
    json!({"traces": traces.collect::<Vec<Value>>()})
}

/// Each policy, and a line for each piece of advice.
fn text(advised: &Advised) -> String {
    let mut lines = Vec::new();
    for (policy, advice) in advised {
        lines.push(policy.clone());
        lines.extend(advice.iter().map(|one| format!("- {}", one.text)));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}
