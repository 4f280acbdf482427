//! The servers side by side: of each figure that has a budget, the median, and its ratio to the floor of the same run.

use super::figures::{Budget, Spread, Verdict, digits};
use super::record::{FigureRecord, Record, ServerRecord, spread};
use super::table::Table;
use std::fmt;

/// A row for each figure, a column for each server.
#[derive(Debug)]
pub(super) struct Comparison<'a> {
    pub(super) servers: &'a [String],
    pub(super) rows: Vec<Row<'a>>,
}

/// What all have made of one figure.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) scenario: &'a str,
    figure: &'a FigureRecord,
}

/// What one server has made of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    median: f64,
    /// To the floor, if that has played as well.
    ratio: Option<f64>,
    pub(super) verdict: Verdict,
}

impl<'a> Comparison<'a> {
    /// What there is to compare of a load run.
    pub(super) fn of(record: &'a Record) -> Self {
        let rows = record.scenarios.iter().flat_map(|scenario| {
            let judged = scenario.figures.iter().filter(|figure| figure.budget != Budget::None);
            judged.map(|figure| Row { scenario: &scenario.title, figure })
        });
        Self { servers: &record.servers, rows: rows.collect() }
    }

    /// Whether there is nothing to be seen.
    pub(super) fn is_empty(&self) -> bool {
        self.servers.is_empty() || self.rows.is_empty()
    }
}

impl Row<'_> {
    pub(super) fn figure(&self) -> &str {
        &self.figure.name
    }

    pub(super) fn budget(&self) -> Budget {
        self.figure.budget
    }

    /// The floor's median, as text.
    pub(super) fn floor(&self) -> String {
        median(&self.figure.floor).map_or_else(String::new, number)
    }

    /// What this server has made of it; `None` if it has not played.
    pub(super) fn cell(&self, server: &str) -> Option<Cell> {
        self.figure.servers.iter().find(|record| record.name == server).and_then(Cell::of)
    }
}

impl Cell {
    fn of(record: &ServerRecord) -> Option<Self> {
        let ratio = median(&record.ratios);
        Some(Self { median: median(&record.samples)?, ratio, verdict: record.verdict })
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&number(self.median))?;
        self.ratio.map_or(Ok(()), |ratio| write!(f, " ({ratio:.2} ×)"))
    }
}

impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::default();
        let head = ["scenario", "median", "floor"].into_iter().map(str::to_owned);
        table.push(head.chain(self.servers.iter().cloned()).collect::<Vec<_>>());
        for row in &self.rows {
            let cell = |server: &String| row.cell(server).map_or_else(String::new, |cell| cell.to_string());
            let start = [row.scenario.to_owned(), row.figure().to_owned(), row.floor()];
            table.push(start.into_iter().chain(self.servers.iter().map(cell)).collect::<Vec<_>>());
        }
        table.fmt(f)
    }
}

fn median(samples: &[f64]) -> Option<f64> {
    spread(samples).map(|Spread { median, .. }| median)
}

fn number(value: f64) -> String {
    format!("{value:.digits$}", digits = digits(value))
}

#[cfg(test)]
mod tests {
    use super::super::figures::{Figure, Reading};
    use super::super::record::{Circumstances, Judging};
    use super::super::report::{Contender, Report, Subject};
    use super::*;

    const CPU: Figure = Figure { name: "µs CPU per echo", budget: Budget::Ratio(1.15) };
    const RATE: Figure = Figure { name: "1000 echoes per s", budget: Budget::None };

    fn record(servers: &[&str], enter: impl FnOnce(&mut Report)) -> Record {
        let mut report =
            Report::new(servers.iter().map(|name| Contender::judged(name)).collect(), Judging::Budgets);
        enter(&mut report);
        report.record(Circumstances::for_tests())
    }

    fn enter(report: &mut Report, subject: Subject, figure: Figure, value: f64) {
        report.enter("echo 1000", subject, vec![Reading { figure, value }]);
    }

    #[test]
    fn servers_stand_side_by_side_with_their_ratios_to_the_floor_of_the_same_run() {
        let record = record(&["tokio", "mio"], |report| {
            for (tokio, mio, floor) in [(6.0, 4.0, 3.0), (8.0, 6.0, 4.0), (3.0, 3.0, 2.0)] {
                enter(report, Subject::Server(0), CPU, tokio);
                enter(report, Subject::Server(1), CPU, mio);
                enter(report, Subject::Floor, CPU, floor);
                enter(report, Subject::Floor, RATE, floor);
            }
        });

        assert_eq!(
            Comparison::of(&record).to_string(),
            "scenario   median           floor  tokio          mio\n\
             ---------  ---------------  -----  -------------  -------------\n\
             echo 1000  µs CPU per echo  3.00   6.00 (2.00 ×)  4.00 (1.50 ×)\n"
        );
    }

    #[test]
    fn who_has_not_played_leaves_its_cell_empty_and_what_has_no_floor_has_no_ratio() {
        let record = record(&["tokio", "mio"], |report| enter(report, Subject::Server(1), CPU, 4.0));
        let comparison = Comparison::of(&record);

        let row = &comparison.rows[0];
        assert_eq!(row.cell("tokio"), None);
        assert_eq!(row.cell("mio").map(|cell| cell.to_string()).as_deref(), Some("4.00"));
        assert_eq!(row.floor(), "");
    }

    #[test]
    fn floor_alone_is_compared_with_nothing() {
        let record = record(&[], |report| enter(report, Subject::Floor, CPU, 4.0));

        assert!(Comparison::of(&record).is_empty());
    }
}
