//! What handlers answer.

use super::context::About;
use super::{Channel, Info};
use bennu_core::server::{Outcome, Reason};
use bennu_core::{Frame, IntoPayload, Payload, Ref};
use std::fmt;
use std::time::Duration;

/// What a handler answers, or why its channel ends with `phx_error`.
pub(super) type Handled = Result<Answer, Crash>;

pub(super) enum Answer {
    Nothing,
    Reply(Reply),
    /// The channel ends, behind the reply.
    Stop(Option<Reply>, Reason),
    /// This reply, after so long: until then the channel is busy.
    After(Duration, Reply),
}

pub(super) struct Reply {
    pub(super) status: &'static str,
    pub(super) response: Payload,
}

/// How a join is answered.
pub(super) enum Joined {
    Accepted {
        channel: Channel,
        response: Payload,
        /// What the channel handles before anything else.
        next: Option<Info>,
        /// How long the reply is held back.
        after: Option<Duration>,
    },
    Refused {
        response: Payload,
    },
}

/// Why a channel ends with `phx_error`, in words.
pub(super) struct Crash(pub(super) String);

impl Reply {
    pub(super) fn new(status: &'static str, response: impl IntoPayload) -> Result<Self, Crash> {
        Ok(Self { status, response: response.into_payload()? })
    }
}

impl Answer {
    pub(super) fn ok(response: impl IntoPayload) -> Handled {
        Reply::new("ok", response).map(Self::Reply)
    }

    pub(super) fn error(response: impl IntoPayload) -> Handled {
        Reply::new("error", response).map(Self::Reply)
    }
}

impl Joined {
    /// Accepted, with `{}`.
    pub(super) fn new(channel: Channel) -> Self {
        Self::Accepted { channel, response: Payload::empty(), next: None, after: None }
    }
}

impl Crash {
    pub(super) fn new(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }

    pub(super) fn unknown(event: &str) -> Self {
        Self(format!("unknown event {event:?}"))
    }
}

impl<E: std::error::Error> From<E> for Crash {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

/// What an answer is to the machine, and for how long it is held back.
pub(super) fn outcome(
    about: &About,
    msg_ref: Option<&Ref>,
    handled: Handled,
) -> (Option<Duration>, Outcome<Info>) {
    let frame = |reply: Reply| -> Result<Frame, Crash> {
        Ok(about.reply(about.join_ref.as_ref(), msg_ref, reply.status, &reply.response)?)
    };
    let outcome = handled.and_then(|answer| match answer {
        Answer::Nothing => Ok((None, Outcome::Continue { reply: None })),
        Answer::Reply(reply) => Ok((None, Outcome::Continue { reply: Some(frame(reply)?) })),
        Answer::Stop(reply, reason) => {
            Ok((None, Outcome::Stop { reply: reply.map(frame).transpose()?, reason }))
        }
        Answer::After(wait, reply) => Ok((Some(wait), Outcome::Continue { reply: Some(frame(reply)?) })),
    });
    outcome.unwrap_or_else(|Crash(why)| (None, Outcome::crashed(why)))
}
