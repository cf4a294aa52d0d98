//! How long boots and drains take in a rehearsal: as told, or as a daemon has learned.

use std::path::PathBuf;
use std::str::FromStr;

use super::super::exit::Failure;
use super::arguments::time;
use crate::domain::PoolName;
use crate::policy::Policy;
use crate::sim::backtest::Lasts;
use crate::store::{Lives, Store};

/// Fewer whole lives are a sample of nothing: with 20, one in ten still shows twice.
const FEWEST_LIVES: usize = 20;

/// Delays, and where to learn them.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub(in crate::cli) struct DelayArguments {
    /// From ordering a node until it serves: a time, `90s..150s` for anything between, or
    /// `learned`; by default `learned` where --database knows enough lives, else 120s.
    #[arg(long, value_name = "TIME")]
    boot: Option<Delay>,
    /// From a node's last request until it is gone, likewise; else 60s.
    #[arg(long, value_name = "TIME")]
    drain: Option<Delay>,
    /// A daemon's database, to learn from what its nodes took.
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Whose nodes in the database; by default those of the first policy's pool.
    #[arg(long, value_name = "NAME", requires = "database")]
    pool: Option<PoolName>,
}

/// What a flag says of a delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delay {
    /// The shortest and the longest time, in seconds.
    Told(u64, u64),
    /// As long as nodes took.
    Learned,
}

/// A delay that is told: `60s`, or `90s..150s`.
pub(super) fn told(text: &str) -> Result<Lasts, String> {
    match text.parse()? {
        Delay::Told(shortest, longest) => Ok(Lasts::Between(shortest, longest)),
        Delay::Learned => Err("give a time, such as `60s` or `90s..150s`".to_owned()),
    }
}

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "learned" {
            return Ok(Self::Learned);
        }
        let (shortest, longest) = text.split_once("..").unwrap_or((text, text));
        let (shortest, longest) = (time(shortest)?.as_secs(), time(longest)?.as_secs());
        if longest < shortest {
            return Err("the longest time comes second: 90s..150s".to_owned());
        }
        Ok(Self::Told(shortest, longest))
    }
}

/// Both delays, and for people where they come from.
pub(super) struct Delays {
    pub boot: Lasts,
    pub boot_source: String,
    pub drain: Lasts,
    pub drain_source: String,
    /// Why what could have been learned was not.
    pub notes: Vec<String>,
}

impl DelayArguments {
    /// The delays of a rehearsal whose first policy is `policy`.
    pub(super) async fn read(&self, policy: Option<&(String, Policy)>) -> Result<Delays, Failure> {
        let known = self.known(policy).await?;
        let mut notes = Vec::new();
        let boot = Flag { name: "--boot", told: self.boot, usual: 120 };
        let drain = Flag { name: "--drain", told: self.drain, usual: 60 };
        let (boot, boot_source) = boot.read(known.as_ref(), |lives| &lives.to_serve, &mut notes)?;
        let (drain, drain_source) =
            drain.read(known.as_ref(), |lives| &lives.to_leave, &mut notes)?;
        Ok(Delays { boot, boot_source, drain, drain_source, notes })
    }

    /// What the database knows of the pool.
    async fn known(&self, policy: Option<&(String, Policy)>) -> Result<Option<Known>, Failure> {
        let Some(file) = &self.database else {
            return Ok(None);
        };
        let name = file.display();
        let pool = self.pool.as_ref().or_else(|| Some(&policy?.1.pool)).ok_or_else(|| {
            let what = "no policy says whose nodes to look up in --database";
            Failure::Usage(format!("{what}\nhint: name a --pool"))
        })?;
        if !file.exists() {
            let what = format!("there is no database at {name}");
            return Err(Failure::failed(anyhow::anyhow!(
                "{what}\nhint: name the daemon's, as `database` in its settings"
            )));
        }
        let store = Store::open_beside(file).await.map_err(Failure::failed)?;
        let lives = store.lives(pool).await.map_err(Failure::failed);
        store.close().await;
        Ok(Some(Known { lives: lives?, place: format!("{pool} in {name}") }))
    }
}

/// What a database knows, and where that is.
struct Known {
    lives: Lives,
    place: String,
}

/// One delay's flag.
struct Flag {
    name: &'static str,
    told: Option<Delay>,
    /// Seconds, where nothing is told and nothing learned.
    usual: u64,
}

impl Flag {
    fn read(
        &self,
        known: Option<&Known>,
        times: impl Fn(&Lives) -> &Vec<f64>,
        notes: &mut Vec<String>,
    ) -> Result<(Lasts, String), Failure> {
        let Self { name, told, usual } = *self;
        if let Some(Delay::Told(shortest, longest)) = told {
            return Ok((Lasts::Between(shortest, longest), format!("as told by {name}")));
        }
        let Some(Known { lives, place }) = known else {
            return match told {
                Some(_) => Err(Failure::Usage(format!(
                    "{name} is to be learned, and there is nothing to learn from\n\
                     hint: name a --database"
                ))),
                None => Ok((Lasts::always(usual), "the default".to_owned())),
            };
        };
        let times = times(lives);
        let count = times.len();
        let learned = Lasts::known(times.iter().copied()).filter(|_| FEWEST_LIVES <= count);
        match learned {
            Some(learned) => Ok((learned, format!("learned from {count} nodes of {place}"))),
            None if told.is_some() => Err(Failure::failed(anyhow::anyhow!(
                "{name} can't be learned from {count} nodes of {place}\n\
                 hint: give a time; {FEWEST_LIVES} nodes are enough"
            ))),
            None => {
                notes.push(format!(
                    "{name} is {usual}s: too little to learn from {count} nodes of {place}, \
                     {FEWEST_LIVES} are enough"
                ));
                Ok((Lasts::always(usual), "the default".to_owned()))
            }
        }
    }
}
