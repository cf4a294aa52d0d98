//! The worked example in `deploy/`: each file is read by the program that will read it.

use std::path::{Path, PathBuf};
use std::process::Command;

use windlass::policy::parse;

/// Runs a checker; its complaint is the test's.
fn check(program: &str, package: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap_or_else(|cause| {
            panic!("{program} can't be run ({cause}): install the Debian package {package}")
        });
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{program} {arguments:?} refuses:\n{said}");
    said
}

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file)
}

#[test]
fn the_haproxy_example_is_accepted_by_haproxy() {
    let text = std::fs::read_to_string(deploy("haproxy/haproxy.cfg")).expect("the example");
    let folder = tempfile::tempdir().expect("a folder");
    // The example's addresses are a private network's; the check binds nothing.
    let file = folder.path().join("haproxy.cfg");
    std::fs::write(&file, text).expect("a written copy");
    check("haproxy", "haproxy", &["-c", "-f", &file.to_string_lossy()]);
}

#[test]
fn the_prometheus_example_is_accepted_by_promtool() {
    check("promtool", "prometheus", &["check", "config", "deploy/prometheus/prometheus.yml"]);
}

#[test]
fn the_playbook_example_is_accepted_by_ansible() {
    let arguments = ["--syntax-check", "-i", "localhost,", "deploy/ansible/node.yml"];
    check("ansible-playbook", "ansible-core", &arguments);
}

#[test]
fn the_unit_is_accepted_by_systemd() {
    let folder = tempfile::tempdir().expect("a folder");
    let unit = std::fs::read_to_string(deploy("systemd/windlass.service")).expect("the unit");
    // systemd looks whether the program is there; on this machine it is the one under test.
    let unit = unit.replace("/usr/bin/windlass", env!("CARGO_BIN_EXE_windlass"));
    let file = folder.path().join("windlass.service");
    std::fs::write(&file, unit).expect("a written copy");
    check("systemd-analyze", "systemd", &["verify", "--man=no", &file.to_string_lossy()]);
}

#[test]
fn the_shipped_policies_name_files_that_exist() {
    for name in ["minimal.yaml", "notifications.yaml"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(name);
        let text = std::fs::read_to_string(&file).expect("a shipped policy");
        let policy = parse(&text, &file).unwrap_or_else(|problems| panic!("{problems}"));
        let playbook = file.parent().expect("a folder").join(&policy.configure.playbook);
        assert!(playbook.is_file(), "{name} names {}", playbook.display());
    }
}

#[test]
fn the_settings_example_is_good_but_for_the_token() {
    let output = Command::new(env!("CARGO_BIN_EXE_windlass"))
        .args(["check", "--config", "deploy/windlass.yaml"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("LINODE_TOKEN", "a-token-for-the-test")
        .output()
        .expect("our own program");
    let said = String::from_utf8_lossy(&output.stderr);
    // The example lives in /etc/windlass, beside a folder `policies`; here that is missing.
    assert!(said.contains("policies"), "only the policies are missing: {said}");
    assert!(!said.contains("deploy/windlass.yaml:"), "no complaint about the file: {said}");
}
