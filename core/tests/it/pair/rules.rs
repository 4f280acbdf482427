//! What holds whatever happens: checked at every output.

use super::{Known, Note};
use bennu_core::server::{Broadcast, CallId, ChannelId, Event, Outcome};
use bennu_core::{Frame, Instant, Kind, Ref, Topic};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct Rules {
    max_channels: usize,
    peers: Vec<Peer>,
    channels: BTreeMap<ChannelId, Channel>,
    ended: BTreeSet<ChannelId>,
    /// Who may get a topic's broadcasts: from the reply to its join until `phx_close`, `phx_error`.
    hearing: BTreeMap<(usize, Topic), ChannelId>,
    /// The reply that makes a channel hear.
    accepting: Option<(ChannelId, Frame)>,
    /// A `phx_close` that must still come, behind the reply to the join that replaced a channel.
    owed: Vec<(usize, Topic, Value)>,
    wanted: BTreeSet<Topic>,
    timeout: Instant,
    fanout: Fanout,
}

#[derive(Default)]
struct Peer {
    closed: bool,
    disconnected: bool,
    paused: bool,
    /// Topic and event of the last text frame that was not a broadcast.
    last: Option<(Value, String)>,
}

struct Channel {
    peer: usize,
    topic: Topic,
    join_ref: Value,
    phase: Phase,
    running: Option<CallId>,
    /// The last `{"n":…}` that reached `handle_in`.
    last: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Joining,
    Joined,
    Crashing,
    Closing,
}

#[derive(Default)]
enum Fanout {
    #[default]
    Unexpected,
    /// Exactly these must get the broadcast that is being made.
    To(BTreeSet<usize>),
    /// The broadcast may end its own members: nobody can say beforehand who gets it.
    Any,
}

impl Rules {
    pub(super) fn new(max_channels: usize) -> Self {
        Self { max_channels, ..Self::default() }
    }

    pub(super) fn connected(&mut self, peer: usize) {
        assert_eq!(self.peers.len(), peer);
        self.peers.push(Peer::default());
    }

    pub(super) fn disconnected(&mut self, peer: usize) {
        self.peers[peer].disconnected = true;
        self.deafen(peer);
    }

    pub(super) fn is_open(&self, peer: usize) -> bool {
        !self.peers[peer].closed && !self.peers[peer].disconnected
    }

    fn deafen(&mut self, peer: usize) {
        self.hearing.retain(|(other, _), _| *other != peer);
        self.owed.retain(|(other, ..)| *other != peer);
    }

    pub(super) fn closed(&mut self, peer: usize) {
        assert!(self.is_open(peer), "an end is asked for once, of a socket that is open");
        self.peers[peer].closed = true;
        self.deafen(peer);
    }

    pub(super) fn paused(&mut self, peer: usize, pause: bool) {
        assert!(self.is_open(peer), "nobody reads from a socket that has ended");
        assert_ne!(self.peers[peer].paused, pause, "pause and resume take turns");
        self.peers[peer].paused = pause;
    }

    pub(super) fn called(&mut self, known: &Known, id: ChannelId, call: CallId, event: &Event<Note>) {
        assert_eq!(call.channel(), id);
        assert!(!self.ended.contains(&id), "an ended channel handles nothing");
        if matches!(event, Event::Join { .. }) {
            assert!(!self.channels.contains_key(&id), "a channel joins once");
            let same = |other: &Channel| other.peer == known.peer && other.topic == known.topic;
            let live = |other: &Channel| same(other) && other.phase != Phase::Closing;
            assert!(!self.channels.values().any(live), "one live channel a socket and topic");
            let channel = Channel {
                peer: known.peer,
                topic: known.topic.clone(),
                join_ref: value(known.sent_join_ref.as_ref()),
                phase: Phase::Joining,
                running: Some(call),
                last: None,
            };
            self.channels.insert(id, channel);
            let counts = |other: &&Channel| other.peer == known.peer && other.phase != Phase::Closing;
            assert!(self.channels.values().filter(counts).count() <= self.max_channels, "the limit holds");
            return;
        }
        let channel = self.channels.get_mut(&id).expect("a channel joins before all else");
        assert_eq!(channel.running, None, "one handler at a time");
        assert_eq!(channel.phase, Phase::Joined, "nothing is handled before the join, or after terminate");
        channel.running = Some(call);
        if let Event::Terminate(reason) = event {
            channel.phase = if reason.is_graceful() { Phase::Closing } else { Phase::Crashing };
        }
        if let Event::In { payload, .. } = event {
            let number = payload.parse::<Value>().ok().and_then(|value| value["n"].as_u64());
            assert!(number.is_none() || number > channel.last, "a client's messages keep their order");
            channel.last = number.or(channel.last);
        }
    }

    /// The application is about to answer.
    pub(super) fn answered(&mut self, id: ChannelId, outcome: &Outcome<Note>) {
        let channel = self.channels.get_mut(&id).expect("a call belongs to a channel that lives");
        channel.running = None;
        if let (Phase::Joining, Outcome::Joined { reply, .. }) = (channel.phase, outcome) {
            channel.phase = Phase::Joined;
            if self.is_open_of(id) {
                self.accepting = Some((id, reply.clone()));
            }
        }
    }

    fn is_open_of(&self, id: ChannelId) -> bool {
        self.is_open(self.channels[&id].peer)
    }

    pub(super) fn cancelled(&mut self, peer: usize, call: CallId) {
        let channel = self.channels.get_mut(&call.channel()).expect("what is cancelled runs");
        assert_eq!((channel.peer, channel.running.take()), (peer, Some(call)), "what is cancelled runs");
    }

