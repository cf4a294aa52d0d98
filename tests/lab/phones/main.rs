//! The phones: sends GET /notifications to the balancers, at a steady rate and with push campaigns.
//!
//! In: the balancers' addresses, a base rate, campaigns, a length of time.
//! Out: a line of JSON a second on stdout; at the end (or on SIGTERM) a summary of everything.
//! Never: slows down because answers are slow (an open loop), or hides a failure by asking again.

#![allow(clippy::disallowed_methods, reason = "phones live in real time")]

mod client;
mod tally;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinSet, LocalSet};

use client::Target;
use tally::Tally;

/// Phones give up after this long; the balancers' queues hold requests for as long.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often owed requests are sent: short against any latency, long against a wake-up's cost.
const BEAT: Duration = Duration::from_millis(10);

#[derive(Parser)]
#[command(about = "Sends GET /notifications at a steady rate, with push campaigns")]
struct Arguments {
    /// The balancers, ADDRESS:PORT, taken in turn
    #[arg(long, required = true, value_delimiter = ',')]
    to: Vec<SocketAddr>,
    /// Requests per second outside of campaigns
    #[arg(long)]
    base: f64,
    /// AT,PEAK,HOLD,DECAY: from second AT on PEAK requests per second for HOLD seconds, then
    /// falling to the base within DECAY seconds; may be given more than once
    #[arg(long)]
    campaign: Vec<Campaign>,
    /// How long to send, in seconds
    #[arg(long = "for")]
    seconds: f64,
    /// Where the summary is written, as JSON
    #[arg(long)]
    summary: PathBuf,
}

#[derive(Clone, Debug)]
struct Campaign {
    at: f64,
    peak: f64,
    hold: f64,
    decay: f64,
}

impl std::str::FromStr for Campaign {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<f64>, _> = text.split(',').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[at, peak, hold, decay]) if 0.0 < decay => Ok(Self { at, peak, hold, decay }),
            _ => Err(format!(
                "`{text}` isn't AT,PEAK,HOLD,DECAY, in seconds and requests per second"
            )),
        }
    }
}

impl Campaign {
    /// How much of the campaign's rise over the base is there at second `now`: 0 to 1.
    fn share(&self, now: f64) -> f64 {
        let into_decay = now - self.at - self.hold;
        if now < self.at { 0.0 } else { (1.0 - into_decay / self.decay).clamp(0.0, 1.0) }
    }
}

impl Arguments {
    /// Requests per second at second `now`.
    fn rate(&self, now: f64) -> f64 {
        let rise = |campaign: &Campaign| (campaign.peak - self.base) * campaign.share(now);
        self.base + self.campaign.iter().map(rise).fold(0.0, f64::max)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let tally = Rc::new(RefCell::new(Tally::default()));
    LocalSet::new().run_until(send_all(&arguments, tally.clone())).await?;
    let text = serde_json::to_string_pretty(&tally.borrow().summary())?;
    let path = arguments.summary;
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Sends what is owed at each beat until the time is up or somebody says stop, and waits for the
/// last answers.
async fn send_all(arguments: &Arguments, tally: Rc<RefCell<Tally>>) -> anyhow::Result<()> {
    let targets: Vec<_> = arguments.to.iter().copied().map(Target::new).map(Rc::new).collect();
    let mut stop = signal(SignalKind::terminate())?;
    let mut beat = tokio::time::interval(BEAT);
    let begin = Instant::now();
    let (mut owed, mut last, mut next_line) = (0.0, 0.0, 1.0);
    let mut requests = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.recv() => break,
            _ = beat.tick() => {}
        }
        let now = begin.elapsed().as_secs_f64();
        if arguments.seconds <= now {
            break;
        }
        owed += arguments.rate(now) * (now - last);
        last = now;
        while 1.0 <= owed {
            owed -= 1.0;
            let turn = tally.borrow_mut().count_sent();
            let target = targets[turn as usize % targets.len()].clone();
            requests.spawn_local(ask_and_record(target, tally.clone()));
        }
        while requests.try_join_next().is_some() {}
        if next_line <= now {
            next_line += 1.0;
            let progress = tally.borrow().progress(now, arguments.rate(now));
            println!("{}", serde_json::to_string(&progress)?);
        }
    }
    while requests.join_next().await.is_some() {}
    Ok(())
}

async fn ask_and_record(target: Rc<Target>, tally: Rc<RefCell<Tally>>) {
    let began = Instant::now();
    let result = match tokio::time::timeout(PATIENCE, target.ask()).await {
        Ok(result) => result,
        Err(_) => Err(anyhow::anyhow!("no answer within {} s", PATIENCE.as_secs())),
    };
    tally.borrow_mut().record(&target.address.to_string(), began, result);
}
