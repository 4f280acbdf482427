//! `cargo xtask test`: everything that a change has to pass, set-up included.

mod autobahn;
mod browser;
mod conformance;
mod event_loop;
mod interleavings;
mod licences;
mod lint;
mod minimal_versions;
mod msgpack;
mod node;
mod outcome;
mod package;
mod scores;
mod toolchains;
mod unit;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::repository::{Runtime, Workspace};
use outcome::{Outcome, Verdict, table};
use scores::Scores;

/// Runs all tests and checks, and ends with a table of them.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// Runs these groups only.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Group>,
}

/// Parts that are chosen together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Group {
    /// The tests of all crates.
    Unit,
    /// Those who share a connection or a node, in all their interleavings.
    Interleavings,
    /// Clippy, format, docs, and the dependencies of the core.
    Lint,
    /// The recorded scenarios against the conformance example, on each runtime.
    Conformance,
    /// The Autobahn suite against the echo example.
    Autobahn,
    /// The chat in a browser, on each runtime.
    Browser,
    /// Phoenix's client against the MessagePack example, in Node.js.
    Msgpack,
    /// What a release needs: packages, licences, the oldest dependencies and compiler, wasm.
    Release,
}

/// One line of the table, or one for each runtime.
struct Part {
    name: &'static str,
    group: Group,
    run: Run,
}

/// What a part is about.
enum Run {
    Once(fn(&Workspace) -> Result<Outcome>),
    OnEach(fn(&Workspace, Runtime) -> Result<Outcome>),
}

const PARTS: [Part; 21] = [
    Part { name: "unit tests", group: Group::Unit, run: Run::Once(unit::run) },
    Part { name: "unit tests, smol", group: Group::Unit, run: Run::Once(unit::on_smol) },
    Part { name: "unit tests, io_uring", group: Group::Unit, run: Run::Once(unit::io_uring) },
    Part { name: "optimised core", group: Group::Unit, run: Run::Once(unit::optimised) },
    Part { name: "interleavings", group: Group::Interleavings, run: Run::Once(interleavings::run) },
    Part { name: "clippy", group: Group::Lint, run: Run::Once(lint::clippy) },
    Part { name: "format", group: Group::Lint, run: Run::Once(lint::format) },
    Part { name: "docs", group: Group::Lint, run: Run::Once(lint::docs) },
    Part { name: "purity", group: Group::Lint, run: Run::Once(lint::purity) },
    Part { name: "conformance", group: Group::Conformance, run: Run::OnEach(conformance::run) },
    Part { name: "conformance, mio", group: Group::Conformance, run: Run::Once(event_loop::mio) },
    Part { name: "conformance, io_uring", group: Group::Conformance, run: Run::Once(event_loop::io_uring) },
    Part { name: "conformance 1.8.9", group: Group::Conformance, run: Run::Once(conformance::older) },
    Part { name: "autobahn", group: Group::Autobahn, run: Run::Once(autobahn::run) },
    Part { name: "browser", group: Group::Browser, run: Run::OnEach(browser::run) },
    Part { name: "msgpack client", group: Group::Msgpack, run: Run::Once(msgpack::run) },
    Part { name: "package", group: Group::Release, run: Run::Once(package::run) },
    Part { name: "licences", group: Group::Release, run: Run::Once(licences::run) },
    Part { name: "minimal versions", group: Group::Release, run: Run::Once(minimal_versions::run) },
    Part { name: "msrv", group: Group::Release, run: Run::Once(toolchains::msrv) },
    Part { name: "wasm", group: Group::Release, run: Run::Once(toolchains::wasm) },
];

/// Runs the chosen parts, one after the other, also behind one that failed.
///
/// # Errors
/// If the workspace cannot be read. A part that fails is no error: the exit code tells.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    let chosen = |part: &&Part| arguments.only.is_empty() || arguments.only.contains(&part.group);
    let mut rows = Vec::new();
    for part in PARTS.iter().filter(chosen) {
        match part.run {
            Run::Once(run) => rows.push(row(part.name.to_owned(), || run(&workspace))),
            Run::OnEach(run) => rows.extend(Runtime::ALL.map(|runtime| {
                row(format!("{}, {}", part.name, runtime.name()), || run(&workspace, runtime))
            })),
        }
    }
    println!("\n{}", Scores::of(&rows));
    rows.extend(Scores::of(&rows).verdict().map(|outcome| ("scenarios alike".to_owned(), outcome)));
    println!("{}", table(&rows));
    let failed = rows.iter().any(|(_, outcome)| outcome.verdict == Verdict::Failed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs a part, and says how it went if there is anything to say.
fn row(name: String, run: impl FnOnce() -> Result<Outcome>) -> (String, Outcome) {
    println!("\n=== {name} ===");
    let outcome = run().unwrap_or_else(|error| Outcome::failed(format!("{error:#}")));
    match outcome.verdict {
        Verdict::Passed => {}
        Verdict::Failed if outcome.detail.is_empty() => println!("failed: {name}"),
        Verdict::Failed | Verdict::Skipped => println!("{}: {name}: {}", outcome.verdict, outcome.detail),
    }
    (name, outcome)
}
