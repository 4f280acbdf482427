//! What all channels of one connection share.

use crate::connection::Joins;
use crate::hub::{Hub, Slot};
use bennu_core::connect::ConnectInfo;
use bennu_core::server::SocketId;
use bennu_core::wire::Serializer;
use std::fmt;
use std::sync::Arc;

/// One connection, as its channels see it.
pub(crate) struct Link {
    pub(crate) hub: Arc<Hub>,
    pub(crate) socket: SocketId,
    pub(crate) serializer: Serializer,
    pub(crate) id: Option<Box<str>>,
    pub(crate) info: ConnectInfo,
    /// What starts its joins.
    pub(crate) joins: Arc<dyn Joins>,
    /// Its place among the connections that there may be.
    #[allow(dead_code, reason = "held until it is dropped")]
    pub(crate) slot: Slot,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("socket", &self.socket).field("id", &self.id).finish_non_exhaustive()
    }
}

/// How a client is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WebSocket => "websocket",
        })
    }
}
