//! What a client's message means: the table of `Phoenix.Socket`, tried top-down.
//!
//! | row | event | topic | answer |
//! |---|---|---|---|
//! | 1 | `heartbeat` on `phoenix` | | ok |
//! | 2 | `phx_join` | without a route | error, `unmatched topic` |
//! | 3 | `phx_join` | with a route, and too many are joined | error, `too many channels joined` |
//! | 4 | `phx_join` | with a route | that of `join` |
//! | 5 | `phx_join` | joined | the old channel ends, then rows 2 to 4 |
//! | 6, 7 | `phx_leave` | joined | ok and `phx_close`; nothing if the join_ref is another |
//! | 8, 9 | any other | joined | that of `handle_in`; nothing if the join_ref is another |
//! | 10 | `phx_leave` | not joined | ok |
//! | 11 | any other | not joined | error, `unmatched topic` |

use super::{Channel, Mark, Model, Phase, Thing};
use crate::model::said::{Heard, What};
use crate::model::value::{Content, Word};
use bennu_core::server::{Notice, TooFast};

/// A message of a client. Refs in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) join_ref: Option<String>,
    pub(crate) msg_ref: Option<String>,
    pub(crate) topic: Word,
    pub(crate) event: Word,
    pub(crate) body: Content,
}

/// The longest topic or event that may be allowed, in bytes.
const LONGEST: usize = 1024;

impl Message {
    pub(super) fn is(&self, event: &str) -> bool {
        matches!(&self.event, Word::Text(text) if text == event)
    }
}

impl Model {
    /// A message has come.
    pub(crate) fn receive(&mut self, socket: usize, message: &Message) {
        if !self.sockets[socket].open {
            return;
        }
        if message.is("heartbeat") && message.topic.as_str() == "phoenix" {
            self.mark(Mark::Heartbeat);
            return self.answer(socket, message, None, Ok(()));
        }
        if let Some(too_fast) = self.too_fast(socket, message) {
            self.mark(match too_fast {
                TooFast::Join => Mark::JoinTooFast,
                TooFast::Message | _ => Mark::MessageTooFast,
            });
            self.note(socket, &Notice::TooFast(too_fast));
            return self.answer(socket, message, message.join_ref.clone(), Err("rate limit"));
        }
        let Some(topic) = self.checked_topic(socket, message) else { return };
        // What came before it for the topic comes first.
        if self.sockets[socket].held.get(&topic).is_some_and(|held| !held.is_empty()) {
            return self.hold(socket, &topic, message);
        }
        self.act(socket, &topic, message);
    }

    /// The topic, if it can be one; else the message is answered here.
    fn checked_topic(&mut self, socket: usize, message: &Message) -> Option<String> {
        let Word::Text(topic) = &message.topic else {
            self.mark(Mark::TopicIsNoString);
            self.unjoined(socket, message);
            return None;
        };
        let limits = self.limits_of(socket);
        // A client must be able to leave.
        let (max_topic, max_event) =
            (limits.max_topic.min(LONGEST), limits.max_event.clamp("phx_leave".len(), LONGEST));
        let lens = (topic.len(), message.event.as_str().len());
        let (reason, notice) = match (lens.0 > max_topic, lens.1 > max_event) {
            (true, _) => ("topic too long", Notice::TopicTooLong { len: lens.0 }),
            (false, true) => ("event too long", Notice::EventTooLong { len: lens.1 }),
            (false, false) => return Some(topic.clone()),
        };
        self.mark(Mark::NameTooLong);
        self.note(socket, &notice);
        self.answer(socket, message, message.join_ref.clone(), Err(reason));
        None
    }

    /// Acts on a message, or holds it back until it can be acted on.
    fn act(&mut self, socket: usize, topic: &str, message: &Message) {
        let Some(channel) = self.reachable(socket, topic) else {
            if message.is("phx_join") {
                self.join(socket, topic, message, None);
            } else {
                self.unjoined(socket, message);
            }
            return;
        };
        if self.must_wait(channel, message) {
            self.mark_if(!self.channels[channel].is_undecided(), Mark::JoinBehindLeave);
            return self.hold(socket, topic, message);
        }
        if message.is("phx_join") {
            self.mark(Mark::Replaced);
            self.note(socket, &Notice::Duplicate { topic: topic.into() });
            // Row 5: the old channel ends at once; its phx_close follows the new reply.
            let replaced = self.channels[channel].join_ref.clone();
            self.forget_channel(channel);
            return self.join(socket, topic, message, Some(replaced));
        }
        if !self.is_acceptable(channel, message) {
            return self.mark(Mark::StaleJoinRef); // Rows 7 and 9.
        }
        let msg_ref = message.msg_ref.clone();
        let thing = if message.is("phx_leave") {
            Thing::Leave { msg_ref }
        } else {
            let event = message.event.as_str().to_owned();
            Thing::In { msg_ref, event, body: message.body.clone() }
        };
        self.deliver(channel, thing);
    }

    fn must_wait(&self, channel: usize, message: &Message) -> bool {
        self.channels[channel].is_undecided() || (message.is("phx_join") && self.is_leaving(channel))
    }

