//! A server, scripted peers, an application and the clock, with no I/O between them.
//!
//! Peers send text, the application answers calls, and after every input all outputs are drained, noted
//! down, and held against the rules that no test may see broken.

mod application;
mod outputs;
mod rules;

pub(crate) use application::{Answer, App};

use application::Pending;
use bennu_core::router::Router;
use bennu_core::server::{
    Broadcast, ChannelId, CloseReason, Config, Limits, Mount, Notice, Server, SocketConfig, SocketId, TimerId,
};
use bennu_core::wire::{Outgoing, Serializer};
use bennu_core::{Frame, Instant, Kind, Payload, RawJson, Ref, Topic};
use rules::Rules;
use std::collections::BTreeMap;
use std::time::Duration;

/// What `handle_info` receives.
pub(crate) type Note = &'static str;

pub(crate) struct Pair {
    pub(crate) server: Server<usize, Note>,
    pub(crate) now: Instant,
    /// How handlers answer.
    pub(crate) app: App,
    /// Whether `terminate` waits for the test to answer it.
    pub(crate) park_terminate: bool,
    peers: Vec<Peer>,
    /// Every channel whose join was asked for, also those that have ended.
    channels: BTreeMap<ChannelId, Known>,
    /// Calls that wait for an answer, in the order they were made.
    pending: Vec<Pending>,
    said: Vec<String>,
    notices: Vec<(usize, Notice)>,
    rules: Rules,
}

struct Peer {
    id: SocketId,
    serializer: Serializer,
    frames: Vec<String>,
}

