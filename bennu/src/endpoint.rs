//! The node as the application holds it.

use crate::hub::{Hub, Kick, Sender};
use crate::index::TopicIndex;
use crate::longpoll::{Sessions, random_secret};
use crate::mount::{Mounted, SocketSettings};
use crate::runtime::Runtime;
use crate::subscription::QueueLimits;
use crate::token::Secret;
use crate::{RequestLimits, Socket, Subscription};
use bennu_core::server::{Broadcast, CloseReason};
use bennu_core::wire::EncodeError;
use bennu_core::{IntoPayload, NotEncodable, Payload, Topic, event};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Sockets, channels and topics of this node: a value to broadcast by, and a tower service that takes
/// the connections.
///
/// A clone is the same endpoint. Nothing of it ever waits, but for [`drain`](Self::drain).
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
    shards: usize,
    max_connections: usize,
    queue: QueueLimits,
    secret: Option<Secret>,
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

/// How long the handlers that run have at shutdown.
const SHUTDOWN: Duration = Duration::from_secs(5);

impl Endpoint {
    /// Starts the settings of an endpoint.
    pub fn builder() -> Builder {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let queue = QueueLimits::default();
        Builder { mounts: Vec::new(), shards: 4 * workers, max_connections: usize::MAX, queue, secret: None }
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
    /// them. Bytes do not reach clients of serializer V1, nor those that poll or are [carried](Self::carry).
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

    /// Ends all connections at once with 1012 ("service restart": clients reconnect), takes no new ones
    /// (503), and waits until the handlers that run have come to their end, for 5 s at most. There is no way
    /// back.
    pub async fn drain(&self) {
        self.hub.begin_drain();
        self.hub.stop_all(CloseReason::Draining);
        let pause = Duration::from_millis(10);
        let until = self.hub.runtime.now() + SHUTDOWN;
        while self.hub.sockets() > 0 && self.hub.runtime.now() < until {
            self.hub.runtime.sleep(pause).await;
        }
    }

    /// How large a request may be that opens a connection, whatever socket it is for: what the HTTP server in
    /// front has to take at least.
    pub fn request_limits(&self) -> RequestLimits {
        let none = RequestLimits::new().target(0).header_block(0).headers(0);
        let each = self.hub.mounts().iter().map(|mount| RequestLimits { head: mount.options.limits });
        each.fold(none, RequestLimits::or)
    }

    /// Whether any of the sockets takes [clients that poll](crate::LongPoll): they come with one request after the other,
    /// and some of these wait, so that an HTTP server in front must not count the time until there is a WebSocket.
    #[must_use]
    pub fn is_polled(&self) -> bool {
        self.hub.mounts().iter().any(|mount| mount.longpoll.is_some())
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
    /// If the path is malformed: a mistake in the program.
    pub fn socket<S: Socket>(mut self, path: &str, settings: SocketSettings<S>) -> Self {
        self.mounts.push(settings.mount(path));
        self
    }

    /// How many shards there are: by default four for each core, so that workers rarely meet at a lock.
    /// Clients that poll or are [carried](Endpoint::carry), if there may be any, have a quarter as many of their own. At
    /// most 63 in all.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = shards.clamp(1, TopicIndex::MAX_SHARDS);
        self
    }

    /// How many connections there may be: by default as many as come. A further one is answered 503.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
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
        self.secret = Some(secret);
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
        let Self { mounts, shards, max_connections, queue, secret } = self;
        let sessions = Sessions::new(secret.unwrap_or_else(random_secret));
        let hub = Hub::start(Arc::new(runtime), shards, mounts, max_connections, queue, (k0, k1), sessions);
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
