//! Serializers: messages as the bytes of one text or binary frame, both ways, for both sides.
//!
//! | | V1 | V2 |
//! |---|---|---|
//! | text | `{"event":"ev","payload":{},"ref":"1","topic":"t"}` | `["1","2","t","ev",{}]` |
//! | binary | never sent; read as if it were text | a header of lengths, then the fields, then the data |
//!
//! Pure functions. A payload is scanned once, so that it is known to be JSON, and never built into a tree:
//! a relayed one leaves byte for byte as it came.
//!
//! Source: Phoenix `Socket.V1.JSONSerializer`, `Socket.V2.JSONSerializer`; phoenix.js `serializer.js`.

mod binary;
mod envelope;
mod error;
mod incoming;
mod outgoing;
mod v1;
mod v2;

pub use crate::vsn::VsnError;
pub use error::{DecodeError, EncodeError};
pub use incoming::{Incoming, Reply};
pub use outgoing::Outgoing;

use crate::vsn::Version;
use crate::{Frame, Kind, Message, PayloadSlice};
use bytes::BufMut;
use envelope::Envelope;

/// How messages are written on one connection; chosen by `vsn` when it is made.
///
/// ```
/// use bennu_core::{Kind, wire::Serializer};
///
/// let serializer = Serializer::negotiate(Some("2.0.0"))?;
/// let message = serializer.decode(Kind::Text, br#"[null,"7","phoenix","heartbeat",{}]"#)?;
/// assert_eq!(message.topic, *"phoenix");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Serializer {
    /// JSON objects; text only. `vsn=1.0.0`, or no `vsn` at all.
    V1,
    /// JSON arrays, and frames of bytes. `vsn=2.0.0`.
    V2,
}

/// How deep JSON inside a message may be nested, one level being the message itself: 128 in all.
const CLIENT_LEVELS: u32 = 127;

/// The same in what a server sends: its reply puts one more level around a payload that it returns.
const SERVER_LEVELS: u32 = CLIENT_LEVELS + 1;

