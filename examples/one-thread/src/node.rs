//! What is shared: the server machine, the peers, and what the machine's outputs do to them.
//!
//! ```text
//!            drain                        begin, finish
//!  Server ──────────▶ Run ─▶ Outbox of each ─────────────▶ streams
//!     └─ Call, Ended ─▶ work ─▶ handlers
//! ```

use crate::handlers::Info;
use crate::peer::{Peer, Stage};
use crate::run::{Run, Step};
use bennu_core::connect::Params;
use bennu_core::server::{
    Broadcast, CallId, ChannelId, CloseReason, Event, Outcome, Output, Server, SocketId,
};
use bennu_core::{Frame, Instant, Serializer};
use slab::Slab;
use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::time::Duration;

pub(crate) struct Node {
    /// A socket's handle is its peer's place.
    pub(crate) server: Server<usize, Info>,
    pub(crate) peers: Slab<Peer>,
    /// Broadcasts that follow one another, in one place of their members' outboxes.
    run: Run,
    /// What the machine wants of the application, in order.
    pub(crate) work: VecDeque<Work>,
    /// What handlers want done later.
    later: BTreeMap<(Instant, u64), Later>,
    serial: u64,
    /// Peers that have something to be written.
    pub(crate) dirty: VecDeque<usize>,
    /// Peers that may be read from.
    pub(crate) ready: VecDeque<usize>,
    /// Peers whose socket the server has ended.
    pub(crate) closed: Vec<(usize, CloseReason)>,
    /// Peers whose stream cannot be written to.
    pub(crate) failed: Vec<usize>,
    /// Sockets that take their messages too slowly.
    slow: Vec<SocketId>,
    /// Who has caused what happens now, by its input or by a handler of its own: what it is sent then, it is owed.
    pub(crate) cause: Option<SocketId>,
    /// What time it was when the loop last woke.
    pub(crate) now: Instant,
}

/// Who makes a broadcast.
#[derive(Clone, Copy)]
pub(crate) enum From {
    Nobody,
    /// A channel, which gets it too.
    Member(ChannelId),
    /// A channel, which does not.
    Silent(ChannelId),
}

/// What the machine wants of the application.
pub(crate) enum Work {
    Call(CallId, Event<Info>),
    Ended(ChannelId),
}

/// What is done when its time has come.
pub(crate) enum Later {
    /// A handler has waited, and answers now.
    Done(CallId, Outcome<Info>),
    /// A deferred reply, from outside of its channel.
    Reply(SocketId, Frame),
}

impl Node {
    pub(crate) fn new(server: Server<usize, Info>) -> Self {
        Self {
            server,
            peers: Slab::new(),
            run: Run::default(),
            work: VecDeque::new(),
            later: BTreeMap::new(),
            serial: 0,
            dirty: VecDeque::new(),
            ready: VecDeque::new(),
            closed: Vec::new(),
            failed: Vec::new(),
            slow: Vec::new(),
            cause: None,
            now: Instant::EPOCH,
        }
    }

