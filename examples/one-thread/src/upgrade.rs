//! HTTP up to the upgrade: the bytes of a request head in, the bytes of the answer out.
//!
//! What is allowed is decided in `bennu_core`: `connect` examines the request, `handshake` the upgrade. Here is what
//! they leave to whoever reads the bytes: where the head ends, and which paths there are.

use bennu_core::Serializer;
use bennu_core::connect::{Carrier, CheckOrigin, Limits, MountPath, Options, Params, Scheme, Vsn, examine};
use bennu_core::websocket::handshake;
use http::{Request, Response, StatusCode};
use std::fmt::Write as _;

/// The one path where clients connect, and what is asked of them there.
#[derive(Debug)]
pub struct Door {
    path: MountPath,
    options: Options,
}

/// What the first bytes of a client are.
#[derive(Debug)]
pub enum Head {
    /// Less than a request head.
    Partial,
    /// A request that is answered, and then the stream ends.
    Refused {
        /// Its bytes.
        answer: String,
    },
    /// A request that is granted.
    Upgrade(Upgrade),
}

/// A request that makes the stream a WebSocket.
#[derive(Debug)]
pub struct Upgrade {
    /// How long the head was, in bytes; what follows are frames.
    pub len: usize,
    /// The bytes of the answer: 101.
    pub answer: String,
    /// What the client speaks.
    pub serializer: Serializer,
    /// What it has said of itself.
    pub params: Params,
}

impl Default for Door {
    fn default() -> Self {
        Self::new()
    }
}

impl Door {
    /// Lets everybody in at `/socket/websocket`, from whatever page.
    #[must_use]
    pub fn new() -> Self {
        Self {
            path: MountPath::new("/socket", "websocket").expect("both are plain text"),
            options: Options { check_origin: CheckOrigin::Any, ..Options::default() },
        }
    }

    /// Looks at what a client has sent so far, from the first byte on. `known` of them were not enough before.
    #[must_use]
    pub fn examine(&self, bytes: &[u8], known: usize) -> Head {
        let Limits { target, header_block, headers } = self.options.limits;
        if known > 0 && !has_end(&bytes[known.saturating_sub(3)..]) && bytes.len() <= target + header_block {
            // Whoever sends a head byte by byte does not have it parsed byte by byte.
            return Head::Partial;
        }
        // One line more than is accepted, so that too many are told from a head that cannot be read.
        let mut lines = vec![httparse::EMPTY_HEADER; headers + 1];
        let mut head = httparse::Request::new(&mut lines);
        let len = match head.parse(bytes) {
            Ok(httparse::Status::Complete(len)) => len,
            Ok(httparse::Status::Partial) if bytes.len() <= target + header_block => return Head::Partial,
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                return refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "");
            }
            Err(_) => return refused(StatusCode::BAD_REQUEST, ""),
        };
        let Ok(request) = request(&head) else { return refused(StatusCode::BAD_REQUEST, "") };
        self.decide(request, len)
    }

    /// The checks in Phoenix's order.
    fn decide(&self, request: Request<()>, len: usize) -> Head {
        let (parts, ()) = request.into_parts();
        let Some(variables) = self.path.capture(parts.uri.path()) else {
            return refused(StatusCode::NOT_FOUND, "");
        };
        let carrier = Carrier { peer: None, scheme: Scheme::Http };
        let admission = match examine(&parts, variables, carrier, &self.options) {
            Ok(admission) => admission,
            Err(refusal) => return refused(refusal.status(), &refusal.body()),
        };
        let serializer = match admission.vsn() {
            Vsn::Absent => Serializer::negotiate(None).ok(),
            Vsn::Text(vsn) => Serializer::negotiate(Some(vsn)).ok(),
            Vsn::NotText => None,
        };
        // Here an application that wants to know who connects would be asked.
        let Some(serializer) = serializer else { return refused(StatusCode::FORBIDDEN, "") };
        let accept = match handshake::check_upgrade(&Request::from_parts(parts, ())) {
            Ok(accept) => accept,
            Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        let answer = written(&handshake::response(&accept, admission.subprotocol.as_deref()), "");
        Head::Upgrade(Upgrade { len, answer, serializer, params: admission.params })
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
    let lines = head.headers.iter();
    lines.fold(request, |request, line| request.header(line.name, line.value)).body(())
}

fn refused(status: StatusCode, body: &str) -> Head {
    let mut response = Response::new(());
    *response.status_mut() = status;
    Head::Refused { answer: written(&response, body) }
}

/// A response as HTTP/1.1 writes it.
fn written(response: &Response<()>, body: &str) -> String {
    let status = response.status();
    let mut text =
        format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default());
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

    fn status(bytes: &str) -> String {
        match Door::new().examine(bytes.as_bytes(), 0) {
            Head::Partial => "partial".to_owned(),
            Head::Refused { answer } | Head::Upgrade(Upgrade { answer, .. }) => answer[9..12].to_owned(),
        }
    }

    #[test]
    fn head_that_has_not_come_whole_is_waited_for() {
        let door = Door::new();
        for len in 1..UPGRADE.len() {
            assert!(
                matches!(door.examine(&UPGRADE.as_bytes()[..len], len - 1), Head::Partial),
                "{len} bytes"
            );
        }
        assert!(matches!(door.examine(UPGRADE.as_bytes(), UPGRADE.len() - 1), Head::Upgrade(_)));
    }

    #[test]
    fn head_that_comes_byte_by_byte_is_looked_at_again_once_it_has_an_end() {
        let door = Door::new();

        assert!(matches!(door.examine(b"\0\0\0\n\r", 4), Head::Partial));
        assert!(matches!(door.examine(b"\0\0\0\n\r\n", 5), Head::Refused { .. }));
    }

    #[test]
    fn what_follows_the_head_is_not_part_of_it() {
        let bytes = [UPGRADE.as_bytes(), b"\x89\x80\0\0\0\0"].concat();

        let Head::Upgrade(upgrade) = Door::new().examine(&bytes, 0) else { panic!("refused") };

        assert_eq!(upgrade.len, UPGRADE.len());
        assert!(upgrade.answer.ends_with("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
    }

    #[test]
    fn each_refusal_has_its_status() {
        let with = |line: &str| UPGRADE.replacen("\r\n", &format!("\r\n{line}\r\n"), 1);
        assert_eq!(status(&UPGRADE.replace("/socket/websocket", "/other")), "404");
        assert_eq!(status(&UPGRADE.replace("GET", "POST")), "400");
        assert_eq!(status(&UPGRADE.replace("2.0.0", "9.0.0")), "403");
        assert_eq!(status(&UPGRADE.replace("upgrade: websocket\r\n", "")), "400");
        assert_eq!(status(&with("no colon")), "400");
        assert_eq!(status(&with(&format!("x: {}", "x".repeat(16 * 1024)))), "431");
        assert_eq!(status(&with(&["x: y"; 64].join("\r\n"))), "431");
        assert_eq!(status(&UPGRADE.replace("vsn", &"x".repeat(8 * 1024))), "414");
    }

    #[test]
    fn head_without_end_is_not_waited_for() {
        let endless = format!("GET /socket/websocket HTTP/1.1\r\nx: {}", "x".repeat(24 * 1024));

        assert_eq!(status(&endless), "431");
    }
}
