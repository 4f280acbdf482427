//! `cargo xtask fuzz`: looks for inputs that break a rule, one target after the other.
//!
//! New inputs go to `fuzz/target/corpus`, which no commit sees; `--keep` adds to the committed corpus those
//! of them that reach more code. An input that breaks a rule lies in `fuzz/artifacts`: once the fault is
//! mended, it belongs in the corpus, for good.

mod execution;
mod progress;
mod table;
mod tools;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::repository;
use execution::Fuzzer;
use table::table;

/// Fuzzes the core, and ends with a table of the targets.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// How long each target runs, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Runs this target only; may be given more than once.
    #[arg(long)]
    target: Vec<String>,
    /// Adds inputs that reach more code to the committed corpus.
    #[arg(long)]
    keep: bool,
}

/// Runs the chosen targets, also behind one that found something.
///
/// # Errors
/// If what fuzzing needs is missing, or a target cannot be built. A finding is no error: the exit code tells.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let targets = chosen(targets()?, &arguments.target)?;
    tools::provide()?;

    let mut rows = Vec::new();
    for target in &targets {
        let fuzzer = Fuzzer::build(target)?;
        let summary = fuzzer.run(Duration::from_secs(arguments.seconds))?;
        for finding in &summary.findings {
            println!("{target}: found {finding}");
            println!("  again: cargo +nightly fuzz run {target} {finding}");
            println!("  once it is mended: mv {finding} fuzz/corpus/{target}/");
        }
        if arguments.keep {
            fuzzer.keep()?;
        }
        rows.push((target.as_str(), summary));
    }
    println!("\n{}", table(&rows));
    let found = rows.iter().any(|(_, summary)| !summary.findings.is_empty());
    Ok(if found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The names of all targets, sorted.
fn targets() -> Result<Vec<String>> {
    let directory = repository::path("fuzz/fuzz_targets");
    let entries = directory.read_dir().with_context(|| format!("cannot read {}", directory.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if let (Some(name), Some("rs")) = (path.file_stem(), path.extension().and_then(|end| end.to_str())) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn chosen(targets: Vec<String>, wanted: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = wanted.iter().find(|name| !targets.contains(name)) {
        bail!("there is no target `{unknown}`; there are {}", targets.join(", "));
    }
    let chosen = |name: &String| wanted.is_empty() || wanted.contains(name);
    Ok(targets.into_iter().filter(chosen).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_targets_are_chosen_unless_some_are_named() {
        let targets = || vec!["a".to_owned(), "b".to_owned()];

        assert_eq!(chosen(targets(), &[]).unwrap(), ["a", "b"]);
        assert_eq!(chosen(targets(), &["b".to_owned()]).unwrap(), ["b"]);
    }

    #[test]
    fn unknown_target_is_named_beside_those_that_exist() {
        let error = chosen(vec!["a".to_owned(), "b".to_owned()], &["c".to_owned()]).unwrap_err();

        assert_eq!(error.to_string(), "there is no target `c`; there are a, b");
    }

    #[test]
    fn every_file_of_a_target_is_a_target() {
        assert!(targets().unwrap().contains(&"websocket".to_owned()));
    }
}
