//! Nodes on loopback for playbook runs, and ways to look at what a run does.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use uuid::Uuid;
use windlass::ansible::{AnsibleConfigurator, AnsibleOptions};
use windlass::domain::{Duration, HostResult, InstanceLabel, RunId, RunStatus, Timestamp, after};
use windlass::ports::{Configurator, RunHost, RunSpec};

/// Far longer than any run here takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Where every node's sshd listens, each on an address of its own.
const PORT: u16 = 2022;

/// Nodes on loopback, each an `sshd` with a host key of its own, and a folder of runs.
pub struct Lab {
    dir: TempDir,
    network: [u8; 3],
    nodes: Vec<Option<Child>>,
    host_keys: Vec<String>,
    runs: RefCell<Vec<RunId>>,
    pub user_key: String,
}

impl Lab {
    pub fn with_nodes(count: usize) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let user_key = make_key(&dir.path().join("id"));
        // Addresses of the test's own, where no other program's connection can take the port.
        let [network, subnet] = rand::random::<[u8; 2]>();
        let network = [127, 1 + network % 254, subnet];
        let host_keys =
            (0..count).map(|node| make_key(&dir.path().join(format!("host-{node}")))).collect();
        let nodes = (0..count).map(|_| None).collect();
        let mut lab = Self { dir, network, nodes, host_keys, runs: RefCell::default(), user_key };
        (0..count).for_each(|node| lab.start_node(node));
        lab
    }

    pub fn start_node(&mut self, node: usize) {
        let (dir, address) = (self.dir.path().display(), self.address(node));
        // sshd run by root insists on this folder, which Debian's service makes at its start.
        if let Err(cause) = fs::create_dir_all("/run/sshd") {
            assert!(Path::new("/run/sshd").exists() || !is_root(), "/run/sshd: {cause}");
        }
        // A module that is cut off leaves its files behind: here, where they go with the test.
        let config = format!(
            "SetEnv TMPDIR={dir}\nListenAddress {address}:{}\nHostKey {dir}/host-{node}\nPidFile none\n\
             AuthorizedKeysFile {dir}/id.pub\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nPermitRootLogin prohibit-password\n\
             Subsystem sftp internal-sftp\n",
            PORT
        );
        let path = self.path(&format!("sshd-{node}.conf"));
        fs::write(&path, config).unwrap();
        let log = fs::File::create(self.path(&format!("sshd-{node}.log"))).unwrap();
        let mut sshd = Command::new("/usr/sbin/sshd");
        sshd.args(["-D", "-e", "-f"]).arg(&path).stderr(log);
        let mut sshd = sshd.spawn().expect("sshd is missing: run `apt install openssh-server`");
        while TcpStream::connect((self.address(node), PORT)).is_err() {
            let log = || fs::read_to_string(self.path(&format!("sshd-{node}.log")));
            assert!(matches!(sshd.try_wait(), Ok(None)), "sshd ended: {:?}", log());
        }
        self.nodes[node] = Some(sshd);
    }

    pub fn stop_node(&mut self, node: usize) {
        let mut sshd = self.nodes[node].take().expect("is running");
        sshd.kill().expect("is killed");
        sshd.wait().expect("is collected");
    }

    pub fn adapter(&self) -> AnsibleConfigurator {
        self.adapter_with(|_| {})
    }

    pub fn adapter_with(&self, change: impl FnOnce(&mut AnsibleOptions)) -> AnsibleConfigurator {
        let mut options = AnsibleOptions::new(self.path("runs"));
        options.grace = Duration::from_millis(500);
        change(&mut options);
        AnsibleConfigurator::open(options).expect("opens")
    }

    pub fn run(&self, playbook: &str, variables: &[(&str, &str)]) -> RunSpec {
        let id = RunId(Uuid::now_v7());
        self.runs.borrow_mut().push(id);
        let hosts = self.host_keys.iter().enumerate().map(|(node, key)| RunHost {
            label: self.label(node),
            address: self.address(node),
            // A key that is not (yet) shown does no harm.
            host_keys: vec![self.user_key.clone(), key.clone()],
        });
        let mut variables = owned(variables);
        variables.insert("folder".into(), self.dir.path().display().to_string());
        let spec = spec_of(id, playbook, &self.path("id"));
        RunSpec { hosts: hosts.collect(), variables, ..spec }
    }

    pub fn address(&self, node: usize) -> Ipv4Addr {
        let [a, b, c] = self.network;
        Ipv4Addr::new(a, b, c, 1 + node as u8)
    }

    pub fn label(&self, node: usize) -> InstanceLabel {
        InstanceLabel::new(format!("my-pool-{node:012}")).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn events(&self, run: RunId) -> String {
        fs::read_to_string(self.path("runs").join(run.to_string()).join("events"))
            .unwrap_or_default()
    }

    /// This test program once more, as a daemon that starts `run` and then waits for ever.
    pub fn daemon_in_a_process_of_its_own(&self, run: &RunSpec) -> Child {
        let key = run.private_key_file.display().to_string();
        let words = [
            self.path("runs").display().to_string(),
            run.id.to_string(),
            run.hosts[0].label.to_string(),
            self.host_keys[0].clone(),
            run.hosts[0].address.to_string(),
            key,
            self.dir.path().display().to_string(),
        ];
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ansible_runs::the_daemon_that_is_killed", "--ignored"])
            .env("WINDLASS_TEST_DAEMON", words.join("\n"))
            .stdout(Stdio::null())
            .spawn()
            .expect("starts")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for sshd in self.nodes.iter_mut().flatten() {
            let _ = sshd.kill();
            let _ = sshd.wait();
        }
        // What a failing test left at work; none may write into the folder that goes now.
        let runs = self.runs.borrow();
        let left = || runs.iter().flat_map(|run| pids_of(*run)).collect::<Vec<_>>();
        let patience = std::time::Instant::now() + Duration::from_secs(10);
        while !left().is_empty() && std::time::Instant::now() < patience {
            for pid in left() {
                let _ = Command::new("kill").args(["-KILL", &pid]).stderr(Stdio::null()).status();
            }
        }
    }
}

