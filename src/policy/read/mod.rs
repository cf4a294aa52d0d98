//! The schema of a policy: which keys there are, and what they must hold.
//!
//! In: the tree of one YAML text.
//! Out: a [`Policy`] with every default filled in, or `None` and every problem noted.
//! Never: does I/O; leaves a key unread.

mod budget;
mod effectiveness;
mod health;
mod hints;
mod movement;
mod node;
mod rules;
mod service;
mod signals;

pub(super) use node::free_addresses;

use super::document::Node;
use super::fields::{self, Fields, Notes, Value, refuse};
use super::settings::{Bounds, Control, Policy};
use crate::domain::{NodeCount, PoolName};

/// The words for [`Control`].
pub(crate) const CONTROL: &[(&str, Control)] =
    &[("automatic", Control::Automatic), ("dry_run", Control::DryRun), ("hold", Control::Hold)];

/// Reads a policy; its text and digest are the caller's to fill in.
pub(super) fn policy(document: &Node, notes: &mut Notes) -> Option<Policy> {
    let mut fields = Fields::of(Value { name: "", node: document }, notes)?;
    let schedule = "`schedule` is no key of this file, but a kind of rule".to_owned();
    fields.refused("schedule", schedule, "write it below `rules`, as `- schedule: {…}`");

    let pool = fields.required(
        "pool",
        "notifications",
        notes,
        fields::parsed::<PoolName>("it begins every instance's label, so keep it short"),
    );
    let control = fields.or("control", Control::Automatic, notes, fields::word(CONTROL));
    let bounds = fields.required("bounds", "{min: 2, max: 10}", notes, bounds);
    let budget = fields.optional("budget", notes, budget::budget);
    // Their names alone, so that a rule's slip is told even where a signal has one of its own.
    let (mut names, mut of_nodes) = (None, None);
    let signals = fields.required(
        "signals",
        "{requests: {prometheus: {query: '…'}}}",
        notes,
        |value, notes| {
            names = signals::names(value);
            let signals = signals::signals(value, notes);
            of_nodes = signals.as_ref().map(signals::of_nodes);
            signals
        },
    );
    let rules = fields.required(
        "rules",
        "[{target: {signal: requests, per_node: 400}}]",
        notes,
        |value, notes| rules::rules(value, names.as_deref(), of_nodes.as_deref(), bounds, notes),
    );
    let hints = fields.or("hints", Vec::new(), notes, hints::hints);
    let tolerance = fields.section("tolerance", notes, movement::tolerance);
    let scale_out = fields.section("scale_out", notes, movement::scale_out);
    let scale_in = fields.section("scale_in", notes, movement::scale_in);
    let usual = Some(effectiveness::default());
    let effectiveness = fields::off_or(effectiveness::effectiveness);
    let effectiveness = fields.or("effectiveness", usual, notes, effectiveness);
    let missing_data = fields.section("missing_data", notes, movement::missing_data);
    let standby = fields.section("standby", notes, movement::standby);
    let node = fields.required(
        "node",
        "{type: g6-standard-2, region: eu-central, image: linode/debian12, vlan: {…}}",
        notes,
        |value, notes| {
            let max = bounds.map(|bounds: Bounds| bounds.max);
            Fields::of(value, notes).and_then(|fields| node::template(fields, max, notes))
        },
    );
    let configure = fields.required("configure", "{playbook: node.yml}", notes, service::configure);
    let join =
        fields.required("join", "{backend: notifications, port: 8080}", notes, service::join);
    let leave = fields.section("leave", notes, service::leave);
    let health =
        fields.or("health", Some(health::default()), notes, fields::off_or(health::health));
    let brake = fields.section("brake", notes, movement::brake);
    let orphans = fields.section("orphans", notes, service::orphans);
    fields.finish(notes);

    Some(Policy {
        pool: pool?,
        control: control?,
        bounds: bounds?,
        budget: budget?,
        signals: signals?,
        rules: rules?,
        hints: hints?,
        tolerance: tolerance?,
        scale_out: scale_out?,
        scale_in: scale_in?,
        effectiveness: effectiveness?,
        missing_data: missing_data?,
        standby: standby?,
        node: node?,
        configure: configure?,
        join: join?,
        leave: leave?,
        health: health?,
        brake: brake?,
        orphans: orphans?,
        digest: String::new(),
        text: "".into(),
    })
}

fn bounds(value: Value<'_>, notes: &mut Notes) -> Option<Bounds> {
    let mut fields = Fields::of(value, notes)?;
    let any = fields::whole(0, u32::MAX);
    let min = fields.or("min", 1, notes, &any);
    let max = fields.required("max", "10", notes, fields::whole(1, u32::MAX));
    let default = fields.optional("default", notes, &any);
    let (max_at, default_at) = (fields.place("max"), fields.place("default"));
    fields.finish(notes);

    let (min, max, default) = (min?, max?, default?);
    if max < min {
        let what = format!("`max` is {max}, below `min`, which is {min}");
        return refuse(notes, max_at, what, "raise `max` or lower `min`");
    }
    let default = default.unwrap_or(min);
    if !(min..=max).contains(&default) {
        let what = format!("`default` is {default}, outside of `min` {min} and `max` {max}");
        return refuse(notes, default_at, what, "choose a count between them");
    }
    Some(Bounds { min: NodeCount(min), max: NodeCount(max), default: NodeCount(default) })
}
