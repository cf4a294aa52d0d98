//! The settings as operators write them, in folders of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use super::*;
use crate::domain::{Duration, NoticeKind};

const MINIMAL: &str = "\
prometheus: {url: 'http://127.0.0.1:9090/'}
linode: {token_file: token}
balancers: [{name: lb1, address: 'unix:/run/haproxy/admin.sock'}]
";
const POLICY: &str = include_str!("../../policies/minimal.yaml");
const TOKEN: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// A folder with settings, a token and one policy; gone at the end of the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(settings: &str) -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary folder can be made"));
        folder.write("windlass.yaml", settings);
        folder.write("token", &format!("{TOKEN}\n"));
        fs::set_permissions(folder.path("token"), fs::Permissions::from_mode(0o600))
            .expect("our own file's mode can be set");
        folder.write("policies/a.yaml", POLICY);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        let parent = path.parent().expect("it lies in the folder");
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, text)).expect("it is our own");
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect("it was there");
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let environment = Environment::of(variables.iter().copied());
        Config::load_with(&self.path("windlass.yaml"), &environment)
    }

    /// What a person is told, with the folder's own name taken out.
    fn told(&self, variables: &[(&str, &str)]) -> String {
        let error = self.load(variables).expect_err("it was to fail");
        let mut told = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            told += &format!(": {inner}");
            cause = inner.source();
        }
        if let Some(hint) = error.hint() {
            told += &format!("\nhint: {hint}");
        }
        let shown = format!("{told}\n{error:?}");
        assert!(!shown.contains(TOKEN) && !shown.contains("hunter2"), "{shown}");
        told.replace(&self.0.path().display().to_string(), "FOLDER")
    }
}

#[test]
fn three_settings_are_enough() {
    let folder = Folder::with(MINIMAL);
    let config = folder.load(&[]).expect("they are good");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8377");
    assert_eq!(config.prometheus.url, "http://127.0.0.1:9090");
    assert_eq!(config.linode.url, "https://api.linode.com/v4");
    assert_eq!(config.linode.token.expose_secret(), TOKEN);
    assert_eq!(config.interval, Duration::from_secs(5));
    assert_eq!(config.control, Control::Automatic);
    assert_eq!(config.balancers[0].mode, BalancerMode::Auto);
    assert_eq!(config.retention.nodes, Duration::from_secs(400 * 86_400));
    assert_eq!(config.policies.len(), 1);
    assert_eq!(config.warnings, [""; 0]);
    assert!(!format!("{config:?}").contains(TOKEN), "a token must not show");
}

#[test]
fn every_setting_has_its_place() {
    let folder = Folder::with(
        "\
database: state/windlass.db
listen: '[::1]:9000'
prometheus: {url: 'https://metrics.example/prometheus', timeout: 2s, token_file: secrets/metrics}
linode: {url: 'http://localhost:4000/v4beta/', token_file: token}
balancers:
  - {name: lb1, address: 'unix:/run/haproxy/admin.sock', mode: slots, master: 'unix:/run/m.sock'}
  - {name: lb2, address: 'tcp:10.10.0.3:9999', mode: dynamic, hard_stop_after: 30m}
ansible: {playbook_binary: venv/bin/ansible-playbook, forks: 5, runs_directory: runs}
policies: [policies/a.yaml]
interval: 1s
control: dry_run
log: {format: json}
retention: {decisions: 7d, samples: 1d, nodes: 90d}
",
    );
    folder.write("secrets/metrics", "metrics-token");
    let config = folder.load(&[]).expect("they are good");
    let token = config.prometheus.token.as_ref().map(|token| token.expose_secret());
    assert_eq!(token, Some("metrics-token"));
    assert!(!format!("{config:?}").contains("metrics-token"), "a token must not show");
    let home = folder.0.path().canonicalize().expect("it is there");
    assert_eq!(config.database, folder.path("state/windlass.db"));
    assert_eq!(config.linode.url, "http://localhost:4000/v4beta");
    assert_eq!(config.balancers[1].address.to_string(), "tcp:10.10.0.3:9999");
    assert_eq!(config.balancers[1].hard_stop_after, Some(Duration::from_secs(1800)));
    assert_eq!(config.ansible.playbook_binary, folder.path("venv/bin/ansible-playbook"));
    assert_eq!(config.ansible.runs_directory, home.join("runs"));
    assert_eq!(config.policies, [home.join("policies/a.yaml")]);
    assert_eq!((config.control, config.log_format), (Control::DryRun, LogFormat::Json));
    assert_eq!(config.retention.samples, Duration::from_secs(86_400));
}

