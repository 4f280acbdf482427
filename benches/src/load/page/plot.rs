//! Strips of dots over one axis, as inline SVG.
//!
//! Places are percentages of the width, and text keeps its size: a plot fits a phone and a desktop without a script.

use super::{Number, Text, grouped};
use crate::load::figures::{Spread, Verdict};
use crate::load::record::spread;
use std::fmt;

/// Lanes that share a scale.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) scale: Scale,
    pub(super) lines: Vec<Line>,
    pub(super) lanes: Vec<Lane>,
}

/// One strip: a dot per value.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) who: String,
    /// Its colour.
    pub(super) class: &'static str,
    /// What stands at its end, and how that stands to a budget.
    pub(super) text: String,
    pub(super) verdict: Verdict,
    pub(super) values: Vec<f64>,
}

/// A line across all lanes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Line {
    /// What is left of it is allowed.
    Budget(f64),
    /// Where a server is as fast as the floor.
    Unity(f64),
}

/// From values to places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    from: f64,
    step: f64,
    steps: u32,
}

/// How many ticks there are at most, the ends included.
const TICKS: f64 = 6.0;
/// In pixels.
const HEIGHT: f64 = 34.0;

impl Scale {
    /// All of these values, and some room beside them.
    pub(super) fn around(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = ends(values);
        let room = ((high - low) * 0.03).max(high.abs() * 0.01);
        Self::between(low - room, high + room)
    }

    /// From nothing to a little past the largest.
    pub(super) fn from_zero(values: impl Iterator<Item = f64>) -> Self {
        Self::between(0.0, ends(values).1 * 1.03)
    }

    fn between(low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        let rough = (high - low) / (TICKS - 1.0);
        let magnitude = 10.0_f64.powf(rough.log10().floor());
        let round = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * magnitude);
        let fits = |step: &f64| (high / step).ceil() - (low / step).floor() < TICKS;
        let step = round.into_iter().find(fits).unwrap_or(20.0 * magnitude);
        let from = (low / step).floor();
        Self { from: from * step, step, steps: ((high / step).ceil() - from).max(1.0) as u32 }
    }

    /// Where a value lies, in percent of the width.
    pub(super) fn place(self, value: f64) -> f64 {
        (value - self.from) / (self.step * f64::from(self.steps)) * 100.0
    }

    fn ticks(self) -> impl Iterator<Item = f64> {
        (0..=self.steps).map(move |tick| self.from + self.step * f64::from(tick))
    }

    /// Digits behind the point that tell two ticks apart.
    fn digits(self) -> usize {
        let exact = |digits: &i32| (self.step * 10.0_f64.powi(*digits)).fract().min(0.999) < 1e-6;
        (0..6).find(exact).unwrap_or(6) as usize
    }
}

impl Line {
    pub(super) fn value(self) -> f64 {
        match self {
            Self::Budget(value) | Self::Unity(value) => value,
        }
    }
}

impl Lane {
    /// A lane that ends in its median.
    pub(super) fn of(who: &str, class: &'static str, values: &[f64]) -> Self {
        let text =
            spread(values).map_or_else(|| "none".to_owned(), |spread| Number(spread.median).to_string());
        Self { who: who.to_owned(), class, text, values: values.to_vec(), verdict: Verdict::Unjudged }
    }
}

impl fmt::Display for Plot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<div class=\"plot\">\n")?;
        for lane in &self.lanes {
            write!(f, "<div class=\"lane\"><span class=\"who {}\">{}</span>", lane.class, Text(&lane.who))?;
            self.strip(f, lane)?;
            let value = if lane.verdict == Verdict::Over { "value over" } else { "value" };
            writeln!(f, "<span class=\"{value}\">{}</span></div>", Text(&lane.text))?;
        }
        f.write_str(
            "<div class=\"lane axis\"><span class=\"who\"></span><svg height=\"18\" aria-hidden=\"true\">",
        )?;
        let digits = self.scale.digits();
        for tick in self.scale.ticks() {
            let place = self.scale.place(tick);
            let anchor = match place {
                ..1.0 => "start",
                99.0.. => "end",
                _ => "middle",
            };
            let label = grouped(tick, digits);
            write!(f, "<text x=\"{place:.2}%\" y=\"13\" text-anchor=\"{anchor}\">{label}</text>")?;
        }
        f.write_str("</svg><span class=\"value\"></span></div>\n</div>\n")
    }
}

