//! Serializers of an application's own.

use super::Outgoing;
use crate::{Kind, Message, Name, Payload, PayloadSlice, Ref};
use std::fmt;

/// A serializer of the application's own, such as MessagePack: messages as the bytes of one frame, both ways.
///
/// A pure function of what it is given. It is asked for every message that goes to or comes from its clients, also while
/// a server is locked: it must neither wait nor call the server that asks it. A broadcast is encoded once for all clients
/// of a format.
///
/// Here a message is a line of its five items, with tabs between them:
///
/// ```
/// use bennu_core::wire::{DecodeLimits, Decoded, Format, FormatError, Formats, Outgoing};
/// use bennu_core::{Kind, Payload, RawJson, Ref};
/// use std::sync::Arc;
///
/// struct Tabs;
///
/// impl Format for Tabs {
///     fn decode(&self, _: Kind, data: &[u8]) -> Result<Decoded, FormatError> {
///         let items: Vec<_> = std::str::from_utf8(data)?.split('\t').collect();
///         let [join_ref, msg_ref, topic, event, payload] = items[..] else {
///             return Err(FormatError::new("a message has five items"));
///         };
///         Ok(Decoded {
///             join_ref: Ref::from_json(join_ref),
///             msg_ref: Ref::from_json(msg_ref),
///             topic: topic.to_owned(),
///             event: event.to_owned(),
///             payload: RawJson::parse(payload)?.into(),
///         })
///     }
///
///     fn encode(&self, outgoing: &Outgoing<'_>) -> Result<(Kind, Vec<u8>), FormatError> {
///         let text = |payload: &Payload| match payload {
///             Payload::Json(json) => Ok(json.as_str().to_owned()),
///             Payload::Binary(_) => Err(FormatError::new("bytes are no text")),
///         };
///         let json = |own: Option<&Ref>| own.map_or("null", Ref::as_json).to_owned();
///         let [join_ref, msg_ref, topic, event, payload] = match *outgoing {
///             Outgoing::Push { join_ref, msg_ref, topic, event, payload } => {
///                 [json(join_ref), json(msg_ref), topic.to_owned(), event.to_owned(), text(payload)?]
///             }
///             Outgoing::Reply { join_ref, msg_ref, topic, status, response } => {
///                 let topic = topic.as_text().unwrap_or_default().to_owned();
///                 let payload = format!(r#"{{"status":"{status}","response":{}}}"#, text(response)?);
///                 [json(join_ref), json(msg_ref), topic, "phx_reply".to_owned(), payload]
///             }
///             Outgoing::Broadcast { topic, event, payload } => {
///                 [json(None), json(None), topic.to_owned(), event.to_owned(), text(payload)?]
///             }
///         };
///         let line = [join_ref, msg_ref, topic, event, payload].join("\t");
///         Ok((Kind::Text, line.into_bytes()))
///     }
/// }
///
/// let mut formats = Formats::default();
/// let tabs = formats.add(Arc::new(Tabs));
///
/// let mut room = None;
/// let line = b"null\t\"7\"\tphoenix\theartbeat\t{}";
/// let message = formats.decode(tabs, Kind::Text, line, DecodeLimits::default(), &mut room)?;
/// assert_eq!(message.topic, *"phoenix");
///
/// let payload = Payload::from(RawJson::parse(r#"{"body":"hi"}"#)?);
/// let broadcast = Outgoing::Broadcast { topic: "room:a", event: "new_msg", payload: &payload };
/// assert_eq!(formats.encode(tabs, &broadcast)?.body(), b"null\tnull\troom:a\tnew_msg\t{\"body\":\"hi\"}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: the behaviour `Phoenix.Socket.Serializer`.
pub trait Format: Send + Sync {
    /// Decodes what a client has sent.
    ///
    /// How deep the payload is nested and how long refs and names are is looked at behind it; how far compressed data may
    /// swell is for the format to limit.
    ///
    /// # Errors
    /// [`FormatError`] if it is no message; the connection that it came on ends.
    ///
    /// Source: `decode!/2`.
    fn decode(&self, kind: Kind, data: &[u8]) -> Result<Decoded, FormatError>;

    /// Encodes what a server sends: as text, which has to be UTF-8, or as bytes.
    ///
    /// The event of a reply is `phx_reply`, its payload `{"status": status, "response": response}`.
    ///
    /// # Errors
    /// [`FormatError`] if it cannot be written: an error of whoever pushes or replies; a broadcast skips the clients of the
    /// format; and a message of the protocol itself, such as the reply to a leave, ends their connection.
    ///
    /// Source: `encode!/1` and `fastlane!/1`.
    fn encode(&self, outgoing: &Outgoing<'_>) -> Result<(Kind, Vec<u8>), FormatError>;
}

/// What a [`Format`] has made of a client's message.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The ref of the join that this message belongs to.
    pub join_ref: Option<Ref>,
    /// What ties the reply to this message.
    pub msg_ref: Option<Ref>,
    /// Where it goes, such as `room:lobby`.
    pub topic: String,
    /// What it is, such as `phx_join` or `new_msg`.
    pub event: String,
    /// What it carries.
    pub payload: Payload,
}

impl Decoded {
    /// The message that it is.
    pub(super) fn as_message(&self) -> Message<'_> {
        Message {
            join_ref: self.join_ref.clone(),
            msg_ref: self.msg_ref.clone(),
            topic: Name::from(&*self.topic),
            event: Name::from(&*self.event),
            payload: PayloadSlice::from(&self.payload),
        }
    }
}

/// Why a [`Format`] cannot read or write a message: what it says of it.
///
/// Made by `?` of any error. It is none itself, so that it can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError(Box<str>);

impl FormatError {
    /// An error that says this: a few words in lower case, and no full stop.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string().into())
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for FormatError {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}
