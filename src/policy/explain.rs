//! The whole policy that results, written out as YAML.
//!
//! In: a [`Policy`].
//! Out: a text with every key; parsed again, it is the same policy (only its digest differs).
//! Never: leaves a default unsaid.

use std::fmt::Write;

use super::fields::written_out;
use super::settings::{
    BalancerSignal, BandAction, Brake, Budget, CalendarEntry, Comes, Control, CoverageNeed,
    ForecastRule, Lead, LeaveEarly, LeaveOrder, Measures, NodeSeries, OrphanEnd, Pace, PaceLimit,
    PaceSelect, Policy, Rule, RuleScaleIn, Samples, ScheduleRule, Signal, SignalSource,
    StepRounding, StepRule, SurgeRule, TargetForm, When,
};
use crate::domain::{HintSize, SignalName, elapsed};
use crate::forecast::Mode;

/// The whole of `policy` as YAML, every default written out.
pub fn explain_defaults(policy: &Policy) -> String {
    let mut out = Lines(String::new());
    out.line(0, format_args!("pool: {}", policy.pool));
    out.line(0, format_args!("control: {}", control(policy.control)));
    out.line(0, format_args!("bounds:"));
    out.line(1, format_args!("min: {}", policy.bounds.min.0));
    out.line(1, format_args!("max: {}", policy.bounds.max.0));
    out.line(1, format_args!("default: {}", policy.bounds.default.0));
    if let Some(budget) = &policy.budget {
        out.budget(budget);
    }
    out.line(0, format_args!("signals:"));
    for (name, signal) in &policy.signals {
        out.signal(name, signal);
    }
    out.line(0, format_args!("rules:"));
    for rule in &policy.rules {
        out.rule(rule);
    }
    out.calendar(&policy.hints);
    out.movement(policy);
    out.node(policy);
    out.service(policy);
    out.0
}

/// The text so far.
struct Lines(String);

impl Lines {
    fn line(&mut self, depth: usize, text: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{}{text}", "  ".repeat(depth)).expect("a string takes every line");
    }

    fn budget(&mut self, budget: &Budget) {
        self.line(0, format_args!("budget:"));
        if let Some(hourly) = budget.hourly {
            self.line(1, format_args!("hourly: {}", hourly.get()));
        }
        if let Some(monthly) = budget.monthly {
            self.line(1, format_args!("monthly: {}", monthly.get()));
        }
        self.line(1, format_args!("soft_percent: {}", budget.soft.get()));
    }

    fn signal(&mut self, name: &SignalName, signal: &Signal) {
        self.line(1, format_args!("{}:", quoted(name.as_str())));
        match &signal.source {
            SignalSource::Prometheus { query, nodes } => {
                self.line(2, format_args!("prometheus:"));
                self.line(3, format_args!("query: {}", quoted(query)));
                if let Some(NodeSeries { label, capacity }) = nodes {
                    self.line(3, format_args!("node_label: {}", quoted(label)));
                    self.line(3, format_args!("capacity: {capacity}"));
                }
                let measures = match signal.measures {
                    Measures::Pool => "pool",
                    Measures::Node => "node",
                };
                self.line(2, format_args!("measures: {measures}"));
            }
            SignalSource::Haproxy(counted) => self.counted(counted),
        }
        self.line(2, format_args!("stale_after: {}", written_out(signal.stale_after)));
        if let Some(coverage) = &signal.coverage {
            self.line(2, format_args!("coverage:"));
            self.line(3, format_args!("query: {}", quoted(&coverage.query)));
            match coverage.at_least {
                CoverageNeed::Serving => self.line(3, format_args!("at_least: serving")),
                CoverageNeed::Count(count) => self.line(3, format_args!("at_least: {count}")),
            }
        }
    }

