//! The fields of a text message, which V1 and V2 arrange each in their own way.

use super::{DecodeError, Outgoing};
use crate::json::{decode_string, is_plain, string_len, write_string};
use crate::{Message, Name, Payload, Ref};
use bytes::BufMut;

/// A message that is about to be written as text.
pub(super) struct Envelope<'a> {
    pub(super) join_ref: Option<&'a Ref>,
    pub(super) msg_ref: Option<&'a Ref>,
    pub(super) topic: Word<'a>,
    pub(super) event: Word<'a>,
    pub(super) body: Body<'a>,
}

/// A topic or an event.
#[derive(Clone, Copy)]
pub(super) enum Word<'a> {
    /// A string that stands for itself between its quotes.
    Plain(&'a str),
    /// A string in which something is to be escaped.
    Text(&'a str),
    /// Another JSON value.
    Json(&'a str),
}

/// What stands in the place of the payload; JSON texts are known to be valid.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Payload(&'a [u8]),
    Reply { status: Word<'a>, response: &'a [u8] },
}

impl<'a> Envelope<'a> {
    /// What a server sends; `None` if it is binary.
    #[inline(always)]
    pub(super) fn from_server(outgoing: &Outgoing<'a>) -> Option<Self> {
        let envelope = match *outgoing {
            Outgoing::Push { join_ref, msg_ref, topic, event, payload } => Self {
                join_ref,
                msg_ref,
                topic: Word::text(topic),
                event: Word::text(event),
                body: Body::Payload(json(payload)?),
            },
            Outgoing::Reply { join_ref, msg_ref, topic, status, response } => Self {
                join_ref,
                msg_ref,
                topic: Word::from(topic),
                event: Word::Json(REPLY),
                body: Body::Reply { status: Word::text(status), response: json(response)? },
            },
            Outgoing::Broadcast { topic, event, payload } => Self {
                join_ref: None,
                msg_ref: None,
                topic: Word::text(topic),
                event: Word::text(event),
                body: Body::Payload(json(payload)?),
            },
        };
        Some(envelope)
    }

    /// What a client sends.
    pub(super) fn from_client(message: &'a Message<'_>, payload: &'a str) -> Self {
        Self {
            join_ref: message.join_ref.as_ref(),
            msg_ref: message.msg_ref.as_ref(),
            topic: Word::from(&message.topic),
            event: Word::from(&message.event),
            body: Body::Payload(payload.as_bytes()),
        }
    }
}

impl<'a> From<&'a Name<'_>> for Word<'a> {
    fn from(name: &'a Name<'_>) -> Self {
        match name {
            Name::Text(text) => Self::text(text),
            Name::Other(json) => Self::Json(json),
        }
    }
}

impl<'a> Word<'a> {
    /// A string: looked through once, so that what measures it and what writes it need not.
    #[inline]
    fn text(text: &'a str) -> Self {
        if is_plain(text) { Self::Plain(text) } else { Self::Text(text) }
    }

    /// Its length in bytes, quotes included.
    #[inline]
    pub(super) fn len(self) -> usize {
        match self {
            Self::Plain(text) => text.len() + 2,
            Self::Text(text) => string_len(text),
            Self::Json(json) => json.len(),
        }
    }

    #[inline(always)]
    pub(super) fn write(self, out: &mut impl BufMut) {
        match self {
            Self::Plain(text) => {
                out.put_u8(b'"');
                out.put_slice(text.as_bytes());
                out.put_u8(b'"');
            }
            Self::Text(text) => write_string(out, text),
            Self::Json(json) => out.put_slice(json.as_bytes()),
        }
    }
}

/// The event of a reply, as JSON text.
const REPLY: &str = "\"phx_reply\"";

/// The keys in the order of Phoenix, whose maps are sorted.
const RESPONSE: &[u8] = b"{\"response\":";
const STATUS: &[u8] = b",\"status\":";

impl Body<'_> {
    #[inline]
    pub(super) fn len(self) -> usize {
        match self {
            Self::Payload(json) => json.len(),
            Self::Reply { status, response } => {
                RESPONSE.len() + response.len() + STATUS.len() + status.len() + 1
            }
        }
    }

    #[inline(always)]
    pub(super) fn write(self, out: &mut impl BufMut) {
        match self {
            Self::Payload(json) => out.put_slice(json),
            Self::Reply { status, response } => {
                out.put_slice(RESPONSE);
                out.put_slice(response);
                out.put_slice(STATUS);
                status.write(out);
                out.put_u8(b'}');
            }
        }
    }
}

/// The JSON text of a ref.
#[inline]
pub(super) fn ref_json(value: Option<&Ref>) -> &[u8] {
    value.map_or(b"null", Ref::as_bytes)
}

/// The ref that valid JSON text of at most `max` bytes is.
#[inline]
pub(super) fn decode_ref(json: &str, max: usize) -> Result<Option<Ref>, DecodeError> {
    if json == "null" {
        return Ok(None);
    }
    if json.len() > max {
        return Err(DecodeError::RefTooLong);
    }
    Ok(Some(Ref::from_valid_json(json.as_bytes())?))
}

/// The topic or event that valid JSON text is.
#[inline]
pub(super) fn decode_name(json: &str) -> Name<'_> {
    if json.starts_with('"') { Name::Text(decode_string(json)) } else { Name::Other(json) }
}

fn json(payload: &Payload) -> Option<&[u8]> {
    match payload {
        Payload::Json(json) => Some(json.as_bytes()),
        Payload::Binary(_) => None,
    }
}
