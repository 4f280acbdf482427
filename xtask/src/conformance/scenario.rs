//! Scenario files: which there are, and what each asks of a server.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::Deserialize;

use super::environment::Profile;
use super::step::{Step, Transport};

/// One recorded conversation: what to send, and what has to come back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// The file's name without its ending, such as `023-heartbeat-v2`.
    #[serde(skip)]
    pub(crate) file: String,
    #[serde(rename = "name")]
    _name: String,
    pub(crate) about: String,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    profile: Option<Vec<String>>,
    #[serde(default)]
    needs: Vec<String>,
    /// Must not run beside other scenarios.
    #[serde(default)]
    pub(crate) serial: bool,
    /// Whether a stray frame after the last step is a failure.
    #[serde(default = "yes")]
    pub(crate) end_check: bool,
    pub(crate) steps: Vec<Step>,
}

/// What a server may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Need {
    /// The long-poll transport.
    Longpoll,
    /// Presence.
    Presence,
    /// A second node.
    Cluster,
    /// Draining on request.
    Drain,
}

impl Need {
    /// The name by which the command line calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Longpoll => "longpoll",
            Self::Presence => "presence",
            Self::Cluster => "cluster",
            Self::Drain => "drain",
        }
    }
}

impl Scenario {
    /// Reads one file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut scenario: Self =
            serde_json::from_str(&text).with_context(|| format!("{} is not a scenario", path.display()))?;
        scenario.file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(scenario)
    }

    /// Reads files, and the `*.json` files of directories, in the order of their names.
    pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Vec<Self>> {
        let mut files = Vec::new();
        for path in paths {
            if !path.is_dir() {
                files.push(path.clone());
                continue;
            }
            let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
            for entry in entries {
                let path = entry?.path();
                if path.extension().is_some_and(|extension| extension == "json") {
                    files.push(path);
                }
            }
        }
        files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
        files.iter().map(|path| Self::read(path)).collect()
    }

    /// Whether its file name contains the text, or a tag is the text.
    pub(crate) fn is_about(&self, text: &str) -> bool {
        self.file.contains(text) || self.tags.iter().any(|tag| tag == text)
    }

    pub(crate) fn holds_for(&self, profile: Profile) -> bool {
        self.profile.as_ref().is_none_or(|profiles| profiles.iter().any(|name| name == profile.name()))
    }

    /// What it needs, read from its steps and tags.
    pub(crate) fn needs(&self) -> BTreeSet<Need> {
        let tagged = |name: &str| self.tags.iter().chain(&self.needs).any(|tag| tag == name);
        let mut needs = BTreeSet::new();
        if tagged("presence") {
            needs.insert(Need::Presence);
        }
        if tagged("cluster") {
            needs.insert(Need::Cluster);
        }
        for step in &self.steps {
            let (path, transport) = match step {
                Step::Connect(connect) => (&connect.path, connect.transport),
                Step::Http(http) | Step::HttpStart(http) => (&http.path, Transport::Ws),
                Step::Send(_)
                | Step::Expect(_)
                | Step::ExpectClose(_)
                | Step::ExpectSilence(_)
                | Step::Close(_)
                | Step::Drop(_)
                | Step::Sleep(_)
                | Step::HttpFinish(_) => continue,
            };
            let polls = path.split('/').any(|segment| matches!(segment, "longpoll" | "poll"));
            if transport == Transport::Longpoll || polls {
                needs.insert(Need::Longpoll);
            }
            if path == "/drain" {
                needs.insert(Need::Drain);
            }
        }
        needs
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn need_of_long_polling_is_read_from_transport_and_path() {
        assert_eq!(
            needs(r#"{"op": "connect", "conn": "a", "path": "/x", "transport": "longpoll"}"#),
            [Need::Longpoll]
        );
        assert_eq!(needs(r#"{"op": "http", "method": "GET", "path": "/socket/longpoll"}"#), [Need::Longpoll]);
        assert_eq!(needs(r#"{"op": "http", "method": "GET", "path": "/poll_socket/websocket"}"#), []);
        assert_eq!(needs(r#"{"op": "http", "method": "POST", "path": "/drain"}"#), [Need::Drain]);
    }

    #[test]
    fn filter_takes_part_of_a_file_name_or_a_whole_tag() {
        let mut scenario: Scenario =
            serde_json::from_str(r#"{"name": "x", "about": "", "tags": ["binary"], "steps": []}"#).unwrap();
        scenario.file = "136-echo".to_owned();

        assert!(scenario.is_about("36-ec"));
        assert!(scenario.is_about("binary"));
        assert!(!scenario.is_about("bin"));
    }

    fn needs(step: &str) -> Vec<Need> {
        let text = format!(r#"{{"name": "x", "about": "", "steps": [{step}]}}"#);
        let scenario: Scenario = serde_json::from_str(&text).unwrap();
        scenario.needs().into_iter().collect()
    }
}
