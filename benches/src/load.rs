//! The load generator and judge.
//!
//! ```text
//!   scenario ── run 1: tokio, …, mio, floor; run 2: tokio, … ──▶ report ──▶ table, verdict
//!      │
//!      └─ a fresh server process each time, a population of clients in one thread
//! ```

mod client;
mod comparison;
mod disturbance;
mod figures;
mod latency;
mod lineup;
mod machine;
mod opening;
mod options;
mod page;
mod population;
mod programs;
mod record;
mod report;
mod scenario;
mod secure;
mod server_process;
mod servers;
mod session;
mod table;
mod usage;

use comparison::Comparison;
use disturbance::Moment;
use figures::Reading;
use indicatif::{ProgressBar, ProgressStyle};
use lineup::Lineup;
use machine::Machine;
use options::Size;
pub use options::{HELP, Options};
use page::Page;
use population::PopulationError;
pub use programs::ProgramError;
use record::{Circumstances, Judging, Record};
use report::Report;
use scenario::Scenario;
use server_process::{ServerCommand, StartError};
use std::error::Error;
use std::fs;
use std::io;
use std::iter;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Whether a load run has something to complain about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No frame was lost, and no figure is over its budget.
    Good,
    /// One of them happened; the table says which.
    Bad,
}

/// Why a load run cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A program to test is not there.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// This is no Linux, or `/proc` is not mounted.
    #[error("cannot read /proc")]
    Proc(#[source] io::Error),
    /// The system does not allow as many sockets as are needed.
    #[error("cannot raise the limit of open files")]
    OpenFiles(#[source] io::Error),
    /// It allows some, but too few.
    #[error("{wanted} open files are needed and {allowed} allowed")]
    TooFewFiles {
        /// For the largest population.
        wanted: u64,
        /// By the hard limit.
        allowed: u64,
    },
    /// The figures are there, but cannot be kept.
    #[error("cannot write {}", path.display())]
    Report {
        /// Where they should be.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Why one run of one scenario came to nothing.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Population(#[from] PopulationError),
}

/// The largest population's sockets, and some.
const OPEN_FILES: u64 = 11_000;

/// Runs what `options` ask for, prints a table, and leaves a page and all raw figures behind.
///
/// # Errors
/// [`LoadError`] if it cannot even start, or cannot keep what it found. A failing server is an [`Outcome::Bad`].
pub fn run(options: &Options) -> Result<Outcome, LoadError> {
    allow_open_files()?;
    let judging = match options.size {
        Size::Full => Judging::Budgets,
        Size::Quick => Judging::CorrectnessOnly,
    };

    let scenarios = options.scenarios();
    let lineup = Lineup::of(options, &scenarios)?;
    let directory = options.report.clone().map_or_else(programs::report_directory, Ok)?;
    let start = Moment::now().map_err(LoadError::Proc)?;
    let (date, clock) = (SystemTime::now(), Instant::now());
    let mut report = Report::new(lineup.contenders(), judging);
    lineup.skipped().iter().for_each(|server| report.skip(server.clone()));
    let turns: usize = scenarios.iter().map(|&scenario| lineup.of_scenario(scenario).len()).sum();
    let progress = progress(turns * options.runs);
    for scenario in scenarios {
        for run in 1..=options.runs {
            for (subject, command) in lineup.of_scenario(scenario) {
                let title = scenario.title();
                progress.set_message(format!("{title}, run {run} of {}: {}", options.runs, command.name));
                match play(scenario, command) {
                    Ok(readings) => report.enter(&title, subject, readings),
                    Err(error) => {
                        report.fail(format!("{title}, run {run}, {}: {}", command.name, with_causes(&error)))
                    }
                }
                progress.inc(1);
            }
        }
    }
    progress.finish_and_clear();
    let disturbance = start.until_now().map_err(LoadError::Proc)?;
    let record = report.record(Circumstances {
        date: humantime::format_rfc3339_seconds(date).to_string(),
        seconds: clock.elapsed().as_secs(),
        revision: machine::revision(),
        machine: Machine::this(),
        workers: server_process::workers(),
        disturbance,
        runs: options.runs,
        judging,
    });
    print!("{report}");
    let comparison = Comparison::of(&record);
    if !comparison.is_empty() {
        print!("\n{comparison}\n");
    }
    for name in &record.skipped {
        println!("{name}: skipped, as the system refuses it");
    }
    println!("{disturbance}");
    println!("report: {}", keep(&record, &directory)?.display());
    Ok(if report.is_good() { Outcome::Good } else { Outcome::Bad })
}

/// Writes `report.html` and `report.json`, and returns the path of the former.
fn keep(record: &Record, directory: &Path) -> Result<PathBuf, LoadError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| LoadError::Report { path, source }
    };
    fs::create_dir_all(directory).map_err(failed(directory))?;
    let (page, raw) = (directory.join("report.html"), directory.join("report.json"));
    let json = serde_json::to_vec_pretty(record).map_err(io::Error::from).map_err(failed(&raw))?;
    fs::write(&raw, json).map_err(failed(&raw))?;
    fs::write(&page, Page(record).to_string()).map_err(failed(&page))?;
    Ok(page)
}

/// An error and its causes in one line; a cause that its error has quoted is not repeated.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    for cause in iter::successors(error.source(), |&error| error.source()).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn play(scenario: Scenario, command: &ServerCommand) -> Result<Vec<Reading>, RunError> {
    let server = command.start()?;
    Ok(scenario.play(&server)?)
}

/// Children inherit the limit.
fn allow_open_files() -> Result<(), LoadError> {
    let allowed = rlimit::increase_nofile_limit(u64::MAX).map_err(LoadError::OpenFiles)?;
    if allowed < OPEN_FILES {
        return Err(LoadError::TooFewFiles { wanted: OPEN_FILES, allowed });
    }
    Ok(())
}

/// A bar on standard error if that is a terminal, and nothing otherwise.
fn progress(steps: usize) -> ProgressBar {
    /// A run may take half a minute; that it is under way should be seen.
    const TICK: Duration = Duration::from_millis(500);

    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} (about {eta} left) {msg}");
    let progress =
        ProgressBar::new(steps as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    if !progress.is_hidden() {
        progress.enable_steady_tick(TICK);
    }
    progress
}
