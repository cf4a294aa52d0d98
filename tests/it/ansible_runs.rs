//! Playbook runs against the real `ansible-playbook` and the real `sshd`, on loopback.

mod lab;

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use uuid::Uuid;
use windlass::ansible::{AnsibleConfigurator, AnsibleOptions};
use windlass::domain::{Duration, HostResult, InstanceLabel, RunId, RunStatus};
use windlass::ports::{Configurator, Fault, RunHost, RunSpec};

use lab::{Lab, PATIENCE, copy, data, ended, environments_of, owned, processes_of, spec_of, until};

#[tokio::test]
async fn a_bare_node_is_configured_and_tells_its_facts() {
    let lab = Lab::with_nodes(1);
    let adapter = lab.adapter();
    let run = lab.run("configure.yml", &[("release", "7")]);
    adapter.start(&run).await.expect("starts");

    let ended = ended(&adapter, run.id).await;
    let HostResult::Succeeded { ok, changed, facts } = &ended[&lab.label(0)] else {
        panic!("{ended:?}")
    };
    assert_eq!((*ok, *changed), (3, 1), "facts, marker, look");
    assert_eq!(facts["kernel"], fs::read_to_string("/proc/sys/kernel/osrelease").unwrap().trim());
    assert!(facts.contains_key("hostname") && facts.contains_key("distribution"), "{facts:?}");
    let marker = fs::read_to_string(lab.path(lab.label(0).as_str())).unwrap();
    assert_eq!(marker, "my-pool 127.0.0.1 7\n", "the run's variables win over the playbook's");
}

#[tokio::test]
async fn a_node_that_shows_another_host_key_is_refused() {
    let lab = Lab::with_nodes(2);
    let adapter = lab.adapter();
    let mut run = lab.run("configure.yml", &[]);
    run.hosts[1].host_keys = run.hosts[0].host_keys.clone();
    adapter.start(&run).await.expect("starts");

    let ended = ended(&adapter, run.id).await;
    assert!(matches!(ended[&lab.label(0)], HostResult::Succeeded { .. }), "{ended:?}");
    let HostResult::Unreachable { reason } = &ended[&lab.label(1)] else { panic!("{ended:?}") };
    assert!(reason.contains("Host key verification failed"), "{reason}");
    assert!(!reason.contains("127.0.0."), "a node goes by its label: {reason}");
    assert!(!lab.path(lab.label(1).as_str()).exists());
}

#[tokio::test]
async fn an_ansible_cfg_beside_the_playbook_counts_but_cannot_relax_host_keys() {
    let lab = Lab::with_nodes(1);
    let folder = lab.path("play books");
    fs::create_dir_all(folder.join("elsewhere/marker")).unwrap();
    copy(&data("role.yml"), &folder.join("role.yml"));
    fs::create_dir_all(folder.join("elsewhere/marker/tasks")).unwrap();
    let tasks = "elsewhere/marker/tasks/main.yml";
    copy(&data("roles/marker/tasks/main.yml"), &folder.join(tasks));
    let relaxed = "[defaults]\nroles_path = elsewhere\nhost_key_checking = False\n\
                   stdout_callback = minimal\n[ssh_connection]\n\
                   ssh_args = -o StrictHostKeyChecking=no\n\
                   ssh_extra_args = -o StrictHostKeyChecking=no\n";
    fs::write(folder.join("ansible.cfg"), relaxed).unwrap();
    fs::create_dir_all(folder.join("group_vars")).unwrap();
    fs::write(folder.join("group_vars/my_pool.yml"), "greeting: from the group\n").unwrap();
    let adapter = lab.adapter();

    let mut right = lab.run("role.yml", &[]);
    right.playbook = folder.join("role.yml");
    let mut wrong = right.clone();
    wrong.id = RunId(Uuid::now_v7());
    wrong.hosts[0].host_keys = vec![lab.user_key.clone()];
    adapter.start(&right).await.expect("starts");
    adapter.start(&wrong).await.expect("starts");

    let ended_right = ended(&adapter, right.id).await;
    assert!(matches!(ended_right[&lab.label(0)], HostResult::Succeeded { .. }), "{ended_right:?}");
    assert_eq!(fs::read_to_string(lab.path("role")).unwrap(), "from the group\n");
    let ended_wrong = ended(&adapter, wrong.id).await;
    let HostResult::Unreachable { reason } = &ended_wrong[&lab.label(0)] else {
        panic!("{ended_wrong:?}")
    };
    assert!(reason.contains("Host key verification failed"), "{reason}");
}

