//! What can be wrong with a token, coming and going.

use super::{MAX_LEN, TermDecodeError, TermEncodeError, UnixTime};
use std::fmt;

/// Why a token proves nothing: the fault of who showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// There is none.
    Missing,
    /// It is longer than [`MAX_LEN`]; nothing of it has been looked at.
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// It has not the shape of a token, or its base64 is not canonical.
    Malformed,
    /// It was made with another secret or salt, or has been altered.
    Forged,
    /// One of our keys has made it, but what it carries cannot be decoded.
    Term(TermDecodeError),
    /// One of our keys has made it, but it carries something else than data, when it was signed, and for how
    /// long.
    NotAToken,
    /// It was signed later than now: some server's clock is wrong.
    FromTheFuture {
        /// When it says that it was signed.
        signed_at: UnixTime,
    },
    /// It is too old.
    Expired {
        /// When it was signed.
        signed_at: UnixTime,
    },
}

impl TokenError {
    /// Which of Phoenix's three errors this is: `missing`, `invalid` or `expired`.
    ///
    /// Source: `Phoenix.Token.verify/4`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::TooLong { .. }
            | Self::Malformed
            | Self::Forged
            | Self::Term(_)
            | Self::NotAToken
            | Self::FromTheFuture { .. } => "invalid",
            Self::Expired { .. } => "expired",
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no token"),
            Self::TooLong { len } => write!(f, "the token is {len} bytes long, more than {MAX_LEN}"),
            Self::Malformed => f.write_str("the token has not the shape of one"),
            Self::Forged => f.write_str("the token was made with another key, or has been altered"),
            Self::Term(_) => f.write_str("what the token carries cannot be decoded"),
            Self::NotAToken => f.write_str("what was signed is no token"),
            Self::FromTheFuture { signed_at } => {
                write!(f, "the token was signed in the future, at {} ms", signed_at.as_millis())
            }
            Self::Expired { signed_at } => {
                write!(f, "the token, signed at {} ms, has expired", signed_at.as_millis())
            }
        }
    }
}

impl std::error::Error for TokenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Term(error) = self { Some(error) } else { None }
    }
}

impl From<TermDecodeError> for TokenError {
    fn from(error: TermDecodeError) -> Self {
        Self::Term(error)
    }
}

/// Why no token can be made of some data: the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError {
    /// The token would be longer than [`MAX_LEN`], and no one would take it.
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The data cannot be written.
    Term(TermEncodeError),
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len } => write!(f, "the token would be {len} bytes long, more than {MAX_LEN}"),
            Self::Term(_) => f.write_str("the data of the token cannot be encoded"),
        }
    }
}

impl std::error::Error for SignError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::TooLong { .. } => None,
            Self::Term(error) => Some(error),
        }
    }
}

impl From<TermEncodeError> for SignError {
    fn from(error: TermEncodeError) -> Self {
        Self::Term(error)
    }
}
