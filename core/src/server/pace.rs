//! How fast a client may speak.

use super::dispatch::Incoming;
use super::{Limits, Server};
use crate::event;
use crate::rate::Bucket;

/// What has been too much of a client's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TooFast {
    /// It is one message more than [`Limits::message_rate`] allows.
    Message,
    /// It is one join more than [`Limits::join_rate`] allows.
    Join,
}

/// What is left of its rates to one socket.
#[derive(Debug, Default)]
pub(super) struct Pace {
    messages: Bucket,
    joins: Bucket,
}

impl<H: Clone, I> Server<H, I> {
    /// Whether a message that has just come comes too fast: then it is not acted on, and takes nothing of the rate that
    /// it is past. A join past its own has counted as a message before.
    ///
    /// Heartbeats never do: without an answer, a client ends its connection, and comes back to join all anew. Nor do
    /// leaves, as they give back. Neither counts.
    pub(super) fn pace(&mut self, socket: u32, message: &Incoming<'_>) -> Option<TooFast> {
        let Limits { message_rate, join_rate, .. } = self.mount(socket).limits;
        if (message_rate.is_none() && join_rate.is_none())
            || message.is_heartbeat()
            || message.is(event::LEAVE)
        {
            return None;
        }
        let now = self.now;
        let Pace { messages, joins } = &mut **self.sockets[socket as usize].pace.get_or_insert_default();
        if message_rate.is_some_and(|rate| !messages.take(rate, now)) {
            return Some(TooFast::Message);
        }
        if message.is(event::JOIN) && join_rate.is_some_and(|rate| !joins.take(rate, now)) {
            return Some(TooFast::Join);
        }
        None
    }
}