/// What the application knows of a channel.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) peer: usize,
    pub(crate) topic: Topic,
    pub(crate) sent_join_ref: Option<Ref>,
    pub(crate) join_ref: Option<Ref>,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn on_shard(shard: u32) -> Self {
        Self::on(shard, Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        Self::on(7, limits)
    }

    /// Mount 0 has the routes `room:*`, `icpt:*` (intercepts `icpt`) and `exact`; mount 1 has `*`.
    fn on(shard: u32, limits: Limits) -> Self {
        let mut routes = Router::default();
        routes.add("room:*", &[]).unwrap();
        routes.add("icpt:*", &["icpt"]).unwrap();
        routes.add("exact", &[]).unwrap();
        let mut all = Router::default();
        all.add("*", &[]).unwrap();
        let mounts = vec![Mount { router: routes, limits }, Mount { router: all, limits }];
        Self {
            server: Server::new(Config { shard, hash_key: (1, 2), mounts }),
            now: Instant::EPOCH,
            app: App::Plain,
            park_terminate: false,
            peers: Vec::new(),
            channels: BTreeMap::new(),
            pending: Vec::new(),
            said: Vec::new(),
            notices: Vec::new(),
            rules: Rules::new(limits.max_channels),
        }
    }

    // The transport.

    pub(crate) fn connect(&mut self) -> usize {
        self.connect_as(Serializer::V2, 0, None)
    }

    pub(crate) fn connect_as(&mut self, serializer: Serializer, mount: usize, id: Option<&str>) -> usize {
        let peer = self.peers.len();
        let id = self.server.connect(SocketConfig { handle: peer, serializer, mount, id }, self.now);
        self.peers.push(Peer { id, serializer, frames: Vec::new() });
        self.rules.connected(peer);
        self.settle();
        peer
    }

    /// The peer sends one text frame.
    pub(crate) fn send(&mut self, peer: usize, text: &str) {
        self.send_frame(peer, Kind::Text, text.as_bytes());
    }

    pub(crate) fn send_frame(&mut self, peer: usize, kind: Kind, data: &[u8]) {
        let Peer { id, serializer, .. } = self.peers[peer];
        let message = serializer.decode(kind, data).expect("tests send what can be decoded");
        self.server.receive(id, &message, self.now);
        self.settle();
    }

    /// The peer joins, with `join_ref` as both refs and an empty payload.
    pub(crate) fn join(&mut self, peer: usize, join_ref: &str, topic: &str) {
        self.send(peer, &format!(r#"["{join_ref}","{join_ref}","{topic}","phx_join",{{}}]"#));
    }

    /// The peer joins, and what the server says meanwhile is not looked at.
    pub(crate) fn joined(&mut self, peer: usize, join_ref: &str, topic: &str) -> ChannelId {
        self.join(peer, join_ref, topic);
        self.forget();
        self.channel(peer, topic)
    }

    pub(crate) fn disconnect(&mut self, peer: usize) {
        self.rules.disconnected(peer);
        self.server.disconnect(self.peers[peer].id, self.now);
        self.settle();
    }

    /// The peer has gone, and whoever ran its handlers too.
    pub(crate) fn abandon(&mut self, peer: usize) {
        self.rules.disconnected(peer);
        self.server.abandon(self.peers[peer].id, self.now);
        self.settle();
    }

    pub(crate) fn stop(&mut self, peer: usize, reason: CloseReason) {
        self.server.stop(self.peers[peer].id, reason, self.now);
        self.settle();
    }

    // The application, from outside of its handlers.

    pub(crate) fn broadcast(&mut self, topic: &str, event: &str, payload: &str, from: Option<ChannelId>) {
        let broadcast = Broadcast::new(Topic::from(topic), event, json(payload)).expect("can be encoded");
        self.broadcast_value(&broadcast, from);
    }

    pub(crate) fn broadcast_value(&mut self, broadcast: &Broadcast, from: Option<ChannelId>) {
        self.rules.expect_fanout(broadcast, from);
        self.server.broadcast(broadcast, from, self.now);
        self.settle();
    }

    /// A broadcast of which the test says itself who gets it without a handler in between.
    pub(crate) fn broadcast_mixed(&mut self, topic: &str, event: &str, payload: &str, to: &[usize]) {
        let broadcast = Broadcast::new(Topic::from(topic), event, json(payload)).expect("can be encoded");
        self.rules.expect_fanout_to(to);
        self.server.broadcast(&broadcast, None, self.now);
        self.settle();
    }

    pub(crate) fn info(&mut self, channel: ChannelId, note: Note, delay: Duration) -> Option<TimerId> {
        let timer = self.server.info(channel, note, self.now + delay, self.now).ok();
        self.settle();
        timer
    }

    pub(crate) fn subscribe(&mut self, channel: ChannelId, topic: &str) {
        let _ = self.server.subscribe(channel, topic, self.now);
        self.settle();
    }

    pub(crate) fn unsubscribe(&mut self, channel: ChannelId, topic: &str) {
        let _ = self.server.unsubscribe(channel, topic, self.now);
        self.settle();
    }

    /// A push of a channel; whether it was taken.
    pub(crate) fn push(&mut self, channel: ChannelId, event: &str, payload: &str) -> bool {
        let frame = self.encode_push(channel, event, &json(payload));
        let taken = self.server.push(channel, frame).is_ok();
        self.settle();
        taken
    }

    /// A deferred reply with status ok; whether it was taken.
    pub(crate) fn reply_later(&mut self, channel: ChannelId, msg_ref: &str, payload: &str) -> bool {
        let frame = self.encode_reply(channel, Some(&Ref::text(msg_ref)), "ok", &json(payload));
        let taken = self.server.reply(self.peers[self.channels[&channel].peer].id, frame).is_ok();
        self.settle();
        taken
    }

    /// Answers the oldest call that waits for this peer's channel of a topic.
    pub(crate) fn answer(&mut self, peer: usize, topic: &str, answer: Answer) {
        let of = |pending: &Pending| {
            let known = &self.channels[&pending.call.channel()];
            known.peer == peer && &*known.topic == topic
        };
        let at = self.pending.iter().position(of).expect("a call of this channel waits");
        self.answer_at(at, answer);
    }

    pub(crate) fn answer_at(&mut self, at: usize, answer: Answer) {
        let pending = self.pending.remove(at);
        self.conclude(&pending, answer);
        self.settle();
    }

    /// Time goes by, and what becomes due is done when it is due.
    pub(crate) fn advance(&mut self, by: Duration) {
        let until = self.now + by;
        while let Some(at) = self.server.poll_timeout().filter(|&at| at <= until) {
            self.now = at;
            self.handle_timeout(at);
        }
        self.now = until;
        self.handle_timeout(until);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.server.handle_timeout(now);
        self.rules.timeout_handled(now);
        self.settle();
    }

    // What the test sees.

    /// What this peer was sent since it was last asked for; JSON with its keys in order.
    pub(crate) fn frames(&mut self, peer: usize) -> Vec<String> {
        std::mem::take(&mut self.peers[peer].frames)
    }

    /// Compares what a peer was sent, JSON by value.
    #[track_caller]
    pub(crate) fn expect<const N: usize>(&mut self, peer: usize, expected: [&str; N]) {
        let expected: Vec<_> = expected.into_iter().map(canonical).collect();
        assert_eq!(self.frames(peer), expected, "what peer {peer} was sent");
    }

    /// What the server has noted, and of whom, since it was last asked for.
    pub(crate) fn notices(&mut self) -> Vec<(usize, Notice)> {
        std::mem::take(&mut self.notices)
    }

    /// All that the server said, in order, since it was last asked for.
    pub(crate) fn said(&mut self) -> Vec<String> {
        for peer in &mut self.peers {
            peer.frames.clear();
        }
        std::mem::take(&mut self.said)
    }

    #[track_caller]
    pub(crate) fn expect_said<const N: usize>(&mut self, expected: [&str; N]) {
        let expected: Vec<_> = expected.into_iter().map(canonical_line).collect();
        assert_eq!(self.said(), expected);
    }

    /// Forgets what was said up to here.
    pub(crate) fn forget(&mut self) {
        self.said();
        self.notices();
    }

    /// The calls that wait for an answer, in order.
    pub(crate) fn waiting(&self) -> Vec<String> {
        self.pending.iter().map(|pending| pending.label.clone()).collect()
    }

    /// The channel that this peer joined last on a topic.
    pub(crate) fn channel(&self, peer: usize, topic: &str) -> ChannelId {
        let of = |known: &Known| known.peer == peer && &*known.topic == topic;
        let (&id, _) = self.channels.iter().rfind(|(_, known)| of(known)).expect("it was joined");
        id
    }

    /// Every channel whose join was asked for, also those that have ended.
    pub(crate) fn channels(&self) -> Vec<ChannelId> {
        self.channels.keys().copied().collect()
    }

    pub(crate) fn is_open(&self, peer: usize) -> bool {
        self.rules.is_open(peer)
    }

    pub(crate) fn socket(&self, peer: usize) -> SocketId {
        self.peers[peer].id
    }

    #[track_caller]
    pub(crate) fn assert_holds_nothing(&self) {
        let server = &self.server;
        let held = (server.sockets(), server.channels(), server.topics(), server.poll_timeout());
        assert_eq!(held, (0, 0, 0, None), "sockets, channels, topics, timeout");
        assert!(Serializer::ALL.iter().all(|&serializer| !server.uses(serializer)));
        self.rules.assert_nothing_lives();
    }

    fn encode_push(&self, channel: ChannelId, event: &str, payload: &Payload) -> Frame {
        let known = &self.channels[&channel];
        let outgoing = Outgoing::Push {
            join_ref: known.join_ref.as_ref(),
            msg_ref: None,
            topic: &known.topic,
            event,
            payload,
        };
        self.peers[known.peer].serializer.encode(&outgoing).expect("tests push what can be encoded")
    }

    fn encode_reply(
        &self,
        channel: ChannelId,
        msg_ref: Option<&Ref>,
        status: &str,
        response: &Payload,
    ) -> Frame {
        let known = &self.channels[&channel];
        self.encode_reply_as(known, known.join_ref.as_ref(), msg_ref, status, response)
    }

    fn encode_reply_as(
        &self,
        known: &Known,
        join_ref: Option<&Ref>,
        msg_ref: Option<&Ref>,
        status: &str,
        response: &Payload,
    ) -> Frame {
        let topic = &(&*known.topic).into();
        let outgoing = Outgoing::Reply { join_ref, msg_ref, topic, status, response };
        self.peers[known.peer].serializer.encode(&outgoing).expect("tests reply with what can be encoded")
    }
}

pub(crate) fn json(text: &str) -> Payload {
    Payload::from(RawJson::parse(text).expect("tests write JSON"))
}

/// A frame as text: JSON with its keys in order, bytes as hexadecimal digits.
pub(crate) fn render(frame: &Frame) -> String {
    match frame.kind() {
        Kind::Text => canonical(std::str::from_utf8(frame.body()).expect("a text frame is UTF-8")),
        Kind::Binary => format!("{:02x?}", frame.body()),
    }
}

fn canonical(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text)
        .map_or_else(|_| text.to_owned(), |value| value.to_string())
}

fn canonical_line(line: &str) -> String {
    match line.split_once("<< ") {
        Some((peer, frame)) => format!("{peer}<< {}", canonical(frame)),
        None => line.to_owned(),
    }
}
