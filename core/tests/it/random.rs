//! Anything in any order, under the rules of the harness.

use crate::pair::{Answer, Pair};
use bennu_core::server::{CloseReason, Limits, Reason, TimerId};
use bennu_core::wire::Serializer;
use bennu_core::{Instant, Payload};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// One step. Numbers choose among what there is, by remainder.
#[derive(Clone, Debug)]
enum Step {
    Connect { v1: bool, id: bool },
    Join { peer: usize, topic: usize, payload: &'static str, null_ref: bool },
    Push { peer: usize, topic: usize, event: &'static str, to: Life },
    Leave { peer: usize, topic: usize, to: Life },
    Heartbeat { peer: usize },
    Answer { call: usize, answer: Answer },
    Broadcast { topic: usize, event: &'static str, from: Option<usize> },
    Info { channel: usize, note: &'static str, millis: u64 },
    CancelTimer { timer: usize },
    Subscribe { channel: usize, topic: usize },
    Unsubscribe { channel: usize, topic: usize },
    ReplyLater { channel: usize },
    PushNow { channel: usize },
    Advance { millis: u64 },
    EarlyTimeout,
    OldClock,
    ParkTerminate(bool),
    Disconnect { peer: usize },
    Stop { peer: usize, reason: CloseReason },
    DisconnectById,
}

/// Which join_ref a message carries.
#[derive(Clone, Copy, Debug)]
enum Life {
    Current,
    Stale,
    Null,
}

const TOPICS: [&str; 4] = ["room:a", "room:b", "icpt:a", "nope"];
/// Nobody joins these.
const FURTHER: [&str; 2] = ["news", "alerts"];
const ID: &str = "user:1";

fn life() -> impl Strategy<Value = Life> {
    prop_oneof![6 => Just(Life::Current), 1 => Just(Life::Stale), 1 => Just(Life::Null)]
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Join),
        1 => Just(Answer::JoinThen("next")),
        1 => Just(Answer::JoinThen("park")),
        1 => Just(Answer::Refuse),
        3 => Just(Answer::Noreply),
        3 => Just(Answer::Reply(Payload::empty())),
        1 => Just(Answer::Stop(Reason::Normal)),
        1 => Just(Answer::StopReplying(Reason::Shutdown, "ok", Payload::empty())),
        1 => Just(Answer::Crash),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let which = || 0..64_usize;
    let join = prop::sample::select(&[
        "{}",
        "{}",
        "{}",
        r#"{"do":"park"}"#,
        r#"{"do":"refuse"}"#,
        r#"{"do":"crash"}"#,
    ]);
    let event = prop::sample::select(&[
        "echo",
        "noreply",
        "park",
        "park",
        "push",
        "broadcast",
        "icpt",
        "stop",
        "crash",
    ]);
    let reason =
        prop::sample::select(&[CloseReason::Draining, CloseReason::SlowConsumer, CloseReason::Malformed]);
    prop_oneof![
        4 => (any::<bool>(), any::<bool>()).prop_map(|(v1, id)| Step::Connect { v1, id }),
        12 => (which(), which(), join, prop::bool::weighted(0.1))
            .prop_map(|(peer, topic, payload, null_ref)| Step::Join { peer, topic, payload, null_ref }),
        12 => (which(), which(), event, life()).prop_map(|(peer, topic, event, to)| Step::Push { peer, topic, event, to }),
        6 => (which(), which(), life()).prop_map(|(peer, topic, to)| Step::Leave { peer, topic, to }),
        1 => which().prop_map(|peer| Step::Heartbeat { peer }),
        12 => (which(), answer()).prop_map(|(call, answer)| Step::Answer { call, answer }),
        6 => (which(), prop::sample::select(&["news", "icpt"]), prop::option::of(which()))
            .prop_map(|(topic, event, from)| Step::Broadcast { topic, event, from }),
        4 => (which(), prop::sample::select(&["note", "note", "park", "crash"]), prop::sample::select(&[0, 0, 5, 9_000]))
            .prop_map(|(channel, note, millis)| Step::Info { channel, note, millis }),
        1 => which().prop_map(|timer| Step::CancelTimer { timer }),
        2 => (which(), which()).prop_map(|(channel, topic)| Step::Subscribe { channel, topic }),
        1 => (which(), which()).prop_map(|(channel, topic)| Step::Unsubscribe { channel, topic }),
        1 => which().prop_map(|channel| Step::ReplyLater { channel }),
        1 => which().prop_map(|channel| Step::PushNow { channel }),
        3 => prop::sample::select(&[1, 5, 10_000, 30_000]).prop_map(|millis| Step::Advance { millis }),
        1 => Just(Step::EarlyTimeout),
        1 => Just(Step::OldClock),
        1 => any::<bool>().prop_map(Step::ParkTerminate),
        1 => which().prop_map(|peer| Step::Disconnect { peer }),
        1 => (which(), reason).prop_map(|(peer, reason)| Step::Stop { peer, reason }),
        1 => Just(Step::DisconnectById),
    ]
}

/// Small limits, so that a few steps reach them.
fn limits() -> Limits {
    Limits {
        max_channels: 2,
        max_terminating: 1,
        input_messages: 4,
        channel_messages: 3,
        ..Limits::default()
    }
}

struct Run {
    pair: Pair,
    /// How many peers act at a time: the ones that connected last.
    crowd: usize,
    /// Numbers refs, join_refs and payloads, so that each is there once.
    count: u64,
    /// The join_ref of the last join, as JSON.
    join_refs: BTreeMap<(usize, usize), String>,
    /// What must be answered once if its peer stays: peer and ref.
    asked: Vec<(usize, String)>,
    timers: Vec<TimerId>,
}

impl Run {
    fn new(crowd: usize) -> Self {
        let mut pair = Pair::with(limits());
        pair.connect();
        let (join_refs, asked, timers) = Default::default();
        Self { pair, crowd, count: 0, join_refs, asked, timers }
    }

    /// One of the peers that act now.
    fn peer(&self, which: usize) -> usize {
        let peers = self.pair.peers();
        peers - 1 - which % self.crowd.min(peers)
    }

    /// Whether fewer act than could, the ended ones not counted.
    fn has_room(&self) -> bool {
        let acting = (0..self.crowd).map(|which| self.peer(which)).filter(|&peer| self.pair.is_open(peer));
        self.pair.peers() < self.crowd || acting.count() < self.crowd
    }

    fn next(&mut self) -> String {
        self.count += 1;
        format!(r#""{}""#, self.count)
    }

    fn join_ref(&self, peer: usize, topic: usize, to: Life) -> String {
        match to {
            Life::Current => self.join_refs.get(&(peer, topic)).cloned().unwrap_or_else(|| "null".to_owned()),
            Life::Stale => r#""stale""#.to_owned(),
            Life::Null => "null".to_owned(),
        }
    }

    fn step(&mut self, step: Step) {
        let channels = self.pair.channels();
        let channel = |at: usize| channels.get(at % channels.len().max(1)).copied();
        match step {
            Step::Connect { v1, id } if self.has_room() => {
                let serializer = if v1 { Serializer::V1 } else { Serializer::V2 };
                self.pair.connect_as(serializer, 0, id.then_some(ID));
            }
            Step::Connect { .. } => {}
            Step::Join { peer, topic, payload, null_ref } => {
                let (peer, topic, msg_ref) = (self.peer(peer), topic % TOPICS.len(), self.next());
                let join_ref = if null_ref { "null".to_owned() } else { msg_ref.clone() };
                self.join_refs.insert((peer, topic), join_ref.clone());
                self.asked.push((peer, msg_ref.clone()));
                self.pair.say(peer, &join_ref, &msg_ref, TOPICS[topic], ("phx_join", payload));
            }
            Step::Push { peer, topic, event, to } => {
                let (peer, topic, msg_ref) = (self.peer(peer), topic % TOPICS.len(), self.next());
                let payload = format!(r#"{{"n":{}}}"#, self.count);
                let join_ref = self.join_ref(peer, topic, to);
                self.pair.say(peer, &join_ref, &msg_ref, TOPICS[topic], (event, &payload));
            }
            Step::Leave { peer, topic, to } => {
                let (peer, topic, msg_ref) = (self.peer(peer), topic % TOPICS.len(), self.next());
                let join_ref = self.join_ref(peer, topic, to);
                self.pair.say(peer, &join_ref, &msg_ref, TOPICS[topic], ("phx_leave", "{}"));
            }
            Step::Heartbeat { peer } => {
                let (peer, msg_ref) = (self.peer(peer), self.next());
                self.asked.push((peer, msg_ref.clone()));
                self.pair.say(peer, "null", &msg_ref, "phoenix", ("heartbeat", "{}"));
            }
            Step::Answer { call, answer } => {
                let waiting = self.pair.waiting().len();
                if waiting > 0 {
                    self.pair.answer_at(call % waiting, answer);
                }
            }
            Step::Broadcast { topic, event, from } => {
                let topics = [TOPICS.as_slice(), &FURTHER].concat();
                self.count += 1;
                let payload = format!(r#"{{"n":{}}}"#, self.count);
                self.pair.broadcast(topics[topic % topics.len()], event, &payload, from.and_then(channel));
            }
            Step::Info { channel: at, note, millis } => {
                let Some(channel) = channel(at) else { return };
                self.timers.extend(self.pair.info(channel, note, Duration::from_millis(millis)));
            }
            Step::CancelTimer { timer } if !self.timers.is_empty() => {
                let timer = self.timers[timer % self.timers.len()];
                self.pair.server.cancel(timer);
                assert_eq!(self.pair.server.cancel(timer), None, "what was cancelled is gone");
            }
            Step::CancelTimer { .. } => {}
            Step::Subscribe { channel: at, topic } => {
                let Some(channel) = channel(at) else { return };
                self.pair.subscribe(channel, FURTHER[topic % FURTHER.len()]);
            }
            Step::Unsubscribe { channel: at, topic } => {
                let Some(channel) = channel(at) else { return };
                self.pair.unsubscribe(channel, FURTHER[topic % FURTHER.len()]);
            }
            Step::ReplyLater { channel: at } => {
                let Some(channel) = channel(at) else { return };
                self.pair.reply_later(channel, "later", "{}");
            }
            Step::PushNow { channel: at } => {
                let Some(channel) = channel(at) else { return };
                self.pair.push(channel, "pushed", "{}");
            }
            Step::Advance { millis } => self.pair.advance(Duration::from_millis(millis)),
            Step::EarlyTimeout => {
                let next = self.pair.server.poll_timeout();
                self.pair.handle_timeout(self.pair.now);
                assert_eq!(self.pair.server.poll_timeout(), next, "an early timeout changes nothing");
            }
            Step::OldClock => self.pair.handle_timeout(Instant::EPOCH),
            Step::ParkTerminate(park) => self.pair.park_terminate = park,
            Step::Disconnect { peer } => self.pair.disconnect(self.peer(peer)),
            Step::Stop { peer, reason } => self.pair.stop(self.peer(peer), reason),
            Step::DisconnectById => self.pair.broadcast(ID, "disconnect", "{}", None),
        }
    }

    /// Answers every call until none waits.
    fn answer_all(&mut self) {
        while let Some(label) = self.pair.waiting().first() {
            let answer = if label.contains(" join ") { Answer::Join } else { Answer::Noreply };
            self.pair.answer_at(0, answer);
        }
    }

    /// Whatever was asked has been answered, once; whatever was broadcast came in order.
    fn check_conversations(&mut self) {
        for peer in 0..self.pair.peers() {
            let mut replies: BTreeMap<String, u32> = BTreeMap::new();
            let mut heard: BTreeMap<(String, String), u64> = BTreeMap::new();
            for frame in self.pair.frames(peer) {
                let frame: Value = serde_json::from_str(&frame).expect("a frame is JSON");
                let [msg_ref, topic, event, payload] = match frame.as_array() {
                    Some(items) => [&items[1], &items[2], &items[3], &items[4]],
                    None => ["ref", "topic", "event", "payload"].map(|key| &frame[key]),
                };
                if event == "phx_reply" && msg_ref != "later" && !msg_ref.is_null() {
                    *replies.entry(msg_ref.to_string()).or_default() += 1;
                }
                if let (Some("news" | "msg" | "icpt_out"), Some(n)) = (event.as_str(), payload["n"].as_u64())
                {
                    let last = heard.insert((topic.to_string(), event.to_string()), n);
                    assert!(last < Some(n), "broadcasts keep their order and come once");
                }
            }
            assert!(replies.values().all(|&count| count == 1), "one reply a message: {replies:?}");
            for (_, msg_ref) in
                self.asked.iter().filter(|(other, _)| *other == peer && self.pair.is_open(peer))
            {
                assert!(replies.contains_key(msg_ref), "{msg_ref} of peer {peer} is answered");
            }
        }
    }
}

/// 2,000 runs, unless `PROPTEST_CASES` wants more or fewer.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn every_run_keeps_the_rules_and_leaves_nothing_behind(crowd in 1..4_usize, steps in prop::collection::vec(step(), 1..100)) {
        let mut run = Run::new(crowd);

        for step in steps {
            run.step(step);
        }
        run.answer_all();
        run.pair.assert_all_paid();
        run.check_conversations();
        for peer in 0..run.pair.peers() {
            run.pair.disconnect(peer);
        }
        run.answer_all();

        run.pair.assert_holds_nothing();
    }
}
