//! What is merged, and what ends it. That it changes nothing for anybody, the hub's tests show.

use super::*;
use crate::channel::{Channel, Joined};
use crate::hub::{Hub, Kick, Owner, Sender};
use crate::link::{Dialect, Transport};
use crate::metrics::Tally;
use crate::peer::{Peer, Work};
use crate::runtime::still::Still;
use crate::{Context, Endpoint, Failure, JoinContext, LongPoll, Open as Anybody};
use bennu_core::server::{Event, Outcome, SocketId};
use bennu_core::{Instant, IntoPayload, Kind, Payload};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;

const NOW: Instant = Instant::EPOCH;

/// Stands for its route: the tests do what a handler would do.
struct Scripted<const INTERCEPTING: bool>;

impl<const INTERCEPTING: bool> Channel for Scripted<INTERCEPTING> {
    type Assigns = ();
    const INTERCEPTS: &'static [&'static str] = if INTERCEPTING { &["other"] } else { &[] };

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }

    async fn handle_out(&mut self, _: &str, _: Payload, _: &Context<Self>) -> Result<(), Failure> {
        Ok(())
    }
}

/// A node whose clients are written nothing, so that all that they were sent waits.
struct Node {
    endpoint: Endpoint,
}

/// A client, and its channel of the topic it joined last.
struct Member {
    peer: Arc<Peer>,
    socket: SocketId,
    channel: ChannelId,
}

/// What a member has been given by one broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    /// A frame of its own.
    Whole,
    /// A frame that is open.
    Open,
    /// What it has already has grown.
    Nothing,
}

use Given::{Nothing, Open as Opened, Whole};

impl Node {
    fn new(shards: usize) -> Self {
        let socket = crate::socket(Anybody)
            .channel::<Scripted<false>>("room:*")
            .channel::<Scripted<true>>("intercepting:*")
            .longpoll(LongPoll::new());
        Self {
            endpoint: Endpoint::builder().shards(shards).socket("/socket", socket).build(Still::default()),
        }
    }

    fn hub(&self) -> &Hub {
        self.endpoint.hub()
    }

    /// Connects a client and joins it; to another shard than the one before.
    fn member(&self, serializer: Serializer, topic: &str) -> Member {
        self.member_by(Transport::WebSocket, serializer, topic)
    }

    fn member_by(&self, transport: Transport, serializer: Serializer, topic: &str) -> Member {
        let peer = Arc::new(Peer::new(None, usize::MAX));
        let socket = self.hub().connect(&peer, Dialect { serializer, transport }, 0, None);
        let channel = self.join(socket, topic);
        peer.drop_queue();
        Member { peer, socket, channel }
    }

    fn members<const N: usize>(&self, topic: &str) -> [Member; N] {
        [(); N].map(|()| self.member(Serializer::V2, topic))
    }

    fn join(&self, socket: SocketId, topic: &str) -> ChannelId {
        let mut joined = None;
        for work in self.receive(socket, &json!(["1", "1", topic, "phx_join", {}])) {
            if let Work::Call { call, event: Event::Join { .. } } = work {
                joined = Some(call.channel());
                let reply = Frame::new(Kind::Text, b"{}");
                let mut shard = self.hub().shard(socket.shard() as usize);
                shard.server.done(call, Outcome::Joined { reply, next: None }, NOW);
                self.hub().drain(&mut shard, None);
            }
        }
        joined.expect("the join was asked for")
    }

    /// A message of a client's; the work that comes of it.
    fn receive(&self, socket: SocketId, message: &serde_json::Value) -> VecDeque<Work> {
        let text = message.to_string();
        let message = Serializer::V2.decode(Kind::Text, text.as_bytes()).unwrap();
        let mut work = VecDeque::new();
        let mut shard = self.hub().shard(socket.shard() as usize);
        shard.server.receive(socket, &message, NOW);
        self.hub().drain(&mut shard, Some(Owner { socket, work: &mut work, tally: &mut Tally::default() }));
        work
    }

    fn push(&self, to: &Member) {
        self.hub().push(to.channel, Frame::new(Kind::Text, b"{}"));
    }

