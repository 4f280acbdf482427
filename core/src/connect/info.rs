//! What an application may know about the request that opened a connection.

mod keys;

pub use keys::ConnectInfoKeys;

use super::carrier::requested_host;
use super::{Carrier, Offer, Scheme, Session};
use core::net::SocketAddr;
use http::header::{HeaderMap, SEC_WEBSOCKET_PROTOCOL, USER_AGENT};
use http::request::Parts;
use std::fmt;

/// The facts about a request that its mount asked for, and no others.
///
/// Two words long if nothing was asked for. Values that are no UTF-8 are kept with replacement characters.
/// Printing with `{:?}` leaves out header values, the query, the token and the session.
///
/// Source: Phoenix `Socket.Transport.connect_info/4`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConnectInfo {
    keys: ConnectInfoKeys,
    facts: Option<Box<Facts>>,
}

#[derive(Clone, Default, PartialEq, Eq)]
struct Facts {
    peer_data: Option<SocketAddr>,
    uri: Option<RequestUri>,
    user_agent: Option<String>,
    x_headers: HeaderList,
    trace_context_headers: HeaderList,
    sec_websocket_headers: HeaderList,
    /// The outer one: whether the mount takes tokens at all.
    auth_token: Option<Option<String>>,
    session: Option<Session>,
}

/// Names in lower case, in the order of the request; repetitions of a name follow its first.
type HeaderList = Vec<(String, String)>;

/// The URL that a client asked for, in parts.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestUri {
    /// Whether it came over TLS.
    pub scheme: Scheme,
    /// Without the port, as the client wrote it; empty if it named none.
    pub host: String,
    /// As the client wrote it, else the scheme's default.
    pub port: u16,
    /// Such as `/socket/websocket`, not decoded.
    pub path: String,
    /// Without the `?`, not decoded; empty if there is none.
    pub query: String,
}

impl ConnectInfo {
    /// Takes from a request what these keys name.
    #[must_use]
    pub fn collect(keys: ConnectInfoKeys, parts: &Parts, carrier: Carrier) -> Self {
        if keys == ConnectInfoKeys::new() {
            return Self::default();
        }
        let asked = |key| keys.contains(key);
        let headers = |key, wanted: fn(&str) -> bool| {
            if asked(key) { matching(&parts.headers, wanted) } else { HeaderList::new() }
        };
        let facts = Facts {
            peer_data: carrier.peer.filter(|_| asked(ConnectInfoKeys::PEER_DATA)),
            uri: asked(ConnectInfoKeys::URI).then(|| RequestUri::of(parts, carrier.scheme)),
            user_agent: parts
                .headers
                .get(USER_AGENT)
                .filter(|_| asked(ConnectInfoKeys::USER_AGENT))
                .map(|value| lossy(value.as_bytes())),
            x_headers: headers(ConnectInfoKeys::X_HEADERS, |name| name.starts_with("x-")),
            trace_context_headers: headers(ConnectInfoKeys::TRACE_CONTEXT_HEADERS, |name| {
                matches!(name, "traceparent" | "tracestate")
            }),
            sec_websocket_headers: headers(ConnectInfoKeys::SEC_WEBSOCKET_HEADERS, |name| {
                name.starts_with("sec-websocket-")
            }),
            auth_token: None,
            session: None,
        };
        Self { keys, facts: Some(Box::new(facts)) }
    }

    /// Says that the mount takes auth tokens, and which one came.
    pub fn set_auth_token(&mut self, token: Option<String>) {
        self.facts.get_or_insert_default().auth_token = Some(token);
    }

    /// Says what the application has found to be the session.
    pub fn set_session(&mut self, session: Session) {
        self.facts.get_or_insert_default().session = Some(session);
    }

    /// What was asked for: whether an absent value means "not sent" or "not asked for".
    #[must_use]
    pub fn keys(&self) -> ConnectInfoKeys {
        self.keys
    }

    /// The address of the TCP peer, or of the client that a [trusted proxy](super::TrustedProxies) speaks for; its port
    /// is 0 then unless the proxy says it.
    #[must_use]
    pub fn peer_data(&self) -> Option<SocketAddr> {
        self.facts.as_ref()?.peer_data
    }

    /// The URL asked for.
    #[must_use]
    pub fn uri(&self) -> Option<&RequestUri> {
        self.facts.as_ref()?.uri.as_ref()
    }

    /// The `user-agent` header.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.facts.as_ref()?.user_agent.as_deref()
    }

    /// The headers whose names start with `x-`: (name, value).
    #[must_use]
    pub fn x_headers(&self) -> &[(String, String)] {
        self.facts.as_ref().map_or(&[], |facts| &facts.x_headers)
    }

    /// The headers `traceparent` and `tracestate`: (name, value).
    #[must_use]
    pub fn trace_context_headers(&self) -> &[(String, String)] {
        self.facts.as_ref().map_or(&[], |facts| &facts.trace_context_headers)
    }

    /// The headers whose names start with `sec-websocket-`: (name, value). An auth token that was taken is
    /// not among them.
    #[must_use]
    pub fn sec_websocket_headers(&self) -> &[(String, String)] {
        self.facts.as_ref().map_or(&[], |facts| &facts.sec_websocket_headers)
    }

    /// The auth token: `None` if the mount takes none, `Some(None)` if it does and none came.
    #[must_use]
    pub fn auth_token(&self) -> Option<Option<&str>> {
        let token = self.facts.as_ref()?.auth_token.as_ref()?;
        Some(token.as_deref())
    }

    /// The session that the mount's own reader has found in the request; `None` if it has found none, or one of
    /// another type.
    #[must_use]
    pub fn session<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.facts.as_ref()?.session.as_ref()?.get()
    }

    /// Rewrites the first `sec-websocket-protocol` line after a token was taken out of it.
    pub(super) fn replace_offer(&mut self, rest: Option<&Offer>) {
        let Some(facts) = &mut self.facts else {
            return;
        };
        let headers = &mut facts.sec_websocket_headers;
        let Some(index) = headers.iter().position(|(name, _)| name == SEC_WEBSOCKET_PROTOCOL.as_str()) else {
            return;
        };
        match rest {
            Some(offer) => headers[index].1 = offer.line(),
            None => {
                headers.remove(index);
            }
        }
    }
}

impl RequestUri {
    fn of(parts: &Parts, scheme: Scheme) -> Self {
        let (host, port) =
            requested_host(parts, scheme).unwrap_or_else(|| (String::new(), scheme.default_port()));
        Self {
            scheme,
            host,
            port,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
        }
    }
}

impl fmt::Debug for ConnectInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |list: &[(String, String)]| list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        f.debug_struct("ConnectInfo")
            .field("peer_data", &self.peer_data())
            .field("uri", &self.uri())
            .field("user_agent", &self.user_agent())
            .field("x_headers", &names(self.x_headers()))
            .field("trace_context_headers", &names(self.trace_context_headers()))
            .field("sec_websocket_headers", &names(self.sec_websocket_headers()))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RequestUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestUri")
            .field("scheme", &self.scheme)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn matching(headers: &HeaderMap, wanted: fn(&str) -> bool) -> HeaderList {
    let found = headers.iter().filter(|(name, _)| wanted(name.as_str()));
    let mut list: HeaderList =
        found.map(|(name, value)| (name.as_str().to_owned(), lossy(value.as_bytes()))).collect();
    list.shrink_to_fit();
    list
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
