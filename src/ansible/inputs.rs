//! Makes everything a run reads: inventory, host keys, variables, settings, programs.
//!
//! In: the options, the run, and where its folder will be.
//! Out: the folder's files, as text.
//! Never: writes a file; puts a secret into the environment or a command line.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::folder::{RunFolder, make_private};
use super::process::{MARK, search_path};
use super::{AnsibleOptions, find_program};
use crate::domain::InstanceLabel;
use crate::ports::{Fault, RunHost, RunSpec};

/// The longest folder for SSH's control sockets: a socket's path may have 107 bytes, of which
/// Ansible's name for it takes 11 and the one SSH makes it under first 17.
const CONTROL_FOLDER_BYTES: usize = 79;

/// What goes into a run's folder.
#[derive(Debug)]
pub(super) struct Inputs {
    /// Folders inside it.
    pub folders: Vec<&'static str>,
    /// Files inside it, with their content.
    pub files: Vec<(&'static str, String)>,
}

/// `run.json`: what the supervisor needs to know, and the hosts for whoever reads the result.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunFile {
    command: Vec<PathBuf>,
    environment: BTreeMap<String, PathBuf>,
    directory: PathBuf,
    scratch: Vec<PathBuf>,
    deadline: f64,
    timeout_seconds: f64,
    ssh_wait_seconds: f64,
    grace_seconds: f64,
    /// The run's hosts.
    pub hosts: Vec<HostFile>,
}

/// A host in `run.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HostFile {
    /// Its label.
    pub label: InstanceLabel,
    address: Ipv4Addr,
    port: u16,
}

/// Checks what the run needs, and makes its inputs.
pub(super) fn prepare(
    options: &AnsibleOptions,
    run: &RunSpec,
    folder: &RunFolder,
) -> Result<Inputs, Fault> {
    let binary = find_program(&options.binary).ok_or_else(|| {
        denied(format!(
            "{} is not there: install it (Debian: `apt install ansible-core openssh-client`)",
            options.binary.display()
        ))
    })?;
    let playbook = readable(&run.playbook, "playbook")?;
    let key = readable(&run.private_key_file, "private key")?;
    let config = config_file(options, &playbook, folder)?;
    let known_hosts = known_hosts(&run.hosts)?;
    let control = control_folder(run, folder)?;
    let path = folder.path();
    let command = [
        binary.as_path(),
        Path::new("-i"),
        &path.join("inventory.json"),
        Path::new("-e"),
        &prefixed("@", &path.join("variables.json")),
        &path.join("run.yml"),
    ];
    let run_file = RunFile {
        command: command.iter().map(|word| word.to_path_buf()).collect(),
        environment: environment(options, run, path, &config, &control),
        directory: playbook.parent().unwrap_or(Path::new("/")).to_path_buf(),
        scratch: vec![path.join("tmp"), control],
        deadline: run.deadline.as_millisecond() as f64 / 1000.0,
        timeout_seconds: run.timeout.as_secs_f64(),
        ssh_wait_seconds: options.ssh_wait.as_secs_f64(),
        grace_seconds: options.grace.as_secs_f64(),
        hosts: run.hosts.iter().map(|host| host_file(host, run.port)).collect(),
    };
    Ok(Inputs {
        folders: vec!["callback", "tmp"],
        files: vec![
            ("supervisor.py", include_str!("supervisor.py").to_owned()),
            ("callback/windlass_events.py", include_str!("windlass_events.py").to_owned()),
            ("run.yml", include_str!("run.yml").to_owned()),
            ("ansible.cfg", include_str!("ansible.cfg").to_owned()),
            ("ssh_config", ssh_config(path)),
            ("known_hosts", known_hosts),
            ("inventory.json", inventory(run, &key)),
            ("variables.json", variables(run, &playbook)),
            ("run.json", json!(run_file).to_string()),
        ],
    })
}

fn host_file(host: &RunHost, port: u16) -> HostFile {
    HostFile { label: host.label.clone(), address: host.address, port }
}

/// One line a key, under the host's label, which SSH looks it up by.
fn known_hosts(hosts: &[RunHost]) -> Result<String, Fault> {
    let mut lines = String::new();
    for host in hosts {
        let label = &host.label;
        if host.host_keys.is_empty() {
            return Err(Fault::permanent(format!("{label} has no host key to be known by")));
        }
        for key in &host.host_keys {
            let mut words = key.split_whitespace();
            let (Some(kind), Some(body)) = (words.next(), words.next()) else {
                return Err(Fault::permanent(format!("a host key of {label} is no OpenSSH key")));
            };
            lines += &format!("{label} {kind} {body}\n");
        }
    }
    Ok(lines)
}