#[test]
fn the_environment_wins_over_the_file() {
    let folder = Folder::with(MINIMAL);
    let config = folder
        .load(&[
            ("LINODE_TOKEN", "other"),
            ("WINDLASS_DATABASE", "/tmp/x.db"),
            ("WINDLASS_LISTEN", "0.0.0.0:1"),
            ("WINDLASS_LINODE_URL", "http://192.0.2.1/v4"),
            ("WINDLASS_PROMETHEUS_URL", "http://192.0.2.2"),
            ("WINDLASS_CONTROL", "hold"),
            ("WINDLASS_INTERVAL", "2s"),
            ("WINDLASS_LOG_FORMAT", "json"),
        ])
        .expect("they are good");
    assert_eq!(config.linode.token.expose_secret(), "other");
    assert_eq!(config.linode.token_source, TokenSource::Variable);
    assert_eq!(config.database, Path::new("/tmp/x.db"));
    assert_eq!(config.prometheus.url, "http://192.0.2.2");
    assert_eq!((config.control, config.interval), (Control::Hold, Duration::from_secs(2)));
    assert_eq!(config.warnings.len(), 1, "unencrypted: {:?}", config.warnings);

    let told = folder.told(&[("WINDLASS_INTERVAL", "0.5s")]);
    insta::assert_snapshot!(told);
}

#[test]
fn every_problem_of_the_settings_is_told_at_once_and_no_line_is_quoted() {
    let folder = Folder::with(
        "\
listen: 8377
prometheus: {url: 'http://user:hunter2@127.0.0.1:9090', timeout: 0s, token: hunter2}
linode: {token: hunter2, url: 'ftp://x'}
balancers:
  - {name: lb1, address: /run/haproxy/admin.sock}
  - {name: lb2, address: 'tcp:lb2', mode: slot}
  - {name: lb3, address: 'tcp:lb3:1'}
  - {name: lb4, address: 'tcp:lb3:1'}
ansible: {fork: 5}
policies: []
interval: 100ms
retention: {samples: 1h}
polices: x
",
    );
    insta::assert_snapshot!(folder.told(&[]));
}

#[test]
fn whatever_is_missing_or_empty_names_itself_and_the_remedy() {
    let folder = Folder::with(MINIMAL);
    let mut told = Vec::new();
    folder.remove("windlass.yaml");
    told.push(folder.told(&[]));
    folder.write("windlass.yaml", MINIMAL);
    folder.remove("token");
    told.push(folder.told(&[]));
    for token in ["  \n", "two words"] {
        folder.write("token", token);
        told.push(folder.told(&[]));
    }
    folder.write("token", TOKEN);
    folder.remove("policies/a.yaml");
    told.push(folder.told(&[]));
    fs::remove_dir(folder.path("policies")).expect("it is empty");
    told.push(folder.told(&[]));
    folder.write("windlass.yaml", "prometheus: {url: 'x\n");
    told.push(folder.told(&[]));
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn the_token_comes_from_a_systemd_credential_where_nothing_else_is_named() {
    let folder = Folder::with(&MINIMAL.replace("linode: {token_file: token}\n", ""));
    insta::assert_snapshot!(folder.told(&[]));
    let credentials = folder.path("credentials");
    let variables = [
        ("CREDENTIALS_DIRECTORY", credentials.to_str().expect("a plain path")),
        ("LINODE_TOKEN", ""),
    ];
    assert!(matches!(folder.load(&variables), Err(ConfigError::NoToken)), "no credential yet");
    folder.write("credentials/linode-token", TOKEN);
    let config = folder.load(&variables).expect("it is there now");
    assert_eq!(config.linode.token.expose_secret(), TOKEN);
    assert_eq!(
        config.linode.token_source,
        TokenSource::Credential(credentials.join("linode-token"))
    );
}

#[test]
fn a_token_that_everybody_may_read_is_a_warning() {
    let folder = Folder::with(MINIMAL);
    fs::set_permissions(folder.path("token"), fs::Permissions::from_mode(0o644)).expect("ours");
    let warnings = folder.load(&[]).expect("it is good enough").warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("mode 644") && !warnings[0].contains(TOKEN), "{warnings:?}");
}

