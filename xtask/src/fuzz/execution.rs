//! One target: built, run, and read while it runs.

use std::fs;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::progress::Line;
use super::table::Summary;
use super::tools::nightly;
use crate::repository;

/// An input that takes longer is a finding.
const MAX_SECONDS: u32 = 10;

/// What is shown again of a target that has found something: the end of what it said.
const SHOWN: usize = 40;

/// A target that has been built.
#[derive(Debug)]
pub(super) struct Fuzzer<'a> {
    target: &'a str,
    /// Committed: what every run starts from.
    corpus: PathBuf,
    /// Where new inputs go.
    work: PathBuf,
}

impl<'a> Fuzzer<'a> {
    pub(super) fn build(target: &'a str) -> Result<Self> {
        println!("=== {target} ===");
        let status = nightly().args(["fuzz", "build", target]).status().context("cannot run cargo")?;
        if !status.success() {
            bail!("cannot build {target}");
        }
        let corpus = repository::path(&format!("fuzz/corpus/{target}"));
        let work = repository::path(&format!("fuzz/target/corpus/{target}"));
        for directory in [&corpus, &work] {
            fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        }
        Ok(Self { target, corpus, work })
    }

    /// Runs until the time is over, or until an input breaks a rule.
    pub(super) fn run(&self, time: Duration) -> Result<Summary> {
        let mut command = nightly();
        command.args(["fuzz", "run", self.target]).args([&self.work, &self.corpus]);
        command.args([
            "--",
            &format!("-max_total_time={}", time.as_secs()),
            &format!("-timeout={MAX_SECONDS}"),
        ]);
        let dictionary = repository::path(&format!("fuzz/dictionaries/{}.dict", self.target));
        if dictionary.exists() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        let mut child = command.stderr(Stdio::piped()).spawn().context("cannot run cargo")?;
        let stderr = child.stderr.take().expect("the errors are piped");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                // Whoever has stopped to listen has an error to tell.
                let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
            }
        });

        let start = Instant::now();
        let mut shown = Shown::new(time);
        let mut summary = Summary::default();
        let mut last = Vec::new();
        loop {
            match lines.recv_timeout(Duration::from_secs(1)) {
                Ok(line) => {
                    match Line::parse(&line) {
                        Some(Line::Progress(progress)) => summary.progress = progress,
                        Some(Line::Done(executions)) => summary.progress.executions = executions,
                        Some(Line::Finding(file)) => summary.findings.push(file),
                        None => {}
                    }
                    last.push(line);
                    if last.len() > SHOWN {
                        last.remove(0);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            shown.update(self.target, start.elapsed(), &summary);
        }
        let status = child.wait()?;
        summary.took = start.elapsed();
        shown.end();
        if !status.success() {
            println!("{}", last.join("\n"));
            if summary.findings.is_empty() {
                bail!("{} ended with {status}, and no input is to blame", self.target);
            }
        }
        Ok(summary)
    }

    /// Adds to the committed corpus what reaches code that it does not reach; nothing is taken away.
    pub(super) fn keep(&self) -> Result<()> {
        let mut command = nightly();
        command.args(["fuzz", "run", self.target]).args([&self.corpus, &self.work]);
        // By the edges alone: how often one was passed would make the corpus ten times as large.
        command.args(["--", "-set_cover_merge=1", "-use_counters=0"]);
        let output = command.output().context("cannot run cargo")?;
        if !output.status.success() {
            bail!(
                "cannot add to {}: {}",
                self.corpus.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(())
    }
}

/// The line that says how far a run has come: at a terminal always the same one, elsewhere one now and then.
struct Shown {
    time: Duration,
    is_terminal: bool,
    next: Duration,
}

impl Shown {
    fn new(time: Duration) -> Self {
        Self { time, is_terminal: std::io::stdout().is_terminal(), next: Duration::ZERO }
    }

    fn update(&mut self, target: &str, elapsed: Duration, summary: &Summary) {
        if elapsed < self.next {
            return;
        }
        let progress = summary.progress;
        let line = format!(
            "{target}: {} of {} s, {} executions, {} edges",
            elapsed.as_secs(),
            self.time.as_secs(),
            progress.executions,
            progress.edges
        );
        if self.is_terminal {
            print!("\r{line:<70}");
            // A line that cannot be shown is not worth an error.
            let _ = std::io::stdout().flush();
        } else {
            println!("{line}");
        }
        self.next = elapsed + Duration::from_secs(if self.is_terminal { 1 } else { 20 });
    }

    fn end(&self) {
        if self.is_terminal {
            println!();
        }
    }
}