#[tokio::test]
async fn each_host_of_a_batch_has_its_own_result() {
    let lab = Lab::with_nodes(3);
    let adapter = lab.adapter();
    let run = lab.run("one_fails.yml", &[("unlucky", lab.label(1).as_str())]);
    adapter.start(&run).await.expect("starts");

    let ended = ended(&adapter, run.id).await;
    let reason = "task «check the disk»: no space left".to_owned();
    assert_eq!(ended[&lab.label(1)], HostResult::Failed { reason });
    for lucky in [0, 2] {
        assert!(matches!(ended[&lab.label(lucky)], HostResult::Succeeded { .. }), "{ended:?}");
    }
}

#[tokio::test]
async fn a_host_stopped_by_anothers_failure_has_not_succeeded() {
    let lab = Lab::with_nodes(2);
    let adapter = lab.adapter();
    let run = lab.run("stops_for_all.yml", &[("unlucky", lab.label(1).as_str())]);
    adapter.start(&run).await.expect("starts");

    let ended = ended(&adapter, run.id).await;
    let HostResult::Failed { reason } = &ended[&lab.label(0)] else { panic!("{ended:?}") };
    assert!(reason.contains("because other hosts failed"), "{reason}");
}

#[tokio::test]
async fn a_host_whose_later_plays_never_ran_has_not_succeeded() {
    let lab = Lab::with_nodes(2);
    let adapter = lab.adapter();
    let run = lab.run("breaks_off.yml", &[("unlucky", lab.label(1).as_str())]);
    adapter.start(&run).await.expect("starts");

    let ended = ended(&adapter, run.id).await;
    let HostResult::Failed { reason } = &ended[&lab.label(0)] else { panic!("{ended:?}") };
    assert!(reason.contains("broken off before its end"), "{reason}");
}

#[tokio::test]
async fn a_host_that_the_playbook_is_not_about_has_no_result() {
    let lab = Lab::with_nodes(2);
    let adapter = lab.adapter();
    let run = lab.run("one_host.yml", &[("chosen", lab.label(1).as_str())]);
    adapter.start(&run).await.expect("starts");

    let ended = ended(&adapter, run.id).await;
    assert_eq!(ended.keys().collect::<Vec<_>>(), [&lab.label(1)]);
    assert!(matches!(ended[&lab.label(1)], HostResult::Succeeded { ok: 1, .. }), "{ended:?}");
}

#[tokio::test]
async fn a_failure_that_the_playbook_deals_with_is_none() {
    let lab = Lab::with_nodes(1);
    let adapter = lab.adapter();
    let run = lab.run("rescued.yml", &[]);
    adapter.start(&run).await.expect("starts");
    let ended = ended(&adapter, run.id).await;
    assert!(matches!(ended[&lab.label(0)], HostResult::Succeeded { .. }), "{ended:?}");
}

#[tokio::test]
async fn a_failure_in_a_loop_names_the_round_that_failed() {
    let lab = Lab::with_nodes(1);
    let adapter = lab.adapter();
    let run = lab.run("fails_in_a_loop.yml", &[]);
    adapter.start(&run).await.expect("starts");
    let ended = ended(&adapter, run.id).await;
    let HostResult::Failed { reason } = &ended[&lab.label(0)] else { panic!("{ended:?}") };
    assert!(reason.starts_with("task «start the units»: "), "{reason}");
    assert!(reason.contains("exit code 5") && reason.contains("unit b not found"), "{reason}");
}

