//! Handlers: what they are given, and what follows from their answers.

use super::message::because;
use super::{Asked, Mark, Model, Note, Phase, Thing, Who};
use crate::model::said::{Heard, What};
use crate::model::value::Content;
use bennu_core::server::Reason;

/// What a handler answered.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Joined { reply: Heard, next: Option<Note> },
    Refused { reply: Heard },
    Continue { reply: Option<Heard> },
    Stop { reply: Option<Heard>, reason: Reason },
}

impl Model {
    /// A handler has answered. Of a call that does not run any more, nobody wants to know.
    pub(crate) fn done(&mut self, call: usize, outcome: Outcome) {
        let Some(channel) = self.channels.iter().position(|channel| channel.running == Some(call)) else {
            return self.mark(Mark::AnswerIgnored);
        };
        self.channels[channel].running = None;
        match self.channels[channel].phase {
            Phase::Joining => self.decide(channel, outcome),
            Phase::Joined => self.go_on(channel, outcome),
            Phase::Closing => self.finish_channel(channel),
            Phase::Crashing => self.fail(channel),
            Phase::Held | Phase::Over => unreachable!("no handler of such a channel runs"),
        }
    }

    /// `join` is asked to run.
    pub(super) fn start_join(&mut self, channel: usize, body: Content) {
        let joining = &mut self.channels[channel];
        joining.phase = Phase::Joining;
        let asked = Asked::Join {
            route: u32::try_from(joining.route).expect("there are few routes"),
            topic: joining.topic.clone(),
            join_ref: joining.join_ref.clone(),
            msg_ref: joining.msg_ref.clone(),
            body,
        };
        self.call(channel, asked);
    }

    /// A join is decided: subscribed, then answered, then whatever waits.
    fn decide(&mut self, channel: usize, outcome: Outcome) {
        let (socket, topic) = (self.channels[channel].socket, self.channels[channel].topic.clone());
        match outcome {
            Outcome::Joined { reply, next } => {
                let open = self.sockets[socket].open;
                self.mark(if open { Mark::Joined } else { Mark::JoinedThoughClosed });
                if open {
                    self.add_subscription(&topic, Who::Member(channel));
                }
                self.say_to(socket, reply);
                self.close_replaced(channel);
                self.channels[channel].phase = Phase::Joined;
                if let Some(next) = next {
                    self.channels[channel].inbox.push_front(Thing::Info(next));
                }
                self.handle_next(channel);
                self.release(socket, &topic);
                if !open {
                    self.deliver(channel, Thing::Closed);
                }
            }
            Outcome::Refused { reply } => {
                self.mark(Mark::Refused);
                self.say_to(socket, reply);
                self.close_replaced(channel);
                self.finish_channel(channel);
            }
            Outcome::Continue { .. } | Outcome::Stop { .. } => {
                self.mark(Mark::JoinCrashed);
                self.refuse(channel, "join crashed");
            }
        }
    }

    /// The machine itself answers a join that is not to be.
    pub(super) fn refuse(&mut self, channel: usize, reason: &str) {
        let refused = &self.channels[channel];
        let reply = Heard {
            join_ref: refused.join_ref.clone(),
            msg_ref: refused.msg_ref.clone(),
            topic: refused.word(),
            what: What::Reply("error".to_owned()),
            body: because(reason),
        };
        self.say_to(refused.socket, reply);
        self.close_replaced(channel);
        self.finish_channel(channel);
    }

    /// The `phx_close` of a channel that was replaced, behind the reply to the new join.
    fn close_replaced(&mut self, channel: usize) {
        let Some(join_ref) = self.channels[channel].replaces.take() else { return };
        self.mark(Mark::ReplacedClosed);
        self.say_end(channel, join_ref, "phx_close", Content::empty());
    }

    /// A handler of a joined channel has answered: a reply, then perhaps the end.
    fn go_on(&mut self, channel: usize, outcome: Outcome) {
        let (reply, stop) = match outcome {
            Outcome::Continue { reply } => (reply, None),
            Outcome::Stop { reply, reason } => (reply, Some(reason)),
            Outcome::Joined { .. } | Outcome::Refused { .. } => {
                self.mark(Mark::WrongOutcome);
                let reason = "a join's outcome for another handler";
                (None, Some(Reason::Crash(reason.to_owned())))
            }
        };
        if let Some(reply) = reply {
            self.say_to(self.channels[channel].socket, reply);
        }
        match stop {
            None => self.handle_next(channel),
            Some(reason @ Reason::Crash(_)) => self.crash(channel, &reason),
            Some(reason) => {
                self.mark(Mark::Stopped);
                self.close_channel(channel, &reason);
            }
        }
    }

    /// Gives an idle channel what waits for it first.
    fn handle_next(&mut self, channel: usize) {
        let Some(thing) = self.channels[channel].inbox.pop_front() else { return };
        self.check_resume(self.channels[channel].socket);
        self.handle(channel, thing);
    }

    /// A leave is the machine's own affair, all else the application's.
    pub(super) fn handle(&mut self, channel: usize, thing: Thing) {
        let socket = self.channels[channel].socket;
        let asked = match thing {
            Thing::Leave { msg_ref } => return self.leave(channel, msg_ref),
            Thing::Closed => {
                self.mark(Mark::TerminatedByEnd);
                return self.close_channel(channel, &self.ending(socket));
            }
            Thing::In { msg_ref, event, body } => Asked::In { msg_ref, event, body },
            Thing::Out { event, body } => Asked::Out { event, body },
            Thing::Broadcast { topic, event, body } => Asked::Broadcast { topic, event, body },
            Thing::Info(note) => Asked::Info(note),
        };
        self.call(channel, asked);
    }

    /// Row 6: a reply, then `phx_close`.
    fn leave(&mut self, channel: usize, msg_ref: Option<String>) {
        self.mark(Mark::Left);
        let left = &self.channels[channel];
        let reply = Heard {
            join_ref: left.own_ref().cloned(),
            msg_ref,
            topic: left.word(),
            what: What::Reply("ok".to_owned()),
            body: Content::empty(),
        };
        self.say_to(left.socket, reply);
        self.close_channel(channel, &Reason::Left);
    }
}
