//! Who may ask the daemon: tokens, their end, certificates, the stop and the journal's chain, by
//! real processes.

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use super::daemon_process::{POLICY, Place, until};

/// How a command ended, and all that it said.
type Said = (Option<i32>, String);

impl Place {
    /// Replaces `listen` of the settings.
    fn configure(&self, listen: &str) {
        let file = self.path().join("windlass.yaml");
        let settings = std::fs::read_to_string(&file).expect("settings");
        let (before, after) = settings.split_once("listen: ").expect("it listens");
        let (_, after) = after.split_once("interval: ").expect("it looks");
        let settings = format!("{before}listen: {listen}\ninterval: {after}");
        std::fs::write(file, settings).expect("written");
    }

    fn says(&self, arguments: &[&str]) -> Said {
        let output = self.windlass(arguments);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    fn log_says(&self, what: &str) {
        until(&format!("the log to say `{what}`"), || self.log().contains(what).then_some(()));
    }

    fn log(&self) -> String {
        self.log.lock().expect("nobody panics while holding it").clone()
    }

    fn tell_daemon(&self, signal: &str) {
        let daemon = self.processes.last().expect("it was started").id().to_string();
        let told = Command::new("kill").args([signal, &daemon]).status().expect("kill runs");
        assert!(told.success());
    }

    fn stop_daemon(&mut self) {
        self.tell_daemon("-TERM");
        let daemon = self.processes.last_mut().expect("it was started");
        let end = until("the daemon to stop", || daemon.try_wait().expect("it is our child"));
        assert_eq!(end.code(), Some(0), "an orderly stop is a good end");
    }

    /// A certificate for 127.0.0.1 that nobody issued but itself, and its key.
    fn make_certificate(&self, name: &str) {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "30"])
            .args(["-subj", &format!("/CN={name}"), "-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-out", &format!("{name}.pem"), "-keyout", &format!("{name}.key")])
            .current_dir(self.path())
            .output()
            .expect("the Debian package openssl is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    fn copy(&self, from: &str, to: &str) {
        std::fs::copy(self.path().join(from), self.path().join(to)).expect("a copy");
    }

