//! The program as people use it: mistakes end in an error with place and remedy, the right exit
//! code, and nothing changed.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;
use wiremock::matchers::any as any_request;
use wiremock::{Mock, MockServer, ResponseTemplate};

const POLICY: &str = include_str!("../data/web.yaml");

/// A folder with settings and one policy, and a Linode that answers as told.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new(linode: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Self { folder };
        place.write("policies/web.yaml", POLICY);
        place.write("node.yml", "[]\n");
        place.write("token", "a-very-secret-token\n");
        place.settings(&format!(
            "database: {{}}/windlass.db\nlisten: 127.0.0.1:0\n\
             prometheus: {{url: 'http://127.0.0.1:9'}}\n\
             linode: {{url: '{linode}', token_file: token}}\n\
             balancers: [{{name: lb1, address: 'unix:{{}}/haproxy.sock'}}]\n\
             ansible: {{runs_directory: runs}}\n"
        ));
        place
    }

    /// Writes the settings; `{}` becomes the folder.
    fn settings(&self, text: &str) {
        self.write("windlass.yaml", &text.replace("{}", &self.path().to_string_lossy()));
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("a written file");
    }

    fn windlass(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args(arguments)
            .current_dir(self.path())
            .env_remove("LINODE_TOKEN")
            .env("WINDLASS_CONFIG", self.path().join("windlass.yaml"))
            .timeout(std::time::Duration::from_secs(60))
            .output()
            .expect("the program ran")
    }

    /// Runs it, and checks exit code and text; gives the text.
    fn fails(&self, arguments: &[&str], code: i32, says: &[&str]) -> String {
        let output = self.windlass(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?} said:\n{text}");
        for words in says {
            assert!(text.contains(words), "`{words}` is missing in:\n{text}");
        }
        assert!(!text.contains("a-very-secret-token"), "the token is in:\n{text}");
        text
    }

    fn has_no_database(&self) {
        assert!(!self.path().join("windlass.db").exists(), "a database was made");
    }
}

/// A Linode that gives the same answer to everything.
async fn linode(status: u16, body: &str) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body.to_owned(), "application/json");
    Mock::given(any_request()).respond_with(answer).mount(&server).await;
    server
}

#[test]
fn broken_yaml_is_named_with_its_place() {
    let place = Place::new("http://127.0.0.1:9/v4");
    place.write("policies/web.yaml", "pool: [web\nbounds: {min: 1");
    place.fails(&["run"], 3, &["policies/web.yaml:", "error:", "hint:"]);
    place.has_no_database();
    place.fails(&["check", "policies/web.yaml"], 4, &["policies/web.yaml:"]);
}

#[test]
fn every_problem_of_a_policy_is_named_at_once() {
    let place = Place::new("http://127.0.0.1:9/v4");
    let text = POLICY.replace("{min: 2, max: 5}", "{min: 5, max: 3}").replace("image:", "imgae:");
    place.write("policies/web.yaml", &text);
    let says =
        ["`max` is 3, below `min`, which is 5 (policies/web.yaml:2:", "imgae", "image", "hint:"];
    place.fails(&["check", "policies/web.yaml"], 4, &says);
    place.fails(&["run"], 3, &["`max` is 3, below `min`, which is 5", "imgae"]);
    place.has_no_database();
}

