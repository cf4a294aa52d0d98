//! The commands of `docs/backtest.md`, as they stand there.

use assert_cmd::Command;
use serde_json::json;
use windlass::domain::Timestamp;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const DOCUMENT: &str = include_str!("../../../docs/backtest.md");
const POLICY: &str = include_str!("../../../policies/notifications.yaml");

/// Every command in the document, its lines joined.
fn commands() -> Vec<String> {
    let blocks = DOCUMENT.split("```sh\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    blocks.map(|block| block.replace("\\\n", " ").trim().to_owned()).collect()
}

/// A Prometheus that has recorded the last three hours.
async fn prometheus() -> MockServer {
    let since = Timestamp::now().as_second() - 3 * 3_600;
    let answer = move |request: &Request| {
        let number = |name: &str| {
            let pair = request.url.query_pairs().find(|(key, _)| key == name).expect("a parameter");
            pair.1.parse::<f64>().expect("a number") as i64
        };
        let moments = (number("start")..=number("end")).step_by(number("step") as usize);
        let values: Vec<_> =
            moments.filter(|at| since <= *at).map(|at| json!([at, "2000"])).collect();
        let data = json!({"resultType": "matrix", "result": [{"metric": {}, "values": values}]});
        ResponseTemplate::new(200).set_body_json(json!({"status": "success", "data": data}))
    };
    let server = MockServer::start().await;
    Mock::given(path("/api/v1/query_range")).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_of_the_document_run_as_they_stand_there() {
    let server = prometheus().await;
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("written");
    };
    std::fs::create_dir(folder.path().join("policies")).expect("a folder");
    write("policies/notifications.yaml", POLICY);
    let lines: Vec<&str> = super::SPIKES.lines().take(1 + 3 * 60).collect();
    write("last-month.csv", &lines.join("\n"));
    let commands = commands();
    for begin in ["windlass backtest --policy", "windlass advise --policy"] {
        assert!(commands.iter().any(|command| command.starts_with(begin)), "{commands:?}");
    }
    for command in commands {
        let command = command.replace("http://127.0.0.1:9090", &server.uri());
        let arguments = command.strip_prefix("windlass ").expect("a command of ours");
        let output = Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args(arguments.split_whitespace())
            .current_dir(folder.path())
            .env("XDG_CACHE_HOME", folder.path())
            .timeout(std::time::Duration::from_secs(300))
            .output()
            .expect("the program ran");
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !output.stdout.is_empty(), "{command} said:\n{talk}");
    }
}
