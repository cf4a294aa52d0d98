//! The command line: arguments in, exit code out.
//!
//! Data goes to standard output, talk to standard error. Exit codes: 0 done, 1 failed, 2 bad
//! usage, 3 bad policy or settings, 4 `check`, `doctor`, `drill`, `test`, `query`, `backtest`,
//! `simulate` or `audit verify` found problems.

mod advise;
mod audit;
mod backtest;
mod check;
mod client;
mod completions;
mod counted;
mod decide;
mod doctor;
mod drill;
mod exit;
mod explain;
mod hint;
mod man;
mod metrics;
mod order;
mod plan;
mod progress;
mod promote;
mod query;
mod reload;
mod run;
mod sandbox;
mod schema;
mod shadow;
mod show;
mod simulate;
mod status;
mod test;
mod token;
mod why_not;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::api::CommandName;
use exit::Failure;

/// Raises and lowers a fleet of Linode VMs behind HAProxy, and explains every number.
#[derive(Debug, Parser)]
#[command(name = "windlass", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look after the pools until told to stop.
    Run(run::RunArguments),
    /// Read policies, or settings with all their policies, and say what is wrong or unwise.
    Check(check::CheckArguments),
    /// Look at everything that a deployment needs, and say what is broken and how to mend it.
    Doctor(doctor::DoctorArguments),
    /// Rehearse what the daemon does while something is broken, by your own policy.
    Drill(drill::DrillArguments),
    /// Run unit tests of policies: series of samples in, counts and reasons out.
    Test(test::TestArguments),
    /// Ask Prometheus for every signal now, and say how good each is and what to do about it.
    Query(query::QueryArguments),
    /// Print the JSON Schema of a policy file, for editors and for checks elsewhere.
    Schema(schema::SchemaArguments),
    /// Rehearse policies and other autoscalers on recorded traffic.
    Backtest(Box<backtest::BacktestArguments>),
    /// Live many lives of a pool in which everything goes wrong, and check what must always be so.
    Simulate(simulate::SimulateArguments),
    /// Say what would make policies serve better or cost less, each tried on recorded traffic.
    Advise(Box<advise::AdviseArguments>),
    /// Say what would be done now, and do nothing.
    Plan(plan::PlanArguments),
    /// Show the pools and their nodes.
    Status(status::StatusArguments),
    /// Read cases, one JSON object a line, and write what the engine decides about each.
    Decide(decide::DecideArguments),
    /// Say why a pool has the count that it has, and what would change it.
    Explain(explain::ExplainArguments),
    /// Say why a pool has not more nodes, or not fewer, and what would change that.
    WhyNot(why_not::WhyNotArguments),
    /// Have the daemon read its policy files again; a bad file replaces nothing.
    Reload(reload::ReloadArguments),
    /// Hold candidates against the live policy: how far apart, and what each would cost.
    Shadow(shadow::ShadowArguments),
    /// Put a candidate in the live policy's place, and have the daemon go by it.
    Promote(promote::PromoteArguments),
    /// Announce a campaign, so that its nodes serve before it begins; list or cancel announced ones.
    Hint(Box<hint::HintArguments>),
    /// Have a pool keep this very count for a while.
    Set(Box<order::CountArguments>),
    /// Have a pool keep at least so many nodes for a while.
    Floor(Box<order::CountArguments>),
    /// Have a pool keep at most so many nodes for a while.
    Ceiling(Box<order::CountArguments>),
    /// Keep a pool's count as it is for a while, or forbid single kinds of change.
    Hold(Box<order::HoldArguments>),
    /// End the holds of a pool.
    Resume(Box<order::OnceArguments>),
    /// Send a node away at once; another is made if one is then missing.
    Drain(Box<order::NodeArguments>),
    /// Send a node away once another serves in its place.
    Replace(Box<order::NodeArguments>),
    /// Keep a node from being removed for a while.
    Protect(Box<order::NodeArguments>),
    /// End the protection, drain or replacement of a node.
    Release(Box<order::ReleaseArguments>),
    /// End the rest after the last change of a pool's count.
    ClearCooldown(Box<order::OnceArguments>),
    /// Show a pool's nodes, and what each waits for and until when.
    Nodes(show::ShowArguments),
    /// Show what was intended, done and noticed in a pool.
    Journal(Box<show::JournalArguments>),
    /// Show what was decided for a pool, and why.
    Decisions(show::DecisionArguments),
    /// Show what a pool costs: an hour now, this month so far, and to its end.
    Costs(show::ShowArguments),
    /// Make, list or revoke tokens for the API.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Verify the journal's chain, or show what people did.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Serve a Linode API of your own on loopback, to try and to test against.
    Sandbox(sandbox::SandboxArguments),
    /// Print what a shell needs to complete commands and flags.
    Completions(completions::CompletionsArguments),
    /// Write a manual page of the program and of each command into a folder.
    Man(man::ManArguments),
}

