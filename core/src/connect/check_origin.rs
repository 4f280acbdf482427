//! Which pages may connect.

use super::carrier::{Carrier, requested_host};
use super::origin::{self, Origin, OriginError};
use http::header::ORIGIN;
use http::request::Parts;
use std::fmt;
use std::sync::Arc;

/// The origins that may connect. A request without an `Origin` header, which no browser sends, always may.
///
/// Source: Phoenix `Socket.Transport.check_origin/5`. There, [`CheckOrigin::SameHost`] without a configured
/// host allows everybody; here it then compares with the host that the request itself asked for.
#[derive(Clone)]
pub enum CheckOrigin {
    /// Everybody: Phoenix's `false`.
    Any,
    /// The origin's host is this one, or the request's own if there is none here; scheme and port do not
    /// matter. Phoenix's `true`, and the default.
    SameHost(Option<String>),
    /// Scheme, host and port are the request's own: Phoenix's `:conn`.
    Conn,
    /// One of these matches. See [`CheckOrigin::hosts`].
    Hosts(Vec<OriginEntry>),
    /// What this function says, for origins without a host too.
    Func(Arc<dyn Fn(&Origin) -> bool + Send + Sync>),
}

/// One entry of a list of origins.
///
/// | entry | matches |
/// |---|---|
/// | `//example.com` | any scheme, any port |
/// | `//example.com:8080` | any scheme, that port |
/// | `https://example.com` | that scheme, its default port |
/// | `http://example.com:8080` | exactly that |
/// | `https://*.example.com` | `example.com` and whatever is below it, at any depth |
///
/// Hosts are compared exactly, in the case in which they are written; browsers send lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginEntry {
    scheme: Option<String>,
    host: HostPattern,
    port: Port,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Exactly(String),
    AtOrBelow(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    Any,
    /// `None` is the port of a scheme that has no default.
    Exactly(Option<u16>),
}

/// Why a text is no entry of a list of origins: the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginEntryError {
    /// It names no host after `//`: `example.com` is written `//example.com`.
    NoHost {
        /// The entry.
        entry: String,
    },
    /// It is not `scheme://host[:port]` or `//host[:port]`.
    Malformed {
        /// The entry.
        entry: String,
        /// What is wrong.
        error: OriginError,
    },
}

/// Why an origin may not connect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginRefusal {
    /// The header is no origin.
    Malformed {
        /// The header, what is no UTF-8 in it replaced.
        origin: String,
        /// What is wrong; `None` if it is no UTF-8.
        error: Option<OriginError>,
    },
    /// The setting does not allow it.
    NotAllowed {
        /// The header.
        origin: String,
    },
}

impl CheckOrigin {
    /// Allows the origins of a list, such as `["//example.com", "https://*.example.org"]`.
    ///
    /// # Errors
    /// [`OriginEntryError`] for the first entry that is none.
    pub fn hosts<I>(entries: I) -> Result<Self, OriginEntryError>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        entries
            .into_iter()
            .map(|entry| OriginEntry::parse(entry.as_ref()))
            .collect::<Result<_, _>>()
            .map(Self::Hosts)
    }

    /// Looks at the first `Origin` header of a request.
    ///
    /// # Errors
    /// [`OriginRefusal`] if there is one and it may not connect.
    pub fn check(&self, parts: &Parts, carrier: Carrier) -> Result<(), OriginRefusal> {
        if let Self::Any = self {
            return Ok(());
        }
        let Some(header) = parts.headers.get(ORIGIN) else {
            return Ok(());
        };
        let Ok(text) = std::str::from_utf8(header.as_bytes()) else {
            let origin = String::from_utf8_lossy(header.as_bytes()).into_owned();
            return Err(OriginRefusal::Malformed { origin, error: None });
        };
        let origin = Origin::parse(text)
            .map_err(|error| OriginRefusal::Malformed { origin: text.to_owned(), error: Some(error) })?;
        if self.allows(&origin, parts, carrier) {
            return Ok(());
        }
        Err(OriginRefusal::NotAllowed { origin: text.to_owned() })
    }

    fn allows(&self, origin: &Origin, parts: &Parts, carrier: Carrier) -> bool {
        match self {
            Self::Any => true,
            Self::SameHost(Some(host)) => origin.host() == Some(host),
            Self::SameHost(None) => match (origin.host(), requested_host(parts, carrier.scheme)) {
                (Some(host), Some((requested, _))) => host.eq_ignore_ascii_case(&requested),
                _ => false,
            },
            Self::Conn => match (origin.host(), requested_host(parts, carrier.scheme)) {
                (Some(host), Some((requested, port))) => {
                    origin.scheme() == carrier.scheme.as_str()
                        && host.eq_ignore_ascii_case(&requested)
                        && origin.port() == Some(port)
                }
                _ => false,
            },
            Self::Hosts(entries) => entries.iter().any(|entry| entry.matches(origin)),
            Self::Func(allows) => allows(origin),
        }
    }
}

