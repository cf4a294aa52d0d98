//! Starting and stopping a sandbox.
//!
//! In: options.
//! Out: a server that runs, and its address; or an error that says what to change.
//! Never: starts half: the socket is bound last, when all else is good.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::auth::{self, Keyring, TokenFileError};
use super::call::Rules;
use super::driver::{self, Hooks};
use super::faults::Faults;
use super::jobs::Pace;
use super::limits::Limits;
use super::options::SandboxOptions;
use super::persist::{self, StateError, StateFile};
use super::server::{self, Doors};
use super::shared::{Shared, now};
use super::world::World;

/// Why a sandbox can't start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Nobody could ever log in.
    #[error("the sandbox has no token to accept: give --token-file PATH or --token TOKEN")]
    NoToken,
    /// A token file is of no use.
    #[error("a token file is of no use")]
    TokenFile(#[source] TokenFileError),
    /// The state file is of no use.
    #[error("the state file is of no use")]
    State(#[source] StateError),
    /// The faults file is of no use.
    #[error("{path}: {why}")]
    Faults {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The address is taken or not ours.
    #[error("cannot listen on {address}; choose another one with --listen, or port 0 for any")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The server ended by itself.
    #[error("the server stopped")]
    Stopped(#[source] std::io::Error),
}

/// The sandbox; see [`Sandbox::start`].
#[derive(Debug)]
pub struct Sandbox;

/// A sandbox that runs. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    shutdown: CancellationToken,
    server: Option<JoinHandle<std::io::Result<()>>>,
    driver: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox in this process, on the current runtime.
    pub async fn start(options: SandboxOptions) -> Result<Running, SandboxError> {
        let mut tokens = options.tokens.clone();
        for path in &options.token_files {
            tokens.extend(auth::read_token_file(path).map_err(SandboxError::TokenFile)?);
        }
        if tokens.is_empty() {
            return Err(SandboxError::NoToken);
        }
        let world = match &options.state {
            Some(path) => persist::load(path).map_err(SandboxError::State)?,
            None => None,
        };
        let shutdown = CancellationToken::new();
        let shared = Arc::new(Shared::new(
            rules(&options),
            Keyring::new(&tokens),
            (!options.no_rate_limit).then(Limits::default),
            faults(&options)?,
            options.faults.clone(),
            world.unwrap_or_else(|| World::new(now())),
            options.state.clone().map(StateFile::new),
            shutdown.clone(),
        ));
        let listen = |cause| SandboxError::Listen { address: options.listen, cause };
        let socket = TcpListener::bind(options.listen).await.map_err(listen)?;
        let address = socket.local_addr().map_err(listen)?;
        let driver = tokio::spawn(driver::run(shared.clone(), hooks(&options)));
        let server = tokio::spawn(server::serve(Doors(socket), shared));
        Ok(Running { address, shutdown, server: Some(server), driver: Some(driver) })
    }
}

impl Running {
    /// The root of the API, as `http://127.0.0.1:8090/v4`.
    pub fn url(&self) -> String {
        format!("http://{}/v4", self.address)
    }

    /// Stops: hooks under way are called off, and run again when the state file is next used.
    pub async fn stop(mut self) -> Result<(), SandboxError> {
        self.shutdown.cancel();
        self.ended().await
    }

    /// Waits until the server ends, which without [`Running::stop`] it shouldn't.
    async fn ended(&mut self) -> Result<(), SandboxError> {
        if let Some(server) = self.server.take() {
            let ended = server.await.map_err(std::io::Error::other).and_then(|result| result);
            ended.map_err(SandboxError::Stopped)?;
        }
        if let Some(driver) = self.driver.take() {
            driver.await.map_err(std::io::Error::other).map_err(SandboxError::Stopped)?;
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Runs a sandbox until `shutdown`; says on standard error where it listens.
pub async fn run(options: SandboxOptions, shutdown: CancellationToken) -> Result<(), SandboxError> {
    if !options.listen.ip().is_loopback() {
        tracing::warn!("{} is no loopback address: whoever reaches it may try", options.listen);
    }
    let mut running = Sandbox::start(options).await?;
    anstream::eprintln!("windlass sandbox listening on {}", running.url());
    tokio::select! {
        () = shutdown.cancelled() => running.stop().await,
        ended = running.ended() => ended,
    }
}

fn rules(options: &SandboxOptions) -> Rules {
    Rules {
        pace: Pace {
            speed: options.speed,
            seed: options.seed,
            has_boot_hook: options.on_boot.is_some(),
            has_shutdown_hook: options.on_shutdown.is_some(),
            has_delete_hook: options.on_delete.is_some(),
        },
        quota_instances: options.quota_instances,
        network_helper: options.network_helper,
    }
}

fn hooks(options: &SandboxOptions) -> Hooks {
    Hooks {
        on_boot: options.on_boot.clone(),
        on_shutdown: options.on_shutdown.clone(),
        on_delete: options.on_delete.clone(),
        timeout: options.hook_timeout,
    }
}

fn faults(options: &SandboxOptions) -> Result<Faults, SandboxError> {
    let mut faults = Faults::none(options.seed);
    let Some(path) = &options.faults else { return Ok(faults) };
    let text = match std::fs::read_to_string(path) {
        // Not there yet: a test may write it later.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(faults),
        Err(error) => Err(error.to_string()),
        Ok(text) => Ok(text),
    };
    let taken = text.and_then(|text| faults.update(&text));
    taken.map_err(|why| SandboxError::Faults { path: path.clone(), why })?;
    Ok(faults)
}
