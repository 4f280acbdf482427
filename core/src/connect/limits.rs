//! How large a request head may be.

use http::request::Parts;
use std::fmt;

/// Bounds on a request head.
///
/// An HTTP server has bounds of its own, which come first; these hold whatever server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The request target, path and query, in bytes: 8 KiB.
    pub target: usize,
    /// All header lines together, in bytes as HTTP/1.1 writes them: 16 KiB.
    pub header_block: usize,
    /// Header lines, each repetition of a name counted: 64.
    pub headers: usize,
}

/// Which bound a request head goes past: the peer's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitError {
    /// The target is too long: 414.
    Target {
        /// Its length in bytes.
        len: usize,
    },
    /// The header lines are too long: 431.
    HeaderBlock {
        /// Their length in bytes.
        len: usize,
    },
    /// There are too many header lines: 431.
    Headers {
        /// How many.
        count: usize,
    },
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target { len } => write!(f, "the request target of {len} bytes is too long"),
            Self::HeaderBlock { len } => write!(f, "the header block of {len} bytes is too long"),
            Self::Headers { count } => write!(f, "{count} headers are too many"),
        }
    }
}

impl std::error::Error for LimitError {}

impl Default for Limits {
    fn default() -> Self {
        Self { target: 8 * 1024, header_block: 16 * 1024, headers: 64 }
    }
}

impl Limits {
    /// Measures a request head.
    ///
    /// # Errors
    /// [`LimitError`] for the first bound that it goes past.
    pub fn check(&self, parts: &Parts) -> Result<(), LimitError> {
        let len = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
        if len > self.target {
            return Err(LimitError::Target { len });
        }
        let count = parts.headers.len();
        if count > self.headers {
            return Err(LimitError::Headers { count });
        }
        // Each line is `name: value\r\n`.
        let len = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if len > self.header_block {
            return Err(LimitError::HeaderBlock { len });
        }
        Ok(())
    }
}
