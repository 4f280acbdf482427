//! Broadcasts, and further subscriptions.

use super::{Mark, Model, Phase, Thing, Who};
use crate::model::said::{Heard, Said};
use crate::model::value::Content;
use bennu_core::server::CloseReason;

/// A broadcast.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) topic: String,
    pub(crate) event: String,
    pub(crate) body: Content,
}

impl Post {
    fn out(&self) -> Thing {
        Thing::Out { event: self.event.clone(), body: self.body.clone() }
    }
}

impl Model {
    /// To all subscribers of the very same topic, but one.
    pub(crate) fn broadcast(&mut self, post: &Post, but: Option<usize>) {
        let members = self.members(&post.topic);
        let others = members.iter().copied().filter(|&channel| Some(channel) != but);
        let (intercepting, plain): (Vec<_>, Vec<_>) =
            others.partition(|&channel| self.intercepts(channel, &post.event));
        self.mark_if(members.len() > intercepting.len() + plain.len(), Mark::SenderLeftOut);
        let mut to: Vec<_> = plain.iter().filter_map(|&channel| self.heard_by(channel, post)).collect();
        self.mark_if(to.len() < plain.len(), Mark::BinarySkipped);
        to.sort();
        let topic = post.topic.clone();
        let from = but.filter(|but| members.contains(but));
        let on_topic = |who: fn(&Who) -> bool| {
            self.subscriptions.iter().any(|other| other.topic == post.topic && who(&other.who))
        };
        let is_heard_elsewhere = on_topic(|who| !matches!(who, Who::Member(_)));
        let uniform =
            !is_heard_elsewhere && members.iter().all(|&channel| self.intercepted(channel).is_empty());
        self.said.push(Said::Fanout { topic, members: members.len(), uniform, from, to });
        for channel in intercepting {
            self.mark(Mark::Intercepted);
            self.deliver(channel, post.out());
        }
        let others = self.subscriptions.iter().filter(|subscription| subscription.topic == post.topic);
        for who in others.map(|subscription| subscription.who).collect::<Vec<_>>() {
            match who {
                Who::Listener(channel) if Some(channel) != but => self.tell(channel, post),
                // Any other event is nothing to a socket.
                Who::Socket(socket) if post.event == "disconnect" => {
                    self.mark(Mark::DisconnectedById);
                    self.stop(socket, CloseReason::Disconnected);
                }
                Who::Member(_) | Who::Listener(_) | Who::Socket(_) => {}
            }
        }
    }

    /// The same for a channel that gets it, too, if it has joined the topic: in a frame of its own.
    pub(crate) fn broadcast_by(&mut self, by: usize, post: &Post) {
        self.broadcast(post, Some(by));
        if !self.members(&post.topic).contains(&by) {
            return;
        }
        if self.intercepts(by, &post.event) {
            return self.deliver(by, post.out());
        }
        if let Some((socket, heard)) = self.heard_by(by, post) {
            self.mark(Mark::OwnCopy);
            self.said.push(Said::Send { to: socket, heard });
        }
    }

    /// What the client of a member hears; nothing if its serializer cannot carry it.
    fn heard_by(&self, channel: usize, post: &Post) -> Option<(usize, Heard)> {
        let socket = self.channels[channel].socket;
        let heard = Heard::broadcast(&post.topic, &post.event, &post.body);
        Some((socket, heard.on(self.sockets[socket].serializer)?))
    }

    /// A broadcast that came by a further subscription.
    fn tell(&mut self, channel: usize, post: &Post) {
        let Post { topic, event, body } = post.clone();
        if self.channels[channel].topic == topic {
            self.mark(Mark::OwnTopicTwice);
            return self.deliver(channel, post.out());
        }
        self.mark(Mark::FurtherTopic);
        self.deliver(channel, Thing::Broadcast { topic, event, body });
    }

    pub(crate) fn subscribe(&mut self, channel: usize, topic: &str) -> bool {
        if !matches!(self.channels[channel].phase, Phase::Joining | Phase::Joined) {
            return false;
        }
        self.add_subscription(topic, Who::Listener(channel));
        true
    }

    pub(crate) fn unsubscribe(&mut self, channel: usize, topic: &str) -> bool {
        self.end_subscription(topic, Who::Listener(channel));
        self.channels[channel].phase != Phase::Over
    }
}