    fn calendar(&mut self, entries: &[CalendarEntry]) {
        if entries.is_empty() {
            return;
        }
        self.line(0, format_args!("hints:"));
        for CalendarEntry { kind, timezone, comes, size, spread, tail, reason } in entries {
            self.line(1, format_args!("- kind: {}", quoted(kind.as_str())));
            self.line(2, format_args!("timezone: {}", quoted(timezone.name())));
            match comes {
                Comes::Again(cron) => self.line(2, format_args!("cron: {}", quoted(cron.as_str()))),
                Comes::Once(at) => {
                    self.line(2, format_args!("at: {}", quoted(&timezone.written(*at))))
                }
            }
            match size {
                HintSize::Devices(devices) => self.line(2, format_args!("devices: {devices}")),
                HintSize::RequestsPerSecond(rate) => {
                    self.line(2, format_args!("rps: {}", rate.get()));
                }
            }
            self.line(2, format_args!("spread: {}", written_out(*spread)));
            self.line(2, format_args!("tail: {}", written_out(*tail)));
            self.line(2, format_args!("reason: {}", quoted(reason)));
        }
    }

    fn counted(&mut self, counted: &BalancerSignal) {
        self.line(2, format_args!("haproxy:"));
        if let Some(backend) = &counted.backend {
            self.line(3, format_args!("backend: {}", quoted(backend.as_str())));
        }
        self.line(3, format_args!("metric: {}", counted.metric.word()));
        self.line(3, format_args!("over: {}", written_out(counted.over)));
        self.line(3, format_args!("take: {}", counted.take.word()));
    }

    fn rule(&mut self, rule: &Rule) {
        match rule {
            Rule::Target(target) => {
                self.line(1, format_args!("- target:"));
                self.line(3, format_args!("signal: {}", quoted(target.signal.as_str())));
                match target.form {
                    TargetForm::PerNode(rate) => {
                        self.line(3, format_args!("per_node: {}", rate.get()));
                    }
                    TargetForm::Value(value) => self.line(3, format_args!("value: {value}")),
                    TargetForm::Average(average) => {
                        self.line(3, format_args!("average: {average}"));
                    }
                    TargetForm::UtilisationPercent(percent) => {
                        self.line(3, format_args!("utilisation_percent: {percent}"));
                    }
                }
                match target.square_root {
                    Some(root) => self.line(3, format_args!("headroom_square_root: {root}")),
                    None => {
                        let percent = target.headroom.get();
                        self.line(3, format_args!("headroom_percent: {percent}"));
                    }
                }
                self.rule_scale_in(target.scale_in);
                if let Some(tolerance) = target.tolerance {
                    self.line(3, format_args!("tolerance:"));
                    self.line(4, format_args!("out_percent: {}", tolerance.out.get()));
                    self.line(4, format_args!("in_percent: {}", tolerance.scale_in.get()));
                }
                self.line(3, format_args!("hold: {}", written_out(target.hold)));
                self.group(target.group.as_deref());
            }
            Rule::Count(count) => {
                self.line(1, format_args!("- count:"));
                self.line(3, format_args!("signal: {}", quoted(count.signal.as_str())));
                self.rule_scale_in(count.scale_in);
                self.group(count.group.as_deref());
            }
            Rule::Fixed(fixed) => {
                self.line(1, format_args!("- fixed:"));
                self.line(3, format_args!("count: {}", fixed.count.0));
                self.group(fixed.group.as_deref());
            }
            Rule::Forecast(forecast) => self.forecast(forecast),
            Rule::Surge(surge) => self.surge(surge),
            Rule::Hint(hint) => {
                self.line(1, format_args!("- hint:"));
                self.line(3, format_args!("signal: {}", quoted(hint.signal.as_str())));
                self.line(3, format_args!("per_node: {}", hint.per_node.get()));
                match hint.lead {
                    Lead::Learned => self.line(3, format_args!("lead: learned")),
                    Lead::Fixed(lead) => self.line(3, format_args!("lead: {}", written_out(lead))),
                }
                self.line(3, format_args!("margin_percent: {}", hint.margin.get()));
            }
            Rule::Latency(latency) => {
                self.line(1, format_args!("- latency:"));
                self.line(3, format_args!("signal: {}", quoted(latency.signal.as_str())));
                self.line(3, format_args!("objective: {}", written_out(latency.objective)));
                self.line(3, format_args!("clear_below: {}", written_out(latency.clear_below)));
                self.line(3, format_args!("for: {}", written_out(latency.for_at_least)));
                self.line(3, format_args!("step_percent: {}", latency.step.get()));
            }
            Rule::Step(step) => self.step(step),
            Rule::Schedule(schedule) => self.schedule(schedule),
        }
    }

