//! One furnished world: what runs in it, and how a test looks at it and turns its knobs.
//!
//! In: calls of the tests.
//! Out: real programs started, stopped and killed; facts read from them.
//! Never: a stand-in for anything but the cloud, whose API is the sandbox.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::load::Load;
use crate::process::{Network, Process, output};
use crate::wait::{Look, found, wait_for};
use crate::world;

/// The world's own files; private to it.
pub const HERE: &str = "/run/lab";
/// The daemon's API.
const API: &str = "http://10.77.0.2:8377";
/// The cloud's API.
const CLOUD: &str = "http://203.0.113.1:8080";
/// Prometheus.
const PROMETHEUS: &str = "http://10.77.0.2:9090";
/// Both balancers.
pub const BALANCERS: [&str; 2] = ["lb1", "lb2"];

/// A furnished world.
pub struct Lab {
    logs: PathBuf,
    running: BTreeMap<String, Process>,
    /// How balancers are started that are not started the plain way.
    balancers: BTreeMap<String, Vec<String>>,
}

/// How the daemon is started.
#[derive(Default)]
pub struct DaemonStart<'a> {
    /// It kills itself right after it has written that a node enters this state, and before it
    /// acts on that.
    pub crash_at: Option<&'a str>,
}

impl Lab {
    /// Makes networks, keys and configurations. Nothing runs yet.
    pub fn furnish(test: &str) -> Self {
        let logs = world::logs(test);
        // Logs of the last run would only mislead.
        let _ = fs::remove_dir_all(&logs);
        fs::create_dir_all(&logs).expect("the target directory is writable");
        let setup = world::source().join("setup");
        output(None, &[&setup.to_string_lossy()]).unwrap_or_else(|error| panic!("{error}"));
        for folder in ["home", "dial"] {
            fs::create_dir(Path::new(HERE).join(folder)).expect("the world is writable");
        }
        Self { logs, running: BTreeMap::new(), balancers: BTreeMap::new() }
    }

    /// Cloud, balancers and Prometheus: all that the daemon finds when it starts.
    pub fn start_surroundings(&mut self) {
        self.start_cloud();
        for balancer in BALANCERS {
            self.start_balancer(balancer);
        }
        self.start_prometheus();
    }

    /// The sandbox: the cloud's API, with VMs as bodies of its instances.
    pub fn start_cloud(&mut self) {
        let hook = |name| format!("'{}'", world::source().join(name).display());
        let (boot, delete) = (hook("vm-boot"), hook("vm-delete"));
        let command = [
            windlass(),
            "sandbox",
            "--listen",
            "203.0.113.1:8080",
            "--token-file",
            "/run/lab/tokens",
            "--speed",
            "40",
            "--state",
            "/run/lab/cloud.json",
            "--faults",
            "/run/lab/faults.yaml",
            "--on-boot",
            &boot,
            "--on-delete",
            &delete,
        ];
        self.start("cloud", None, &command);
        self.wait_until_it_answers("cloud", || instances().map(drop));
    }

    /// Writes the faults that the cloud shows from now on; empty text: none.
    pub fn set_cloud_faults(&self, text: &str) {
        replace_file("faults.yaml", text);
    }

    /// Starts a balancer with the configuration that a restart of the real one would read.
    pub fn start_balancer(&mut self, name: &str) {
        let network = if name == "lb1" { "lb1" } else { "lb2" };
        let plain =
            || ["haproxy", "-db", "-f", &format!("{HERE}/{name}.cfg")].map(Into::into).into();
        let command: Vec<String> = self.balancers.get(name).cloned().unwrap_or_else(plain);
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        self.start(name, Some(network), &command);
        self.wait_until_it_answers(name, || crate::haproxy::servers(name).map(drop));
    }

    /// Has a balancer started by `command` instead of the plain way.
    pub fn balancer_runs(&mut self, name: &str, command: Vec<String>) {
        self.balancers.insert(name.to_owned(), command);
    }

    /// The number of a running program's process.
    pub fn pid(&self, name: &str) -> u32 {
        self.running.get(name).expect("it was started").pid()
    }

