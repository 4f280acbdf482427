//! `cargo xtask bench`: the load runs beside their floor, or the core in small pieces.

mod micro;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::process;
use crate::repository::{Workspace, cargo};

/// Measures the server under load, beside the floor.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// Measures the core in small pieces instead.
    #[arg(long)]
    micro: bool,
    /// For the load generator: `--quick`, `--only fanout,burst`, `--runs 9`, …; `--help` behind `--` has them all.
    /// With `--micro`: `--quick`, which judges no time, and words that choose benches.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds what is measured and what measures it, and runs the latter with the arguments it was given.
///
/// # Errors
/// If one of them is missing or cannot be built.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    if !workspace.has("bennu-benches") {
        bail!("the workspace has no package `bennu-benches`");
    }
    match arguments.choice() {
        Choice::Load(arguments) => load(&arguments),
        Choice::Micro(pace, chosen) => micro::run(&workspace, pace, &chosen),
    }
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    /// Whole servers, with these arguments for the load generator.
    Load(Vec<String>),
    /// The core: benches that these words choose.
    Micro(micro::Pace, Vec<String>),
}

impl Arguments {
    fn choice(&self) -> Choice {
        // Behind the first argument that is unknown here, all are for others: but `--micro` may come last.
        let is_micro = |argument: &String| argument == "--micro";
        if !self.micro && !self.arguments.iter().any(is_micro) {
            return Choice::Load(self.arguments.clone());
        }
        let (quick, mut chosen): (Vec<_>, Vec<_>) =
            self.arguments.iter().cloned().partition(|argument| argument == "--quick");
        chosen.retain(|argument| !is_micro(argument));
        let pace = if quick.is_empty() { micro::Pace::Measured } else { micro::Pace::Quick };
        Choice::Micro(pace, chosen)
    }
}

/// The load generator builds the servers that it is asked for.
fn load(arguments: &[String]) -> Result<ExitCode> {
    let built = cargo().args(["build", "--release", "--package", "bennu-benches", "--bins"]).status();
    if !built.context("cannot run cargo")?.success() {
        bail!("cannot build bennu-benches");
    }
    let mut load = cargo();
    load.args(["run", "--quiet", "--release", "--package", "bennu-benches", "--bin", "load", "--"]);
    process::become_program(load.args(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;
    use micro::Pace;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn choice(line: &str) -> Choice {
        let words = std::iter::once("bench").chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap_or_else(|error| panic!("{error}")).arguments.choice()
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn load_generator_gets_all_arguments_as_they_are() {
        assert_eq!(choice(""), Choice::Load(words(&[])));
        assert_eq!(
            choice("--quick --only echo --runs 3"),
            Choice::Load(words(&["--quick", "--only", "echo", "--runs", "3"]))
        );
    }

    #[test]
    fn micro_is_heard_wherever_it_stands() {
        for line in ["--micro --quick route", "--quick --micro route", "--micro route --quick"] {
            assert_eq!(choice(line), Choice::Micro(Pace::Quick, words(&["route"])), "{line}");
        }
        assert_eq!(choice("--micro"), Choice::Micro(Pace::Measured, words(&[])));
    }
}
