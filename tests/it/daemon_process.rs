//! The daemon as a process, beside a real HAProxy and a sandbox: asked, held, doubled, stopped.
//!
//! In a dry run, so that it decides and explains and touches nothing.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use windlass::sandbox::{NetworkHelper, Running, Sandbox, SandboxOptions};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

pub(crate) const POLICY: &str = include_str!("../data/web.yaml");

const HAPROXY: &str = "\
global
  stats socket FOLDER/haproxy.sock level admin
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
backend web
  default-server check
  server-template slot 5 127.0.0.1:1 disabled
";

/// No process here takes longer to say what is waited for, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon with its surroundings; all of it ends with this value.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) processes: Vec<Child>,
    pub(crate) log: Arc<Mutex<String>>,
    _sandbox: Running,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = SandboxOptions {
            tokens: vec!["a-very-secret-token".parse().expect("a token")],
            network_helper: NetworkHelper::Off,
            ..SandboxOptions::default()
        };
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        let at = folder.path().to_string_lossy().into_owned();
        let settings = format!(
            "database: {at}/windlass.db\nlisten: 127.0.0.1:0\ninterval: 1s\n\
             prometheus: {{url: 'http://127.0.0.1:9'}}\n\
             linode: {{url: '{}', token_file: token}}\n\
             balancers: [{{name: lb1, address: 'unix:{at}/haproxy.sock'}}]\n\
             ansible: {{runs_directory: runs}}\n",
            sandbox.url()
        );
        std::fs::create_dir(folder.path().join("policies")).expect("a folder");
        for (name, text) in [
            ("windlass.yaml", settings.as_str()),
            ("policies/web.yaml", POLICY),
            ("node.yml", "[]\n"),
            ("token", "a-very-secret-token\n"),
            ("haproxy.cfg", &HAPROXY.replace("FOLDER", &at)),
        ] {
            std::fs::write(folder.path().join(name), text).expect("a written file");
        }
        let log = Arc::new(Mutex::new(String::new()));
        let mut place = Self { folder, processes: Vec::new(), log, _sandbox: sandbox };
        place.start_haproxy();
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn start_haproxy(&mut self) {
        let path = std::env::var("PATH").unwrap_or_default();
        let process = Command::new("haproxy")
            .env("PATH", format!("{path}:/usr/sbin"))
            .args(["-db", "-f", "haproxy.cfg"])
            .current_dir(self.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("the Debian package haproxy is installed");
        self.processes.push(process);
        let socket = self.path().join("haproxy.sock");
        until("HAProxy's socket", || socket.exists().then_some(()));
    }

    /// Starts the daemon; its log is gathered, and the address of its API comes from there.
    pub(crate) fn start_daemon(&mut self) -> String {
        self.start_daemon_as(&["run", "--dry-run"])
    }

    fn start_daemon_as(&mut self, arguments: &[&str]) -> String {
        let mut daemon =
            self.command(arguments).stderr(Stdio::piped()).spawn().expect("the program runs");
        let lines = BufReader::new(daemon.stderr.take().expect("it is piped"));
        let log = self.log.clone();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut log = log.lock().expect("nobody panics while holding it");
                log.push_str(&line);
                log.push('\n');
            }
        });
        self.processes.push(daemon);
        until("the daemon to listen", || {
            let log = self.log.lock().expect("nobody panics while holding it");
            let (_, after) = log.split_once("listens on ")?;
            Some(after.split_whitespace().next()?.to_string())
        })
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_remove("LINODE_TOKEN")
            .env("NO_COLOR", "1")
            .env("WINDLASS_CONFIG", self.path().join("windlass.yaml"));
        command
    }

    pub(crate) fn windlass(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    /// What a command prints, once it ends well and `says` is in it.
    pub(crate) fn prints(&self, arguments: &[&str], says: &str) -> String {
        until(&format!("{arguments:?} to say `{says}`"), || {
            let output = self.windlass(arguments);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            (output.status.success() && text.contains(says)).then_some(text)
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Looks until there is something, for a minute at most.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < give_up, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_answers_is_held_keeps_others_out_and_stops_in_order() {
    let mut place = Place::new().await;
    tokio::task::block_in_place(|| {
        let url = place.start_daemon();
        let status = place.prints(&["status", "--url", &url], "2 wanted, 0 serving");
        assert!(status.starts_with("web (dry_run):"), "{status}");
        let explained = place.prints(&["explain", "--url", &url], "web at ");
        assert!(explained.contains("requests could not be read"), "{explained}");
        let plan = place.windlass(&["plan"]);
        let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
        assert!(plan.contains("create 2 nodes"), "{plan}");

        let second = place.windlass(&["run"]);
        let said = String::from_utf8_lossy(&second.stderr).into_owned();
        let daemon = place.processes.last().expect("it was started").id();
        assert_eq!(second.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("process {daemon}")), "{said}");
        assert!(said.contains("One database serves one daemon"), "{said}");

        let hold = ["hold", "web", "--reason", "a release", "--for", "1h", "--url", &url];
        let held = place.windlass(&hold);
        assert!(held.status.success(), "{}", String::from_utf8_lossy(&held.stderr));
        let journal = format!("{url}/api/v1/pools/web/journal");
        until("the hold in the journal", || {
            let page = get(&journal)?;
            (page.contains("a release") && page.contains("\"kind\":\"suppressed\"")).then_some(())
        });

        let pid = daemon.to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(told.success());
        let daemon = place.processes.last_mut().expect("it was started");
        let end = until("the daemon to stop", || daemon.try_wait().expect("it is our child"));
        assert_eq!(end.code(), Some(0), "an orderly stop is a good end");
        until("its last words", || {
            let log = place.log.lock().expect("nobody panics while holding it");
            log.contains("stopped; nodes stay as they are").then_some(())
        });
        let log = place.log.lock().expect("nobody panics while holding it");
        assert!(log.contains("dry run: would create 2 nodes"), "{log}");
        assert!(log.contains("Network Helper is off"), "{log}");
        assert!(!log.contains("a-very-secret-token"), "{log}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_read_again_and_a_bad_file_replaces_nothing() {
    let mut place = Place::new().await;
    tokio::task::block_in_place(|| {
        let url = place.start_daemon();
        place.prints(&["status", "--url", &url], "bounds 2 to 5");
        let write = |name: &str, text: &str| {
            std::fs::write(place.path().join("policies").join(name), text).expect("written");
        };
        let reload = || {
            let output = place.windlass(&["reload", "--url", &url]);
            let said = [output.stdout, output.stderr].concat();
            (output.status.code(), String::from_utf8_lossy(&said).into_owned())
        };
        assert_eq!(reload(), (Some(0), "web: as it was\n".into()));

        write("web.yaml", &POLICY.replace("{min: 2, max: 5}", "{min: 3, max: 2}"));
        let (code, said) = reload();
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("`max` is 2, below `min`, which is 3"), "{said}");
        place.prints(&["status", "--url", &url], "bounds 2 to 5");

        let grown = POLICY.replace("{min: 2, max: 5}", "{min: 3, max: 6}");
        write("web.yaml", &grown);
        let daemon = place.processes.last().expect("it was started").id().to_string();
        let told = Command::new("kill").args(["-HUP", &daemon]).status().expect("kill runs");
        assert!(told.success());
        place.prints(&["status", "--url", &url], "bounds 3 to 6");
        place.prints(&["status", "--url", &url], "3 wanted");
        place.prints(&["explain", "--url", &url], "web at ");
        let journal = get(&format!("{url}/api/v1/pools/web/journal")).expect("it answers");
        assert!(journal.contains("\"kind\":\"policy_changed\""), "{journal}");
        assert!(journal.contains(r#"{"key":"bounds.max","before":"5","after":"6"}"#), "{journal}");

        write("web.yaml", &grown.replace("pool: web", "pool: other"));
        let (code, said) = reload();
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("was the policy of the pool web and now names other"), "{said}");
        write("web.yaml", &grown.replace("backend: web", "backend: web2"));
        let (code, said) = reload();
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("from the backend web to web2"), "{said}");

        // Another name for the same file is no other policy; another pool waits for a start.
        let other = grown.replace("pool: web", "pool: two").replace("backend: web", "backend: two");
        std::fs::remove_file(place.path().join("policies/web.yaml")).expect("it was there");
        write("two.yaml", &other);
        let (code, said) = reload();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("web.yaml is gone; the pool web goes on"), "{said}");
        assert!(said.contains("two.yaml is for the pool two"), "{said}");
        write("renamed.yaml", &grown);
        let (code, said) = reload();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("web: as it was") && !said.contains("gone"), "{said}");
        place.prints(&["status", "--url", &url], "bounds 3 to 6");

        let log = place.log.lock().expect("nobody panics while holding it");
        assert!(log.contains("bounds.max: 5 → 6"), "{log}");
        assert!(log.contains("a policy stays as it was: error: `max` is 2"), "{log}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_command_announce_and_look_over_the_api() {
    let mut place = Place::new().await;
    tokio::task::block_in_place(|| {
        let url = place.start_daemon();
        place.prints(&["status", "--url", &url], "2 wanted");
        let with_url = |arguments: &[&str]| {
            let output = place.windlass(&[arguments, &["--url", &url]].concat());
            let said = [output.stdout, output.stderr].concat();
            (output.status.code(), String::from_utf8_lossy(&said).into_owned())
        };
        let floor = ["floor", "web", "4", "--for", "1h", "--reason", "a release"];
        let (code, tried) = with_url(&[&floor[..], &["--dry-run"]].concat());
        assert_eq!(code, Some(0), "{tried}");
        assert!(
            tried.contains("would decide 4 nodes") && tried.contains("create 4 nodes"),
            "{tried}"
        );
        let (_, listed) = with_url(&["explain"]);
        assert!(!listed.contains("at least 4 nodes"), "nothing was changed: {listed}");

        let (code, said) = with_url(&floor);
        assert_eq!(code, Some(0), "{said}");
        place.prints(&["status", "--url", &url], "4 wanted");
        let explained = place.prints(&["explain", "--url", &url], "ordered at least 4 nodes");
        assert!(explained.contains("by operator on this machine: a release"), "{explained}");
        for (arguments, says) in [
            (vec!["hold", "wbe", "--for", "1h", "--reason", "x"], "there are: web"),
            (vec!["hold", "web", "--for", "1h", "--reason", " "], "`reason` is empty"),
            (vec!["hold", "web", "--for", "90 days", "--reason", "x"], "seven days"),
            (vec!["hold", "web", "--for", "soon", "--reason", "x"], "no length of time"),
            (vec!["set", "web", "90", "--for", "1h", "--reason", "x"], "`bounds.max`, which is 5"),
            (vec!["drain", "web-0", "--for", "1h", "--reason", "x"], "no living node"),
            (
                vec!["hint", "web", "--cancel", "00000000-0000-7000-8000-000000000000"],
                "no campaign",
            ),
            (
                vec!["hint", "web", "--at", "2020-01-01T00:00:00Z", "--rps", "5", "--reason", "x"],
                "is past",
            ),
        ] {
            let (code, said) = with_url(&arguments);
            assert_eq!(code, Some(1), "{arguments:?}: {said}");
            assert!(said.contains(says), "{arguments:?}: {said}");
        }

        let announce = ["hint", "web", "--in", "2h", "--devices", "2000000", "--reason", "a push"];
        let (_, said) = with_url(&announce);
        assert!(said.contains("is announced to web"), "{said}");
        assert!(said.contains("no rule of web listens to campaigns"), "{said}");
        let (_, list) = with_url(&["hint", "web", "--list", "--output", "json"]);
        let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
        let hint = &list[0]["hint"];
        assert_eq!((&hint["size"]["devices"], &hint["spread"]), (&2_000_000.into(), &"2m".into()));
        let (_, said) = with_url(&["hint", "web", "--cancel", hint["id"].as_str().expect("an id")]);
        assert!(said.contains("is cancelled"), "{said}");
        let header = "announced_at_seconds,expected_start_seconds,expected_extra_requests,\
                      expected_fanout_seconds";
        let now = std::fs::metadata(place.path().join("token")).and_then(|file| file.modified());
        let now = now.expect("a time").duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let (now, start) = (now.as_secs(), now.as_secs() + 7_200);
        let rows = format!("{header}\n{now},{start},90000,60\n");
        std::fs::write(place.path().join("hints.csv"), rows).expect("written");
        let (code, said) = with_url(&["hint", "web", "--file", "hints.csv", "--kind", "evening"]);
        assert_eq!(code, Some(0), "{said}");
        let (_, list) = with_url(&["hint", "web", "--list"]);
        assert!(list.contains("evening: 90000 devices over 1m"), "{list}");

        for (arguments, says) in [
            (vec!["nodes"], "waits for"),
            (vec!["journal", "--kind", "commanded"], "a release"),
            (vec!["decisions", "--changes"], "because"),
            (vec!["costs"], "month so far"),
        ] {
            let shown = place.prints(&[&arguments[..], &["--url", &url]].concat(), says);
            let widest = shown.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(80), "{arguments:?}:\n{shown}");
        }

        let put = |text: &str, query: &str| {
            let file = place.path().join("sent.yaml");
            std::fs::write(&file, text).expect("written");
            let body = format!("@{}", file.display());
            let at = format!("{url}/api/v1/pools/web/policy{query}");
            let header = "content-type: application/yaml";
            let arguments =
                ["-s", "-m", "10", "-X", "PUT", "-H", header, "--data-binary", &body, &at];
            let answer = Command::new("curl").args(arguments).output().expect("curl runs");
            String::from_utf8_lossy(&answer.stdout).into_owned()
        };
        let bad = put(&POLICY.replace("{min: 2, max: 5}", "{min: 3, max: 2}"), "");
        assert!(bad.contains("`max` is 2, below `min`"), "{bad}");
        let grown = POLICY.replace("{min: 2, max: 5}", "{min: 2, max: 6}");
        let tried = put(&grown, "?dry_run=true");
        assert!(tried.contains("bounds.max"), "{tried}");
        place.prints(&["status", "--url", &url], "bounds 2 to 5");
        put(&grown, "");
        place.prints(&["status", "--url", &url], "bounds 2 to 6");
        let kept = std::fs::read_to_string(place.path().join("policies/web.yaml"));
        assert_eq!(kept.expect("it is there"), grown, "the file is the truth");
    });
}

/// The commands in the guide's blocks, in their order.
fn documented() -> Vec<&'static str> {
    let guide = include_str!("../../docs/api.md");
    guide.lines().filter_map(|line| line.strip_prefix("$ ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_guide_to_the_api_shows_works() {
    let mut place = Place::new().await;
    tokio::task::block_in_place(|| {
        let url = place.start_daemon();
        place.prints(&["status", "--url", &url], "2 wanted");
        let api = format!("{url}/api/v1");
        let curls: Vec<_> =
            documented().into_iter().filter(|line| line.starts_with("curl")).collect();
        assert!(20 < curls.len(), "the guide was not read");
        for line in curls {
            let mut shell = Command::new("sh");
            shell.args(["-c", line]).env("API", &api).current_dir(place.path());
            let output = shell.output().expect("a shell");
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && !said.is_empty(), "{line}: {said}");
        }
    });
}

/// Whatever schemathesis makes up from the document is answered as the document says.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_answered_outside_of_the_document() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis");
    let install =
        Command::new(folder.join("install")).output().expect("tests/schemathesis/install");
    assert!(install.status.success(), "{}", String::from_utf8_lossy(&install.stderr));
    let mut place = Place::new().await;
    tokio::task::block_in_place(|| {
        let settings = place.path().join("windlass.yaml");
        let text = std::fs::read_to_string(&settings).expect("there");
        // It asks faster than people do.
        let text = text + "api: {rate: {per_second: 10000, burst: 100000}}\n";
        std::fs::write(&settings, text).expect("written");
        let url = place.start_daemon();
        place.prints(&["status", "--url", &url], "2 wanted");
        let program = folder.join("../../target/schemathesis/venv/bin/schemathesis");
        let document = format!("{url}/api/v1/openapi.json");
        let output = Command::new(program)
            .args(["run", &document, "--no-color", "--generation-deterministic"])
            .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "20"])
            .args(["--checks", "not_a_server_error,status_code_conformance"])
            .args(["--checks", "content_type_conformance,response_schema_conformance"])
            // It goes on for ever.
            .args(["--exclude-path", "/api/v1/events", "--request-timeout", "20"])
            .env("NO_PROXY", "127.0.0.1")
            .current_dir(place.path())
            .output()
            .expect("schemathesis runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_followed_held_against_the_live_policy_and_promoted() {
    let mut place = Place::new().await;
    tokio::task::block_in_place(|| {
        let folder = place.path().to_path_buf();
        let at = |name: &str| folder.join(name);
        let settings = std::fs::read_to_string(at("windlass.yaml")).expect("there");
        let shadow = "shadow: {policies: candidates}\npool_control: {web: dry_run}\n";
        std::fs::write(at("windlass.yaml"), settings + shadow).expect("written");
        std::fs::create_dir(at("candidates")).expect("a folder");
        let bolder = POLICY.replace("{min: 2, max: 5}", "{min: 4, max: 5}");
        std::fs::write(at("candidates/bolder.yaml"), &bolder).expect("written");
        std::fs::write(at("candidates/broken.yaml"), "pool: web\n").expect("written");
        let said = |output: &Output| {
            String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
        };
        let check = place.windlass(&["check"]);
        assert_eq!(check.status.code(), Some(4), "{}", said(&check));
        assert!(said(&check).contains("broken.yaml"), "{}", said(&check));
        let (live, bad) = (at("policies/web.yaml"), at("candidates/broken.yaml"));

        let url = place.start_daemon_as(&["run"]);
        let status = place.prints(&["status", "--url", &url], "2 wanted");
        assert!(status.contains("web (dry_run)") && status.contains("dry run: would create"));
        let shown = place.prints(&["shadow", "--url", &url], "furthest apart by 2");
        assert!(shown.contains("the candidate bolder"), "{shown}");
        assert!(shown.contains("live 2, candidate 4"), "{shown}");
        let metrics = get(&format!("{url}/metrics")).expect("it answers");
        let desired = "windlass_shadow_desired_nodes{pool=\"web\",candidate=\"bolder\"} 4";
        assert!(metrics.contains(desired), "{metrics}");
        assert!(metrics.contains("windlass_dry_run{pool=\"web\"} 1"), "{metrics}");

        let refused = place.windlass(&["promote", "web", "broken", "--yes", "--url", &url]);
        assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
        let asked = place.command(&["promote", "web", "bolder"]).stdin(Stdio::null()).output();
        assert_eq!(asked.expect("it runs").status.code(), Some(2), "nobody can be asked");
        assert_eq!(std::fs::read_to_string(&live).expect("there"), POLICY, "nothing has changed");
        std::fs::remove_file(bad).expect("it was there");

        let done = place.windlass(&["promote", "web", "--yes", "--url", &url]);
        assert!(done.status.success(), "{}", said(&done));
        assert!(said(&done).contains("bounds.min: 2 → 4"), "{}", said(&done));
        assert_eq!(std::fs::read_to_string(&live).expect("there"), bolder);
        assert!(at("candidates/bolder.yaml.promoted").exists());
        place.prints(&["status", "--url", &url], "bounds 4 to 5");
        let journal = get(&format!("{url}/api/v1/pools/web/journal")).expect("it answers");
        assert!(journal.contains("\"kind\":\"promoted\""), "{journal}");
        until("the candidate to be forgotten", || {
            let shown = place.windlass(&["shadow", "--url", &url]);
            said(&shown).contains("nothing is followed beside web").then_some(())
        });
        assert!(place.windlass(&["audit", "verify"]).status.success());

        // A crash after the live file was replaced: the candidate is there still.
        std::fs::write(at("candidates/bolder.yaml"), &bolder).expect("written");
        let again = place.windlass(&["promote", "web", "bolder", "--yes", "--url", &url]);
        assert!(again.status.success(), "{}", said(&again));
        assert!(said(&again).contains("has this very text already"), "{}", said(&again));
        assert!(!at("candidates/bolder.yaml").exists());
    });
}

/// The body of an answer, where there is a good one.
fn get(url: &str) -> Option<String> {
    let answer = Command::new("curl").args(["-sf", "-m", "10", url]).output().expect("curl runs");
    answer.status.success().then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_are_read_with_the_token_out_of_its_file() {
    let mut place = Place::new().await;
    let server = MockServer::start().await;
    let sent = Arc::new(Mutex::new(Vec::new()));
    let noted = sent.clone();
    let note = move |request: &Request| {
        let bearer = request.headers.get("authorization").cloned();
        noted.lock().expect("nobody panics while holding it").push(bearer);
        ResponseTemplate::new(503)
    };
    Mock::given(any()).respond_with(note).mount(&server).await;
    let file = place.path().join("windlass.yaml");
    let settings = std::fs::read_to_string(&file).expect("settings");
    let guarded = format!("url: '{}', token_file: metrics-token", server.uri());
    std::fs::write(&file, settings.replace("url: 'http://127.0.0.1:9'", &guarded))
        .expect("written");
    std::fs::write(place.path().join("metrics-token"), "hush-hush-7f3a\n").expect("written");
    place.start_daemon();
    let first = until("a signal to be read", || {
        sent.lock().expect("nobody panics while holding it").first().cloned()
    });
    assert_eq!(first.expect("a token"), "Bearer hush-hush-7f3a");
    let log = place.log.lock().expect("nobody panics while holding it");
    assert!(!log.contains("hush"), "{log}");
}