#[test]
fn a_prometheus_token_that_cannot_be_used_or_travels_in_the_open_is_told() {
    let folder = Folder::with(&MINIMAL.replace(
        "{url: 'http://127.0.0.1:9090/'}",
        "{url: 'http://metrics.example:9090', token_file: metrics}",
    ));
    let mut told = vec![folder.told(&[])];
    for token in ["", &"x".repeat(10_000)] {
        folder.write("metrics", token);
        told.push(folder.told(&[]));
    }
    folder.write("metrics", "metrics-token");
    fs::set_permissions(folder.path("metrics"), fs::Permissions::from_mode(0o604)).expect("ours");
    told.extend(folder.load(&[]).expect("it is good enough").warnings);
    let home = folder.0.path().display().to_string();
    insta::assert_snapshot!(told.join("\n\n").replace(&home, "FOLDER"));
}

#[test]
fn policies_are_read_with_their_paths_seen_from_their_own_folder() {
    let folder = Folder::with(MINIMAL);
    folder.write("policies/.hidden.yaml", "not a policy");
    folder.write("policies/notes.txt", "not a policy");
    folder.write("policies/tests/case.yaml", "not a policy");
    let config = folder.load(&[]).expect("they are good");
    let policies = load_policies(&config).unwrap_or_else(|problems| panic!("{problems:?}"));
    let home = folder.0.path().canonicalize().expect("it is there");
    let [(file, policy)] = policies.as_slice() else { panic!("{policies:?}") };
    assert_eq!(*file, home.join("policies/a.yaml"));
    let playbook = policy.configure.playbook.display().to_string();
    assert!(
        playbook.starts_with('/') && playbook.ends_with("deploy/ansible/node.yml"),
        "{playbook}"
    );
    assert_eq!(policy.node.ssh.private_key_file, Path::new("/etc/windlass/id"));
}

#[test]
fn two_policies_never_share_a_pool_or_a_backend_and_every_file_is_told() {
    let folder = Folder::with(MINIMAL);
    folder.write("policies/b.yaml", POLICY);
    folder.write("policies/c.yaml", &POLICY.replace("pool: notifications", "pool: other"));
    folder.write("policies/d.yaml", "pool: other\n");
    fs::write(folder.path("policies/e.yaml"), [0xff, 0xfe, 0]).expect("ours");
    let config = folder.load(&[]).expect("the settings are good");
    let problems = load_policies(&config).expect_err("the policies are not");
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let home = folder.0.path().canonicalize().expect("it is there").display().to_string();
    insta::assert_snapshot!(told.join("\n\n").replace(&home, "FOLDER"));
}

#[test]
fn the_example_in_the_documentation_is_good_and_has_every_key() {
    let docs = include_str!("../../docs/settings.md");
    let example = docs.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    let example = example.expect("there is an example");
    let folder = Folder::with(example);
    let config = folder.load(&[("LINODE_TOKEN", TOKEN)]).expect("it is good");
    assert_eq!(config.warnings, [""; 0]);
    for line in example.lines() {
        let key = line.trim_start_matches([' ', '-']).split(':').next().expect("a first part");
        assert!(key.is_empty() || docs.contains(&format!("`{key}`")), "`{key}` is not explained");
    }
}

