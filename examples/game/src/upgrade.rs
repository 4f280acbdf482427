//! HTTP up to the upgrade: the bytes of a request head in, the bytes of the answer out.
//!
//! What is allowed, `bennu_core` decides: `connect` examines the request, `handshake` the upgrade. Here is where the head
//! ends, and which path there is. `examples/one-thread` has much the same: each of the two stands alone on purpose, to be read
//! and taken.

use bennu_core::Serializer;
use bennu_core::connect::{Carrier, CheckOrigin, Limits, MountPath, Options, Scheme, Vsn, examine};
use bennu_core::websocket::handshake;
use http::{Request, Response, StatusCode};
use std::fmt::Write as _;

/// The one path where clients connect, and what is asked of them there.
#[derive(Debug)]
pub(crate) struct Door {
    path: MountPath,
    options: Options,
}

/// What the first bytes of a client are.
#[derive(Debug)]
pub(crate) enum Head {
    /// Less than a request head.
    Partial,
    /// A request that is answered, and then the stream ends.
    Refused {
        answer: String,
    },
    Upgrade(Upgrade),
}

/// A request that makes the stream a WebSocket.
#[derive(Debug)]
pub(crate) struct Upgrade {
    /// How long the head was, in bytes; what follows are frames.
    pub(crate) len: usize,
    pub(crate) answer: String,
    pub(crate) serializer: Serializer,
}

impl Door {
    /// Lets everybody in at `/socket/websocket`, from whatever page.
    pub(crate) fn new() -> Self {
        let path = MountPath::new("/socket", "websocket").expect("both are plain text");
        Self { path, options: Options { check_origin: CheckOrigin::Any, ..Options::default() } }
    }

    /// Looks at all that a client has sent so far. `known` of these bytes were not enough before.
    pub(crate) fn examine(&self, bytes: &[u8], known: usize) -> Head {
        let Limits { target, header_block, headers } = self.options.limits;
        if known > 0 && !has_end(&bytes[known.saturating_sub(3)..]) && bytes.len() <= target + header_block {
            // Whoever sends a head byte by byte does not have it parsed byte by byte.
            return Head::Partial;
        }
        // One line more than is accepted, so that too many are told from a head that cannot be read.
        let mut lines = vec![httparse::EMPTY_HEADER; headers + 1];
        let mut head = httparse::Request::new(&mut lines);
        match head.parse(bytes) {
            Ok(httparse::Status::Complete(len)) => {
                self.decide(&head, len).unwrap_or_else(|(status, body)| refused(status, &body))
            }
            Ok(httparse::Status::Partial) if bytes.len() <= target + header_block => Head::Partial,
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "")
            }
            Err(_) => refused(StatusCode::BAD_REQUEST, ""),
        }
    }

    /// The checks in Phoenix's order.
    fn decide(&self, head: &httparse::Request<'_, '_>, len: usize) -> Result<Head, (StatusCode, String)> {
        let silent = |status| (status, String::new());
        let request = request(head).map_err(|_| silent(StatusCode::BAD_REQUEST))?;
        let (parts, ()) = request.into_parts();
        let variables = self.path.capture(parts.uri.path());
        let variables = variables.ok_or_else(|| silent(StatusCode::NOT_FOUND))?;
        let carrier = Carrier { peer: None, scheme: Scheme::Http };
        let admission = examine(&parts, variables, carrier, &self.options)
            .map_err(|refusal| (refusal.status(), refusal.body()))?;
        let vsn = match admission.vsn() {
            Vsn::Absent => None,
            Vsn::Text(vsn) => Some(vsn),
            Vsn::NotText => return Err(silent(StatusCode::FORBIDDEN)),
        };
        let serializer = Serializer::negotiate(vsn).map_err(|_| silent(StatusCode::FORBIDDEN))?;
        let accept = handshake::check_upgrade(&Request::from_parts(parts, ()))
            .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
        let answer = written(&handshake::response(&accept, admission.subprotocol.as_deref()), "");
        Ok(Head::Upgrade(Upgrade { len, answer, serializer }))
    }
}

/// Whether a line that is empty ends the head somewhere in there.
fn has_end(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}

fn request(head: &httparse::Request<'_, '_>) -> http::Result<Request<()>> {
    // A head that is complete has both.
    let (method, target) = (head.method.unwrap_or_default(), head.path.unwrap_or_default());
    let request = Request::builder().method(method).uri(target);
    head.headers.iter().fold(request, |request, line| request.header(line.name, line.value)).body(())
}

fn refused(status: StatusCode, body: &str) -> Head {
    let mut response = Response::new(());
    *response.status_mut() = status;
    Head::Refused { answer: written(&response, body) }
}

/// A response as HTTP/1.1 writes it.
fn written(response: &Response<()>, body: &str) -> String {
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut text = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16());
    for (name, value) in response.headers() {
        let _ = write!(text, "{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
    }
    if status != StatusCode::SWITCHING_PROTOCOLS {
        let _ = write!(text, "content-length: {}\r\nconnection: close\r\n", body.len());
    }
    text + "\r\n" + body
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPGRADE: &str = "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    fn status(head: &str) -> String {
        match Door::new().examine(head.as_bytes(), 0) {
            Head::Partial => "partial".to_owned(),
            Head::Refused { answer } | Head::Upgrade(Upgrade { answer, .. }) => answer[9..12].to_owned(),
        }
    }

    #[test]
    fn what_follows_the_head_is_not_part_of_it() {
        let Head::Upgrade(upgrade) = Door::new().examine(format!("{UPGRADE}frames").as_bytes(), 0) else {
            panic!("refused")
        };

        assert_eq!(upgrade.len, UPGRADE.len());
    }

    #[test]
    fn head_that_comes_byte_by_byte_is_looked_at_again_once_it_has_an_end() {
        let door = Door::new();
        for len in 1..UPGRADE.len() {
            let head = door.examine(&UPGRADE.as_bytes()[..len], len - 1);
            assert!(matches!(head, Head::Partial), "{len} bytes");
        }
        assert!(matches!(door.examine(UPGRADE.as_bytes(), UPGRADE.len() - 1), Head::Upgrade(_)));

        assert!(matches!(door.examine(b"\0\0\0\n\r", 4), Head::Partial));
        assert!(matches!(door.examine(b"\0\0\0\n\r\n", 5), Head::Refused { .. }));
    }

    #[test]
    fn each_head_has_its_answer() {
        assert_eq!(status(UPGRADE), "101");
        assert_eq!(status(&UPGRADE[..UPGRADE.len() - 1]), "partial");
        assert_eq!(status(&UPGRADE.replace("/socket/websocket", "/other")), "404");
        assert_eq!(status(&UPGRADE.replace("GET", "POST")), "400");
        assert_eq!(status(&UPGRADE.replace("2.0.0", "9.0.0")), "403");
        assert_eq!(status(&UPGRADE.replace("upgrade: websocket\r\n", "")), "400");
        assert_eq!(status(&"x".repeat(24 * 1024)), "partial");
        assert_eq!(status(&"x".repeat(24 * 1024 + 1)), "431");
    }
}
