//! `budget`: what the pool may cost.

use super::super::fields::{self, Fields, Notes, Value, refuse};
use super::super::settings::Budget;
use crate::domain::{Dollars, Percent};

/// Warned from here on, in per cent of a budget: a fifth leaves time to raise it.
const SOFT: f64 = 80.0;

pub(super) fn budget(value: Value<'_>, notes: &mut Notes) -> Option<Budget> {
    let at = value.node.at;
    let mut fields = Fields::of(value, notes)?;
    let hourly = fields.optional("hourly", notes, dollars);
    let monthly = fields.optional("monthly", notes, dollars);
    let soft = Percent::new(SOFT).expect("our own default is a percentage");
    let soft = fields.or("soft_percent", soft, notes, up_to_a_hundred);
    fields.finish(notes);
    let (hourly, monthly) = (hourly?, monthly?);
    if hourly.is_none() && monthly.is_none() {
        let what = "`budget` has neither `hourly` nor `monthly`, so it caps nothing";
        return refuse(notes, at, what, "add one, such as `monthly: 600`");
    }
    Some(Budget { hourly, monthly, soft: soft? })
}

/// An amount above zero, in dollars.
fn dollars(value: Value<'_>, notes: &mut Notes) -> Option<Dollars> {
    let number = fields::number(value, notes)?;
    match Dollars::new(number) {
        Some(amount) if Dollars::default() < amount => Some(amount),
        _ => {
            let what = format!("`{}` is {number}, which is no amount to spend", value.name);
            refuse(notes, value.node.at, what, "write dollars above zero, such as 1.50")
        }
    }
}

fn up_to_a_hundred(value: Value<'_>, notes: &mut Notes) -> Option<Percent> {
    let percent = fields::percent_above_zero(value, notes)?;
    if percent.get() <= 100.0 {
        return Some(percent);
    }
    let what = format!("`{}` is {}, beyond the budget itself", value.name, percent.get());
    refuse(notes, value.node.at, what, "write a percentage of at most 100, such as 80")
}
