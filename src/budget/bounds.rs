//! The bounds of a rule, in the unit of its metric.

use serde::Serialize;

use super::file::{Bound, Rule};
use super::unit::{Unit, percentage};
use crate::analysis::six_digits;
use crate::options::decimal;

/// From which side a bound bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BoundIs {
    /// From above.
    AtMost,
    /// From below.
    AtLeast,
}

impl BoundIs {
    /// As people say it.
    pub fn words(self) -> &'static str {
        match self {
            Self::AtMost => "at most",
            Self::AtLeast => "at least",
        }
    }

    /// How far a value is beyond a bound; below 0 where it keeps it.
    pub(super) fn passed_by(self, value: f64, bound: f64) -> f64 {
        match self {
            Self::AtMost => value - bound,
            Self::AtLeast => bound - value,
        }
    }
}

/// The bounds of a rule in the unit of its metric.
pub(super) struct Bounds {
    pub(super) unit: Unit,
    max: Option<f64>,
    min: Option<f64>,
    increase: Option<Growth>,
    decrease: Option<Growth>,
}

/// A bound relative to a baseline.
#[derive(Clone, Copy)]
struct Growth {
    /// In parts of the baseline.
    relative: Option<f64>,
    absolute: Option<f64>,
}

impl Growth {
    /// The largest change that passes. From 0 there is no growth in per cent: then only an amount passes.
    fn allowed(self, baseline: f64) -> f64 {
        let relative = self.relative.map(|part| part * baseline.abs()).unwrap_or(0.0);
        relative.max(self.absolute.unwrap_or(0.0))
    }

    fn text(self, unit: Unit) -> String {
        let relative = self.relative.map(|part| format!("{} %", decimal(six_digits(part * 100.0).unwrap_or_default())));
        let absolute = self.absolute.map(|amount| unit.show(amount));
        relative.into_iter().chain(absolute).collect::<Vec<_>>().join(" or ")
    }
}

impl Bounds {
    pub(super) fn of(rule: &Rule, path: String) -> Result<Self, String> {
        let unit = Unit::of(&path);
        let absolute = |name: &str, bound: &Option<Bound>| {
            let Some(bound) = bound else { return Ok(None) };
            let parsed = match bound {
                Bound::Number(number) => unit.of_plain(*number),
                Bound::Text(text) => unit.parse(text),
            };
            let given = format!("`{name} = {}`", bound.written());
            let wanted = || format!("{}: {given} is not what `{}` is counted in: wanted {}", rule.title(), rule.metric, unit.wanted());
            parsed.map(Some).ok_or_else(wanted)
        };
        let below_0 = |name: &str| format!("{}: `{name}` is below 0; wanted a change that may be: `max` bounds from above", rule.title());
        let abs_alone = || {
            let title = rule.title();
            format!(
                "{title}: `max_increase_abs` goes with a `max_increase` in per cent, such as \"5%\"; an amount alone is a `max_increase`"
            )
        };
        let growth = |name: &str, bound: &Option<Bound>, amount: Option<f64>| {
            let relative = bound.as_ref().and_then(|bound| percentage(&bound.text()));
            if bound.is_some() && relative.is_none() && amount.is_some() {
                return Err(abs_alone());
            }
            let absolute = if relative.is_some() { amount } else { absolute(name, bound)? };
            if [relative, absolute].into_iter().flatten().any(|bound| bound < 0.0) {
                return Err(below_0(name));
            }
            Ok((relative.is_some() || absolute.is_some()).then_some(Growth { relative, absolute }))
        };
        let amount = absolute("max_increase_abs", &rule.max_increase_abs)?;
        if amount.is_some_and(|amount| amount < 0.0) {
            return Err(below_0("max_increase_abs"));
        }
        if amount.is_some() && rule.max_increase.is_none() {
            return Err(abs_alone());
        }
        let increase = growth("max_increase", &rule.max_increase, amount)?;
        let decrease = growth("max_decrease", &rule.max_decrease, None)?;
        let bounds = Self { unit, max: absolute("max", &rule.max)?, min: absolute("min", &rule.min)?, increase, decrease };
        if let (Some(min), Some(max)) = (&rule.min, &rule.max)
            && bounds.min > bounds.max
        {
            let (title, min, max) = (rule.title(), min.written(), max.written());
            return Err(format!("{title}: `min = {min}` is above `max = {max}`: no value keeps both"));
        }
        match bounds.max.is_none() && bounds.min.is_none() && !bounds.is_relative() {
            true => Err(format!("{}: no bound; wanted `max`, `min`, `max_increase` or `max_decrease`", rule.title())),
            false => Ok(bounds),
        }
    }

    pub(super) fn is_relative(&self) -> bool {
        self.increase.is_some() || self.decrease.is_some()
    }

    /// All of them, as they bound a value, where there is one; relative ones where the baseline is known.
    pub(super) fn all(&self, value: Option<f64>, baseline: Option<f64>) -> Vec<Wanted> {
        let unit = self.unit;
        let plain = |is: BoundIs, bound: f64| {
            let shown = value.map_or_else(|| unit.show(bound), |value| unit.show_beside(bound, value));
            Wanted { is, value: bound, wanted: format!("{} {shown}", is.words()) }
        };
        let relative = |is: BoundIs, base: f64, bound: f64, word: &str, growth: Growth| {
            let wanted = format!("at most {} {word} than the baseline's {}", growth.text(unit), unit.show(base));
            Wanted { is, value: bound, wanted }
        };
        let (increase, decrease) = (self.increase.zip(baseline), self.decrease.zip(baseline));
        let bounds = [
            self.max.map(|max| plain(BoundIs::AtMost, max)),
            self.min.map(|min| plain(BoundIs::AtLeast, min)),
            increase.map(|(growth, base)| relative(BoundIs::AtMost, base, base + growth.allowed(base), "more", growth)),
            decrease.map(|(growth, base)| relative(BoundIs::AtLeast, base, base - growth.allowed(base), "less", growth)),
        ];
        bounds.into_iter().flatten().collect()
    }
}

/// A bound, and what it wants.
pub(super) struct Wanted {
    pub(super) is: BoundIs,
    pub(super) value: f64,
    pub(super) wanted: String,
}

impl Wanted {
    /// What is said where it is kept.
    pub(super) fn kept(&self, unit: Unit) -> String {
        format!("{} {}", self.is.words(), unit.show(self.value))
    }
}
