//! A real HAProxy of one of three versions, with a folder and sockets of its own, and origins
//! behind it.
//!
//! Never: a port that another test could take: HAProxy listens on Unix sockets, and origins hold
//! theirs from the start.

use std::fmt::Write as _;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use windlass::domain::{BackendName, BackendView, Server, ServerName};
use windlass::haproxy::{
    HaproxyBalancer, HaproxySettings, Mode, OldWorkersSettings, RuntimeAddress,
};
use windlass::ports::{Balancer, Member, RegisterOptions, Removal, Sessions};

/// Which HAProxy, and how members get into it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub release: &'static str,
    pub mode: Mode,
}

impl Setting {
    /// The program; `None` when this version isn't here, which is said loudly.
    ///
    /// It is the one that `tests/tools/fetch-haproxy` has fetched, or the system's own.
    pub fn program(&self) -> Option<PathBuf> {
        let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/haproxy");
        let fetched = fetched.join(self.release).join("haproxy");
        let wanted = format!("version {}.", self.release);
        let is_wanted = |program: &PathBuf| {
            let output = Command::new(program).arg("-v").output();
            output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&wanted))
        };
        let program = [fetched, "/usr/sbin/haproxy".into()].into_iter().find(is_wanted);
        if program.is_some() {
            return program;
        }
        let problem = format!(
            "NOT TESTED: HAProxy {} is neither in target/haproxy nor /usr/sbin/haproxy; run \
             tests/tools/fetch-haproxy (2.6 is Debian 12's package haproxy)",
            self.release
        );
        assert!(std::env::var_os("WINDLASS_REQUIRE_HAPROXY").is_none(), "{problem}");
        eprintln!("{problem}");
        None
    }
}

/// What stands in haproxy.cfg.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Template slots of the backend.
    pub slots: u32,
    /// Static servers, `seed1` and on.
    pub seeds: Vec<SocketAddrV4>,
    pub balance: &'static str,
    pub level: &'static str,
    /// A TCP port for the runtime API as well.
    pub tcp: Option<u16>,
    /// Run as master and worker, so that it can be reloaded.
    pub master: bool,
}

/// A running HAProxy.
pub struct Lab {
    pub balancer: HaproxyBalancer,
    pub backend: BackendName,
    setting: Setting,
    configuration: Configuration,
    program: PathBuf,
    folder: tempfile::TempDir,
    process: Child,
}

impl Lab {
    /// Starts it, with as many slots as the tests need where the mode wants slots.
    pub async fn start(setting: Setting, slots: u32, seeds: &[SocketAddrV4]) -> Option<Self> {
        let slots = if setting.mode == Mode::Slots { slots } else { 0 };
        let configuration = Configuration {
            slots,
            seeds: seeds.to_vec(),
            balance: "roundrobin",
            level: "admin",
            tcp: None,
            master: false,
        };
        Self::start_with(setting, configuration).await
    }

    pub async fn start_with(setting: Setting, configuration: Configuration) -> Option<Self> {
        let program = setting.program()?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let process = launch(&program, folder.path(), &configuration);
        let admin = RuntimeAddress::Unix(folder.path().join("admin.sock"));
        let old_workers = OldWorkersSettings {
            master: configuration
                .master
                .then(|| RuntimeAddress::Unix(folder.path().join("master.sock"))),
            hard_stop_after: None,
        };
        let mut lab = Self {
            balancer: balancer(admin, setting.mode, old_workers),
            backend: BackendName::new("app").expect("a name"),
            setting,
            configuration,
            program,
            folder,
            process,
        };
        lab.until_it_answers().await;
        Some(lab)
    }

    /// Kills it without mercy and starts it again; the moment when it answered again.
    pub async fn restart(&mut self) -> Instant {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it was killed");
        self.process = launch(&self.program, self.folder.path(), &self.configuration);
        self.until_it_answers().await
    }

    /// Tells the master to start a worker with the same configuration.
    pub fn reload(&self) {
        let pid = self.process.id().to_string();
        let done = Command::new("kill").args(["-USR2", &pid]).status().expect("kill runs");
        assert!(done.success(), "the master lives");
    }

    /// Whether the process that was started first is still there.
    pub fn is_alive(&mut self) -> bool {
        self.process.try_wait().expect("it is our child").is_none()
    }

    /// Where requests go in.
    pub fn front(&self) -> PathBuf {
        self.folder.path().join("front.sock")
    }

    pub fn admin_socket(&self) -> PathBuf {
        self.folder.path().join("admin.sock")
    }

    /// Another way to the same HAProxy.
    pub fn balancer_at(&self, address: RuntimeAddress) -> HaproxyBalancer {
        balancer(address, self.setting.mode, OldWorkersSettings::default())
    }

    /// A command of our own, as an operator gives it.
    pub async fn command(&self, line: &str) -> String {
        let mut stream = tokio::net::UnixStream::connect(self.admin_socket()).await.expect("open");
        stream.write_all(format!("{line}\n").as_bytes()).await.expect("a command");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.expect("a reply");
        reply
    }

