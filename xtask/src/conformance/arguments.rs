//! The command line of `cargo xtask conformance`.

use std::path::PathBuf;

use clap::Args;

use super::{Need, Options, Profile, Server, Verbosity};
use crate::repository;

/// Replays the recorded scenarios against a running server.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// Base URL of the server.
    #[arg(long, default_value = "http://127.0.0.1:4100")]
    url: Server,
    /// Base URL of a second node of the same cluster; what needs one is skipped without.
    #[arg(long)]
    url2: Option<Server>,
    /// The release of Phoenix to hold the server to.
    #[arg(long, value_enum, default_value_t)]
    profile: Profile,
    /// Plays only scenarios whose file name contains this text, or that have it as a tag.
    #[arg(long)]
    filter: Option<String>,
    /// Skips scenarios that need any of these.
    #[arg(long, value_enum, value_delimiter = ',')]
    without: Vec<Need>,
    /// The list of scenarios that are expected to fail [default: conformance/known-differences.txt].
    #[arg(long, conflicts_with = "reference")]
    known_differences: Option<PathBuf>,
    /// The server is Phoenix itself: every scenario has to pass, and Bennu's own are left out.
    #[arg(long)]
    reference: bool,
    /// Scenarios played at once.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// How often each scenario is played.
    #[arg(long, default_value_t = 1)]
    repeat: usize,
    /// Multiplies every limit on waiting; for slow machines.
    #[arg(long, default_value_t = 1.0, value_parser = positive)]
    time_scale: f64,
    /// Prints failures and the summary only.
    #[arg(long)]
    quiet: bool,
    /// Scenario files, or directories of them [default: conformance/scenarios and conformance/bennu].
    paths: Vec<PathBuf>,
}

impl From<Arguments> for Options {
    fn from(arguments: Arguments) -> Self {
        let paths = match (arguments.paths, arguments.reference) {
            (paths, _) if !paths.is_empty() => paths,
            (_, true) => vec![repository::path("conformance/scenarios")],
            (_, false) => repository::scenarios(),
        };
        let known_differences = match arguments.known_differences {
            Some(path) => Some(path),
            None if arguments.reference => None,
            None => Some(repository::path("conformance/known-differences.txt")),
        };
        Self {
            paths,
            server: arguments.url,
            second_server: arguments.url2,
            profile: arguments.profile,
            filter: arguments.filter,
            without: arguments.without,
            known_differences,
            jobs: arguments.jobs,
            repeat: arguments.repeat,
            time_scale: arguments.time_scale,
            verbosity: if arguments.quiet { Verbosity::Quiet } else { Verbosity::Full },
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale > 0.0 => Ok(scale),
        Ok(_) | Err(_) => Err("not a positive number".to_owned()),
    }
}
