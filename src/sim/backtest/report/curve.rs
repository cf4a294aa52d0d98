//! The cost curve as a drawing: late requests against the bill, a line for each contender.
//!
//! Both axes are logarithmic; the lowest band of the upright one holds what is below everyone's
//! curves, down to none. Contenders are told apart by shape and label, not by colour alone.
//! It is drawn twice, for wide and for narrow screens; the style sheet shows one of them.

use std::fmt::Write;

use super::super::contest::Contest;
use super::super::curve::CurvePoint;
use super::text::{dollars, escaped, percent};

/// Shares below a floor lie in the lowest band. It is the power of ten below all curves, so that
/// these have the paper to themselves, but no less than a thousandth of a percent: that is one
/// request in a hundred thousand, and nobody pays for a difference below it.
const FLOORS: (f64, f64) = (1e-5, 1e-2);
/// The height of the lowest band, in decades.
const BAND: f64 = 0.6;

const WIDE: Paper = Paper { class: "on-wide", width: 860.0, height: 470.0, right: 150.0 };
const NARROW: Paper = Paper { class: "on-narrow", width: 380.0, height: 440.0, right: 16.0 };
const LEFT: f64 = 58.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 56.0;

/// A letter's width and a line's height in labels.
const LETTER: f64 = 6.6;
const LINE: f64 = 14.0;

/// What it is drawn on.
struct Paper {
    class: &'static str,
    width: f64,
    height: f64,
    right: f64,
}

/// One contender's points, in order.
struct Family<'a> {
    name: &'a str,
    is_ours: bool,
    points: Vec<&'a CurvePoint>,
}

/// The drawing, and its table. `month` is what the cheapest fleet costs a month, in dollars.
pub(super) fn figure(contest: &Contest<'_>, points: &[CurvePoint], month: f64) -> String {
    let families = families(contest, points);
    let mut out = "<figure class=\"curve\">\n".to_owned();
    for paper in [WIDE, NARROW] {
        out.push_str(&Drawing::of(&paper, points, floor(&families)).draw(&families, month));
    }
    out.push_str(
        "<figcaption>Further down is less late, further left is cheaper. Thick: policies at each \
         level; numbers beside points are levels, or utilisations aimed at.</figcaption>\n",
    );
    out.push_str(&says(&families));
    out.push_str(&table(points));
    out.push_str("</figure>\n");
    out
}

fn families<'a>(contest: &Contest<'_>, points: &'a [CurvePoint]) -> Vec<Family<'a>> {
    let mut families: Vec<Family<'a>> = Vec::new();
    for point in points {
        match families.iter_mut().find(|family| family.name == point.name) {
            Some(family) => family.points.push(point),
            None => families.push(Family {
                name: &point.name,
                is_ours: contest.policies.iter().any(|(name, _)| *name == point.name),
                points: vec![point],
            }),
        }
    }
    families
}

/// How much of the others' points a policy's own points beat on both counts.
fn says(families: &[Family<'_>]) -> String {
    let others = || families.iter().filter(|family| !family.is_ours);
    let others = || others().filter(|family| !family.name.starts_with("oracle"));
    let points: Vec<&CurvePoint> = others().flat_map(|family| family.points.clone()).collect();
    let mut out = String::new();
    for family in families.iter().filter(|family| family.is_ours && !points.is_empty()) {
        let is_beaten = |point: &&&CurvePoint| {
            family.points.iter().any(|own| {
                own.violating_requests_ratio <= point.violating_requests_ratio
                    && own.billed_vs_oracle <= point.billed_vs_oracle
            })
        };
        let beaten = points.iter().filter(is_beaten).count();
        let _ = writeln!(
            out,
            "<p>Of the {} points of the others, {beaten} are later and dearer than some point of \
             <b>{}</b>.</p>",
            points.len(),
            escaped(family.name)
        );
    }
    out
}

fn table(points: &[CurvePoint]) -> String {
    let mut out = "<details><summary>The points as a table</summary>\n<div class=\"wide\"><table \
                   class=\"sortable points\"><thead><tr><th scope=\"col\">Contender</th><th \
                   scope=\"col\">At</th><th scope=\"col\">Late</th><th scope=\"col\">× \
                   cheapest</th><th scope=\"col\">Cost</th></tr></thead><tbody>\n"
        .to_owned();
    for point in points {
        let (late, billed, cost) =
            (point.violating_requests_ratio, point.billed_vs_oracle, point.cost_usd);
        let at = point.level.or(point.target).unwrap_or_default();
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td data-value=\"{at}\">{}</td><td \
             data-field=violating_requests_ratio data-value=\"{late}\">{}</td><td \
             data-field=billed_vs_oracle data-value=\"{billed}\">{billed:.2}</td><td \
             data-field=cost_usd data-value=\"{cost}\">{}</td></tr>",
            escaped(&point.name),
            knob(point),
            percent(late),
            dollars(cost)
        );
    }
    out.push_str("</tbody></table></div></details>\n");
    out
}