#[tokio::test]
async fn a_playbook_that_cannot_be_read_fails_every_host_with_ansibles_words() {
    let lab = Lab::with_nodes(2);
    let adapter = lab.adapter();
    let run = lab.run("syntax_error.yml", &[]);
    adapter.start(&run).await.expect("starts");
    let ended = ended(&adapter, run.id).await;
    assert_eq!(ended.len(), 2);
    for result in ended.values() {
        let HostResult::Failed { reason } = result else { panic!("{ended:?}") };
        assert!(reason.contains("no_such_module_anywhere"), "{reason}");
        assert!(reason.chars().count() <= 2_000);
    }
}

#[tokio::test]
async fn a_node_whose_sshd_is_late_is_waited_for() {
    let mut lab = Lab::with_nodes(1);
    lab.stop_node(0);
    let adapter = lab.adapter();
    let run = lab.run("configure.yml", &[]);
    adapter.start(&run).await.expect("starts");
    // Ansible itself is ready to connect, and waits for the gate.
    until("Ansible is ready", || lab.events(run.id).contains("playbook_start")).await;
    assert_eq!(adapter.status(run.id).await, Ok(RunStatus::Running));
    lab.start_node(0);

    let ended = ended(&adapter, run.id).await;
    assert!(matches!(ended[&lab.label(0)], HostResult::Succeeded { .. }), "{ended:?}");
    assert!(lab.events(run.id).contains("ssh_ready"));
}

#[tokio::test]
async fn a_node_that_never_greets_is_unreachable_and_the_others_go_on() {
    let mut lab = Lab::with_nodes(2);
    lab.stop_node(1);
    let adapter = lab.adapter_with(|options| options.ssh_wait = Duration::from_millis(500));
    let run = lab.run("configure.yml", &[]);
    adapter.start(&run).await.expect("starts");
    let ended = ended(&adapter, run.id).await;
    assert!(matches!(ended[&lab.label(0)], HostResult::Succeeded { .. }), "{ended:?}");
    let HostResult::Unreachable { reason } = &ended[&lab.label(1)] else { panic!("{ended:?}") };
    assert!(reason.contains("Connection refused"), "{reason}");
}

#[tokio::test]
async fn a_run_past_its_deadline_is_cut_off_and_leaves_no_process() {
    let lab = Lab::with_nodes(1);
    let adapter = lab.adapter();
    let mut run = lab.run("slow.yml", &[("seconds", "301")]);
    run.timeout = Duration::from_secs(6);
    adapter.start(&run).await.expect("starts");
    until("the task sleeps", || processes_of(run.id).iter().any(|c| c == "sleep 301")).await;

    let ended = ended(&adapter, run.id).await;
    let reason = "cut off at its deadline, in task «take long»".to_owned();
    assert_eq!(ended[&lab.label(0)], HostResult::Failed { reason });
    assert_eq!(processes_of(run.id), Vec::<String>::new());
}

#[tokio::test]
async fn a_cancelled_run_ends_with_everything_it_started() {
    let lab = Lab::with_nodes(1);
    let adapter = lab.adapter();
    let run = lab.run("slow.yml", &[("seconds", "302")]);
    adapter.start(&run).await.expect("starts");
    until("the task sleeps", || processes_of(run.id).iter().any(|c| c == "sleep 302")).await;
    adapter.cancel(run.id).await.expect("cancels");
    adapter.cancel(run.id).await.expect("may be repeated");

    let ended = ended(&adapter, run.id).await;
    let HostResult::Failed { reason } = &ended[&lab.label(0)] else { panic!("{ended:?}") };
    assert!(reason.contains("cancelled") && reason.contains("take long"), "{reason}");
    assert_eq!(processes_of(run.id), Vec::<String>::new());
    adapter.cancel(run.id).await.expect("a run that is over is success");
}

#[tokio::test]
async fn a_run_outlives_a_killed_daemon_and_is_found_again() {
    let lab = Lab::with_nodes(1);
    let run = lab.run("slow.yml", &[("seconds", "3")]);
    let mut daemon = lab.daemon_in_a_process_of_its_own(&run);
    until("the task sleeps", || processes_of(run.id).iter().any(|c| c == "sleep 3")).await;
    daemon.kill().expect("is killed");
    daemon.wait().expect("is collected");

    let adapter = lab.adapter();
    assert_eq!(adapter.status(run.id).await, Ok(RunStatus::Running));
    adapter.start(&run).await.expect("does nothing");
    let ended = ended(&adapter, run.id).await;
    assert!(matches!(ended[&lab.label(0)], HostResult::Succeeded { .. }), "{ended:?}");
    assert_eq!(fs::read_to_string(lab.path("lines")).unwrap(), "begun\n");
}

