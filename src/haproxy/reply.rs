//! What HAProxy says to a command, matched against the exact texts that it is known to use.
//!
//! In: the reply to a change.
//! Out: done, or which refusal.
//! Never: takes an unknown text for success. And a reply alone proves nothing (an old worker may
//! have given it): whoever asked reads the state back.

/// Why HAProxy did not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A server of this name is there already.
    NameTaken,
    /// Another server has this number.
    IdTaken,
    /// No backend has this name.
    NoBackend,
    /// The backend's algorithm can't take servers at run time.
    StaticAlgorithm,
    /// This version has no such command, or only as an experiment.
    Unsupported,
    /// No server has this name: never, not any more, or not in this process.
    NoServer,
    /// Only a server in maintenance can be deleted.
    NotInMaintenance,
    /// Connections hold on to the server.
    StillConnected,
    /// Other parts of the configuration name the server.
    Referenced,
    /// The server was added without a check.
    NoCheck,
    /// The socket's level does not allow it.
    NotAllowed,
    /// Anything else, in HAProxy's words.
    Other(String),
}

/// Sorts the reply to a command or to a chain of them: the first refusal counts.
pub(super) fn understand(reply: &str) -> Result<(), Refusal> {
    let lines = reply.lines().map(without_severity).filter(|line| !line.is_empty());
    // `add server` may grumble about an option and still register the server.
    if lines.clone().any(|line| line == "New server registered.") {
        return Ok(());
    }
    match lines.into_iter().find(|line| !is_success(line)) {
        None => Ok(()),
        Some(line) => Err(refusal(line)),
    }
}

/// Whether a line says that all went well. Most commands then say nothing at all.
fn is_success(line: &str) -> bool {
    let address_was_set = ["IP changed from ", "port changed from ", "no need to change the addr"]
        .iter()
        .any(|start| line.starts_with(start));
    let went_wrong = line.contains("Invalid addr") || line.contains("problem converting");
    (address_was_set && !went_wrong) || ["Server deleted.", "nothing changed"].contains(&line)
}

fn refusal(line: &str) -> Refusal {
    match line {
        "Already exists a server with the same name in backend." => Refusal::NameTaken,
        "No such backend." | "Can't find backend." | "No such proxy." => Refusal::NoBackend,
        "Backend must use a dynamic load balancing to support dynamic servers." => {
            Refusal::StaticAlgorithm
        }
        "This command is restricted to experimental mode only." => Refusal::Unsupported,
        "No such server." => Refusal::NoServer,
        "Only servers in maintenance mode can be deleted." => Refusal::NotInMaintenance,
        "Server still has connections attached to it, cannot remove it." => Refusal::StillConnected,
        "This server cannot be removed at runtime due to other configuration elements pointing \
         to it." => Refusal::Referenced,
        "Health check was not configured on this server, cannot enable." => Refusal::NoCheck,
        "Permission denied" => Refusal::NotAllowed,
        other if other.starts_with("Unknown command") => Refusal::Unsupported,
        other if other.starts_with("'id' : custom id ") && other.contains(" already used at ") => {
            Refusal::IdTaken
        }
        // Long enough for any sentence of HAProxy's, short enough for a journal.
        other => Refusal::Other(other.chars().take(200).collect()),
    }
}

/// The line without blanks and without the `[6]: ` that `set severity-output number` adds.
fn without_severity(line: &str) -> &str {
    let line = line.trim();
    let rest = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
    match rest {
        Some((level, rest)) if level.len() == 1 && level.as_bytes()[0].is_ascii_digit() => rest,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_to_say_yes_of_all_versions_are_known() {
        for reply in [
            "",
            "\n",
            "\n\n",
            "\n[6]: New server registered.\n\n",
            "New server registered.\n\n",
            "Server deleted.\n",
            "\n[6]: Server deleted.\n\n",
            "no need to change the addr, port changed from '1' to '9' by 'stats socket command'\n",
            "IP changed from '127.0.0.1' to '10.1.2.3', port changed from '1' to '80' by 'stats socket command'\n\n",
            "port changed from '43105' to '9' by 'stats socket command'\n\n",
            "no need to change the addr, no need to change the port by 'stats socket command'\n",
            "nothing changed\n\n",
        ] {
            assert_eq!(understand(reply), Ok(()), "{reply:?}");
        }
    }

    #[test]
    fn each_refusal_of_the_catalogue_is_told_apart() {
        for (reply, refusal) in [
            ("Already exists a server with the same name in backend.", Refusal::NameTaken),
            ("'id' : custom id 1 already used at lb.cfg:12 ('server seed1').", Refusal::IdTaken),
            ("'id' : custom id 7 already used at (null):0 ('server as-x').", Refusal::IdTaken),
            ("No such backend.", Refusal::NoBackend),
            ("Can't find backend.", Refusal::NoBackend),
            ("No such proxy.", Refusal::NoBackend),
            (
                "Backend must use a dynamic load balancing to support dynamic servers.",
                Refusal::StaticAlgorithm,
            ),
            ("This command is restricted to experimental mode only.", Refusal::Unsupported),
            ("Unknown command: 'add server', but maybe one of …", Refusal::Unsupported),
            ("No such server.", Refusal::NoServer),
            ("Only servers in maintenance mode can be deleted.", Refusal::NotInMaintenance),
            (
                "Server still has connections attached to it, cannot remove it.",
                Refusal::StillConnected,
            ),
            (
                "This server cannot be removed at runtime due to other configuration elements pointing to it.",
                Refusal::Referenced,
            ),
            ("Health check was not configured on this server, cannot enable.", Refusal::NoCheck),
            ("Permission denied", Refusal::NotAllowed),
        ] {
            for reply in [format!("{reply}\n\n"), format!("\n[3]: {reply}\n\n")] {
                assert_eq!(understand(&reply), Err(refusal.clone()), "{reply:?}");
            }
        }
    }

    #[test]
    fn an_unknown_text_is_never_taken_for_success() {
        for reply in [
            "unknown keyword 'init-state'.\n",
            "Invalid addr 'x' by 'stats socket command'\n",
            "problem converting port 'abc' to an int\n",
            "no need to change the addr, problem converting port 'abc' to an int by 'stats socket command'\n",
            "Too many arguments. Commands must have at most 64 arguments.\n",
            "HTTP/1.1 400 Bad Request\n",
        ] {
            let refusal = understand(reply).expect_err(reply);
            assert!(matches!(refusal, Refusal::Other(_)), "{reply}: {refusal:?}");
        }
    }

    #[test]
    fn in_a_chain_the_first_refusal_counts() {
        assert_eq!(understand("\nNo such server.\n\n\n"), Err(Refusal::NoServer));
        assert_eq!(understand("Server deleted.\nNo such server.\n"), Err(Refusal::NoServer));
    }

    proptest::proptest! {
        #[test]
        fn no_reply_makes_the_reader_panic(reply in "(?s).{0,300}", level in "\\[.{0,3}\\]?:? ?.?") {
            let _ = understand(&reply);
            let _ = understand(&level);
        }
    }
}
