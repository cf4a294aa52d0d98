//! Reg: reactive upwards, a regression downwards.
//!
//! Source: Iqbal et al. 2011, in the form of Ali-Eldin's simulators.
//! Defaults: once a minute; short: 1.05 times the load; else no more than 1.2 times what a
//! second-order polynomial through the last 60 needs says of now.

use std::collections::VecDeque;

use super::super::contender::{Contender, View};
use super::super::node_model::whole_nodes;
use crate::domain::NodeCount;

const SAMPLES: usize = 60;

#[derive(Default)]
pub(super) struct Reg {
    needs: VecDeque<f64>,
}

impl Contender for Reg {
    fn period(&self) -> u64 {
        60
    }

    fn want(&mut self, view: &View<'_>) -> NodeCount {
        let (needed, current) = (whole_nodes(view.needed()), view.committed());
        self.needs.push_back(f64::from(needed));
        if SAMPLES < self.needs.len() {
            self.needs.pop_front();
        }
        if needed < current {
            let fitted = parabola_at_end(&self.needs).map_or(0, whole_nodes);
            let wanted = (f64::from(fitted) * 1.2).ceil() as u32;
            return NodeCount(if wanted == 0 { current } else { wanted.min(current) });
        }
        if f64::from(current) < view.needed() {
            return NodeCount((view.needed() * 1.05).ceil() as u32);
        }
        NodeCount(current)
    }
}

/// The value at the last point of the parabola with the least squared distance to `values`; none
/// for fewer than three.
fn parabola_at_end(values: &VecDeque<f64>) -> Option<f64> {
    let count = values.len() as f64;
    if count < 3.0 {
        return None;
    }
    // About their middle, points at whole distances make x and x² apart from each other.
    let middle = (count - 1.0) / 2.0;
    let (mut s2, mut s4, mut y0, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (place, value) in values.iter().enumerate() {
        let x = place as f64 - middle;
        (s2, s4) = (s2 + x * x, s4 + x.powi(4));
        (y0, y1, y2) = (y0 + value, y1 + x * value, y2 + x * x * value);
    }
    let curve = (count * y2 - s2 * y0) / (count * s4 - s2 * s2);
    let level = (y0 - curve * s2) / count;
    Some(level + y1 / s2 * middle + curve * middle * middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parabola_is_found_again() {
        let values: VecDeque<f64> = (0..60).map(|x| 3.0 + 0.5 * f64::from(x * x)).collect();
        let end = parabola_at_end(&values).expect("enough points");
        assert!((end - (3.0 + 0.5 * 59.0 * 59.0)).abs() < 1e-6, "{end}");
        assert_eq!(parabola_at_end(&VecDeque::from([1.0, 2.0])), None);
        let flat = parabola_at_end(&VecDeque::from([5.0; 7])).expect("enough points");
        assert!((flat - 5.0).abs() < 1e-9, "{flat}");
    }
}
