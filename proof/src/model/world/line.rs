//! A WebSocket between a client and the server: every message as masked bytes, in pieces.

use super::translate;
use crate::model::random::Random;
use crate::model::reference::Message;
use crate::model::said::Heard;
use bennu_core::websocket::{CloseReason, Config, Connection, Event, Output};
use bennu_core::{Frame, Instant, Kind, Serializer};
use std::collections::VecDeque;

/// Both ends, and what is between them. Its clock stands still: time is for the server.
#[derive(Debug)]
pub(super) struct Line {
    client: Connection,
    server: Connection,
    /// What the client has sent, and the server has not read.
    up: Vec<u8>,
    sent: VecDeque<Message>,
    /// What the server has written, and the client has not read.
    down: Vec<u8>,
    written: VecDeque<Heard>,
    random: Random,
}

const NOW: Instant = Instant::EPOCH;

impl Line {
    pub(super) fn new(number: usize) -> Self {
        let seed = number as u64;
        Self {
            client: Connection::client(Config::default(), seed, NOW),
            server: Connection::server(Config::default(), NOW),
            up: Vec::new(),
            sent: VecDeque::new(),
            down: Vec::new(),
            written: VecDeque::new(),
            random: Random::new(seed),
        }
    }

    /// The client sends a message.
    pub(super) fn send(&mut self, serializer: Serializer, message: Message) {
        if self.server.is_closing() {
            return;
        }
        let encoded = translate::with_message(&message, |message| serializer.encode_from_client(message));
        let (kind, body) = encoded.expect("scripts contain what a client can send");
        self.client.encode(kind, &body, &mut self.up);
        self.sent.push_back(message);
    }

    /// The server reads what is there, or but for a few bytes; returns the messages in it.
    pub(super) fn deliver(&mut self, serializer: Serializer, whole: bool) -> Vec<Message> {
        let mut messages = Vec::new();
        for mut piece in pieces(&mut self.up, whole, &mut self.random) {
            let mut rest = &mut piece[..];
            loop {
                let received = self.server.receive(rest, NOW);
                let message = match received.event {
                    Some(Event::Text(text)) => serializer.decode_text(text),
                    Some(Event::Binary(bytes)) => serializer.decode(Kind::Binary, bytes),
                    Some(other) => panic!("nobody sent {other:?}"),
                    None => break,
                };
                let message = translate::read(&message.expect("the server understands what it is sent"));
                assert_eq!(Some(&message), self.sent.pop_front().as_ref(), "what is read is what was sent");
                messages.push(message);
                let consumed = received.consumed;
                rest = &mut rest[consumed..];
            }
        }
        assert!(!whole || self.sent.is_empty(), "all bytes are read, but not {:?}", self.sent);
        messages
    }

    /// The client sends text that is no message.
    pub(super) fn garble(&mut self, text: &str) {
        if self.server.is_closing() {
            return;
        }
        let mut bytes = Vec::new();
        self.client.encode(Kind::Text, text.as_bytes(), &mut bytes);
        let received = self.server.receive(&mut bytes, NOW);
        assert_eq!(received.event, Some(Event::Text(text)), "it is text all the same");
    }

    /// The server writes a frame.
    pub(super) fn write(&mut self, frame: &Frame, heard: &Heard) {
        self.down.extend_from_slice(frame.as_websocket());
        self.written.push_back(heard.clone());
    }

    /// The client reads.
    pub(super) fn hear(&mut self, serializer: Serializer) {
        let whole = self.random.below(4) > 0;
        self.read(serializer, whole);
    }

    /// The server closes; both ends agree why.
    pub(super) fn close(&mut self, serializer: Serializer, code: u16) {
        self.server.close(code, "", NOW);
        let Some(Output::Send(close)) = self.server.poll_output() else { panic!("a close frame is sent") };
        self.down.extend_from_slice(close.as_bytes());
        self.read(serializer, true);
        let mut outputs = std::iter::from_fn(|| self.client.poll_output());
        let Some(Output::Send(answer)) = outputs.next() else { panic!("a close frame is answered") };
        assert_eq!(outputs.next(), Some(Output::Closed(CloseReason::Peer { code: Some(code) })));
        // What the client had sent meanwhile is read over.
        self.up.extend_from_slice(answer.as_bytes());
        self.sent.clear();
        assert_eq!(self.deliver(serializer, true), []);
        assert!(self.server.is_closed(), "both close frames have been seen");
    }

    fn read(&mut self, serializer: Serializer, whole: bool) {
        for mut piece in pieces(&mut self.down, whole, &mut self.random) {
            let mut rest = &mut piece[..];
            loop {
                let received = self.client.receive(rest, NOW);
                let incoming = match received.event {
                    Some(Event::Text(text)) => serializer.decode_from_server(Kind::Text, text.as_bytes()),
                    Some(Event::Binary(bytes)) => serializer.decode_from_server(Kind::Binary, bytes),
                    Some(other) => panic!("nobody sent {other:?}"),
                    None => break,
                };
                let heard = translate::from_incoming(incoming.expect("a client understands what it is sent"));
                assert_eq!(Some(heard), self.written.pop_front(), "what is heard is what was written");
                let consumed = received.consumed;
                rest = &mut rest[consumed..];
            }
        }
        assert!(!whole || self.written.is_empty(), "all bytes are read, but not {:?}", self.written);
    }
}

/// Takes bytes out in pieces, all of them, or but for a few.
fn pieces(bytes: &mut Vec<u8>, whole: bool, random: &mut Random) -> Vec<Vec<u8>> {
    let left = if whole { 0 } else { random.below(40) };
    let rest = bytes.split_off(bytes.len().saturating_sub(left));
    let mut taken = std::mem::replace(bytes, rest);
    let most = [1, 3, 200, 10_000][random.below(4)];
    let mut pieces = Vec::new();
    while !taken.is_empty() {
        let rest = taken.split_off((1 + random.below(most)).min(taken.len()));
        pieces.push(std::mem::replace(&mut taken, rest));
    }
    pieces
}
