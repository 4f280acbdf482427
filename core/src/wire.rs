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
//! An application may bring others, each a [`Format`]; a server knows them by its [`Formats`].
//!
//! Source: Phoenix `Socket.V1.JSONSerializer`, `Socket.V2.JSONSerializer`; phoenix.js `serializer.js`.

mod binary;
mod envelope;
mod error;
mod format;
mod formats;
mod incoming;
mod limits;
mod outgoing;
mod per_serializer;
mod v1;
mod v2;

pub use crate::vsn::{Requirement, RequirementError, VsnError};
pub use error::{DecodeError, EncodeError};
pub use format::{Decoded, Format, FormatError};
pub use formats::{FormatId, Formats};
pub use incoming::{Incoming, Reply};
pub use limits::DecodeLimits;
pub use outgoing::Outgoing;
pub use per_serializer::PerSerializer;

use crate::vsn::Version;
use crate::{Frame, Kind, Message, PayloadSlice};
use bytes::BufMut;
use envelope::Envelope;
use limits::Bounds;

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
    /// A [`Format`] of the application's own, which [`Formats`] know. By itself it can neither read nor write.
    Custom(FormatId),
}

impl Serializer {
    /// Those that are built in, in the order of [`Serializer::index`].
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    /// The place in a table with one entry for each serializer.
    #[must_use]
    #[inline]
    pub fn index(self) -> usize {
        match self {
            Self::V1 => 0,
            Self::V2 => 1,
            Self::Custom(id) => Self::ALL.len() + id.place(),
        }
    }

    /// Finds the serializer for a `vsn`: `~> 1.0.0` is V1, `~> 2.0.0` is V2, none at all is V1.
    ///
    /// # Errors
    /// [`VsnError`] if it is no version, or one that neither matches.
    ///
    /// Source: Phoenix `Socket.Transport`, Elixir `Version`.
    pub fn negotiate(vsn: Option<&str>) -> Result<Self, VsnError> {
        Self::negotiate_with(vsn, &[])
    }

    /// The same where there are others, which go first: of those the first whose requirement allows the `vsn`. None at all
    /// is `1.0.0`.
    ///
    /// # Errors
    /// [`VsnError`] if it is no version, or one that none of them matches.
    ///
    /// Source: `serializer` among the options of Phoenix `Socket.Transport`, a list in which V1 and V2 stand by default.
    pub fn negotiate_with(vsn: Option<&str>, others: &[(Requirement, Self)]) -> Result<Self, VsnError> {
        if others.is_empty() {
            match vsn {
                None => return Ok(Self::V1),
                Some("2.0.0") => return Ok(Self::V2), // Nearly all clients: it need not be taken apart.
                Some(_) => {}
            }
        }
        let version = Version::parse(vsn.unwrap_or("1.0.0")).ok_or(VsnError::NotAVersion)?;
        if let Some(&(_, other)) = others.iter().find(|(requirement, _)| requirement.allows_version(&version))
        {
            return Ok(other);
        }
        [("1", Self::V1), ("2", Self::V2)]
            .into_iter()
            .find(|(major, _)| version.is_patch_of(&Version::first_of(major)))
            .map(|(_, serializer)| serializer)
            .ok_or(VsnError::Unsupported)
    }

