//! Runs: several broadcasts to the same recipients, in one place of their queues.
//!
//! The recipients of a broadcast get an open frame, and what follows is appended to that alone, whatever
//! their number: one entry, one write, and no memory left behind. Where they are few, the first broadcast of
//! a batch is queued as it is, as often no other follows. A run ends when any of its recipients is sent
//! something else (so that the order stays what it was), when it is large enough, or when somebody is about
//! to write.

use crate::peer::Peer;
use bennu_core::server::{Fanout, Server, SocketId};
use bennu_core::wire::{PerSerializer, Serializer};
use bennu_core::{Frame, Topic};
use std::mem;
use std::sync::Arc;

/// What the last fan-out of a shard was, and the run that it belongs to.
#[derive(Debug, Default)]
pub(crate) struct Run {
    last: Option<Last>,
    open: PerSerializer<Option<Open>>,
    merging: Merging,
}

/// Whether broadcasts are merged at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Merging {
    #[default]
    On,
    /// The recipients are no WebSockets.
    Off,
}

/// The last fan-out, if the next one could have the same recipients.
#[derive(Debug, PartialEq, Eq)]
struct Last {
    topic: Topic,
    /// Who made it, and is left out: what it is sent is no reason to end a run.
    publisher: Option<SocketId>,
    batch: u64,
}

/// An open frame in the queues of all recipients of one serializer, and what it will hold.
#[derive(Debug)]
struct Open {
    frame: Frame,
    bytes: Vec<u8>,
}

/// A run that has become as large as this is written as it is, in bytes.
const LARGE: usize = 64 * 1024;

/// So many members are worth a run for a single broadcast.
const MANY: usize = 16;

/// What is to be done with a fan-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Queue its frames at each recipient.
    Queue,
    /// Queue the open frames of a new run at each recipient.
    Open,
    /// Nothing: it has been appended to the run that is open.
    Appended,
}

impl Run {
    /// No run at all: each fan-out is queued as it is.
    pub(crate) fn never() -> Self {
        Self { merging: Merging::Off, ..Self::default() }
    }

    /// Takes a fan-out in.
    pub(crate) fn take<I>(&mut self, server: &Server<Arc<Peer>, I>, fanout: &Fanout, batch: u64) -> Step {
        if self.merging == Merging::Off {
            return Step::Queue;
        }
        let publisher = fanout.from().and_then(|from| server.socket_of(from));
        let last = Last { topic: fanout.topic().clone(), publisher, batch };
        if !fanout.is_uniform() || self.last.as_ref() != Some(&last) || self.lacks_place_for(fanout) {
            self.seal();
            self.last = Some(last).filter(|_| fanout.is_uniform());
            if !fanout.is_uniform() || fanout.members() < MANY {
                return Step::Queue;
            }
        }
        let is_new = self.open.iter().all(Option::is_none);
        for serializer in fanout.serializers() {
            let Some(frame) = fanout.frame(serializer) else { continue };
            let open = self.open.place(serializer);
            if is_new {
                *open = Some(Open { frame: Frame::open(), bytes: Vec::new() });
            }
            if let Some(open) = open {
                open.bytes.extend_from_slice(frame.as_websocket());
            }
        }
        if is_new {
            return Step::Open;
        }
        if self.open.iter().flatten().any(|open| open.bytes.len() >= LARGE) {
            self.fill();
        }
        Step::Appended
    }

    /// Whether members of some serializer would not get the fan-out, as those before it were none that their
    /// serializer can carry.
    fn lacks_place_for(&self, fanout: &Fanout) -> bool {
        let is_open = self.open.iter().any(Option::is_some);
        let lacks =
            |serializer: Serializer| fanout.frame(serializer).is_some() && self.frame(serializer).is_none();
        is_open && fanout.serializers().any(lacks)
    }

    /// The open frame for one serializer.
    pub(crate) fn frame(&self, serializer: Serializer) -> Option<&Frame> {
        self.open.get(serializer)?.as_ref().map(|open| &open.frame)
    }

    /// Something else is sent to a socket: the run ends, unless the socket is not in it.
    pub(crate) fn interrupt(&mut self, socket: SocketId) {
        if self.last.as_ref().is_some_and(|last| last.publisher != Some(socket)) {
            self.seal();
        }
    }

    /// Ends the run.
    pub(crate) fn seal(&mut self) {
        self.last = None;
        self.fill();
    }

