//! What all runs together say.

use super::figures::{Figure, Reading, Spread, Verdict, ratios};
use super::record::{Circumstances, FigureRecord, Judging, Record, ScenarioRecord, ServerRecord, spread};
use super::servers::Standing;
use super::table::Table;
use std::fmt;

/// The figures of all scenarios and servers, and what failed.
#[derive(Debug)]
pub(super) struct Report {
    /// Servers under test; the floor is none of them.
    servers: Vec<Contender>,
    /// Those that would be, if the system did not refuse them.
    skipped: Vec<String>,
    rows: Vec<Row>,
    failures: Vec<String>,
    judging: Judging,
}

/// A server under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contender {
    pub(super) name: String,
    pub(super) standing: Standing,
}

/// One figure of one scenario: a sample per run and server.
#[derive(Debug)]
struct Row {
    scenario: String,
    figure: Figure,
    floor: Vec<f64>,
    samples: Vec<Vec<f64>>,
}

/// Whose figures these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Floor,
    /// The server under test with this number.
    Server(usize),
}

impl Report {
    pub(super) fn new(servers: Vec<Contender>, judging: Judging) -> Self {
        Self { servers, skipped: Vec::new(), rows: Vec::new(), failures: Vec::new(), judging }
    }

    /// Takes in a server that the system refuses what it is made for.
    pub(super) fn skip(&mut self, server: String) {
        self.skipped.push(server);
    }

    /// Takes in one server's run of one scenario.
    pub(super) fn enter(&mut self, scenario: &str, subject: Subject, readings: Vec<Reading>) {
        for Reading { figure, value } in readings {
            let row = self.row(scenario, figure);
            match subject {
                Subject::Floor => row.floor.push(value),
                Subject::Server(number) => row.samples[number].push(value),
            }
        }
    }

    /// Takes in a run that came to nothing.
    pub(super) fn fail(&mut self, failure: String) {
        self.failures.push(failure);
    }

    /// Whether nothing failed and nothing is over its budget.
    pub(super) fn is_good(&self) -> bool {
        let over =
            |row: &Row| (0..self.servers.len()).any(|server| self.verdict(row, server) == Verdict::Over);
        self.failures.is_empty() && !self.rows.iter().any(over)
    }

    /// All of it as plain values.
    pub(super) fn record(&self, circumstances: Circumstances) -> Record {
        let mut scenarios: Vec<ScenarioRecord> = Vec::new();
        for row in &self.rows {
            let figure = self.figure_record(row);
            match scenarios.iter_mut().find(|known| known.title == row.scenario) {
                Some(known) => known.figures.push(figure),
                None => {
                    scenarios.push(ScenarioRecord { title: row.scenario.clone(), figures: vec![figure] });
                }
            }
        }
        let servers = self.servers.iter().map(|server| server.name.clone()).collect();
        let (skipped, failures) = (self.skipped.clone(), self.failures.clone());
        Record { circumstances, servers, skipped, scenarios, failures }
    }

    fn figure_record(&self, row: &Row) -> FigureRecord {
        let server = |(number, server): (usize, &Contender)| ServerRecord {
            name: server.name.clone(),
            standing: server.standing,
            samples: row.samples[number].clone(),
            ratios: ratios(&row.samples[number], &row.floor).collect(),
            verdict: self.verdict(row, number),
        };
        FigureRecord {
            name: row.figure.name.to_owned(),
            budget: row.figure.budget,
            floor: row.floor.clone(),
            servers: self
                .servers
                .iter()
                .enumerate()
                .filter(|(number, _)| row.was_played_by(*number))
                .map(server)
                .collect(),
        }
    }

    fn row(&mut self, scenario: &str, figure: Figure) -> &mut Row {
        let known =
            self.rows.iter().position(|row| row.scenario == scenario && row.figure.name == figure.name);
        let number = known.unwrap_or_else(|| {
            let samples = vec![Vec::new(); self.servers.len()];
            self.rows.push(Row { scenario: scenario.to_owned(), figure, floor: Vec::new(), samples });
            self.rows.len() - 1
        });
        &mut self.rows[number]
    }

    fn verdict(&self, row: &Row, server: usize) -> Verdict {
        match (self.judging, self.servers[server].standing) {
            (Judging::Budgets, Standing::Judged) => {
                row.figure.budget.judge(spread(&row.samples[server]), row.ratio(server))
            }
            (Judging::CorrectnessOnly, _) | (_, Standing::Compared) => Verdict::Unjudged,
        }
    }
}

impl Row {
    /// Not each server plays each scenario: TLS is not for all. Where nobody came to an end, all are shown.
    fn was_played_by(&self, server: usize) -> bool {
        !self.samples[server].is_empty() || self.samples.iter().all(Vec::is_empty)
    }

