//! The scenarios for a server that offers a part of the app alone.

use std::path::PathBuf;

use anyhow::Result;

use super::scenario::Scenario;
use super::step::{Send, Step, Transport};

/// A part of the app: one socket, and some of its channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Excerpt {
    /// The one path that a WebSocket is opened at.
    pub(crate) path: &'static str,
    /// The topics of the app's other channels: whole, or their beginnings.
    pub(crate) lacks: &'static [&'static str],
}

impl Excerpt {
    /// The names of the scenarios that keep to this part, in order: all their connections are WebSockets at its path,
    /// they make no HTTP request, need nothing besides, and name no topic that it lacks.
    ///
    /// # Errors
    /// If a file cannot be read or is not a scenario.
    pub(crate) fn scenarios(&self, paths: &[PathBuf]) -> Result<Vec<String>> {
        let scenarios = Scenario::read_all(paths)?.into_iter();
        Ok(scenarios.filter(|scenario| self.offers(scenario)).map(|scenario| scenario.file).collect())
    }

    fn offers(&self, scenario: &Scenario) -> bool {
        scenario.needs().is_empty() && scenario.steps.iter().all(|step| self.offers_step(step))
    }

    fn offers_step(&self, step: &Step) -> bool {
        match step {
            Step::Connect(connect) => connect.transport == Transport::Ws && connect.path == self.path,
            Step::Send(send) => !texts(send).any(|text| self.is_lacking(&text)),
            Step::Http(_) | Step::HttpStart(_) | Step::HttpFinish(_) => false,
            Step::Expect(_)
            | Step::ExpectClose(_)
            | Step::ExpectSilence(_)
            | Step::Close(_)
            | Step::Drop(_)
            | Step::Sleep(_) => true,
        }
    }

    /// Whether a quoted word in there is a topic that is lacking. An event of such a name counts as well.
    fn is_lacking(&self, text: &str) -> bool {
        text.split(['"', '\'']).any(|word| self.lacks.iter().any(|topic| word.starts_with(topic)))
    }
}

/// All that a step sends, however it is written.
fn texts(send: &Send) -> impl Iterator<Item = String> + '_ {
    let frame = send.frame.iter().flat_map(|frame| [&frame.text, &frame.hex]);
    let single = [&send.text, &send.hex, &send.raw].into_iter().chain(frame).flatten();
    let json = send.json.iter().map(ToString::to_string);
    single.chain(send.batch.iter().flatten()).cloned().chain(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXCERPT: Excerpt = Excerpt { path: "/socket/websocket", lacks: &["exact", "bye:"] };

    fn offers(steps: &str) -> bool {
        let text = format!(r#"{{"name": "x", "about": "", "steps": [{steps}]}}"#);
        EXCERPT.offers(&serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn other_paths_transports_and_requests_are_not_in_it() {
        assert!(offers(r#"{"op": "connect", "conn": "a", "path": "/socket/websocket"}"#));
        assert!(!offers(r#"{"op": "connect", "conn": "a", "path": "/limit_socket/websocket"}"#));
        assert!(!offers(
            r#"{"op": "connect", "conn": "a", "path": "/socket/websocket", "transport": "longpoll"}"#
        ));
        assert!(!offers(r#"{"op": "http", "method": "POST", "path": "/broadcast"}"#));
    }

    #[test]
    fn topic_that_is_lacking_is_found_in_whatever_is_sent() {
        let sends = |what: &str| offers(&format!(r#"{{"op": "send", "conn": "a", {what}}}"#));

        assert!(sends(r#""text": "[\"1\",\"1\",\"room:bye:\",\"phx_join\",{}]""#));
        assert!(!sends(r#""text": "[\"1\",\"1\",\"bye:1\",\"phx_join\",{}]""#));
        assert!(!sends(r#""json": ["1", "1", "exact", "phx_join", {}]"#));
        assert!(!sends(r#""hex": "00 '1' 'bye:1' 'phx_join'""#));
        assert!(!sends(r#""frame": {"opcode": 1, "text": "{\"topic\":\"exact\"}"}"#));
    }
}
