//! Replies that come later.

use super::JoinContext;
use crate::hub::Hub;
use crate::link::Dialect;
use crate::{Channel, Reply};
use bennu_core::Name;
use bennu_core::server::SocketId;
use bennu_core::wire::Outgoing;
use bennu_core::{Ref, Topic};
use std::fmt;
use std::sync::Arc;

/// What a message can be answered by later: from any task, any number of times, also when its channel
/// has ended.
///
/// From [`Context::reply_ref`](super::Context::reply_ref); the guide has [an example](crate#deferred-replies).
///
/// Source: `Phoenix.Channel.socket_ref/1`.
#[derive(Clone)]
pub struct ReplyRef {
    hub: Arc<Hub>,
    socket: SocketId,
    dialect: Dialect,
    topic: Topic,
    join_ref: Option<Ref>,
    msg_ref: Ref,
}

/// There is no message to answer: no `handle_in` runs, or its message carries no ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMessage;

impl fmt::Display for NoMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no message to answer: a reply needs the ref of a message that is being handled")
    }
}

impl std::error::Error for NoMessage {}

impl ReplyRef {
    pub(super) fn new<C: Channel>(ctx: &JoinContext<C>, msg_ref: Ref) -> Self {
        Self {
            hub: Arc::clone(&ctx.link.hub),
            socket: ctx.link.socket,
            dialect: ctx.link.dialect,
            topic: ctx.topic.clone(),
            join_ref: ctx.join_ref.clone(),
            msg_ref,
        }
    }

    /// Sends the answer. Never waits; to a client that has gone, nothing is sent. An answer that cannot be
    /// written is logged and dropped.
    ///
    /// Source: `Phoenix.Channel.reply/2`.
    pub fn send(&self, reply: Reply) {
        let Some(answer) = reply.into_answer() else { return };
        let Ok(response) = answer.response else {
            tracing::error!(topic = %self.topic, "a reply that cannot be written as JSON was dropped");
            return;
        };
        let outgoing = Outgoing::Reply {
            join_ref: self.join_ref.as_ref(),
            msg_ref: Some(&self.msg_ref),
            topic: &Name::from(&*self.topic),
            status: &answer.status,
            response: &response,
        };
        match self.dialect.encode(self.hub.formats(), &outgoing) {
            Ok(frame) => self.hub.reply(self.socket, frame),
            Err(error) => {
                tracing::error!(topic = %self.topic, %error, "a reply that cannot be sent was dropped")
            }
        }
    }
}

impl fmt::Debug for ReplyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyRef")
            .field("topic", &self.topic)
            .field("msg_ref", &self.msg_ref)
            .finish_non_exhaustive()
    }
}
