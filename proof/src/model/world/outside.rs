//! What an application does at any time: pushes, deferred replies, broadcasts, subscriptions, messages.

use super::{Later, Order, World, translate};
use crate::model::mark::Mark;
use crate::model::operation::{Body, Name, Sender};
use crate::model::reference::Post;
use crate::model::said::{Heard, What};
use crate::model::value::Word;
use bennu_core::server::{self, Broadcast};
use bennu_core::{Frame, Serializer, Topic};
use std::time::Duration;

impl World {
    /// A frame for a client, and what it hears; `None` if its serializer cannot carry it.
    pub(super) fn encode(&self, socket: usize, heard: Heard) -> Option<(Heard, Frame)> {
        let serializer = self.peers[socket].serializer;
        let frame = translate::encode(serializer, &heard)?;
        Some((heard, frame))
    }

    pub(super) fn push(&mut self, channel: usize, event: Name, body: Body) {
        let Some(channel) = self.channel(channel) else { return };
        let number = self.fresh();
        let pushing = &self.model.channels()[channel];
        let heard = Heard {
            join_ref: pushing.own_ref().cloned(),
            msg_ref: None,
            topic: Word::Text(pushing.topic.clone()),
            what: What::Event(event.resolve().as_str().to_owned()),
            body: body.resolve(number),
        };
        let Some((heard, frame)) = self.encode(pushing.socket, heard) else {
            return self.model.marks.see(Mark::Unencodable);
        };
        let expected = self.model.push(channel, heard);
        let id = self.numbers.channel(channel);
        let elsewhere = (id.shard() as usize + 1) % self.servers.len();
        if elsewhere != id.shard() as usize {
            let taken = self.servers[elsewhere].push(id, frame.clone());
            assert_eq!(taken, Err(server::Ended), "another server does not know the channel");
        }
        let taken = self.servers[id.shard() as usize].push(id, frame).is_ok();
        assert_eq!(taken, expected, "whether a push of channel {channel} is taken");
        if !taken {
            self.model.marks.see(Mark::PushRefused);
        }
        self.settle(Order::Strict);
    }

    pub(super) fn reply_later(&mut self, message: usize, body: Body) {
        let Some(at) = Self::recent(&self.messages, message) else { return };
        let Later { socket, topic, join_ref, msg_ref } = self.messages[at].clone();
        let (what, body) = (What::Reply("later".to_owned()), body.resolve(self.fresh()));
        let Some((heard, frame)) = self.encode(socket, Heard { join_ref, msg_ref, topic, what, body }) else {
            return self.model.marks.see(Mark::Unencodable);
        };
        let expected = self.model.reply(socket, heard);
        let id = self.peers[socket].id;
        let taken = self.server_of(socket).reply(id, frame).is_ok();
        assert_eq!(taken, expected, "whether a reply to socket {socket} is taken");
        if !taken {
            self.model.marks.see(Mark::ReplyRefused);
        }
        self.settle(Order::Strict);
    }

    /// A broadcast is given to each server that has asked for the topic, its sender to its own server alone.
    pub(super) fn broadcast(&mut self, topic: Name, event: Name, body: Body, sender: Sender) {
        let number = self.fresh();
        let Word::Text(topic) = topic.resolve() else { return };
        let post = Post { topic, event: event.resolve().as_str().to_owned(), body: body.resolve(number) };
        let Ok(mut broadcast) =
            Broadcast::new(Topic::from(&*post.topic), &post.event, post.body.to_payload())
        else {
            return self.model.marks.see(Mark::Unencodable);
        };
        if number.is_multiple_of(2) {
            broadcast.encode(Serializer::V1);
        }
        self.model.tick(self.now);
        let from = match sender {
            Sender::Nobody => None,
            Sender::Included(which) | Sender::Excluded(which) => self.channel(which),
        };
        match (from, sender) {
            (Some(by), Sender::Included(_)) => self.model.broadcast_by(by, &post),
            (from, _) => self.model.broadcast(&post, from),
        }
        let from = from.map(|channel| self.numbers.channel(channel));
        for (shard, server) in self.servers.iter_mut().enumerate() {
            if self.shape.servers > 1 && !self.rules.is_wanted(shard, &post.topic) {
                continue;
            }
            match from.filter(|from| from.shard() as usize == shard) {
                Some(by) if matches!(sender, Sender::Included(_)) => {
                    server.broadcast_by(by, &broadcast, self.now);
                }
                from => server.broadcast(&broadcast, from, self.now),
            }
        }
        self.settle(Order::BySocket);
    }

    pub(super) fn subscribe(&mut self, channel: usize, topic: Name) {
        let (Some(channel), Word::Text(topic)) = (self.channel(channel), topic.resolve()) else { return };
        self.model.tick(self.now);
        let expected = self.model.subscribe(channel, &topic);
        let id = self.numbers.channel(channel);
        let taken = self.servers[id.shard() as usize].subscribe(id, &topic, self.now).is_ok();
        assert_eq!(taken, expected, "whether channel {channel} may subscribe to {topic}");
        if !taken {
            self.model.marks.see(Mark::SubscribeRefused);
        }
        self.settle(Order::Strict);
    }

    pub(super) fn unsubscribe(&mut self, channel: usize, topic: Name) {
        let (Some(channel), Word::Text(topic)) = (self.channel(channel), topic.resolve()) else { return };
        self.model.tick(self.now);
        let expected = self.model.unsubscribe(channel, &topic);
        let id = self.numbers.channel(channel);
        let taken = self.servers[id.shard() as usize].unsubscribe(id, &topic, self.now).is_ok();
        assert_eq!(taken, expected, "whether channel {channel} may unsubscribe from {topic}");
        self.settle(Order::Strict);
    }

    pub(super) fn info(&mut self, channel: usize, delay: u64) {
        let Some(channel) = self.channel(channel) else { return };
        let (note, at) = (self.fresh(), self.now + Duration::from_millis(delay));
        self.model.tick(self.now);
        let expected = self.model.info(channel, note, at);
        let id = self.numbers.channel(channel);
        match (expected, self.servers[id.shard() as usize].info(id, note, at, self.now)) {
            (Some(timer), Ok(id)) => self.timers.push((timer, id)),
            (None, Err(server::Undelivered(back))) => {
                assert_eq!(back, note, "what is not delivered comes back");
                self.model.marks.see(Mark::InfoRefused);
            }
            (expected, taken) => panic!("channel {channel} takes a message: {expected:?}, {taken:?}"),
        }
        self.settle(Order::Strict);
    }

    pub(super) fn cancel(&mut self, timer: usize) {
        let Some(at) = Self::recent(&self.timers, timer) else { return };
        let (timer, id) = self.timers[at];
        let expected = self.model.cancel(timer);
        let server = &mut self.servers[id.channel().shard() as usize];
        assert_eq!(server.cancel(id), expected, "what is taken back");
        assert_eq!(server.cancel(id), None, "what was taken back is gone");
        self.settle(Order::Strict);
    }
}
