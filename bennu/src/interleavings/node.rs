//! A node in a model: an endpoint, its flusher, and connections whose other end is the model.

use super::wire::Wire;
use crate::connection::Connection;
use crate::hub::Hub;
use crate::link::{Dialect, Line, Transport};
use crate::peer::Peer;
use crate::runtime::still::Still;
use crate::stream::Stream;
use crate::{
    BoxFuture, Channel, ConnectInfo, ConnectionTask, Context, Endpoint, Failure, JoinContext, Joined, Limits,
    Open, Params, Payload, Reply,
};
use bennu_core::wire::Serializer;
use bytes::Bytes;
use futures_util::FutureExt as _;
use serde_json::json;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Waker};

/// Answers what it is sent; `ask` with so much.
struct Room;

/// How long the answer to an `ask` is, in bytes and more.
pub(super) const LONG: usize = 100;

impl Channel for Room {
    type Assigns = ();

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }

    async fn handle_in(&mut self, _: &str, _: Payload, _: &Context<Self>) -> Result<Reply, Failure> {
        Ok(Reply::ok(json!({ "x": "x".repeat(LONG) })))
    }
}

/// A node, whose flusher is another thread's.
pub(super) struct Node {
    pub(super) endpoint: Endpoint,
    pub(super) flusher: BoxFuture<'static, ()>,
}

impl Node {
    pub(super) fn new(shards: usize, limits: Limits) -> Self {
        let runtime = Still::default();
        let socket = crate::socket(Open).channel::<Room>("room:*").limits(limits);
        let endpoint = Endpoint::builder().shards(shards).socket("/socket", socket).build(runtime.clone());
        let flusher = runtime.spawned().swap_remove(0);
        Self { endpoint, flusher }
    }

    pub(super) fn hub(&self) -> &Arc<Hub> {
        self.endpoint.hub()
    }

    /// Lets the flusher do what there is to do, in the model's own thread.
    pub(super) fn pass(&mut self) {
        let _ = self.flusher.as_mut().poll(&mut task::Context::from_waker(Waker::noop()));
    }

    /// Connects a client; each to another shard than the one before.
    pub(super) fn connect(&self, wire: &Wire) -> Member {
        let hub = Arc::clone(self.hub());
        let mount = &hub.mounts()[0];
        let admitted = mount.socket.connect(Params::default(), ConnectInfo::default()).now_or_never();
        let Some(Ok(admitted)) = admitted else { panic!("anybody may connect") };
        let peer = Arc::new(Peer::new(Some(Box::new(wire.clone())), mount.outbox));
        let config = mount.websocket;
        let dialect = Dialect { serializer: Serializer::V2, transport: Transport::WebSocket };
        let socket = hub.connect(&peer, dialect, 0, None);
        let slot = Arc::clone(&hub).admit().expect("there is no limit");
        let line = Line { hub: slot, socket, dialect, patience: mount.patience };
        let link = (admitted.link)(line, admitted.id);
        let connection = Connection::new(link, Arc::clone(&peer), Stream::PLAIN, Bytes::new(), config);
        Member { peer, wire: wire.clone(), task: Box::pin(ConnectionTask::new(connection)) }
    }

    /// Connects a client that has joined the topic.
    pub(super) fn member(&self, wire: &Wire, topic: &str) -> Member {
        let mut member = self.connect(wire);
        member.wire.send(&format!(r#"["1","1","{topic}","phx_join",{{}}]"#));
        member.poll();
        assert!(!wire.state().taken.is_empty(), "the join has been answered");
        wire.forget();
        member
    }
}

/// Makes a broadcast that says its number.
pub(super) fn broadcast(endpoint: &Endpoint, topic: &str, n: usize) {
    endpoint.broadcast(topic, "n", json!({ "n": n })).unwrap();
}

/// A client's connection.
pub(super) struct Member {
    pub(super) peer: Arc<Peer>,
    wire: Wire,
    pub(super) task: Pin<Box<ConnectionTask>>,
}

impl Member {
    /// Lets its task have a turn that nobody wakes it from.
    pub(super) fn poll(&mut self) {
        let _ = self.task.as_mut().poll(&mut task::Context::from_waker(Waker::noop()));
    }
}
