//! Real Linode clients against the sandbox: what they can do with the real API, they must be able
//! to do here. `tests/clients/install` puts them under `target/clients` when they are missing.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use windlass::sandbox::{NetworkHelper, Running, Sandbox, SandboxOptions, Speed};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn the_python_sdk_works_against_the_sandbox() {
    let installed = installed();
    let python = installed.join("venv/bin/python");
    run(Command::new(python).arg(script("python_sdk.py"))).await;
}

#[tokio::test]
async fn the_command_line_client_works_against_the_sandbox() {
    let installed = installed();
    let python = installed.join("venv/bin/python");
    // It writes its configuration into the home folder, which must not be anybody's.
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(python);
    command.arg(script("command_line.py"));
    command.env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
    run(&mut command).await;
}

#[tokio::test]
async fn the_javascript_sdk_works_against_the_sandbox() {
    let installed = installed();
    run(Command::new("node").arg(script("javascript_sdk.mjs")).arg(&installed)).await;
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

/// The folder with the clients, which are installed first if need be.
fn installed() -> PathBuf {
    let install = Command::new(script("install")).output().expect("tests/clients/install runs");
    assert!(install.status.success(), "{}", said(&install));
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients")
}

/// Starts a sandbox with 120 Linodes, and a client against it that must end well.
async fn run(client: &mut Command) {
    let sandbox = Sandbox::start(SandboxOptions {
        tokens: vec![TOKEN.parse().expect("a token")],
        // A create takes half a second: long enough to be seen underway, short enough to wait for.
        speed: Speed::new(100.0).expect("above zero"),
        network_helper: NetworkHelper::On,
        no_rate_limit: true,
        ..SandboxOptions::default()
    })
    .await
    .expect("the sandbox starts");
    make_bulk(&sandbox).await;
    client.env("SANDBOX", sandbox.address.to_string()).env("TOKEN", TOKEN);
    client.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    let mut client = tokio::process::Command::from(std::mem::replace(client, Command::new("true")));
    let output = client.output().await.expect("the client starts");
    sandbox.stop().await.expect("the sandbox stops");
    assert!(output.status.success(), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("all steps done"));
}

async fn make_bulk(sandbox: &Running) {
    let client = super::sandbox_document::client();
    let url = format!("{}/linode/instances", sandbox.url());
    for number in 0..120 {
        let body: Value = json!({
            "type": "g6-nanode-1", "region": "us-east", "label": format!("bulk-{number}"),
            "tags": ["bulk"],
        });
        let sent = client.post(&url).bearer_auth(TOKEN).json(&body).send().await;
        assert_eq!(sent.expect("an answer").status(), 200);
    }
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}
