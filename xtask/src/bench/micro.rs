//! The micro-benches of the core, and a table of what they found.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::process;
use crate::repository::{Workspace, cargo};

/// How thoroughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Times are taken, and budgets judged.
    Measured,
    /// Each bench runs once, to see that it does.
    Quick,
}

/// What a bench may take, by its name in criterion. In ns.
const BUDGETS: [(&str, f64); 1] = [("echo through the server/text to outbox/175 B", 300.0)];

/// Runs criterion, then prints a table. `chosen` are words for criterion to choose benches by.
pub(super) fn run(workspace: &Workspace, pace: Pace, chosen: &[String]) -> Result<ExitCode> {
    let start = SystemTime::now();
    let mut benches = cargo();
    benches.args(["bench", "--package", "bennu-benches", "--bench", "micro", "--"]).args(chosen);
    if pace == Pace::Quick {
        // Criterion's own word for it; its `--quick` is a short measurement.
        benches.arg("--test");
    }
    let run = process::run(&mut benches)?;
    if !run.status.success() {
        return Ok(ExitCode::FAILURE);
    }
    if pace == Pace::Quick {
        return Ok(ExitCode::SUCCESS);
    }
    let mut found = Vec::new();
    collect(&workspace.target_directory().join("criterion"), start, &mut found)?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    print!("\n{}", Table(&found));
    println!(
        "plots, if gnuplot is installed: {}",
        workspace.target_directory().join("criterion/report/index.html").display()
    );
    let is_over = found.iter().any(|bench| bench.verdict() == Some(Verdict::Over));
    Ok(if is_over { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One bench, as criterion has written it down.
#[derive(Debug, PartialEq)]
struct Found {
    name: String,
    /// The median, in ns.
    nanos: f64,
    /// What one of its parts takes, if it has several: in ns.
    each: Option<f64>,
}

/// How a bench stands to its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Within,
    Over,
}

impl Found {
    fn read(directory: &Path) -> Result<Self> {
        let bench: Bench = read_json(&directory.join("benchmark.json"))?;
        let Estimates { median } = read_json(&directory.join("estimates.json"))?;
        let nanos = median.point_estimate;
        let parts = bench.throughput.and_then(|throughput| throughput.elements);
        Ok(Self { name: bench.full_id, nanos, each: parts.map(|parts| nanos / parts as f64) })
    }

    fn budget(&self) -> Option<f64> {
        BUDGETS.iter().find(|(name, _)| *name == self.name).map(|&(_, nanos)| nanos)
    }

    fn verdict(&self) -> Option<Verdict> {
        let budget = self.budget()?;
        Some(if self.nanos <= budget { Verdict::Within } else { Verdict::Over })
    }
}

/// The benches that were measured since `start`: criterion keeps those of earlier days, too.
fn collect(directory: &Path, start: SystemTime, found: &mut Vec<Found>) -> Result<()> {
    let cannot = || format!("cannot read {}", directory.display());
    for entry in fs::read_dir(directory).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if !path.is_dir() {
            continue;
        }
        let estimates = path.join("estimates.json");
        if path.file_name() != Some("new".as_ref()) || !estimates.is_file() {
            collect(&path, start, found)?;
        } else if fs::metadata(&estimates)?.modified()? >= start {
            found.push(Found::read(&path)?);
        }
    }
    Ok(())
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    let cannot = || format!("cannot read {}", path.display());
    serde_json::from_slice(&fs::read(path).with_context(cannot)?).with_context(cannot)
}

/// Shape: `{"full_id":"route/the last of/10","throughput":{"Elements":64}}`.
#[derive(Deserialize)]
struct Bench {
    full_id: String,
    throughput: Option<Throughput>,
}

/// Of bytes, nobody asks how long one takes.
#[derive(Deserialize)]
struct Throughput {
    #[serde(rename = "Elements")]
    elements: Option<u64>,
}

/// Shape: `{"median":{"point_estimate":240.1}}`.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// A line for each bench.
struct Table<'a>(&'a [Found]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|found| found.name.len()).max().unwrap_or(0);
        writeln!(f, "{:width$}  {:>12}  {:>9}", "bench", "median, ns", "each, ns")?;
        for found in self.0 {
            let each = found.each.map_or_else(String::new, |each| format!("{each:.1}"));
            let mut line = format!("{:width$}  {:>12.1}  {each:>9}", found.name, found.nanos);
            if let (Some(budget), Some(verdict)) = (found.budget(), found.verdict()) {
                let verdict = match verdict {
                    Verdict::Within => "within",
                    Verdict::Over => "OVER",
                };
                write!(line, "  <= {budget} ns {verdict}")?;
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(nanos: f64) -> Found {
        Found { name: BUDGETS[0].0.to_owned(), nanos, each: None }
    }

    #[test]
    fn median_at_the_budget_is_within_and_past_it_over() {
        assert_eq!(echo(300.0).verdict(), Some(Verdict::Within));
        assert_eq!(echo(300.1).verdict(), Some(Verdict::Over));
        assert_eq!(Found { name: "route".to_owned(), ..echo(1e9) }.verdict(), None);
    }

    #[test]
    fn table_has_parts_and_budgets_where_there_are_any() {
        let fan_out = Found { name: "fan-out".to_owned(), nanos: 90_725.5, each: Some(9.07) };

        let table = Table(&[echo(241.0), fan_out]).to_string();

        let lines: Vec<_> = table.lines().collect();
        assert!(lines[1].ends_with("       241.0             <= 300 ns within"), "{table}");
        assert!(
            lines[2].starts_with("fan-out  ") && lines[2].ends_with("     90725.5        9.1"),
            "{table}"
        );
    }

    #[test]
    fn what_criterion_has_written_since_the_start_is_found() {
        let directory = std::env::temp_dir().join(format!("bennu-micro-{}", std::process::id()));
        let write = |name: &str, throughput: &str| {
            let new = directory.join(name).join("new");
            fs::create_dir_all(&new).unwrap();
            let bench = format!(r#"{{"full_id":"{name}","throughput":{throughput}}}"#);
            fs::write(new.join("benchmark.json"), bench).unwrap();
            fs::write(new.join("estimates.json"), r#"{"median":{"point_estimate":640.0},"slope":null}"#)
                .unwrap();
        };
        write("topic/join/10", r#"{"Elements":64}"#);
        write("decode", r#"{"Bytes":175}"#);
        write("route", "null");

        let read = |start| {
            let mut found = Vec::new();
            collect(&directory, start, &mut found).unwrap();
            found.sort_by(|a, b| a.name.cmp(&b.name));
            found
        };
        let (all, none) =
            (read(SystemTime::UNIX_EPOCH), read(SystemTime::now() + std::time::Duration::from_secs(60)));
        fs::remove_dir_all(&directory).unwrap();

        let found = |name: &str, each| Found { name: name.to_owned(), nanos: 640.0, each };
        assert_eq!(all, [found("decode", None), found("route", None), found("topic/join/10", Some(10.0))]);
        assert_eq!(none, []);
    }
}
