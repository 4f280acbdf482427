//! What a channel can do, besides returning.

mod handle;
mod joining;
mod reply_ref;
mod timer;

pub use handle::{Handle, NotifyError};
pub use joining::JoinContext;
pub use reply_ref::{NoMessage, ReplyRef};
pub use timer::Timer;

use crate::Channel;
use crate::failure::Kind;
use crate::hub::{Kick, Sender};
use crate::letter::Letter;
use crate::reply::Reply;
use bennu_core::Name;
use bennu_core::server::{self, Outcome, Reason};
use bennu_core::wire::Outgoing;
use bennu_core::{IntoPayload, Payload, Ref};
use parking_lot::Mutex;
use std::fmt;
use std::ops::Deref;

/// A joined channel: everything of [`JoinContext`], and what needs the join to be done.
///
/// ```
/// # use bennu::prelude::*;
/// # struct Room;
/// # impl Channel for Room {
/// #     type Assigns = ();
/// #     async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> { Ok(Joined::new(Room)) }
/// async fn handle_in(&mut self, event: &str, payload: Payload, ctx: &Context<Self>) -> Result<Reply, Failure> {
///     match event {
///         "shout" => ctx.broadcast("shout", &payload),             // to everybody on the topic
///         "tell" => ctx.broadcast_from("told", &payload),          // to everybody else
///         "echo" => ctx.push("echo", &payload),                    // to this client
///         _ => ctx.stop(Reason::Normal),                           // the channel ends when this returns
///     }
///     Ok(Reply::none())
/// }
/// # }
/// ```
pub struct Context<C: Channel> {
    join: JoinContext<C>,
    run: Mutex<Run>,
}

/// What belongs to the handler that runs.
#[derive(Default)]
struct Run {
    msg_ref: Option<Ref>,
    /// Few have it.
    end: Option<Box<End>>,
}

/// Why the channel ends behind the handler that runs.
#[derive(Default)]
struct End {
    stop: Option<Reason>,
    failed: Option<String>,
}

impl<C: Channel> Context<C> {
    pub(crate) fn new(join: JoinContext<C>) -> Self {
        Self { join, run: Mutex::default() }
    }

    /// Sends an event to this channel's client.
    ///
    /// Shape on the wire: `["1",null,"room:lobby","new_msg",{"body":"hi"}]`.
    ///
    /// A payload that cannot be sent (neither an object nor bytes, or bytes to a client of serializer V1, to one
    /// that polls, or to one of V2 that is [carried](crate::Endpoint::carry)) crashes the channel when the handler returns.
    ///
    /// Source: `Phoenix.Channel.push/3`.
    pub fn push(&self, event: &str, payload: impl IntoPayload) {
        let payload = match payload.into_payload() {
            Ok(payload) => payload,
            Err(error) => return self.fail(&error),
        };
        let push = Outgoing::Push {
            join_ref: self.join.join_ref(),
            msg_ref: None,
            topic: self.join.topic(),
            event,
            payload: &payload,
        };
        match self.join.link.encode(&push) {
            Ok(frame) => self.join.link.hub.push(self.join.channel, frame),
            Err(error) => self.fail(&error),
        }
    }

    /// Sends an event to everybody on this channel's topic, this client included.
    ///
    /// Shape on the wire: `[null,null,"room:lobby","new_msg",{"body":"hi"}]`.
    ///
    /// Never waits for those who receive it. A payload that cannot be sent (neither an object nor bytes)
    /// crashes the channel when the handler returns. Bytes do not reach clients of serializer V1, those that
    /// poll, nor those of V2 that are [carried](crate::Endpoint::carry).
    ///
    /// Source: `Phoenix.Channel.broadcast/3`.
    pub fn broadcast(&self, event: &str, payload: impl IntoPayload) {
        self.send_out(event, payload, Sender::Included(self.join.channel));
    }

    /// Sends an event to everybody on this channel's topic but this channel. (Other connections of the
    /// same user get it.) For the rest it is [`broadcast`](Self::broadcast).
    ///
    /// Source: `Phoenix.Channel.broadcast_from/3`.
    pub fn broadcast_from(&self, event: &str, payload: impl IntoPayload) {
        self.send_out(event, payload, Sender::Excluded(self.join.channel));
    }