pub fn spec_of(id: RunId, playbook: &str, key: &Path) -> RunSpec {
    let timeout = Duration::from_secs(120);
    RunSpec {
        id,
        playbook: data(playbook),
        hosts: Vec::new(),
        user: user(),
        port: PORT,
        private_key_file: key.to_path_buf(),
        variables: BTreeMap::new(),
        deadline: after(Timestamp::now(), timeout),
        timeout,
        pool: "my-pool".to_owned(),
    }
}

/// The environment variables of all those processes.
pub fn environments_of(run: RunId) -> Vec<String> {
    let read = |pid: String| fs::read_to_string(format!("/proc/{pid}/environ")).ok();
    let environments = pids_of(run).into_iter().filter_map(read);
    environments.flat_map(|all| all.split('\0').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The results of a run, once it is over.
pub async fn ended(
    adapter: &AnsibleConfigurator,
    run: RunId,
) -> BTreeMap<InstanceLabel, HostResult> {
    let wait = async {
        loop {
            match adapter.status(run).await.expect("can be looked at") {
                RunStatus::Ended { hosts } => return hosts,
                RunStatus::Running => adapter.run_ended().await,
                other => panic!("run {run} is {other:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the run ends in time")
}

pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// The command lines of all processes that carry the run's mark.
pub fn processes_of(run: RunId) -> Vec<String> {
    let command = |pid: String| fs::read_to_string(format!("/proc/{pid}/cmdline")).ok();
    let words = |line: String| line.trim_end_matches('\0').replace('\0', " ");
    pids_of(run).into_iter().filter_map(command).map(words).filter(|c| !c.is_empty()).collect()
}

fn pids_of(run: RunId) -> Vec<String> {
    let mark = format!("WINDLASS_RUN={run}");
    let is_marked = |pid: &String| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|bytes| bytes.split(|b| *b == 0).any(|v| v == mark.as_bytes()))
    };
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.map(|entry| entry.file_name().to_string_lossy().into_owned());
    pids.filter(|pid| pid.bytes().all(|b| b.is_ascii_digit())).filter(is_marked).collect()
}

fn make_key(path: &Path) -> String {
    let args = ["-q", "-t", "ed25519", "-N", "", "-C", "a comment", "-f"];
    let made = Command::new("ssh-keygen").args(args).arg(path).status();
    let made = made.expect("ssh-keygen is missing: run `apt install openssh-client`");
    assert!(made.success());
    fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned()
}

pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ansible").join(name)
}

pub fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

pub fn owned(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn user() -> String {
    let id = Command::new("id").arg("-un").output().expect("`id` is there");
    String::from_utf8(id.stdout).unwrap().trim().to_owned()
}

fn is_root() -> bool {
    user() == "root"
}