/// The setting that a point stands for.
fn knob(point: &CurvePoint) -> String {
    match (point.level, point.target) {
        (Some(level), _) => format!("level {level}"),
        (None, Some(target)) => format!("{target:.0} %"),
        (None, None) => String::new(),
    }
}

/// A rectangle that a label or a point takes.
#[derive(Clone, Copy)]
struct Spot {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Spot {
    fn meets(self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

/// Axes, and what is taken.
struct Drawing<'a> {
    paper: &'a Paper,
    /// Bills at the left and the right edge.
    bills: (f64, f64),
    /// Below this lies the lowest band.
    floor: f64,
    /// Decades from bottom to top.
    decades: f64,
    taken: Vec<Spot>,
}

impl<'a> Drawing<'a> {
    fn of(paper: &'a Paper, points: &[CurvePoint], floor: f64) -> Self {
        let bills = points.iter().map(|point| point.billed_vs_oracle);
        let least = bills.clone().fold(1.0, f64::min);
        let most = bills.fold(1.5, f64::max);
        let latest = points.iter().map(|point| point.violating_requests_ratio);
        let decades = height_of(latest.fold(10.0 * floor, f64::max), floor) + 0.15;
        Self { paper, bills: (least / 1.06, most * 1.06), floor, decades, taken: Vec::new() }
    }

    fn x(&self, billed: f64) -> f64 {
        let (left, right) = self.bills;
        let place = (billed / left).ln() / (right / left).ln();
        LEFT + place * (self.paper.width - LEFT - self.paper.right)
    }

    fn y(&self, late: f64) -> f64 {
        let bottom = self.paper.height - BOTTOM;
        bottom - height_of(late, self.floor) / self.decades * (bottom - TOP)
    }

    fn draw(mut self, families: &[Family<'_>], month: f64) -> String {
        let Paper { class, width, height, .. } = *self.paper;
        let mut out = format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-label=\"Late requests against the bill; the table below has all points\">\n"
        );
        out.push_str(&self.axes(month));
        for (number, family) in families.iter().enumerate() {
            out.push_str(&self.line(number, family));
        }
        // Ours first: their labels get the best places.
        let mut order: Vec<_> = families.iter().collect();
        order.sort_by_key(|family| !family.is_ours);
        for family in &order {
            out.push_str(&self.name(family));
        }
        for family in &order {
            out.push_str(&self.knobs(family));
        }
        out.push_str("</svg>\n");
        out
    }

    fn axes(&self, month: f64) -> String {
        let mut out = String::new();
        let (right, bottom) = (self.paper.width - self.paper.right, self.paper.height - BOTTOM);
        for (late, says) in [
            (0.0, "0 %"),
            (1e-5, "0.001 %"),
            (1e-4, "0.01 %"),
            (1e-3, "0.1 %"),
            (1e-2, "1 %"),
            (1e-1, "10 %"),
            (1.0, "100 %"),
        ] {
            let is_within_the_band = 0.0 < late && late < 0.99 * self.floor;
            if is_within_the_band || self.decades < height_of(late, self.floor) {
                continue;
            }
            let y = self.y(late);
            let _ = writeln!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/><text class=\"tick\" \
                 text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{says}</text>",
                LEFT - 6.0,
                y + 4.0
            );
        }
        let mut last = f64::NEG_INFINITY;
        for billed in [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0, 50.0] {
            let x = self.x(billed);
            if billed < self.bills.0 || self.bills.1 < billed || x < last + 46.0 {
                continue;
            }
            last = x;
            let bill = dollars((month * billed * 100.0).round() / 100.0);
            let _ = writeln!(
                out,
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/><text class=\"tick\" \
                 text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{billed} ×</text><text \
                 class=\"tick\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{bill}</text>",
                bottom + 17.0,
                bottom + 32.0,
            );
        }
        let _ = writeln!(
            out,
            "<text class=\"axis\" x=\"{LEFT}\" y=\"{:.1}\">times the cheapest fleet's bill; dollars a \
             month →</text><text class=\"axis\" x=\"2\" y=\"11\">late requests ↑</text>",
            bottom + 50.0,
        );
        out
    }