    /// Whether a leave waits to be handled. Bennu's own: a join behind it waits too, so that both are
    /// answered.
    fn is_leaving(&self, channel: usize) -> bool {
        self.channels[channel].inbox.iter().any(|thing| matches!(thing, Thing::Leave { .. }))
    }

    fn hold(&mut self, socket: usize, topic: &str, message: &Message) {
        self.mark(Mark::Held);
        self.sockets[socket].held.entry(topic.to_owned()).or_default().push_back(message.clone());
        self.check_pause(socket);
    }

    /// Acts on what has been held back for a topic, one message after the other, as far as that is possible.
    pub(super) fn release(&mut self, socket: usize, topic: &str) {
        if self.sockets[socket].releasing.as_deref() == Some(topic) {
            return; // It follows from one of those messages: the next one's turn comes.
        }
        let outer = self.sockets[socket].releasing.replace(topic.to_owned());
        self.release_all(socket, topic);
        self.sockets[socket].releasing = outer;
    }

    fn release_all(&mut self, socket: usize, topic: &str) {
        loop {
            let Some(message) = self.sockets[socket].held.get(topic).and_then(|held| held.front()) else {
                return;
            };
            let nobody_joins = !self.sockets[socket].open && message.is("phx_join");
            if let Some(channel) = self.reachable(socket, topic) {
                let undecided = self.channels[channel].is_undecided();
                if undecided || (!nobody_joins && self.must_wait(channel, message)) {
                    return;
                }
            }
            let held = self.sockets[socket].held.get_mut(topic).expect("it was found just now");
            let message = held.pop_front().expect("its front was found just now");
            self.mark(Mark::Released);
            if !nobody_joins {
                self.act(socket, topic, &message);
            }
            self.check_resume(socket);
        }
    }

    /// Rows 2, 10 and 11.
    fn unjoined(&mut self, socket: usize, message: &Message) {
        if message.is("phx_leave") {
            self.mark(Mark::LeaveUnjoined);
            return self.answer(socket, message, message.join_ref.clone(), Ok(()));
        }
        self.mark(Mark::Unmatched);
        if message.is("phx_join") {
            let topic = match &message.topic {
                Word::Text(topic) => Some(topic.as_str().into()),
                Word::Json(_) => None,
            };
            self.note(socket, &Notice::Unmatched { topic });
        }
        self.answer(socket, message, None, Err("unmatched topic"));
    }

    /// Rows 2 to 4.
    fn join(&mut self, socket: usize, topic: &str, message: &Message, replaces: Option<Option<String>>) {
        let Some(route) = self.route(socket, topic) else { return self.unjoined(socket, message) };
        let limits = self.limits_of(socket);
        if self.channels_of(socket).len() >= limits.max_channels {
            self.mark(Mark::TooManyChannels);
            self.note(socket, &Notice::TooManyChannels { topic: topic.into() });
            let reason = Err("too many channels joined");
            return self.answer(socket, message, message.join_ref.clone(), reason);
        }
        let channel = self.channels.len();
        self.channels.push(Channel {
            socket,
            topic: topic.to_owned(),
            join_ref: message.join_ref.clone(),
            msg_ref: message.msg_ref.clone(),
            route,
            phase: Phase::Held,
            running: None,
            inbox: std::collections::VecDeque::new(),
            payload: None,
            replaces,
        });
        if self.terminating(socket) >= limits.max_terminating {
            self.mark(Mark::JoinHeld);
            self.note(socket, &Notice::Held { topic: topic.into() });
            self.mark_if(self.channels[channel].replaces.is_some(), Mark::ReplacementHeld);
            self.channels[channel].payload = Some(message.body.clone());
            return self.check_pause(socket);
        }
        self.start_join(channel, message.body.clone());
    }

    /// Whether a message is for this life of a channel: null is taken, a ref where none was sent is not; in 1.8.9 it was
    /// the other way round.
    fn is_acceptable(&mut self, channel: usize, message: &Message) -> bool {
        let Channel { socket, join_ref, .. } = &self.channels[channel];
        let is_older = self.is_older(*socket);
        let acceptable = match (join_ref, &message.join_ref) {
            (None, None) => return true,
            (Some(stored), Some(sent)) => return value(stored) == value(sent),
            (Some(_), None) => !is_older,
            (None, Some(_)) => is_older,
        };
        self.mark_if(is_older, if acceptable { Mark::OlderTakes } else { Mark::OlderDrops });
        acceptable
    }

    /// Answers a message from the machine itself: once.
    fn answer(
        &mut self,
        socket: usize,
        message: &Message,
        join_ref: Option<String>,
        result: Result<(), &str>,
    ) {
        let (status, body) = match result {
            Ok(()) => ("ok", Content::empty()),
            Err(reason) => ("error", because(reason)),
        };
        self.say_to(
            socket,
            Heard {
                join_ref,
                msg_ref: message.msg_ref.clone(),
                topic: message.topic.clone(),
                what: What::Reply(status.to_owned()),
                body,
            },
        );
    }
}

/// `{"reason":"…"}`
pub(super) fn because(reason: &str) -> Content {
    Content::Json(format!(r#"{{"reason":"{reason}"}}"#))
}

fn value(json: &str) -> serde_json::Value {
    serde_json::from_str(json).expect("a ref is JSON")
}
