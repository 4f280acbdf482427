//! Everything that can happen to a server.

use super::value::{Content, Word};
use bennu_core::Serializer;
use bennu_core::server::{CloseReason, Limits, Reason};
use std::time::Duration;

/// One thing that happens, as written in a script.
///
/// Sockets, channels, calls and so on are chosen by a number among those there are, the newest being 0; a
/// script so stays meaningful when operations are taken out of it. What cannot happen does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A socket connects.
    Connect { serializer: Serializer, mount: usize, id: Option<&'static str> },
    /// A client sends a message, unless reading from it is paused; `Reading::Regardless` is one that had
    /// been read already.
    Say {
        socket: usize,
        join_ref: RefOf,
        msg_ref: RefOf,
        topic: Name,
        event: Name,
        body: Body,
        reading: Reading,
    },
    /// A client sends text that is no message.
    Garble { socket: usize, text: &'static str },
    /// A handler answers a call that waits.
    Answer { call: usize, answer: Answer },
    /// All calls that wait are answered, the oldest first, and those that follow from them.
    AnswerAll,
    /// A call is answered again that has been answered or cancelled.
    AnswerAgain { call: usize, answer: Answer },
    /// A channel pushes.
    Push { channel: usize, event: Name, body: Body },
    /// A deferred reply to a message that reached `handle_in`; from anywhere, any number of times.
    ReplyLater { message: usize, body: Body },
    /// A broadcast.
    Broadcast { topic: Name, event: Name, body: Body, sender: Sender },
    /// A channel subscribes to a further topic.
    Subscribe { channel: usize, topic: Name },
    /// A channel ends its further subscriptions to a topic.
    Unsubscribe { channel: usize, topic: Name },
    /// A message of the application for a channel, now or so many milliseconds later.
    Info { channel: usize, delay: u64 },
    /// A message that was to come later is taken back.
    Cancel { timer: usize },
    /// The server ends a socket.
    Close { socket: usize, reason: CloseReason },
    /// A transport has ended.
    Disconnect { socket: usize },
    /// A transport has ended, and with it whoever ran the handlers.
    Abandon { socket: usize },
    /// Time goes by, in milliseconds.
    Wait { by: u64, timeouts: Timeouts },
    /// The machine is told an old time, or the same again.
    OldClock,
}

/// A run: what the sockets of the first mount may grow, and what happens.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) bounds: Bounds,
    pub(crate) operations: Vec<Operation>,
}

/// Limits, small enough to be hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) max_channels: usize,
    pub(crate) max_terminating: usize,
    pub(crate) max_topic: usize,
    pub(crate) max_event: usize,
    pub(crate) input_messages: usize,
    pub(crate) input_bytes: usize,
    /// In milliseconds.
    pub(crate) overload: u64,
    pub(crate) channel_messages: usize,
    pub(crate) channel_bytes: usize,
}

impl Bounds {
    pub(crate) fn limits(self) -> Limits {
        Limits {
            max_channels: self.max_channels,
            max_terminating: self.max_terminating,
            max_topic: self.max_topic,
            max_event: self.max_event,
            input_messages: self.input_messages,
            input_bytes: self.input_bytes,
            overload: Duration::from_millis(self.overload),
            channel_messages: self.channel_messages,
            channel_bytes: self.channel_bytes,
            ..Limits::default()
        }
    }
}

/// As the code that plays it: what fails becomes a test by copying it.
impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "Script {{\n    bounds: {:?},\n    operations: vec![", self.bounds)?;
        for operation in &self.operations {
            writeln!(f, "        {operation:?},")?;
        }
        f.write_str("    ],\n}")
    }
}

/// A ref or join_ref of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefOf {
    /// What a good client sends. As a ref: a string that was not there before. As a join_ref: of a join the
    /// same as its ref, else that of the socket's last join on the topic.
    Own,
    /// None.
    Null,
    /// Some JSON.
    As(&'static str),
}

/// A topic or an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// A string.
    Text(&'static str),
    /// A string that begins like this, so many bytes long.
    Long(&'static str, usize),
    /// A JSON value that is no string.
    Other(&'static str),
}

/// A payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// `{}`
    Empty,
    /// An object with a number that was not there before.
    Numbered,
    /// The same, so many bytes longer.
    Padded(usize),
    /// Some JSON.
    Json(&'static str),
    /// So many bytes.
    Bytes(u8),
}

/// Whether a message is read while reading is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As the server has asked for.
    Obedient,
    /// Though the server has asked to stop: it was read in the same piece.
    Regardless,
}

/// Who makes a broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// Nobody on the topic.
    Nobody,
    /// A channel, which gets it like others, but in a frame of its own.
    Included(usize),
    /// A channel, which does not get it.
    Excluded(usize),
}

/// What a handler answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// What most handlers of this kind would: a join is accepted, a message is answered, else nothing.
    Usual,
    /// A join is accepted.
    Join,
    /// A join is accepted, and a message is handled next.
    JoinThen,
    /// A join is refused.
    Refuse,
    /// The channel goes on, without a reply.
    Continue,
    /// The channel goes on, with a reply.
    Reply(Body),
    /// The channel stops, without a reply.
    Stop(Why),
    /// The channel stops, with a reply.
    StopReplying(Why),
}

/// Why a channel stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Normal,
    Shutdown,
    ShutdownWith(&'static str),
    Failed(&'static str),
}

impl Why {
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Normal => Reason::Normal,
            Self::Shutdown => Reason::Shutdown,
            Self::ShutdownWith(why) => Reason::ShutdownWith(why.to_owned()),
            Self::Failed(why) => Reason::Crash(why.to_owned()),
        }
    }
}

/// How time goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeouts {
    /// What becomes due is done when it is due.
    Punctual,
    /// The machine is called at the end.
    Late,
}

impl Name {
    /// What stands in the message.
    pub(crate) fn resolve(self) -> Word {
        match self {
            Self::Text(text) => Word::Text(text.to_owned()),
            Self::Long(start, len) => Word::Text(format!("{start}{}", "x".repeat(len - start.len()))),
            Self::Other(json) => Word::Json(json.to_owned()),
        }
    }
}

impl Body {
    /// What stands in the message; `number` is the one that was not there before.
    pub(crate) fn resolve(self, number: u64) -> Content {
        match self {
            Self::Empty => Content::Json("{}".to_owned()),
            Self::Numbered => Content::Json(format!(r#"{{"n":{number}}}"#)),
            Self::Padded(len) => Content::Json(format!(r#"{{"n":{number},"x":"{}"}}"#, "x".repeat(len))),
            Self::Json(json) => Content::Json(json.to_owned()),
            Self::Bytes(len) => Content::Bytes(vec![number.to_le_bytes()[0]; len.into()]),
        }
    }
}
