//! The driver: all clients of all games, and the machines between their bytes and the worlds.
//!
//! ```text
//!  listen    bytes ─▶ Connection ─▶ Serializer ─▶ Server ─▶ Games ─▶ Server ─▶ outboxes
//!  advance                                                  Games ─▶ Server ─▶ outboxes
//!  write                                                                       outboxes ─▶ bytes
//! ```

use crate::games::{Games, Handled, Info};
use crate::peer::{Input, Open, Peer, Queued, Stage};
use crate::ticks;
use bennu_core::server::{
    Broadcast, CallId, ChannelId, CloseReason, Config, Event, Output, Server, SocketConfig, SocketId,
};
use bennu_core::websocket::{self, Connection};
use bennu_core::{Frame, Instant, Kind, Serializer};
use one_thread::upgrade::{Door, Head, Upgrade};
use slab::Slab;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::mem;

/// How much of a client is read in one turn, in bytes: no more than its share of a tick. A request head is shorter.
const SHARE: usize = 32 * 1024;

/// All clients and all games. It has no clock, and no socket but those it is given: anything that can be read and written
/// without waiting.
///
/// A turn of the loop is [`listen`](Self::listen), [`advance`](Self::advance), [`write`](Self::write).
#[derive(Debug)]
pub struct Table<S> {
    /// A socket's handle is its peer's place.
    server: Server<usize, Info>,
    peers: Slab<Peer<S>>,
    games: Games,
    door: Door,
    /// What the server wants of the games, in order.
    work: VecDeque<Work>,
    /// Clients that the server has ended, and why.
    closed: Vec<(usize, CloseReason)>,
    /// Clients that are behind with what must not be lost.
    slow: Vec<SocketId>,
    /// Whose message is being handled: what comes of that, it has caused itself.
    heard: Option<SocketId>,
    buffer: Vec<u8>,
    now: Instant,
}

#[derive(Debug)]
enum Work {
    Call(SocketId, CallId, Event<Info>),
    Ended(ChannelId),
}

impl<S: Read + Write> Table<S> {
    /// Nobody is there yet. The key, random and secret from clients, seeds the table of topics.
    #[must_use]
    pub fn new(hash_key: (u64, u64)) -> Self {
        let mounts = vec![Games::mount()];
        Self {
            server: Server::new(Config { shard: 0, hash_key, mounts }),
            peers: Slab::new(),
            games: Games::default(),
            door: Door::new(),
            work: VecDeque::new(),
            closed: Vec::new(),
            slow: Vec::new(),
            heard: None,
            buffer: vec![0; SHARE],
            now: Instant::EPOCH,
        }
    }

    /// A client has connected. Its stream never waits: it fails with
    /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) instead.
    pub fn seat(&mut self, stream: S, now: Instant) {
        self.peers.insert(Peer::new(stream, now));
    }

    /// How many clients there are, and will be until their streams have ended.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.peers.len()
    }

    /// What waits for the client for whom most does, in bytes.
    #[must_use]
    pub fn most_waiting(&self) -> usize {
        self.peers.iter().map(|(_, peer)| peer.waiting()).max().unwrap_or(0)
    }

    /// Takes in what clients have sent, and ends those whose time is up.
    pub fn listen(&mut self, now: Instant) {
        self.now = now;
        self.server.handle_timeout(now);
        self.settle();
        for key in self.keys() {
            self.expire(key);
            if self.listens(key) {
                self.read(key);
            }
        }
        self.close();
    }

    /// So many ticks pass, then everybody is told where everybody is: of several, only what came of the last.
    pub fn advance(&mut self, ticks: u32, now: Instant) {
        self.now = now;
        if ticks == 0 {
            return;
        }
        for _ in 0..ticks {
            self.games.step(ticks::STEP);
        }
        for positions in self.games.positions() {
            self.broadcast(positions);
        }
        self.settle();
        self.close();
    }

    /// Writes what waits, as far as the streams take it: all that a turn has queued for one client at once.
    pub fn write(&mut self, now: Instant) {
        self.now = now;
        for key in self.keys() {
            let peer = &mut self.peers[key];
            if !peer.is_lost() && peer.write(now).is_err() {
                self.lose(key);
            }
        }
        self.peers.retain(|_, peer| !peer.has_ended());
    }

    fn keys(&self) -> Vec<usize> {
        self.peers.iter().map(|(key, _)| key).collect()
    }
}

