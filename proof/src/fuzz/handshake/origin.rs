//! Which pages may connect: in no spelling `evil.example` where only `example.com` may.

use bennu_core::connect::{Carrier, CheckOrigin, OriginEntry, Scheme};
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderValue, Request, Uri};
use std::sync::Arc;

const CARRIER: Carrier = Carrier { peer: None, scheme: Scheme::Http };

/// An origin as a second, plainer reader sees it.
#[derive(Clone, Copy, Debug)]
struct Reading<'a> {
    scheme: &'a str,
    host: &'a str,
    /// As written.
    port: Option<u16>,
}

/// A setting, and which origins it means.
struct Rule {
    setting: CheckOrigin,
    means: fn(Reading<'_>) -> bool,
}

/// One line is the `Origin`, a second one, if there is one, the `Host`; behind it, a third is an entry of a
/// list of origins.
pub(super) fn check(input: &[u8]) {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let origin = lines.next().unwrap_or_default();
    let host = lines.next().unwrap_or(b"example.com");
    let Some(parts) = request(origin, host) else { return };
    let text = std::str::from_utf8(origin).ok();
    let reading = text.and_then(read);

    for Rule { setting, means } in rules() {
        let allowed = setting.check(&parts, CARRIER).is_ok();
        assert_eq!(allowed, reading.is_some_and(means), "{setting:?}: {reading:?} of {text:?}");
        if allowed {
            assert_uri_agrees(text.unwrap_or_default(), reading);
        }
    }
    assert_eq!(CheckOrigin::Any.check(&parts, CARRIER), Ok(()));
    assert_same_host(&parts, reading, host);
    if let Some(entry) = lines.next().and_then(|entry| std::str::from_utf8(entry).ok()) {
        // Whatever it means, it is read without a panic.
        let _ = OriginEntry::parse(entry);
    }
}

fn request(origin: &[u8], host: &[u8]) -> Option<Parts> {
    let mut request = Request::new(());
    request.headers_mut().insert(ORIGIN, HeaderValue::from_bytes(origin).ok()?);
    request.headers_mut().insert(HOST, HeaderValue::from_bytes(host).ok()?);
    Some(request.into_parts().0)
}

fn rules() -> [Rule; 6] {
    let list = |entry: &str| CheckOrigin::hosts([entry]).expect("an entry");
    [
        Rule {
            setting: CheckOrigin::SameHost(Some("example.com".to_owned())),
            means: |origin| origin.host == "example.com",
        },
        Rule { setting: list("//example.com"), means: |origin| origin.host == "example.com" },
        Rule {
            setting: list("//example.com:8080"),
            means: |origin| origin.host == "example.com" && origin.effective_port() == Some(8080),
        },
        Rule {
            setting: list("https://example.com"),
            means: |origin| {
                origin.host == "example.com" && origin.is("https") && origin.effective_port() == Some(443)
            },
        },
        Rule {
            setting: list("https://*.example.com"),
            means: |origin| {
                let host = origin.host;
                (host == "example.com" || host.ends_with(".example.com"))
                    && origin.is("https")
                    && origin.effective_port() == Some(443)
            },
        },
        Rule { setting: CheckOrigin::Func(Arc::new(|origin| origin.host().is_some())), means: |_| true },
    ]
}

/// With no host configured, it is that of the request, whatever its case.
fn assert_same_host(parts: &Parts, reading: Option<Reading<'_>>, host: &[u8]) {
    let same_host = CheckOrigin::SameHost(None).check(parts, CARRIER).is_ok();
    let conn = CheckOrigin::Conn.check(parts, CARRIER).is_ok();
    assert!(same_host || !conn, "a host, a port and a scheme are more than a host");
    if !same_host {
        return;
    }
    let reading = reading.expect("what is let through is an origin");
    let (start, rest) = host.split_at(reading.host.len().min(host.len()));
    assert!(start.eq_ignore_ascii_case(reading.host.as_bytes()), "{reading:?} is not at {host:?}");
    let port = match rest {
        [] | [b':'] => 80,
        [b':', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {
            std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).expect("a port")
        }
        _ => panic!("{host:?} is longer than {reading:?}"),
    };
    if conn {
        assert!(reading.is("http"), "{reading:?} came over http");
        assert_eq!(reading.effective_port(), Some(port), "{host:?}");
    }
}

/// What was let through is an origin to `http::Uri` too, and nothing more than that.
fn assert_uri_agrees(text: &str, reading: Option<Reading<'_>>) {
    /// The longest scheme that `http::Uri` reads.
    const LONGEST: usize = 64;

    let reading = reading.expect("what is let through is an origin");
    if reading.scheme.len() > LONGEST {
        return;
    }
    let uri: Uri = text.parse().expect("what is let through is a URI");
    assert_eq!(uri.host(), Some(reading.host), "{text}");
    assert_eq!(uri.port_u16(), reading.port, "{text}");
    assert!(uri.authority().is_none_or(|authority| !authority.as_str().contains('@')), "{text}");
    assert_eq!(uri.path_and_query().map_or("/", |path| path.as_str()), "/", "{text}");
    assert!(!text.ends_with('/'), "{text}");
}

/// `scheme://host[:port]`; `None` for anything else, and for origins without a host.
fn read(text: &str) -> Option<Reading<'_>> {
    let (scheme, authority) = text.split_once("://")?;
    let in_scheme = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
    if !scheme.starts_with(|char: char| char.is_ascii_alphabetic()) || !scheme.chars().all(in_scheme) {
        return None;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = match port {
        Some(digits) if digits.chars().all(|char| char.is_ascii_digit()) => Some(digits.parse().ok()?),
        Some(_) => return None,
        None => None,
    };
    is_host(host).then_some(Reading { scheme, host, port })
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let labels: Vec<&str> = host.strip_suffix('.').unwrap_or(host).split('.').collect();
    let in_label = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    labels.iter().all(|label| !label.is_empty() && label.chars().all(in_label))
}

impl Reading<'_> {
    fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    fn effective_port(&self) -> Option<u16> {
        let default = match () {
            () if self.is("http") => Some(80),
            () if self.is("https") => Some(443),
            () => None,
        };
        self.port.or(default)
    }
}
