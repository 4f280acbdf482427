//! One connection's task: reads, runs its channels' handlers, writes.
//!
//! ```text
//!  bytes ─▶ websocket::Connection ─▶ wire::decode ─▶ Server ─▶ Call ─▶ handler ─▶ Server::done ─▶ outbox
//!                                     no lock       one lock         no lock        one lock
//! ```
//!
//! A hand-written future, so that an idle connection costs what is written down here and nothing else: what
//! is needed only while it runs is in its [turn].

mod turn;

use crate::erased::AnyChannel;
use crate::hub::Owner;
use crate::link::AnyLink;
use crate::panics::drop_quietly;
use crate::peer::{Peer, Work};
use crate::running::Running;
use crate::stream::Stream;
use crate::stuck::Stuck;
use bennu_core::{Instant, websocket};
use bytes::Bytes;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What a connection is while it waits.
pub(crate) struct Connection {
    link: Arc<dyn AnyLink>,
    peer: Arc<Peer>,
    stream: Stream,
    websocket: websocket::Connection,
    /// The states of its channels, by their numbers; one that is being called is away with its handler.
    channels: SmallVec<[(u64, Box<dyn AnyChannel>); 1]>,
    /// When the shard's sleeper will wake this task for its deadline; [`NEVER`] if it will not.
    armed: Instant,
    /// What few have for long.
    more: Option<Box<More>>,
}

/// What a connection has that does not just wait for the next message.
#[derive(Default)]
struct More {
    /// Handlers that wait.
    running: Running,
    /// Bytes that were read and not taken in yet: those that came with the upgrade, or that wait until less
    /// else waits.
    early: Bytes,
    /// Since when the peer does not take what waits for it.
    stuck: Option<Stuck>,
    life: Life,
}

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Life {
    #[default]
    Open,
    /// The machine has been told of the end; the stream is being closed.
    Closing,
    /// The answer to the peer's close frame is on its way, behind what it is being sent.
    Ending,
    /// The stream is closed. Handlers that run come to their end.
    Closed,
}

/// A time that does not come.
const NEVER: Instant = Instant::LAST;

impl Connection {
    pub(crate) fn new(
        link: Arc<dyn AnyLink>,
        peer: Arc<Peer>,
        stream: Stream,
        early: Bytes,
        config: websocket::Config,
    ) -> Self {
        let websocket = websocket::Connection::server(config, link.hub.runtime.now());
        Self {
            link,
            peer,
            stream,
            websocket,
            channels: SmallVec::new(),
            armed: NEVER,
            more: Some(early)
                .filter(|early| !early.is_empty())
                .map(|early| More { early, ..More::default() }.into()),
        }
    }

    fn life(&self) -> Life {
        self.more.as_ref().map_or(Life::Open, |more| more.life)
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Frees what is not needed to wait for the next message.
    fn tidy(&mut self) {
        let is_empty = |more: &More| {
            more.running.is_empty()
                && more.early.is_empty()
                && more.stuck.is_none()
                && more.life == Life::Open
        };
        self.more.take_if(|more| is_empty(more));
    }

    /// Until when a peer that is stuck has to take more.
    fn patience(&self) -> Option<Instant> {
        let stuck = self.more.as_ref()?.stuck?;
        Some(stuck.until(self.peer.overflows(), self.link.patience))
    }

    /// Tells the machine, once, that the transport has ended.
    fn tell(&mut self, work: &mut VecDeque<Work>) {
        if self.life() == Life::Open {
            self.more().life = Life::Closing;
            // The machine may forget this socket, and with it whose deadlines these were.
            self.armed = NEVER;
            let owner = Owner { socket: self.link.socket, work };
            self.link.hub.disconnect(self.link.socket, self.link.serializer, owner);
        }
    }
}

impl Drop for Connection {
    /// Also when the task is dropped in the midst of its life: at the end of its runtime, or because
    /// something in it panicked.
    fn drop(&mut self) {
        drop_quietly(self.more.as_mut().map(|more| std::mem::take(&mut more.running)));
        drop_quietly(std::mem::take(&mut self.channels));
        self.tell(&mut VecDeque::new());
        if self.life() != Life::Closed {
            self.stream.close(&self.peer);
        }
        self.peer.retire();
        self.link.hub.abandon(self.link.socket);
        self.link.hub.flusher.kick();
    }
}

/// The task of one connection, for a runtime to run to its end.
#[must_use = "a connection lives as long as its task runs"]
pub struct ConnectionTask(Connection);

impl ConnectionTask {
    pub(crate) fn new(connection: Connection) -> Self {
        Self(connection)
    }

    #[cfg(feature = "test")]
    pub(crate) fn socket(&self) -> bennu_core::server::SocketId {
        self.0.link.socket
    }
}

impl Future for ConnectionTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if turn::take(&mut self.0, cx) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl fmt::Debug for ConnectionTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectionTask").field(&self.0.peer).finish()
    }
}
