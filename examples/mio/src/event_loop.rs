//! The loop: one thread that waits for the system, and takes every turn in the same order.
//!
//! ```text
//!  poll ─▶ deadlines ─▶ accept, read, handlers ─▶ write what that has queued ─┐
//!   ▲                                                                         │
//!   └─────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Nothing is written while anything is read: whatever a turn's input has queued for a client, of its own and of
//! others', leaves in one write.

use crate::handlers;
use crate::node::Node;
use crate::peer::{Peer, Read, Stage};
use crate::service::Service;
use bennu_core::Instant;
use bennu_core::drain::{self, Drain, Whom};
use bennu_core::server::{CloseReason, SocketId};
use mio::event::Event;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, ErrorKind};
use std::mem;
use std::time::Duration;

/// How much is read at once, in bytes: one buffer for everybody, as an idle client needs none.
const SCRATCH: usize = 64 * 1024;

/// How many reads a peer has in one turn, and how many writes there are in all: nobody waits long for theirs.
const READS: usize = 8;
const WRITES: usize = 512;

/// How long to wait when the system has no more descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

const LISTENER: Token = Token(usize::MAX);
const END: Token = Token(usize::MAX - 1);

pub(crate) struct EventLoop {
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    listener: TcpListener,
    accept_again: Option<Instant>,
    service: Service,
    /// When to look at which peer; one that has got more time since is put back then.
    deadlines: BinaryHeap<Reverse<(Instant, usize)>>,
    /// Who is to end before the process does.
    drain: Option<Drain<SocketId>>,
    #[cfg(unix)]
    signal: Option<mio::net::UnixStream>,
    epoch: std::time::Instant,
}