    /// Decodes what a client has sent, within the limits that hold by default.
    ///
    /// V1 takes bytes for the text that they are, as Phoenix does.
    ///
    /// # Errors
    /// [`DecodeError`]; the connection that it came on ends.
    ///
    /// Source: Phoenix `decode!/2` of both serializers.
    pub fn decode(self, kind: Kind, data: &[u8]) -> Result<Message<'_>, DecodeError> {
        self.decode_within(kind, data, DecodeLimits::default())
    }

    /// Decodes what a client has sent as text that is known to be UTF-8, within the limits that hold by default.
    ///
    /// # Errors
    /// [`DecodeError`]; the connection that it came on ends.
    pub fn decode_text(self, text: &str) -> Result<Message<'_>, DecodeError> {
        self.decode_text_within(text, DecodeLimits::default())
    }

    /// Decodes what a client has sent, as [`decode`](Self::decode) does, within these limits.
    ///
    /// # Errors
    /// [`DecodeError`]; the connection that it came on ends.
    #[inline]
    pub fn decode_within(
        self,
        kind: Kind,
        data: &[u8],
        limits: DecodeLimits,
    ) -> Result<Message<'_>, DecodeError> {
        match (self, kind) {
            (Self::V2, Kind::Binary) => binary::decode(data, limits.max_ref.into()),
            (Self::V1, _) | (Self::V2, Kind::Text) => self.decode_text_within(text(data)?, limits),
            (Self::Custom(_), _) => Err(DecodeError::NoFormat),
        }
    }

    /// Decodes what a client has sent as text that is known to be UTF-8, within these limits.
    ///
    /// # Errors
    /// [`DecodeError`]; the connection that it came on ends.
    pub fn decode_text_within(self, text: &str, limits: DecodeLimits) -> Result<Message<'_>, DecodeError> {
        match self {
            Self::V1 => v1::decode(text, limits.bounds()),
            Self::V2 => v2::decode(text, limits.bounds()),
            Self::Custom(_) => Err(DecodeError::NoFormat),
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
        outgoing.check_names()?;
        let Some(mut envelope) = Envelope::from_server(outgoing) else {
            return match self {
                Self::V1 => Err(EncodeError::BinaryOnV1),
                Self::V2 => binary::encode(outgoing),
                Self::Custom(_) => Err(EncodeError::NoFormat),
            };
        };
        let layout = match self {
            Self::V1 => {
                envelope.join_ref = None;
                Layout::Object
            }
            Self::V2 if !outgoing.is_allowed_on_v2() => return Err(EncodeError::NotAnObject),
            Self::V2 => Layout::Array,
            Self::Custom(_) => return Err(EncodeError::NoFormat),
        };
        Frame::try_build(Kind::Text, layout.len(&envelope), |out| {
            layout.write(out, &envelope);
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
            (Self::V1, _) => v1::decode(text(data)?, Bounds::FROM_SERVER).map(Incoming::from_text),
            (Self::V2, Kind::Text) => v2::decode(text(data)?, Bounds::FROM_SERVER).map(Incoming::from_text),
            (Self::Custom(_), _) => Err(DecodeError::NoFormat),
        }
    }

    /// Encodes what a client sends. V1 carries a `join_ref` only if there is one.
    ///
    /// # Errors
    /// [`EncodeError`]; nothing has been sent.
    ///
    /// Source: phoenix.js `Serializer.encode`.
    pub fn encode_from_client(self, message: &Message<'_>) -> Result<(Kind, Vec<u8>), EncodeError> {
        let (layout, payload) = match (self, message.payload) {
            (Self::V1, PayloadSlice::Binary(_)) => return Err(EncodeError::BinaryOnV1),
            (Self::V2, PayloadSlice::Binary(data)) => {
                return binary::encode_from_client(message, data).map(|bytes| (Kind::Binary, bytes));
            }
            (Self::V1, PayloadSlice::Json(payload)) => (Layout::Object, payload),
            (Self::V2, PayloadSlice::Json(payload)) => (Layout::Array, payload),
            (Self::Custom(_), _) => return Err(EncodeError::NoFormat),
        };
        let envelope = Envelope::from_client(message, payload);
        let mut text = Vec::with_capacity(layout.len(&envelope));
        layout.write(&mut text, &envelope);
        Ok((Kind::Text, text))
    }
}

/// How the fields of a text message are arranged.
#[derive(Clone, Copy)]
enum Layout {
    /// V1.
    Object,
    /// V2.
    Array,
}

impl Layout {
    fn len(self, envelope: &Envelope<'_>) -> usize {
        match self {
            Self::Object => v1::len(envelope),
            Self::Array => v2::len(envelope),
        }
    }

    fn write(self, out: &mut impl BufMut, envelope: &Envelope<'_>) {
        match self {
            Self::Object => v1::write(out, envelope),
            Self::Array => v2::write(out, envelope),
        }
    }
}

/// V1, V2, and so many of the application's own.
fn serializers(own: usize) -> impl Iterator<Item = Serializer> {
    Serializer::ALL.into_iter().chain(own_serializers(own))
}

fn own_serializers(own: usize) -> impl Iterator<Item = Serializer> {
    FormatId::ALL.into_iter().take(own).map(Serializer::Custom)
}

fn text(data: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(data).map_err(|_| DecodeError::NotUtf8 { field: "text" })
}
