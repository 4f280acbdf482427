//! The application behind the server: handlers that answer by what they are sent.

use super::{Known, Note, Pair, json};
use bennu_core::server::{Broadcast, CallId, Event, Outcome, Reason};
use bennu_core::{EventName, Payload};

/// How handlers behave, beyond what the event's name asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum App {
    /// Joins answer `{}`, and `terminate` says nothing.
    Plain,
    /// The channel of the golden traces: joins answer `{"echo": params}`, then broadcast `entered` and
    /// push `joined`; `terminate` pushes `terminating`.
    Golden,
}

/// What a handler answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A join is accepted.
    Join,
    /// A join is accepted, and this is handled next.
    JoinThen(Note),
    /// A join is refused with `{"reason":"no"}`.
    Refuse,
    /// No reply.
    Noreply,
    /// Status ok, and this response.
    Reply(Payload),
    /// Stops, without a reply.
    Stop(Reason),
    /// Stops, after a reply with this status and response.
    StopReplying(Reason, &'static str, Payload),
    /// The handler fails.
    Crash,
}

/// A call that waits for its answer.
pub(crate) struct Pending {
    pub(crate) call: CallId,
    pub(crate) event: Event<Note>,
    /// Such as `0 in room:a echo`.
    pub(crate) label: String,
}

impl Pending {
    pub(crate) fn new(call: CallId, event: Event<Note>, known: &Known) -> Self {
        let Known { peer, topic, .. } = known;
        let label = match &event {
            Event::Join { .. } => format!("{peer} join {topic}"),
            Event::In { event, .. } => format!("{peer} in {topic} {event}"),
            Event::Out { event, .. } => format!("{peer} out {topic} {event}"),
            Event::Broadcast { topic: other, event, .. } => format!("{peer} heard {topic} {other} {event}"),
            Event::Info(note) => format!("{peer} info {topic} {note}"),
            Event::Terminate(reason) => format!("{peer} terminate {topic} {reason:?}"),
            other => panic!("a new kind of call: {other:?}"),
        };
        Self { call, event, label }
    }
}

impl Pair {
    /// What the application answers by itself; `None` if that is left to the test.
    pub(super) fn scripted(&self, pending: &Pending) -> Option<Answer> {
        let golden = self.app == App::Golden;
        Some(match &pending.event {
            Event::Join { topic, .. } if &**topic == "room:deny" => Answer::Refuse,
            Event::Join { topic, .. } if &**topic == "room:boom" => Answer::Crash,
            Event::Join { payload, .. } => match payload.as_bytes().as_ref() {
                br#"{"do":"park"}"# => return None,
                br#"{"do":"refuse"}"# => Answer::Refuse,
                br#"{"do":"crash"}"# => Answer::Crash,
                _ if golden => Answer::JoinThen("after_join"),
                _ => Answer::Join,
            },
            Event::In { event, payload, .. } => answer_to(event, payload)?,
            Event::Info("crash") => Answer::Crash,
            Event::Info("park") => return None,
            Event::Info(_) | Event::Out { .. } | Event::Broadcast { .. } => Answer::Noreply,
            Event::Terminate(_) if self.park_terminate => return None,
            Event::Terminate(_) => Answer::Noreply,
            other => panic!("a new kind of call: {other:?}"),
        })
    }

    /// What a handler does before it returns.
    pub(super) fn run(&mut self, pending: &Pending) {
        match &pending.event {
            Event::In { event, payload, .. } => self.run_in(pending, event, payload),
            Event::Out { event, payload } => {
                let frame = self.encode_push(pending.call.channel(), &format!("{event}_out"), payload);
                let _ = self.server.push(pending.call.channel(), frame);
            }
            Event::Info("after_join") => {
                self.broadcast_within(pending, "entered", &json("{}"));
                self.push_within(pending, "joined", "{}");
            }
            Event::Info(note) => self.push_within(pending, note, "{}"),
            Event::Terminate(_) if self.app == App::Golden => self.push_within(pending, "terminating", "{}"),
            Event::Join { .. } | Event::Broadcast { .. } | Event::Terminate(_) => {}
            other => panic!("a new kind of call: {other:?}"),
        }
    }