/// Where the settings are.
#[derive(Clone, Debug, clap::Args)]
struct ConfigArguments {
    /// The daemon's settings.
    #[arg(long, env = "WINDLASS_CONFIG", default_value = "/etc/windlass/windlass.yaml")]
    config: PathBuf,
}

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Runs the command that `arguments` name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to standard output with 0, mistakes to standard error with 2.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => return Failure::failed(anyhow::Error::new(cause)).report(),
    };
    let result = runtime.block_on(async {
        match arguments.command {
            Command::Run(arguments) => run::run(arguments).await,
            Command::Check(arguments) => check::check(&arguments).await,
            Command::Doctor(arguments) => doctor::doctor(&arguments).await,
            Command::Drill(arguments) => drill::drill(&arguments).await,
            Command::Test(arguments) => test::test(&arguments),
            Command::Query(arguments) => query::query(arguments).await,
            Command::Schema(arguments) => schema::schema(&arguments),
            Command::Backtest(arguments) => backtest::backtest(&arguments).await,
            Command::Simulate(arguments) => simulate::simulate(&arguments),
            Command::Advise(arguments) => advise::advise(&arguments).await,
            Command::Plan(arguments) => plan::plan(arguments).await,
            Command::Status(arguments) => status::status(arguments).await,
            Command::Decide(arguments) => decide::decide(&arguments),
            Command::Explain(arguments) => explain::explain(arguments).await,
            Command::WhyNot(arguments) => why_not::why_not(arguments).await,
            Command::Reload(arguments) => reload::reload(arguments).await,
            Command::Shadow(arguments) => shadow::shadow(arguments).await,
            Command::Promote(arguments) => promote::promote(arguments).await,
            Command::Hint(arguments) => hint::hint(*arguments).await,
            Command::Set(arguments) => order::count(CommandName::Set, *arguments).await,
            Command::Floor(arguments) => order::count(CommandName::Floor, *arguments).await,
            Command::Ceiling(arguments) => order::count(CommandName::Ceiling, *arguments).await,
            Command::Hold(arguments) => order::hold(*arguments).await,
            Command::Resume(arguments) => order::once(CommandName::Resume, *arguments).await,
            Command::Drain(arguments) => order::node(CommandName::Drain, *arguments).await,
            Command::Replace(arguments) => order::node(CommandName::Replace, *arguments).await,
            Command::Protect(arguments) => order::node(CommandName::Protect, *arguments).await,
            Command::Release(arguments) => order::release(*arguments).await,
            Command::ClearCooldown(arguments) => {
                order::once(CommandName::ClearCooldown, *arguments).await
            }
            Command::Nodes(arguments) => show::nodes(arguments).await,
            Command::Journal(arguments) => show::journal(*arguments).await,
            Command::Decisions(arguments) => show::decisions(arguments).await,
            Command::Costs(arguments) => show::costs(arguments).await,
            Command::Token(command) => token::token(command).await,
            Command::Audit(command) => audit::audit(command).await,
            Command::Sandbox(arguments) => sandbox::sandbox(arguments).await,
            Command::Completions(arguments) => completions::completions(&arguments),
            Command::Man(arguments) => man::man(&arguments),
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