impl Plot {
    fn strip(&self, f: &mut fmt::Formatter<'_>, lane: &Lane) -> fmt::Result {
        let told: Vec<String> = lane.values.iter().map(|&value| Number(value).to_string()).collect();
        let told = if told.is_empty() { "none measured".to_owned() } else { told.join(", ") };
        write!(
            f,
            "<svg class=\"strip\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{}: {told}\">",
            Text(&lane.who)
        )?;
        for line in &self.lines {
            if let Line::Budget(value) = line {
                let place = self.scale.place(*value);
                write!(f, "<rect class=\"allowed\" width=\"{place:.2}%\" height=\"100%\"/>")?;
            }
        }
        for tick in self.scale.ticks() {
            vertical(f, "tick", self.scale.place(tick), (0.0, HEIGHT))?;
        }
        for line in &self.lines {
            let class = match line {
                Line::Budget(_) => "budget",
                Line::Unity(_) => "unity",
            };
            vertical(f, class, self.scale.place(line.value()), (0.0, HEIGHT))?;
        }
        if let Some(spread) = spread(&lane.values) {
            let (low, high) = (self.scale.place(spread.min), self.scale.place(spread.max));
            let middle = HEIGHT / 2.0;
            write!(
                f,
                "<line class=\"range {}\" x1=\"{low:.2}%\" x2=\"{high:.2}%\" y1=\"{middle}\" y2=\"{middle}\"/>",
                lane.class
            )?;
        }
        for (run, &value) in lane.values.iter().enumerate() {
            let place = self.scale.place(value);
            let height = height(run, lane.values.len());
            write!(
                f,
                "<circle class=\"dot {}\" cx=\"{place:.2}%\" cy=\"{height:.1}\" r=\"4\"><title>run {}: {}</title></circle>",
                lane.class,
                run + 1,
                Number(value)
            )?;
        }
        if let Some(spread) = spread(&lane.values) {
            let place = self.scale.place(spread.median);
            vertical(f, &format!("median {}", lane.class), place, (5.0, HEIGHT - 5.0))?;
        }
        f.write_str("</svg>")
    }
}

fn vertical(f: &mut fmt::Formatter<'_>, class: &str, place: f64, (top, bottom): (f64, f64)) -> fmt::Result {
    write!(f, "<line class=\"{class}\" x1=\"{place:.2}%\" x2=\"{place:.2}%\" y1=\"{top}\" y2=\"{bottom}\"/>")
}

/// Runs lie below one another, so that equal ones are all seen.
fn height(run: usize, runs: usize) -> f64 {
    /// In pixels, at the top and at the bottom.
    const MARGIN: f64 = 9.0;

    let part = if runs > 1 { run as f64 / (runs - 1) as f64 } else { 0.5 };
    MARGIN + (HEIGHT - 2.0 * MARGIN) * part
}

/// The lowest and the highest.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    Spread::of(values).map_or((0.0, 1.0), |spread| (spread.min, spread.max))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale) -> Vec<f64> {
        scale.ticks().collect()
    }

    #[test]
    fn ticks_are_round_and_enclose_all_values() {
        assert_eq!(labels(Scale::from_zero([4.0, 5.4].into_iter())), [0.0, 2.0, 4.0, 6.0]);
        assert_eq!(labels(Scale::from_zero([1850.0].into_iter())), [0.0, 500.0, 1000.0, 1500.0, 2000.0]);
        for high in [0.05, 0.31, 1.0, 7.7, 96.0, 1e6] {
            let scale = Scale::around([0.7 * high, high].into_iter());
            let ticks = labels(scale);
            assert!(ticks[0] < 0.7 * high && ticks[ticks.len() - 1] > high, "{high}: {ticks:?}");
            assert!((2..=6).contains(&ticks.len()), "{high}: {ticks:?}");
        }
    }

    #[test]
    fn one_value_alone_has_a_scale_too() {
        for value in [0.0, 1.0, 250.0] {
            let scale = Scale::around([value].into_iter());
            assert!((0.0..=100.0).contains(&scale.place(value)), "{value}: {scale:?}");
        }
    }

    #[test]
    fn ends_of_the_scale_are_the_ends_of_the_width() {
        let scale = Scale::from_zero([5.4].into_iter());

        assert_eq!((scale.place(0.0), scale.place(6.0)), (0.0, 100.0));
    }

    #[test]
    fn ticks_are_written_with_as_many_digits_as_tell_them_apart() {
        assert_eq!(Scale::between(0.9, 1.3).digits(), 1);
        assert_eq!(Scale::between(0.0, 10_000.0).digits(), 0);
        assert_eq!(Scale::between(0.0, 0.1).digits(), 2);
    }
}
