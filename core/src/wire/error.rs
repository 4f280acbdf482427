//! What can be wrong with a message, coming and going.

use super::FormatError;
use crate::{RefTooLong, json};
use std::fmt;

/// Why bytes from the peer are not a message. The connection they came on ends (close code 1011).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The text is not JSON; `at` is the byte where the grammar breaks.
    Json {
        /// Offset in bytes.
        at: usize,
    },
    /// Arrays and objects are nested deeper than [they may be](super::DecodeLimits::max_depth), the message itself counted.
    TooDeep,
    /// V2 text that is JSON, but no array.
    NotAnArray,
    /// V1 text that is JSON, but no object.
    NotAnObject,
    /// A V2 array of fewer than five items.
    MissingItem {
        /// How many there are.
        found: usize,
    },
    /// A V1 object without one of the keys that it must have.
    MissingKey {
        /// `topic`, `event`, `payload` or `ref`.
        key: &'static str,
    },
    /// A ref is longer, as JSON text, than [it may be](super::DecodeLimits::max_ref).
    RefTooLong,
    /// The first byte of a binary frame names no kind that this side receives.
    UnknownKind {
        /// That byte.
        kind: u8,
    },
    /// A binary frame is shorter than its header says.
    Truncated {
        /// The length in bytes that the header asks for, data not counted.
        needed: usize,
        /// The length in bytes of the frame.
        found: usize,
    },
    /// Text is not UTF-8: a whole text frame, or one field of a binary frame.
    ///
    /// Phoenix takes any bytes in a binary header, then fails when it sends them back as text.
    NotUtf8 {
        /// `text`, `join_ref`, `ref`, `topic`, `event` or `status`.
        field: &'static str,
    },
    /// A [`Format`](super::Format) of the application's own cannot read it.
    Format(FormatError),
    /// A [`Serializer::Custom`](super::Serializer::Custom) was asked without the [`Formats`](super::Formats) that it is one of.
    NoFormat,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json { at } => write!(f, "the text is not JSON at byte {at}"),
            Self::TooDeep => f.write_str("the JSON is nested deeper than it may be"),
            Self::NotAnArray => f.write_str("the message is not a JSON array"),
            Self::NotAnObject => f.write_str("the message is not a JSON object"),
            Self::MissingItem { found } => write!(f, "the message has {found} items instead of five"),
            Self::MissingKey { key } => write!(f, "the message has no {key}"),
            Self::RefTooLong => f.write_str("a ref is longer than it may be"),
            Self::UnknownKind { kind } => write!(f, "{kind} is no kind of binary message"),
            Self::Truncated { needed, found } => write!(f, "the frame has {found} bytes and needs {needed}"),
            Self::NotUtf8 { field } => write!(f, "{field} is not UTF-8"),
            Self::Format(error) => error.fmt(f),
            Self::NoFormat => f.write_str(NO_FORMAT),
        }
    }
}

impl std::error::Error for DecodeError {}

const NO_FORMAT: &str = "a custom serializer is known to its formats alone";

impl From<json::Error> for DecodeError {
    fn from(error: json::Error) -> Self {
        match error {
            json::Error::TOO_DEEP => Self::TooDeep,
            json::Error { at } => Self::Json { at },
        }
    }
}

impl From<RefTooLong> for DecodeError {
    fn from(_: RefTooLong) -> Self {
        Self::RefTooLong
    }
}

/// Why a message cannot be sent in this form: its maker's fault. Nothing has been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// A field of a binary frame is longer than 255 bytes.
    FieldTooLong {
        /// `join_ref`, `ref`, `topic`, `event` or `status`.
        field: &'static str,
        /// Its length in bytes.
        len: usize,
    },
    /// A name in a push or broadcast is longer than [`MAX_NAME`](crate::MAX_NAME) bytes: no client could send
    /// it back.
    NameTooLong {
        /// `topic` or `event`.
        field: &'static str,
        /// Its length in bytes.
        len: usize,
    },
    /// A push or broadcast for V2 is neither a JSON object nor bytes.
    NotAnObject,
    /// Bytes for V1, which is text only.
    BinaryOnV1,
    /// A ref that is no string, such as `7`, in a binary frame, where all are strings.
    RefNotText {
        /// `join_ref` or `ref`.
        field: &'static str,
    },
    /// A topic or an event that is no string in a binary frame.
    NameNotText {
        /// `topic` or `event`.
        field: &'static str,
    },
    /// A [`Format`](super::Format) of the application's own cannot write it.
    Format(FormatError),
    /// What a [`Format`](super::Format) has written as text is not UTF-8.
    NotUtf8,
    /// A [`Serializer::Custom`](super::Serializer::Custom) was asked without the [`Formats`](super::Formats) that it is one of.
    NoFormat,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FieldTooLong { field, len } => {
                write!(f, "{field} has {len} bytes, and a binary frame has room for 255")
            }
            Self::NameTooLong { field, len } => {
                write!(f, "{field} has {len} bytes, and may have {}", crate::MAX_NAME)
            }
            Self::NotAnObject => f.write_str("the payload is neither a JSON object nor binary"),
            Self::BinaryOnV1 => f.write_str("serializer V1 has no binary messages"),
            Self::RefNotText { field } | Self::NameNotText { field } => {
                write!(f, "{field} is not a string, as a binary frame requires")
            }
            Self::Format(error) => error.fmt(f),
            Self::NotUtf8 => f.write_str("a format has written text that is not UTF-8"),
            Self::NoFormat => f.write_str(NO_FORMAT),
        }
    }
}

impl std::error::Error for EncodeError {}