    /// Prometheus, scraping every second.
    pub fn start_prometheus(&mut self) {
        let command = [
            "prometheus",
            "--config.file=/run/lab/prometheus.yml",
            "--storage.tsdb.path=/run/lab/prometheus",
            "--web.listen-address=10.77.0.2:9090",
            "--web.enable-lifecycle",
            "--log.level=warn",
        ];
        self.start("prometheus", Some("mon"), &command);
        // The daemon itself listens on loopback alone; here a door leads there.
        let door = ["socat", "TCP-LISTEN:8377,bind=10.77.0.2,fork,reuseaddr", "TCP:127.0.0.1:8377"];
        self.start("door", Some("mon"), &door);
        self.wait_until_it_answers("prometheus", || {
            get(&format!("{PROMETHEUS}/-/ready")).map(drop)
        });
    }

    /// The daemon; comes back when its API answers, or, if it is to crash, at once.
    pub fn start_daemon(&mut self, start: DaemonStart<'_>) {
        let command = [windlass(), "run", "--config", "/run/lab/windlass.yaml"];
        let crash = start.crash_at.map(|state| ("WINDLASS_TEST_CRASH_AT", state));
        let variables: Vec<_> = crash.into_iter().collect();
        self.start_with("windlass", Some("mon"), &command, &variables);
        if start.crash_at.is_none() {
            self.wait_until_it_answers("windlass", || pool().map(drop));
        }
    }

    /// Waits until the daemon has killed itself at `state`.
    pub fn wait_for_crash(&mut self, state: &str) {
        let daemon = self.running.get_mut("windlass").expect("the daemon was started");
        wait_for(&format!("the daemon dies at {state}"), 90, || {
            daemon.ended().map(drop).ok_or("it runs".to_owned())
        });
        let mut daemon = self.running.remove("windlass").expect("the daemon was started");
        let status = daemon.ended().expect("it has just ended");
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        assert!(signal.is_some(), "it ended by itself instead of being struck down: {status}");
    }

    /// Ends a program as a power failure would: `windlass`, `lb1`, `cloud`, …
    pub fn kill(&mut self, name: &str) {
        self.running.remove(name).expect("it was started").kill();
    }

    /// Sends load from the public side to both balancers, with the load generator's own flags.
    pub fn start_load(&mut self, flags: &[&str]) -> Load {
        Load::start(&self.logs, flags)
    }

    fn start(&mut self, name: &str, network: Network, command: &[&str]) {
        self.start_with(name, network, command, &[]);
    }

    fn start_with(
        &mut self,
        name: &str,
        network: Network,
        command: &[&str],
        variables: &[(&str, &str)],
    ) {
        let process = Process::start(&self.logs, name, network, command, variables);
        self.running.insert(name.to_owned(), process);
    }

    /// Waits until a program that was just started answers; panics at once if it ends.
    fn wait_until_it_answers(&mut self, name: &str, look: impl Fn() -> Look<()>) {
        let program = self.running.get_mut(name).expect("it was just started");
        wait_for(&format!("{name} answers"), 20, || {
            if let Some(status) = program.ended() {
                panic!("{name} ended with {status}; see {name}.log in {}", self.logs.display());
            }
            look()
        });
    }

    /// Replaces a part of the policy, before the daemon starts.
    pub fn edit_policy(&self, old: &str, new: &str) {
        let text = fs::read_to_string(format!("{HERE}/policy.yaml")).expect("setup wrote it");
        assert!(text.contains(old), "the policy says `{old}` no more");
        replace_file("policy.yaml", &text.replace(old, new));
    }

    // The signal as a dial.

    /// Makes the pool follow a dial instead of real load: a gauge that a test sets, read by
    /// Prometheus like any other. One node for each 40 of it.
    pub fn follow_the_dial(&mut self, min: u32, max: u32) {
        let text = fs::read_to_string(format!("{HERE}/policy.yaml")).expect("setup wrote it");
        let from = text.find("\nnode:").expect("the policy has a node section");
        let head = format!(
            "pool: notifications\n\
             bounds: {{min: {min}, max: {max}}}\n\
             signals: {{dial: {{prometheus: {{query: dial}}, stale_after: 5s}}}}\n\
             rules: [{{target: {{signal: dial, per_node: 40, headroom_percent: 0}}}}]\n\
             scale_in: {{stabilize: 2s, pace: [], cooldown: 0s, order: newest, leave_early: yes}}\n"
        );
        replace_file("policy.yaml", &format!("{head}{}", &text[from..]));
        let prometheus =
            fs::read_to_string(format!("{HERE}/prometheus.yml")).expect("setup wrote it");
        let job = "  - job_name: dial\n    metrics_path: /metrics.txt\n    static_configs:\n      \
                   - targets: ['10.77.0.2:9100']\n";
        replace_file("prometheus.yml", &format!("{prometheus}{job}"));
        let serve =
            ["python3", "-m", "http.server", "--bind", "10.77.0.2", "--directory", "dial", "9100"];
        let serve = ["sh", "-c", "cd /run/lab && exec \"$@\"", "sh"].iter().chain(&serve).copied();
        self.start("dial", Some("mon"), &serve.collect::<Vec<_>>());
    }