/// From bytes to the server.
impl<S: Read + Write> Table<S> {
    /// Whether a client is to be read from now.
    fn listens(&mut self, key: usize) -> bool {
        let now = self.now;
        let peer = &mut self.peers[key];
        let is_congested = peer.is_congested();
        match &mut peer.stage {
            Stage::Head { .. } => true,
            // Its close frame is always heard.
            Stage::Open(open) if is_congested && !open.connection.is_closing() => {
                open.connection.pause(now);
                false
            }
            Stage::Open(open) => {
                open.connection.resume(now);
                true
            }
            Stage::Ending | Stage::Lost => false,
        }
    }

    fn read(&mut self, key: usize) {
        let mut buffer = mem::take(&mut self.buffer);
        match self.peers[key].read(&mut buffer) {
            Input::Bytes { len, known } => self.take_in(key, &mut buffer[..len], known),
            Input::End => self.hang_up(key),
            Input::Nothing => {}
        }
        self.buffer = buffer;
    }

    fn take_in(&mut self, key: usize, bytes: &mut [u8], known: usize) {
        let peer = &mut self.peers[key];
        if let Stage::Open(_) = peer.stage {
            return self.receive(key, bytes);
        }
        match self.door.examine(bytes, known) {
            Head::Partial => peer.keep(bytes),
            Head::Refused { answer } => {
                peer.stage = if peer.answer(&answer).is_ok() { Stage::Ending } else { Stage::Lost };
            }
            Head::Upgrade(upgrade) => {
                let len = upgrade.len;
                self.open(key, &upgrade);
                self.receive(key, &mut bytes[len..]);
            }
        }
    }

    /// The stream becomes a WebSocket, and its client a socket of the server.
    fn open(&mut self, key: usize, upgrade: &Upgrade) {
        if self.peers[key].answer(&upgrade.answer).is_err() {
            return self.lose(key);
        }
        let serializer = upgrade.serializer;
        let socket = SocketConfig { handle: key, serializer, mount: 0, id: None };
        let socket = self.server.connect(socket, self.now);
        let connection = Connection::server(websocket::Config::default(), self.now);
        self.peers[key].stage = Stage::Open(Box::new(Open { connection, socket, serializer }));
        self.settle();
    }

    /// Takes frames in, message by message.
    fn receive(&mut self, key: usize, mut input: &mut [u8]) {
        loop {
            let peer = &mut self.peers[key];
            let is_congested = peer.is_congested();
            let Stage::Open(open) = &mut peer.stage else { return };
            if is_congested && !open.connection.is_closing() && !input.is_empty() {
                peer.keep(input);
                break;
            }
            let received = open.connection.receive(input, self.now);
            let consumed = received.consumed;
            let message = match received.event {
                Some(websocket::Event::Text(text)) => Some(open.serializer.decode_text(text)),
                Some(websocket::Event::Binary(data)) => Some(open.serializer.decode(Kind::Binary, data)),
                // A ping or a pong, which is the connection's own affair.
                Some(_) => None,
                None => break,
            };
            match message {
                Some(Ok(message)) => {
                    self.heard = Some(open.socket);
                    self.server.receive(open.socket, &message, self.now);
                }
                Some(Err(_)) => self.server.stop(open.socket, CloseReason::Malformed, self.now),
                None => {}
            }
            self.settle();
            self.heard = None;
            input = &mut input[consumed..];
        }
        self.speak(key);
    }

    /// Carries out what a connection wants: a pong, the close frame, the end.
    fn speak(&mut self, key: usize) {
        loop {
            let peer = &mut self.peers[key];
            let Stage::Open(open) = &mut peer.stage else { return };
            match open.connection.poll_output() {
                Some(websocket::Output::Send(frame)) => peer.push_owed(Frame::control(&frame)),
                Some(websocket::Output::Closed(_)) => {
                    self.server.disconnect(open.socket, self.now);
                    self.settle();
                }
                Some(websocket::Output::End) => peer.stage = Stage::Ending,
                None => return,
            }
        }
    }
}

/// From the server to the games, and into the outboxes.
impl<S: Read + Write> Table<S> {
    /// Has the games handle what the server asks for, to the end.
    fn settle(&mut self) {
        self.drain();
        while let Some(work) = self.work.pop_front() {
            match work {
                Work::Call(socket, call, event) => {
                    let Some(serializer) = self.server.serializer(socket) else { continue };
                    let Handled { outcome, news } = self.games.handle(call.channel(), serializer, event);
                    // Before the answer: who joins is told of everybody, and need not be told of itself.
                    if let Some(news) = news {
                        self.broadcast(news);
                    }
                    self.server.done(call, outcome, self.now);
                    self.drain();
                }
                Work::Ended(channel) => {
                    if let Some(news) = self.games.leave(channel) {
                        self.broadcast(news);
                    }
                }
            }
        }
    }

