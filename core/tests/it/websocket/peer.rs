//! A peer that sends what it is told, and a record of what the connection makes of it.

use bennu_core::Instant;
use bennu_core::websocket::{CloseReason, Config, Connection, Event, Output, Violation};
use std::time::Duration;

pub(super) const T0: Instant = Instant::EPOCH;
pub(super) const KEY: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

pub(super) const CONTINUATION: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// What a connection told, in order.
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

pub(super) fn server() -> Connection {
    Connection::server(Config::default(), T0)
}

pub(super) fn client() -> Connection {
    Connection::client(Config::default(), 7, T0)
}

pub(super) fn at(millis: u64) -> Instant {
    T0 + Duration::from_millis(millis)
}

/// A final frame as a client sends it.
pub(super) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    frame(0x80 | opcode, payload, Some(KEY))
}

/// A fragment that others follow, as a client sends it.
pub(super) fn fragment(opcode: u8, payload: &[u8]) -> Vec<u8> {
    frame(opcode, payload, Some(KEY))
}

/// A final frame as a server sends it.
pub(super) fn plain(opcode: u8, payload: &[u8]) -> Vec<u8> {
    frame(0x80 | opcode, payload, None)
}

/// A frame with this first byte.
pub(super) fn frame(first: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let form = match payload.len() {
        short @ 0..=125 => short as u8,
        126..=0xffff => 126,
        _ => 127,
    };
    frame_with_form(first, form, payload.len() as u64, payload, mask)
}

/// A frame whose length is announced in a chosen form: 126 for two bytes, 127 for eight.
pub(super) fn frame_with_form(
    first: u8,
    form: u8,
    len: u64,
    payload: &[u8],
    mask: Option<[u8; 4]>,
) -> Vec<u8> {
    let mut bytes = vec![first, form | if mask.is_some() { 0x80 } else { 0 }];
    match form {
        126 => bytes.extend((len as u16).to_be_bytes()),
        127 => bytes.extend(len.to_be_bytes()),
        _ => {}
    }
    let key = mask.unwrap_or_default();
    bytes.extend(mask.iter().flatten());
    bytes.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]));
    bytes
}

/// The payload of a close frame.
pub(super) fn close_payload(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), reason].concat()
}

/// Hands in one read, polling outputs after every call.
pub(super) fn receive(connection: &mut Connection, bytes: &[u8], now: Instant) -> Vec<Seen> {
    let mut input = bytes.to_vec();
    let mut seen = Vec::new();
    let mut consumed = 0;
    loop {
        let received = connection.receive(&mut input[consumed..], now);
        consumed += received.consumed;
        let event = received.event.map(|event| match event {
            Event::Text(text) => Seen::Text(text.to_owned()),
            Event::Binary(bytes) => Seen::Binary(bytes.to_vec()),
            Event::Ping(bytes) => Seen::Ping(bytes.to_vec()),
            Event::Pong(bytes) => Seen::Pong(bytes.to_vec()),
            other => panic!("an event that no test knows: {other:?}"),
        });
        let done = event.is_none();
        seen.extend(event);
        seen.extend(outputs(connection));
        if done {
            assert_eq!(consumed, input.len(), "without an event, all is consumed");
            return seen;
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

/// What a server tells when its peer breaks a rule.
pub(super) fn refusal(violation: Violation) -> Vec<Seen> {
    let close = plain(CLOSE, &close_payload(violation.code(), b""));
    vec![Seen::Sent(close), Seen::Closed(CloseReason::Violation(violation))]
}

/// The violation that these bytes are to a server with this configuration.
pub(super) fn violation(config: Config, bytes: &[u8]) -> Option<Violation> {
    let mut connection = Connection::server(config, T0);
    receive(&mut connection, bytes, T0).into_iter().find_map(|seen| {
        if let Seen::Closed(CloseReason::Violation(violation)) = seen { Some(violation) } else { None }
    })
}
