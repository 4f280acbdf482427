//! One connection's task: reads, runs its channels' handlers, writes.
//!
//! ```text
//!  bytes ─▶ websocket::Connection ─▶ wire::decode ─▶ Server ─▶ Call ─▶ handler ─▶ Server::done ─▶ outbox
//!                                     no lock       one lock         no lock        one lock
//! ```
//!
//! What carries the messages, its [medium](Medium), is a WebSocket or a long-poll session; the rest is the same
//! for both.
//!
//! A hand-written future, so that an idle connection costs what is written down here and nothing else: what
//! is needed only while it runs is in its [turn].

mod longpoll;
mod turn;
mod websocket;

pub(crate) use longpoll::{Polling, SessionTask};
pub use websocket::ConnectionTask;

use crate::erased::AnyChannel;
use crate::hub::Owner;
use crate::link::{AnyLink, Line};
use crate::metrics::Tally;
use crate::panics::drop_quietly;
use crate::peer::{Peer, Work};
use crate::running::Running;
use bennu_core::Instant;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::sync::Arc;

/// What a connection is while it waits.
pub(crate) struct Connection<M: Medium> {
    link: Arc<dyn AnyLink>,
    peer: Arc<Peer>,
    medium: M,
    /// The states of its channels, by their numbers; one that is being called is away with its handler.
    channels: SmallVec<[(u64, Box<dyn AnyChannel>); 1]>,
    /// When the shard's sleeper will wake this task for its deadline; [`NEVER`] if it will not.
    armed: Instant,
    /// What few have for long.
    more: Option<Box<More<M::Rest>>>,
}

/// What carries the messages of a connection.
pub(crate) trait Medium: Send + Unpin {
    /// What it has besides, and few have for long.
    type Rest: Default + Send;

    /// Whether that is nothing just now.
    fn is_nothing(rest: &Self::Rest) -> bool;

    /// Ends it, at whatever point: its task is dropped.
    fn close(&mut self, line: &Line, peer: &Peer);
}

/// What a connection has that does not just wait for the next message.
#[derive(Default)]
struct More<R> {
    /// Handlers that wait.
    running: Running,
    life: Life,
    rest: R,
}

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Life {
    #[default]
    Open,
    /// The machine has been told of the end; the medium is being closed.
    Closing,
    /// The answer to the peer's close frame is on its way, behind what it is being sent.
    Ending,
    /// The medium is closed. Handlers that run come to their end.
    Closed,
}

/// A time that does not come.
const NEVER: Instant = Instant::LAST;

impl<M: Medium> Connection<M> {
    /// A connection over this medium.
    pub(crate) fn over(medium: M, link: Arc<dyn AnyLink>, peer: Arc<Peer>) -> Self {
        Self { link, peer, medium, channels: SmallVec::new(), armed: NEVER, more: None }
    }

    fn life(&self) -> Life {
        self.more.as_ref().map_or(Life::Open, |more| more.life)
    }

    fn more(&mut self) -> &mut More<M::Rest> {
        self.more.get_or_insert_default()
    }

    /// Frees what is not needed to wait for the next message.
    fn tidy(&mut self) {
        let is_empty = |more: &More<M::Rest>| {
            more.running.is_empty() && M::is_nothing(&more.rest) && more.life == Life::Open
        };
        self.more.take_if(|more| is_empty(more));
    }

    /// Tells the machine, once, that the transport has ended.
    fn tell(&mut self, work: &mut VecDeque<Work>, tally: &mut Tally) {
        if self.life() == Life::Open {
            self.more().life = Life::Closing;
            let lost = self.peer.lost();
            if lost > 0 {
                tracing::info!(socket = ?self.link.socket, lost, "a connection ends that has lost broadcasts");
            }
            // The machine may forget this socket, and with it whose deadlines these were.
            self.armed = NEVER;
            let owner = Owner { socket: self.link.socket, work, tally };
            self.link.hub.disconnect(self.link.socket, self.link.dialect, owner);
        }
    }

    /// Has the shard's sleeper wake this task at `next`, unless it will wake it earlier anyway.
    fn arm(&mut self, next: Instant, now: Instant) {
        if self.armed <= next {
            return;
        }
        self.armed = next.max(now);
        let socket = self.link.socket;
        let mut shard = self.link.hub.shard(socket.shard() as usize);
        match self.life() {
            Life::Open => shard.arm(self.armed, socket),
            Life::Closing | Life::Ending | Life::Closed => shard.arm_ended(self.armed, &self.peer),
        }
    }
}

impl<M: Medium> Drop for Connection<M> {
    /// Also when the task is dropped in the midst of its life: at the end of its runtime, or because
    /// something in it panicked.
    fn drop(&mut self) {
        drop_quietly(self.more.as_mut().map(|more| std::mem::take(&mut more.running)));
        drop_quietly(std::mem::take(&mut self.channels));
        let mut tally = Tally::default();
        self.tell(&mut VecDeque::new(), &mut tally);
        self.link.hub.metrics.tell(&mut tally);
        if self.life() != Life::Closed {
            self.medium.close(self.link.line(), &self.peer);
        }
        self.peer.retire();
        self.link.hub.abandon(self.link.socket);
        self.link.hub.flusher.kick();
    }
}