    /// A family's line and its points, which are taken from then on.
    fn line(&mut self, number: usize, family: &Family<'_>) -> String {
        let class = if family.is_ours { "ours".to_owned() } else { format!("f{}", number % 6) };
        let places: Vec<(f64, f64)> = family
            .points
            .iter()
            .map(|point| (self.x(point.billed_vs_oracle), self.y(point.violating_requests_ratio)))
            .collect();
        let mut out = format!("<g class=\"family {class}\">");
        if 1 < places.len() {
            let steps: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
            let _ = write!(out, "<path class=\"line\" d=\"M{}\"/>", steps.join("L"));
        }
        for (point, (x, y)) in family.points.iter().zip(&places) {
            let _ = write!(
                out,
                "<path class=\"point\" d=\"{}\"><title>{} {}: {} late, {:.2} × cheapest</title></path>",
                shape(if family.is_ours { 0 } else { 1 + number % 5 }, *x, *y),
                escaped(family.name),
                knob(point),
                percent(point.violating_requests_ratio),
                point.billed_vs_oracle,
            );
            self.taken.push(Spot { x: x - 5.0, y: y - 5.0, width: 10.0, height: 10.0 });
        }
        out.push_str("</g>\n");
        out
    }

    /// A family's name, at one of its points where there is room; a thin line leads to it.
    fn name(&mut self, family: &Family<'_>) -> String {
        let all: Vec<char> = family.name.chars().collect();
        let longest = if self.paper.width < 500.0 { 20 } else { 34 };
        let text: String = match all.len().checked_sub(longest) {
            None | Some(0) => family.name.to_owned(),
            Some(over) => format!("…{}", all[over + 1..].iter().collect::<String>()),
        };
        let width = text.chars().count() as f64 * LETTER;
        let ends = [family.points.first(), family.points.last()];
        let mut best = None;
        'search: for reach in [9.0, 16.0, 26.0, 40.0, 58.0, 80.0] {
            for point in ends.into_iter().flatten() {
                let x = self.x(point.billed_vs_oracle);
                let y = self.y(point.violating_requests_ratio);
                for (dx, dy) in [
                    (reach, 0.0),
                    (reach * 0.8, -reach),
                    (reach * 0.8, reach),
                    (-reach - width, 0.0),
                    (-reach * 0.8 - width, -reach),
                    (-reach * 0.8 - width, reach),
                    (-width / 2.0, -reach - 4.0),
                    (-width / 2.0, reach + 4.0),
                ] {
                    let spot = Spot { x: x + dx, y: y + dy - LINE / 2.0, width, height: LINE };
                    if self.is_free(&spot) {
                        best = Some((spot, (x, y), reach));
                        break 'search;
                    }
                }
            }
        }
        let Some((spot, (x, y), reach)) = best else {
            return String::new();
        };
        self.taken.push(spot);
        let class = if family.is_ours { " ours" } else { "" };
        let mut out = String::new();
        if 20.0 < reach {
            let near = x.clamp(spot.x, spot.x + spot.width);
            let _ = write!(
                out,
                "<path class=\"lead\" d=\"M{x:.1} {y:.1}L{near:.1} {:.1}\"/>",
                spot.y + spot.height / 2.0
            );
        }
        let _ = writeln!(
            out,
            "<text class=\"name{class}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            spot.x,
            spot.y + LINE - 3.0,
            escaped(&text)
        );
        out
    }