    fn forecast(&mut self, rule: &ForecastRule) {
        self.line(1, format_args!("- forecast:"));
        self.line(3, format_args!("signal: {}", quoted(rule.signal.as_str())));
        let lead = match rule.lead {
            Lead::Learned => "learned".to_owned(),
            Lead::Fixed(lead) => written_out(lead),
        };
        self.line(3, format_args!("lead: {lead}"));
        self.line(3, format_args!("level: {}", rule.level.get()));
        self.line(3, format_args!("per_node: {}", rule.per_node.get()));
        let mode = match rule.mode {
            Mode::Raise => "raise",
            Mode::ForecastOnly => "forecast_only",
        };
        self.line(3, format_args!("mode: {mode}"));
        self.line(3, format_args!("hold: {}", written_out(rule.hold)));
    }

    fn surge(&mut self, rule: &SurgeRule) {
        self.line(1, format_args!("- surge:"));
        self.line(3, format_args!("signal: {}", quoted(rule.signal.as_str())));
        self.line(3, format_args!("over: {}", written_out(rule.over)));
        self.line(3, format_args!("rise_percent: {}", rule.rise.get()));
        self.line(3, format_args!("per_node: {}", rule.per_node.get()));
        self.line(3, format_args!("at_most_percent: {}", rule.at_most.get()));
        self.line(3, format_args!("hold: {}", written_out(rule.hold)));
    }

    fn rule_scale_in(&mut self, scale_in: RuleScaleIn) {
        let word = match scale_in {
            RuleScaleIn::Allowed => "allowed",
            RuleScaleIn::Never => "never",
        };
        self.line(3, format_args!("scale_in: {word}"));
    }

    fn group(&mut self, group: Option<&str>) {
        if let Some(group) = group {
            self.line(3, format_args!("group: {}", quoted(group)));
        }
    }

    fn step(&mut self, step: &StepRule) {
        self.line(1, format_args!("- step:"));
        self.line(3, format_args!("signal: {}", quoted(step.signal.as_str())));
        self.line(3, format_args!("bands:"));
        for band in &step.bands {
            let from = band.from.map(|from| format!("from: {from}, "));
            let below = band.below.map(|below| format!("below: {below}, "));
            let action = match band.action {
                BandAction::Add(nodes) => format!("add: {nodes}"),
                BandAction::Remove(nodes) => format!("remove: {nodes}"),
                BandAction::AddPercent(percent) => format!("add_percent: {}", percent.get()),
                BandAction::RemovePercent(percent) => format!("remove_percent: {}", percent.get()),
                BandAction::Set(count) => format!("set: {}", count.0),
            };
            let (from, below) = (from.unwrap_or_default(), below.unwrap_or_default());
            let held = written_out(band.for_at_least);
            self.line(4, format_args!("- {{{from}{below}for: {held}, {action}}}"));
        }
        let Samples { within, of } = step.samples;
        self.line(3, format_args!("samples: {{within: {within}, of: {of}}}"));
        let rounding = match step.rounding {
            StepRounding::Nomad => "nomad",
            StepRounding::Aws => "aws",
        };
        self.line(3, format_args!("rounding: {rounding}"));
        self.group(step.group.as_deref());
    }

    fn schedule(&mut self, schedule: &ScheduleRule) {
        self.line(1, format_args!("- schedule:"));
        self.line(3, format_args!("timezone: {}", quoted(schedule.timezone.name())));
        let lasts = match &schedule.when {
            When::Again { cron, lasts } => {
                self.line(3, format_args!("cron: {}", quoted(cron.as_str())));
                *lasts
            }
            When::Once(window) => {
                let from = schedule.timezone.written(window.opens);
                self.line(3, format_args!("from: {}", quoted(&from)));
                elapsed(window.opens, window.closes)
            }
        };
        self.line(3, format_args!("lasts: {}", written_out(lasts)));
        for (key, count) in [("at_least", schedule.at_least), ("at_most", schedule.at_most)] {
            if let Some(count) = count {
                self.line(3, format_args!("{key}: {}", count.0));
            }
        }
    }