fn inventory(run: &RunSpec, key: &Path) -> String {
    let hosts: BTreeMap<&str, serde_json::Value> = run
        .hosts
        .iter()
        .map(|host| (host.label.as_str(), host_variables(run, host, key)))
        .collect();
    let names: BTreeMap<&str, ()> = hosts.keys().map(|label| (*label, ())).collect();
    // A hyphen is not allowed in a group's name, and two groups are Ansible's own.
    let group = run.pool.replace('-', "_");
    let children = match group.as_str() {
        "all" | "ungrouped" => json!({}),
        _ => json!({group: {"hosts": names}}),
    };
    json!({"all": {"hosts": hosts, "children": children}}).to_string()
}

fn host_variables(run: &RunSpec, host: &RunHost, key: &Path) -> serde_json::Value {
    json!({
        "ansible_connection": "ssh",
        "ansible_host": host.address,
        "ansible_port": run.port,
        "ansible_user": run.user,
        "ansible_ssh_private_key_file": key,
        "ansible_ssh_common_args": format!("-o HostKeyAlias={}", host.label),
        "windlass_label": host.label,
        "vlan_ip": host.address,
    })
}

/// Extra variables: they win over the playbook's own.
fn variables(run: &RunSpec, playbook: &Path) -> String {
    let mut variables = run.variables.clone();
    // As a variable, and not inside `run.yml`, because there a space would end the path.
    variables.insert("windlass_playbook".to_owned(), playbook.display().to_string());
    variables.insert("windlass_pool".to_owned(), run.pool.clone());
    json!(variables).to_string()
}

/// Only keys we pinned count, whatever else this machine knows; nothing asks a person.
fn ssh_config(folder: &Path) -> String {
    let known_hosts = folder.join("known_hosts").display().to_string().replace('%', "%%");
    format!(
        "UserKnownHostsFile \"{known_hosts}\"\n{}",
        "GlobalKnownHostsFile /dev/null\n\
         StrictHostKeyChecking yes\n\
         UpdateHostKeys no\n\
         CheckHostIP no\n\
         BatchMode yes\n\
         PreferredAuthentications publickey\n\
         IdentitiesOnly yes\n\
         IdentityAgent none\n\
         ConnectTimeout 5\n\
         ServerAliveInterval 5\n\
         ServerAliveCountMax 3\n"
    )
}

