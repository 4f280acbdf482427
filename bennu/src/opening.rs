//! A connection between its admission and its first frame.

use crate::connection::{Connection, ConnectionTask, Polling, SessionTask};
use crate::hub::Slot;
use crate::link::{AnyLink, Dialect, Line, Transport};
use crate::longpoll::Counter;
use crate::mount::{Admitted, Mounted};
use crate::peer::Peer;
use crate::stream::Stream;
use crate::{PlainStream, Runtime};
use bennu_core::wire::Serializer;
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use std::sync::Arc;

/// A connection that has been granted; a WebSocket waits for its stream.
pub(crate) struct Opening {
    serializer: Serializer,
    admitted: Admitted,
    slot: Slot,
}

impl Opening {
    pub(crate) fn new(serializer: Serializer, admitted: Admitted, slot: Slot) -> Self {
        Self { serializer, admitted, slot }
    }

    pub(crate) fn serializer(&self) -> Serializer {
        self.serializer
    }

    pub(crate) fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::clone(&self.slot.runtime)
    }

    pub(crate) fn mount(&self) -> &Mounted {
        &self.slot.mounts()[self.slot.mount()]
    }

    /// Waits until HTTP lets go of the stream; `None` if nothing comes of it.
    pub(crate) async fn wait(self, upgrade: OnUpgrade) -> Option<ConnectionTask> {
        match upgrade.await {
            Ok(upgraded) => Some(self.start(upgraded)),
            Err(error) => {
                tracing::debug!(%error, "an upgrade failed");
                None
            }
        }
    }

    fn start(self, upgraded: Upgraded) -> ConnectionTask {
        match self.slot.runtime.adopt(upgraded) {
            Ok((plain, early)) => self.open(Some(plain), Stream::PLAIN, early),
            Err(foreign) => self.open(None, Stream::foreign(foreign), Bytes::new()),
        }
    }

    /// Begins the connection over a stream.
    pub(crate) fn open(
        self,
        plain: Option<Box<dyn PlainStream>>,
        stream: Stream,
        early: Bytes,
    ) -> ConnectionTask {
        let mount = self.mount();
        let config = mount.websocket;
        let peer = Arc::new(Peer::new(plain, mount.outbox));
        let link = self.enter(Transport::WebSocket, &peer);
        ConnectionTask::new(Connection::new(link, peer, stream, early, config))
    }

    /// Begins a session, for a client that has no stream: its task runs from here on. Returns the counter where it is met,
    /// and the number by which a token may lead there.
    pub(crate) fn open_session(
        self,
        transport: Transport,
        config: bennu_core::longpoll::Config,
    ) -> (Arc<Counter>, u128) {
        let hub = Arc::clone(&self.slot);
        let peer = Arc::new(Peer::new(None, self.mount().outbox));
        let counter = Counter::new(Arc::clone(&peer), Arc::clone(&hub.runtime), config);
        let link = self.enter(transport, &peer);
        let session = hub.sessions.add(&counter);
        let connection = Connection::over(Polling::new(Arc::clone(&counter), session), link, peer);
        hub.runtime.spawn(Box::pin(SessionTask::new(connection)));
        (counter, session)
    }

    /// Makes the peer known to the machine.
    fn enter(self, transport: Transport, peer: &Arc<Peer>) -> Arc<dyn AnyLink> {
        let Self { serializer, admitted, slot } = self;
        let dialect = Dialect { serializer, transport };
        let socket = slot.connect(peer, dialect, slot.mount(), admitted.id.as_deref());
        (admitted.link)(Line::new(slot, socket, dialect), admitted.id)
    }
}