    fn movement(&mut self, policy: &Policy) {
        self.line(0, format_args!("tolerance:"));
        self.line(1, format_args!("out_percent: {}", policy.tolerance.out.get()));
        self.line(1, format_args!("in_percent: {}", policy.tolerance.scale_in.get()));
        let scale_out = &policy.scale_out;
        self.line(0, format_args!("scale_out:"));
        self.line(1, format_args!("stabilize: {}", written_out(scale_out.stabilize)));
        self.line(1, format_args!("pace: {}", paces(&scale_out.pace)));
        self.line(1, format_args!("pace_select: {}", pace_select(scale_out.pace_select)));
        self.line(1, format_args!("cooldown: {}", written_out(scale_out.cooldown)));
        let scale_in = &policy.scale_in;
        self.line(0, format_args!("scale_in:"));
        self.line(1, format_args!("stabilize: {}", written_out(scale_in.stabilize)));
        self.line(1, format_args!("pace: {}", paces(&scale_in.pace)));
        self.line(1, format_args!("pace_select: {}", pace_select(scale_in.pace_select)));
        self.line(1, format_args!("cooldown: {}", written_out(scale_in.cooldown)));
        let order = match scale_in.order {
            LeaveOrder::BillingHour => "billing_hour",
            LeaveOrder::Newest => "newest",
            LeaveOrder::Oldest => "oldest",
        };
        self.line(1, format_args!("order: {order}"));
        let leave_early = match scale_in.leave_early {
            LeaveEarly::No => "no",
            LeaveEarly::Yes => "yes",
            LeaveEarly::ToStandby => "to_standby",
        };
        self.line(1, format_args!("leave_early: {leave_early}"));
        match policy.effectiveness {
            None => self.line(0, format_args!("effectiveness: off")),
            Some(effectiveness) => {
                self.line(0, format_args!("effectiveness:"));
                self.line(1, format_args!("after: {}", effectiveness.after));
                let improves = effectiveness.improves.get();
                self.line(1, format_args!("improves_percent: {improves}"));
                self.line(1, format_args!("rest: {}", written_out(effectiveness.rest)));
            }
        }
        self.line(0, format_args!("missing_data:"));
        self.line(1, format_args!("hold_for: {}", written_out(policy.missing_data.hold_for)));
        self.line(1, format_args!("then: default"));
        self.line(0, format_args!("standby:"));
        self.line(1, format_args!("nodes: {}", policy.standby.nodes.0));
    }

    fn node(&mut self, policy: &Policy) {
        let node = &policy.node;
        self.line(0, format_args!("node:"));
        self.line(1, format_args!("type: {}", quoted(&node.instance_type)));
        let types: Vec<String> = node.fallback_types.iter().map(|plan| quoted(plan)).collect();
        self.line(1, format_args!("fallback_types: [{}]", types.join(", ")));
        self.line(1, format_args!("region: {}", quoted(&node.region)));
        self.line(1, format_args!("image: {}", quoted(&node.image)));
        self.line(1, format_args!("vlan:"));
        self.line(2, format_args!("label: {}", quoted(&node.vlan.label)));
        self.line(2, format_args!("cidr: {}", node.vlan.cidr));
        let reserve: Vec<String> =
            node.vlan.reserve.iter().map(|range| String::from(*range)).collect();
        self.line(2, format_args!("reserve: [{}]", reserve.join(", ")));
        self.line(2, format_args!("quarantine: {}", written_out(node.vlan.quarantine)));
        if let Some(firewall) = node.firewall {
            self.line(1, format_args!("firewall: {firewall}"));
        }
        let path = |path: &std::path::Path| quoted(&path.to_string_lossy());
        self.line(1, format_args!("ssh:"));
        self.line(2, format_args!("user: {}", quoted(&node.ssh.user)));
        self.line(2, format_args!("port: {}", node.ssh.port));
        let authorized = path(&node.ssh.authorized_keys_file);
        self.line(2, format_args!("authorized_keys_file: {authorized}"));
        self.line(2, format_args!("private_key_file: {}", path(&node.ssh.private_key_file)));
        self.line(1, format_args!("boot_timeout: {}", written_out(node.boot_timeout)));
        self.line(1, format_args!("backoff:"));
        self.line(2, format_args!("first: {}", written_out(node.backoff.first)));
        self.line(2, format_args!("longest: {}", written_out(node.backoff.longest)));
        let configure = &policy.configure;
        self.line(0, format_args!("configure:"));
        self.line(1, format_args!("playbook: {}", path(&configure.playbook)));
        self.line(1, format_args!("timeout: {}", written_out(configure.timeout)));
        self.line(1, format_args!("batch: {}", configure.batch));
        if configure.variables.is_empty() {
            return self.line(1, format_args!("variables: {{}}"));
        }
        self.line(1, format_args!("variables:"));
        for (name, value) in &configure.variables {
            self.line(2, format_args!("{}: {}", quoted(name), quoted(value)));
        }
    }

