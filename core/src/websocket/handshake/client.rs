//! The client's side.

use super::{Accept, STANDARD, any_lists, shown};
use base64::Engine;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use std::fmt;

/// A client's key: what ties the server's answer to this request.
///
/// Shape: `dGhlIHNhbXBsZSBub25jZQ==`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKey {
    text: String,
}

impl ClientKey {
    /// A key from 16 bytes, which RFC 6455 section 4.1 wants random and new for each connection.
    #[must_use]
    pub fn new(nonce: [u8; 16]) -> Self {
        Self { text: STANDARD.encode(nonce) }
    }

    /// The value of `sec-websocket-key`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Why a server's answer does not open a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The status is not 101.
    Status {
        /// The status.
        found: StatusCode,
    },
    /// `upgrade` does not list `websocket`.
    Upgrade {
        /// The header's lines.
        found: Vec<String>,
    },
    /// `connection` does not list `upgrade`.
    Connection {
        /// The header's lines.
        found: Vec<String>,
    },
    /// `sec-websocket-accept` does not answer the key.
    Accept {
        /// The header's lines.
        found: Vec<String>,
    },
    /// The server uses an extension, though none was offered.
    Extension {
        /// The header's lines.
        found: Vec<String>,
    },
    /// The server chose a subprotocol that was not offered.
    Subprotocol {
        /// The header's lines.
        found: Vec<String>,
    },
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { found } => write!(f, "the status must be 101, got {}", found.as_u16()),
            Self::Upgrade { found } => write!(f, "'upgrade' header must contain 'websocket', got {found:?}"),
            Self::Connection { found } => {
                write!(f, "'connection' header must contain 'upgrade', got {found:?}")
            }
            Self::Accept { found } => {
                write!(f, "'sec-websocket-accept' header must answer the key, got {found:?}")
            }
            Self::Extension { found } => write!(f, "no extension was offered, got {found:?}"),
            Self::Subprotocol { found } => {
                write!(f, "the subprotocol must be one of those offered, got {found:?}")
            }
        }
    }
}

impl std::error::Error for ResponseError {}

/// The headers of the request, but for `host`; `subprotocols` is the list to offer, the preferred first.
#[must_use]
pub fn request_headers(key: &ClientKey, subprotocols: Option<&HeaderValue>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(5);
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    let key = HeaderValue::from_str(key.as_str()).expect("base64 is visible ASCII");
    headers.insert(header::SEC_WEBSOCKET_KEY, key);
    if let Some(subprotocols) = subprotocols {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocols.clone());
    }
    headers
}

/// Looks at the server's answer, given what was asked with [`request_headers`].
///
/// Which subprotocol the server chose, if any, is in the response's `sec-websocket-protocol`.
///
/// # Errors
/// [`ResponseError`] for the first thing that is wrong: drop the stream.
pub fn check_response<B>(
    response: &Response<B>,
    key: &ClientKey,
    subprotocols: Option<&HeaderValue>,
) -> Result<(), ResponseError> {
    let headers = response.headers();
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(ResponseError::Status { found: response.status() });
    }
    if !any_lists(headers, &header::UPGRADE, "websocket") {
        return Err(ResponseError::Upgrade { found: shown(headers, &header::UPGRADE) });
    }
    if !any_lists(headers, &header::CONNECTION, "upgrade") {
        return Err(ResponseError::Connection { found: shown(headers, &header::CONNECTION) });
    }
    let accept = Accept::to_key(key.as_str().as_bytes());
    if only(headers, &header::SEC_WEBSOCKET_ACCEPT) != Some(accept.as_str().as_bytes()) {
        return Err(ResponseError::Accept { found: shown(headers, &header::SEC_WEBSOCKET_ACCEPT) });
    }
    if headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
        return Err(ResponseError::Extension { found: shown(headers, &header::SEC_WEBSOCKET_EXTENSIONS) });
    }
    if headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL)
        && !only(headers, &header::SEC_WEBSOCKET_PROTOCOL)
            .is_some_and(|chosen| is_offered(chosen, subprotocols))
    {
        return Err(ResponseError::Subprotocol { found: shown(headers, &header::SEC_WEBSOCKET_PROTOCOL) });
    }
    Ok(())
}

/// A header's only value; `None` if it is absent, repeated, or empty.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (Some(value), None) => Some(value.as_bytes().trim_ascii()).filter(|value| !value.is_empty()),
        _ => None,
    }
}

fn is_offered(chosen: &[u8], offered: Option<&HeaderValue>) -> bool {
    let offered = offered.map_or(&b""[..], HeaderValue::as_bytes);
    offered.split(|byte| *byte == b',').any(|item| item.trim_ascii() == chosen)
}
