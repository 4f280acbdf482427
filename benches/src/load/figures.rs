//! What is measured, over several runs, and what it is held against.

use serde::Serialize;
use std::fmt;

/// One measured quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figure {
    /// With its unit: "µs CPU per delivery".
    pub(super) name: &'static str,
    pub(super) budget: Budget,
}

/// The most that a figure may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) enum Budget {
    /// So many times the floor's figure of the same run.
    Ratio(f64),
    /// In the figure's own unit.
    Absolute(f64),
    /// For information.
    None,
}

/// One figure of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) figure: Figure,
    pub(super) value: f64,
}

/// Several runs of one figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

/// How a figure stands to its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Verdict {
    Within,
    Over,
    /// There is no budget, or no floor to take the ratio to.
    Unjudged,
}

impl Spread {
    /// The middle and the ends of `samples`; `None` if there are none.
    pub(super) fn of(samples: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        };
        Some(Self { median, min, max })
    }
}

/// The ratios of two servers' figures, run by run: what disturbs the machine for a while disturbs both.
pub(super) fn ratios(figures: &[f64], floors: &[f64]) -> impl Iterator<Item = f64> {
    let pairs = figures.iter().zip(floors);
    pairs.filter(|(_, floor)| **floor > 0.0).map(|(figure, floor)| figure / floor)
}

/// How many digits behind the point a figure of that size is worth.
pub(super) fn digits(value: f64) -> usize {
    match value.abs() {
        0.0..0.995 => 3,
        0.995..100.0 => 2,
        _ => 0,
    }
}

impl Budget {
    /// Judges the medians.
    pub(super) fn judge(self, figure: Option<Spread>, ratio: Option<Spread>) -> Verdict {
        let (found, most) = match self {
            Self::Ratio(most) => (ratio, most),
            Self::Absolute(most) => (figure, most),
            Self::None => return Verdict::Unjudged,
        };
        match found {
            Some(spread) if spread.median <= most => Verdict::Within,
            Some(_) => Verdict::Over,
            None => Verdict::Unjudged,
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = digits(self.median);
        write!(f, "{:.digits$} ({:.digits$}-{:.digits$})", self.median, self.min, self.max)
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ratio(most) => write!(f, "≤ {most:.2} ×"),
            Self::Absolute(most) => write!(f, "≤ {most}"),
            Self::None => Ok(()),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Within => "within",
            Self::Over => "OVER",
            Self::Unjudged => "",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle_or_between_the_two_middles() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn ratio_is_taken_run_by_run() {
        let ratio = Spread::of(ratios(&[2.0, 6.0, 3.0], &[1.0, 2.0, 3.0])).unwrap();

        assert_eq!(ratio, Spread { median: 2.0, min: 1.0, max: 3.0 });
    }

    #[test]
    fn median_at_the_budget_is_within_and_past_it_over() {
        let spread = |median| Spread::of([median]);

        assert_eq!(Budget::Ratio(1.1).judge(spread(9.0), spread(1.1)), Verdict::Within);
        assert_eq!(Budget::Ratio(1.1).judge(spread(0.0), spread(1.11)), Verdict::Over);
        assert_eq!(Budget::Absolute(4.0).judge(spread(4.1), spread(0.0)), Verdict::Over);
        assert_eq!(Budget::Ratio(1.1).judge(spread(1.0), None), Verdict::Unjudged);
    }
}
