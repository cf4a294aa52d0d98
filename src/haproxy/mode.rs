//! Which of two ways members take into a backend.
//!
//! In: the setting, what the version is good for, whether the backend has template slots.
//! Out: the way, or what is missing.
//! Never: decides how a member leaves: a slot is parked and a dynamic server deleted, whichever
//! way is chosen now.

use serde::{Deserialize, Serialize};

use super::info::DynamicServers;

/// How members get into a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Dynamic servers where HAProxy's version is sound; else template slots where the backend
    /// has them; else dynamic servers that rest in maintenance before they are deleted.
    #[default]
    Auto,
    /// Template slots: `server-template slot 40 127.0.0.1:1 disabled`.
    Slots,
    /// `add server` and `del server`, from HAProxy 2.6.
    Dynamic,
}

/// The way that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Take a free slot.
    Slots,
    /// Add a server.
    Dynamic,
    /// Add a server although this version can crash when it is deleted: it has to rest in
    /// maintenance first, and somebody should know.
    DynamicWithRest,
}

/// Why there is no way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoWay {
    /// Slots are asked for, and the backend has none.
    NoSlots,
    /// Dynamic servers are asked for or all that is left, and the version can't.
    TooOld,
}

/// Chooses the way.
pub(super) fn choose(
    mode: Mode,
    dynamic: DynamicServers,
    has_slots: HasSlots,
) -> Result<Way, NoWay> {
    match (mode, dynamic, has_slots) {
        (Mode::Slots, _, HasSlots::Yes) => Ok(Way::Slots),
        (Mode::Slots, _, HasSlots::No) => Err(NoWay::NoSlots),
        (_, DynamicServers::Sound, _) => Ok(Way::Dynamic),
        (Mode::Auto, _, HasSlots::Yes) => Ok(Way::Slots),
        (_, DynamicServers::Fragile, _) => Ok(Way::DynamicWithRest),
        (_, DynamicServers::Unsupported, _) => Err(NoWay::TooOld),
    }
}

/// Whether a backend has template slots, free or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HasSlots {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_prefers_what_is_safe_and_a_setting_wins() {
        use DynamicServers::{Fragile, Sound, Unsupported};
        use HasSlots::{No, Yes};
        for (mode, dynamic, has_slots, expected) in [
            (Mode::Auto, Sound, Yes, Ok(Way::Dynamic)),
            (Mode::Auto, Sound, No, Ok(Way::Dynamic)),
            (Mode::Auto, Fragile, Yes, Ok(Way::Slots)),
            (Mode::Auto, Fragile, No, Ok(Way::DynamicWithRest)),
            (Mode::Auto, Unsupported, Yes, Ok(Way::Slots)),
            (Mode::Auto, Unsupported, No, Err(NoWay::TooOld)),
            (Mode::Slots, Sound, Yes, Ok(Way::Slots)),
            (Mode::Slots, Sound, No, Err(NoWay::NoSlots)),
            (Mode::Dynamic, Sound, Yes, Ok(Way::Dynamic)),
            (Mode::Dynamic, Fragile, Yes, Ok(Way::DynamicWithRest)),
            (Mode::Dynamic, Unsupported, Yes, Err(NoWay::TooOld)),
        ] {
            let chosen = choose(mode, dynamic, has_slots);
            assert_eq!(chosen, expected, "{mode:?} {dynamic:?} {has_slots:?}");
        }
    }
}
