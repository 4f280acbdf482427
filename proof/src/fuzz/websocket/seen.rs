//! What a connection tells, in order.

use bennu_core::Instant;
use bennu_core::websocket::{CloseReason, Connection, Event, Output};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Sent(Vec<u8>),
    Closed(CloseReason),
    End,
}

impl Seen {
    /// Whether it is what the peer has sent, rather than what it is answered.
    pub(super) fn is_event(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Binary(_) | Self::Ping(_) | Self::Pong(_))
    }
}

/// Hands in one read, and polls outputs after every call.
pub(super) fn receive(connection: &mut Connection, read: &[u8], now: Instant) -> Vec<Seen> {
    let mut seen = Vec::new();
    each(connection, read, now, |connection, event| {
        seen.extend(event);
        seen.extend(outputs(connection));
    });
    seen
}

/// Hands in one read, and leaves the outputs where they are.
pub(super) fn receive_without_polling(connection: &mut Connection, read: &[u8], now: Instant) -> Vec<Seen> {
    let mut seen = Vec::new();
    each(connection, read, now, |_, event| seen.extend(event));
    seen
}

fn each(
    connection: &mut Connection,
    read: &[u8],
    now: Instant,
    mut told: impl FnMut(&mut Connection, Option<Seen>),
) {
    let mut input = read.to_vec();
    let mut consumed = 0;
    loop {
        let received = connection.receive(&mut input[consumed..], now);
        consumed += received.consumed;
        let event = received.event.map(|event| match event {
            Event::Text(text) => Seen::Text(text.to_owned()),
            Event::Binary(bytes) => Seen::Binary(bytes.to_vec()),
            Event::Ping(bytes) => Seen::Ping(bytes.to_vec()),
            Event::Pong(bytes) => Seen::Pong(bytes.to_vec()),
            other => panic!("an event without a rule: {other:?}"),
        });
        let is_last = event.is_none();
        told(connection, event);
        if is_last {
            assert_eq!(consumed, input.len(), "without an event, all is consumed");
            return;
        }
    }
}

/// Polls until nothing is left.
pub(super) fn outputs(connection: &mut Connection) -> Vec<Seen> {
    std::iter::from_fn(|| connection.poll_output())
        .map(|output| match output {
            Output::Send(frame) => Seen::Sent(frame.as_bytes().to_vec()),
            Output::Closed(reason) => Seen::Closed(reason),
            Output::End => Seen::End,
        })
        .collect()
}
