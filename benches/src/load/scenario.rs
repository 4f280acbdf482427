//! The loads, and how each is measured.

mod connect;
mod echo;
mod fanout;
mod latency;
mod memory;
mod meter;
mod tls;
mod topics;

use super::figures::Reading;
use super::population::PopulationError;
use super::server_process::ServerProcess;
use super::session::Session;
use crate::floor::Writes;
use std::rc::Rc;
use std::time::Duration;

/// A load of a certain size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    /// Connections that upgrade, then join, in topics of five.
    Connect { connections: usize },
    /// One topic; one of its subscribers pushes `burst` broadcasts in one write, and the next when all have come.
    Fanout { subscribers: usize, burst: u32, rounds: u32 },
    /// Many small topics, `in_flight` broadcasts under way at any time.
    Topics { topics: usize, members: usize, in_flight: usize, messages: usize },
    /// Each connection has `in_flight` pushes under way, and sends as many as it gets replies.
    Echo { connections: usize, in_flight: u32, echoes: u32 },
    /// Connections that do nothing, and what a burst leaves behind.
    Memory { connections: usize, settle: Duration },
    /// Connections over TLS that do nothing.
    Tls { connections: usize, settle: Duration },
    /// Somebody else's echo while broadcasts run back to back.
    Latency { subscribers: usize, rounds: u32 },
}

/// What carries the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Plain,
    Tls,
}

const TOPIC_MEMBERS: usize = 5;

impl Scenario {
    /// All of them, at the sizes that the budgets are about.
    pub(super) const FULL: &[Self] = &[
        Self::Connect { connections: 5_000 },
        Self::Fanout { subscribers: 5_000, burst: 1, rounds: 200 },
        Self::Fanout { subscribers: 1_000, burst: 10, rounds: 200 },
        Self::Fanout { subscribers: 3_000, burst: 10, rounds: 70 },
        Self::Fanout { subscribers: 1_000, burst: 100, rounds: 100 },
        Self::Fanout { subscribers: 3_000, burst: 100, rounds: 40 },
        Self::Topics { topics: 2_000, members: TOPIC_MEMBERS, in_flight: 200, messages: 40_000 },
        Self::Echo { connections: 1_000, in_flight: 1, echoes: 200 },
        Self::Echo { connections: 1_000, in_flight: 4, echoes: 400 },
        Self::Latency { subscribers: 5_000, rounds: 150 },
        Self::Memory { connections: 10_000, settle: Duration::from_secs(2) },
        Self::Tls { connections: 10_000, settle: Duration::from_secs(2) },
    ];

    /// All of them, small: enough to see whether a frame is lost.
    pub(super) const QUICK: &[Self] = &[
        Self::Connect { connections: 500 },
        Self::Fanout { subscribers: 500, burst: 1, rounds: 20 },
        Self::Fanout { subscribers: 500, burst: 10, rounds: 10 },
        Self::Fanout { subscribers: 500, burst: 100, rounds: 5 },
        Self::Topics { topics: 100, members: TOPIC_MEMBERS, in_flight: 20, messages: 2_000 },
        Self::Echo { connections: 200, in_flight: 1, echoes: 20 },
        Self::Echo { connections: 200, in_flight: 4, echoes: 40 },
        Self::Latency { subscribers: 500, rounds: 20 },
        Self::Memory { connections: 500, settle: Duration::from_millis(100) },
        Self::Tls { connections: 100, settle: Duration::from_millis(100) },
    ];

    /// The word that selects it on the command line.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect",
            Self::Fanout { burst: 1, .. } => "fanout",
            Self::Fanout { .. } => "burst",
            Self::Topics { .. } => "topics",
            Self::Echo { .. } => "echo",
            Self::Memory { .. } => "memory",
            Self::Tls { .. } => "tls",
            Self::Latency { .. } => "latency",
        }
    }

    /// What the table calls it.
    pub(super) fn title(self) -> String {
        match self {
            Self::Connect { connections } => format!("connect {connections}"),
            Self::Fanout { subscribers, burst: 1, .. } => format!("fanout {subscribers}"),
            Self::Fanout { subscribers, burst, .. } => format!("burst {burst} to {subscribers}"),
            Self::Topics { topics, members, in_flight, .. } => {
                format!("topics {topics} of {members}, {in_flight} in flight")
            }
            Self::Echo { connections, in_flight, .. } => format!("echo {connections}, {in_flight} in flight"),
            Self::Memory { connections, .. } => format!("memory {connections}"),
            Self::Tls { connections, .. } => format!("memory {connections} over TLS"),
            Self::Latency { subscribers, .. } => format!("latency beside fanout {subscribers}"),
        }
    }

    /// The floor that it is held against: the one with the fewer system calls where there are two, none where the
    /// floor cannot play.
    pub(super) fn floor(self) -> Option<Writes> {
        match self {
            Self::Fanout { burst: 2.., .. } | Self::Memory { .. } => Some(Writes::Coalesced),
            Self::Fanout { .. }
            | Self::Connect { .. }
            | Self::Topics { .. }
            | Self::Echo { .. }
            | Self::Latency { .. } => Some(Writes::Direct),
            Self::Tls { .. } => None,
        }
    }

    /// What carries its frames.
    pub(super) fn wire(self) -> Wire {
        match self {
            Self::Tls { .. } => Wire::Tls,
            Self::Connect { .. }
            | Self::Fanout { .. }
            | Self::Topics { .. }
            | Self::Echo { .. }
            | Self::Memory { .. }
            | Self::Latency { .. } => Wire::Plain,
        }
    }

    /// Puts the load on a server that has just started.
    ///
    /// # Errors
    /// [`PopulationError`] if a frame is lost, repeated or late.
    pub(super) fn play(self, server: &ServerProcess) -> Result<Vec<Reading>, PopulationError> {
        match self {
            Self::Connect { connections } => connect::play(server, connections),
            Self::Fanout { subscribers, burst, rounds } => fanout::play(server, subscribers, burst, rounds),
            Self::Topics { topics, members, in_flight, messages } => {
                topics::play(server, topics, members, in_flight, messages)
            }
            Self::Echo { connections, in_flight, echoes } => {
                echo::play(server, connections, in_flight, echoes)
            }
            Self::Memory { connections, settle } => memory::play(server, connections, settle),
            Self::Tls { connections, settle } => tls::play(server, connections, settle),
            Self::Latency { subscribers, rounds } => latency::play(server, subscribers, rounds),
        }
    }
}

fn one_topic(name: &str, members: usize) -> Vec<Rc<Session>> {
    let session = Rc::new(Session::new(name));
    vec![session; members]
}

fn topics_of(topics: usize, members: usize) -> Vec<Rc<Session>> {
    (0..topics).flat_map(|topic| one_topic(&format!("topic-{topic}"), members)).collect()
}
