//! From a client's bytes to the handlers, and back into its outbox: no socket call.
//!
//! ```text
//!  bytes ─▶ Door, until the upgrade
//!        ─▶ Connection ─▶ Serializer ─▶ Server ─▶ handlers ─▶ Server ─▶ outboxes
//! ```

use crate::handlers::{self, Handlers};
use crate::node::{Node, Work};
use crate::peer::{End, Open, Peer, Stage};
use crate::start;
use crate::timers::Timers;
use crate::upgrade::{Door, Head, Upgrade};
use bennu_core::server::{CloseReason, SocketConfig};
use bennu_core::websocket::{Config, Connection, Event, Output};
use bennu_core::{Frame, Kind};
use std::mem;

/// How many handlers one input may run: what a channel sends itself without end keeps nobody waiting.
const HANDLERS: usize = 512;

/// A server without its streams: a loop has these, and calls them by the numbers that it gets here.
pub struct Service {
    pub(crate) node: Node,
    handlers: Handlers,
    door: Door,
    pub(crate) timers: Timers,
}

impl Default for Service {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("timers", &self.timers).finish_non_exhaustive()
    }
}

impl Service {
    /// The application, with nobody there yet.
    #[must_use]
    pub fn new() -> Self {
        let node = Node::new(handlers::server(start::hash_key()));
        Self { node, handlers: Handlers::default(), door: Door::new(), timers: Timers::new() }
    }

    /// Somebody has come, and gets a number; one that has gone may have had it.
    pub fn connect(&mut self) -> usize {
        let key = self.node.peers.insert(Peer::new(self.node.now));
        self.arm(key);
        key
    }

    /// The next of those that may be read from again, or go on with what was read.
    pub fn next_ready(&mut self) -> Option<usize> {
        self.node.ready.pop_front()
    }

    /// How many of them there are.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.node.ready.len()
    }

    /// Has a peer read from, in its turn.
    pub fn make_ready(&mut self, key: usize) {
        self.node.ready.push_back(key);
    }

    /// Whether a peer is there, and is to be read from now. If not, it will be ready when it is.
    pub fn listens(&mut self, key: usize) -> bool {
        let now = self.node.now;
        let Some(peer) = self.node.peers.get_mut(key) else { return false };
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
            Stage::Ending | Stage::Farewell | Stage::Lost(_) => false,
        }
    }

    /// Takes up what was read already, while it was not to be taken in; whether there was any.
    pub fn take_kept(&mut self, key: usize) -> bool {
        let Some(peer) = self.node.peers.get_mut(key).filter(|peer| peer.is_open()) else { return false };
        if peer.input.is_empty() {
            return false;
        }
        let mut kept = mem::take(&mut peer.input);
        self.receive(key, &mut kept);
        true
    }

    /// Takes a read in.
    pub fn take_in(&mut self, key: usize, bytes: &mut [u8]) {
        let peer = &mut self.node.peers[key];
        match &peer.stage {
            // It was under way already when there was too much.
            Stage::Open(_) if (peer.holds() && !peer.is_closing()) || !peer.input.is_empty() => {
                peer.input.extend_from_slice(bytes);
            }
            Stage::Open(_) => self.receive(key, bytes),
            Stage::Head { .. } if peer.input.is_empty() => self.examine(key, bytes, 0),
            Stage::Head { .. } => {
                let mut head = mem::take(&mut peer.input);
                let known = head.len();
                head.extend_from_slice(bytes);
                self.examine(key, &mut head, known);
            }
            Stage::Ending | Stage::Farewell | Stage::Lost(_) => {}
        }
    }

    /// Looks at a request head from its first byte on; so many were known before.
    fn examine(&mut self, key: usize, bytes: &mut [u8], known: usize) {
        let peer = &mut self.node.peers[key];
        match self.door.examine(bytes, known) {
            Head::Partial => peer.input = bytes.to_vec(),
            Head::Refused { answer } => {
                peer.answer(answer);
                peer.stage = Stage::Ending;
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
        let Upgrade { answer, serializer, params, .. } = upgrade;
        peers[key].answer(answer);
        let socket = server.connect(SocketConfig { handle: key, serializer, mount: 0, id: None }, *now);
        let connection = Connection::server(Config::default(), *now);
        peers[key].stage = Stage::Open(Box::new(Open { connection, socket, serializer, params }));
        self.node.mark(key);
        self.node.drain();
    }

    /// Takes frames in, message by message.
    fn receive(&mut self, key: usize, mut input: &mut [u8]) {
        loop {
            let Node { server, peers, now, cause, .. } = &mut self.node;
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
                    *cause = Some(open.socket);
                    server.receive(open.socket, &message, *now);
                    self.settle();
                }
                Some(Err(_)) => {
                    server.stop(open.socket, CloseReason::Malformed, *now);
                    self.settle();
                }
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
            let Some(work) = self.node.work.pop_front() else { break };
            match work {
                Work::Call(call, event) => {
                    self.node.cause = self.node.server.socket_of(call.channel());
                    // One that waits has said when it will answer.
                    if let Some(outcome) = self.handlers.handle(&mut self.node, call, event) {
                        self.node.done(call, outcome);
                    }
                }
                Work::Ended(channel) => self.handlers.forget(channel),
            }
        }
        self.node.cause = None;
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
                // It has less time to answer than it had to say anything.
                self.arm(key);
                continue;
            }
            // It would not take a farewell behind all that waits: that is dropped, and the farewell tried once.
            self.node.peers[key].outbox.clear();
            self.speak(key);
            self.lose(key);
            self.node.peers[key].stage = Stage::Farewell;
        }
    }

    /// Works off what the turn has taken in: behind this, whatever waits can be written.
    pub fn end_turn(&mut self) {
        while let Some(key) = self.node.failed.pop() {
            self.lose(key);
        }
        self.settle();
        self.close();
        self.node.seal();
    }

    /// A peer's stream has ended: nothing comes from it any more.
    pub fn hang_up(&mut self, key: usize) {
        let now = self.node.now;
        match &mut self.node.peers[key].stage {
            Stage::Open(open) => {
                open.connection.handle_eof(now);
                self.speak(key);
            }
            Stage::Head { .. } => self.lose(key),
            // It may still read what waits for it.
            Stage::Ending | Stage::Farewell | Stage::Lost(_) => {}
        }
    }

    /// A peer takes nothing: its stream ends at once, with what the system still holds for it.
    pub(crate) fn reset(&mut self, key: usize) {
        self.lose(key);
        self.node.peers[key].stage = Stage::Lost(End::Reset);
    }

    /// A peer's stream is of no use any more.
    pub(crate) fn lose(&mut self, key: usize) {
        if self.node.peers[key].is_open() {
            self.hang_up(key);
        }
        let stage = &mut self.node.peers[key].stage;
        if !matches!(stage, Stage::Lost(_)) {
            *stage = Stage::Lost(End::Close);
        }
        self.node.mark(key);
    }
}
