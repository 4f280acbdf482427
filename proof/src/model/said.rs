//! What a server says, as plain values with numbers in the place of ids.

use super::value::{Content, Word};
use bennu_core::Serializer;
use bennu_core::server::{CloseReason, Notice, Reason};

/// A message of the application: a number that was not there before.
pub(crate) type Note = u64;

/// One output. Sockets, channels and calls are numbered as they come to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Said {
    /// A frame for one socket.
    Send { to: usize, heard: Heard },
    /// A broadcast that reaches somebody without a handler in between.
    Fanout {
        topic: String,
        /// How many channels had joined the topic.
        members: usize,
        /// Whether none of them intercepts anything.
        uniform: bool,
        /// The member that is left out.
        from: Option<usize>,
        /// Who hears what, by the number of the socket: the members of a topic are in no order.
        to: Vec<(usize, Heard)>,
    },
    /// A handler is to run.
    Call { socket: usize, channel: usize, call: usize, asked: Asked },
    /// A handler is not to run any more.
    Cancel { socket: usize, call: usize },
    /// A channel is gone.
    Ended { socket: usize, channel: usize },
    /// Reading stops.
    Pause { socket: usize },
    /// Reading goes on.
    Resume { socket: usize },
    /// The first subscriber came, or the last one went.
    Interest { topic: String, wanted: bool },
    /// A socket is to be closed.
    Close {
        to: usize,
        /// The code of the close frame.
        code: u16,
    },
    /// Something to be logged or counted, as it prints.
    Notice { socket: usize, notice: String },
}

/// Which handler is to run, and with what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    /// `join`
    Join { route: u32, topic: String, join_ref: Option<String>, msg_ref: Option<String>, body: Content },
    /// `handle_in`
    In { msg_ref: Option<String>, event: String, body: Content },
    /// `handle_out`
    Out { event: String, body: Content },
    /// `handle_info`, with a broadcast of another topic.
    Broadcast { topic: String, event: String, body: Content },
    /// `handle_info`
    Info(Note),
    /// `terminate`, and why, as the reason prints.
    Terminate(String),
}

impl Asked {
    /// `terminate`
    pub(crate) fn terminate(reason: &Reason) -> Self {
        Self::Terminate(format!("{reason:?}"))
    }
}

/// A frame, as a client decodes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Heard {
    /// In JSON; V1 has none.
    pub(crate) join_ref: Option<String>,
    /// In JSON.
    pub(crate) msg_ref: Option<String>,
    pub(crate) topic: Word,
    /// What it is.
    pub(crate) what: What,
    /// The payload, of a reply its response.
    pub(crate) body: Content,
}

/// What a frame is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// An event.
    Event(String),
    /// A reply with this status.
    Reply(String),
}

impl Heard {
    /// What is left of it on the wire of a serializer; `None` if that cannot carry it at all.
    pub(crate) fn on(mut self, serializer: Serializer) -> Option<Self> {
        match (serializer, &self.body) {
            (Serializer::V1, Content::Bytes(_)) => return None,
            (Serializer::V1, Content::Json(_)) => self.join_ref = None,
            (Serializer::V2, Content::Bytes(_)) => {
                self.join_ref = as_field(self.join_ref.as_deref());
                self.msg_ref = as_field(self.msg_ref.as_deref());
            }
            (Serializer::V2, Content::Json(_)) => {}
            // Without its format, it has nothing to say.
            (Serializer::Custom(_), _) => return None,
        }
        Some(self)
    }

    /// A broadcast.
    pub(crate) fn broadcast(topic: &str, event: &str, body: &Content) -> Self {
        Self {
            join_ref: None,
            msg_ref: None,
            topic: Word::Text(topic.to_owned()),
            what: What::Event(event.to_owned()),
            body: body.clone(),
        }
    }
}

impl Said {
    /// The socket that this is about; an interest is nobody's.
    pub(crate) fn socket(&self) -> Option<usize> {
        match *self {
            Self::Send { to: socket, .. }
            | Self::Close { to: socket, .. }
            | Self::Call { socket, .. }
            | Self::Cancel { socket, .. }
            | Self::Ended { socket, .. }
            | Self::Pause { socket }
            | Self::Resume { socket }
            | Self::Notice { socket, .. } => Some(socket),
            Self::Fanout { .. } | Self::Interest { .. } => None,
        }
    }

    /// Something about a socket is to be logged or counted.
    pub(crate) fn notice(socket: usize, notice: &Notice) -> Self {
        Self::Notice { socket, notice: format!("{notice:?}") }
    }

    /// Closing for this reason.
    pub(crate) fn close(to: usize, reason: CloseReason) -> Self {
        // Phoenix closes with 1011, 1001 and 1012 for these reasons; 1013 is Bennu's own.
        let code = match reason {
            CloseReason::Disconnected => 1001,
            CloseReason::Draining => 1012,
            CloseReason::SlowConsumer => 1013,
            CloseReason::Malformed | CloseReason::Unwritable => 1011,
            other => panic!("a new reason to close: {other:?}"),
        };
        Self::Close { to, code }
    }
}

/// A ref that went as the field of a binary frame: a string, and none if that is empty.
fn as_field(json: Option<&str>) -> Option<String> {
    let text: String = serde_json::from_str(json?).ok()?;
    (!text.is_empty()).then(|| serde_json::Value::from(text).to_string())
}
