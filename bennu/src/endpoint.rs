//! The node as the application holds it.

use crate::door::Door;
use crate::format::Register;
use crate::hub::{Hub, Kick, Sender};
use crate::index::TopicIndex;
use crate::mount::{Mounted, SocketSettings};
use crate::places::Capacity;
use crate::runtime::Runtime;
use crate::subscription::QueueLimits;
use crate::token::Secret;
use crate::{Rate, RequestLimits, Socket, Subscription};
use bennu_core::connect::TrustedProxies;
use bennu_core::drain::Whom;
use bennu_core::server::Broadcast;
use bennu_core::wire::EncodeError;
use bennu_core::{IntoPayload, NotEncodable, ParameterFilter, Payload, Topic, event};
use std::fmt;
use std::sync::Arc;

/// Sockets, channels and topics of this node: a value to broadcast by, and a tower service that takes
/// the connections.
///
/// A clone is the same endpoint. Nothing of it ever waits, but for [`drain`](Self::drain) and
/// [`drain_socket`](Self::drain_socket).
///
/// ```
/// # use bennu::prelude::*;
/// # async fn example(endpoint: Endpoint) -> Result<(), Box<dyn std::error::Error>> {
/// endpoint.broadcast("room:lobby", "new_msg", serde_json::json!({ "body": "hello" }))?;
///
/// let mut room = endpoint.subscribe("room:lobby");
/// let notification = room.next().await;
///
/// endpoint.disconnect("player:ann");
/// # Ok(())
/// # }
/// ```
///
/// Source: `Phoenix.Endpoint`.
#[derive(Clone)]
pub struct Endpoint {
    hub: Arc<Hub>,
}

/// Settings of an [`Endpoint`].
#[must_use]
pub struct Builder {
    mounts: Vec<Mounted>,
    formats: Register,
    door: Door,
    shards: usize,
    capacity: Capacity,
    queue: QueueLimits,
}

/// A broadcast that could not be sent: nobody has received it.
#[derive(Debug)]
#[non_exhaustive]
pub enum BroadcastError {
    /// The payload cannot be written as JSON.
    NotEncodable(NotEncodable),
    /// The payload is neither an object nor bytes, or a name is too long: past 1,024 bytes, or 255 beside bytes.
    Encode(EncodeError),
}

impl fmt::Display for BroadcastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEncodable(error) => error.fmt(f),
            Self::Encode(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BroadcastError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotEncodable(error) => error.source(),
            Self::Encode(error) => error.source(),
        }
    }
}

impl Endpoint {
    /// Starts the settings of an endpoint.
    pub fn builder() -> Builder {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let queue = QueueLimits::default();
        Builder {
            mounts: Vec::new(),
            formats: Register::default(),
            door: Door::default(),
            shards: 4 * workers,
            capacity: Capacity::default(),
            queue,
        }
    }