    /// Makes a broadcast; what it has given to somebody who watches.
    fn broadcast(&self, sender: Sender, topic: &str, payload: impl IntoPayload, watching: &Member) -> Given {
        let before = watching.peer.frames();
        self.hub().broadcast(broadcast(topic, payload), sender, Kick::AtEndOfBatch);
        match &watching.peer.frames()[before.len()..] {
            [] => Nothing,
            [frame] if frame.is_open() => Opened,
            [_] => Whole,
            more => panic!("{more:?} for one broadcast"),
        }
    }

    /// Broadcasts until a run is open, and grows.
    fn open(&self, sender: Sender, topic: &str, watching: &Member) {
        assert_eq!(self.broadcast(sender, topic, json!({}), watching), Whole);
        assert_eq!(self.broadcast(sender, topic, json!({}), watching), Opened);
        assert_eq!(self.broadcast(sender, topic, json!({}), watching), Nothing);
    }
}

impl Member {
    /// It makes a broadcast that it gets, too.
    fn shouts(&self) -> Sender {
        Sender::Included(self.channel)
    }

    fn last_frame(&self) -> Frame {
        self.peer.frames().pop().expect("it has been sent something")
    }

    /// All that it has been sent, headers and all.
    fn bytes(&self) -> Vec<u8> {
        self.peer.frames().iter().flat_map(|frame| frame.as_websocket().to_vec()).collect()
    }
}

fn broadcast(topic: &str, payload: impl IntoPayload) -> Broadcast {
    Broadcast::new(Topic::from(topic), "some", payload.into_payload().unwrap()).unwrap()
}

fn encoded(serializer: Serializer, payload: impl IntoPayload) -> Vec<u8> {
    let mut broadcast = broadcast("room:a", payload);
    broadcast.encode(serializer);
    broadcast.frame(serializer).unwrap().as_websocket().to_vec()
}

#[test]
fn first_broadcast_is_queued_the_second_opens_a_run_in_all_shards_and_what_follows_is_appended_once() {
    let node = Node::new(4);
    let [ann, bob, cid, dan] = node.members("room:a");

    for n in 0..5 {
        let given = node.broadcast(ann.shouts(), "room:a", json!({ "n": n }), &bob);
        assert_eq!(given, [Whole, Opened, Nothing][n.min(2)]);
    }
    assert!([&bob, &cid, &dan].iter().all(|member| member.last_frame().is_open()));
    node.hub().seal();

    let all: Vec<u8> = (0..5).flat_map(|n| encoded(Serializer::V2, json!({ "n": n }))).collect();
    for member in [&ann, &bob, &cid, &dan] {
        assert_eq!(member.bytes(), all);
    }
    assert_eq!(cid.last_frame().as_websocket().as_ptr(), dan.last_frame().as_websocket().as_ptr());
    assert_eq!(node.broadcast(ann.shouts(), "room:a", json!({}), &bob), Whole);
}

#[test]
fn broadcast_to_many_opens_a_run_at_once() {
    let node = Node::new(1);
    let few = node.members::<{ MANY - 1 }>("room:few");
    let many = node.members::<MANY>("room:many");

    assert_eq!(node.broadcast(Sender::Nobody, "room:few", json!({}), &few[0]), Whole);
    assert_eq!(node.broadcast(Sender::Nobody, "room:many", json!({}), &many[0]), Opened);
    assert_eq!(node.broadcast(Sender::Nobody, "room:many", json!({}), &many[0]), Nothing);
    let frame = many[0].last_frame();

    assert_eq!(node.broadcast(Sender::Nobody, "room:few", json!({}), &few[0]), Whole);
    assert!(!frame.is_open());
}

#[test]
fn each_serializer_has_a_place_of_its_own_in_a_run() {
    let node = Node::new(2);
    let members = Serializer::ALL.map(|serializer| node.member(serializer, "room:a"));

    for n in 0..3 {
        let given = node.broadcast(Sender::Nobody, "room:a", json!({ "n": n }), &members[0]);
        assert_eq!(given, [Whole, Opened, Nothing][n]);
    }
    node.hub().seal();

    for (member, serializer) in members.iter().zip(Serializer::ALL) {
        let all: Vec<u8> = (0..3).flat_map(|n| encoded(serializer, json!({ "n": n }))).collect();
        assert_eq!(member.bytes(), all, "{serializer:?}");
    }
}