    /// Changes the database as somebody would who wants to hide something.
    fn tamper(&self, sql: &str) {
        let output = Command::new("sqlite3")
            .args(["windlass.db", sql])
            .current_dir(self.path())
            .output()
            .expect("the Debian package sqlite3 is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The status of an answer, with a token from a file where one is given.
fn status_of(place: &Place, url: &str, token_file: Option<&str>) -> String {
    let mut curl = Command::new("curl");
    curl.args(["-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}", url]);
    if let Some(file) = token_file {
        let token = std::fs::read_to_string(place.path().join(file)).expect("a token");
        curl.args(["-H", &format!("authorization: Bearer {}", token.trim())]);
    }
    let answer = curl.output().expect("curl runs");
    String::from_utf8_lossy(&answer.stdout).into_owned()
}

/// Somebody who listens to the journal, from its beginning on.
fn listen_to_events(place: &Place, url: &str, token_file: &str) -> Child {
    let token = std::fs::read_to_string(place.path().join(token_file)).expect("a token");
    Command::new("curl")
        .args(["-s", "-N", "-m", "120", "-o", "events.txt"])
        .args(["-H", &format!("authorization: Bearer {}", token.trim())])
        .arg(format!("{url}/api/v1/events?after=0"))
        .current_dir(place.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("curl runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_refuses_to_listen_to_others_without_tls_or_without_a_token() {
    let place = Place::new().await;
    tokio::task::block_in_place(|| {
        place.configure("0.0.0.0:0");
        let (code, said) = place.says(&["run", "--dry-run"]);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("would listen on 0.0.0.0:0 without encryption"), "{said}");
        assert!(said.contains("hint: name a certificate in `api.tls`"), "{said}");

        place.configure("0.0.0.0:0\napi: {tls: off}");
        let refused = || {
            let (code, said) = place.says(&["run", "--dry-run"]);
            assert_eq!(code, Some(3), "{said}");
            assert!(said.contains("there is no token to ask for"), "{said}");
            assert!(said.contains("hint: make one with `windlass token make"), "{said}");
            assert!(!said.contains("listens on http"), "{said}");
        };
        refused();
        let (code, said) = place.says(&["token", "make", "alice", "--to", "alice.token"]);
        assert_eq!(code, Some(0), "{said}");
        let (code, said) = place.says(&["token", "revoke", "alice"]);
        assert_eq!(code, Some(0), "{said}");
        refused();
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_open_the_api_until_they_are_revoked_and_the_journal_names_their_owners() {
    let mut place = Place::new().await;
    tokio::task::block_in_place(|| {
        place.configure("127.0.0.1:0\napi: {access: tokens}");
        let url = place.start_daemon();
        let pools = format!("{url}/api/v1/pools");
        assert_eq!(status_of(&place, &pools, None), "401");
        let (code, said) = place.says(&["status", "--url", &url]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("--token-file") && said.contains("WINDLASS_TOKEN"), "{said}");

        for (owner, scope) in [("alice", "admin"), ("bob", "operate")] {
            let file = format!("{owner}.token");
            let make = ["token", "make", owner, "--scope", scope, "--to", &file];
            let (code, said) = place.says(&make);
            assert_eq!(code, Some(0), "{said}");
            let file = place.path().join(&file);
            let mode = std::fs::metadata(&file).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let kept = std::fs::read_to_string(&file).expect("a token");
            assert!(kept.starts_with("windlass_") && !said.contains(kept.trim()), "{said}");
            let (code, said) = place.says(&make);
            assert_eq!(code, Some(1), "a file that is there stays: {said}");
            assert_eq!(std::fs::read_to_string(&file).expect("a token"), kept);
        }
        assert_eq!(status_of(&place, &pools, Some("bob.token")), "200");
        let bob = ["--url", &url, "--token-file", "bob.token"];
        let alice = ["--url", &url, "--token-file", "alice.token"];
        place.prints(&[&["status"][..], &bob].concat(), "2 wanted");
        let token = std::fs::read_to_string(place.path().join("bob.token")).expect("a token");
        let by_variable = place
            .command(&["status", "--url", &url])
            .env("WINDLASS_TOKEN", token.trim())
            .output()
            .expect("the program runs");
        assert!(by_variable.status.success(), "the variable is as good as the file");
        let hold = ["hold", "web", "--for", "1h", "--reason", "a release"];
        let (code, said) = place.says(&[&hold[..], &bob].concat());
        assert_eq!(code, Some(0), "{said}");
        let (code, said) = place.says(&[&["reload"][..], &bob].concat());
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("needs the scope `admin`, and the token has `operate`"), "{said}");
        assert!(said.contains("hint: use a token whose scope"), "{said}");

        let changed = POLICY.replace("{min: 2, max: 5}", "{min: 2, max: 6}");
        std::fs::write(place.path().join("policies/web.yaml"), changed).expect("written");
        let (code, said) = place.says(&[&["reload"][..], &alice].concat());
        assert_eq!(code, Some(0), "{said}");
        place.prints(&["audit", "list"], "alice: the policy");
        place.prints(&["audit", "list"], "bob: hold (a release)");
        let changed = POLICY.replace("{min: 2, max: 5}", "{min: 2, max: 7}");
        std::fs::write(place.path().join("policies/web.yaml"), changed).expect("written");
        place.tell_daemon("-HUP");
        place.prints(&[&["status"][..], &bob].concat(), "bounds 2 to 7");
        let people = until("the second policy in the journal", || {
            let (_, people) = place.says(&["audit", "list"]);
            (people.matches("the policy").count() == 2).then_some(people)
        });
        assert_eq!(people.matches("alice: the policy").count(), 1, "a signal has no owner");

        let (code, said) = place.says(&["token", "revoke", "bob"]);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(status_of(&place, &pools, Some("bob.token")), "401", "from the next one on");
        let (code, said) = place.says(&[&["status"][..], &bob].concat());
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("was revoked at") && said.contains("hint:"), "{said}");
        assert_eq!(status_of(&place, &pools, Some("alice.token")), "200", "nobody else's");

        let secret = token.trim().rsplit_once('_').expect("id and secret").1.to_owned();
        assert!(!place.log().contains(&secret), "no token reaches the log");
        for file in ["windlass.db", "windlass.db-wal"] {
            let bytes = std::fs::read(place.path().join(file)).expect("the database");
            let holds = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!holds, "no token reaches {file}");
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_read_again_on_sighup_and_a_bad_one_changes_nothing() {
    let mut place = Place::new().await;
    tokio::task::block_in_place(|| {
        for name in ["one", "two"] {
            place.make_certificate(name);
        }
        place.copy("one.pem", "api.pem");
        place.copy("one.key", "api.key");
        place.configure("127.0.0.1:0\napi: {tls: {certificate_file: api.pem, key_file: api.key}}");
        let url = place.start_daemon();
        assert!(url.starts_with("https://"), "{url}");
        let trusting = |file| ["status", "--url", &url, "--ca-file", file];
        place.prints(&trusting("one.pem"), "2 wanted");

        let refused = |arguments: &[&str], hint: &str| {
            let (code, said) = place.says(arguments);
            assert_eq!(code, Some(1), "{said}");
            assert!(said.contains("is not trusted") && said.contains(hint), "{said}");
        };
        refused(&["status", "--url", &url], "--ca-file");
        refused(&trusting("two.pem"), "--ca-file");
        let other_name = url.replace("127.0.0.1", "localhost");
        let arguments = ["status", "--url", &other_name, "--ca-file", "one.pem"];
        refused(&arguments, "a name that is in its certificate");
        for (file, says) in [("one.key", "no certificate in PEM"), ("none.pem", "can't read")] {
            let (code, said) = place.says(&trusting(file));
            assert_eq!(code, Some(3), "{said}");
            assert!(said.contains(says) && said.contains("hint:"), "{said}");
        }

        place.copy("two.pem", "api.pem");
        place.tell_daemon("-HUP");
        place.log_says("the certificate of the API stays as it was");
        place.prints(&trusting("one.pem"), "2 wanted");
        place.copy("two.key", "api.key");
        place.tell_daemon("-HUP");
        place.log_says("the certificate of the API was read again");
        place.prints(&trusting("two.pem"), "2 wanted");
        refused(&trusting("one.pem"), "--ca-file");
        place.stop_daemon();
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_does_not_keep_the_daemon_from_stopping_and_the_journal_stays_whole() {
    let mut place = Place::new().await;
    tokio::task::block_in_place(|| {
        place.configure("127.0.0.1:0\napi: {access: tokens}");
        let (code, said) = place.says(&["token", "make", "alice", "--to", "alice.token"]);
        assert_eq!(code, Some(0), "{said}");
        let url = place.start_daemon();
        let mut listener = listen_to_events(&place, &url, "alice.token");
        let events = place.path().join("events.txt");
        until("an event", || {
            let text = std::fs::read_to_string(&events).ok()?;
            text.contains("event: started").then_some(())
        });
        place.stop_daemon();
        let end = until("the stream to end", || listener.try_wait().expect("it is our child"));
        assert_eq!(end.code(), Some(0), "the stream has a proper end and is not cut off");

        let (code, said) = place.says(&["audit", "verify"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("each as it was written; the end is "), "{said}");
        place.tamper(
            "UPDATE journal SET document = replace(document, 'alice', 'mallory') WHERE sequence = 1",
        );
        let (code, said) = place.says(&["audit", "verify"]);
        assert_eq!(code, Some(4), "{said}");
        assert!(said.contains("journal row 1 ") && said.contains("hint:"), "{said}");
    });
}