    fn service(&mut self, policy: &Policy) {
        let join = &policy.join;
        self.line(0, format_args!("join:"));
        self.line(1, format_args!("backend: {}", quoted(join.backend.as_str())));
        self.line(1, format_args!("port: {}", join.port));
        self.line(1, format_args!("check:"));
        self.line(2, format_args!("interval: {}", written_out(join.check.interval)));
        self.line(2, format_args!("rise: {}", join.check.rise));
        self.line(2, format_args!("fall: {}", join.check.fall));
        if let Some(max_connections) = join.max_connections {
            self.line(1, format_args!("max_connections: {max_connections}"));
        }
        self.line(1, format_args!("slow_start: {}", written_out(join.slow_start)));
        self.line(1, format_args!("timeout: {}", written_out(join.timeout)));
        self.line(0, format_args!("leave:"));
        let drain_timeout = written_out(policy.leave.drain_timeout);
        self.line(1, format_args!("drain_timeout: {drain_timeout}"));
        let Brake { nodes, share, per } = policy.brake;
        self.line(0, format_args!("brake:"));
        self.line(1, format_args!("nodes: {nodes}"));
        self.line(1, format_args!("percent: {}", share.get()));
        self.line(1, format_args!("per: {}", written_out(per)));
        self.line(0, format_args!("orphans:"));
        self.line(1, format_args!("keep_for: {}", written_out(policy.orphans.keep_for)));
        let then = match policy.orphans.then {
            OrphanEnd::Report => "report",
            OrphanEnd::Delete => "delete",
        };
        self.line(1, format_args!("then: {then}"));
        let Some(health) = policy.health else {
            return self.line(0, format_args!("health: off"));
        };
        self.line(0, format_args!("health:"));
        self.line(1, format_args!("unhealthy_for: {}", written_out(health.unhealthy_for)));
        let at_most = health.replace_at_most.get();
        self.line(1, format_args!("replace_at_most_percent: {at_most}"));
    }
}

fn control(control: Control) -> &'static str {
    match control {
        Control::Automatic => "automatic",
        Control::DryRun => "dry_run",
        Control::Hold => "hold",
    }
}

fn pace_select(select: PaceSelect) -> &'static str {
    match select {
        PaceSelect::Largest => "largest",
        PaceSelect::Smallest => "smallest",
        PaceSelect::Disabled => "disabled",
    }
}

fn paces(paces: &[Pace]) -> String {
    let paces: Vec<String> = paces
        .iter()
        .map(|pace| match pace.limit {
            PaceLimit::Nodes(nodes) => {
                format!("{{nodes: {nodes}, per: {}}}", written_out(pace.per))
            }
            PaceLimit::Percent(percent) => {
                format!("{{percent: {}, per: {}}}", percent.get(), written_out(pace.per))
            }
        })
        .collect();
    format!("[{}]", paces.join(", "))
}

/// `text` as a YAML scalar: plain where that can't be misread, in double quotes otherwise.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    // A letter first and a tail of harmless characters: only the words of YAML's own remain.
    let first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let word = words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if first && !word && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // Whatever is no letter, digit, sign or plain blank is escaped: line separators,
            // byte order marks and control characters don't survive in every reader.
            ' ' => quoted.push(c),
            c if c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{fffe}'..) => {
                write!(quoted, "\\U{:08x}", u32::from(c)).expect("a string takes every letter");
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
