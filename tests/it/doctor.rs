//! `windlass doctor` on deployments that are well and on such that are not: a sandbox for Linode, a
//! real HAProxy, the real Ansible, and a stand-in for Prometheus whose clock can be wrong.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::{Value, json};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey};
use tempfile::TempDir;
use windlass::domain::Timestamp;
use windlass::haproxy::Mode;
use windlass::linode::{LinodeCloud, LinodeSettings};
use windlass::ports::{Cloud, CreateRequest};
use windlass::sandbox::{NetworkHelper, Running, Sandbox, SandboxOptions};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::haproxy_contract::lab::{Configuration, Lab, Setting};

const TOKEN: &str = "a-very-secret-token";

/// How a deployment is made; `well()` and what a test changes of it.
struct Plan {
    /// The token that Linode knows, and its scopes.
    known: &'static str,
    network_helper: NetworkHelper,
    faults: Value,
    level: &'static str,
    slots: u32,
    /// Seconds by which Prometheus' clock is ahead.
    ahead: f64,
    /// What Prometheus answers to a signal's query.
    series: usize,
    listen: &'static str,
    playbook: &'static str,
    key_mode: u32,
    /// Changes of the policy's text.
    policy: Vec<(&'static str, &'static str)>,
}

fn well() -> Plan {
    Plan {
        known: TOKEN,
        network_helper: NetworkHelper::On,
        faults: json!([]),
        level: "admin",
        slots: 12,
        ahead: 0.0,
        series: 1,
        listen: "127.0.0.1:8377",
        playbook: "- hosts: all\n  tasks: [{ping: {}}]\n",
        key_mode: 0o600,
        policy: Vec::new(),
    }
}

/// A deployment; all of it ends with this value.
struct Place {
    folder: TempDir,
    sandbox: Running,
    prometheus: MockServer,
    lab: Lab,
}

