//! Requests that are answered with an error.

use super::{AuthTokenError, LimitError, NoCommonSubprotocol, OriginRefusal, PercentError, QueryError};
use http::{Method, StatusCode};
use std::fmt;

/// Why a request is refused before the application is asked.
///
/// The log gets the reason; the client gets [`Refusal::status`] and [`Refusal::body`], which repeat nothing
/// of what it sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The request head is too large: 414 or 431.
    Limit(LimitError),
    /// The method is not `GET`: 400.
    Method(Method),
    /// The query cannot be decoded: 400.
    Query(QueryError),
    /// A variable of the path cannot be decoded: 400.
    PathVariable(PercentError),
    /// The origin may not connect: 403.
    Origin(OriginRefusal),
    /// The auth token is garbage: 400.
    AuthToken(AuthTokenError),
    /// No common subprotocol: 403.
    Subprotocol(NoCommonSubprotocol),
}

impl Refusal {
    /// The status to answer with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Limit(LimitError::Target { .. }) => StatusCode::URI_TOO_LONG,
            Self::Limit(LimitError::HeaderBlock { .. } | LimitError::Headers { .. }) => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::Method(_) | Self::Query(_) | Self::PathVariable(_) | Self::AuthToken(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Origin(_) | Self::Subprotocol(_) => StatusCode::FORBIDDEN,
        }
    }

    /// The plain text to answer with; empty where Phoenix says nothing.
    #[must_use]
    pub fn body(&self) -> String {
        match self {
            Self::Method(_) | Self::Origin(_) | Self::Subprotocol(_) => String::new(),
            Self::Limit(_) | Self::Query(_) | Self::PathVariable(_) | Self::AuthToken(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(error) => error.fmt(f),
            Self::Method(method) => write!(f, "the method {method} opens no WebSocket"),
            Self::Query(error) => error.fmt(f),
            Self::PathVariable(_) => f.write_str("a variable of the path is not percent-encoded UTF-8"),
            Self::Origin(error) => error.fmt(f),
            Self::AuthToken(error) => error.fmt(f),
            Self::Subprotocol(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // The others speak for their cause, so what comes next is the cause's own.
            Self::Limit(error) => error.source(),
            Self::Method(_) => None,
            Self::Query(error) => error.source(),
            Self::PathVariable(error) => Some(error),
            Self::Origin(error) => error.source(),
            Self::AuthToken(error) => error.source(),
            Self::Subprotocol(error) => error.source(),
        }
    }
}