    /// What the dial's exporter says from now on, in Prometheus' text format.
    pub fn dial_says(&self, text: &str) {
        replace_file("dial/metrics.txt", text);
    }

    /// Turns the dial so that it calls for `nodes`.
    pub fn dial_for(&self, nodes: u32) {
        self.dial_says(&format!("dial {}\n", f64::from(nodes) * 40.0 - 1.0));
    }

    // Looking.

    /// The pool, as the daemon's API shows it.
    pub fn pool(&self) -> Look<Value> {
        pool()
    }

    /// The pool's whole journal, newest first.
    pub fn journal(&self) -> Look<Vec<Value>> {
        let mut rows = Vec::new();
        let mut before = String::new();
        loop {
            let url = format!("{API}/api/v1/pools/notifications/journal?limit=500{before}");
            let mut page = get_json(&url)?;
            let entries = page["entries"].as_array_mut().ok_or("no journal")?;
            rows.append(entries);
            match page["next_before"].as_i64() {
                Some(sequence) => before = format!("&before={sequence}"),
                None => return Ok(rows),
            }
        }
    }

    /// The decisions that changed the count, newest first.
    pub fn changes(&self) -> Look<Vec<Value>> {
        let url = format!("{API}/api/v1/pools/notifications/decisions?changes=true&limit=500");
        let page = get_json(&url)?;
        page["decisions"].as_array().cloned().ok_or_else(|| format!("no decisions: {page}"))
    }

    /// The instances that exist, as the cloud lists them.
    pub fn instances(&self) -> Look<Vec<Value>> {
        instances()
    }

    /// Every call that the cloud has got from number `since` on, oldest first.
    fn cloud_calls(&self, since: usize) -> Look<Vec<Value>> {
        let journal = get_json(&format!("{CLOUD}/sandbox/requests?since={since}"))?;
        journal["requests"].as_array().cloned().ok_or_else(|| format!("no calls: {journal}"))
    }

    /// How often an instance was made of each label, by the cloud's own events.
    pub fn creations(&self) -> BTreeMap<String, usize> {
        let url = format!("{CLOUD}/v4/account/events?page_size=500");
        let filter = r#"X-Filter: {"action": "linode_create"}"#;
        let eyes = ["curl", "-sS", "-f", "-m", "3", "-H", "@/run/lab/eyes", "-H", filter, &url];
        let page = output(None, &eyes).unwrap_or_else(|error| panic!("{error}"));
        let page: Value = serde_json::from_str(&page).expect("JSON");
        assert_eq!(page["pages"], 1, "more events than a page holds");
        let mut made = BTreeMap::new();
        for event in page["data"].as_array().into_iter().flatten() {
            let label = event["entity"]["label"].as_str().expect("an event names its instance");
            *made.entry(label.to_owned()).or_default() += 1;
        }
        made
    }

    fn cloud_counts(&self, which: &str) -> usize {
        let counts = get_json(&format!("{CLOUD}/sandbox/counts")).expect("the cloud answers");
        let count = counts["instances"][which].as_u64();
        count.unwrap_or_else(|| panic!("no count `{which}`: {counts}")) as usize
    }

    /// How many instances were ever made.
    pub fn instances_ever(&self) -> usize {
        self.cloud_counts("ever")
    }

