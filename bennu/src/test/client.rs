//! A connected client.

use super::expect;
use super::joining::{JoinError, Joining};
use super::line::Ended;
use super::listener::Listener;
use super::member::Member;
use super::node::Node;
use crate::Payload;
use bennu_core::IntoPayload;
use std::fmt;
use std::rc::Rc;

/// A client that is connected. It sends a heartbeat every 30 s of virtual time, as phoenix.js does, and is connected
/// until it closes, the endpoint closes it, or the harness is dropped: also when nothing holds this value any more.
pub struct Client {
    node: Rc<Node>,
    line: usize,
}

impl Client {
    pub(super) fn new(node: &Rc<Node>, line: usize) -> Self {
        Self { node: Rc::clone(node), line }
    }

    /// Joins a topic, by the routes of the socket: the member, and the response.
    ///
    /// # Errors
    /// [`JoinError`] if the join is refused, or crashes.
    ///
    /// # Panics
    /// If the join is not answered (see [`begin_join`](Self::begin_join) for one that takes time), and if the
    /// connection has ended.
    ///
    /// Source: `Phoenix.ChannelTest.join/3`.
    #[track_caller]
    pub fn join(&self, topic: &str, payload: impl IntoPayload) -> Result<(Member, Payload), JoinError> {
        self.begin_join(topic, payload).answer()
    }

    /// Subscribes the test to a topic, and joins it: the member hears broadcasts then
    /// ([`Member::assert_broadcast`]).
    ///
    /// # Errors
    /// As [`join`](Self::join).
    ///
    /// # Panics
    /// As [`join`](Self::join).
    ///
    /// Source: `Phoenix.ChannelTest.subscribe_and_join/3`.
    #[track_caller]
    pub fn subscribe_and_join(
        &self,
        topic: &str,
        payload: impl IntoPayload,
    ) -> Result<(Member, Payload), JoinError> {
        let listener = Listener::new(&self.node, topic);
        self.start(topic, payload, Some(listener)).answer()
    }

    /// Sends a join, and does not ask for its answer yet: for a join that takes time.
    ///
    /// # Panics
    /// If the connection has ended.
    #[track_caller]
    pub fn begin_join(&self, topic: &str, payload: impl IntoPayload) -> Joining {
        self.start(topic, payload, None)
    }

    #[track_caller]
    fn start(&self, topic: &str, payload: impl IntoPayload, listener: Option<Listener>) -> Joining {
        let payload = expect::payload(payload);
        let seat = self.node.line(self.line, |line| match line.ended {
            None => line.join(topic, &payload),
            Some(_) => Err("the connection is closed".to_owned()),
        });
        self.node.run();
        match seat {
            Ok(seat) => {
                Joining::new(Member::new(&self.node, self.line, seat, listener), &self.node, self.line, seat)
            }
            Err(why) => panic!("{topic:?} cannot be joined: {why}{}", self.node.report()),
        }
    }

    /// Closes the connection, as a client does. The `terminate` of its channels gets
    /// [`Reason::Closed`](crate::Reason::Closed).
    #[track_caller]
    pub fn close(&self) {
        let now = self.node.runtime.time();
        self.node.line(self.line, |line| line.close(now));
        self.node.run();
    }

    /// Whether the connection is open.
    #[track_caller]
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.node.ended(self.line).is_none()
    }

    /// Asserts that the endpoint has closed the connection, with this close code: 1001 by
    /// [`Endpoint::disconnect`](crate::Endpoint::disconnect), 1012 when it drains.
    ///
    /// # Panics
    /// If it has not.
    #[track_caller]
    pub fn assert_closed(&self, code: u16) {
        let ended = self.node.ended(self.line);
        if ended != Some(Ended::ByServer(Some(code))) {
            let state = if ended.is_none() { "; it is open" } else { "" };
            panic!("expected the connection to be closed with {code}{state}{}", self.node.report());
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("path", &self.node.lines.borrow()[self.line].path)
            .finish_non_exhaustive()
    }
}