    pub(crate) fn of(hub: Arc<Hub>) -> Self {
        Self { hub }
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Sends an event to everybody on a topic.
    ///
    /// Shape on the wire: `[null,null,"room:lobby","new_msg",{"body":"hello"}]`.
    ///
    /// Those who joined the topic receive it in the order in which one task broadcasts. It never waits for
    /// them. Bytes do not reach clients of serializer V1, nor those that poll, nor those of V2 that are [carried](Self::carry).
    ///
    /// # Errors
    /// [`BroadcastError`] if the payload cannot be sent; nobody has received it then.
    ///
    /// Source: `Phoenix.Endpoint.broadcast/3`.
    pub fn broadcast(
        &self,
        topic: &str,
        event: &str,
        payload: impl IntoPayload,
    ) -> Result<(), BroadcastError> {
        self.local_broadcast(topic, event, payload)
    }

    /// Sends an event to everybody on a topic on this node alone. As long as there is no other,
    /// [`broadcast`](Self::broadcast) does the same.
    ///
    /// # Errors
    /// As [`broadcast`](Self::broadcast).
    ///
    /// Source: `Phoenix.Endpoint.local_broadcast/3`.
    pub fn local_broadcast(
        &self,
        topic: &str,
        event: &str,
        payload: impl IntoPayload,
    ) -> Result<(), BroadcastError> {
        let payload = payload.into_payload().map_err(BroadcastError::NotEncodable)?;
        let broadcast = Broadcast::new(Topic::from(topic), event, payload).map_err(BroadcastError::Encode)?;
        self.hub.broadcast(broadcast, Sender::Nobody, Kick::Now);
        Ok(())
    }

    /// Ends every connection whose socket has this id, with close code 1001 if it is a WebSocket: their clients
    /// reconnect, and [`Socket::connect`] decides anew.
    ///
    /// Source: the broadcast of `disconnect` that `Phoenix.Socket` describes at `id/1`.
    pub fn disconnect(&self, id: &str) {
        let broadcast = Broadcast::new(Topic::from(id), event::DISCONNECT, Payload::empty());
        if let Ok(broadcast) = broadcast {
            self.hub.broadcast(broadcast, Sender::Nobody, Kick::Now);
        }
    }

    /// Subscribes to a topic, as a stream of its broadcasts from now on, until it is dropped.
    ///
    /// Source: `Phoenix.Endpoint.subscribe/2`.
    #[must_use]
    pub fn subscribe(&self, topic: &str) -> Subscription {
        self.hub.subscribe_outside(topic)
    }

    /// Ends this node's part in the conversation, for a shutdown: takes no new connections from its first moment on
    /// (503), closes those that there are with 1012 ("service restart": clients reconnect), each socket's in batches
    /// as its [`Drain`](crate::Drain) says, and waits until the handlers that run have come to their end, for 5 s
    /// behind the last batch at most. There is no way back. A long-poll session is a connection as any other: it ends,
    /// and its poll is answered.
    ///
    /// `terminate` is told [`Reason::Draining`](crate::Reason::Draining). Connections without channels are closed
    /// too, each counted as one channel.
    ///
    /// Source: Phoenix `Socket.PoolDrainer`, which leaves connections without channels to the web server.
    pub async fn drain(&self) {
        self.hub.drain_for_good().await;
    }

    /// Closes the connections of one socket that have channels, with 1012, in batches as its
    /// [`Drain`](crate::Drain) says: to move clients to other nodes, for instance. It goes on to take new
    /// connections, which this drain leaves alone, and can be drained again.
    ///
    /// `path` is the one that the socket was mounted at. Returns how many connections were closed; `None` if no
    /// socket is mounted there. Their handlers may still run. Should the future be dropped, the batches end.
    ///
    /// Source: Phoenix `Socket.PoolDrainer`.
    pub async fn drain_socket(&self, path: &str) -> Option<usize> {
        let mounts = self.hub.mounts().iter().enumerate();
        let at_path = mounts.filter(|(_, mount)| &*mount.name == path);
        let drains: Vec<_> =
            at_path.map(|(place, _)| self.hub.drain_mount(place, Whom::WithChannels)).collect();
        if drains.is_empty() {
            return None;
        }
        Some(futures_util::future::join_all(drains).await.into_iter().sum())
    }

    /// How large a request may be that opens a connection, whatever socket it is for: what the HTTP server in
    /// front has to take at least.
    pub fn request_limits(&self) -> RequestLimits {
        let none = RequestLimits::new().target(0).header_block(0).headers(0);
        let each = self.hub.mounts().iter().map(|mount| RequestLimits { head: mount.options.limits });
        each.fold(none, RequestLimits::or)
    }

    /// Whether a request for this path, such as `/socket/websocket`, is one for a socket, by whichever transport: whoever
    /// serves other things beside the endpoint can give it these requests, and keep the others.
    #[must_use]
    pub fn has_socket_at(&self, path: &str) -> bool {
        self.hub.mounts().iter().any(|mount| mount.is_at(path))
    }

    /// Whether any of the sockets takes [clients that poll](crate::LongPoll): they come with one request after the other,
    /// and some of these wait, so that an HTTP server in front must not count the time until there is a WebSocket.
    #[must_use]
    pub fn is_polled(&self) -> bool {
        self.hub.mounts().iter().any(|mount| mount.longpoll.is_some())
    }

    /// How many broadcasts clients have lost since the endpoint was built, as they took too little and
    /// [may lose them](crate::Limits::slow_consumer); one that two clients have lost counts twice.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.hub.lost()
    }

    /// How many connections there are; one whose channels are still ending is counted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.hub.sockets()
    }
}

impl Builder {
    /// Mounts a socket at a path: `/socket`, or with variables `/orgs/{org}`, which become parameters.
    /// Clients connect below it, at `/socket/websocket`, and those that poll at `/socket/longpoll`.
    ///
    /// # Panics
    /// If the path is malformed, there are 65,535 sockets already, or all sockets together have more than 16
    /// [formats](SocketSettings::serializer): a mistake in the program.
    pub fn socket<S: Socket>(mut self, path: &str, settings: SocketSettings<S>) -> Self {
        assert!(self.mounts.len() < usize::from(u16::MAX), "there are at most 65,535 sockets");
        self.mounts.push(settings.mount(path, &mut self.formats));
        self
    }

