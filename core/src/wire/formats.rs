//! The serializers that a server knows.

use super::{DecodeError, DecodeLimits, Decoded, EncodeError, Format, Outgoing, PerSerializer, Serializer};
use crate::json::Scanner;
use crate::{Frame, Kind, Message, Payload};
use std::fmt;
use std::sync::Arc;

/// The serializers that a server knows: V1, V2, and [formats](Format) of the application's own.
///
/// V1 and V2 are [`Serializer`]'s business, as if there were no others; without formats nothing is allocated.
#[derive(Clone, Default)]
pub struct Formats {
    own: Vec<Arc<dyn Format>>,
}

/// Which of the [`Formats`] of a server a [`Serializer::Custom`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FormatId(Place);

/// No number: so a [`Serializer`] is one byte, which every member of a topic has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
    K,
    L,
    M,
    N,
    O,
    P,
}

impl FormatId {
    /// All there may be.
    pub(super) const ALL: [Self; Formats::MAX] = {
        use Place::*;
        [
            Self(A),
            Self(B),
            Self(C),
            Self(D),
            Self(E),
            Self(F),
            Self(G),
            Self(H),
            Self(I),
            Self(J),
            Self(K),
            Self(L),
            Self(M),
            Self(N),
            Self(O),
            Self(P),
        ]
    };

    /// The place in a table of formats.
    #[inline]
    pub(super) fn place(self) -> usize {
        self.0 as usize
    }
}

impl Formats {
    /// The most formats that there may be.
    pub const MAX: usize = 16;

    /// Adds a format.
    ///
    /// # Panics
    /// If there are [`Formats::MAX`] already: a mistake in the program.
    pub fn add(&mut self, format: Arc<dyn Format>) -> Serializer {
        assert!(self.own.len() < Self::MAX, "a server has at most {} formats", Self::MAX);
        self.own.push(format);
        Serializer::Custom(FormatId::ALL[self.own.len() - 1])
    }

    /// V1, V2, and the formats in the order in which they were added.
    pub fn serializers(&self) -> impl Iterator<Item = Serializer> + use<> {
        super::serializers(self.own.len())
    }

    /// One value for each serializer.
    pub fn each<T>(&self, make: impl FnMut(Serializer) -> T) -> PerSerializer<T> {
        PerSerializer::new(self.own.len(), make)
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn contains(&self, serializer: Serializer) -> bool {
        serializer.index() < Serializer::ALL.len() + self.own.len()
    }

    /// Decodes what a client has sent, within these limits. What a format makes of it is kept in `room`, which the message
    /// borrows from.
    ///
    /// # Errors
    /// [`DecodeError`]; the connection that it came on ends.
    #[inline]
    pub fn decode<'a>(
        &self,
        serializer: Serializer,
        kind: Kind,
        data: &'a [u8],
        limits: DecodeLimits,
        room: &'a mut Option<Decoded>,
    ) -> Result<Message<'a>, DecodeError> {
        match serializer {
            Serializer::V1 | Serializer::V2 => serializer.decode_within(kind, data, limits),
            Serializer::Custom(id) => self.decode_own(id, kind, data, limits, room),
        }
    }

    /// Decodes what a client has sent as text that is known to be UTF-8, within these limits.
    ///
    /// # Errors
    /// [`DecodeError`]; the connection that it came on ends.
    #[inline]
    pub fn decode_text<'a>(
        &self,
        serializer: Serializer,
        text: &'a str,
        limits: DecodeLimits,
        room: &'a mut Option<Decoded>,
    ) -> Result<Message<'a>, DecodeError> {
        match serializer {
            Serializer::V1 | Serializer::V2 => serializer.decode_text_within(text, limits),
            Serializer::Custom(id) => self.decode_own(id, Kind::Text, text.as_bytes(), limits, room),
        }
    }

    /// Encodes what a server sends.
    ///
    /// # Errors
    /// [`EncodeError`]; nothing has been sent, and the connection is unharmed.
    #[inline]
    pub fn encode(&self, serializer: Serializer, outgoing: &Outgoing<'_>) -> Result<Frame, EncodeError> {
        match serializer {
            Serializer::V1 | Serializer::V2 => serializer.encode(outgoing),
            Serializer::Custom(id) => self.encode_own(id, outgoing),
        }
    }

    #[cold]
    fn decode_own<'a>(
        &self,
        id: FormatId,
        kind: Kind,
        data: &[u8],
        limits: DecodeLimits,
        room: &'a mut Option<Decoded>,
    ) -> Result<Message<'a>, DecodeError> {
        let format = self.own.get(id.place()).ok_or(DecodeError::NoFormat)?;
        let decoded = format.decode(kind, data).map_err(DecodeError::Format)?;
        if let Payload::Json(json) = &decoded.payload {
            // Valid, but for its depth and for lone surrogates, both of which V1 and V2 refuse as well.
            let mut scan = Scanner::new(json.as_str(), limits.levels());
            scan.value()?;
        }
        let refs = [&decoded.join_ref, &decoded.msg_ref].into_iter().flatten();
        if refs.map(|value| value.as_bytes().len()).any(|len| len > limits.max_ref.into()) {
            return Err(DecodeError::RefTooLong);
        }
        Ok(room.insert(decoded).as_message())
    }

    #[cold]
    fn encode_own(&self, id: FormatId, outgoing: &Outgoing<'_>) -> Result<Frame, EncodeError> {
        outgoing.check_names()?;
        let format = self.own.get(id.place()).ok_or(EncodeError::NoFormat)?;
        let (kind, body) = format.encode(outgoing).map_err(EncodeError::Format)?;
        if kind == Kind::Text && std::str::from_utf8(&body).is_err() {
            return Err(EncodeError::NotUtf8);
        }
        Ok(Frame::new(kind, &body))
    }
}

impl fmt::Debug for Formats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Formats").field("own", &self.own.len()).finish_non_exhaustive()
    }
}