    /// Levels and targets beside their points, where there is room.
    fn knobs(&mut self, family: &Family<'_>) -> String {
        let mut out = String::new();
        for point in &family.points {
            let text = match (point.level, point.target) {
                (Some(level), _) => level.to_string(),
                (None, Some(target)) if self.paper.width > 500.0 => format!("{target:.0}"),
                (None, _) => continue,
            };
            let width = text.chars().count() as f64 * 5.8;
            let (x, y) = (self.x(point.billed_vs_oracle), self.y(point.violating_requests_ratio));
            let sides =
                [(7.0, 0.0), (-7.0 - width, 0.0), (-width / 2.0, 12.0), (-width / 2.0, -12.0)];
            let spots =
                sides.map(|(dx, dy)| Spot { x: x + dx, y: y + dy - 6.0, width, height: 12.0 });
            if let Some(spot) = spots.into_iter().find(|spot| self.is_free(spot)) {
                self.taken.push(spot);
                let _ = writeln!(
                    out,
                    "<text class=\"knob\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
                    spot.x,
                    spot.y + 10.0
                );
            }
        }
        out
    }

    fn is_free(&self, spot: &Spot) -> bool {
        let paper = Spot {
            x: LEFT,
            y: 2.0,
            width: self.paper.width - LEFT - 2.0,
            height: self.paper.height - BOTTOM - 2.0,
        };
        let is_inside = paper.x <= spot.x
            && spot.x + spot.width <= paper.x + paper.width
            && paper.y <= spot.y
            && spot.y + spot.height <= paper.y + paper.height;
        is_inside && !self.taken.iter().any(|taken| spot.meets(taken))
    }
}

/// Where the lowest band ends: below everyone who has more than one point.
fn floor(families: &[Family<'_>]) -> f64 {
    let curves = families.iter().filter(|family| 1 < family.points.len());
    let points = curves.flat_map(|family| &family.points);
    let least = points.map(|point| point.violating_requests_ratio).fold(f64::INFINITY, f64::min);
    let (lowest, highest) = FLOORS;
    if least.is_finite() {
        return 10f64.powf(least.log10().floor()).clamp(lowest, highest);
    }
    lowest
}

/// How high a share lies, in decades above none.
fn height_of(late: f64, floor: f64) -> f64 {
    if late <= floor { BAND * late / floor } else { BAND + (late / floor).log10() }
}

/// One of six shapes around a place.
fn shape(number: usize, x: f64, y: f64) -> String {
    match number {
        0 => format!("M{:.1} {y:.1}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z", x - 5.0),
        1 => format!("M{:.1} {:.1}h8v8h-8Z", x - 4.0, y - 4.0),
        2 => format!("M{x:.1} {:.1}l5 8.5h-10Z", y - 5.0),
        3 => format!("M{x:.1} {:.1}l5 5l-5 5l-5 -5Z", y - 5.0),
        4 => format!("M{x:.1} {:.1}l-5 -8.5h10Z", y + 5.0),
        _ => format!("M{:.1} {:.1}l8 8m0 -8l-8 8", x - 4.0, y - 4.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_and_next_to_none_have_a_place_of_their_own() {
        assert_eq!(height_of(0.0, 1e-5), 0.0);
        assert!((height_of(1e-5, 1e-5) - BAND).abs() < 1e-12);
        assert!((height_of(1e-3, 1e-5) - BAND - 2.0).abs() < 1e-12);
    }

    #[test]
    fn the_lowest_band_ends_below_all_curves() {
        let point = |late: f64| CurvePoint {
            name: String::new(),
            level: None,
            target: Some(70.0),
            violating_requests_ratio: late,
            billed_vs_oracle: 1.0,
            cost_usd: 1.0,
        };
        for (lates, ends) in [
            (&[&[0.03, 0.2][..], &[0.0][..]][..], 1e-2),
            (&[&[0.000_3, 0.2]], 1e-4),
            (&[&[0.0, 0.2]], 1e-5),
            (&[&[0.3, 0.4]], 1e-2),
            (&[&[0.1]], 1e-5),
        ] {
            let points: Vec<Vec<CurvePoint>> =
                lates.iter().map(|lates| lates.iter().copied().map(point).collect()).collect();
            let families: Vec<Family<'_>> = points
                .iter()
                .map(|points| Family { name: "", is_ours: false, points: points.iter().collect() })
                .collect();
            assert!((floor(&families) / ends - 1.0).abs() < 1e-9, "{lates:?}");
        }
    }

    #[test]
    fn labels_that_would_meet_are_apart() {
        let spot = Spot { x: 0.0, y: 0.0, width: 10.0, height: 10.0 };
        assert!(spot.meets(&Spot { x: 9.0, y: 9.0, ..spot }));
        assert!(!spot.meets(&Spot { x: 10.0, y: 0.0, ..spot }));
    }
}