    fn run_in(&mut self, pending: &Pending, event: &str, payload: &Payload) {
        match event {
            "bcast" => {
                self.broadcast_within(pending, "bc", payload);
                self.push_within(pending, "after_bc", "{}");
            }
            "icpt" => {
                self.broadcast_within(pending, "icpt", payload);
                self.push_within(pending, "after_icpt", "{}");
            }
            "broadcast" => self.broadcast_within(pending, "msg", payload),
            "push" => self.push_within(pending, "pushed", "{}"),
            "bin" => {
                let frame = self.encode_push(pending.call.channel(), "binpush", payload);
                self.server.push(pending.call.channel(), frame).expect("the channel lives");
                self.broadcast_within(pending, "binbc", payload);
            }
            _ => {}
        }
    }

    pub(super) fn conclude(&mut self, pending: &Pending, answer: Answer) {
        let channel = pending.call.channel();
        let known = self.channels[&channel].clone();
        let mut join_ref = known.join_ref.as_ref();
        let mut msg_ref = None;
        if let Event::Join { join_ref: sent, msg_ref: sent_msg_ref, .. } = &pending.event {
            (join_ref, msg_ref) = (sent.as_ref(), sent_msg_ref.as_ref());
        } else if let Event::In { msg_ref: sent, .. } = &pending.event {
            msg_ref = sent.as_ref();
        }
        let reply = |status: &str, response: &Payload| {
            self.encode_reply_as(&known, join_ref, msg_ref, status, response)
        };
        let accepted = || {
            let Event::Join { payload, .. } = &pending.event else { return reply("ok", &Payload::empty()) };
            if self.app == App::Plain {
                return reply("ok", &Payload::empty());
            }
            reply("ok", &json(&format!(r#"{{"echo":{}}}"#, String::from_utf8_lossy(payload.as_bytes()))))
        };
        let outcome = match answer {
            Answer::Join => Outcome::Joined { reply: accepted(), next: None },
            Answer::JoinThen(note) => Outcome::Joined { reply: accepted(), next: Some(note) },
            Answer::Refuse => Outcome::Refused { reply: reply("error", &json(r#"{"reason":"no"}"#)) },
            Answer::Noreply => Outcome::Continue { reply: None },
            Answer::Reply(response) => Outcome::Continue { reply: Some(reply("ok", &response)) },
            Answer::Stop(reason) => Outcome::Stop { reply: None, reason },
            Answer::StopReplying(reason, status, response) => {
                Outcome::Stop { reply: Some(reply(status, &response)), reason }
            }
            Answer::Crash => Outcome::crashed("because"),
        };
        self.rules.answered(channel, &outcome);
        self.server.done(pending.call, outcome, self.now);
        self.drain();
    }

    fn push_within(&mut self, pending: &Pending, event: &str, payload: &str) {
        let frame = self.encode_push(pending.call.channel(), event, &json(payload));
        // A socket may have gone while the handler ran; it is not told.
        let _ = self.server.push(pending.call.channel(), frame);
    }

    fn broadcast_within(&mut self, pending: &Pending, event: &str, payload: &Payload) {
        let topic = self.channels[&pending.call.channel()].topic.clone();
        let broadcast = Broadcast::new(topic, event, payload.clone()).expect("can be encoded");
        self.rules.expect_fanout(&broadcast, None);
        self.server.broadcast(&broadcast, None, self.now);
        self.drain();
    }
}

fn answer_to(event: &EventName, payload: &Payload) -> Option<Answer> {
    Some(match &**event {
        "park" => return None,
        "noreply" | "push" | "broadcast" => Answer::Noreply,
        "echo" | "bin" => Answer::Reply(payload.clone()),
        "stop" => Answer::StopReplying(Reason::Normal, "ok", json(r#"{"bye":1}"#)),
        "badstop" => Answer::StopReplying(Reason::Crash("bad".into()), "error", Payload::empty()),
        "crash" | "exitnormal" => Answer::Crash,
        _ => Answer::Reply(Payload::empty()),
    })
}