    pub(super) fn ended(&mut self, peer: usize, id: ChannelId) {
        assert!(self.ended.insert(id), "a channel ends once");
        let channel = self.channels.remove(&id).expect("what ends was asked to join");
        assert_eq!(channel.peer, peer);
        assert_eq!(channel.running, None, "a handler that runs is cancelled before its channel ends");
        let key = (peer, channel.topic);
        if self.hearing.get(&key) == Some(&id) {
            self.hearing.remove(&key);
            self.owed.push((peer, key.1, channel.join_ref));
        }
    }

    pub(super) fn sent(&mut self, peer: usize, frame: &Frame) {
        assert!(self.is_open(peer), "nothing is sent to a socket that has ended");
        if let Some((id, _)) = self.accepting.take_if(|(_, reply)| reply == frame) {
            let channel = &self.channels[&id];
            self.hearing.insert((peer, channel.topic.clone()), id);
        }
        if frame.kind() == Kind::Binary {
            return;
        }
        let (join_ref, topic, event) = envelope(frame);
        let pending = |channel: &Channel| channel.peer == peer && channel.phase == Phase::Joining;
        let named = |channel: &Channel| !join_ref.is_null() && channel.join_ref == join_ref;
        let early = self.channels.values().any(|channel| pending(channel) && named(channel));
        assert!(!early || event == "phx_reply", "nothing of a channel comes before the reply to its join");
        let before = self.peers[peer].last.replace((topic.clone(), event.clone()));
        if event != "phx_close" && event != "phx_error" {
            return;
        }
        let Some(topic) = topic.as_str().map(Topic::from) else { panic!("a channel's topic is a string") };
        let owed = (peer, topic, join_ref);
        if let Some(at) = self.owed.iter().position(|other| *other == owed) {
            let (_, topic, _) = self.owed.remove(at);
            let reply = Some((Value::from(&*topic), "phx_reply".to_owned()));
            assert_eq!(before, reply, "the close of a replaced channel is right behind the new join's reply");
            return;
        }
        let (peer, topic, join_ref) = owed;
        let heard = self.hearing.remove(&(peer, topic)).expect("only a joined channel closes");
        assert_eq!(self.channels[&heard].join_ref, join_ref, "a channel closes with its own join_ref");
    }

    /// A broadcast is about to be made: works out who must get it.
    pub(super) fn expect_fanout(&mut self, broadcast: &Broadcast, from: Option<ChannelId>) {
        if &**broadcast.event() == "disconnect" {
            self.fanout = Fanout::Any;
            return;
        }
        let intercepted = |topic: &str| topic.starts_with("icpt:") && &**broadcast.event() == "icpt";
        let to = self.hearing.iter().filter(|((_, topic), id)| {
            topic == broadcast.topic() && Some(**id) != from && !intercepted(topic)
        });
        self.fanout = Fanout::To(to.map(|((peer, _), _)| *peer).collect());
    }

    pub(super) fn expect_fanout_to(&mut self, to: &[usize]) {
        self.fanout = Fanout::To(to.iter().copied().collect());
    }

    pub(super) fn fanned_out(&mut self, to: &[usize]) {
        let unique: BTreeSet<_> = to.iter().copied().collect();
        assert_eq!(unique.len(), to.len(), "nobody gets a broadcast twice");
        match std::mem::take(&mut self.fanout) {
            Fanout::Unexpected => panic!("nobody made a broadcast"),
            Fanout::To(expected) => {
                assert_eq!(unique, expected, "a broadcast reaches who has joined, no other")
            }
            Fanout::Any => {}
        }
    }

    /// The outputs of an input have been drained.
    pub(super) fn fanout_done(&mut self) {
        if let Fanout::To(missed) = std::mem::take(&mut self.fanout) {
            assert!(missed.is_empty(), "a broadcast reaches all who have joined: {missed:?}");
        }
        assert!(self.accepting.is_none(), "a join that is accepted is answered");
    }

    pub(super) fn interest(&mut self, topic: &Topic, wanted: bool) {
        let changed = if wanted { self.wanted.insert(topic.clone()) } else { self.wanted.remove(topic) };
        assert!(changed, "interest in {topic} changes, or nothing is said");
    }

    pub(super) fn timeout_handled(&mut self, now: Instant) {
        self.timeout = self.timeout.max(now);
    }

    pub(super) fn check_timeout(&self, next: Option<Instant>) {
        assert!(next.is_none_or(|next| next > self.timeout), "what was due has been done");
    }

    pub(super) fn assert_nothing_lives(&self) {
        assert!(self.channels.is_empty(), "every channel has ended");
        assert!(self.wanted.is_empty(), "nobody is subscribed: {:?}", self.wanted);
    }
}

/// join_ref (of V1: ref), topic and event of a text frame.
pub(super) fn envelope(frame: &Frame) -> (Value, Value, String) {
    let mut value: Value = serde_json::from_slice(frame.body()).expect("a text frame is JSON");
    let event = |value: &Value| value.as_str().expect("a server's event is a string").to_owned();
    if value.is_array() {
        return (value[0].take(), value[2].take(), event(&value[3]));
    }
    (value["ref"].take(), value["topic"].take(), event(&value["event"]))
}

fn value(r: Option<&Ref>) -> Value {
    r.map_or(Value::Null, |r| serde_json::from_str(r.as_json()).expect("a ref is JSON"))
}