impl EventLoop {
    /// Serves whoever comes to this listener. The key, random and secret, seeds the table of topics.
    pub(crate) fn new(mut listener: TcpListener, hash_key: (u64, u64)) -> io::Result<Self> {
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            events: Events::with_capacity(1024),
            scratch: vec![0; SCRATCH],
            listener,
            accept_again: None,
            service: Service::new(Node::new(handlers::server(hash_key))),
            deadlines: BinaryHeap::new(),
            drain: None,
            #[cfg(unix)]
            signal: None,
            epoch: std::time::Instant::now(),
        })
    }

    /// Ends in good order when there is something to be read from this.
    #[cfg(unix)]
    pub(crate) fn wait_for_end(&mut self, mut signal: mio::net::UnixStream) -> io::Result<()> {
        self.poll.registry().register(&mut signal, END, Interest::READABLE)?;
        self.signal = Some(signal);
        Ok(())
    }

    /// Takes turns until it is to end, and everybody has gone.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        while self.drain.is_none() || !self.service.node.peers.is_empty() {
            let wait = self.until_next();
            self.turn(wait)?;
        }
        Ok(())
    }

    /// Waits so long for something to do, `None` for ever, and does it.
    fn turn(&mut self, wait: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, wait) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            Ok(()) | Err(_) => {}
        }
        self.service.node.now = self.clock();
        self.handle_timeout();

        let events = mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            match event.token() {
                LISTENER => self.accept(),
                END => self.end(),
                Token(key) => self.note(key, event),
            }
        }
        self.events = events;
        for _ in 0..self.service.node.ready.len() {
            if let Some(key) = self.service.node.ready.pop_front() {
                self.read(key);
            }
        }
        self.service.settle();
        self.service.close();
        self.write();
        Ok(())
    }

    fn clock(&self) -> Instant {
        Instant::from_epoch(self.epoch.elapsed())
    }

    /// How long there is nothing to do, if nobody sends anything; `None` for ever.
    fn until_next(&self) -> Option<Duration> {
        let node = &self.service.node;
        if !node.is_idle() {
            return Some(Duration::ZERO);
        }
        let peers = self.deadlines.peek().map(|Reverse((at, _))| *at);
        let drain = self.drain.as_ref().and_then(Drain::poll_timeout);
        let next = [peers, drain, node.poll_timeout(), self.accept_again].into_iter().flatten().min()?;
        Some(next.duration_since(self.clock()))
    }

    /// Does what has become due.
    fn handle_timeout(&mut self) {
        let now = self.service.node.now;
        self.service.node.handle_timeout();
        let mut due = Vec::new();
        while self.deadlines.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            due.extend(self.deadlines.pop().map(|Reverse(deadline)| deadline));
        }
        for (at, key) in due {
            // Else it is the deadline of one who had this number before.
            if let Some(peer) = self.service.node.peers.get_mut(key).filter(|peer| peer.armed == Some(at)) {
                peer.armed = None;
                self.service.expire(key);
                self.arm(key);
            }
        }
        if self.accept_again.is_some_and(|at| at <= now) {
            self.accept();
        }
        if let Some(drain) = &mut self.drain {
            drain.handle_timeout(now);
            for socket in drain.poll_output().into_iter().flat_map(|batch| batch.sockets) {
                self.service.node.server.stop(socket, CloseReason::Draining, now);
                self.service.settle();
            }
        }
    }

    /// Sees to it that a peer is looked at when its next deadline has come.
    fn arm(&mut self, key: usize) {
        let peer = &mut self.service.node.peers[key];
        if let Some(at) = peer.deadline().filter(|at| peer.armed.is_none_or(|armed| *at < armed)) {
            peer.armed = Some(at);
            self.deadlines.push(Reverse((at, key)));
        }
    }

    fn accept(&mut self) {
        self.accept_again = None;
        while self.drain.is_none() {
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    let node = &mut self.service.node;
                    let key = node.peers.vacant_key();
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    if self.poll.registry().register(&mut stream, Token(key), interest).is_ok() {
                        node.peers.insert(Peer::new(stream, node.now));
                        self.arm(key);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // Of a client that has gone already, there is nothing to say.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(_) => {
                    self.accept_again = Some(self.service.node.now + ACCEPT_AGAIN);
                    return;
                }
            }
        }
    }

    /// Lets nobody in any more, and everybody go, in batches.
    fn end(&mut self) {
        if self.drain.is_some() {
            return;
        }
        let Node { server, peers, now, .. } = &self.service.node;
        self.drain = Some(Drain::new(drain::Config::default(), Whom::All, server.sockets_of(0), *now));
        let opening = peers.iter().filter(|(_, peer)| matches!(peer.stage, Stage::Head { .. }));
        for key in opening.map(|(key, _)| key).collect::<Vec<_>>() {
            self.service.lose(key);
        }
    }

    /// The system says that a peer can be read from, or written to: once, until that has been done in full.
    fn note(&mut self, key: usize, event: &Event) {
        let node = &mut self.service.node;
        let Some(peer) = node.peers.get_mut(key) else { return };
        if event.is_readable() || event.is_read_closed() {
            peer.half_closed |= event.is_read_closed();
            if !mem::replace(&mut peer.readable, true) && !peer.held {
                node.ready.push_back(key);
            }
        }
        if event.is_writable() && peer.is_stuck() {
            node.mark(key);
        }
    }

    fn read(&mut self, key: usize) {
        for _ in 0..READS {
            if !self.service.node.peers.contains(key) {
                return;
            }
            if !self.service.listens(key) {
                return self.arm(key);
            }
            match self.service.node.peers[key].read(&mut self.scratch) {
                Read::Bytes(len) => self.service.take_in(key, &mut self.scratch[..len]),
                Read::End => self.service.hang_up(key),
                Read::Nothing => return self.arm(key),
            }
        }
        self.service.node.ready.push_back(key);
    }

    /// Writes what the turn has queued: all that waits for one peer at once.
    fn write(&mut self) {
        self.service.node.seal();
        let mut failed = Vec::new();
        for _ in 0..self.service.node.dirty.len().min(WRITES) {
            let node = &mut self.service.node;
            let Some(key) = node.dirty.pop_front() else { break };
            let peer = &mut node.peers[key];
            peer.dirty = false;
            let was_stuck = peer.is_stuck();
            if !peer.is_lost() && peer.flush(node.now).is_err() {
                failed.push(key);
            } else if peer.has_ended() {
                node.peers.remove(key); // And the stream with it.
            } else {
                node.resume(key);
                match (was_stuck, node.peers[key].is_stuck()) {
                    (false, true) => self.arm(key),
                    (true, false) => self.service.speak(key),
                    (false, false) | (true, true) => {}
                }
            }
        }
        // Behind the writes, as the terminates that this runs may broadcast.
        for key in failed {
            self.service.lose(key);
        }
    }
}

#[cfg(test)]
mod tests;