impl Place {
    /// `None` where this machine has no HAProxy to test with.
    async fn new(plan: Plan) -> Option<Self> {
        let configuration = Configuration {
            slots: plan.slots,
            seeds: vec!["127.0.0.1:9".parse().expect("an address")],
            balance: "roundrobin",
            level: plan.level,
            tcp: None,
            master: false,
        };
        let setting = Setting { release: "2.6", mode: Mode::Auto };
        let lab = Lab::start_with(setting, configuration).await?;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("faults"), json!({"faults": plan.faults}).to_string())
            .expect("written");
        let options = SandboxOptions {
            tokens: vec![plan.known.parse().expect("a token"), "other".parse().expect("a token")],
            network_helper: plan.network_helper,
            faults: Some(folder.path().join("faults")),
            ..SandboxOptions::default()
        };
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        give_a_vlan(&sandbox.url()).await;
        let prometheus = prometheus(plan.ahead, plan.series).await;
        let place = Self { folder, sandbox, prometheus, lab };
        place.furnish(&plan);
        Some(place)
    }

    fn furnish(&self, plan: &Plan) {
        let settings = format!(
            "database: windlass.db\nlisten: {}\nprometheus: {{url: '{}'}}\n\
             linode: {{url: '{}', token_file: token}}\n\
             balancers: [{{name: lb1, address: 'unix:{}'}}]\n\
             ansible: {{runs_directory: runs}}\npolicies: policies\n",
            plan.listen,
            self.prometheus.uri(),
            self.sandbox.url(),
            self.lab.admin_socket().display()
        );
        let mut policy = include_str!("../../policies/minimal.yaml").to_owned();
        let usual = [
            (
                "  image:",
                "  ssh: {authorized_keys_file: ../id.pub, private_key_file: ../id}\n  image:",
            ),
            ("../deploy/ansible/node.yml", "../node.yml"),
            ("backend: notifications", "backend: app"),
        ];
        for (from, to) in usual.iter().chain(&plan.policy) {
            assert!(policy.contains(from), "the policy has no `{from}`");
            policy = policy.replace(from, to);
        }
        let pair = KeypairData::from(Ed25519Keypair::from_seed(&[7; 32]));
        let key = PrivateKey::new(pair, "").expect("a key");
        let private = key.to_openssh(LineEnding::LF).expect("a key");
        let public = key.public_key().to_openssh().expect("a key");
        self.write("windlass.yaml", &settings, 0o644);
        self.write("policies/notifications.yaml", &policy, 0o644);
        self.write("node.yml", plan.playbook, 0o644);
        self.write("token", TOKEN, 0o600);
        self.write("id", &private, plan.key_mode);
        self.write("id.pub", &format!("{public} ops\n"), 0o644);
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        let file = self.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, text).expect("written");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).expect("ours");
    }

    /// What the doctor says to people, with exit code; the token is nowhere in it.
    fn doctor(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = tokio::task::block_in_place(|| self.run(arguments));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(!said.contains(TOKEN), "the token is in:\n{said}");
        assert!(!said.contains("PRIVATE KEY"), "a key is in:\n{said}");
        (output.status.code(), said)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_windlass"))
            .arg("doctor")
            .args(arguments)
            .current_dir(self.path())
            .env_remove("LINODE_TOKEN")
            .env("WINDLASS_CONFIG", self.path().join("windlass.yaml"))
            .timeout(Duration::from_secs(180))
            .output()
            .expect("the program ran")
    }

    /// The same without what differs from run to run.
    fn tidy(&self, said: &str) -> String {
        let socket = self.lab.admin_socket();
        let said = said
            .replace(&*socket.to_string_lossy(), "SOCKET")
            .replace(&*self.path().to_string_lossy(), "FOLDER");
        let lines = said.lines().map(|line| {
            let words = line.split(' ').map(|word| match word.chars().next() {
                Some('0'..='9') => "N",
                _ => word,
            });
            words.collect::<Vec<_>>().join(" ")
        });
        // The summary's numbers are told apart from those of findings: they are checked.
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// One instance on the VLAN, as a balancer would be.
async fn give_a_vlan(url: &str) {
    let settings = LinodeSettings { base_url: url.into(), ..LinodeSettings::default() };
    let cloud = LinodeCloud::new(settings, "other".into()).expect("usable");
    let request = CreateRequest {
        label: "lb-0123456789ab".parse().expect("a label"),
        instance_type: "g6-nanode-1".into(),
        region: "eu-central".into(),
        image: "linode/debian12".into(),
        tags: vec!["balancers".into()],
        vlan: "app".into(),
        address: "10.10.0.2".parse().expect("an address"),
        prefix: 24,
        firewall: None,
        authorized_keys: vec!["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE ops".into()],
        user_data: "".into(),
    };
    cloud.create(&request).await.expect("the sandbox makes one");
}

/// Answers every query with so many fresh series, by a clock that may be wrong.
async fn prometheus(ahead: f64, series: usize) -> MockServer {
    let server = MockServer::start().await;
    let answer = move |request: &Request| {
        let query = request.url.query_pairs().find(|(name, _)| name == "query");
        let query = query.map(|(_, query)| query.into_owned()).unwrap_or_default();
        let now = Timestamp::now().as_millisecond() as f64 / 1e3 + ahead;
        let value = if query.contains("timestamp(") { now.to_string() } else { "42".into() };
        let one =
            |number: usize| json!({"metric": {"n": number.to_string()}, "value": [now, value]});
        let data = match query.as_str() {
            "time()" => json!({"resultType": "scalar", "result": [now, now.to_string()]}),
            _ => {
                json!({"resultType": "vector", "result": (0..series).map(one).collect::<Vec<_>>()})
            }
        };
        ResponseTemplate::new(200).set_body_json(json!({"status": "success", "data": data}))
    };
    Mock::given(path("/api/v1/query")).respond_with(answer).mount(&server).await;
    server
}

/// The findings of a deployment that are not well, as `verdict subject: what`.
async fn ills(plan: Plan) -> Option<Vec<String>> {
    let place = Place::new(plan).await?;
    Some(place.ills())
}

impl Place {
    fn ills(&self) -> Vec<String> {
        let (code, said) = self.doctor(&["--output", "json"]);
        let document: Value =
            serde_json::from_str(&said).unwrap_or_else(|why| panic!("{why}: {said}"));
        let findings = document["findings"].as_array().expect("findings");
        let failed = findings.iter().any(|one| one["verdict"] == "failed");
        assert_eq!(code, Some(if failed { 4 } else { 0 }), "{said}");
        let ill = findings.iter().filter(|one| one["verdict"] != "ok");
        ill.map(|one| {
            assert!(one["remedy"].is_string(), "no remedy: {one}");
            let word = |key: &str| one[key].as_str().expect("text").to_owned();
            format!("{} {}: {}", word("verdict"), word("subject"), word("what"))
        })
        .collect()
    }
}

/// Checks that exactly these things are ill, each with these words in it.
fn are(ills: Option<Vec<String>>, expected: &[&[&str]]) {
    let Some(ills) = ills else { return };
    assert_eq!(ills.len(), expected.len(), "{ills:#?}");
    for (ill, words) in ills.iter().zip(expected) {
        for word in *words {
            assert!(ill.contains(word), "`{word}` is missing in: {ill}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_is_well_is_told_line_by_line() {
    let Some(place) = Place::new(well()).await else { return };
    let (code, said) = place.doctor(&[]);
    assert_eq!(code, Some(0), "{said}");
    insta::assert_snapshot!(place.tidy(&said));
    assert!(!place.path().join("windlass.db").exists(), "a database was made");
    assert!(!place.path().join("runs").exists(), "a folder was made");
    let journal = reqwest::get(format!("http://{}/sandbox/requests", place.sandbox.address));
    let journal = journal.await.expect("an answer").text().await.expect("a body");
    let changes = ["POST", "PUT", "DELETE"].map(|method| journal.matches(method).count());
    assert_eq!(changes, [1, 0, 0], "only the VLAN's instance was made, before: {journal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_is_ill_all_over_gets_all_its_remedies_at_once() {
    let plan = Plan {
        network_helper: NetworkHelper::Off,
        faults: json!([{"operation": "get_profile",
            "effect": {"answer": {"status": 200, "body": r#"{"restricted": true}"#}}}]),
        level: "operator",
        ahead: 30.0,
        series: 3,
        listen: "0.0.0.0:8377",
        playbook: "- hosts: all\n  tasks: [{no_such_module: {}}]\n",
        key_mode: 0o644,
        policy: vec![
            ("eu-central", "eu-nowhere"),
            ("g6-standard-2", "g9-nothing"),
            ("debian12", "debian99"),
            ("label: app", "label: pap"),
        ],
        ..well()
    };
    let Some(place) = Place::new(plan).await else { return };
    let (code, said) = place.doctor(&[]);
    assert_eq!(code, Some(4), "{said}");
    insta::assert_snapshot!(place.tidy(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nobody_knows_is_told_once_and_never_shown() {
    let ills = ills(Plan { known: "another-token", ..well() }).await;
    are(ills, &[&["failed linode token", "does not know the token", "/token"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_that_a_token_lacks_are_named() {
    let known = concat!("a-very-secret-token", ":linodes:read_only,account:read_only");
    are(
        ills(Plan { known, ..well() }).await,
        &[&["failed linode token", "lacks linodes:read_write"]],
    );
    let known = concat!("a-very-secret-token", ":linodes:read_write,events:read_only");
    let expected: &[&[&str]] = &[
        &["warning linode token", "lacks account:read_only"],
        &["warning linode Network Helper", "lacks a scope"],
    ];
    are(ills(Plan { known, ..well() }).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_not_there_or_too_small_is_told() {
    let policy = vec![("backend: app", "backend: shop")];
    let expected: &[&[&str]] = &[&["failed haproxy lb1", "no backend `shop`"]];
    are(ills(Plan { policy, ..well() }).await, expected);
    let expected: &[&[&str]] =
        &[&["failed haproxy lb1, backend app", "5 slots, and `bounds.max` is 12"]];
    are(ills(Plan { slots: 5, ..well() }).await, expected);
    let expected: &[&[&str]] = &[&["warning haproxy lb1", "can crash when a server is deleted"]];
    are(ills(Plan { slots: 0, ..well() }).await, expected);
    let expected: &[&[&str]] = &[&["failed haproxy lb1", "level `user`", "stats socket"]];
    are(ills(Plan { level: "user", ..well() }).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_on_this_machine_hides_nothing_else() {
    let Some(place) = Place::new(Plan { ahead: -20.0, ..well() }).await else { return };
    for file in ["token", "id", "node.yml"] {
        std::fs::remove_file(place.path().join(file)).expect("it was there");
    }
    place.write("windlass.db", "no database at all", 0o600);
    place.write("policies/broken.yaml", "pool: broken\n", 0o644);
    let ills = place.ills();
    let expected: &[&[&str]] = &[
        &["failed settings", "can't read the Linode token", "/token"],
        &["failed policies", "broken.yaml:1:1"],
        &["failed database", "not a database"],
        &["failed linode", "the Linode token is empty"],
        &["warning prometheus clock", "s from ours"],
        &["failed policy notifications, configure.playbook", "node.yml can't be read"],
        &["failed policy notifications, node.ssh", "/id can't be read"],
    ];
    let broken = |ill: &&String| ill.contains("failed policies");
    assert!(ills.iter().any(|ill| broken(&ill)), "{ills:#?}");
    // A policy may have several problems; one speaks for them.
    let first = ills.iter().position(|ill| broken(&ill));
    let once = ills.iter().enumerate().filter(|(at, ill)| Some(*at) == first || !broken(ill));
    are(Some(once.map(|(_, ill)| ill.clone()).collect()), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_read_are_the_one_finding() {
    let Some(place) = Place::new(well()).await else { return };
    place.write("windlass.yaml", "prometeus: {}\n", 0o644);
    let (code, said) = place.doctor(&[]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("windlass.yaml:1:1"), "{said}");
    assert!(said.contains("0 ok, 0 to think about"), "{said}");
    std::fs::remove_file(place.path().join("windlass.yaml")).expect("it was there");
    let (code, said) = place.doctor(&[]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("failed   settings: can't read the settings in"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_told_with_the_place_that_is_silent() {
    let Some(place) = Place::new(well()).await else { return };
    let settings = std::fs::read_to_string(place.path().join("windlass.yaml")).expect("written");
    let settings = settings
        .replace(&place.prometheus.uri(), "http://127.0.0.1:9")
        .replace(&place.sandbox.url(), "http://127.0.0.1:9/v4")
        .replace("admin.sock", "nobody.sock")
        .replace("runs}", "runs, playbook_binary: /no/ansible-playbook}");
    place.write("windlass.yaml", &settings, 0o644);
    let expected: &[&[&str]] = &[
        &["failed linode token", "can't be reached"],
        &["failed prometheus", "can't be reached"],
        &["failed policy notifications, signal requests", "could not be read"],
        &["failed haproxy lb1", "nobody.sock", "can't be reached"],
        &["failed ansible", "no /no/ansible-playbook"],
        &["failed policy notifications, configure.playbook", "no /no/ansible-playbook"],
    ];
    are(Some(place.ills()), expected);
}
