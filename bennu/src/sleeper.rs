//! Deadlines: one sleeper a shard, re-armed lazily.

use crate::BoxFuture;
use crate::hub::{Hub, Shard};
use crate::peer::Peer;
use bennu_core::Instant;
use bennu_core::server::SocketId;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

/// When a connection wants to be looked at. Earlier is greater, so that a heap has it on top.
#[derive(Debug)]
pub(crate) struct Deadline<W> {
    at: Instant,
    whose: W,
}

/// The deadlines of a shard's connections.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    sockets: BinaryHeap<Deadline<SocketId>>,
    /// Of connections whose socket has ended: the machine may not know them any more.
    ended: BinaryHeap<Deadline<Weak<Peer>>>,
}

impl Deadlines {
    fn next(&self) -> Option<Instant> {
        let sockets = self.sockets.peek().map(|deadline| deadline.at);
        sockets.into_iter().chain(self.ended.peek().map(|deadline| deadline.at)).min()
    }
}

/// Adds to a heap that grows by a quarter: each connection has a place in it for as long as it lives.
fn push<W>(heap: &mut BinaryHeap<Deadline<W>>, deadline: Deadline<W>) {
    if heap.len() == heap.capacity() {
        heap.reserve_exact((heap.len() / 4).max(8));
    }
    heap.push(deadline);
}

/// Takes out what is due.
fn pop_due<W>(heap: &mut BinaryHeap<Deadline<W>>, now: Instant) -> Option<W> {
    heap.peek().filter(|deadline| deadline.at <= now)?;
    heap.pop().map(|deadline| deadline.whose)
}

impl<W> Ord for Deadline<W> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at)
    }
}

impl<W> PartialOrd for Deadline<W> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<W> PartialEq for Deadline<W> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl<W> Eq for Deadline<W> {}

impl Shard {
    /// Has a connection looked at when `at` has come.
    pub(crate) fn arm(&mut self, at: Instant, socket: SocketId) {
        push(&mut self.deadlines.sockets, Deadline { at, whose: socket });
        self.wake_sleeper_before(at);
    }

    /// The same for a connection whose socket has ended.
    pub(crate) fn arm_ended(&mut self, at: Instant, peer: &Arc<Peer>) {
        push(&mut self.deadlines.ended, Deadline { at, whose: Arc::downgrade(peer) });
        self.wake_sleeper_before(at);
    }

    /// Wakes the sleeper if it would sleep past `next`.
    pub(crate) fn wake_sleeper_before(&mut self, next: Instant) {
        if self.armed.is_none_or(|armed| next < armed)
            && let Some(sleeper) = self.sleeper.take()
        {
            sleeper.wake();
        }
    }

    /// Does what is due, and returns what comes next.
    fn fire(&mut self, hub: &Hub, now: Instant) -> Option<Instant> {
        while let Some(socket) = pop_due(&mut self.deadlines.sockets, now) {
            if let Some(peer) = self.server.handle(socket) {
                peer.notify(|notice| notice.due = true);
            }
        }
        while let Some(peer) = pop_due(&mut self.deadlines.ended, now) {
            if let Some(peer) = peer.upgrade() {
                peer.notify(|notice| notice.due = true);
            }
        }
        if self.server.poll_timeout().is_some_and(|at| at <= now) {
            self.server.handle_timeout(now);
            hub.drain(self, None);
        }
        self.armed = self.server.poll_timeout().into_iter().chain(self.deadlines.next()).min();
        self.armed
    }
}

/// The task that waits for the next deadline of a shard.
pub(crate) struct Sleeper {
    hub: Weak<Hub>,
    shard: usize,
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl Sleeper {
    pub(crate) fn new(hub: &Arc<Hub>, shard: usize) -> Self {
        Self { hub: Arc::downgrade(hub), shard, sleep: None }
    }
}

impl Future for Sleeper {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(hub) = self.hub.upgrade() else { return Poll::Ready(()) };
            let now = hub.runtime.now();
            let mut shard = hub.shard(self.shard);
            shard.sleeper = Some(cx.waker().clone());
            let next = shard.fire(&hub, now);
            drop(shard);
            hub.flusher.kick();
            let Some(at) = next else {
                self.sleep = None;
                return Poll::Pending;
            };
            if self.sleep.as_ref().is_none_or(|(until, _)| *until != at) {
                self.sleep = Some((at, hub.runtime.sleep(at.duration_since(now))));
            }
            let Some((_, sleep)) = self.sleep.as_mut() else { return Poll::Pending };
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.sleep = None;
        }
    }
}