/// The daemon of the test above.
#[tokio::test]
#[ignore = "no test of its own: another test starts it in a process apart, and kills it"]
async fn the_daemon_that_is_killed() {
    let spec = std::env::var("WINDLASS_TEST_DAEMON").expect("started by the other test");
    let words: Vec<&str> = spec.split('\n').collect();
    let [runs_dir, id, label, host_key, port, key, folder] = words[..] else { panic!("{spec}") };
    let host = RunHost {
        label: InstanceLabel::new(label).unwrap(),
        address: Ipv4Addr::LOCALHOST,
        host_keys: vec![host_key.to_owned()],
    };
    let run = RunSpec {
        hosts: vec![host],
        ..spec_of(id.parse().unwrap(), "slow.yml", port.parse().unwrap(), Path::new(key))
    };
    let variables = [("folder", folder), ("seconds", "3")];
    let run = RunSpec { variables: owned(&variables), ..run };
    let adapter = AnsibleConfigurator::open(AnsibleOptions::new(runs_dir)).expect("opens");
    adapter.start(&run).await.expect("starts");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_run_started_many_times_runs_once() {
    let lab = Lab::with_nodes(1);
    let (one, other) = (lab.adapter(), lab.adapter());
    let run = lab.run("slow.yml", &[("seconds", "0")]);
    let starts = [&one, &other, &one, &other].map(|adapter| adapter.start(&run));
    for started in futures_util::future::join_all(starts).await {
        started.expect("starts");
    }
    ended(&one, run.id).await;
    other.start(&run).await.expect("does nothing");
    let nothing_left = || processes_of(run.id).is_empty();
    until("all supervisors have ended", nothing_left).await;
    assert_eq!(fs::read_to_string(lab.path("lines")).unwrap(), "begun\n");
}

#[tokio::test]
async fn a_run_prepared_by_a_crashed_daemon_can_be_started() {
    let lab = Lab::with_nodes(1);
    let run = lab.run("slow.yml", &[("seconds", "0")]);
    // Its supervisor ends before it does anything, as if the machine had died just then.
    let crashing = lab.adapter_with(|options| options.python = "/bin/false".into());
    crashing.start(&run).await.expect("starts");
    tokio::time::timeout(PATIENCE, crashing.run_ended()).await.expect("notices");
    assert_eq!(crashing.status(run.id).await, Ok(RunStatus::NotStarted));
    drop(crashing);

    let adapter = lab.adapter();
    adapter.start(&run).await.expect("starts");
    let ended = ended(&adapter, run.id).await;
    assert!(matches!(ended[&lab.label(0)], HostResult::Succeeded { .. }), "{ended:?}");
}

#[tokio::test]
async fn a_run_cut_off_by_a_kill_is_lost_and_nothing_of_it_lives_on() {
    let lab = Lab::with_nodes(1);
    let adapter = lab.adapter();
    let run = lab.run("slow.yml", &[("seconds", "303")]);
    adapter.start(&run).await.expect("starts");
    until("the task sleeps", || processes_of(run.id).iter().any(|c| c == "sleep 303")).await;
    let process = fs::read_to_string(adapter.folder(run.id).join("process")).unwrap();
    let process: serde_json::Value = serde_json::from_str(&process).unwrap();
    let pid = process["pid"].to_string();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());

    tokio::time::timeout(PATIENCE, adapter.run_ended()).await.expect("notices");
    assert_eq!(adapter.status(run.id).await, Ok(RunStatus::Lost));
    until("strays are gone", || processes_of(run.id).is_empty()).await;
    adapter.start(&run).await.expect("does nothing");
    assert_eq!(adapter.status(run.id).await, Ok(RunStatus::Lost), "a begun run never begins again");
}