    /// The contract: outputs to the end after every input.
    pub(crate) fn drain(&mut self) {
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
                let outbox = &mut self.peers[key].outbox;
                if outbox.ends_open() {
                    // What is appended to the run from here on would come before this.
                    self.run.seal();
                }
                // Nobody is cut off for what they have asked for: they are read from more slowly instead.
                if self.cause == Some(to) {
                    outbox.push_owed(frame)
                } else {
                    outbox.push(frame)
                }
                note(&mut self.peers[key], key, &mut self.dirty, &mut self.slow);
            }
            Output::Fanout(fanout) => {
                let step = self.run.take(&self.server, &fanout);
                if step == Step::Appended {
                    return;
                }
                for (&key, serializer) in self.server.recipients(&fanout) {
                    let open = self.run.frame(serializer).filter(|_| step == Step::Open);
                    let Some(frame) = open.or_else(|| fanout.frame(serializer)) else { continue };
                    let peer = &mut self.peers[key];
                    peer.outbox.push(frame.clone());
                    note(peer, key, &mut self.dirty, &mut self.slow);
                }
            }
            Output::Call { call, event, .. } => self.work.push_back(Work::Call(call, event)),
            // It has not begun, or it waits for its time.
            Output::Cancel { call, .. } => {
                self.work.retain(|work| !matches!(work, Work::Call(other, _) if *other == call));
                self.later.retain(|_, later| !matches!(later, Later::Done(other, _) if *other == call));
            }
            Output::Ended { channel, .. } => self.work.push_back(Work::Ended(channel)),
            Output::Pause { socket } => self.set_paused(socket, true),
            Output::Resume { socket } => self.set_paused(socket, false),
            Output::Close { to, reason } => {
                self.closed.extend(self.server.handle(to).map(|&key| (key, reason)));
            }
            // There is no other node to tell, and no log.
            Output::Interest { .. } | Output::Notice { .. } => {}
        }
    }

    fn set_paused(&mut self, socket: SocketId, paused: bool) {
        let Some(&key) = self.server.handle(socket) else { return };
        self.peers[key].paused = paused;
        self.resume(key);
    }

    /// Has a peer read again that was held, and need not be any more.
    pub(crate) fn resume(&mut self, key: usize) {
        let peer = &mut self.peers[key];
        if peer.held && (!peer.holds() || peer.is_closing()) {
            peer.held = false;
            self.ready.push_back(key);
        }
    }

    /// What a client has connected with; `None` if it has gone.
    pub(crate) fn params(&self, socket: SocketId) -> Option<&Params> {
        let peer = self.peers.get(*self.server.handle(socket)?)?;
        match &peer.stage {
            Stage::Open(open) if open.socket == socket => Some(&open.params),
            Stage::Open(_) | Stage::Head { .. } | Stage::Ending | Stage::Farewell | Stage::Lost(_) => None,
        }
    }

    /// Has a peer written to, and the stream looked at.
    pub(crate) fn mark(&mut self, key: usize) {
        let peer = &mut self.peers[key];
        if !mem::replace(&mut peer.dirty, true) {
            self.dirty.push_back(key);
        }
    }

    /// Whether there is nothing to do before something comes.
    pub(crate) fn is_idle(&self) -> bool {
        let peers = self.ready.is_empty() && self.dirty.is_empty() && self.failed.is_empty();
        peers && self.work.is_empty() && self.closed.is_empty()
    }

    /// Ends the run that is open, so that it can be written.
    pub(crate) fn seal(&mut self) {
        self.run.seal();
    }

    /// When something is to be done, whoever sends nothing.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let later = self.later.first_key_value().map(|(&(at, _), _)| at);
        later.into_iter().chain(self.server.poll_timeout()).min()
    }

    /// A handler has answered.
    pub(crate) fn done(&mut self, call: CallId, outcome: Outcome<Info>) {
        self.cause = self.server.socket_of(call.channel());
        self.server.done(call, outcome, self.now);
        self.drain();
    }

    /// Does what has become due.
    pub(crate) fn handle_timeout(&mut self) {
        self.server.handle_timeout(self.now);
        self.drain();
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= self.now) {
            match entry.remove() {
                Later::Done(call, outcome) => self.done(call, outcome),
                Later::Reply(to, frame) => {
                    self.cause = Some(to);
                    // A client that has gone has nobody to send it to.
                    let _ = self.server.reply(to, frame);
                    self.drain();
                }
            }
        }
        self.cause = None;
    }
}

/// What handlers may do, beside answering: it takes effect at once, and their outputs are drained.
impl Node {
    pub(crate) fn push(&mut self, channel: ChannelId, frame: Frame) {
        // A channel that has ended has nobody to send it to.
        let _ = self.server.push(channel, frame);
        self.drain();
    }

    /// To everybody on the topic; with a publisher, who gets a copy of its own.
    pub(crate) fn broadcast(&mut self, mut broadcast: Broadcast, from: From) {
        if self.server.uses(Serializer::V1) {
            broadcast.encode(Serializer::V1);
        }
        match from {
            From::Member(channel) => self.server.broadcast_by(channel, &broadcast, self.now),
            From::Silent(channel) => self.server.broadcast(&broadcast, Some(channel), self.now),
            From::Nobody => self.server.broadcast(&broadcast, None, self.now),
        }
        self.drain();
    }

    /// Gives a channel a message, after a while.
    pub(crate) fn notify(&mut self, channel: ChannelId, info: Info, after: Duration) {
        let _ = self.server.info(channel, info, self.now + after, self.now);
        self.drain();
    }

    /// Does something after a while, also if the channel that asked for it should be gone by then.
    pub(crate) fn later(&mut self, after: Duration, what: Later) {
        self.serial += 1;
        self.later.insert((self.now + after, self.serial), what);
    }
}

/// A frame was queued: somebody has to write it, unless the stream takes nothing, and then it may be too much.
fn note(peer: &mut Peer, key: usize, dirty: &mut VecDeque<usize>, slow: &mut Vec<SocketId>) {
    if peer.is_stuck() {
        slow.extend(peer.socket().filter(|_| peer.outbox.make_room().is_err()));
    } else if !mem::replace(&mut peer.dirty, true) {
        dirty.push_back(key);
    }
}
