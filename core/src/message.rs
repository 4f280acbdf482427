//! One message, as it came off the wire.

use crate::{Payload, RawJson, Ref};
use bytes::Bytes;
use std::borrow::Cow;

/// A message in either direction, decoded but not yet understood.
///
/// It borrows from the bytes it was read from: what outlives the read is copied out of it by whoever
/// keeps it.
///
/// | field | from a well-behaved client | what Phoenix lets through |
/// |---|---|---|
/// | `join_ref`, `msg_ref` | a string or null | any JSON value, sent back as it came |
/// | `topic`, `event` | a string | any JSON value, which no route and no handler knows |
/// | `payload` | an object or bytes | any JSON value |
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'a> {
    /// The ref of the join that this message belongs to.
    pub join_ref: Option<Ref>,
    /// What ties the reply to this message.
    pub msg_ref: Option<Ref>,
    /// Where it goes, such as `room:lobby`.
    pub topic: Name<'a>,
    /// What it is, such as `phx_join` or `new_msg`.
    pub event: Name<'a>,
    /// What it carries.
    pub payload: PayloadSlice<'a>,
}

/// A topic or an event: a string, or whatever else the peer sent in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// The string, unescaped; borrowed unless it held escapes.
    Text(Cow<'a, str>),
    /// Any other JSON value, as its text, so that it can be echoed.
    Other(&'a str),
}

impl Name<'_> {
    /// The string, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }
}

impl PartialEq<str> for Name<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_text() == Some(other)
    }
}

impl<'a> From<&'a str> for Name<'a> {
    fn from(text: &'a str) -> Self {
        Name::Text(Cow::Borrowed(text))
    }
}

/// A payload that still lies in the bytes it was read from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PayloadSlice<'a> {
    /// The text of a JSON value, found valid.
    Json(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

impl PayloadSlice<'_> {
    /// Copies the payload out, exactly sized, so that it does not keep a read buffer alive.
    #[must_use]
    pub fn to_payload(&self) -> Payload {
        match *self {
            Self::Json("{}") => Payload::empty(),
            Self::Json(text) => Payload::Json(RawJson::from_valid(Bytes::copy_from_slice(text.as_bytes()))),
            Self::Binary(bytes) => Payload::Binary(Bytes::copy_from_slice(bytes)),
        }
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Json(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether there are no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> From<&'a Payload> for PayloadSlice<'a> {
    fn from(payload: &'a Payload) -> Self {
        match payload {
            Payload::Json(json) => Self::Json(json.as_str()),
            Payload::Binary(bytes) => Self::Binary(bytes),
        }
    }
}
