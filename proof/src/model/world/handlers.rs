//! Handlers answer, now or later, once or again.

use super::{Order, Pending, World};
use crate::model::operation::{Answer, Body};
use crate::model::reference::Outcome;
use crate::model::said::{Asked, Heard, Note, What};
use crate::model::value::{Content, Word};
use bennu_core::{Frame, server};

impl World {
    pub(super) fn answer_all(&mut self) {
        while !self.pending.is_empty() {
            self.answer(0, Answer::Usual);
        }
    }

    pub(super) fn answer(&mut self, at: usize, answer: Answer) {
        let pending = self.pending.remove(at);
        self.past.push(pending.call);
        let (expected, outcome) = self.outcome(&pending, answer);
        self.done(pending.call, expected, outcome);
    }

    pub(super) fn answer_again(&mut self, which: usize, answer: Answer) {
        let Some(at) = Self::recent(&self.past, which) else { return };
        let call = self.past[at];
        let topic = Word::Text(String::new());
        let reply = self.encode(
            0,
            Heard {
                join_ref: None,
                msg_ref: None,
                topic,
                what: What::Reply("late".to_owned()),
                body: Content::empty(),
            },
        );
        let reply = reply.expect("any serializer carries an empty object");
        let (expected, outcome) = outcomes(answer, &Asked::Info(0), Some(reply.clone()), reply, 0);
        self.done(call, expected, outcome);
    }

    fn done(&mut self, call: usize, expected: Outcome, outcome: server::Outcome<Note>) {
        self.model.tick(self.now);
        self.rules.answered(call);
        self.model.done(call, expected);
        let (id, now) = (self.numbers.call(call), self.now);
        self.servers[id.channel().shard() as usize].done(id, outcome, now);
        self.settle(Order::Strict);
    }

    /// What a handler answers, to the model and to the machine.
    fn outcome(&mut self, pending: &Pending, answer: Answer) -> (Outcome, server::Outcome<Note>) {
        let number = self.fresh();
        let channel = &self.model.channels()[pending.channel];
        let (join_ref, msg_ref) = match &pending.asked {
            Asked::Join { join_ref, msg_ref, .. } => (join_ref.clone(), msg_ref.clone()),
            Asked::In { msg_ref, .. } => (channel.own_ref().cloned(), msg_ref.clone()),
            Asked::Out { .. } | Asked::Broadcast { .. } | Asked::Info(_) | Asked::Terminate(_) => {
                (channel.own_ref().cloned(), None)
            }
        };
        let (socket, topic) = (channel.socket, Word::Text(channel.topic.clone()));
        let body = if let Answer::Reply(body) = answer { body.resolve(number) } else { Content::empty() };
        let status = if answer == Answer::Refuse { "error" } else { "ok" };
        let reply = |body| {
            let what = What::Reply(status.to_owned());
            self.encode(
                socket,
                Heard {
                    join_ref: join_ref.clone(),
                    msg_ref: msg_ref.clone(),
                    topic: topic.clone(),
                    what,
                    body,
                },
            )
        };
        let plain = reply(Content::empty()).expect("any serializer carries an empty object");
        outcomes(answer, &pending.asked, reply(body), plain, number)
    }
}

/// One answer in two forms. `plain` is the reply to a join.
fn outcomes(
    answer: Answer,
    asked: &Asked,
    reply: Option<(Heard, Frame)>,
    plain: (Heard, Frame),
    note: Note,
) -> (Outcome, server::Outcome<Note>) {
    let answer = match (answer, asked) {
        (Answer::Usual, Asked::Join { .. }) => Answer::Join,
        (Answer::Usual, Asked::In { .. }) => Answer::Reply(Body::Empty),
        (Answer::Usual, _) => Answer::Continue,
        (answer, _) => answer,
    };
    let split = |reply: Option<(Heard, Frame)>| {
        reply.map_or((None, None), |(heard, frame)| (Some(heard), Some(frame)))
    };
    let (heard, frame) = plain;
    match answer {
        Answer::Join => (
            Outcome::Joined { reply: heard, next: None },
            server::Outcome::Joined { reply: frame, next: None },
        ),
        Answer::JoinThen => (
            Outcome::Joined { reply: heard, next: Some(note) },
            server::Outcome::Joined { reply: frame, next: Some(note) },
        ),
        Answer::Refuse => (Outcome::Refused { reply: heard }, server::Outcome::Refused { reply: frame }),
        Answer::Usual | Answer::Continue => {
            (Outcome::Continue { reply: None }, server::Outcome::Continue { reply: None })
        }
        Answer::Reply(_) => {
            let (heard, frame) = split(reply);
            (Outcome::Continue { reply: heard }, server::Outcome::Continue { reply: frame })
        }
        Answer::Stop(why) => (
            Outcome::Stop { reply: None, reason: why.reason() },
            server::Outcome::Stop { reply: None, reason: why.reason() },
        ),
        Answer::StopReplying(why) => {
            let (heard, frame) = split(reply);
            let reason = why.reason();
            (
                Outcome::Stop { reply: heard, reason: reason.clone() },
                server::Outcome::Stop { reply: frame, reason },
            )
        }
    }
}