    fn ratio(&self, server: usize) -> Option<Spread> {
        Spread::of(ratios(&self.samples[server], &self.floor))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = if self.servers.is_empty() { self.floor_table() } else { self.comparison() };
        write!(f, "{table}")?;
        for failure in &self.failures {
            writeln!(f, "FAILED {failure}")?;
        }
        Ok(())
    }
}

impl Report {
    fn floor_table(&self) -> Table {
        let mut table = Table::default();
        table.push(["scenario", "figure", "floor"].map(str::to_owned));
        for row in &self.rows {
            table.push([row.scenario.clone(), row.figure.name.to_owned(), text(spread(&row.floor))]);
        }
        table
    }

    fn comparison(&self) -> Table {
        let mut table = Table::default();
        table.push(
            ["scenario", "figure", "floor", "server", "its figure", "ratio", "budget", ""].map(str::to_owned),
        );
        for row in &self.rows {
            for (number, server) in
                self.servers.iter().enumerate().filter(|(number, _)| row.was_played_by(*number))
            {
                table.push([
                    row.scenario.clone(),
                    row.figure.name.to_owned(),
                    text(spread(&row.floor)),
                    server.name.clone(),
                    text(spread(&row.samples[number])),
                    text(row.ratio(number)),
                    row.figure.budget.to_string(),
                    self.verdict(row, number).to_string(),
                ]);
            }
        }
        table
    }
}

fn text(spread: Option<Spread>) -> String {
    spread.map_or_else(String::new, |spread| spread.to_string())
}

#[cfg(test)]
impl Contender {
    /// One that has budgets to keep.
    pub(super) fn judged(name: &str) -> Self {
        Self { name: name.to_owned(), standing: Standing::Judged }
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::Budget;
    use super::*;

    fn report(judging: Judging, value: f64) -> Report {
        let mut report = Report::new(vec![Contender::judged("bennu")], judging);
        let figure = Figure { name: "µs CPU per delivery", budget: Budget::Ratio(1.1) };
        report.enter("fanout", Subject::Floor, vec![Reading { figure, value: 5.0 }]);
        report.enter("fanout", Subject::Server(0), vec![Reading { figure, value }]);
        report
    }

    #[test]
    fn ratio_over_the_budget_is_no_good() {
        assert!(report(Judging::Budgets, 5.4).is_good());
        assert!(!report(Judging::Budgets, 5.6).is_good());
    }

    #[test]
    fn quick_run_judges_no_time() {
        assert!(report(Judging::CorrectnessOnly, 50.0).is_good());
    }

    #[test]
    fn who_is_there_to_be_compared_keeps_no_budget() {
        let smol = Contender { name: "smol".to_owned(), standing: Standing::Compared };
        let mut report = Report::new(vec![Contender::judged("tokio"), smol], Judging::Budgets);
        let figure = Figure { name: "ms echo p99", budget: Budget::Absolute(4.0) };
        report.enter("latency", Subject::Server(0), vec![Reading { figure, value: 3.0 }]);
        report.enter("latency", Subject::Server(1), vec![Reading { figure, value: 9.0 }]);

        assert!(report.is_good());
        report.enter("latency", Subject::Server(0), vec![Reading { figure, value: 6.0 }]);
        assert!(!report.is_good());
    }

    #[test]
    fn who_has_not_played_a_scenario_stands_in_no_row_of_it() {
        let mut report = Report::new(["bennu", "mio"].map(Contender::judged).into(), Judging::Budgets);
        let figure = Figure { name: "B resident, idle", budget: Budget::None };
        report.enter("memory", Subject::Server(0), vec![Reading { figure, value: 900.0 }]);
        report.enter("memory", Subject::Server(1), vec![Reading { figure, value: 700.0 }]);
        report.enter("tls", Subject::Server(0), vec![Reading { figure, value: 9000.0 }]);

        let text = report.to_string();
        let servers = |scenario: &str| text.lines().filter(|line| line.starts_with(scenario)).count();
        assert_eq!((servers("memory"), servers("tls")), (2, 1), "{text}");
    }

    #[test]
    fn failure_is_no_good_and_is_named() {
        let mut report = report(Judging::CorrectnessOnly, 5.0);
        report.fail("fanout: client 3: closed by the server".to_owned());

        assert!(!report.is_good());
        assert!(report.to_string().contains("FAILED fanout: client 3"));
    }

    #[test]
    fn floor_figure_and_ratio_stand_in_one_row() {
        let text = report(Judging::Budgets, 5.0).to_string();

        assert!(
            text.contains("5.00 (5.00-5.00)  bennu   5.00 (5.00-5.00)  1.00 (1.00-1.00)  ≤ 1.10 ×  within"),
            "{text}"
        );
    }
}
