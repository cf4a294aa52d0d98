//! `show stat` in CSV: sessions, queues, and what a check asks for.
//!
//! In: the answer's text. Columns differ from version to version (129 in 2.6, 208 in 3.2) and are
//! found by the header's names.
//! Out: the servers' figures and the backend's algorithm.
//! Never: averages. HAProxy's mean times are of the last 1,024 requests, whenever they were.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

/// The figures of one backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Statistics {
    /// How requests are spread, such as `roundrobin`; empty where it isn't told.
    pub(super) algorithm: String,
    /// Requests to the backend since the process began.
    pub(super) requests: u64,
    /// Requests that the backend holds, queued ones included.
    pub(super) sessions: u32,
    /// Requests that wait for any server of the backend. Those that wait for a certain one are
    /// not among them.
    queued: u32,
    servers: BTreeMap<String, Figures>,
}

/// The figures of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Where it sends requests; `None` for anything but IPv4.
    address: Option<SocketAddrV4>,
    /// Requests being connected or served.
    pub(super) sessions: u32,
    /// Requests waiting for this very server.
    pub(super) queued: u32,
    /// The last check's result in HAProxy's words, such as `L4CON`; empty when there is none.
    pub(super) check: String,
    /// The health that a full series of passes gives, `rise + fall - 1`. Not told in maintenance.
    pub(super) full_health: Option<i64>,
}

impl Statistics {
    /// Reads a whole answer.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let header = lines.next().and_then(|line| line.strip_prefix("# "));
        let header = fields(header.ok_or("`show stat` has no header")?);
        let position = |column: &str| {
            let position = header.iter().position(|name| name == column);
            position.ok_or_else(|| format!("`show stat` lacks `{column}`"))
        };
        let (name, sessions, queued) = (position("svname")?, position("scur")?, position("qcur")?);
        let (check, algorithm) = (position("check_status")?, position("algo")?);
        // Each request is a session of the backend from its arrival on. `req_tot` would count it
        // when it is answered, up to 2.8 at least: too late for whoever waits.
        let (address, arrived) = (position("addr")?, position("stot")?);
        let (rise, fall) = (position("check_rise")?, position("check_fall")?);
        let mut statistics = Self::default();
        for line in lines {
            let values = fields(line);
            let text = |at: usize| values.get(at).map(String::as_str).unwrap_or_default();
            let count = |at: usize| match text(at) {
                "" => Ok(0),
                value => value.parse::<u32>().map_err(|_| {
                    format!("`show stat` has `{value}` where `{}` should be a number", header[at])
                }),
            };
            if text(name) == "BACKEND" {
                statistics.algorithm = text(algorithm).to_owned();
                let requests = text(arrived);
                statistics.requests = requests.parse().map_err(|_| {
                    format!("`show stat` has `{requests}` where `stot` should be a number")
                })?;
                (statistics.sessions, statistics.queued) = (count(sessions)?, count(queued)?);
                continue;
            }
            let passes = text(rise).parse::<i64>().ok().zip(text(fall).parse::<i64>().ok());
            let figures = Figures {
                address: text(address).parse().ok(),
                sessions: count(sessions)?,
                queued: count(queued)?,
                check: text(check).trim_start_matches("* ").to_owned(),
                full_health: passes.map(|(rise, fall)| rise.saturating_add(fall) - 1),
            };
            statistics.servers.insert(text(name).to_owned(), figures);
        }
        Ok(statistics)
    }

    /// Requests that wait for a server, be it any or a certain one: waiters sit in the backend's
    /// queue, or with hashes and cookies in their server's.
    pub(super) fn queued(&self) -> u32 {
        let of_servers = self.servers.values().map(|figures| figures.queued);
        of_servers.fold(self.queued, u32::saturating_add)
    }

    /// Requests under way or queued, for each server that has any and an address.
    pub(super) fn sessions_by_address(&self) -> impl Iterator<Item = (SocketAddrV4, u32)> {
        self.servers.values().filter_map(|figures| {
            let busy = figures.sessions.saturating_add(figures.queued);
            figures.address.filter(|_| 0 < busy).map(|address| (address, busy))
        })
    }

    /// The figures of the server with this name.
    pub(super) fn of(&self, server: &str) -> Option<&Figures> {
        self.servers.get(server)
    }
}

/// The fields of one line of CSV; in quoted ones, `""` is a quote.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let field = fields.last_mut().expect("it begins with one field and never loses any");
        match character {
            '"' if is_quoted && characters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: [&str; 2] =
        [include_str!("recorded/2.6-stat.txt"), include_str!("recorded/3.2-stat.txt")];

    #[test]
    fn recorded_answers_of_two_versions_read_alike() {
        for text in RECORDED {
            let statistics = Statistics::parse(text).expect("recorded");
            assert_eq!(statistics.algorithm, "roundrobin");
            let seed = statistics.of("seed1").expect("recorded");
            assert_eq!((seed.sessions, seed.queued, seed.full_health), (0, 0, Some(4)));
            assert_eq!(seed.check, "L4CON");
            let parked = statistics.of("slot1").expect("recorded");
            assert_eq!((parked.full_health, parked.check.as_str()), (None, ""));
            assert_eq!(statistics.of("BACKEND"), None);
        }
    }

    #[test]
    fn quoted_fields_may_hold_commas_and_quotes() {
        assert_eq!(fields(r#"a,"b, ""c""",,d,"#), ["a", r#"b, "c""#, "", "d", ""]);
    }

    #[test]
    fn a_running_check_shows_the_result_before_it() {
        let header =
            "# pxname,svname,qcur,scur,stot,check_status,check_rise,check_fall,addr,algo,\n";
        let text = format!("{header}be,as-one-two,1,3,9,* L7OK,2,3,10.0.0.1:80,,\n");
        let statistics = Statistics::parse(&text).expect("CSV");
        let figures = statistics.of("as-one-two").expect("it is there");
        assert_eq!(figures.check, "L7OK");
        assert_eq!((figures.sessions, figures.queued, figures.full_health), (3, 1, Some(4)));
        let address = "10.0.0.1:80".parse().expect("an address");
        assert_eq!(statistics.sessions_by_address().collect::<Vec<_>>(), [(address, 4)]);
    }

    #[test]
    fn the_backends_own_row_tells_what_it_counted() {
        let header =
            "# pxname,svname,qcur,scur,stot,check_status,check_rise,check_fall,addr,algo,\n";
        let of = |row: &str| {
            let server = "be,s1,4,3,70,L7OK,2,3,10.0.0.1:80,,\n";
            Statistics::parse(&format!("{header}{server}be,BACKEND,{row},,,,,roundrobin,\n"))
        };
        let statistics = of("2,9,5000000000").expect("CSV");
        assert_eq!(statistics.requests, 5_000_000_000, "more than 32 bits");
        assert_eq!((statistics.sessions, statistics.queued()), (9, 6), "with the server's queue");
        assert!(of("0,0,many").expect_err("no number").contains("stot"));
    }

    #[test]
    fn what_is_no_statistics_is_refused() {
        for (text, what) in [
            ("", "no header"),
            ("No such proxy.\n", "no header"),
            ("# pxname,svname,scur\n", "lacks `qcur`"),
        ] {
            assert!(Statistics::parse(text).expect_err(text).contains(what), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic(noise in "(?s).{0,200}", at in 0..9000_usize) {
            let _ = Statistics::parse(&noise);
            for text in RECORDED {
                if let Some((before, after)) = text.split_at_checked(at) {
                    let _ = Statistics::parse(&format!("{before}{noise}{after}"));
                }
            }
        }
    }
}
