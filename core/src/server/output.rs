//! What a server says, and what it is told.

use super::broadcast::Fanout;
use super::id::{CallId, ChannelId, SocketId};
use super::pace::TooFast;
use crate::router::RouteId;
use crate::{EventName, Frame, Payload, Ref, Topic};

/// What a [`Server`](super::Server) wants done, in order.
///
/// Exhaustive on purpose: a driver that skips one is broken, and should stop compiling.
#[derive(Debug)]
pub enum Output<I> {
    /// Append this frame to one socket's outbox.
    Send {
        /// The socket.
        to: SocketId,
        /// What to send.
        frame: Frame,
    },
    /// Append a broadcast to the outbox of each of [`Server::recipients`](super::Server::recipients).
    Fanout(Fanout),
    /// Run a handler; the channel is busy until [`Server::done`](super::Server::done).
    Call {
        /// The socket whose task runs it.
        socket: SocketId,
        /// What `done` is called with; names the channel.
        call: CallId,
        /// Which handler, and with what.
        event: Event<I>,
    },
    /// Drop a handler that still runs; its `done` would be ignored.
    Cancel {
        /// The socket whose task runs it.
        socket: SocketId,
        /// Which run.
        call: CallId,
    },
    /// The channel is gone: drop its state. Its timers and subscriptions have ended.
    Ended {
        /// The socket whose task holds the state.
        socket: SocketId,
        /// The channel.
        channel: ChannelId,
    },
    /// Stop reading from this socket: too much of what it sent waits for handlers.
    Pause {
        /// The socket.
        socket: SocketId,
    },
    /// Read from this socket again.
    Resume {
        /// The socket.
        socket: SocketId,
    },
    /// The first subscriber of a topic came, or the last one went.
    Interest {
        /// The topic.
        topic: Topic,
        /// Whether anybody is subscribed now.
        wanted: bool,
    },
    /// Take note, for a log or a counter: nothing has to be done.
    Notice {
        /// The socket.
        socket: SocketId,
        /// What is worth a note.
        notice: Notice,
    },
    /// End the transport; no output for this socket follows but those of its handlers.
    ///
    /// [`Server::disconnect`](super::Server::disconnect) must still be called when it has ended.
    Close {
        /// The socket.
        to: SocketId,
        /// Why.
        reason: CloseReason,
    },
}

/// Which handler to run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<I> {
    /// `join`: answer with [`Outcome::Joined`] or [`Outcome::Refused`].
    Join {
        /// Whose channel it is.
        route: RouteId,
        /// The topic.
        topic: Topic,
        /// As it was sent.
        join_ref: Option<Ref>,
        /// As it was sent.
        msg_ref: Option<Ref>,
        /// The join's payload.
        payload: Payload,
    },
    /// `handle_in`: the client sent something.
    In {
        /// What the reply carries.
        msg_ref: Option<Ref>,
        /// The event. One that was no string is its JSON text, which no handler knows.
        event: EventName,
        /// The payload.
        payload: Payload,
    },
    /// `handle_out`: a broadcast of this topic that the channel intercepts.
    Out {
        /// The event.
        event: EventName,
        /// The payload.
        payload: Payload,
    },
    /// `handle_info`: a broadcast of a further topic that the channel subscribed to.
    Broadcast {
        /// The topic it was made on.
        topic: Topic,
        /// The event.
        event: EventName,
        /// The payload.
        payload: Payload,
    },
    /// `handle_info`: a message from the application, or a timer's.
    Info(I),
    /// `terminate`: the channel ends.
    Terminate(Reason),
}