    /// Waits until the cloud has refused `count` more calls.
    pub fn wait_for_refusals(&self, count: usize, seconds: u64) -> Vec<Value> {
        let begin = self.cloud_calls(0).expect("the cloud answers").len();
        wait_for(&format!("the cloud refuses {count} calls"), seconds, || {
            let mut calls = self.cloud_calls(begin)?;
            calls.retain(|call| matches!(call["status"].as_u64(), Some(429 | 500..)));
            if count <= calls.len() { Ok(calls) } else { Err(format!("{calls:?}")) }
        })
    }

    // Conditions.

    /// Waits until exactly `nodes` serve on both balancers, the cloud has no other instance, and
    /// the daemon says so too.
    pub fn wait_until_settled_at(&self, nodes: usize, seconds: u64) {
        wait_for(&format!("{nodes} nodes serve, and there is nothing else"), seconds, || {
            let pool = self.pool()?;
            let counts = ["serving", "on_the_way", "leaving"].map(|count| pool[count].as_u64());
            found(counts == [Some(nodes as u64), Some(0), Some(0)], &pool)?;
            let instances = self.instances()?;
            found(instances.len() == nodes, format!("instances: {}", labels(&instances)))?;
            for balancer in BALANCERS {
                let serving = crate::haproxy::serving(balancer)?;
                found(serving.len() == nodes, format!("{balancer} sends to {serving:?}"))?;
            }
            Ok(())
        });
    }

    /// Waits until the API shows a node in `state`.
    pub fn wait_for_state(&self, state: &str, seconds: u64) -> Value {
        wait_for(&format!("a node is {state}"), seconds, || {
            let pool = self.pool()?;
            let nodes = pool["nodes"].as_array().cloned().unwrap_or_default();
            let node = nodes.iter().find(|node| node["state"] == state);
            node.cloned().ok_or_else(|| format!("{nodes:?}"))
        })
    }

    /// Panics if there were ever more instances at once than `most`, failed ones and those on
    /// their way counted: the cloud itself kept count.
    pub fn assert_never_more_instances_than(&self, most: u32) {
        let seen = self.cloud_counts("at_most");
        assert!(seen <= most as usize, "{seen} instances at once, where {most} may be");
    }

    /// Where the logs of this test are.
    pub fn logs(&self) -> &Path {
        &self.logs
    }
}

impl Drop for Lab {
    /// A failed test shows what there is to see; the world itself ends with the test.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        eprintln!("-- the pool: {:?}", self.pool());
        eprintln!("-- the instances: {:?}", self.instances().map(|list| labels(&list)));
        for name in ["windlass", "cloud", "lb1"] {
            let log = fs::read_to_string(self.logs.join(format!("{name}.log"))).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(25)..];
            eprintln!("-- the end of {name}.log:\n{}", tail.join("\n"));
        }
    }
}

fn pool() -> Look<Value> {
    get_json(&format!("{API}/api/v1/pools/notifications"))
}

/// The instances that exist, as the cloud lists them.
pub fn instances() -> Look<Vec<Value>> {
    let page = get_json(&format!("{CLOUD}/v4/linode/instances?page_size=100"))?;
    page["data"].as_array().cloned().ok_or_else(|| format!("no list of instances: {page}"))
}

fn get_json(url: &str) -> Look<Value> {
    serde_json::from_str(&get(url)?).map_err(|error| format!("{url}: {error}"))
}

fn get(url: &str) -> Look<String> {
    // The header stands in a file: a command line is no place for a token.
    // The tests' own token is the cloud's; nobody else knows it.
    let eyes = ["-H", "@/run/lab/eyes"];
    let shown = if url.starts_with(CLOUD) { &eyes[..] } else { &[] };
    output(None, &[&["curl", "-sS", "-f", "-m", "3"], shown, &[url]].concat())
}

/// The labels of `instances`, for people.
pub fn labels(instances: &[Value]) -> String {
    let labels: Vec<_> =
        instances.iter().filter_map(|instance| instance["label"].as_str()).collect();
    labels.join(", ")
}

/// The daemon's binary.
pub fn windlass() -> &'static str {
    env!("CARGO_BIN_EXE_windlass")
}

/// Replaces a file of the world in one step, so that nobody reads half of it.
pub fn replace_file(name: &str, text: &str) {
    let path = Path::new(HERE).join(name);
    let new = path.with_extension("new");
    fs::write(&new, text).expect("the world is writable");
    fs::rename(&new, &path).expect("the world is writable");
}
