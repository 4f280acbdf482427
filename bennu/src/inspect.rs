//! What there is on a node, for those who run it.

use crate::Endpoint;
use crate::hub::Hub;
use crate::link::Transport;
use crate::peer::Peer;
use bennu_core::server::{ChannelStage, ChannelView, SocketId, SocketView};
use bennu_core::wire::Serializer;
use serde::{Serialize, Serializer as Output};
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// What [`Endpoint::inspect`] has seen. It can be written as JSON.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// The sockets that are connected, in no order.
    pub sockets: Vec<InspectedSocket>,
}

/// One connection.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct InspectedSocket {
    /// Its name in the log.
    #[serde(serialize_with = "as_debug")]
    pub socket: SocketId,
    /// Where its socket is mounted: `/socket`.
    pub path: String,
    /// What [`Socket::id`](crate::Socket::id) said.
    pub id: Option<String>,
    /// How its client is connected.
    #[serde(serialize_with = "as_text")]
    pub transport: Transport,
    /// The version of its serializer: `1.0.0` or `2.0.0`; `custom` for one of your own.
    pub vsn: &'static str,
    /// The address at the other end of its stream, a proxy's behind one; `None` if it polls, is carried, or comes over TLS.
    pub peer: Option<SocketAddr>,
    /// How long it has been connected.
    pub seconds: u64,
    /// How many frames wait until it takes them. Broadcasts that share a write are one.
    pub outbox_frames: usize,
    /// How many bytes they have; of broadcasts that are still being merged, none.
    pub outbox_bytes: usize,
    /// Its channels, those that have closed not among them.
    pub channels: Vec<InspectedChannel>,
    /// How many of its channels have closed, and their `terminate` still runs.
    pub terminating: usize,
}

/// One channel.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct InspectedChannel {
    /// Its topic.
    pub topic: String,
    /// Where in its life it is: `held`, `joining`, `joined` or `crashing`.
    #[serde(serialize_with = "as_text")]
    pub stage: ChannelStage,
    /// Whether one of its handlers runs.
    pub is_busy: bool,
    /// How many messages wait for its handlers, whoever sent them.
    pub mailbox_messages: usize,
    /// How many bytes of names and payloads they have, those of messages of the application not counted.
    pub mailbox_bytes: usize,
}

impl Endpoint {
    /// Looks at all connections, their channels, and what waits for either.
    ///
    /// ```
    /// # use bennu::prelude::*;
    /// # fn example(endpoint: &Endpoint) {
    /// let inspection = endpoint.inspect();
    /// let slowest = inspection.sockets.iter().max_by_key(|socket| socket.outbox_bytes);
    /// # }
    /// ```
    ///
    /// For an operator's page, not for every second: it goes through every connection and every channel, and copies their
    /// names. The locks of the node are held for 256 connections at most, one lock after the other, and others have their
    /// turn between; so it is no picture of one moment. Topics and ids are your clients' data: show them to nobody who may
    /// not see these.
    #[must_use]
    pub fn inspect(&self) -> Inspection {
        let hub = self.hub();
        let now = hub.runtime.now();
        let polled = hub.polled_depths();
        let mut sockets = Vec::new();
        hub.look(|view| {
            let peer = &*view.handle;
            let (outbox_frames, outbox_bytes) = depth(peer, view.socket, &polled);
            sockets.push(InspectedSocket {
                socket: view.socket,
                path: hub.mounts()[view.mount].name.to_string(),
                id: view.id.map(|id| id.to_string()),
                transport: peer.transport(),
                vsn: match view.serializer {
                    Serializer::V1 => "1.0.0",
                    Serializer::V2 => "2.0.0",
                    Serializer::Custom(_) => "custom",
                },
                peer: peer.stream().and_then(crate::PlainStream::peer_addr),
                seconds: peer.seconds(now),
                outbox_frames,
                outbox_bytes,
                channels: view.channels.into_iter().map(InspectedChannel::from).collect(),
                terminating: view.terminating,
            });
        });
        Inspection { sockets }
    }

    /// Tells the recorder how much waits, for clients and for handlers, which nobody counts as it comes and goes: the gauges
    /// of the queues in [the table](crate::guide::metrics). To be called before each scrape, or every few seconds: it goes
    /// through all that [`inspect`](Self::inspect) does, but keeps only sums.
    #[cfg(feature = "metrics")]
    #[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
    pub fn sample_queues(&self) {
        let hub = self.hub();
        let polled = hub.polled_depths();
        let mut depths = crate::metrics::Depths::default();
        hub.look(|view| {
            let (frames, bytes) = depth(&view.handle, view.socket, &polled);
            depths.outbox_frames += frames;
            depths.outbox_bytes += bytes;
            depths.outbox_largest = depths.outbox_largest.max(bytes);
            depths.mailbox_messages += view.channels.iter().map(|channel| channel.messages).sum::<usize>();
        });
        hub.metrics.depths(depths);
    }
}

/// How many connections are looked at under one lock.
const TOGETHER: usize = 256;

/// What waits for each session, in frames and bytes.
type Depths = HashMap<SocketId, (usize, usize)>;

impl Hub {
    /// Visits all sockets, where no lock is held.
    fn look(&self, mut visit: impl FnMut(SocketView<Arc<Peer>>)) {
        for place in 0..self.shards() {
            let mut from = Some(0);
            while let Some(first) = from {
                let (views, next) = self.shard(place).server.inspect(first, TOGETHER);
                views.into_iter().for_each(&mut visit);
                from = next;
            }
        }
    }

    fn polled_depths(&self) -> Depths {
        let sessions = self.sessions.all();
        sessions.iter().filter_map(|counter| Some((counter.socket()?, counter.depth()))).collect()
    }
}

/// What waits for a client: at its peer, and if it polls, at its session.
fn depth(peer: &Peer, socket: SocketId, polled: &Depths) -> (usize, usize) {
    let (frames, bytes) = peer.depth();
    let (more_frames, more_bytes) = polled.get(&socket).copied().unwrap_or_default();
    (frames + more_frames, bytes + more_bytes)
}

impl From<ChannelView> for InspectedChannel {
    fn from(view: ChannelView) -> Self {
        let ChannelView { topic, stage, is_busy, messages, bytes } = view;
        Self { topic: topic.to_string(), stage, is_busy, mailbox_messages: messages, mailbox_bytes: bytes }
    }
}

fn as_text<S: Output>(value: &impl fmt::Display, output: S) -> Result<S::Ok, S::Error> {
    output.collect_str(value)
}

fn as_debug<S: Output>(value: &impl fmt::Debug, output: S) -> Result<S::Ok, S::Error> {
    output.collect_str(&format_args!("{value:?}"))
}
