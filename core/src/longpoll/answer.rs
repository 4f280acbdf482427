//! What goes back.

use crate::filter::Hidden;
use crate::json::{string_len, write_string};
use crate::{Compat, Frame};
use bytes::{BufMut as _, Bytes};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_TYPE, HeaderValue,
};
use http::{Response, StatusCode};
use std::fmt;

/// The answer to a request.
///
/// Pages of all origins may read it: whether theirs may connect is decided on the server. Printing with `{:?}` leaves
/// out the token.
///
/// Source: Phoenix `Transports.LongPoll`.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer<'a> {
    /// To a `GET` that has opened a session: HTTP 200, `{"messages":[],"status":410,"token":"SFMyNTY.g2g"}`.
    Opened {
        /// Of the session.
        token: &'a str,
    },
    /// To a `GET`: HTTP 200, `{"messages":["[…]","[…]"],"status":200,"token":"SFMyNTY.g2g"}`.
    Messages {
        /// As it came.
        token: &'a str,
        /// Oldest first; text.
        frames: &'a [Frame],
    },
    /// To a `GET` for which there was nothing: HTTP 200, `{"messages":[],"status":204,"token":"SFMyNTY.g2g"}`.
    Empty {
        /// As it came.
        token: &'a str,
    },
    /// To a `POST` that was taken: HTTP 200, `{"status":200}`.
    Accepted,
    /// To a `POST` that was not: HTTP 200, `{"status":408}`.
    TimedOut,
    /// To a `POST` for no live session: HTTP 200, `{"status":410}`.
    Gone,
    /// To whoever may not connect: HTTP 200, `{"status":403}`.
    Forbidden,
    /// To `OPTIONS`: HTTP 200, an empty body, and what a page may send.
    Preflight {
        /// The headers that it asked for.
        headers: HeaderValue,
    },
    /// To what is no request of this transport, or when this end has failed: this very HTTP status.
    Error {
        /// The HTTP status.
        status: StatusCode,
        /// Plain text, often empty.
        body: String,
    },
}

impl Answer<'_> {
    /// The HTTP response, as a release of Phoenix writes it: since 1.8.10 all but that to `OPTIONS` forbid to store them.
    #[must_use]
    pub fn into_response(self, compat: Compat) -> Response<Bytes> {
        let may_be_stored = matches!(self, Self::Preflight { .. }) || compat == Compat::Phoenix1_8_9;
        let mut response = match self {
            Self::Opened { token } => json(410, token, &[]),
            Self::Messages { token, frames } => json(200, token, frames),
            Self::Empty { token } => json(204, token, &[]),
            Self::Accepted => status(200),
            Self::TimedOut => status(408),
            Self::Gone => status(410),
            Self::Forbidden => status(403),
            Self::Preflight { headers } => preflight(headers),
            Self::Error { status, body } => plain(status, body),
        };
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if !may_be_stored {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { token: _ } => f.debug_struct("Opened").field("token", &Hidden).finish(),
            Self::Messages { token: _, frames } => {
                f.debug_struct("Messages").field("token", &Hidden).field("frames", frames).finish()
            }
            Self::Empty { token: _ } => f.debug_struct("Empty").field("token", &Hidden).finish(),
            Self::Accepted => f.write_str("Accepted"),
            Self::TimedOut => f.write_str("TimedOut"),
            Self::Gone => f.write_str("Gone"),
            Self::Forbidden => f.write_str("Forbidden"),
            Self::Preflight { headers } => f.debug_struct("Preflight").field("headers", headers).finish(),
            Self::Error { status, body } => {
                f.debug_struct("Error").field("status", status).field("body", body).finish()
            }
        }
    }
}

/// Keys are sorted, as Elixir writes small maps.
fn json(status: u16, token: &str, frames: &[Frame]) -> Response<Bytes> {
    // An encoded message is UTF-8; a frame that somebody has made by hand need not be.
    let texts: Vec<_> = frames.iter().map(|frame| String::from_utf8_lossy(frame.body())).collect();
    let messages: usize = texts.iter().map(|text| string_len(text) + 1).sum();
    let mut body = Vec::with_capacity(messages + string_len(token) + 40);
    body.put_slice(b"{\"messages\":[");
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            body.put_u8(b',');
        }
        write_string(&mut body, text);
    }
    body.put_slice(format!("],\"status\":{status},\"token\":").as_bytes());
    write_string(&mut body, token);
    body.put_u8(b'}');
    json_response(body)
}

fn status(status: u16) -> Response<Bytes> {
    json_response(format!("{{\"status\":{status}}}").into_bytes())
}

fn json_response(body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn preflight(requested: HeaderValue) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("get, post, options"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}

fn plain(status: StatusCode, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response
}