impl Default for CheckOrigin {
    fn default() -> Self {
        Self::SameHost(None)
    }
}

impl fmt::Debug for CheckOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("Any"),
            Self::SameHost(host) => f.debug_tuple("SameHost").field(host).finish(),
            Self::Conn => f.write_str("Conn"),
            Self::Hosts(entries) => f.debug_tuple("Hosts").field(entries).finish(),
            Self::Func(_) => f.debug_tuple("Func").finish_non_exhaustive(),
        }
    }
}

impl OriginEntry {
    /// Reads one entry.
    ///
    /// # Errors
    /// [`OriginEntryError`] if it names no host, or is of another form.
    pub fn parse(entry: &str) -> Result<Self, OriginEntryError> {
        let malformed = |error| OriginEntryError::Malformed { entry: entry.to_owned(), error };
        let no_host = || OriginEntryError::NoHost { entry: entry.to_owned() };

        let (scheme, authority) = entry.split_once("//").ok_or_else(no_host)?;
        let scheme = match scheme {
            "" => None,
            _ => Some(
                scheme
                    .strip_suffix(':')
                    .and_then(origin::parse_scheme)
                    .ok_or_else(|| malformed(OriginError::Scheme))?,
            ),
        };
        if authority.is_empty() {
            return Err(no_host());
        }
        let below = authority.strip_prefix("*.");
        let (host, port) = origin::parse_authority(below.unwrap_or(authority)).map_err(malformed)?;
        let host = host.to_owned();
        let host = if below.is_some() { HostPattern::AtOrBelow(host) } else { HostPattern::Exactly(host) };
        let port = match (port, &scheme) {
            (Some(port), _) => Port::Exactly(Some(port)),
            (None, Some(scheme)) => Port::Exactly(origin::default_port(scheme)),
            (None, None) => Port::Any,
        };
        Ok(Self { scheme, host, port })
    }

    /// Whether an origin is one of those that the entry means.
    #[must_use]
    pub fn matches(&self, origin: &Origin) -> bool {
        let Some(host) = origin.host() else {
            return false;
        };
        let scheme_matches = self.scheme.as_deref().is_none_or(|scheme| scheme == origin.scheme());
        let port_matches = match self.port {
            Port::Any => true,
            Port::Exactly(port) => port == origin.port(),
        };
        scheme_matches && port_matches && self.host.matches(host)
    }
}

impl HostPattern {
    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exactly(expected) => host == expected,
            // Without the dot, `evil-example.com` would lie below `example.com`.
            Self::AtOrBelow(apex) => {
                host.strip_suffix(apex.as_str()).is_some_and(|below| below.is_empty() || below.ends_with('.'))
            }
        }
    }
}

impl fmt::Display for OriginEntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost { entry } => write!(f, "the origin {entry:?} names no host after two slashes"),
            Self::Malformed { entry, .. } => {
                write!(f, "the origin {entry:?} is neither scheme://host[:port] nor //host[:port]")
            }
        }
    }
}

impl std::error::Error for OriginEntryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoHost { .. } => None,
            Self::Malformed { error, .. } => Some(error),
        }
    }
}

impl fmt::Display for OriginRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { origin, .. } => write!(f, "{origin:?} is not an origin"),
            Self::NotAllowed { origin } => write!(f, "the origin {origin:?} is not allowed"),
        }
    }
}

impl std::error::Error for OriginRefusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed { error, .. } => error.as_ref().map(|error| error as _),
            Self::NotAllowed { .. } => None,
        }
    }
}
