//! What carried a request, and which host it asked for.

use super::origin::parse_port;
// An address is a value; only sockets are I/O.
use core::net::SocketAddr;
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;

/// What carried a request: facts that are in none of its headers.
///
/// Behind a proxy, [`TrustedProxies`](super::TrustedProxies) say whom to believe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// The TCP peer, or whom a trusted proxy speaks for; `None` if there is no such thing, or it is not known.
    pub peer: Option<SocketAddr>,
    /// Whether it came over TLS.
    pub scheme: Scheme,
}

/// The scheme of a request's URL. A WebSocket handshake is an HTTP request, so there is no `ws`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain.
    #[default]
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// 80 or 443.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The host and port that a request asks for: in its target if that is absolute, else in its `Host` header.
///
/// `None` if it names no host, or none that is beyond doubt.
pub(super) fn requested_host(parts: &Parts, scheme: Scheme) -> Option<(String, u16)> {
    let authority = match parts.uri.authority() {
        Some(authority) => authority.clone(),
        None => {
            let mut hosts = parts.headers.get_all(HOST).iter();
            let (Some(host), None) = (hosts.next(), hosts.next()) else {
                return None;
            };
            Authority::try_from(host.as_bytes()).ok()?
        }
    };
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return None;
    }
    // `Authority` takes anything behind the bracket of an address, and what is no port behind a colon.
    let behind = authority.as_str().strip_prefix(authority.host())?;
    let port = match behind.strip_prefix(':') {
        Some("") => scheme.default_port(),
        Some(port) => parse_port(port).ok()?,
        None if behind.is_empty() => scheme.default_port(),
        None => return None,
    };
    Some((authority.host().to_owned(), port))
}
