//! `windlass advise`: what would serve better or cost less, each tried on recorded traffic.

use serde_json::json;

use super::Output;
use super::backtest::{WorldArguments, say_what_is_odd, set_up, underivable};
use super::exit::Failure;
use super::progress::Progress;
use crate::sim::backtest::{Rehearse, advise as rehearsed_advice, trials_at_most};

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
    if 1 < arguments.world.traffic.traces.len() {
        let what = "advice is about one trace\nhint: name one --trace at a time";
        return Err(Failure::Usage(what.to_owned()));
    }
    let setup = set_up(&arguments.world, &[]).await?;
    say_what_is_odd(&setup);
    let scene = &setup.scenes[0];
    let world = Rehearse {
        trace: &scene.trace,
        settings: &scene.settings,
        hints: &scene.hints,
        policies: &setup.policies,
        baselines: &[],
    };
    let advised = {
        let progress = Progress::new("trying advice", trials_at_most(&setup.policies));
        rehearsed_advice(&world, &|trials| progress.more(trials)).map_err(underivable)?
    };
    match arguments.output {
        Output::Json => {
            let each = advised.iter();
            let each = each.map(|(policy, advice)| json!({"policy": policy, "advice": advice}));
            anstream::println!("{:#}", json!({"policies": each.collect::<Vec<_>>()}));
        }
        Output::Text => {
            for (policy, advice) in &advised {
                anstream::println!("{policy}");
                for one in advice {
                    anstream::println!("- {}", one.text);
                }
            }
        }
    }
    Ok(())
}
