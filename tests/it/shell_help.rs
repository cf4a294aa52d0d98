//! What shells and `man` are given: scripts that the shells take, pages that `man` can set.

use std::path::Path;
use std::process::Command;

fn windlass(arguments: &[&str]) -> String {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_windlass"))
        .args(arguments)
        .assert()
        .success()
        .get_output()
        .clone();
    String::from_utf8(output.stdout).expect("text")
}

/// What `bash` offers for `line`, cut into words, once it has read our script.
fn completed(script: &Path, words: &[&str]) -> Vec<String> {
    let program = format!(
        "source '{}'; COMP_WORDS=({}); COMP_CWORD={}; _windlass windlass '{}' ''; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words.join(" "),
        words.len() - 1,
        words[words.len() - 1],
    );
    let output = Command::new("bash").args(["-c", &program]).output().expect("bash ran");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let offered = String::from_utf8(output.stdout).expect("text");
    offered.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_their_flags() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("windlass.bash");
    std::fs::write(&script, windlass(&["completions", "bash"])).expect("a written file");
    assert_eq!(completed(&script, &["windlass", "back"]), ["backtest"]);
    assert_eq!(completed(&script, &["windlass", "why"]), ["why-not"]);
    let flags = completed(&script, &["windlass", "backtest", "--tra"]);
    assert_eq!(flags, ["--trace"]);
}

#[test]
fn every_shell_has_its_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(windlass(&["completions", shell]).contains("why-not"), "{shell}");
    }
}

#[test]
fn each_command_has_a_manual_page_that_names_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("man1");
    windlass(&["man", &pages.to_string_lossy()]);
    let first = std::fs::read_to_string(pages.join("windlass.1")).expect("the first page");
    assert!(first.starts_with(".ie") && first.contains(".TH windlass 1"), "{first}");
    let commands: Vec<&str> =
        first.lines().filter_map(|line| line.strip_prefix("windlass\\-")).collect();
    assert!(commands.len() > 20, "{commands:?}");
    for command in commands {
        let page = format!("windlass-{}", command.replace('\\', "").replace("(1)", ".1"));
        assert!(pages.join(&page).exists(), "{page}");
    }
}
