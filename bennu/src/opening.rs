//! A connection between its 101 and its first frame.

use crate::connection::{Connection, ConnectionTask};
use crate::hub::Slot;
use crate::link::Line;
use crate::mount::Admitted;
use crate::peer::Peer;
use crate::stream::Stream;
use bennu_core::wire::Serializer;
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use std::sync::Arc;

/// A connection that has been granted, and waits for its stream.
pub(crate) struct Opening {
    pub(crate) place: usize,
    pub(crate) serializer: Serializer,
    pub(crate) admitted: Admitted,
    /// Its place in its node.
    pub(crate) slot: Slot,
    pub(crate) upgrade: OnUpgrade,
}

impl Opening {
    /// Waits until HTTP lets go of the stream; `None` if nothing comes of it.
    pub(crate) async fn wait(mut self) -> Option<ConnectionTask> {
        match (&mut self.upgrade).await {
            Ok(upgraded) => Some(self.start(upgraded)),
            Err(error) => {
                tracing::debug!(%error, "an upgrade failed");
                None
            }
        }
    }

    fn start(self, upgraded: Upgraded) -> ConnectionTask {
        let Self { place, serializer, admitted, slot: hub, upgrade: _ } = self;
        let (plain, stream, early) = match hub.runtime.adopt(upgraded) {
            Ok((plain, early)) => (Some(plain), Stream::PLAIN, early),
            Err(foreign) => (None, Stream::foreign(foreign), Bytes::new()),
        };
        let mount = &hub.mounts()[place];
        let (config, patience) = (mount.websocket, mount.patience);
        let peer = Arc::new(Peer::new(plain, mount.outbox));
        let socket = hub.connect(&peer, serializer, place, admitted.id.as_deref());
        let line = Line { hub, socket, serializer, patience };
        let link = (admitted.link)(line, admitted.id);
        ConnectionTask::new(Connection::new(link, peer, stream, early, config))
    }
}