impl Serializer {
    /// All there are, in the order of [`Serializer::index`].
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// The place in a table with one entry for each serializer.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::V1 => 0,
            Self::V2 => 1,
        }
    }

    /// Finds the serializer for a `vsn`: `~> 1.0.0` is V1, `~> 2.0.0` is V2, none at all is V1.
    ///
    /// # Errors
    /// [`VsnError`] if it is no version, or one that neither matches.
    ///
    /// Source: Phoenix `Socket.Transport`, Elixir `Version`.
    pub fn negotiate(vsn: Option<&str>) -> Result<Self, VsnError> {
        let Some(vsn) = vsn else { return Ok(Self::V1) };
        let version = Version::parse(vsn).ok_or(VsnError::NotAVersion)?;
        let requirements = [("1", Self::V1), ("2", Self::V2)];
        requirements
            .into_iter()
            .find(|(major, _)| version.is_patch_of(major, "0"))
            .map(|(_, serializer)| serializer)
            .ok_or(VsnError::Unsupported)
    }

    /// Decodes what a client has sent.
    ///
    /// V1 takes bytes for the text that they are, as Phoenix does.
    ///
    /// # Errors
    /// [`DecodeError`]; the connection that it came on ends.
    ///
    /// Source: Phoenix `decode!/2` of both serializers.
    pub fn decode(self, kind: Kind, data: &[u8]) -> Result<Message<'_>, DecodeError> {
        match (self, kind) {
            (Self::V2, Kind::Binary) => binary::decode(data),
            (Self::V1, _) | (Self::V2, Kind::Text) => self.decode_text(text(data)?),
        }
    }

    /// Decodes what a client has sent as text that is known to be UTF-8.
    ///
    /// # Errors
    /// [`DecodeError`]; the connection that it came on ends.
    pub fn decode_text(self, text: &str) -> Result<Message<'_>, DecodeError> {
        match self {
            Self::V1 => v1::decode(text, CLIENT_LEVELS),
            Self::V2 => v2::decode(text, CLIENT_LEVELS),
        }
    }

    /// Encodes what a server sends.
    ///
    /// ```
    /// use bennu_core::wire::{Outgoing, Serializer};
    /// use bennu_core::{Payload, RawJson};
    ///
    /// let payload = Payload::from(RawJson::parse(r#"{"body":"hi"}"#)?);
    /// let message = Outgoing::Broadcast { topic: "room:a", event: "new_msg", payload: &payload };
    ///
    /// let v1 = Serializer::V1.encode(&message)?;
    /// let v2 = Serializer::V2.encode(&message)?;
    /// assert_eq!(v1.body(), br#"{"event":"new_msg","payload":{"body":"hi"},"ref":null,"topic":"room:a"}"#);
    /// assert_eq!(v2.body(), br#"[null,null,"room:a","new_msg",{"body":"hi"}]"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`EncodeError`]; nothing has been sent, and the connection is unharmed.
    ///
    /// Source: Phoenix `encode!/1` and `fastlane!/1` of both serializers.
    pub fn encode(self, outgoing: &Outgoing<'_>) -> Result<Frame, EncodeError> {
        if let Some((field, len)) = outgoing.name_too_long() {
            return Err(EncodeError::NameTooLong { field, len });
        }
        let Some(mut envelope) = Envelope::from_server(outgoing) else {
            return match self {
                Self::V1 => Err(EncodeError::BinaryOnV1),
                Self::V2 => binary::encode(outgoing),
            };
        };
        match self {
            Self::V1 => envelope.join_ref = None,
            Self::V2 if !outgoing.is_allowed_on_v2() => return Err(EncodeError::NotAnObject),
            Self::V2 => {}
        }
        Frame::try_build(Kind::Text, self.text_len(&envelope), |out| {
            self.write_text(out, &envelope);
            Ok(())
        })
    }

    /// Decodes what a server has sent.
    ///
    /// # Errors
    /// [`DecodeError`].
    ///
    /// Source: phoenix.js `Serializer.decode`.
    pub fn decode_from_server(self, kind: Kind, data: &[u8]) -> Result<Incoming<'_>, DecodeError> {
        match (self, kind) {
            (Self::V2, Kind::Binary) => binary::decode_from_server(data),
            (Self::V1, _) => v1::decode(text(data)?, SERVER_LEVELS).map(Incoming::from_text),
            (Self::V2, Kind::Text) => v2::decode(text(data)?, SERVER_LEVELS).map(Incoming::from_text),
        }
    }

    /// Encodes what a client sends. V1 carries a `join_ref` only if there is one.
    ///
    /// # Errors
    /// [`EncodeError`]; nothing has been sent.
    ///
    /// Source: phoenix.js `Serializer.encode`.
    pub fn encode_from_client(self, message: &Message<'_>) -> Result<(Kind, Vec<u8>), EncodeError> {
        match (self, message.payload) {
            (Self::V1, PayloadSlice::Binary(_)) => Err(EncodeError::BinaryOnV1),
            (Self::V2, PayloadSlice::Binary(data)) => {
                binary::encode_from_client(message, data).map(|bytes| (Kind::Binary, bytes))
            }
            (_, PayloadSlice::Json(payload)) => {
                let envelope = Envelope::from_client(message, payload);
                let mut text = Vec::with_capacity(self.text_len(&envelope));
                self.write_text(&mut text, &envelope);
                Ok((Kind::Text, text))
            }
        }
    }

    fn text_len(self, envelope: &Envelope<'_>) -> usize {
        match self {
            Self::V1 => v1::len(envelope),
            Self::V2 => v2::len(envelope),
        }
    }

    fn write_text(self, out: &mut impl BufMut, envelope: &Envelope<'_>) {
        match self {
            Self::V1 => v1::write(out, envelope),
            Self::V2 => v2::write(out, envelope),
        }
    }
}

fn text(data: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(data).map_err(|_| DecodeError::NotUtf8 { field: "text" })
}
