//! What a handler knows, and what it may do beside answering.

use super::Info;
use super::answer::{Crash, Reply};
use crate::node::{From, Later, Node};
use bennu_core::connect::Params;
use bennu_core::server::{Broadcast, ChannelId, SocketId};
use bennu_core::wire::{EncodeError, Outgoing};
use bennu_core::{Frame, IntoPayload, Payload, Ref, Serializer, Topic};
use std::time::Duration;

/// A channel and its client.
pub(super) struct About {
    pub(super) channel: ChannelId,
    pub(super) socket: SocketId,
    pub(super) serializer: Serializer,
    pub(super) topic: Topic,
    /// What its pushes carry.
    pub(super) join_ref: Option<Ref>,
}

impl About {
    /// Shape: `["1","2","room:lobby","phx_reply",{"response":{},"status":"ok"}]`.
    pub(super) fn reply(
        &self,
        join_ref: Option<&Ref>,
        msg_ref: Option<&Ref>,
        status: &str,
        response: &Payload,
    ) -> Result<Frame, EncodeError> {
        let topic = &(&*self.topic).into();
        self.serializer.encode(&Outgoing::Reply { join_ref, msg_ref, topic, status, response })
    }
}

/// A handler that runs.
pub(super) struct Context<'a> {
    pub(super) node: &'a mut Node,
    pub(super) about: &'a About,
    /// Of the message that is handled.
    pub(super) msg_ref: Option<&'a Ref>,
}

impl Context<'_> {
    /// The topic behind its first colon.
    pub(super) fn subtopic(&self) -> &str {
        self.about.topic.split_once(':').map_or("", |(_, subtopic)| subtopic)
    }

    /// What the client has connected with.
    pub(super) fn params(&self) -> Option<&Params> {
        self.node.params(self.about.socket)
    }

    /// Sends an event to the channel's client.
    pub(super) fn push(&mut self, event: &str, payload: impl IntoPayload) -> Result<(), Crash> {
        let About { channel, serializer, topic, join_ref, .. } = self.about;
        let payload = &payload.into_payload()?;
        let join_ref = join_ref.as_ref();
        let frame = serializer.encode(&Outgoing::Push { join_ref, msg_ref: None, topic, event, payload })?;
        self.node.push(*channel, frame);
        Ok(())
    }

    /// Sends an event to everybody on the channel's topic.
    pub(super) fn broadcast(&mut self, event: &str, payload: impl IntoPayload) -> Result<(), Crash> {
        let from = From::Member(self.about.channel);
        self.send_out(self.about.topic.clone(), event, payload, from)
    }

    /// The same to everybody else.
    pub(super) fn broadcast_from(&mut self, event: &str, payload: impl IntoPayload) -> Result<(), Crash> {
        let from = From::Silent(self.about.channel);
        self.send_out(self.about.topic.clone(), event, payload, from)
    }

    /// Sends an event to everybody on any topic.
    pub(super) fn broadcast_to(
        &mut self,
        topic: &str,
        event: &str,
        payload: impl IntoPayload,
    ) -> Result<(), Crash> {
        self.send_out(topic.into(), event, payload, From::Nobody)
    }

    fn send_out(
        &mut self,
        topic: Topic,
        event: &str,
        payload: impl IntoPayload,
        from: From,
    ) -> Result<(), Crash> {
        self.node.broadcast(Broadcast::new(topic, event, payload.into_payload()?)?, from);
        Ok(())
    }

    /// Has the channel send itself a message.
    pub(super) fn notify_after(&mut self, after: Duration, info: Info) {
        self.node.notify(self.about.channel, info, after);
    }

    /// Answers the message that is handled later, from outside of the channel, which goes on meanwhile and may end.
    pub(super) fn reply_after(&mut self, after: Duration, reply: &Reply) -> Result<(), Crash> {
        let About { socket, join_ref, .. } = self.about;
        let frame = self.about.reply(join_ref.as_ref(), self.msg_ref, reply.status, &reply.response)?;
        self.node.later(after, Later::Reply(*socket, frame));
        Ok(())
    }
}
