//! `cargo xtask chat | test | bench | conformance | autobahn | fuzz | mutants`

use std::io;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use xtask::{autobahn, bench, chat, conformance, fuzz, mutants, test};

/// The chores of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    Chat(chat::Arguments),
    Test(test::Arguments),
    Bench(bench::Arguments),
    Conformance(conformance::Arguments),
    Autobahn(autobahn::Arguments),
    Fuzz(fuzz::Arguments),
    Mutants(mutants::Arguments),
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Chat(arguments) => chat::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Conformance(arguments) => {
            let summary = conformance::run(&arguments.into(), &mut io::stdout())?;
            Ok(if summary.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Autobahn(arguments) => autobahn::run(&arguments),
        Command::Mutants(arguments) => mutants::run(&arguments),
    }
}
