//! How much of a client's message is looked at.

use crate::Ref;

/// What one message of a client may have, where it comes from a stranger. Each socket may have its own.
///
/// ```
/// use bennu_core::Kind;
/// use bennu_core::wire::{DecodeError, DecodeLimits, Serializer};
///
/// let heartbeat = br#"[null,"1234","phoenix","heartbeat",{}]"#;
/// let limits = DecodeLimits { max_ref: 5, ..DecodeLimits::default() };
///
/// assert!(Serializer::V2.decode(Kind::Text, heartbeat).is_ok());
/// assert_eq!(Serializer::V2.decode_within(Kind::Text, heartbeat, limits), Err(DecodeError::RefTooLong));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Bytes of a ref or join ref as JSON text, quotes and escapes included: 64, and never more than [`Ref::MAX_LEN`].
    pub max_ref: u8,
    /// How deep JSON may be nested, one level being the message itself: 128, never more, and never less than the two of a
    /// message with an empty object.
    pub max_depth: u8,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { max_ref: 64, max_depth: 128 }
    }
}

impl DecodeLimits {
    /// How deep the values inside a message may be nested.
    #[inline]
    pub(super) fn levels(self) -> u32 {
        u32::from(self.max_depth).clamp(2, CLIENT_LEVELS + 1) - 1
    }

    /// The same limits, as the decoders take them.
    #[inline]
    pub(super) fn bounds(self) -> Bounds {
        Bounds { levels: self.levels(), max_ref: self.max_ref.into() }
    }
}

/// How deep JSON inside a client's message may be nested at most.
pub(super) const CLIENT_LEVELS: u32 = 127;

/// What a text is held to.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Of the values inside the message.
    pub(super) levels: u32,
    pub(super) max_ref: usize,
}

impl Bounds {
    /// What a server sends: its reply puts one more level around a payload that it returns, and returns a ref of whatever
    /// length it takes.
    pub(super) const FROM_SERVER: Self = Self { levels: CLIENT_LEVELS + 1, max_ref: Ref::MAX_LEN };
}
