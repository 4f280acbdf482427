//! Names and payloads as they stand in messages.

use bennu_core::{Payload, RawJson};

/// A topic or an event in a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Word {
    /// A string.
    Text(String),
    /// The JSON text of another value.
    Json(String),
}

/// A payload in a message.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Content {
    /// JSON text.
    Json(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Word {
    /// The string, or the JSON text.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Json(text) => text,
        }
    }
}

impl Content {
    /// `{}`
    pub(crate) fn empty() -> Self {
        Self::Json("{}".to_owned())
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Json(json) => json.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// As the machine takes it.
    ///
    /// # Panics
    /// If it is JSON that is none, which no script contains.
    pub(crate) fn to_payload(&self) -> Payload {
        match self {
            Self::Json(json) => RawJson::parse(json).expect("scripts contain JSON").into(),
            Self::Bytes(bytes) => Payload::binary(bytes.clone()),
        }
    }
}

impl From<&Payload> for Content {
    fn from(payload: &Payload) -> Self {
        match payload {
            Payload::Json(json) => Self::Json(json.as_str().to_owned()),
            Payload::Binary(bytes) => Self::Bytes(bytes.to_vec()),
        }
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(json) if json.len() > 80 => write!(f, "{}… ({} bytes)", &json[..40], json.len()),
            Self::Json(json) => f.write_str(json),
            Self::Bytes(bytes) => write!(f, "{bytes:?}"),
        }
    }
}
