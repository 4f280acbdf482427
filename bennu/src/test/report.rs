//! What a failure tells besides what was expected: who waits, and for what; what has crashed.

use super::line::{Ended, Line};
use super::runtime::VirtualRuntime;
use crate::watch::{Crash, Register};
use bennu_core::Instant;
use std::fmt;

/// What may explain why something has not come.
#[derive(Debug, Default)]
pub(super) struct Report {
    crashes: Vec<String>,
    handlers: Vec<String>,
    tasks: Vec<String>,
    connections: Vec<String>,
    strays: Vec<String>,
    /// Something waits, and not for virtual time.
    is_outside: bool,
}

impl Report {
    pub(super) fn new(runtime: &VirtualRuntime, register: &Register, lines: &[Line]) -> Self {
        let now = runtime.time();
        let mut report = Self::default();
        report.crashes.extend(register.crashes.iter().map(crashed));
        for channel in &register.channels {
            let Some(handler) = &channel.running else { continue };
            let wait = report.wait(handler.sleeps_until, now);
            let (of, name, topic) = (channel.type_name, &handler.name, &channel.topic);
            report.handlers.push(format!("{of}::{name} on {topic:?} {wait}"));
        }
        for waiting in runtime.waiting() {
            let wait = report.wait(waiting.sleeps_until, now);
            report.tasks.push(format!("one {wait}"));
        }
        for Line { path, ended, strays, .. } in lines {
            match ended {
                None => {}
                Some(Ended::ByClient) => report.connections.push(format!("{path}, by the client")),
                Some(Ended::ByServer(Some(code))) => {
                    report.connections.push(format!("{path}, by the server with {code}"));
                }
                Some(Ended::ByServer(None)) => {
                    report.connections.push(format!("{path}, by the server without a close frame"));
                }
            }
            report.strays.extend(strays.iter().map(|(topic, arrival)| format!("{topic:?}: {arrival}")));
        }
        report
    }

    fn wait(&mut self, sleeps_until: Option<Instant>, now: Instant) -> String {
        let Some(until) = sleeps_until else {
            self.is_outside = true;
            return "waits, and not for virtual time".to_owned();
        };
        format!("sleeps for another {:?}", until.duration_since(now))
    }
}

/// A crash in one line.
pub(super) fn crashed(crash: &Crash) -> String {
    let Crash { topic, type_name, handler, why, .. } = crash;
    format!("{type_name}::{handler} on {topic:?}: {why}")
}

/// What virtual time cannot bring.
const OUTSIDE: &str = "\nWhat waits, and not for virtual time, waits for another handler or task, or for something \
     outside of the harness: a socket, a thread, another runtime's sleep. Time moves by `advance`, for `ctx.sleep` \
     and `ctx.notify_after`.";

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("crashed", &self.crashes),
            ("handlers that have not returned", &self.handlers),
            ("tasks of `ctx.spawn` and carried clients that have not ended", &self.tasks),
            ("connections that are closed", &self.connections),
            ("came for no channel of its client", &self.strays),
        ];
        for (title, lines) in parts.into_iter().filter(|(_, lines)| !lines.is_empty()) {
            write!(f, "\n{title}:")?;
            lines.iter().try_for_each(|line| write!(f, "\n  {line}"))?;
        }
        f.write_str(if self.is_outside { OUTSIDE } else { "" })
    }
}
