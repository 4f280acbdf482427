//! What a peer can do wrong, and the close code it gets for it.

use std::fmt;

/// Why the peer's bytes ended the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// Reserved bits were set, though no extension is in use: the three bits, RSV1 highest.
    ReservedBits {
        /// `0b100` is RSV1 alone.
        bits: u8,
    },
    /// An opcode of 3-7 or 11-15.
    ReservedOpcode {
        /// The opcode.
        opcode: u8,
    },
    /// A client sent a frame without a mask.
    Unmasked,
    /// A server sent a frame with a mask.
    Masked,
    /// A length was written in more bytes than it needs.
    LengthNotMinimal {
        /// The length, in bytes.
        len: u64,
    },
    /// A 64-bit length had its highest bit set.
    LengthOutOfRange,
    /// A control frame was not final.
    FragmentedControl,
    /// A control frame announced more than 125 bytes.
    ControlTooLong,
    /// A continuation came where no message had begun.
    UnexpectedContinuation,
    /// A new message began before the last one was complete.
    ExpectedContinuation,
    /// A text message, or the reason of a close frame, was not UTF-8.
    InvalidUtf8,
    /// A message is longer than [`Config::max_message`](super::Config::max_message).
    MessageTooLong {
        /// The bytes announced so far, all fragments together.
        len: u64,
        /// The limit in bytes.
        limit: u32,
    },
    /// A message came in more fragments than [`Config::max_fragments`](super::Config::max_fragments).
    TooManyFragments {
        /// The limit.
        limit: u32,
    },
    /// More empty fragments followed one another than
    /// [`Config::max_empty_fragments`](super::Config::max_empty_fragments).
    TooManyEmptyFragments {
        /// The limit.
        limit: u32,
    },
    /// A close frame carried one byte, which is half a code.
    CloseTooShort,
    /// A close frame carried a code that must not be sent.
    InvalidCloseCode {
        /// The code.
        code: u16,
    },
}

impl Violation {
    /// The code of the close frame that answers it: 1002, 1007, 1008 or 1009.
    ///
    /// Source: RFC 6455 section 7.4.1; Bandit's codes where it leaves a choice.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::ReservedBits { .. }
            | Self::ReservedOpcode { .. }
            | Self::Unmasked
            | Self::Masked
            | Self::LengthNotMinimal { .. }
            | Self::LengthOutOfRange
            | Self::FragmentedControl
            | Self::ControlTooLong
            | Self::UnexpectedContinuation
            | Self::ExpectedContinuation
            | Self::CloseTooShort
            | Self::InvalidCloseCode { .. } => 1002,
            Self::InvalidUtf8 => 1007,
            Self::TooManyFragments { .. } | Self::TooManyEmptyFragments { .. } => 1008,
            Self::MessageTooLong { .. } => 1009,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedBits { bits } => write!(f, "reserved bits {bits:03b} are set"),
            Self::ReservedOpcode { opcode } => write!(f, "opcode {opcode} is reserved"),
            Self::Unmasked => f.write_str("a client's frame has no mask"),
            Self::Masked => f.write_str("a server's frame has a mask"),
            Self::LengthNotMinimal { len } => write!(f, "length {len} is written in too many bytes"),
            Self::LengthOutOfRange => f.write_str("a length has its highest bit set"),
            Self::FragmentedControl => f.write_str("a control frame is fragmented"),
            Self::ControlTooLong => f.write_str("a control frame is longer than 125 bytes"),
            Self::UnexpectedContinuation => f.write_str("a continuation has no message to continue"),
            Self::ExpectedContinuation => f.write_str("a message begins inside another"),
            Self::InvalidUtf8 => f.write_str("text is not UTF-8"),
            Self::MessageTooLong { len, limit } => {
                write!(f, "a message of at least {len} bytes is over the limit of {limit}")
            }
            Self::TooManyFragments { limit } => write!(f, "a message has more than {limit} fragments"),
            Self::TooManyEmptyFragments { limit } => {
                write!(f, "more than {limit} empty fragments follow one another")
            }
            Self::CloseTooShort => f.write_str("a close frame carries half a code"),
            Self::InvalidCloseCode { code } => write!(f, "close code {code} must not be sent"),
        }
    }
}

impl std::error::Error for Violation {}
