//! Payloads: raw until somebody asks for a `T`.

mod event;
mod into;

pub use event::EventError;
pub use into::{IntoPayload, NotEncodable};

use crate::filter::write_json;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt;

/// What a message carries: JSON text that nobody has parsed yet, or bytes.
///
/// Cloning shares the bytes. Printing with `{:?}` leaves out what is called a token, a password or a secret: see
/// [`ParameterFilter`](crate::ParameterFilter).
///
/// ```
/// use bennu_core::Payload;
///
/// let payload = Payload::from(bennu_core::RawJson::parse(r#"{"body":"hi"}"#).unwrap());
///
/// #[derive(serde::Deserialize)]
/// struct Message<'a> { body: &'a str }
/// assert_eq!(payload.parse::<Message<'_>>().unwrap().body, "hi");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Payload {
    /// Any JSON value, as its text.
    Json(RawJson),
    /// Bytes: a binary frame of the V2 serializer.
    Binary(Bytes),
}

/// JSON text: one valid value, in UTF-8.
///
/// Shape: `{"body":"hi"}`; never parsed into a tree.
#[derive(Clone, PartialEq, Eq)]
pub struct RawJson {
    text: Bytes,
}

/// Why a payload is not the `T` that was asked for: the peer's fault.
#[derive(Debug)]
#[non_exhaustive]
pub enum ParseError {
    /// The JSON does not have the shape of `T`.
    Json(serde_json::Error),
    /// The payload is bytes, not JSON.
    Binary,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(_) => f.write_str("the payload does not have the shape that was asked for"),
            Self::Binary => f.write_str("the payload is binary, not JSON"),
        }
    }
}

impl std::error::Error for ParseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Binary => None,
        }
    }
}

impl RawJson {
    /// The empty object, `{}`.
    pub const EMPTY_OBJECT: Self = Self { text: Bytes::from_static(b"{}") };

    /// Takes JSON text, if it is valid.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let value: &RawValue = serde_json::from_str(text)?;
        Ok(Self { text: Bytes::copy_from_slice(value.get().as_bytes()) })
    }

    /// Encodes any value.
    ///
    /// # Errors
    /// What the value's `Serialize` reports (for instance a map whose keys are no strings).
    pub fn encode<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        Ok(Self { text: Bytes::from(serde_json::to_vec(value)?) })
    }

    /// JSON text that a scanner has already found valid.
    pub(crate) fn from_valid(text: Bytes) -> Self {
        Self { text }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("JSON text is UTF-8")
    }

    /// The text's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.text
    }

    /// Whether the value is an object: what a push or broadcast must be.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
    }
}

impl Payload {
    /// The empty object, `{}`.
    #[must_use]
    pub const fn empty() -> Self {
        Self::Json(RawJson::EMPTY_OBJECT)
    }

    /// Bytes, sent in a binary frame.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::Binary(bytes.into())
    }

    /// Any value that serde can write, as JSON.
    ///
    /// # Errors
    /// What the value's `Serialize` reports.
    pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        RawJson::encode(value).map(Self::Json)
    }

    /// Reads the payload as a `T`, which may borrow from it.
    ///
    /// Borrowed strings (`&str`) cannot hold escapes: prefer `Cow<'_, str>` with `#[serde(borrow)]`,
    /// or `String`.
    ///
    /// # Errors
    /// [`ParseError`] if it is of another shape, or binary.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ParseError> {
        match self {
            Self::Json(json) => serde_json::from_slice(&json.text).map_err(ParseError::Json),
            Self::Binary(_) => Err(ParseError::Binary),
        }
    }

    /// The JSON as a value to embed in a larger one without parsing it; `None` if binary.
    ///
    /// Costs one scan of the text.
    #[must_use]
    pub fn raw(&self) -> Option<&RawValue> {
        match self {
            Self::Json(json) => serde_json::from_slice(&json.text).ok(),
            Self::Binary(_) => None,
        }
    }

    /// The bytes: of the JSON text, or the binary payload itself.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        match self {
            Self::Json(json) => &json.text,
            Self::Binary(bytes) => bytes,
        }
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there are no bytes at all (`{}` has two).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }
}

impl From<RawJson> for Payload {
    fn from(json: RawJson) -> Self {
        Self::Json(json)
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_json(self.as_str(), f)
    }
}
