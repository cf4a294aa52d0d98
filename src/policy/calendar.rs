//! The campaigns of a policy's calendar, as hints.
//!
//! In: a policy, and a time.
//! Out: a hint for each campaign that begins in it.
//! Never: reads a clock; gives one campaign two identities: whoever asks, and whenever, gets the
//! same, so that what is stored of it, and what cancels it, finds it again.

use sha2::{Digest, Sha256};

use super::settings::{CalendarEntry, Comes, Policy, Rule};
use crate::domain::{
    Duration, Hint, HintId, HintSize, HintSource, SignalName, Timestamp, after, before,
};

/// So long before it begins, a campaign is announced. Longer than any fleet takes to rise, and
/// short enough that a list of what is announced stays short.
const AHEAD: Duration = Duration::from_secs(86_400);

/// Of one entry at once; a campaign in each quarter of an hour stays below it.
const MOST: usize = 200;

impl Policy {
    /// The load that campaigns come on top of, as the first rule about them has it.
    pub fn campaign_signal(&self) -> Option<&SignalName> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::Hint(hint) => Some(&hint.signal),
            Rule::Target(_) | Rule::Latency(_) | Rule::Count(_) | Rule::Fixed(_) => None,
            Rule::Step(_) | Rule::Schedule(_) | Rule::Forecast(_) | Rule::Surge(_) => None,
        })
    }

    /// The calendar's campaigns that somebody who looks at `now` knows of, and that are not over.
    pub fn campaigns_at(&self, now: Timestamp) -> Vec<Hint> {
        let mut hints = Vec::new();
        for entry in &self.hints {
            let from = before(now, entry.length());
            hints.extend(self.campaigns_of(entry, from, after(now, AHEAD)).take(MOST));
        }
        hints.retain(|hint| hint.is_known(now));
        hints.sort_by_key(|hint| (hint.starts_at, hint.id));
        hints
    }

    /// The calendar's campaigns that begin from `from` until before `until`, each entry's in order.
    pub fn campaigns_between(&self, from: Timestamp, until: Timestamp) -> Vec<Hint> {
        self.hints.iter().flat_map(|entry| self.campaigns_of(entry, from, until)).collect()
    }

    fn campaigns_of<'a>(
        &'a self,
        entry: &'a CalendarEntry,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Hint> + use<'a> {
        let first = match &entry.comes {
            Comes::Again(cron) => cron.first_from(&entry.timezone, from),
            Comes::Once(at) => Some(*at).filter(|at| from <= *at),
        };
        let starts = std::iter::successors(first, |last| match &entry.comes {
            Comes::Again(cron) => cron.next_after(&entry.timezone, *last),
            Comes::Once(_) => None,
        });
        starts.take_while(move |at| *at < until).map(|at| self.campaign(entry, at))
    }

    fn campaign(&self, entry: &CalendarEntry, starts_at: Timestamp) -> Hint {
        let CalendarEntry { kind, size, spread, tail, reason, .. } = entry;
        Hint {
            id: self.identity(entry, starts_at),
            kind: kind.clone(),
            announced_at: before(starts_at, AHEAD),
            starts_at,
            size: *size,
            spread: *spread,
            tail: Some(*tail),
            reason: reason.clone(),
            source: HintSource::Calendar,
        }
    }

    /// Made of all that makes a campaign another one, and of nothing else: the order of the
    /// entries may change.
    fn identity(&self, entry: &CalendarEntry, starts_at: Timestamp) -> HintId {
        let size = match entry.size {
            HintSize::Devices(devices) => format!("{devices} devices"),
            HintSize::RequestsPerSecond(rate) => format!("{} requests per second", rate.get()),
        };
        let (pool, kind) = (&self.pool, &entry.kind);
        let text = format!("{pool} {kind} {starts_at} {size} {}", entry.length().as_millis());
        let digest = Sha256::digest(text.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        HintId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl CalendarEntry {
    /// From the first message until it counts no more.
    pub(super) fn length(&self) -> Duration {
        self.spread.saturating_add(self.tail)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::{expired, parse};

    /// The least policy with this calendar.
    fn policy(hints: &str) -> Policy {
        let least = include_str!("least.yaml");
        let without: Vec<&str> = least.lines().filter(|line| !line.starts_with("hints:")).collect();
        let text = format!("{}\nhints: {hints}\n", without.join("\n"));
        parse(&text, Path::new("least.yaml")).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a legal moment")
    }

    fn starts(hints: &[Hint]) -> Vec<String> {
        hints.iter().map(|hint| hint.starts_at.to_string()).collect()
    }

    const DAILY: &str = "[{timezone: Europe/Berlin, cron: '0 18 * * *', devices: 2000000}]";

    #[test]
    fn a_campaign_is_known_a_day_ahead_and_until_its_tail_ends() {
        let policy = policy(DAILY);
        let known = policy.campaigns_at(at("2026-03-02T16:59:00Z"));
        assert_eq!(starts(&known), ["2026-03-02T17:00:00Z"], "tomorrow's is not announced yet");
        assert_eq!(known[0].size, HintSize::Devices(2_000_000));
        assert_eq!(known[0].source, HintSource::Calendar);
        // Two minutes of spread, ten of tail.
        let known = policy.campaigns_at(at("2026-03-02T17:11:59Z"));
        assert_eq!(starts(&known), ["2026-03-02T17:00:00Z", "2026-03-03T17:00:00Z"]);
        let known = policy.campaigns_at(at("2026-03-02T17:12:00Z"));
        assert_eq!(starts(&known), ["2026-03-03T17:00:00Z"]);
    }

    #[test]
    fn it_is_at_six_on_the_zones_clock_whatever_that_clock_does() {
        let policy = policy(DAILY);
        let week = policy.campaigns_between(at("2026-03-27T00:00:00Z"), at("2026-03-31T00:00:00Z"));
        assert_eq!(
            starts(&week),
            [
                "2026-03-27T17:00:00Z",
                "2026-03-28T17:00:00Z",
                "2026-03-29T16:00:00Z",
                "2026-03-30T16:00:00Z"
            ]
        );
        let night = "[{timezone: Europe/Berlin, cron: '30 2 * * *', rps: 9000}]";
        let night = self::policy(night);
        let left_out =
            night.campaigns_between(at("2026-03-29T00:00:00Z"), at("2026-03-30T00:00:00Z"));
        assert_eq!(starts(&left_out), ["2026-03-29T01:00:00Z"], "the first moment after the gap");
        let twice = night.campaigns_between(at("2026-10-24T23:00:00Z"), at("2026-10-25T12:00:00Z"));
        assert_eq!(starts(&twice), ["2026-10-25T00:30:00Z"], "the first of both");
    }

    #[test]
    fn a_time_has_the_campaign_that_begins_with_it_and_not_the_one_that_begins_as_it_ends() {
        let moments = ["2026-03-02T17:00:00Z", "2026-03-03T17:00:00Z", "2026-03-04T17:00:00Z"];
        let once = "[{timezone: Europe/Berlin, at: '2026-03-03 18:00', rps: 9000}]";
        for (hints, of_first_day, of_second_day) in
            [(DAILY, &moments[..1], &moments[1..2]), (once, &[], &moments[1..2])]
        {
            let policy = policy(hints);
            let between = |from: usize| {
                starts(&policy.campaigns_between(at(moments[from]), at(moments[from + 1])))
            };
            assert_eq!((between(0), between(1)), (of(of_first_day), of(of_second_day)), "{hints}");
        }
    }

    fn of(moments: &[&str]) -> Vec<String> {
        moments.iter().map(|moment| (*moment).to_owned()).collect()
    }

    #[test]
    fn whoever_asks_gets_the_same_identity_and_another_campaign_has_another() {
        let ids = |hints: &str| -> Vec<HintId> {
            let known = policy(hints).campaigns_at(at("2026-03-02T12:00:00Z"));
            known.iter().map(|hint| hint.id).collect()
        };
        let once = "{timezone: UTC, at: '2026-03-02 18:00', rps: 9000}";
        let other = "{timezone: UTC, at: '2026-03-02 18:00', rps: 9000, kind: news}";
        let (both, turned) = (format!("[{once}, {other}]"), format!("[{other}, {once}]"));
        assert_eq!(ids(&both), ids(&turned));
        assert_eq!(ids(&both).len(), 2);
        assert_ne!(ids(&both)[0], ids(&both)[1]);
        let later = policy(DAILY).campaigns_at(at("2026-03-02T17:05:00Z"));
        assert_eq!(ids(DAILY)[0], later[0].id, "five hours later");
    }

    #[test]
    fn one_that_was_once_is_told_when_it_is_over() {
        let policy = policy("[{timezone: UTC, at: '2026-03-02 18:00', rps: 9000, tail: 30m}]");
        assert_eq!(expired(&policy, at("2026-03-02T18:31:59Z")), Vec::<String>::new());
        assert_eq!(expired(&policy, at("2026-03-02T18:32:00Z")), ["hints[0]"]);
    }
}
