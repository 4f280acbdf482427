//! What happens when nobody sends anything: deadlines, handlers that have waited, the drain.

use crate::node::Node;
use crate::peer::Stage;
use crate::service::Service;
use bennu_core::Instant;
use bennu_core::drain::{self, Drain, Whom};
use bennu_core::server::{CloseReason, SocketId};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Timers {
    /// When to look at which peer; one that has got more time since is put back then.
    deadlines: BinaryHeap<Reverse<(Instant, usize)>>,
    /// Who is to end before the process does.
    drain: Option<Drain<SocketId>>,
    pub(crate) epoch: std::time::Instant,
}

impl Timers {
    pub(crate) fn new() -> Self {
        Self { deadlines: BinaryHeap::new(), drain: None, epoch: std::time::Instant::now() }
    }

    fn clock(&self) -> Instant {
        Instant::from_epoch(self.epoch.elapsed())
    }
}

impl Service {
    /// Takes the time, and does what has become due: the first thing in a turn.
    pub fn wake(&mut self) {
        let now = self.timers.clock();
        self.node.now = now;
        self.node.handle_timeout();
        let mut due = Vec::new();
        let deadlines = &mut self.timers.deadlines;
        while deadlines.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            due.extend(deadlines.pop().map(|Reverse(deadline)| deadline));
        }
        for (at, key) in due {
            // Else it is the deadline of one who had this number before.
            if let Some(peer) = self.node.peers.get_mut(key).filter(|peer| peer.armed == Some(at)) {
                peer.armed = None;
                self.expire(key);
                self.arm(key);
            }
        }
        if let Some(drain) = &mut self.timers.drain {
            drain.handle_timeout(now);
            for socket in drain.poll_output().into_iter().flat_map(|batch| batch.sockets) {
                self.node.server.stop(socket, CloseReason::Draining, now);
                self.settle();
            }
        }
    }

    /// How long there is nothing to do, if nobody sends anything; `None` for ever.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        if !self.node.is_idle() {
            return Some(Duration::ZERO);
        }
        let peers = self.timers.deadlines.peek().map(|Reverse((at, _))| *at);
        let drain = self.timers.drain.as_ref().and_then(Drain::poll_timeout);
        let next = [peers, drain, self.node.poll_timeout()].into_iter().flatten().min()?;
        Some(next.duration_since(self.timers.clock()))
    }

    /// Sees to it that a peer is looked at when its next deadline has come.
    pub fn arm(&mut self, key: usize) {
        let Some(peer) = self.node.peers.get_mut(key) else { return };
        if let Some(at) = peer.deadline().filter(|at| peer.armed.is_none_or(|armed| *at < armed)) {
            peer.armed = Some(at);
            self.timers.deadlines.push(Reverse((at, key)));
        }
    }

    /// Begins to let everybody go, in batches. Nobody is to be let in any more.
    pub fn drain(&mut self) {
        if self.is_draining() {
            return;
        }
        let Node { server, peers, now, .. } = &self.node;
        self.timers.drain = Some(Drain::new(drain::Config::default(), Whom::All, server.sockets_of(0), *now));
        let opening = peers.iter().filter(|(_, peer)| matches!(peer.stage, Stage::Head { .. }));
        for key in opening.map(|(key, _)| key).collect::<Vec<_>>() {
            self.lose(key);
        }
    }

    /// Whether everybody is being let go.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.timers.drain.is_some()
    }

    /// Whether everybody was let go, and has gone.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.is_draining() && self.node.peers.is_empty()
    }

    /// A deadline of a peer may have passed.
    fn expire(&mut self, key: usize) {
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
            Stage::Head { .. } | Stage::Ending | Stage::Farewell | Stage::Lost(_) => {}
        }
    }
}