    fn broadcast(&mut self, mut broadcast: Broadcast) {
        if self.server.uses(Serializer::V1) {
            broadcast.encode(Serializer::V1);
        }
        self.server.broadcast(&broadcast, None, self.now);
        self.drain();
    }

    /// The contract: outputs to the end after every input.
    fn drain(&mut self) {
        loop {
            while let Some(output) = self.server.poll_output() {
                self.carry_out(output);
            }
            let Some(socket) = self.slow.pop() else { return };
            self.server.stop(socket, CloseReason::SlowConsumer, self.now);
        }
    }

    fn carry_out(&mut self, output: Output<Info>) {
        match output {
            Output::Send { to, frame } => {
                let Some(&key) = self.server.handle(to) else { return };
                if self.heard == Some(to) {
                    self.peers[key].push_owed(frame);
                } else if self.peers[key].push(frame) == Queued::TooMuch {
                    self.slow.push(to);
                }
            }
            Output::Fanout(fanout) => {
                for (&key, serializer) in self.server.recipients(&fanout) {
                    let Some(frame) = fanout.frame(serializer) else { continue };
                    let peer = &mut self.peers[key];
                    if peer.push(frame.clone()) == Queued::TooMuch
                        && let Stage::Open(open) = &peer.stage
                    {
                        self.slow.push(open.socket);
                    }
                }
            }
            Output::Call { socket, call, event } => self.work.push_back(Work::Call(socket, call, event)),
            Output::Cancel { call, .. } => {
                self.work.retain(|work| !matches!(work, Work::Call(_, other, _) if *other == call));
            }
            Output::Ended { channel, .. } => self.work.push_back(Work::Ended(channel)),
            Output::Close { to, reason } => {
                self.closed.extend(self.server.handle(to).map(|&key| (key, reason)));
            }
            // Handlers answer at once here, so that nothing ever waits for one. There is no other node to tell, and no log.
            Output::Pause { .. }
            | Output::Resume { .. }
            | Output::Interest { .. }
            | Output::Notice { .. } => {}
        }
    }
}

/// How clients go.
impl<S: Read + Write> Table<S> {
    /// A deadline of a client may have passed.
    fn expire(&mut self, key: usize) {
        let now = self.now;
        let peer = &mut self.peers[key];
        let is_too_slow = peer.is_too_slow(now);
        match &mut peer.stage {
            Stage::Head { until } if *until <= now => self.lose(key),
            Stage::Open(open) if is_too_slow && !open.connection.is_closing() => {
                self.server.stop(open.socket, CloseReason::SlowConsumer, now);
                self.settle();
            }
            // It does not take its farewell either.
            Stage::Open(_) | Stage::Ending if is_too_slow => self.lose(key),
            Stage::Open(open) => {
                open.connection.handle_timeout(now);
                self.speak(key);
            }
            Stage::Head { .. } | Stage::Ending | Stage::Lost => {}
        }
    }

    /// The server has ended clients: they are told why.
    fn close(&mut self) {
        while let Some((key, reason)) = self.closed.pop() {
            let now = self.now;
            let Stage::Open(open) = &mut self.peers[key].stage else { continue };
            open.connection.close(reason.code(), "", now);
            if reason != CloseReason::SlowConsumer {
                self.speak(key);
                continue;
            }
            // It would not take a farewell behind all that waits: that is dropped, and the farewell tried once.
            self.peers[key].clear();
            self.speak(key);
            let _ = self.peers[key].write(now);
            self.lose(key);
        }
    }

    /// A client's stream has ended: nothing comes from it any more.
    fn hang_up(&mut self, key: usize) {
        match &mut self.peers[key].stage {
            Stage::Open(open) => {
                open.connection.handle_eof(self.now);
                self.speak(key);
            }
            Stage::Head { .. } | Stage::Ending | Stage::Lost => self.peers[key].stage = Stage::Lost,
        }
    }

    /// A client's stream is of no use any more.
    fn lose(&mut self, key: usize) {
        self.hang_up(key);
        self.peers[key].stage = Stage::Lost;
    }
}