    /// Fills the open frames; the next fan-out opens others.
    fn fill(&mut self) {
        for open in self.open.iter_mut().filter_map(mem::take) {
            open.frame.seal(open.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bennu_core::router::Router;
    use bennu_core::server::{
        Broadcast, ChannelId, Config, Event, Limits, Mount, Outcome, Output, SocketConfig,
    };
    use bennu_core::{Instant, IntoPayload, Kind, Payload};
    use serde_json::json;

    const NOW: Instant = Instant::EPOCH;

    /// A shard without a lock: what is sent ends its run, as in a hub.
    struct Shard {
        server: Server<Arc<Peer>, ()>,
        run: Run,
        batch: u64,
        /// The channels whose `terminate` still runs.
        ending: Vec<ChannelId>,
    }

    /// A client, and its channel of the topic it joined last.
    #[derive(Clone, Copy)]
    struct Member {
        socket: SocketId,
        serializer: Serializer,
        channel: ChannelId,
    }

    impl Shard {
        fn new() -> Self {
            let mut router = Router::default();
            router.add("room:*", &[]).unwrap();
            router.add("intercepting:*", &["some"]).unwrap();
            let mounts = vec![Mount { router, limits: Limits::default() }];
            let server = Server::new(Config { shard: 0, hash_key: (1, 2), mounts });
            Self { server, run: Run::default(), batch: 0, ending: Vec::new() }
        }

        fn member(&mut self, serializer: Serializer, topic: &str) -> Member {
            let peer = Arc::new(Peer::new(None, 1 << 20));
            let socket = SocketConfig { handle: peer, serializer, mount: 0, id: None };
            let socket = self.server.connect(socket, NOW);
            self.join(socket, serializer, topic)
        }

        fn members<const N: usize>(&mut self, topic: &str) -> [Member; N] {
            [(); N].map(|()| self.member(Serializer::V2, topic))
        }

        fn join(&mut self, socket: SocketId, serializer: Serializer, topic: &str) -> Member {
            let join = json!(["1", "1", topic, "phx_join", {}]).to_string();
            self.receive(socket, &join);
            let mut channel = None;
            while let Some(output) = self.server.poll_output() {
                if let Output::Call { call, event: Event::Join { .. }, .. } = &output {
                    channel = Some(call.channel());
                    let reply = Frame::new(Kind::Text, b"{}");
                    self.server.done(*call, Outcome::Joined { reply, next: None }, NOW);
                }
                self.heed(&output);
            }
            Member { socket, serializer, channel: channel.expect("the join was asked for") }
        }

        fn receive(&mut self, socket: SocketId, text: &str) {
            let message = Serializer::V2.decode(Kind::Text, text.as_bytes()).unwrap();
            self.server.receive(socket, &message, NOW);
        }

        fn heed(&mut self, output: &Output<()>) {
            if let Output::Send { to, .. } = output {
                self.run.interrupt(*to);
            }
            if let Output::Call { call, event: Event::Terminate(_), .. } = output {
                self.ending.push(call.channel());
            }
        }

        fn drain(&mut self) {
            while let Some(output) = self.server.poll_output() {
                self.heed(&output);
            }
        }

        /// A broadcast that its publisher gets too; what became of it for everybody else.
        fn broadcast(&mut self, by: Option<Member>, topic: &str, payload: impl IntoPayload) -> Step {
            let broadcast = broadcast(topic, payload);
            match by {
                Some(by) => self.server.broadcast_by(by.channel, &broadcast, NOW),
                None => self.server.broadcast(&broadcast, None, NOW),
            }
            let mut step = None;
            while let Some(output) = self.server.poll_output() {
                if let Output::Fanout(fanout) = &output {
                    step = Some(self.run.take(&self.server, fanout, self.batch));
                }
                self.heed(&output);
            }
            step.expect("somebody else is on the topic")
        }

        /// Broadcasts until a run is open.
        fn open(&mut self, by: Option<Member>, topic: &str) {
            assert_eq!(self.broadcast(by, topic, json!({})), Step::Queue);
            assert_eq!(self.broadcast(by, topic, json!({})), Step::Open);
        }

        fn send(&mut self, to: Member) {
            self.server.push(to.channel, Frame::new(Kind::Text, b"{}")).unwrap();
            self.drain();
        }
    }

    fn broadcast(topic: &str, payload: impl IntoPayload) -> Broadcast {
        let mut broadcast =
            Broadcast::new(Topic::from(topic), "some", payload.into_payload().unwrap()).unwrap();
        broadcast.encode(Serializer::V1);
        broadcast
    }

    fn encoded(serializer: Serializer, payload: impl IntoPayload) -> Vec<u8> {
        broadcast("room:a", payload).frame(serializer).unwrap().as_websocket().to_vec()
    }

    #[test]
    fn first_broadcast_is_queued_the_second_opens_a_run_and_what_follows_is_appended() {
        let mut shard = Shard::new();
        let [ann, ..] = shard.members::<3>("room:a");

        assert_eq!(shard.broadcast(Some(ann), "room:a", json!({ "n": 0 })), Step::Queue);
        assert_eq!(shard.broadcast(Some(ann), "room:a", json!({ "n": 1 })), Step::Open);
        let frame = shard.run.frame(Serializer::V2).unwrap().clone();
        for n in 2..5 {
            assert_eq!(shard.broadcast(Some(ann), "room:a", json!({ "n": n })), Step::Appended);
        }
        assert!(frame.is_open());
        shard.run.seal();

        let run: Vec<u8> = (1..5).flat_map(|n| encoded(Serializer::V2, json!({ "n": n }))).collect();
        assert_eq!(frame.as_websocket(), run);
        assert_eq!(shard.broadcast(Some(ann), "room:a", json!({})), Step::Queue);
    }

    #[test]
    fn broadcast_to_many_opens_a_run_at_once() {
        let mut shard = Shard::new();
        shard.members::<{ MANY - 1 }>("room:few");
        shard.members::<MANY>("room:many");

        assert_eq!(shard.broadcast(None, "room:few", json!({})), Step::Queue);
        assert_eq!(shard.broadcast(None, "room:many", json!({ "n": 1 })), Step::Open);
        let frame = shard.run.frame(Serializer::V2).unwrap().clone();
        assert_eq!(shard.broadcast(None, "room:many", json!({ "n": 2 })), Step::Appended);

        assert_eq!(shard.broadcast(None, "room:few", json!({})), Step::Queue);
        assert!(!frame.is_open());
    }

    #[test]
    fn each_serializer_has_a_run_of_its_own() {
        let mut shard = Shard::new();
        shard.member(Serializer::V1, "room:a");
        shard.member(Serializer::V2, "room:a");

        assert_eq!(shard.broadcast(None, "room:a", json!({ "n": 0 })), Step::Queue);
        assert_eq!(shard.broadcast(None, "room:a", json!({ "n": 1 })), Step::Open);
        let frames = Serializer::ALL.map(|serializer| shard.run.frame(serializer).unwrap().clone());
        assert_eq!(shard.broadcast(None, "room:a", json!({ "n": 2 })), Step::Appended);
        shard.run.seal();

        for (frame, serializer) in frames.iter().zip(Serializer::ALL) {
            let run: Vec<u8> = (1..3).flat_map(|n| encoded(serializer, json!({ "n": n }))).collect();
            assert_eq!(frame.as_websocket(), run, "{serializer:?}");
        }
    }

    #[test]
    fn broadcasts_on_another_topic_end_the_run() {
        let mut shard = Shard::new();
        shard.members::<2>("room:a");
        shard.members::<2>("room:b");
        shard.open(None, "room:a");
        let frame = shard.run.frame(Serializer::V2).unwrap().clone();

        assert_eq!(shard.broadcast(None, "room:b", json!({})), Step::Queue);

        assert!(!frame.is_open());
        assert_eq!(shard.broadcast(None, "room:a", json!({})), Step::Queue);
    }

    #[test]
    fn broadcasts_of_another_publisher_end_the_run() {
        let mut shard = Shard::new();
        let [ann, bob] = shard.members("room:a");

        for by in [Some(ann), Some(bob), None, Some(ann)] {
            shard.open(by, "room:a");
        }
    }

    #[test]
    fn broadcasts_of_another_batch_end_the_run() {
        let mut shard = Shard::new();
        shard.members::<2>("room:a");
        shard.open(None, "room:a");
        let frame = shard.run.frame(Serializer::V2).unwrap().clone();

        shard.batch += 1;

        assert_eq!(shard.broadcast(None, "room:a", json!({})), Step::Queue);
        assert!(!frame.is_open());
    }

    #[test]
    fn frame_to_a_recipient_ends_the_run() {
        let mut shard = Shard::new();
        let [ann, bob, ..] = shard.members::<3>("room:a");
        shard.open(Some(ann), "room:a");
        let frame = shard.run.frame(Serializer::V2).unwrap().clone();

        shard.send(bob);

        assert!(!frame.is_open());
        shard.open(Some(ann), "room:a");
    }

    #[test]
    fn frame_to_the_publisher_does_not_end_the_run() {
        let mut shard = Shard::new();
        let [ann, ..] = shard.members::<3>("room:a");
        shard.open(Some(ann), "room:a");

        for _ in 0..3 {
            shard.send(ann);
            assert_eq!(shard.broadcast(Some(ann), "room:a", json!({})), Step::Appended);
        }
    }

    #[test]
    fn run_without_a_publisher_is_ended_by_a_frame_to_anybody() {
        let mut shard = Shard::new();
        let [ann, _] = shard.members("room:a");
        shard.open(None, "room:a");

        shard.send(ann);

        shard.open(None, "room:a");
    }

    #[test]
    fn join_ends_the_run() {
        let mut shard = Shard::new();
        let [ann, _] = shard.members("room:a");
        shard.open(Some(ann), "room:a");

        shard.member(Serializer::V2, "room:a");

        shard.open(Some(ann), "room:a");
    }

    #[test]
    fn publisher_that_is_back_while_its_old_channel_ends_is_a_recipient_of_that() {
        let mut shard = Shard::new();
        let [old, _] = shard.members("room:a");
        shard.open(Some(old), "room:a");
        shard.receive(old.socket, r#"["1","2","room:a","phx_leave",{}]"#);
        shard.drain();
        assert_eq!(shard.ending, [old.channel]);

        let new = shard.join(old.socket, old.serializer, "room:a");

        assert_eq!(shard.broadcast(Some(old), "room:a", json!({})), Step::Queue);
        assert_eq!(shard.broadcast(Some(new), "room:a", json!({})), Step::Queue);
    }

    #[test]
    fn topic_on_which_somebody_intercepts_anything_has_no_runs() {
        let mut shard = Shard::new();
        shard.members::<2>("intercepting:a");
        let mut fan_out = |event: &str| {
            let broadcast = Broadcast::new(Topic::from("intercepting:a"), event, Payload::empty()).unwrap();
            shard.server.broadcast(&broadcast, None, NOW);
            let Some(Output::Fanout(fanout)) = shard.server.poll_output() else { panic!("not intercepted") };
            shard.run.take(&shard.server, &fanout, 0)
        };

        assert_eq!([(); 4].map(|()| fan_out("other")), [Step::Queue; 4]);
    }

    #[test]
    fn run_is_written_when_it_has_64_kib_and_another_is_opened() {
        let mut shard = Shard::new();
        shard.members::<2>("room:a");
        shard.open(None, "room:a");
        let frame = shard.run.frame(Serializer::V2).unwrap().clone();
        let fill = |bytes: usize| json!({ "x": "x".repeat(bytes) });
        let have = encoded(Serializer::V2, json!({})).len();
        let more = encoded(Serializer::V2, fill(60_000)).len() - 60_000;

        let missing = LARGE - have - more;
        assert_eq!(shard.broadcast(None, "room:a", fill(missing - 1)), Step::Appended);
        assert!(frame.is_open(), "one byte is missing");
        assert_eq!(shard.broadcast(None, "room:a", json!({})), Step::Appended);

        assert!(!frame.is_open());
        assert_eq!(frame.as_websocket().len(), LARGE - 1 + have);
        assert_eq!(shard.broadcast(None, "room:a", json!({})), Step::Open);
        assert_eq!(shard.broadcast(None, "room:a", json!({})), Step::Appended);
    }

    #[test]
    fn run_that_a_serializer_has_no_place_in_ends_when_it_needs_one() {
        let mut shard = Shard::new();
        shard.member(Serializer::V1, "room:a");
        shard.member(Serializer::V2, "room:a");
        let bytes = || Payload::binary(vec![1]);

        assert_eq!(shard.broadcast(None, "room:a", bytes()), Step::Queue);
        assert_eq!(shard.broadcast(None, "room:a", bytes()), Step::Open);
        assert!(shard.run.frame(Serializer::V1).is_none());
        assert_eq!(shard.broadcast(None, "room:a", bytes()), Step::Appended);

        assert_eq!(shard.broadcast(None, "room:a", json!({})), Step::Queue);
        assert_eq!(shard.broadcast(None, "room:a", json!({})), Step::Open);
        assert!(shard.run.frame(Serializer::V1).is_some());
    }

    #[test]
    fn bytes_in_the_midst_of_a_run_are_skipped_by_v1_alone() {
        let mut shard = Shard::new();
        shard.member(Serializer::V1, "room:a");
        shard.member(Serializer::V2, "room:a");
        shard.open(None, "room:a");
        let [one, two] = Serializer::ALL.map(|serializer| shard.run.frame(serializer).unwrap().clone());

        assert_eq!(shard.broadcast(None, "room:a", Payload::binary(vec![1])), Step::Appended);
        assert_eq!(shard.broadcast(None, "room:a", json!({ "n": 1 })), Step::Appended);
        shard.run.seal();

        let text = |serializer| [encoded(serializer, json!({})), encoded(serializer, json!({ "n": 1 }))];
        let [first, last] = text(Serializer::V2);
        assert_eq!(one.as_websocket(), text(Serializer::V1).concat());
        let bytes = encoded(Serializer::V2, Payload::binary(vec![1]));
        assert_eq!(two.as_websocket(), [first, bytes, last].concat());
    }
}
