//! What the operator of a sandbox may choose.
//!
//! In: command-line flags, or [`SandboxOptions::default`] and field updates in tests.
//! Out: a value that [`super::Sandbox::start`] takes.
//! Never: opens a file or a socket; shows a token.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::auth::TokenSpec;

/// The flags of `windlass sandbox`.
#[derive(Clone, Debug, clap::Args)]
pub struct SandboxOptions {
    /// Address to listen on; port 0 takes any free port. Speaks plain HTTP: keep it on loopback
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,

    /// A token to accept, with optional scopes: `abc` or `abc:linodes:read_only,events:read_only`.
    /// Everybody on this machine can read a command line; for a token worth keeping use --token-file
    #[arg(long = "token", value_name = "TOKEN[:SCOPES]")]
    pub tokens: Vec<TokenSpec>,

    /// A file with tokens to accept, one a line, in the form of --token
    #[arg(long = "token-file", value_name = "PATH")]
    pub token_files: Vec<PathBuf>,

    /// VMs boot, stop and go this many times faster than life
    #[arg(long, value_name = "N", default_value = "1")]
    pub speed: Speed,

    /// File that keeps the account: a restart on it goes on with the very same instances
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,

    /// Seed of everything left to chance: boot times, host ids, faults with a probability
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Faults to inject (YAML or JSON), read again whenever the file changes
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,

    /// Shell command that gives a booting VM its body; the VM runs once it has exited with 0
    #[arg(long, value_name = "CMD")]
    pub on_boot: Option<String>,

    /// Shell command to run when a VM is shut down, before it is offline
    #[arg(long, value_name = "CMD")]
    pub on_shutdown: Option<String>,

    /// Shell command to run when a VM is deleted, before it is gone
    #[arg(long, value_name = "CMD")]
    pub on_delete: Option<String>,

    /// How long a hook may take before its process group is killed
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = humantime::parse_duration)]
    pub hook_timeout: Duration,

    /// Most instances the account may hold; further creates get the account-limit answer
    #[arg(long, value_name = "N")]
    pub quota_instances: Option<usize>,

    /// The account setting `network_helper`: while off, a VLAN address given to the API doesn't
    /// reach the VM, unless its configuration profile switches the helper on
    #[arg(long, value_name = "on|off", default_value = "on")]
    pub network_helper: NetworkHelper,

    /// Count nothing and refuse nobody for calling too often
    #[arg(long)]
    pub no_rate_limit: bool,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tokens: Vec::new(),
            token_files: Vec::new(),
            speed: Speed::REAL,
            state: None,
            seed: 1,
            faults: None,
            on_boot: None,
            on_shutdown: None,
            on_delete: None,
            hook_timeout: Duration::from_secs(120),
            quota_instances: None,
            network_helper: NetworkHelper::On,
            no_rate_limit: false,
        }
    }
}

/// Whether the account's Network Helper writes VLAN addresses into booting VMs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum NetworkHelper {
    /// New configuration profiles have it.
    On,
    /// New configuration profiles lack it.
    Off,
}

/// How many times faster than life VMs change: finite and above zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed(f64);

impl Speed {
    /// As fast as life.
    pub const REAL: Self = Self(1.0);

    /// `None` unless `factor` is finite and above zero.
    pub fn new(factor: f64) -> Option<Self> {
        (factor.is_finite() && 0.0 < factor).then_some(Self(factor))
    }

    /// A time of real life as it passes here.
    pub fn shorten(self, real: Duration) -> Duration {
        Duration::try_from_secs_f64(real.as_secs_f64() / self.0).unwrap_or(Duration::MAX)
    }
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| format!("`{text}` is no number above zero, such as 1 or 20"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        options: SandboxOptions,
    }

    #[test]
    fn flags_are_well_formed_and_read() {
        Cli::command().debug_assert();
        let line = "sandbox --listen 127.0.0.1:0 --token abc --token def:linodes:read_only \
                    --speed 20 --network-helper off --hook-timeout 5s --quota-instances 3";
        let options = Cli::parse_from(line.split_whitespace()).options;
        assert_eq!(options.tokens.len(), 2);
        assert_eq!(options.speed, Speed(20.0));
        assert_eq!(options.network_helper, NetworkHelper::Off);
        assert_eq!(options.hook_timeout, Duration::from_secs(5));
        assert_eq!(options.quota_instances, Some(3));
    }

    #[test]
    fn a_bad_speed_says_how_a_good_one_looks() {
        for speed in ["0", "-1", "inf", "fast"] {
            let argument = format!("--speed={speed}");
            let error = Cli::try_parse_from(["sandbox", &argument]).expect_err(speed).to_string();
            assert!(error.contains("is no number above zero"), "{error}");
        }
    }
}
