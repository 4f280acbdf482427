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
mod toolchains;
mod unit;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::repository::{Runtime, Workspace};
use outcome::{Outcome, Verdict, table};

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

/// One line of the table.
struct Part {
    name: &'static str,
    group: Group,
    run: fn(&Workspace) -> Result<Outcome>,
}

const PARTS: [Part; 24] = [
    Part { name: "unit tests", group: Group::Unit, run: unit::run },
    Part { name: "unit tests, smol", group: Group::Unit, run: unit::on_smol },
    Part { name: "optimised core", group: Group::Unit, run: unit::optimised },
    Part { name: "interleavings", group: Group::Interleavings, run: interleavings::run },
    Part { name: "clippy", group: Group::Lint, run: lint::clippy },
    Part { name: "format", group: Group::Lint, run: lint::format },
    Part { name: "docs", group: Group::Lint, run: lint::docs },
    Part { name: "purity", group: Group::Lint, run: lint::purity },
    Part {
        name: "conformance, tokio",
        group: Group::Conformance,
        run: |workspace| conformance::run(workspace, Runtime::Tokio),
    },
    Part {
        name: "conformance, async-std",
        group: Group::Conformance,
        run: |workspace| conformance::run(workspace, Runtime::AsyncStd),
    },
    Part {
        name: "conformance, smol",
        group: Group::Conformance,
        run: |workspace| conformance::run(workspace, Runtime::Smol),
    },
    Part { name: "autobahn", group: Group::Autobahn, run: autobahn::run },
    Part { name: "conformance 1.8.9", group: Group::Conformance, run: conformance::older },
    Part { name: "conformance, mio", group: Group::Conformance, run: event_loop::mio },
    Part { name: "conformance, io_uring", group: Group::Conformance, run: event_loop::io_uring },
    Part {
        name: "browser, tokio",
        group: Group::Browser,
        run: |workspace| browser::run(workspace, Runtime::Tokio),
    },
    Part {
        name: "browser, async-std",
        group: Group::Browser,
        run: |workspace| browser::run(workspace, Runtime::AsyncStd),
    },
    Part {
        name: "browser, smol",
        group: Group::Browser,
        run: |workspace| browser::run(workspace, Runtime::Smol),
    },
    Part { name: "msgpack client", group: Group::Msgpack, run: msgpack::run },
    Part { name: "package", group: Group::Release, run: package::run },
    Part { name: "licences", group: Group::Release, run: licences::run },
    Part { name: "minimal versions", group: Group::Release, run: minimal_versions::run },
    Part { name: "msrv", group: Group::Release, run: toolchains::msrv },
    Part { name: "wasm", group: Group::Release, run: toolchains::wasm },
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
        println!("\n=== {} ===", part.name);
        let outcome = (part.run)(&workspace).unwrap_or_else(|error| Outcome::failed(format!("{error:#}")));
        match outcome.verdict {
            Verdict::Passed => {}
            Verdict::Failed if outcome.detail.is_empty() => println!("failed: {}", part.name),
            Verdict::Failed | Verdict::Skipped => {
                println!("{}: {}: {}", outcome.verdict, part.name, outcome.detail);
            }
        }
        rows.push((part.name, outcome));
    }
    println!("\n{}", table(&rows));
    let failed = rows.iter().any(|(_, outcome)| outcome.verdict == Verdict::Failed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