    async fn until_it_answers(&mut self) -> Instant {
        let deadline = Instant::now() + Duration::from_secs(10);
        let answers = async |path| tokio::net::UnixStream::connect(path).await.is_ok();
        // It opens one after the other.
        while !(answers(self.admin_socket()).await && answers(self.front()).await) {
            let log =
                || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "HAProxy does not answer: {}", log());
            assert!(
                self.process.try_wait().expect("it is our child").is_none(),
                "HAProxy gave up: {}",
                log()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Instant::now()
    }

    pub async fn view(&self) -> BackendView {
        self.balancer.view(&self.backend).await.expect("a view")
    }

    /// The server of a member, if it is there.
    pub async fn server(&self, member: &Member) -> Option<Server> {
        self.view().await.server_at(member.address).cloned()
    }

    pub async fn register(&self, member: &Member) {
        self.balancer.register(&self.backend, member, &options()).await.expect("it registers");
    }

    pub async fn make_ready(&self, member: &Member) {
        self.balancer.make_ready(&self.backend, member).await.expect("it gets ready");
    }

    /// Waits until the check says UP.
    pub async fn until_up(&self, member: &Member) {
        eventually("the member is UP", async || {
            let server = self.server(member).await.expect("it is registered");
            server.health == windlass::domain::ServerHealth::Up
        })
        .await;
    }

    /// Registered, UP and ready.
    pub async fn admit(&self, member: &Member) {
        self.register(member).await;
        self.until_up(member).await;
        self.make_ready(member).await;
    }

    /// One go at removing it.
    pub async fn remove(&self, member: &Member, sessions: Sessions) -> Removal {
        self.balancer.remove(&self.backend, member, sessions).await.expect("a stage of removal")
    }

    /// Asks for its removal until nothing of it is left.
    pub async fn until_gone(&self, member: &Member, sessions: Sessions) {
        eventually("the member is gone", async || {
            self.remove(member, sessions).await == Removal::Gone
        })
        .await;
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A master takes its workers along when asked nicely; its pipe to them ends them in any
        // case once it is gone.
        if self.configuration.master {
            let pid = self.process.id().to_string();
            let _ = Command::new("kill").args(["-TERM", &pid]).status();
            let deadline = Instant::now() + Duration::from_secs(2);
            while self.process.try_wait().is_ok_and(|ended| ended.is_none())
                && Instant::now() < deadline
            {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn balancer(
    address: RuntimeAddress,
    mode: Mode,
    old_workers: OldWorkersSettings,
) -> HaproxyBalancer {
    HaproxyBalancer::new(HaproxySettings {
        name: "lb1".parse().expect("a name"),
        address,
        mode,
        slot_prefix: "slot".parse().expect("a name"),
        old_workers,
    })
}

fn launch(program: &Path, folder: &Path, configuration: &Configuration) -> Child {
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, text(folder, configuration)).expect("a configuration file");
    let log = std::fs::File::create(folder.join("log")).expect("a log file");
    let mut command = Command::new(program);
    command.arg("-f").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    if configuration.master {
        command.arg("-W").arg("-S").arg(folder.join("master.sock"));
    }
    command.spawn().expect("HAProxy starts")
}

fn text(folder: &Path, configuration: &Configuration) -> String {
    let folder = folder.display();
    let Configuration { slots, seeds, balance, level, tcp, master: _ } = configuration;
    let mut text =
        format!("global\n    stats socket {folder}/admin.sock level {level} expose-fd listeners\n");
    if let Some(port) = tcp {
        let _ = writeln!(text, "    stats socket ipv4@127.0.0.1:{port} level {level}");
    }
    let _ = write!(
        text,
        "    maxconn 2000\n    nbthread 2\n\
         defaults\n    mode http\n    timeout connect 1s\n    timeout client 30s\n    \
         timeout server 30s\n    timeout queue 5s\n    retries 3\n\
         frontend front\n    bind unix@{folder}/front.sock\n    default_backend app\n\
         backend app\n    balance {balance}\n    option httpchk GET /healthz\n    \
         default-server check inter 300ms rise 2 fall 2\n"
    );
    for (index, seed) in seeds.iter().enumerate() {
        let _ = writeln!(text, "    server seed{} {seed}", index + 1);
    }
    if 0 < *slots {
        let _ = writeln!(text, "    server-template slot {slots} 127.0.0.1:1 disabled");
    }
    text
}

/// How members are registered here: checked often, so that tests are short.
pub fn options() -> RegisterOptions {
    RegisterOptions {
        check_interval: Duration::from_millis(300),
        rise: 2,
        fall: 2,
        max_connections: None,
        slow_start: Duration::ZERO,
    }
}

/// The member at an address, named after its number.
pub fn member(number: u64, address: SocketAddrV4) -> Member {
    let server = ServerName::new(format!("as-lab-{number:012x}")).expect("a name");
    Member { server, address }
}

/// Waits for a condition, 20 seconds at most.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(Instant::now() < deadline, "it never came about that {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