#[test]
fn broadcasts_on_another_topic_end_the_run() {
    let node = Node::new(2);
    let [ann, _] = node.members("room:a");
    let [bob, _] = node.members("room:b");
    node.open(Sender::Nobody, "room:a", &ann);
    let frame = ann.last_frame();

    assert_eq!(node.broadcast(Sender::Nobody, "room:b", json!({}), &bob), Whole);

    assert!(!frame.is_open());
    assert_eq!(node.broadcast(Sender::Nobody, "room:a", json!({}), &ann), Whole);
}

#[test]
fn broadcasts_of_another_publisher_end_the_run() {
    let node = Node::new(2);
    let [ann, bob, cid] = node.members("room:a");

    for sender in [ann.shouts(), bob.shouts(), Sender::Nobody, ann.shouts()] {
        node.open(sender, "room:a", &cid);
    }
}

#[test]
fn broadcasts_of_another_batch_end_the_run() {
    let node = Node::new(2);
    let [ann, _] = node.members("room:a");
    node.open(Sender::Nobody, "room:a", &ann);
    let frame = ann.last_frame();

    node.hub().begin_batch();

    assert!(!frame.is_open());
    assert_eq!(node.broadcast(Sender::Nobody, "room:a", json!({}), &ann), Whole);
}

#[test]
fn frame_to_a_recipient_ends_the_run() {
    let node = Node::new(2);
    let [ann, bob, cid] = node.members("room:a");
    node.open(ann.shouts(), "room:a", &cid);
    let frame = cid.last_frame();

    node.push(&bob);

    assert!(!frame.is_open());
    node.open(ann.shouts(), "room:a", &cid);
}

#[test]
fn frame_to_the_publisher_or_to_who_is_no_recipient_does_not_end_the_run() {
    let node = Node::new(1);
    let [ann, bob, _] = node.members("room:a");
    let [stranger] = node.members("room:b");
    node.open(ann.shouts(), "room:a", &bob);

    for _ in 0..3 {
        node.push(&ann);
        node.push(&stranger);
        assert_eq!(node.broadcast(ann.shouts(), "room:a", json!({}), &bob), Nothing);
    }
}

#[test]
fn run_without_a_publisher_is_ended_by_a_frame_to_any_member() {
    let node = Node::new(2);
    let [ann, bob] = node.members("room:a");
    node.open(Sender::Nobody, "room:a", &bob);

    node.push(&ann);

    node.open(Sender::Nobody, "room:a", &bob);
}

#[test]
fn join_and_leave_end_the_run_in_whose_shard_they_are() {
    let node = Node::new(1);
    let [ann, bob] = node.members("room:a");
    node.open(Sender::Nobody, "room:a", &ann);

    let cid = node.member(Serializer::V2, "room:a");
    node.open(Sender::Nobody, "room:a", &ann);
    assert_eq!(cid.peer.frames().len(), 2);

    node.receive(bob.socket, &json!(["1", "2", "room:a", "phx_leave", {}]));
    node.open(Sender::Nobody, "room:a", &ann);
}

#[test]
fn member_who_comes_in_a_shard_without_the_run_is_given_whole_frames_and_the_run_goes_on() {
    let node = Node::new(2);
    let first = node.member(Serializer::V2, "room:a");
    let late = node.member(Serializer::V2, "room:b");
    node.open(Sender::Nobody, "room:a", &first);

    node.join(late.socket, "room:a");
    late.peer.drop_queue();

    for _ in 0..2 {
        assert_eq!(node.broadcast(Sender::Nobody, "room:a", json!({}), &late), Whole);
        assert_eq!(node.broadcast(Sender::Nobody, "room:a", json!({}), &first), Nothing);
    }
}

#[test]
fn clients_that_poll_are_given_whole_frames_and_the_run_goes_on() {
    let node = Node::new(2);
    let [ann, _] = node.members("room:a");
    let poller = node.member_by(Transport::LongPoll, Serializer::V2, "room:a");
    node.open(Sender::Nobody, "room:a", &ann);

    assert_eq!(node.broadcast(Sender::Nobody, "room:a", json!({}), &poller), Whole);
    assert_eq!(node.broadcast(Sender::Nobody, "room:a", json!({}), &ann), Nothing);
}

