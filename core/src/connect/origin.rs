//! The origin of a page: what a browser says about who is connecting.

use std::fmt;

/// A parsed `Origin` header.
///
/// Shape: `https://app.example.com:8443`, and nothing more. Browsers send `null` for pages that have no
/// origin; that, the empty string and `file://` are origins without a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: Option<String>,
    port: Option<u16>,
}

/// Why a text is no origin: the peer's fault.
///
/// Such texts are what tricks are made of (`https://good.example@evil.example`), so they match no setting
/// that looks at origins at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginError {
    /// It does not start with `scheme://`.
    Scheme,
    /// What follows the scheme is no plain host: userinfo, a path, a backslash, an escape, a space.
    Host,
    /// What follows the colon is no port.
    Port,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "the origin does not start with a scheme",
            Self::Host => "the origin's host is not a plain host name",
            Self::Port => "the origin's port is not a port",
        })
    }
}

impl std::error::Error for OriginError {}

impl Origin {
    /// Reads the value of an `Origin` header.
    ///
    /// # Errors
    /// [`OriginError`] if it is anything else than `scheme://host[:port]`, `scheme://`, `null` or nothing.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        if text.is_empty() || text == "null" {
            return Ok(Self { scheme: String::new(), host: None, port: None });
        }
        let (scheme, authority) = text.split_once("://").ok_or(OriginError::Scheme)?;
        let scheme = parse_scheme(scheme).ok_or(OriginError::Scheme)?;
        if authority.is_empty() {
            return Ok(Self { scheme, host: None, port: None });
        }
        let (host, port) = parse_authority(authority)?;
        let port = port.or_else(|| default_port(&scheme));
        Ok(Self { scheme, host: Some(host.to_owned()), port })
    }

    /// The scheme in lower case; empty for `null`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host as it was sent, an IPv6 address in its brackets; `None` for `null` and its like.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The port, or the scheme's default: 80 for `http`, 443 for `https`, none for others.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

pub(super) fn parse_scheme(text: &str) -> Option<String> {
    let tail_is_legal =
        |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'-' || byte == b'.';
    let legal =
        text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(tail_is_legal);
    legal.then(|| text.to_ascii_lowercase())
}

pub(super) fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Splits `host[:port]`, and lets nothing pass that a host cannot be made of.
pub(super) fn parse_authority(text: &str) -> Result<(&str, Option<u16>), OriginError> {
    let host_end = match text.strip_prefix('[') {
        Some(rest) => rest.find(']').ok_or(OriginError::Host)? + 2,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(host_end);
    if !is_host(host) {
        return Err(OriginError::Host);
    }
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(parse_port(port)?))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(OriginError::Host),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|text| text.parse::<core::net::Ipv6Addr>().is_ok());
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty() && !host.starts_with('.') && !host.contains("..") && host.bytes().all(legal)
}

/// Digits only: `u16::from_str` would take a sign.
pub(super) fn parse_port(text: &str) -> Result<u16, OriginError> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(OriginError::Port);
    }
    text.parse().map_err(|_| OriginError::Port)
}