    /// How many shards there are: by default four for each core, so that workers rarely meet at a lock.
    /// Clients that poll or are [carried](Endpoint::carry), if there may be any, have a quarter as many of their own. At
    /// most 63 in all.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = shards.clamp(1, TopicIndex::MAX_SHARDS);
        self
    }

    /// How many connections there may be, by whichever transport: by default as many as come. A further one is answered
    /// 503. [`SocketSettings::max_connections`] is for one socket.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.capacity.connections = connections;
        self
    }

    /// How fast clients may come, by whichever transport: by default as fast as they come. One too many is answered 503
    /// before anything of its request but the path is looked at, and of clients that poll the origin and the token.
    /// [`SocketSettings::accept_rate`] is for one socket.
    ///
    /// Who is refused does not count, and whoever is let in and then refused by its origin or by
    /// [`Socket::connect`](crate::Socket::connect) does. TLS, where it ends here, comes before: its handshakes are for a proxy or the
    /// kernel to bound.
    ///
    /// ```
    /// use bennu::{Endpoint, Rate};
    ///
    /// // After a restart all come back at once: 5,000 of them, and then 500 a second.
    /// let endpoint = Endpoint::builder().accept_rate(Rate::per_second(500).burst(5000));
    /// ```
    pub fn accept_rate(mut self, rate: Rate) -> Self {
        self.capacity.rate = Some(rate);
        self
    }

    /// Who is believed when they say for whom a request is: nobody by default. Behind a proxy, the client's address
    /// ([`ConnectInfo::peer_data`](crate::ConnectInfo::peer_data)) and the scheme by which it came, which origins are
    /// checked against, are only known through it.
    ///
    /// ```
    /// # fn main() -> Result<(), bennu::ProxyEntryError> {
    /// use bennu::{Endpoint, TrustedProxies};
    ///
    /// let endpoint = Endpoint::builder().trusted_proxies(TrustedProxies::new(["10.0.0.0/8"])?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.door.proxies = proxies;
        self
    }

    /// Which values are left out where parameters and payloads are logged (of connects and joins at the level info, of
    /// messages at debug): those of tokens, passwords and secrets by default.
    ///
    /// ```
    /// use bennu::{Endpoint, ParameterFilter};
    ///
    /// let filter = ParameterFilter::discard(["token", "password", "secret", "iban"]);
    /// let endpoint = Endpoint::builder().filter_parameters(filter);
    /// ```
    ///
    /// Source: `config :phoenix, :filter_parameters`.
    pub fn filter_parameters(mut self, filter: ParameterFilter) -> Self {
        self.door.filter = filter;
        self
    }

    /// Broadcasts that may wait at one [`Subscription`]: 1,024. Of more, the oldest are dropped, and the
    /// subscriber is told how many.
    pub fn subscription_messages(mut self, messages: usize) -> Self {
        self.queue.messages = messages;
        self
    }

    /// The same in bytes of payload: 4 MiB.
    pub fn subscription_bytes(mut self, bytes: usize) -> Self {
        self.queue.bytes = bytes;
        self
    }

    /// What the tokens of long-poll sessions are signed with.
    ///
    /// Without it, they are signed with a random secret of this process. A session lives in one process and ends with it,
    /// so that nothing is lost by that; Phoenix, whose secret signs other things besides, does not start without one.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.door.secret = Some(secret);
        self
    }

    /// Starts the endpoint on a runtime, whose tasks it spawns at once: on tokio it has to be called within
    /// the runtime.
    ///
    /// # Panics
    /// If the system has no randomness to seed its tables with, and where the runtime cannot spawn: tokio
    /// outside of tokio.
    #[must_use = "without its endpoint nothing connects"]
    pub fn build(self, runtime: impl Runtime) -> Endpoint {
        let mut seed = [0; 16];
        getrandom::fill(&mut seed).expect("the operating system gives randomness");
        let [k0, k1] = [0, 8].map(|at| {
            let half: [u8; 8] = std::array::from_fn(|i| seed[at + i]);
            u64::from_le_bytes(half)
        });
        let Self { mounts, formats, mut door, shards, capacity, queue } = self;
        door.formats = formats.into_formats();
        let hub = Hub::start(Arc::new(runtime), shards, mounts, door, capacity, queue, (k0, k1));
        Endpoint { hub }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").finish_non_exhaustive()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("shards", &self.shards).finish_non_exhaustive()
    }
}
