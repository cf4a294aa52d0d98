//! The report of a contest: one HTML file that asks for nothing outside of itself.
//!
//! In: a contest and what came of it, the world in words, advice.
//! Out: the text of the file: headlines, the cost curve, tables, a plot of each trace.
//! Never: computes a score; loads anything; trusts a name (all are escaped).
//!
//! What can be drawn once is drawn here (the curve, the tables); only the plots over time, in
//! which people zoom, are drawn by `report.js`.

mod curve;
mod headline;
mod label;
mod plot;
mod tables;
pub(super) mod text;

use std::fmt::Write;

use super::advice::Advice;
use super::contest::{Bout, Contest, Scene, mean_curve, together};
use super::score::Score;
use text::{coded, digits, escaped, grouped, length};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// Hours of a month: a year's by twelve.
const MONTH_HOURS: f64 = 730.0;

/// All that a report tells.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What was held, with its ways kept ([`Contest::detail`]).
    pub contest: &'a Contest<'a>,
    /// What came of it.
    pub bouts: &'a [Bout],
    /// The world that all shared: titles and texts.
    pub world: &'a [(&'static str, String)],
    /// What the reader should do about the first policy, a sentence each: of each trace, or none
    /// at all.
    pub advice: &'a [Vec<Advice>],
}

impl Report<'_> {
    /// The file's text.
    pub fn html(&self) -> String {
        let title = escaped(&self.title());
        let mut body = String::new();
        let _ = write!(body, "<header><h1>{title}</h1>");
        let _ = write!(body, "<p class=\"by\">A rehearsal on recorded traffic, by Windlass {}", {
            env!("CARGO_PKG_VERSION")
        });
        body.push_str(".</p></header>\n<main>\n");
        body.push_str(&self.in_short());
        if 1 < self.bouts.len() {
            body.push_str(&self.over_all());
        }
        for (place, (scene, bout)) in self.contest.scenes.iter().zip(self.bouts).enumerate() {
            body.push_str(&self.one_trace(place, scene, bout));
        }
        body.push_str(&self.settings());
        body.push_str("</main>\n");
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n{body}<script>\n{SCRIPT}</script>\n\
             </body>\n</html>\n"
        )
    }

    fn title(&self) -> String {
        let who = match self.contest.policies {
            [] => "Autoscalers".to_owned(),
            [(name, _)] => name.clone(),
            [(name, _), others @ ..] => format!("{name} and {} more", others.len()),
        };
        match self.contest.scenes {
            [scene] => format!("{who} on {}", scene.trace.name),
            scenes => format!("{who} on {} traces", scenes.len()),
        }
    }

    /// What everyone should read.
    fn in_short(&self) -> String {
        let mut out = "<section id=\"short\"><h2>In short</h2>\n".to_owned();
        match (self.contest.scenes, self.bouts) {
            ([scene], [bout]) => {
                out.push_str(&headline::of_one(self.contest, scene, bout));
                out.push_str(&self.what_to_do(0));
            }
            _ => out.push_str(&headline::of_all(self.contest, self.bouts)),
        }
        out.push_str(include_str!("how_to_read.html"));
        out.push_str("</section>\n");
        out
    }

    /// The advice of the trace at `place`.
    fn what_to_do(&self, place: usize) -> String {
        let (Some(advice), Some((name, _))) =
            (self.advice.get(place), self.contest.policies.first())
        else {
            return String::new();
        };
        let about = match self.contest.policies.len() {
            1 => String::new(),
            _ => format!(" about {}", escaped(name)),
        };
        let mut out = format!("<h3>What to do{about}</h3>\n<ul class=\"advice\">");
        for Advice { text, .. } in advice {
            let _ = write!(out, "<li>{}</li>", coded(text));
        }
        out.push_str("</ul>\n");
        out
    }

    /// Everyone on all traces, and the curve on the mean.
    fn over_all(&self) -> String {
        let all = together(self.bouts);
        let mut out = "<section id=\"all\"><h2>All traces</h2>\n".to_owned();
        out.push_str(&tables::summary(self.contest, self.bouts, &all));
        let points = mean_curve(self.bouts);
        if !points.is_empty() {
            let months = (0..self.bouts.len()).map(|place| self.cheapest_month(place));
            let month = months.sum::<f64>() / self.bouts.len() as f64;
            out.push_str("<h3>What each spared request costs, on the mean of all traces</h3>\n");
            out.push_str(&curve::figure(self.contest, &points, month));
        }
        out.push_str("</section>\n");
        out
    }

    fn one_trace(&self, place: usize, scene: &Scene, bout: &Bout) -> String {
        let name = escaped(&scene.trace.name);
        let scored = length(scored_seconds(scene));
        let mut out = format!("<section id=\"trace-{place}\"><h2>{name}</h2>\n");
        if 1 < self.bouts.len() {
            out.push_str(&headline::of_one(self.contest, scene, bout));
            out.push_str(&self.what_to_do(place));
        }
        let unscored = match scene.settings.scored_from {
            0 => String::new(),
            seconds => format!(", after {} for the forecasts to learn", length(seconds)),
        };
        let scaled = match scene.trace.scale {
            1.0 => String::new(),
            scale => format!(", scaled by {}", digits(scale, 3)),
        };
        let _ = writeln!(
            out,
            "<p>{scored} of traffic{unscored}{scaled}; {} requests per second in the busiest \
             minute.</p>",
            grouped(scene.trace.peak_minute())
        );
        out.push_str("<h3>Over time</h3>\n");
        out.push_str(&plot::figure(self.contest, place, scene, bout));
        if self.bouts.len() == 1 && !bout.curve.is_empty() {
            out.push_str("<h3>What each spared request costs</h3>\n");
            out.push_str(&curve::figure(self.contest, &bout.curve, self.cheapest_month(place)));
        }
        out.push_str("<h3>Everyone on this trace</h3>\n");
        out.push_str(&tables::comparison(self.contest, scene, bout));
        out.push_str("</section>\n");
        out
    }

    fn settings(&self) -> String {
        let mut out = "<section id=\"settings\"><h2>Settings</h2>\n<dl>".to_owned();
        for (title, says) in self.world {
            let _ = write!(
                out,
                "<dt>{}</dt><dd>{}</dd>",
                escaped(title),
                escaped(&says.replace('`', ""))
            );
        }
        out.push_str("</dl>\n");
        out.push_str(
            "<p>A month has 730 hours here. Every started hour of each node is paid, as Linode \
             bills.</p></section>\n",
        );
        out
    }

    /// What a month of the cheapest possible fleet costs on the trace at `place`, in dollars.
    fn cheapest_month(&self, place: usize) -> f64 {
        cheapest_month(&self.contest.scenes[place], &self.bouts[place])
    }
}

fn scored_seconds(scene: &Scene) -> u64 {
    scene.trace.seconds() - scene.settings.scored_from
}

/// What `cost` over the scored time comes to in a month.
fn month(scene: &Scene, cost: f64) -> f64 {
    cost * MONTH_HOURS * 3_600.0 / scored_seconds(scene) as f64
}

fn cheapest_month(scene: &Scene, bout: &Bout) -> f64 {
    let hours = bout.yardstick.billed_node_hours as f64;
    month(scene, hours * scene.settings.hourly_price.get())
}

/// Whether `score` is no later and no dearer than `other`, and one of both is better.
fn beats(score: &Score, other: &Score) -> bool {
    let (late, cost) = (score.violating_requests_ratio, score.cost_usd);
    let (other_late, other_cost) = (other.violating_requests_ratio, other.cost_usd);
    late <= other_late && cost <= other_cost && (late < other_late || cost < other_cost)
}