/// Everything in a run's environment. What is not here is not there: no token of ours, no
/// agent, no setting of the daemon's.
fn environment(
    options: &AnsibleOptions,
    run: &RunSpec,
    folder: &Path,
    config: &Path,
    control: &Path,
) -> BTreeMap<String, PathBuf> {
    let home = std::env::var_os("HOME").map_or_else(|| folder.to_path_buf(), PathBuf::from);
    let forks = options.forks.to_string();
    let ssh_args = format!(
        "-F {} -o StrictHostKeyChecking=yes -o ControlMaster=auto -o ControlPersist=60s",
        shell_quoted(&folder.join("ssh_config"))
    );
    let id = run.id.to_string();
    let paths = [
        ("PATH", PathBuf::from(search_path())),
        ("HOME", home),
        ("ANSIBLE_CONFIG", config.to_path_buf()),
        ("ANSIBLE_CALLBACK_PLUGINS", folder.join("callback")),
        ("ANSIBLE_LOCAL_TEMP", folder.join("tmp")),
        ("ANSIBLE_SSH_CONTROL_PATH_DIR", control.to_path_buf()),
        ("WINDLASS_EVENTS", folder.join("events")),
        ("WINDLASS_REPORTED", folder.join("reported")),
    ];
    let words = [
        (MARK, id.as_str()),
        ("LANG", "C.UTF-8"),
        ("LC_ALL", "C.UTF-8"),
        ("ANSIBLE_STDOUT_CALLBACK", "windlass_events"),
        ("ANSIBLE_INVENTORY_ENABLED", "yaml"),
        ("ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED", "True"),
        ("ANSIBLE_SSH_ARGS", &ssh_args),
        ("ANSIBLE_SSH_EXTRA_ARGS", ""),
        // A socket shared between runs would carry a host key that another run checked.
        ("ANSIBLE_SSH_CONTROL_PATH", ""),
        ("ANSIBLE_HOST_KEY_CHECKING", "True"),
        ("ANSIBLE_PIPELINING", "True"),
        // An sshd that restarts during first boot is back in a second or two.
        ("ANSIBLE_SSH_RETRIES", "2"),
        ("ANSIBLE_TIMEOUT", "5"),
        ("ANSIBLE_FORKS", &forks),
        ("ANSIBLE_RETRY_FILES_ENABLED", "False"),
        ("ANSIBLE_NOCOLOR", "True"),
        ("ANSIBLE_NOCOWS", "True"),
        ("ANSIBLE_VERBOSITY", "0"),
    ];
    let words = words.into_iter().map(|(name, word)| (name, PathBuf::from(word)));
    paths.into_iter().chain(words).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn config_file(
    options: &AnsibleOptions,
    playbook: &Path,
    folder: &RunFolder,
) -> Result<PathBuf, Fault> {
    if let Some(config) = &options.ansible_config {
        return readable(config, "Ansible configuration");
    }
    let beside = playbook.with_file_name("ansible.cfg");
    Ok(if beside.is_file() { beside } else { folder.path().join("ansible.cfg") })
}

/// Where SSH's sockets go: into the run's folder, or where that makes too long a path, into a
/// folder of ours alone among the temporary ones.
fn control_folder(run: &RunSpec, folder: &RunFolder) -> Result<PathBuf, Fault> {
    let inside = folder.path().join("cp");
    if inside.as_os_str().len() <= CONTROL_FOLDER_BYTES {
        return Ok(inside);
    }
    let outside = std::env::temp_dir().join(format!("windlass-{}", run.id.0.simple()));
    make_private(&outside)
        .map_err(|cause| super::folder::fault("make a folder for SSH", &outside, &cause))?;
    Ok(outside)
}

/// The full path of a file that we can read now.
fn readable(path: &Path, what: &str) -> Result<PathBuf, Fault> {
    let full = std::path::absolute(path).and_then(|full| std::fs::File::open(&full).map(|_| full));
    full.map_err(|cause| {
        denied(format!("the {what} {} can't be read: {cause}; correct its path", path.display()))
    })
}

fn denied(message: String) -> Fault {
    Fault::Denied { message }
}

fn prefixed(prefix: &str, path: &Path) -> PathBuf {
    let mut text = std::ffi::OsString::from(prefix);
    text.push(path);
    text.into()
}

fn shell_quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Duration, RunId, Timestamp};

    fn run_of(pool: &str, host_keys: &[&str]) -> RunSpec {
        let host = RunHost {
            label: InstanceLabel::new("web-0123456789ab").expect("a label"),
            address: Ipv4Addr::new(10, 0, 0, 9),
            host_keys: host_keys.iter().map(|key| (*key).to_owned()).collect(),
        };
        RunSpec {
            id: RunId(uuid::Uuid::nil()),
            playbook: "node.yml".into(),
            hosts: vec![host],
            user: "root".to_owned(),
            port: 22,
            private_key_file: "id".into(),
            variables: BTreeMap::from([("windlass_pool".to_owned(), "forged".to_owned())]),
            deadline: Timestamp::UNIX_EPOCH,
            timeout: Duration::from_secs(1),
            pool: pool.to_owned(),
        }
    }

    #[test]
    fn a_host_is_known_by_its_label_and_by_each_of_its_keys() {
        let run =
            run_of("web", &["ssh-ed25519 AAAA a comment", "ssh-rsa BBBB\n@cert-authority * CC"]);
        let lines = "web-0123456789ab ssh-ed25519 AAAA\nweb-0123456789ab ssh-rsa BBBB\n";
        assert_eq!(known_hosts(&run.hosts), Ok(lines.to_owned()));
    }

    #[test]
    fn a_host_without_a_key_it_could_be_known_by_is_refused() {
        for keys in [&[][..], &[""], &["ssh-ed25519"]] {
            let refused = known_hosts(&run_of("web", keys).hosts);
            assert!(matches!(refused, Err(Fault::Permanent { .. })), "{keys:?}: {refused:?}");
        }
    }

    #[test]
    fn a_pool_is_a_group_unless_ansible_has_one_of_that_name() {
        for (pool, group) in [("push-eu", Some("push_eu")), ("all", None), ("ungrouped", None)] {
            let inventory = inventory(&run_of(pool, &[]), Path::new("/key"));
            let inventory: serde_json::Value = serde_json::from_str(&inventory).expect("JSON");
            let groups = inventory["all"]["children"].as_object().expect("groups");
            assert_eq!(groups.keys().map(String::as_str).next(), group);
            assert_eq!(inventory["all"]["hosts"]["web-0123456789ab"]["vlan_ip"], "10.0.0.9");
        }
    }

    #[test]
    fn a_policy_cannot_forge_the_variables_that_are_ours() {
        let variables = variables(&run_of("web", &[]), Path::new("/a b/node.yml"));
        assert_eq!(variables, r#"{"windlass_playbook":"/a b/node.yml","windlass_pool":"web"}"#);
    }

    #[test]
    fn paths_reach_ssh_whole_whatever_is_in_them() {
        let folder = Path::new("/var/100% it's/run");
        assert!(
            ssh_config(folder)
                .starts_with("UserKnownHostsFile \"/var/100%% it's/run/known_hosts\"\n")
        );
        assert_eq!(shell_quoted(folder), r"'/var/100% it'\''s/run'");
    }
}
