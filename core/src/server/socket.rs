//! One socket: a connection and its channels.

use super::mailbox::Load;
use super::output::{CloseReason, Reason};
use super::pace::Pace;
use super::topics::TopicKey;
use crate::Instant;
use crate::wire::Serializer;
use smallvec::SmallVec;

/// A socket as the server keeps it.
#[derive(Debug)]
pub(super) struct Socket<H> {
    pub(super) serial: u64,
    pub(super) handle: H,
    pub(super) serializer: Serializer,
    pub(super) life: Life,
    /// Why the server has ended it, if it was the server.
    pub(super) stopped: Option<CloseReason>,
    /// Which mount's routes and limits hold.
    pub(super) mount: u16,
    /// The topic that is its id, if it has one.
    pub(super) id: Option<TopicKey>,
    /// Its channels, one a topic: those that a message can reach. No map: there are a handful.
    pub(super) channels: SmallVec<[u32; 2]>,
    /// Channels that have closed and whose `terminate` still runs.
    pub(super) terminating: u32,
    /// What of the client's input waits for handlers, if any does.
    pub(super) waiting: Option<Box<Waiting>>,
    /// What is left of its rates, if it has any and has sent something.
    pub(super) pace: Option<Box<Pace>>,
}

/// Input that waits, over all channels of a socket.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) load: Load,
    /// Set while reading pauses: when the fullest channel is ended.
    pub(super) overload: Option<Overload>,
}

impl<H> Socket<H> {
    /// What its channels are told when they end with it.
    pub(super) fn ending(&self) -> Reason {
        if self.stopped == Some(CloseReason::Draining) { Reason::Draining } else { Reason::Closed }
    }
}

/// Reading pauses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overload {
    pub(super) until: Instant,
    pub(super) number: u64,
}

/// Where a socket is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// Messages go both ways.
    Open,
    /// The server has asked for its end; nothing is sent to it or taken from it.
    Closing,
    /// The transport has gone; what its channels still do is brought to an end.
    Gone,
}