    fn send_out(&self, event: &str, payload: impl IntoPayload, sender: Sender) {
        let payload = match payload.into_payload() {
            Ok(payload) => payload,
            Err(error) => return self.fail(&error),
        };
        match server::Broadcast::new(self.join.topic.clone(), event, payload) {
            Ok(broadcast) => self.join.link.hub.broadcast(broadcast, sender, Kick::AtEndOfBatch),
            Err(error) => self.fail(&error),
        }
    }

    /// Ends the channel when the handler returns, after its reply: the client sees `phx_close`, or
    /// `phx_error` for [`Reason::Crash`]. A crash outranks it; of several calls the last counts.
    ///
    /// Source: `{:stop, reason, socket}` of `Phoenix.Channel`.
    pub fn stop(&self, reason: Reason) {
        self.run.lock().end.get_or_insert_default().stop = Some(reason);
    }

    /// The ref of the message that is being handled; `None` outside of `handle_in`, or if the client does
    /// not want an answer.
    #[must_use]
    pub fn msg_ref(&self) -> Option<Ref> {
        self.run.lock().msg_ref.clone()
    }

    /// What the message that is being handled can be answered by later, from anywhere. The handler itself
    /// then returns [`Reply::none`].
    ///
    /// # Errors
    /// [`NoMessage`] outside of `handle_in`, or if the message carries no ref.
    ///
    /// Source: `Phoenix.Channel.socket_ref/1`.
    pub fn reply_ref(&self) -> Result<ReplyRef, NoMessage> {
        let msg_ref = self.msg_ref().ok_or(NoMessage)?;
        Ok(ReplyRef::new(&self.join, msg_ref))
    }

    /// Notes why the channel is to crash when its handler returns. The first reason counts.
    fn fail(&self, error: &dyn std::error::Error) {
        self.run.lock().end.get_or_insert_default().failed.get_or_insert_with(|| error.to_string());
    }

    pub(crate) fn begin(&mut self, msg_ref: Option<Ref>) {
        *self.run.get_mut() = Run { msg_ref, end: None };
    }

    /// What a handler's result means to the machine.
    pub(crate) fn conclude(
        &mut self,
        result: Result<Result<Reply, crate::Failure>, String>,
    ) -> Outcome<Letter> {
        let run = std::mem::take(self.run.get_mut());
        let result = match result {
            Ok(result) => result,
            Err(panic) => return self.crash(&panic),
        };
        let end = run.end.map(|end| *end).unwrap_or_default();
        let reply = match result.map_err(crate::Failure::into_kind) {
            Ok(reply) | Err(Kind::Reply(reply)) => reply,
            Err(Kind::Crash(cause)) => return self.crash(&crate::panics::text(&cause)),
        };
        if let Some(why) = end.failed {
            return self.crash(&why);
        }
        let reply =
            match reply.into_answer().map(|answer| self.encode(run.msg_ref.as_ref(), answer)).transpose() {
                Ok(reply) => reply,
                Err(why) => return self.crash(&why),
            };
        match end.stop {
            Some(reason) => Outcome::Stop { reply, reason },
            None => Outcome::Continue { reply },
        }
    }

    /// Reports a crash where operators look, and to the machine.
    pub(crate) fn crash(&self, why: &str) -> Outcome<Letter> {
        tracing::error!(topic = %self.join.topic, channel = std::any::type_name::<C>(), why, "a channel crashed");
        Outcome::crashed(why)
    }

    fn encode(
        &self,
        msg_ref: Option<&Ref>,
        answer: crate::reply::Answer,
    ) -> Result<bennu_core::Frame, String> {
        let response: Payload = answer.response.map_err(|error| error.to_string())?;
        let reply = Outgoing::Reply {
            join_ref: self.join.join_ref(),
            msg_ref,
            topic: &Name::from(&*self.join.topic),
            status: &answer.status,
            response: &response,
        };
        self.join.link.encode(&reply).map_err(|error| error.to_string())
    }
}

impl<C: Channel> Deref for Context<C> {
    type Target = JoinContext<C>;

    fn deref(&self) -> &JoinContext<C> {
        &self.join
    }
}

impl<C: Channel> fmt::Debug for Context<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.join.fmt(f)
    }
}
