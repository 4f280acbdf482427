//! From a client's bytes to the handlers, and back into its outbox: no socket call but one, the answer to its request.
//!
//! ```text
//!  bytes ─▶ Door, until the upgrade
//!        ─▶ Connection ─▶ Serializer ─▶ Server ─▶ handlers ─▶ Server ─▶ outboxes
//! ```

use crate::handlers::Handlers;
use crate::node::{Node, Work};
use crate::peer::{Open, Stage};
use crate::upgrade::{Door, Head, Upgrade};
use bennu_core::server::{CloseReason, SocketConfig};
use bennu_core::websocket::{Config, Connection, Event, Output};
use bennu_core::{Frame, Kind};
use std::mem;

/// How many handlers one input may run: what a channel sends itself without end keeps nobody waiting.
const HANDLERS: usize = 512;

pub(crate) struct Service {
    pub(crate) node: Node,
    handlers: Handlers,
    door: Door,
}

impl Service {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, handlers: Handlers::default(), door: Door::new() }
    }

    /// Whether a peer is to be read from now.
    pub(crate) fn listens(&mut self, key: usize) -> bool {
        let now = self.node.now;
        let peer = &mut self.node.peers[key];
        let holds = peer.holds();
        match &mut peer.stage {
            Stage::Head { .. } => true,
            // Its close frame is always heard.
            Stage::Open(open) if holds && !open.connection.is_closing() => {
                open.connection.pause(now);
                peer.held = true;
                false
            }
            Stage::Open(open) => {
                open.connection.resume(now);
                true
            }
            Stage::Ending | Stage::Lost => false,
        }
    }

    /// Takes a read in.
    pub(crate) fn take_in(&mut self, key: usize, bytes: &mut [u8]) {
        let peer = &mut self.node.peers[key];
        if peer.is_open() {
            return self.receive(key, bytes);
        }
        let known = mem::take(&mut peer.input).len();
        match self.door.examine(bytes, known) {
            Head::Partial => peer.input = bytes.to_vec(),
            Head::Refused { answer } => {
                peer.stage = if peer.answer(&answer).is_ok() { Stage::Ending } else { Stage::Lost };
                self.node.mark(key);
            }
            Head::Upgrade(upgrade) => {
                let head = upgrade.len;
                self.open(key, upgrade);
                self.receive(key, &mut bytes[head..]);
            }
        }
    }

    /// The stream becomes a WebSocket, and its client a socket of the server.
    fn open(&mut self, key: usize, upgrade: Upgrade) {
        let Node { server, peers, now, .. } = &mut self.node;
        if peers[key].answer(&upgrade.answer).is_err() {
            return self.lose(key);
        }
        let Upgrade { serializer, params, .. } = upgrade;
        let socket = server.connect(SocketConfig { handle: key, serializer, mount: 0, id: None }, *now);
        let connection = Connection::server(Config::default(), *now);
        peers[key].stage = Stage::Open(Box::new(Open { connection, socket, serializer, params }));
        self.node.drain();
    }

    /// Takes frames in, message by message.
    fn receive(&mut self, key: usize, mut input: &mut [u8]) {
        loop {
            let Node { server, peers, now, reading, .. } = &mut self.node;
            let peer = &mut peers[key];
            let is_stuck = peer.is_stuck();
            let Stage::Open(open) = &mut peer.stage else { return };
            let received = open.connection.receive(input, *now);
            let consumed = received.consumed;
            let message = match received.event {
                Some(Event::Text(text)) => Some(open.serializer.decode_text(text)),
                Some(Event::Binary(data)) => Some(open.serializer.decode(Kind::Binary, data)),
                Some(_) => None,
                None => break,
            };
            match message {
                Some(Ok(message)) => {
                    *reading = Some(open.socket);
                    server.receive(open.socket, &message, *now);
                    self.settle();
                    self.node.reading = None;
                }
                Some(Err(_)) => server.stop(open.socket, CloseReason::Malformed, *now),
                // A pong goes ahead of what is answered behind it. Whoever reads nothing is owed the latest alone.
                None if !is_stuck => {
                    if let Some(pong) = open.connection.take_pong() {
                        peer.outbox.push_control(Frame::control(&pong));
                        self.node.mark(key);
                    }
                }
                None => {}
            }
            input = &mut input[consumed..];
            let peer = &mut self.node.peers[key];
            if peer.holds() && !peer.is_closing() && !input.is_empty() {
                // Too much waits for this client, or for its handlers: the rest of its input waits as well.
                peer.input = input.to_vec();
                break;
            }
        }
        self.settle();
        self.speak(key);
    }

    /// Carries out what a connection wants: pongs, the close frame, the end.
    pub(crate) fn speak(&mut self, key: usize) {
        loop {
            let peer = &mut self.node.peers[key];
            let is_stuck = peer.is_stuck();
            let Stage::Open(open) = &mut peer.stage else { return };
            if is_stuck && !open.connection.is_closing() {
                return; // All there may be is a pong, which the connection keeps.
            }
            match open.connection.poll_output() {
                Some(Output::Send(frame)) => {
                    peer.outbox.push_control(Frame::control(&frame));
                    self.node.mark(key);
                }
                Some(Output::Closed(_)) => {
                    self.node.server.disconnect(open.socket, self.node.now);
                    self.settle();
                }
                Some(Output::End) => {
                    peer.stage = Stage::Ending;
                    self.node.mark(key);
                }
                None => return,
            }
        }
    }

    /// Runs the handlers that the machine asks for, and tells it what they have answered.
    pub(crate) fn settle(&mut self) {
        self.node.drain();
        for _ in 0..HANDLERS {
            let Some(work) = self.node.work.pop_front() else { return };
            match work {
                Work::Call(call, event) => {
                    // One that waits has said when it will answer.
                    if let Some(outcome) = self.handlers.handle(&mut self.node, call, event) {
                        self.node.server.done(call, outcome, self.node.now);
                        self.node.drain();
                    }
                }
                Work::Ended(channel) => self.handlers.forget(channel),
            }
        }
    }

    /// The server has ended sockets: their clients are told why.
    pub(crate) fn close(&mut self) {
        while let Some((key, reason)) = self.node.closed.pop() {
            let now = self.node.now;
            let Stage::Open(open) = &mut self.node.peers[key].stage else { continue };
            open.connection.close(reason.code(), "", now);
            if reason != CloseReason::SlowConsumer {
                self.speak(key);
                self.node.resume(key);
                continue;
            }
            // It would not take a farewell behind all that waits: that is dropped, and the farewell tried once.
            self.node.peers[key].outbox.clear();
            self.speak(key);
            let _ = self.node.peers[key].flush(now);
            self.reset(key);
        }
    }

    /// A peer's stream has ended: nothing comes from it any more.
    pub(crate) fn hang_up(&mut self, key: usize) {
        let now = self.node.now;
        match &mut self.node.peers[key].stage {
            Stage::Open(open) => {
                open.connection.handle_eof(now);
                self.speak(key);
            }
            Stage::Head { .. } | Stage::Ending | Stage::Lost => self.lose(key),
        }
    }

    /// A peer takes nothing: its stream ends at once, with what the system still holds for it.
    fn reset(&mut self, key: usize) {
        self.node.peers[key].abort();
        self.lose(key);
    }

    /// A peer's stream is of no use any more.
    pub(crate) fn lose(&mut self, key: usize) {
        if self.node.peers[key].is_open() {
            self.hang_up(key);
        }
        self.node.peers[key].stage = Stage::Lost;
        self.node.mark(key);
    }

    /// A deadline of a peer may have passed.
    pub(crate) fn expire(&mut self, key: usize) {
        let now = self.node.now;
        let peer = &mut self.node.peers[key];
        let is_over = peer.patience().is_some_and(|until| until <= now) && peer.is_too_slow(now);
        match &mut peer.stage {
            Stage::Head { until } if *until <= now => self.lose(key),
            // It does not take its farewell either.
            Stage::Open(open) if is_over && open.connection.is_closing() => self.reset(key),
            Stage::Open(open) if is_over => {
                self.node.server.stop(open.socket, CloseReason::SlowConsumer, now);
                self.settle();
                self.close();
            }
            Stage::Open(open) => {
                open.connection.handle_timeout(now);
                self.speak(key);
            }
            Stage::Ending if is_over => self.reset(key),
            Stage::Head { .. } | Stage::Ending | Stage::Lost => {}
        }
    }
}