#[tokio::test]
async fn a_run_that_nobody_started_is_not_started() {
    let lab = Lab::with_nodes(0);
    let adapter = lab.adapter();
    let run = RunId(Uuid::now_v7());
    assert_eq!(adapter.status(run).await, Ok(RunStatus::NotStarted));
    adapter.cancel(run).await.expect("nothing to end");
}

#[tokio::test]
async fn secrets_are_in_no_file_and_no_process_list() {
    let lab = Lab::with_nodes(1);
    let adapter = lab.adapter();
    let secret = "correct-horse-battery-staple";
    let run = lab.run("secrets.yml", &[("password", secret)]);
    adapter.start(&run).await.expect("starts");
    let mut seen = Vec::new();
    until("the run is over", || {
        for variable in environments_of(run.id) {
            // Every test is started with such variables, as a daemon is with its token.
            assert!(!variable.starts_with("CARGO"), "{variable}");
            assert!(!variable.contains(secret));
        }
        seen.extend(processes_of(run.id).into_iter().filter(|c| c.contains("ansible-playbook")));
        adapter.folder(run.id).join("end").exists()
    })
    .await;
    assert!(!seen.is_empty() && seen.iter().all(|command| !command.contains(secret)), "{seen:?}");

    let ended = ended(&adapter, run.id).await;
    let reason = "task «ansible.builtin.raw»: hidden by no_log".to_owned();
    assert_eq!(ended[&lab.label(0)], HostResult::Failed { reason });
    let found = Command::new("grep").args(["-rl", secret]).arg(adapter.folder(run.id)).output();
    assert_eq!(String::from_utf8_lossy(&found.unwrap().stdout), "");
}

#[tokio::test]
async fn a_folder_of_runs_may_lie_deep() {
    let lab = Lab::with_nodes(1);
    let deep = lab.path(&"deep folder/".repeat(10));
    let adapter = lab.adapter_with(|options| options.runs_dir = deep.clone());
    let run = lab.run("configure.yml", &[]);
    adapter.start(&run).await.expect("starts");
    let results = ended(&adapter, run.id).await;
    assert!(matches!(results[&lab.label(0)], HostResult::Succeeded { .. }), "{results:?}");
    let sockets = std::env::temp_dir().join(format!("windlass-{}", run.id.0.simple()));
    until("the folder of sockets has gone", || !sockets.exists()).await;
}

#[tokio::test]
async fn old_folders_go_and_those_at_work_stay() {
    let lab = Lab::with_nodes(1);
    let adapter = lab.adapter_with(|options| options.keep = 1);
    let slow = lab.run("slow.yml", &[("seconds", "304")]);
    adapter.start(&slow).await.expect("starts");
    let mut quick = Vec::new();
    for _ in 0..2 {
        let run = lab.run("syntax_error.yml", &[]);
        adapter.start(&run).await.expect("starts");
        ended(&adapter, run.id).await;
        let end = adapter.folder(run.id).join("end");
        until("the supervisor has ended", || end.exists()).await;
        quick.push(run.id);
    }
    assert_eq!(adapter.status(slow.id).await, Ok(RunStatus::Running));
    assert!(!adapter.folder(quick[0]).exists(), "the older one has gone");
    assert!(adapter.folder(quick[1]).exists(), "the newest one is kept");
    adapter.cancel(slow.id).await.expect("cancels");
    ended(&adapter, slow.id).await;
}

#[tokio::test]
async fn what_is_missing_is_named_with_its_remedy() {
    let lab = Lab::with_nodes(0);
    let run = lab.run("configure.yml", &[]);
    let no_ansible =
        lab.adapter_with(|options| options.binary = "/nowhere/ansible-playbook".into());
    let no_python = lab.adapter_with(|options| options.python = "/nowhere/python3".into());
    let no_playbook = RunSpec { playbook: "/nowhere/node.yml".into(), ..run.clone() };
    for (result, words) in [
        (no_ansible.start(&run).await, ["/nowhere/ansible-playbook", "apt install ansible-core"]),
        (no_python.start(&run).await, ["/nowhere/python3", "apt install python3"]),
        (lab.adapter().start(&no_playbook).await, ["/nowhere/node.yml", "correct its path"]),
    ] {
        let Err(Fault::Denied { message }) = result else { panic!("{result:?}") };
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
}
