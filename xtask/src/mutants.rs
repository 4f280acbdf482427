//! `cargo xtask mutants`: whether the tests of the core notice when its code is changed.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};

use crate::process;
use crate::repository::{self, cargo};

/// The share of the mutants that has to be noticed, in percent.
const WANTED: usize = 85;

/// What makes a run of the tests cheap: few cases, nothing kept of one that fails, nothing told of it.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("PROPTEST_CASES", "64"),
    ("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1"),
    ("PROPTEST_MAX_SHRINK_ITERS", "16"),
    ("RUST_BACKTRACE", "0"),
];

/// Changes the core in a thousand places, one at a time, and counts how often a test fails.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// Changes these parts only.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Room::ALL)]
    only: Vec<Room>,
    /// How many mutants are built at a time, each in a copy of its own.
    #[arg(long, short, default_value_t = 1)]
    jobs: usize,
}

/// A file of the core, and the folder beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Room {
    Websocket,
    Wire,
    Outbox,
    Server,
}

impl Room {
    const ALL: [Self; 4] = [Self::Websocket, Self::Wire, Self::Outbox, Self::Server];

    fn name(self) -> &'static str {
        match self {
            Self::Websocket => "websocket",
            Self::Wire => "wire",
            Self::Outbox => "outbox",
            Self::Server => "server",
        }
    }
}

/// Runs cargo-mutants on one room after the other, and ends with a table.
///
/// # Errors
/// If cargo-mutants cannot be installed or run, or if the tests fail without any change. Too many mutants
/// that no test notices are no error: the exit code tells.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    install()?;
    let mut rows = Vec::new();
    for &room in &arguments.only {
        println!("\n=== {} ===", room.name());
        rows.push((room.name(), mutate(room, arguments.jobs)?));
    }
    let total = rows.iter().map(|(_, counts)| *counts).fold(Counts::default(), Counts::plus);
    rows.push(("total", total));
    println!("\n{HEADING}");
    for (name, counts) in &rows {
        println!("{name:9}  {counts}");
    }
    Ok(if total.percent() < WANTED { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn install() -> Result<()> {
    if process::is_installed("cargo-mutants") {
        return Ok(());
    }
    let status = cargo().args(["install", "--locked", "cargo-mutants"]).status();
    if !status.context("cannot run cargo")?.success() {
        bail!("cannot install cargo-mutants");
    }
    Ok(())
}

fn mutate(room: Room, jobs: usize) -> Result<Counts> {
    let name = room.name();
    let output = repository::path("target/mutants").join(name);
    fs::create_dir_all(&output).with_context(|| format!("cannot create {}", output.display()))?;
    let status = command(name, jobs, &output).status().context("cannot run cargo mutants")?;
    // 0: all were noticed; 2: some were not; 3: some did not end.
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        bail!("cargo mutants did not come to its end: {status}");
    }
    Counts::read(&output.join("mutants.out"))
}

fn command(name: &str, jobs: usize, output: &Path) -> Command {
    let mut command = cargo();
    command.args(["mutants", "--no-shuffle", "--jobs", &jobs.to_string()]);
    command.args(["--file", &format!("core/src/{name}.rs"), "--file", &format!("core/src/{name}/**")]);
    command.arg("--output").arg(output).envs(ENVIRONMENT);
    command
}

const HEADING: &str = "room       caught  timeout  unviable  missed  noticed";

/// What became of the mutants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    /// A test failed.
    caught: usize,
    /// The tests did not end, which nobody would overlook.
    timeout: usize,
    /// The compiler refused it.
    unviable: usize,
    /// All tests passed.
    missed: usize,
}

impl Counts {
    /// Reads the lists that cargo-mutants leaves behind: one mutant a line.
    fn read(directory: &Path) -> Result<Self> {
        let count = |name: &str| {
            let path = directory.join(name);
            match fs::read_to_string(&path) {
                Ok(text) => Ok(text.lines().count()),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
                Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
            }
        };
        Ok(Self {
            caught: count("caught.txt")?,
            timeout: count("timeout.txt")?,
            unviable: count("unviable.txt")?,
            missed: count("missed.txt")?,
        })
    }

    fn plus(self, other: Self) -> Self {
        Self {
            caught: self.caught + other.caught,
            timeout: self.timeout + other.timeout,
            unviable: self.unviable + other.unviable,
            missed: self.missed + other.missed,
        }
    }

    /// How many of those that compiled were noticed, rounded down.
    fn percent(self) -> usize {
        let noticed = self.caught + self.timeout;
        (100 * noticed).checked_div(noticed + self.missed).unwrap_or(100)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { caught, timeout, unviable, missed } = self;
        write!(f, "{caught:6}  {timeout:7}  {unviable:8}  {missed:6}  {:5} %", self.percent())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_that_do_not_compile_count_neither_way() {
        let counts = Counts { caught: 80, timeout: 5, unviable: 900, missed: 15 };

        assert_eq!(counts.percent(), 85);
        assert_eq!(Counts { missed: 16, ..counts }.percent(), 84);
    }

    #[test]
    fn row_stands_below_its_heading() {
        let counts = Counts { caught: 80, timeout: 5, unviable: 900, missed: 15 };

        assert_eq!(format!("{:9}  {counts}", "total").len(), HEADING.len());
    }
}
