//! Deadlines: one sleeper a shard, re-armed lazily.

use crate::BoxFuture;
use crate::hub::{Hub, Shard};
use crate::peer::Peer;
use bennu_core::Instant;
use bennu_core::server::SocketId;
use std::cmp::Ordering;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

/// When a connection wants to be looked at. Earlier is greater, so that a heap has it on top.
#[derive(Debug)]
pub(crate) struct Deadline {
    at: Instant,
    whose: Whose,
}

#[derive(Debug)]
enum Whose {
    Socket(SocketId),
    /// A connection whose socket has ended: the machine may not know it any more.
    Peer(Weak<Peer>),
}

impl Ord for Deadline {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at)
    }
}

impl PartialOrd for Deadline {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Deadline {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Deadline {}

impl Shard {
    /// Has a connection looked at when `at` has come.
    pub(crate) fn arm(&mut self, at: Instant, socket: SocketId) {
        self.push(at, Whose::Socket(socket));
    }

    /// The same for a connection whose socket has ended.
    pub(crate) fn arm_ended(&mut self, at: Instant, peer: &Arc<Peer>) {
        self.push(at, Whose::Peer(Arc::downgrade(peer)));
    }

    fn push(&mut self, at: Instant, whose: Whose) {
        self.deadlines.push(Deadline { at, whose });
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
        while self.deadlines.peek().is_some_and(|deadline| deadline.at <= now) {
            let Some(deadline) = self.deadlines.pop() else { break };
            let peer = match deadline.whose {
                Whose::Socket(socket) => self.server.handle(socket).cloned(),
                Whose::Peer(peer) => peer.upgrade(),
            };
            if let Some(peer) = peer {
                peer.notify(|notice| notice.due = true);
            }
        }
        if self.server.poll_timeout().is_some_and(|at| at <= now) {
            self.server.handle_timeout(now);
            hub.drain(self, None);
        }
        let deadline = self.deadlines.peek().map(|deadline| deadline.at);
        self.armed = self.server.poll_timeout().into_iter().chain(deadline).min();
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