/// The example of who is told, with the files that it names.
fn telling() -> Folder {
    let docs = include_str!("../../docs/notifications.md");
    let example = docs.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    let folder = Folder::with(&format!("{MINIMAL}{}", example.expect("there is an example")));
    for (name, text) in
        [("grafana-token", "glsa_0123"), ("slack-url", "https://hooks.slack.com/T0/B0/x\n")]
    {
        folder.write(name, text);
        fs::set_permissions(folder.path(name), fs::Permissions::from_mode(0o600)).expect("ours");
    }
    folder
}

#[test]
fn the_example_of_who_is_told_is_good_and_every_key_is_explained() {
    let docs = include_str!("../../docs/notifications.md");
    let config = telling().load(&[]).expect("it is good");
    assert_eq!(config.warnings, [""; 0]);
    let grafana = config.grafana.expect("it is there");
    assert_eq!(grafana.token.expose_secret(), "glsa_0123");
    assert_eq!(config.webhooks[1].url.expose_secret(), "https://hooks.slack.com/T0/B0/x");
    assert_eq!(config.webhooks[0].events.len(), NoticeKind::CHOICES.len());
    let example = docs.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    for line in example.expect("there is an example").lines() {
        let key = line.trim_start_matches([' ', '-']).split(':').next().expect("a first part");
        assert!(key.is_empty() || docs.contains(&format!("`{key}`")), "`{key}` is not explained");
    }
    for kind in NoticeKind::CHOICES {
        assert!(docs.contains(&format!("| `{}` |", kind.name())), "{kind:?} is not explained");
    }
}

#[test]
fn what_is_wrong_with_who_is_told_is_told_at_its_place() {
    let text = format!(
        "{MINIMAL}grafana: {{url: 'http://127.0.0.1:3000', panel_id: 3, token: glsa_1, events: [scale]}}\n\
         notifications:\n  webhooks:\n    - {{name: slack, url: 'https://hooks.slack.com/services/x'}}\n    \
         - {{name: grafana, url: 'http://127.0.0.1:1'}}\n    - {{name: none}}\n    \
         - {{name: two, url: 'http://127.0.0.1:1', url_file: x}}\n    \
         - {{name: body, url: 'http://127.0.0.1:1', body: {{a: ['{{titel}}']}}, at_most: 0}}\n"
    );
    let told = Folder::with(&text).told(&[]);
    assert!(!told.contains("services"), "{told}");
    insta::assert_snapshot!(told);
}

#[test]
fn a_webhook_without_its_file_and_a_grafana_without_a_token_name_the_remedy() {
    let folder = telling();
    folder.write("slack-url", "not a url");
    let told = folder.told(&[]);
    assert!(told.contains("the file with the URL of the webhook slack"), "{told}");
    assert!(!told.contains("not a url"), "{told}");
    folder.remove("slack-url");
    let told = folder.told(&[]);
    assert!(told.contains("can't read the URL of the webhook slack"), "{told}");
    let folder = Folder::with(&format!("{MINIMAL}grafana: {{url: 'http://127.0.0.1:3000'}}\n"));
    assert!(folder.told(&[]).contains("there is no Grafana token"));
    let credentials = tempfile::tempdir().expect("a folder");
    fs::write(credentials.path().join("grafana-token"), "glsa_credential\n").expect("written");
    let place = credentials.path().to_str().expect("text");
    let config = folder.load(&[("CREDENTIALS_DIRECTORY", place)]).expect("it is good");
    assert_eq!(config.grafana.expect("given").token.expose_secret(), "glsa_credential");
}

#[test]
fn policies_may_be_a_single_file() {
    let folder = Folder::with(&format!("{MINIMAL}policies: policies/a.yaml\n"));
    assert_eq!(folder.load(&[]).expect("it is good").policies.len(), 1);
}

proptest::proptest! {
    #[test]
    fn no_settings_make_the_reader_panic(
        from in 0..MINIMAL.len(), length in 0..20_usize, patch in "[ -~\\n]{0,5}",
    ) {
        let upto = (from + length).min(MINIMAL.len());
        let text = format!("{}{patch}{}", &MINIMAL[..from], &MINIMAL[upto..]);
        let read = read::settings(&text, Path::new("windlass.yaml"), &Environment::default());
        if let Err(error) = read {
            proptest::prop_assert!(!error.to_string().is_empty());
        }
    }
}