/// What a handler answered. Frames are encoded by the driver, outside of every lock.
#[derive(Debug)]
pub enum Outcome<I> {
    /// The join is accepted: the reply, and a message that the channel handles before all others.
    Joined {
        /// The reply to the join.
        reply: Frame,
        /// Handled right after the reply.
        next: Option<I>,
    },
    /// The join is refused.
    Refused {
        /// The reply to the join.
        reply: Frame,
    },
    /// The handler is done, and the channel goes on.
    Continue {
        /// The reply, if there is one.
        reply: Option<Frame>,
    },
    /// The channel stops.
    Stop {
        /// The reply, if there is one.
        reply: Option<Frame>,
        /// Why: [`Reason::Crash`] ends with `phx_error`, all others with `phx_close`.
        reason: Reason,
    },
}

impl<I> Outcome<I> {
    /// The handler crashed, for what it says.
    pub fn crashed(why: impl Into<String>) -> Self {
        Self::Stop { reply: None, reason: Reason::Crash(why.into()) }
    }

    /// Whether the handler crashed, or stopped its channel as if it had.
    #[must_use]
    pub fn is_crash(&self) -> bool {
        matches!(self, Self::Stop { reason: Reason::Crash(_), .. })
    }
}

/// Why a channel ended: what `terminate` is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The client left.
    Left,
    /// The connection went away, for whatever reason.
    Closed,
    /// The server drains.
    Draining,
    /// The channel stopped by itself: Phoenix's `:normal`.
    Normal,
    /// The channel stopped by itself: Phoenix's `:shutdown`. The client sees no difference.
    Shutdown,
    /// The channel stopped by itself, and says why: Phoenix's `{:shutdown, why}`.
    ShutdownWith(String),
    /// The channel failed, for what the text says: an error or a panic.
    Crash(String),
}

impl Reason {
    /// Whether the client sees `phx_close` rather than `phx_error`.
    #[must_use]
    pub fn is_graceful(&self) -> bool {
        !matches!(self, Self::Crash(_))
    }
}

/// What an operator may want to know of: limits that a client has met, and joins that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A join was answered `unmatched topic`.
    Unmatched {
        /// `None` if it was no string.
        topic: Option<Topic>,
    },
    /// A join was answered `too many channels joined`: [`Limits::max_channels`](super::Limits::max_channels).
    TooManyChannels {
        /// The topic.
        topic: Topic,
    },
    /// A join ends the channel that the socket had of the topic.
    Duplicate {
        /// The topic.
        topic: Topic,
    },
    /// A join waits until fewer terminates run: [`Limits::max_terminating`](super::Limits::max_terminating).
    Held {
        /// The topic.
        topic: Topic,
    },
    /// A message was answered `rate limit`.
    TooFast(TooFast),
    /// A message was answered `topic too long`: [`Limits::max_topic`](super::Limits::max_topic).
    TopicTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A message was answered `event too long`: [`Limits::max_event`](super::Limits::max_event).
    EventTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// Reading has paused for too long, and the channel with most of what waits ends:
    /// [`Limits::overload`](super::Limits::overload).
    Overloaded {
        /// Its topic.
        topic: Topic,
    },
    /// Too many broadcasts and messages of the application wait at a channel, which ends:
    /// [`Limits::channel_messages`](super::Limits::channel_messages), or its bytes.
    ChannelFull {
        /// Its topic.
        topic: Topic,
    },
}

/// Why a server ends a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// `disconnect` was broadcast to its id.
    Disconnected,
    /// The node restarts.
    Draining,
    /// It takes its messages too slowly.
    SlowConsumer,
    /// It sent what is no message.
    Malformed,
    /// Its serializer, one of the application's own, cannot write a message of the protocol.
    Unwritable,
}

impl CloseReason {
    /// The code of the close frame.
    ///
    /// Source: what Phoenix closes with for a `disconnect` broadcast, a drain, and a message that it cannot
    /// decode or encode; 1013 ("try again later") is Bennu's own.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Disconnected => 1001,
            Self::Draining => 1012,
            Self::SlowConsumer => 1013,
            Self::Malformed | Self::Unwritable => 1011,
        }
    }
}

/// The channel has ended, or the socket has: nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended;

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the channel has ended")
    }
}

impl std::error::Error for Ended {}

/// A message for a channel that has ended: it comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undelivered<I>(pub I);
