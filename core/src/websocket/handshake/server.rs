//! The server's side.

use super::{Accept, any_lists, lists, shown};
use base64::Engine;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use std::fmt;

/// Base64 that does not mind what the last digit's unused bits are: some clients write random digits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Why a request cannot become a WebSocket.
///
/// Its text is the body of the answer, status 400, and names the header:
/// `'upgrade' header must contain 'websocket', got []`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpgradeError {
    /// A header is absent or empty.
    Missing {
        /// `host` or `sec-websocket-key`.
        header: HeaderName,
    },
    /// A header does not list what it must.
    NotListed {
        /// `connection` or `upgrade`.
        header: HeaderName,
        /// What it should list.
        token: &'static str,
        /// The header's lines.
        found: Vec<String>,
    },
    /// `sec-websocket-key` is repeated, or not 16 bytes in base64.
    InvalidKey {
        /// The header's lines.
        found: Vec<String>,
    },
    /// `sec-websocket-version` is not 13.
    Version {
        /// The header's lines.
        found: Vec<String>,
    },
}

impl fmt::Display for UpgradeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { header } => write!(f, "'{header}' header must be present"),
            Self::NotListed { header, token, found } => {
                write!(f, "'{header}' header must contain '{token}', got {found:?}")
            }
            Self::InvalidKey { found } => {
                write!(f, "'{}' header must be 16 bytes in base64, got {found:?}", header::SEC_WEBSOCKET_KEY)
            }
            Self::Version { found } => {
                write!(f, "'{}' header must be '13', got {found:?}", header::SEC_WEBSOCKET_VERSION)
            }
        }
    }
}

impl std::error::Error for UpgradeError {}

/// Looks at the headers of a request that wants to become a WebSocket, in Phoenix's order.
///
/// # Errors
/// [`UpgradeError`] for the first header that is missing or wrong: answer 400 with its text.
///
/// Source: `WebSockAdapter.UpgradeValidation`; a key's form is asked for by RFC 6455 section 4.2.1.
pub fn check_upgrade<B>(request: &Request<B>) -> Result<Accept, UpgradeError> {
    let headers = request.headers();
    let [host, connection, upgrade, key, version] = find(headers);
    if !host.is_present() {
        return Err(UpgradeError::Missing { header: header::HOST });
    }
    if !connection.list("upgrade", headers, &header::CONNECTION) {
        return Err(not_listed(headers, header::CONNECTION, "upgrade"));
    }
    if !upgrade.list("websocket", headers, &header::UPGRADE) {
        return Err(not_listed(headers, header::UPGRADE, "websocket"));
    }
    if !key.is_present() {
        return Err(UpgradeError::Missing { header: header::SEC_WEBSOCKET_KEY });
    }
    let Some(key) = key.only().filter(|key| is_key(key)) else {
        return Err(UpgradeError::InvalidKey { found: shown(headers, &header::SEC_WEBSOCKET_KEY) });
    };
    if version.only() != Some(b"13") {
        return Err(UpgradeError::Version { found: shown(headers, &header::SEC_WEBSOCKET_VERSION) });
    }
    Ok(Accept::to_key(key))
}

/// The answer that makes the stream a WebSocket: status 101.
///
/// A subprotocol must be one that the client offered; one that no header can carry is left out, since
/// nobody can have offered it.
#[must_use]
pub fn response(accept: &Accept, subprotocol: Option<&str>) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    let accept = HeaderValue::from_str(accept.as_str()).expect("base64 is visible ASCII");
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(Ok(subprotocol)) = subprotocol.map(HeaderValue::from_str) {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
    }
    response
}

/// What there is of a header.
#[derive(Clone, Copy, Default)]
struct Lines<'a> {
    first: Option<&'a [u8]>,
    are_several: bool,
}

/// `host`, `connection`, `upgrade`, `sec-websocket-key` and `sec-websocket-version`: one walk over all headers is less
/// than five searches.
fn find(headers: &HeaderMap) -> [Lines<'_>; 5] {
    let mut found = [Lines::default(); 5];
    for (name, line) in headers {
        let place = match *name {
            header::HOST => 0,
            header::CONNECTION => 1,
            header::UPGRADE => 2,
            header::SEC_WEBSOCKET_KEY => 3,
            header::SEC_WEBSOCKET_VERSION => 4,
            _ => continue,
        };
        let lines = &mut found[place];
        lines.are_several = lines.first.is_some();
        lines.first = lines.first.or(Some(line.as_bytes()));
    }
    found
}

impl<'a> Lines<'a> {
    fn is_present(self) -> bool {
        self.first.is_some_and(|first| !first.trim_ascii().is_empty())
    }

    fn only(self) -> Option<&'a [u8]> {
        self.first.filter(|_| !self.are_several).map(<[u8]>::trim_ascii)
    }

    /// Whether they list a token; those behind the first are looked up in `headers`.
    #[inline(always)]
    fn list(self, token: &str, headers: &HeaderMap, name: &HeaderName) -> bool {
        self.first.is_some_and(|first| lists(first, token))
            || (self.are_several && any_lists(headers, name, token))
    }
}

fn not_listed(headers: &HeaderMap, header: HeaderName, token: &'static str) -> UpgradeError {
    let found = shown(headers, &header);
    UpgradeError::NotListed { header, token, found }
}

fn is_key(text: &[u8]) -> bool {
    let mut key = [0; 18];
    LENIENT.decode_slice(text, &mut key) == Ok(16)
}
