//! Programs of the lab: each in its network, with its log, killed when the test lets go of it.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A network of the world: `mon`, `lb1`, `lb2` or `cli`; `None` is the world's own.
pub type Network = Option<&'static str>;

/// A running program.
pub struct Process {
    name: String,
    child: Child,
}

impl Process {
    /// Starts `command` in `network`, with `variables` on top of the test's own; what it says is
    /// added to `logs/NAME.log`.
    pub fn start(
        logs: &Path,
        name: &str,
        network: Network,
        command: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let log =
            OpenOptions::new().create(true).append(true).open(logs.join(format!("{name}.log")));
        let log = log.expect("the log directory is writable");
        let child = inside(network, command)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("an open file"))
            .stdout(log)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name} ({command:?}): {error}"));
        Self { name: name.to_owned(), child }
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    /// Ends it as a power failure would.
    pub fn kill(mut self) {
        self.child.kill().expect("a child of ours");
        self.child.wait().expect("a child of ours");
    }

    /// Asks it to end, and waits until it has.
    pub fn terminate(mut self) -> ExitStatus {
        let pid = self.pid().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().expect("kill is there");
        assert!(asked.success(), "{} had ended already", self.name);
        self.child.wait().expect("a child of ours")
    }
}

/// `command`, to be run in `network`. No shell and no fork between: a signal to the child is a
/// signal to the program.
pub fn inside(network: Network, command: &[&str]) -> Command {
    let mut prepared = match network {
        Some(network) => {
            let mut enter = Command::new("nsenter");
            enter.arg(format!("--net=/run/netns/{network}")).arg("--").args(command);
            enter
        }
        None => {
            let mut plain = Command::new(command[0]);
            plain.args(&command[1..]);
            plain
        }
    };
    // What the lab's programs leave at home or for a moment is gone with the world.
    prepared.env("HOME", "/run/lab/home").env("TMPDIR", "/run/lab/home");
    prepared
}

/// Runs `command` to its end and answers what it printed; an error says what went wrong.
pub fn output(network: Network, command: &[&str]) -> Result<String, String> {
    let output = inside(network, command).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} ended with {}: {said}{complaint}", output.status))
}