#[test]
fn a_window_that_is_over_is_told() {
    let place = Place::new("http://127.0.0.1:9/v4");
    let over = "{schedule: {timezone: UTC, from: '2025-01-01 10:00', lasts: 2h, at_least: 3}}, ";
    let text = POLICY.replace("rules: [", &format!("rules: [{over}"));
    assert_ne!(text, POLICY);
    place.write("policies/web.yaml", &text);
    let output = place.windlass(&["check", "policies/web.yaml"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("rules[0].schedule: its time is over"), "{said}");
}

#[test]
fn missing_settings_say_how_to_name_them() {
    let place = Place::new("http://127.0.0.1:9/v4");
    place.fails(&["run", "--config", "nowhere.yaml"], 3, &["nowhere.yaml", "--config"]);
    place.fails(&["run", "--no-such-flag"], 2, &["--no-such-flag", "--help"]);
}

#[test]
fn settings_with_mistakes_are_refused_with_their_place() {
    let place = Place::new("http://127.0.0.1:9/v4");
    place.settings("prometheus: {url: 'http://127.0.0.1:9'}\nbalancer: []\n");
    place.fails(&["run"], 3, &["windlass.yaml:2:1", "balancer", "balancers"]);
    place.has_no_database();
}

#[test]
fn an_empty_token_is_refused_and_never_shown() {
    let place = Place::new("http://127.0.0.1:9/v4");
    place.write("token", "\n");
    place.fails(&["run"], 3, &["token", "hint:"]);
    place.has_no_database();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_ends_the_start_and_says_which_scopes_it_needs() {
    let body = r#"{"errors":[{"reason":"Invalid Token"}]}"#;
    let server = linode(401, body).await;
    let place = Place::new(&format!("{}/v4", server.uri()));
    let says = ["token", "linodes:read_write", "windlass.yaml", "hint:"];
    tokio::task::block_in_place(|| place.fails(&["run"], 3, &says));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_is_not_there_ends_the_start() {
    let server = linode(200, r#"{"data":[],"page":1,"pages":1,"results":0}"#).await;
    let place = Place::new(&format!("{}/v4", server.uri()));
    let says = ["lb1", "haproxy.sock", "windlass.yaml", "start HAProxy, or correct the `address`"];
    tokio::task::block_in_place(|| place.fails(&["run"], 3, &says));
}

#[test]
fn a_database_that_cannot_be_made_is_named_with_the_remedy() {
    let place = Place::new("http://127.0.0.1:9/v4");
    place.write("not-a-folder", "");
    let output = Command::new(env!("CARGO_BIN_EXE_windlass"))
        .arg("run")
        .current_dir(place.path())
        .env("WINDLASS_CONFIG", place.path().join("windlass.yaml"))
        .env("WINDLASS_DATABASE", place.path().join("not-a-folder/windlass.db"))
        .output()
        .expect("the program ran");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("not-a-folder/windlass.db"), "{text}");
    assert!(text.contains("`database` in the configuration"), "{text}");
}

#[test]
fn a_daemon_that_is_not_there_is_said_to_be_so() {
    let place = Place::new("http://127.0.0.1:9/v4");
    let url = "http://127.0.0.1:9";
    for command in ["status", "explain"] {
        place.fails(&[command, "--url", url], 1, &[url, "is it running?", "--url"]);
    }
}

#[test]
fn a_command_needs_a_reason_and_an_end() {
    let place = Place::new("http://127.0.0.1:9/v4");
    place.fails(&["hold", "web", "--for", "1h"], 2, &["--reason"]);
    place.fails(&["floor", "web", "5", "--reason", "x"], 2, &["--for"]);
    let both = ["drain", "n", "--for", "1h", "--until", "2026-11-24T18:00:00Z", "--reason", "x"];
    place.fails(&both, 2, &["cannot be used with"]);
    place.fails(&["status", "--token-file", "nowhere"], 3, &["can't read the token", "nowhere"]);
}

#[test]
fn a_campaign_needs_a_time_ahead_a_size_and_a_reason() {
    let place = Place::new("http://127.0.0.1:9/v4");
    let announce = |more: &[&'static str]| [&["hint", "web"], more].concat();
    let wrong: [(&[&'static str], i32, &str); 6] = [
        (&[], 2, "--at"),
        (&["--in", "5m", "--reason", "x"], 1, "--devices"),
        (&["--in", "5m", "--devices", "5", "--rps", "5", "--reason", "x"], 2, "--rps"),
        (&["--in", "5m", "--devices", "5"], 1, "--reason"),
        (&["--at", "six", "--devices", "5", "--reason", "x"], 1, "18:00"),
        (&["--file", "nowhere.csv"], 1, "nowhere.csv"),
    ];
    for (more, code, says) in wrong {
        place.fails(&announce(more), code, &[says]);
    }
    place.has_no_database();
}

#[test]
fn a_good_policy_is_said_to_be_good_and_shown_whole() {
    let place = Place::new("http://127.0.0.1:9/v4");
    let output = place.windlass(&["check", "--explain-defaults", "policies/web.yaml"]);
    let (data, talk) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{talk}");
    assert!(talk.contains("pool web is"), "{talk}");
    assert!(data.contains("drain_timeout: 2m"), "every default is there:\n{data}");
    place.write("policies/whole.yaml", &data);
    let again = place.windlass(&["check", "policies/whole.yaml"]);
    assert!(again.status.success(), "what is printed is a policy itself");
    let json = place.windlass(&["check", "--output", "json", "policies/web.yaml"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["policies"][0]["pool"], "web");
    assert_eq!(json["problems"], serde_json::json!([]));
}
