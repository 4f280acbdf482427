//! A whole load run as plain values: what is kept of it, as JSON and as a page.

use super::disturbance::Disturbance;
use super::figures::{Budget, Spread, Verdict};
use super::machine::Machine;
use super::servers::Standing;
use serde::Serialize;

/// All figures of a load run, and under which circumstances they were taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Record {
    pub(super) circumstances: Circumstances,
    /// All under test, in their order.
    pub(super) servers: Vec<String>,
    /// Those that would be, if the system did not refuse them what they are made for.
    pub(super) skipped: Vec<String>,
    pub(super) scenarios: Vec<ScenarioRecord>,
    /// Runs that came to nothing, a line each.
    pub(super) failures: Vec<String>,
}

/// When and where.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Circumstances {
    /// When it began: `2026-11-20T13:52:41Z`.
    pub(super) date: String,
    /// How long it took.
    pub(super) seconds: u64,
    /// The state of the sources, if known.
    pub(super) revision: Option<String>,
    pub(super) machine: Machine,
    /// Threads that each runtime runs tasks on.
    pub(super) workers: usize,
    /// The part of the machine's CPU that others used meanwhile.
    pub(super) disturbance: Disturbance,
    /// How often each scenario was run on each server.
    pub(super) runs: usize,
    pub(super) judging: Judging,
}

/// Whether figures are held against their budgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Judging {
    Budgets,
    /// The loads are too small for that.
    CorrectnessOnly,
}

/// The figures of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ScenarioRecord {
    pub(super) title: String,
    pub(super) figures: Vec<FigureRecord>,
}

/// One figure of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct FigureRecord {
    /// With its unit.
    pub(super) name: String,
    pub(super) budget: Budget,
    /// Run by run; empty if there is no floor for it.
    pub(super) floor: Vec<f64>,
    pub(super) servers: Vec<ServerRecord>,
}

/// One figure of one server under test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ServerRecord {
    pub(super) name: String,
    pub(super) standing: Standing,
    /// Run by run.
    pub(super) samples: Vec<f64>,
    /// To the floor, run by run.
    pub(super) ratios: Vec<f64>,
    pub(super) verdict: Verdict,
}

impl Record {
    /// How many verdicts there are of a kind.
    pub(super) fn count(&self, verdict: Verdict) -> usize {
        let figures = self.scenarios.iter().flat_map(|scenario| &scenario.figures);
        figures.flat_map(|figure| &figure.servers).filter(|server| server.verdict == verdict).count()
    }
}

#[cfg(test)]
impl Circumstances {
    /// Those of no run.
    pub(super) fn for_tests() -> Self {
        Self {
            date: "2026-11-20T13:52:41Z".to_owned(),
            seconds: 754,
            revision: Some("a1b2c3d".to_owned()),
            machine: Machine {
                cpu: "Abacus <2 GHz>".to_owned(),
                cores: 2,
                memory: 24 << 30,
                kernel: "Linux 6.18".to_owned(),
            },
            workers: 2,
            disturbance: Disturbance(0.04),
            runs: 3,
            judging: Judging::Budgets,
        }
    }
}

impl ServerRecord {
    /// What the budget is about, run by run, as parts of it: 1 is all of it. `None` if this server has no budget to keep.
    pub(super) fn parts_of(&self, budget: Budget) -> Option<Vec<f64>> {
        if self.standing == Standing::Compared {
            return None;
        }
        let (found, most) = match budget {
            Budget::Ratio(most) => (&self.ratios, most),
            Budget::Absolute(most) => (&self.samples, most),
            Budget::None => return None,
        };
        (!found.is_empty()).then(|| found.iter().map(|value| value / most).collect())
    }
}

/// The middle and the ends of what was measured.
pub(super) fn spread(samples: &[f64]) -> Option<Spread> {
    Spread::of(samples.iter().copied())
}
