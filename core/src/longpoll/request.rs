//! What a request asks for.

use super::answer::Answer;
use super::body::{BodyError, Encoding};
use crate::Compat;
use crate::connect::{self, Admission, AuthTokenError, Carrier, ConnectInfo, Options, Params, PathVariables};
use crate::filter::Hidden;
use http::header::{ACCESS_CONTROL_REQUEST_HEADERS, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use std::fmt;

/// A request to a long-poll transport. Printing with `{:?}` leaves out its token.
#[derive(Clone, PartialEq, Eq)]
pub enum Request {
    /// `OPTIONS`: a browser asks whether a page of another origin may. Answer with [`Answer::Preflight`].
    Preflight {
        /// The headers that it may send: those that it asks for.
        headers: HeaderValue,
    },
    /// `GET`: wait for frames. Without the token of a live session, [`open`] a new one.
    Poll {
        /// From the header `x-phoenix-longpoll-token`, else from the parameter `token`.
        token: Option<String>,
        /// The query: what [`open`] hands to the application.
        params: Params,
    },
    /// `POST`: take messages. Without the token of a live session, [`Answer::Gone`].
    Post {
        /// From the header `x-phoenix-longpoll-token`, else from the parameter `token`.
        token: Option<String>,
        /// How to read the body.
        encoding: Encoding,
    },
}

/// Why a request is refused: the peer's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Its head is too large, its query cannot be decoded, its origin may not connect.
    Head(connect::Refusal),
    /// The method is none of `GET`, `POST`, `OPTIONS`: 400.
    Method(Method),
    /// Its body cannot be read: 413 or 400.
    Body(BodyError),
}

const TOKEN: HeaderName = HeaderName::from_static("x-phoenix-longpoll-token");
const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-phoenix-authtoken");

/// Examines the head of a request, whatever it asks for.
///
/// ```
/// use bennu_core::connect::{Carrier, Options, Params, Scheme};
/// use bennu_core::longpoll::{Request, examine};
///
/// let request = http::Request::get("/socket/longpoll?vsn=2.0.0&token=x").body(()).unwrap();
/// let (parts, ()) = request.into_parts();
/// let carrier = Carrier { peer: None, scheme: Scheme::Http };
///
/// let request = examine(&parts, carrier, &Options::default()).unwrap();
/// let params = Params::from_query("vsn=2.0.0&token=x").unwrap();
/// assert_eq!(request, Request::Poll { token: Some("x".to_owned()), params });
/// ```
///
/// # Errors
/// [`Refusal`] of the first of these checks that fails: the size of the head, the query, the origin, the method.
///
/// Source: Phoenix `Transports.LongPoll.call/2`.
pub fn examine(parts: &Parts, carrier: Carrier, options: &Options) -> Result<Request, Refusal> {
    options.limits.check(parts).map_err(connect::Refusal::Limit)?;
    let params =
        Params::from_query(parts.uri.query().unwrap_or_default()).map_err(connect::Refusal::Query)?;
    options.check_origin.check(parts, carrier).map_err(connect::Refusal::Origin)?;
    match parts.method {
        Method::OPTIONS => Ok(Request::Preflight { headers: requested_headers(&parts.headers) }),
        Method::GET => Ok(Request::Poll { token: token(&parts.headers, &params, options.compat), params }),
        Method::POST => Ok(Request::Post {
            token: token(&parts.headers, &params, options.compat),
            encoding: Encoding::of(&parts.headers),
        }),
        _ => Err(Refusal::Method(parts.method.clone())),
    }
}

/// What the application is asked about a `GET` that opens a session: its parameters, and what the mount wants to
/// keep of it. No later request is asked for any of this.
///
/// `params` are those of [`Request::Poll`]; `variables` are what [`MountPath::capture`](connect::MountPath::capture)
/// found in the path, and win on a clash of names.
///
/// The auth token is that of the header `x-phoenix-authtoken`, as it is. There is no subprotocol. What follows is as
/// for a WebSocket: the serializer by [`Admission::vsn`], the application's `connect`; whatever is refused there is
/// [`Answer::Forbidden`].
///
/// # Errors
/// [`Refusal::Head`] if a variable of the path or the auth token cannot be decoded.
pub fn open(
    parts: &Parts,
    params: Params,
    variables: PathVariables<'_>,
    carrier: Carrier,
    options: &Options,
) -> Result<Admission, Refusal> {
    let params = connect::with_variables(params, variables)?;
    let mut info = ConnectInfo::collect(options.connect_info, parts, carrier);
    if options.auth_token {
        info.set_auth_token(auth_token(&parts.headers)?);
    }
    Ok(Admission { params, subprotocol: None, info })
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |token: &Option<String>| token.as_ref().map(|_| Hidden);
        match self {
            Self::Preflight { headers } => f.debug_struct("Preflight").field("headers", headers).finish(),
            Self::Poll { token, params } => {
                f.debug_struct("Poll").field("token", &hidden(token)).field("params", params).finish()
            }
            Self::Post { token, encoding } => {
                f.debug_struct("Post").field("token", &hidden(token)).field("encoding", encoding).finish()
            }
        }
    }
}

impl Refusal {
    /// What to answer. It repeats nothing of what the client sent.
    #[must_use]
    pub fn answer(&self) -> Answer<'static> {
        match self {
            Self::Head(connect::Refusal::Origin(_)) => Answer::Forbidden,
            Self::Head(refusal) => Answer::Error { status: refusal.status(), body: refusal.body() },
            Self::Method(_) => Answer::Error { status: StatusCode::BAD_REQUEST, body: String::new() },
            Self::Body(error @ BodyError::TooLong { .. }) => {
                Answer::Error { status: StatusCode::PAYLOAD_TOO_LARGE, body: error.to_string() }
            }
            Self::Body(error @ (BodyError::NotBase64 { .. } | BodyError::Nul { .. })) => {
                Answer::Error { status: StatusCode::BAD_REQUEST, body: error.to_string() }
            }
        }
    }
}

impl From<connect::Refusal> for Refusal {
    fn from(refusal: connect::Refusal) -> Self {
        Self::Head(refusal)
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(refusal) => refusal.fmt(f),
            Self::Method(method) => write!(f, "the method {method} is no long-poll"),
            Self::Body(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // It speaks for its cause, so what comes next is the cause's own.
            Self::Head(refusal) => refusal.source(),
            Self::Method(_) | Self::Body(_) => None,
        }
    }
}

/// The header, even if it holds no token at all, else the parameter. Phoenix 1.8.9 looks for no header.
fn token(headers: &HeaderMap, params: &Params, compat: Compat) -> Option<String> {
    match headers.get(TOKEN).filter(|_| compat != Compat::Phoenix1_8_9) {
        Some(value) => value.to_str().ok().map(str::to_owned),
        None => params.str("token").map(str::to_owned),
    }
}

fn auth_token(headers: &HeaderMap) -> Result<Option<String>, connect::Refusal> {
    let Some(value) = headers.get(AUTH_TOKEN) else { return Ok(None) };
    match std::str::from_utf8(value.as_bytes()) {
        Ok(token) => Ok(Some(token.to_owned())),
        Err(_) => Err(connect::Refusal::AuthToken(AuthTokenError::NotUtf8)),
    }
}

fn requested_headers(headers: &HeaderMap) -> HeaderValue {
    let values: Vec<&[u8]> =
        headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter().map(HeaderValue::as_bytes).collect();
    HeaderValue::from_bytes(&values.join(&b", "[..])).expect("header values, joined, are a header value")
}