#[test]
fn channel_that_subscribes_to_the_topic_ends_the_run_and_hears_of_all_that_follows() {
    let node = Node::new(1);
    let [ann, bob] = node.members("room:a");
    node.open(Sender::Nobody, "room:a", &ann);
    let [stranger] = node.members("room:b");

    node.hub().subscribe(stranger.channel, "room:a");

    for _ in 0..3 {
        assert_eq!(node.broadcast(Sender::Nobody, "room:a", json!({}), &bob), Whole);
        let (heard, _) = stranger.peer.take_work(std::task::Waker::noop());
        assert!(heard.len() <= 1, "one at a time");
    }
}

#[test]
fn publisher_that_is_back_while_its_old_channel_ends_is_a_recipient_of_that() {
    let node = Node::new(2);
    let [old, bob] = node.members("room:a");
    node.open(old.shouts(), "room:a", &bob);
    node.receive(old.socket, &json!(["1", "2", "room:a", "phx_leave", {}]));

    let channel = node.join(old.socket, "room:a");
    old.peer.drop_queue();

    assert_eq!(node.broadcast(old.shouts(), "room:a", json!({}), &old), Whole);
    assert_eq!(node.broadcast(Sender::Included(channel), "room:a", json!({}), &bob), Whole);
}

#[test]
fn topic_on_which_somebody_intercepts_anything_has_no_runs() {
    let node = Node::new(2);
    let [ann, _, _] = node.members("intercepting:a");

    for _ in 0..4 {
        assert_eq!(node.broadcast(Sender::Nobody, "intercepting:a", json!({}), &ann), Whole);
    }
}

#[test]
fn run_is_written_when_it_has_64_kib_and_another_is_opened() {
    let node = Node::new(2);
    let [ann, _] = node.members("room:a");
    let fill = |bytes: usize| json!({ "x": "x".repeat(bytes) });
    let have = encoded(Serializer::V2, json!({})).len();
    let more = encoded(Serializer::V2, fill(60_000)).len() - 60_000;
    node.open(Sender::Nobody, "room:a", &ann);
    let frame = ann.last_frame();

    let missing = LARGE - 2 * have - more;
    assert_eq!(node.broadcast(Sender::Nobody, "room:a", fill(missing - 1), &ann), Nothing);
    assert!(frame.is_open(), "one byte is missing");
    assert_eq!(node.broadcast(Sender::Nobody, "room:a", json!({}), &ann), Nothing);

    assert!(!frame.is_open());
    assert_eq!(frame.as_websocket().len(), LARGE - 1 + have);
    assert_eq!(node.broadcast(Sender::Nobody, "room:a", json!({}), &ann), Opened);
    assert_eq!(node.broadcast(Sender::Nobody, "room:a", json!({}), &ann), Nothing);
}

#[test]
fn run_in_which_a_serializer_has_no_place_ends_when_it_needs_one() {
    let node = Node::new(2);
    let [one, two] = Serializer::ALL.map(|serializer| node.member(serializer, "room:a"));
    let bytes = || Payload::binary(vec![1]);

    for given in [Whole, Opened, Nothing] {
        assert_eq!(node.broadcast(Sender::Nobody, "room:a", bytes(), &two), given);
    }
    assert_eq!(one.peer.frames().len(), 0);

    node.open(Sender::Nobody, "room:a", &one);
}

#[test]
fn bytes_in_the_midst_of_a_run_are_skipped_by_v1_alone() {
    let node = Node::new(2);
    let [one, two] = Serializer::ALL.map(|serializer| node.member(serializer, "room:a"));
    node.open(Sender::Nobody, "room:a", &one);
    [&one, &two].iter().for_each(|member| member.peer.drop_queue());
    node.hub().begin_batch();
    node.open(Sender::Nobody, "room:a", &two);

    assert_eq!(node.broadcast(Sender::Nobody, "room:a", Payload::binary(vec![1]), &two), Nothing);
    assert_eq!(node.broadcast(Sender::Nobody, "room:a", json!({ "n": 1 }), &one), Nothing);
    node.hub().seal();

    let text =
        |serializer| [encoded(serializer, json!({})).repeat(3), encoded(serializer, json!({ "n": 1 }))];
    let [first, last] = text(Serializer::V2);
    assert_eq!(one.bytes(), text(Serializer::V1).concat());
    assert_eq!(two.bytes(), [first, encoded(Serializer::V2, Payload::binary(vec![1])), last].concat());
}
