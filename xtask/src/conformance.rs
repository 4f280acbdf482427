//! Replays the scenarios of `conformance/` against a running server.
//!
//! ```text
//! scenario.rs, step.rs      what the files say
//! environment.rs, hex.rs    placeholders, bytes
//! pattern.rs                JSON patterns; frame_pattern.rs: frames and their order
//! stream, http, websocket, longpoll    a client that can misbehave, on plain blocking sockets
//! play.rs, http_step.rs     one scenario, step by step
//! report.rs, known.rs       what is printed and counted
//! excerpt.rs                which scenarios a server can play that offers a part of the app
//! ```
//!
//! The format is described in `conformance/README.md`.

mod arguments;
mod connection;
mod environment;
mod event;
mod excerpt;
mod failure;
mod frame_pattern;
mod hex;
mod http;
mod http_step;
mod known;
mod longpoll;
#[cfg(test)]
mod mirror;
#[cfg(test)]
mod mirror_tests;
mod pattern;
mod play;
mod report;
mod scenario;
mod server;
mod step;
mod stream;
mod target;
mod websocket;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

pub use arguments::Arguments;
pub use environment::Profile;
pub use excerpt::Excerpt;
pub use report::{Outcome, Summary, Verbosity};
pub use scenario::Need;
pub use server::Server;

use failure::Failure;
use known::KnownDifferences;
use play::{Setting, play};
use report::Report;
use scenario::Scenario;

/// What to replay, against which server, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Scenario files, or directories of them.
    pub paths: Vec<PathBuf>,
    /// Node 1.
    pub server: Server,
    /// Node 2 of the same cluster; without it, what needs a cluster is skipped.
    pub second_server: Option<Server>,
    /// The release of Phoenix to hold the server to.
    pub profile: Profile,
    /// Plays only scenarios whose file name contains this text, or that have it as a tag.
    pub filter: Option<String>,
    /// Skips scenarios that need any of these.
    pub without: Vec<Need>,
    /// A list of scenarios that are expected to fail.
    pub known_differences: Option<PathBuf>,
    /// Scenarios played at once.
    pub jobs: usize,
    /// How often each is played.
    pub repeat: usize,
    /// Multiplies every limit on waiting; for slow machines.
    pub time_scale: f64,
    /// Which lines are printed.
    pub verbosity: Verbosity,
}

impl Options {
    /// Plays everything under `paths` once, four at a time.
    #[must_use]
    pub fn new(server: Server, paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            server,
            second_server: None,
            profile: Profile::default(),
            filter: None,
            without: Vec::new(),
            known_differences: None,
            jobs: 4,
            repeat: 1,
            time_scale: 1.0,
            verbosity: Verbosity::Full,
        }
    }

    fn setting(&self) -> Setting {
        let servers = [Some(self.server.clone()), self.second_server.clone()];
        Setting {
            servers: servers.into_iter().flatten().collect(),
            profile: self.profile,
            time_scale: self.time_scale,
        }
    }

    /// Why a scenario is not played.
    fn skips(&self, scenario: &Scenario) -> Option<String> {
        let needs = scenario.needs();
        if let Some(need) = self.without.iter().find(|need| needs.contains(need)) {
            return Some(format!("without {}", need.name()));
        }
        if needs.contains(&Need::Cluster) && self.second_server.is_none() {
            return Some("needs a second node".to_owned());
        }
        (!scenario.holds_for(self.profile)).then(|| format!("not for {}", self.profile.name()))
    }
}

/// Replays scenarios, writes a line for each, and last the summary.
///
/// # Errors
/// If a file cannot be read or is not a scenario, or the output cannot be written. A scenario that fails is not
/// an error: it is counted in the summary.
pub fn run(options: &Options, out: &mut dyn Write) -> Result<Summary> {
    let known = match &options.known_differences {
        Some(path) => KnownDifferences::read(path)?,
        None => KnownDifferences::default(),
    };
    let mut scenarios = Scenario::read_all(&options.paths)?;
    if let Some(filter) = &options.filter {
        scenarios.retain(|scenario| scenario.is_about(filter));
    }
    let setting = options.setting();
    let mut report = Report::new(out, options.verbosity);

    let mut chosen = Vec::new();
    for scenario in &scenarios {
        match options.skips(scenario) {
            Some(why) => report.skipped(scenario, &why)?,
            None => chosen.push(scenario),
        }
    }
    let (serial, parallel): (Vec<&Scenario>, Vec<&Scenario>) =
        chosen.into_iter().partition(|scenario| scenario.serial);
    for _ in 0..options.repeat {
        for (scenarios, jobs) in [(&parallel, options.jobs), (&serial, 1)] {
            play_all(scenarios, &setting, jobs, |scenario, outcome, took| {
                report.played(scenario, &outcome, known.reason(&scenario.file), took)?;
                Ok(())
            })?;
        }
    }
    Ok(report.finish()?)
}

/// Plays scenarios on several threads, and hands the outcomes on in the order of the scenarios.
fn play_all(
    scenarios: &[&Scenario],
    setting: &Setting,
    jobs: usize,
    mut played: impl FnMut(&Scenario, Result<(), Failure>, Duration) -> Result<()>,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, scenarios.len().max(1)) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let index = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(scenario) = scenarios.get(index)
                {
                    let started = Instant::now();
                    let outcome = play(scenario, setting);
                    if sender.send((index, outcome, started.elapsed())).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);

        let mut early = BTreeMap::new();
        let mut due = 0;
        for (index, outcome, took) in receiver {
            early.insert(index, (outcome, took));
            while let Some((outcome, took)) = early.remove(&due) {
                played(scenarios[due], outcome, took)?;
                due += 1;
            }
        }
        Ok(())
    })
}
