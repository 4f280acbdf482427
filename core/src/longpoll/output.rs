//! What a session says, and what it is told.

use super::body::Data;
use std::fmt;

/// A `GET` that a session holds. Never used again within the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PollId(pub(super) u64);

/// A `POST` that a session holds. Never used again within the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostId(pub(super) u64);

/// What a [`Session`](super::Session) wants done, in order.
///
/// Exhaustive on purpose: a driver that skips one is broken, and should stop compiling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Frames are there for this poll: call [`Session::take`](super::Session::take) when its answer is handed to
    /// HTTP, no sooner.
    Ready {
        /// The poll.
        poll: PollId,
    },
    /// Answer this poll with [`Answer::Empty`](super::Answer::Empty). It has ended.
    Empty {
        /// The poll.
        poll: PollId,
    },
    /// Decode this and give it to the server, then say
    /// [`handle_accepted`](super::Session::handle_accepted) or
    /// [`handle_malformed`](super::Session::handle_malformed): nothing else is taken before that.
    Receive(Data),
    /// Answer this POST. It has ended.
    Posted {
        /// The POST.
        post: PostId,
        /// What became of it.
        outcome: Posted,
    },
    /// The session is over: its token is dead, and its socket is to be disconnected. Exactly once.
    ///
    /// What was promised is still kept: a poll that is ready may take its frames, a POST has its answer when its
    /// time is up.
    Closed(CloseReason),
    /// Nothing is owed to anybody: drop the session. Nothing follows.
    End,
}

/// What became of a POST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// All its messages were taken: [`Answer::Accepted`](super::Answer::Accepted).
    Accepted,
    /// One was not taken in time, and those behind it are dropped:
    /// [`Answer::TimedOut`](super::Answer::TimedOut).
    TimedOut,
}

/// What became of the answer to a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It was written whole, as far as anybody can see.
    Written,
    /// It was not: its frames go back to the front.
    Cut,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// [`Session::close`](super::Session::close) was called: its socket was disconnected, or the node drains.
    Local,
    /// There was no poll for so long as [`Config::inactive`](super::Config::inactive).
    Inactive,
    /// More waited for a poll than [`Config::max_queue`](super::Config::max_queue).
    SlowConsumer {
        /// What waited behind the first frame, in bytes.
        waiting: usize,
    },
    /// The client has posted what is no message.
    Malformed,
}

/// The session has ended: the request is to be treated as one with a dead token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session has ended")
    }
}

impl std::error::Error for Ended {}

/// A frame is not text: long-polling carries none to the client. A broadcast skips it, a push or a reply is its
/// caller's mistake. (Phoenix puts the raw bytes into a JSON string, and they break there.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotText;

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a binary frame cannot be sent by long-polling")
    }
}

impl std::error::Error for NotText {}
