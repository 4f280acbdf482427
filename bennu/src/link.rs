//! What all channels of one connection share.

use crate::BoxFuture;
use crate::erased::{Finished, Seed};
use crate::hub::{Hub, Slot};
use crate::routes::Routes;
use bennu_core::connect::ConnectInfo;
use bennu_core::longpoll::{Carries, NotText};
use bennu_core::outbox::Patience;
use bennu_core::router::RouteId;
use bennu_core::server::SocketId;
use bennu_core::wire::{DecodeLimits, EncodeError, Formats, Outgoing, Serializer};
use bennu_core::{Frame, Kind};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// One connection, as its channels see it: where it belongs, who connected, and what `connect` made of that.
/// All in one piece of memory, as there is one of these a connection.
pub(crate) struct Link<A> {
    pub(crate) line: Line,
    /// Boxed twice, as most have none.
    #[allow(clippy::redundant_allocation, reason = "one pointer wide")]
    pub(crate) id: Option<Box<Box<str>>>,
    pub(crate) info: ConnectInfo,
    pub(crate) routes: Arc<Routes<A>>,
    pub(crate) assigns: A,
}

/// Where a connection belongs.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) hub: Arc<Hub>,
    pub(crate) socket: SocketId,
    pub(crate) dialect: Dialect,
    /// Where it has a place among the connections that there may be: given back when this is dropped. In few bytes, as
    /// there is one of these a connection.
    mount: u16,
    /// How long what waits for its client may.
    pub(crate) patience: Patience,
}

impl Line {
    /// A connection takes the place that it was given.
    pub(crate) fn new(slot: Slot, socket: SocketId, dialect: Dialect) -> Self {
        let (mount, patience) = (slot.mount(), slot.mounts()[slot.mount()].patience);
        let mount = u16::try_from(mount).expect("the builder takes no more sockets");
        Self { hub: slot.leave(), socket, dialect, mount, patience }
    }

    /// What one message of the client may have.
    pub(crate) fn decode_limits(&self) -> DecodeLimits {
        self.hub.mounts()[usize::from(self.mount)].decode
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.hub.give_back(self.mount.into());
    }
}

/// How messages to one client are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) serializer: Serializer,
    pub(crate) transport: Transport,
}

/// Why a message cannot be sent to its client: the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsendable {
    Encode(EncodeError),
    /// Bytes for a client that polls, or in V1 or V2 over a transport of the application's own.
    NotText(NotText),
}

impl Dialect {
    pub(crate) fn encode(self, formats: &Formats, outgoing: &Outgoing<'_>) -> Result<Frame, Unsendable> {
        let frame = formats.encode(self.serializer, outgoing).map_err(Unsendable::Encode)?;
        if frame.kind() == Kind::Binary && self.carries() == Carries::Text {
            return Err(Unsendable::NotText(NotText));
        }
        Ok(frame)
    }

    /// What can be sent in it.
    pub(crate) fn carries(self) -> Carries {
        match (self.transport, self.serializer) {
            (Transport::WebSocket, _) | (Transport::Carried, Serializer::Custom(_)) => Carries::TextAndBytes,
            (Transport::LongPoll, _) | (Transport::Carried, Serializer::V1 | Serializer::V2) => Carries::Text,
        }
    }
}

impl Line {
    /// Encodes what is to be sent to the client.
    pub(crate) fn encode(&self, outgoing: &Outgoing<'_>) -> Result<Frame, Unsendable> {
        self.dialect.encode(self.hub.formats(), outgoing)
    }
}

impl fmt::Display for Unsendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encode(error) => error.fmt(f),
            Self::NotText(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unsendable {}

/// A link without its types.
pub(crate) trait AnyLink: Send + Sync {
    fn line(&self) -> &Line;

    /// Starts a join by one of the connection's routes.
    fn join(self: Arc<Self>, route: RouteId, seed: Seed) -> BoxFuture<'static, Finished>;
}

impl<A: Send + Sync + 'static> AnyLink for Link<A> {
    fn line(&self) -> &Line {
        &self.line
    }

    fn join(self: Arc<Self>, route: RouteId, mut seed: Seed) -> BoxFuture<'static, Finished> {
        let pattern = self.routes.router().pattern(route).expect("the machine routes by the same table");
        let subtopic = pattern.matches(&seed.topic).unwrap_or_default().len();
        seed.subtopic = u32::try_from(seed.topic.len() - subtopic).expect("a topic has at most 1,024 bytes");
        self.routes.channel_of(route).join(seed, Arc::clone(&self))
    }
}

impl<A> Deref for Link<A> {
    type Target = Line;

    fn deref(&self) -> &Line {
        &self.line
    }
}

impl Deref for dyn AnyLink {
    type Target = Line;

    fn deref(&self) -> &Line {
        self.line()
    }
}

/// How a client is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// Requests, one after the other: see [`LongPoll`](crate::LongPoll).
    LongPoll,
    /// A transport of the application's own: see [`Endpoint::carry`](crate::Endpoint::carry).
    Carried,
}

impl Transport {
    /// All of them, in their order.
    pub(crate) const ALL: [Self; 3] = [Self::WebSocket, Self::LongPoll, Self::Carried];
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WebSocket => "websocket",
            Self::LongPoll => "longpoll",
            Self::Carried => "carried",
        })
    }
}
