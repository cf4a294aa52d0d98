//! A campaign that was announced: what somebody said would come, and when.

use serde::{Deserialize, Serialize};

use super::{CampaignKind, Duration, HintId, RequestsPerSecond, Timestamp, after};

/// Load that was announced in advance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Hint {
    /// Its identity.
    pub id: HintId,
    /// What kind of campaign it is: those of one kind teach what the next one brings.
    pub kind: CampaignKind,
    /// When it was announced; nobody knows of it before.
    pub announced_at: Timestamp,
    /// When the first message should be sent.
    pub starts_at: Timestamp,
    /// How large it should be.
    pub size: HintSize,
    /// Over how long the messages are sent.
    #[serde(with = "humantime_serde")]
    #[schema(value_type = String)]
    pub spread: Duration,
    /// How long after that the hint still counts; none: ten minutes.
    #[serde(default, with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub tail: Option<Duration>,
    /// Why, in the words of who announced it; never empty.
    pub reason: String,
    /// Who announced it.
    #[serde(default, skip_serializing_if = "HintSource::is_person")]
    pub source: HintSource,
}

/// Who announced a campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HintSource {
    /// Somebody, or a program of theirs.
    #[default]
    Person,
    /// The policy's own calendar.
    Calendar,
}

impl HintSource {
    /// Whether that was somebody, and not the policy.
    pub fn is_person(&self) -> bool {
        *self == Self::Person
    }
}

/// The size of a campaign, as it was announced.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HintSize {
    /// So many devices are sent a message.
    Devices(u64),
    /// So many requests per second come on top, at most.
    RequestsPerSecond(RequestsPerSecond),
}

impl Hint {
    /// How long after the fan-out a hint counts where nobody said so: late devices call back for
    /// some minutes, and by then every rule that measures has seen them. Half of it would cut the
    /// tail of a large push, double would pay for what the other rules carry anyway.
    pub const USUAL_TAIL: Duration = Duration::from_secs(10 * 60);

    /// When the last message should be sent.
    pub fn sent_at(&self) -> Timestamp {
        after(self.starts_at, self.spread)
    }

    /// When the hint counts no more.
    pub fn ends_at(&self) -> Timestamp {
        after(self.sent_at(), self.tail.unwrap_or(Self::USUAL_TAIL))
    }

    /// Whether somebody who looks at `now` knows of it, and it is not over.
    pub fn is_known(&self, now: Timestamp) -> bool {
        self.announced_at <= now && now < self.ends_at()
    }
}

impl HintSize {
    /// The word for what is counted.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Devices(_) => "devices",
            Self::RequestsPerSecond(_) => "requests_per_second",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_known_from_its_announcement_until_its_tail_ends() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a legal moment");
        let mut hint = Hint {
            id: HintId(uuid::Uuid::from_u128(1)),
            kind: "lunch".parse().expect("a legal name"),
            announced_at: at("2026-03-02T11:00:00Z"),
            starts_at: at("2026-03-02T12:00:00Z"),
            size: HintSize::Devices(2_000_000),
            spread: Duration::from_secs(120),
            tail: None,
            reason: "lunch push".into(),
            source: HintSource::Person,
        };
        assert!(!hint.is_known(at("2026-03-02T10:59:59Z")), "nobody has announced it");
        assert!(hint.is_known(at("2026-03-02T11:00:00Z")));
        assert!(hint.is_known(at("2026-03-02T12:11:59Z")));
        assert!(!hint.is_known(at("2026-03-02T12:12:00Z")), "its usual tail is over");
        hint.tail = Some(Duration::ZERO);
        assert!(!hint.is_known(at("2026-03-02T12:02:00Z")), "its own tail is over");
    }
}
