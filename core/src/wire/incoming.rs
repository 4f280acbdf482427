//! What a server has sent, as its client sees it.

use super::limits::CLIENT_LEVELS;
use crate::json::{self, Scanner};
use crate::{Message, Name, PayloadSlice, Ref, event};
use std::borrow::Cow;

/// A message from the server, decoded.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming<'a> {
    /// A push, a broadcast, or the end of a channel.
    Message(Message<'a>),
    /// A `phx_reply`, text or binary.
    ///
    /// One whose payload is no object with a string `status` stays a [`Incoming::Message`].
    Reply(Reply<'a>),
}

/// The answer to one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply<'a> {
    /// The channel's join ref.
    pub join_ref: Option<Ref>,
    /// The ref of the message that is answered.
    pub msg_ref: Option<Ref>,
    /// The topic of that message.
    pub topic: Name<'a>,
    /// `ok`, `error`, or another word.
    pub status: Cow<'a, str>,
    /// What is answered; `null` if a text reply has no `response`.
    pub response: PayloadSlice<'a>,
}

impl<'a> Incoming<'a> {
    /// Tells replies from other messages.
    pub(super) fn from_text(message: Message<'a>) -> Self {
        let (PayloadSlice::Json(payload), true) = (message.payload, message.event == *event::REPLY) else {
            return Self::Message(message);
        };
        let Some((status, response)) = split_reply(payload) else { return Self::Message(message) };
        Self::Reply(Reply {
            join_ref: message.join_ref,
            msg_ref: message.msg_ref,
            topic: message.topic,
            status,
            response: PayloadSlice::Json(response),
        })
    }
}

/// Takes `{"status":"ok","response":{}}`, which is known to be JSON, apart.
fn split_reply(payload: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut scan = Scanner::new(payload, CLIENT_LEVELS);
    let mut status = None;
    let mut response = "null";
    scan.expect(b'{').ok()?;
    while scan.peek() == b'"' {
        let key = scan.key(&["status", "response"]).ok()?;
        let value = scan.value().ok()?;
        match key {
            "status" => status = Some(value),
            "response" => response = value,
            _ => {}
        }
        scan.eat(b',');
    }
    let status = status.filter(|status| status.starts_with('"'))?;
    Some((json::decode_string(status), response))
}
