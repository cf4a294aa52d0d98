//! How a command ends badly: the exit code, and what is said.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::config::{Config, ConfigError, load_policies};
use crate::daemon::StartError;
use crate::policy::{Policy, parse};

/// A bad end.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something failed: 1.
    Failed(anyhow::Error),
    /// Flags that don't go together: 2. The text has its remedy.
    Usage(String),
    /// The settings or a policy can't be used: 3. The text has its place and remedy.
    BadSettings(String),
    /// Problems were found and have been printed: 4.
    Found,
}

impl Failure {
    pub(super) fn failed(cause: impl Into<anyhow::Error>) -> Self {
        Self::Failed(cause.into())
    }

    /// Says it, and gives the code.
    pub(super) fn report(self) -> ExitCode {
        match self {
            Self::Failed(cause) => {
                anstream::eprintln!("error: {cause:#}");
                ExitCode::from(1)
            }
            Self::Usage(text) => {
                anstream::eprintln!("error: {text}");
                ExitCode::from(2)
            }
            Self::BadSettings(text) => {
                anstream::eprintln!("{}", text.trim_end());
                ExitCode::from(3)
            }
            Self::Found => ExitCode::from(4),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        if let ConfigError::Problems(problems) = &error {
            return Self::BadSettings(problems.to_string());
        }
        let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        Self::BadSettings(format!("error: {:#}{hint}", anyhow::Error::new(error)))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<StartError>() {
            Ok(StartError::Store(cause)) => Self::failed(cause),
            Ok(cause) => Self::BadSettings(format!("error: {cause:#}")),
            Err(error) => Self::Failed(error),
        }
    }
}

/// The settings at `file` and their policies; warnings are said.
pub(super) fn load(file: &Path) -> Result<(Config, Vec<(PathBuf, Policy)>), Failure> {
    let config = Config::load(file)?;
    for warning in &config.warnings {
        anstream::eprintln!("warning: {warning}");
    }
    let policies = load_policies(&config).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::BadSettings(texts.join("\n"))
    })?;
    Ok((config, policies))
}

/// The policy at `file`.
pub(super) fn read_policy(file: &Path) -> Result<Policy, Failure> {
    let text = read_policy_text(file)?;
    parse(&text, file).map_err(|problems| Failure::BadSettings(problems.to_string()))
}

/// The text of the policy at `file`.
pub(super) fn read_policy_text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|cause| {
        let file = file.display();
        Failure::BadSettings(format!(
            "error: can't read {file}: {cause}\nhint: name a policy file that you may read"
        ))
    })
}
