//! What a server sends.

use super::EncodeError;
use crate::{MAX_NAME, Name, Payload, Ref};

/// A message from the server, ready to be encoded.
#[derive(Clone, Copy, Debug)]
pub enum Outgoing<'a> {
    /// A message of one channel: `["1",null,"room:a","joined",{}]`.
    Push {
        /// The channel's join ref.
        join_ref: Option<&'a Ref>,
        /// None, but for `phx_close` and `phx_error`, where it is the `join_ref` again.
        ///
        /// A binary frame has no room for it.
        msg_ref: Option<&'a Ref>,
        /// Where it comes from.
        topic: &'a str,
        /// What it is.
        event: &'a str,
        /// An object or bytes; on V1 any JSON.
        payload: &'a Payload,
    },
    /// The answer to one message: `["1","2","room:a","phx_reply",{"response":{},"status":"ok"}]`.
    Reply {
        /// The channel's join ref.
        join_ref: Option<&'a Ref>,
        /// The ref of the message.
        msg_ref: Option<&'a Ref>,
        /// The topic of the message, also if that was no string.
        topic: &'a Name<'a>,
        /// `ok`, `error`, or another word.
        status: &'a str,
        /// Any JSON, or bytes.
        response: &'a Payload,
    },
    /// A message to all of a topic: `[null,null,"room:a","new_msg",{}]`.
    Broadcast {
        /// Whom it is for.
        topic: &'a str,
        /// What it is.
        event: &'a str,
        /// An object or bytes; on V1 any JSON.
        payload: &'a Payload,
    },
}

impl Outgoing<'_> {
    /// Refuses names that the application has made longer than names may be. A reply's topic is the client's own.
    pub(super) fn check_names(&self) -> Result<(), EncodeError> {
        let (Self::Push { topic, event, .. } | Self::Broadcast { topic, event, .. }) = self else {
            return Ok(());
        };
        let names = [("topic", topic.len()), ("event", event.len())];
        match names.into_iter().find(|&(_, len)| len > MAX_NAME) {
            Some((field, len)) => Err(EncodeError::NameTooLong { field, len }),
            None => Ok(()),
        }
    }

    /// Whether the payload is what V2 demands: an object in a push or broadcast, anything in a reply.
    pub(super) fn is_allowed_on_v2(&self) -> bool {
        match self {
            Self::Push { payload, .. } | Self::Broadcast { payload, .. } => match payload {
                Payload::Json(json) => json.is_object(),
                Payload::Binary(_) => true,
            },
            Self::Reply { .. } => true,
        }
    }
}
