//! How a client connects: the request that it would send.

use bennu_core::IntoPayload;
use bennu_core::connect::{Carrier, Scheme, encode_auth_token};
use bennu_core::websocket::handshake::{ClientKey, request_headers};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, header};
use serde_json::Value;
use std::fmt::Write as _;
use std::net::SocketAddr;

/// A client that is about to connect: where, and with what.
///
/// ```
/// # use bennu::prelude::*;
/// use bennu::test::{Dial, Harness};
/// use serde_json::json;
///
/// let t = Harness::new(Endpoint::builder().socket("/orgs/{org}", bennu::socket(Open)));
///
/// let dial = Dial::new("/orgs/acme").params(json!({ "name": "ann" })).header("user-agent", "test");
/// let ann = t.connect_with(dial)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nobody connects before `Harness::connect_with`"]
pub struct Dial {
    pub(super) path: String,
    params: Value,
    vsn: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    carrier: Carrier,
}

impl Dial {
    /// A client of the socket at `path`, its variables filled in: `/socket`, `/orgs/acme`. The WebSocket's own path
    /// has to be there only if it is not `/websocket`.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            params: Value::Null,
            vsn: "2.0.0".to_owned(),
            headers: Vec::new(),
            carrier: Carrier { peer: None, scheme: Scheme::Http },
        }
    }

    /// The connect parameters: an object, which becomes a query as in phoenix.js.
    ///
    /// # Panics
    /// If they are no object.
    #[track_caller]
    pub fn params(mut self, params: impl IntoPayload) -> Self {
        let params = params.into_payload().ok().and_then(|payload| payload.parse().ok());
        assert!(matches!(params, Some(Value::Object(_))), "connect parameters are a JSON object");
        self.params = params.expect("it has just been found to be there");
        self
    }

    /// The version of the serializer: `2.0.0`, or `1.0.0`.
    pub fn vsn(mut self, vsn: impl Into<String>) -> Self {
        self.vsn = vsn.into();
        self
    }

    /// A header of the request, such as `user-agent`, `origin` or `x-forwarded-for`.
    ///
    /// # Panics
    /// If name or value cannot be in a header.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("the name of a header");
        let value = HeaderValue::from_str(value).expect("the value of a header");
        self.headers.push((name, value));
        self
    }

    /// The auth token that is sent beside the parameters: `authToken` in phoenix.js.
    #[track_caller]
    pub fn auth_token(self, token: &str) -> Self {
        self.header("sec-websocket-protocol", &format!("phoenix, {}", encode_auth_token(token)))
    }

    /// The address that the client connects from.
    pub fn peer(mut self, peer: SocketAddr) -> Self {
        self.carrier.peer = Some(peer);
        self
    }

    /// As if over TLS.
    pub fn https(mut self) -> Self {
        self.carrier.scheme = Scheme::Https;
        self
    }

    /// The request's head, for what lies below the socket's path.
    pub(super) fn request(&self, below: &str) -> Parts {
        let mut target = format!("{}{below}?vsn={}", self.path.trim_end_matches('/'), encoded(&self.vsn));
        write_query(&mut target, None, &self.params);
        let request = Request::get(&target).body(());
        let request = request.unwrap_or_else(|error| panic!("{target:?} is no target of a request: {error}"));
        let (mut parts, ()) = request.into_parts();
        parts.headers = request_headers(&ClientKey::new([7; 16]), None);
        if !self.headers.iter().any(|(name, _)| name == header::HOST) {
            parts.headers.insert(header::HOST, HeaderValue::from_static("localhost"));
        }
        parts.headers.extend(self.headers.iter().cloned());
        parts.extensions.insert(self.carrier);
        parts
    }
}

/// Writes parameters behind others: `&user[name]=ann&tags[]=a`.
fn write_query(query: &mut String, key: Option<&str>, value: &Value) {
    let mut text = |text: &str| {
        // Writing to a string does not fail.
        let _ = key.map(|key| write!(query, "&{key}={}", encoded(text)));
    };
    match value {
        Value::Null => text(""),
        Value::Bool(truth) => text(&truth.to_string()),
        Value::Number(number) => text(&number.to_string()),
        Value::String(string) => text(string),
        Value::Array(items) => {
            let key = format!("{}[]", key.unwrap_or_default());
            items.iter().for_each(|item| write_query(query, Some(&key), item));
        }
        Value::Object(entries) => {
            for (name, item) in entries {
                let name = encoded(name);
                let key = match key {
                    Some(key) => format!("{key}[{name}]"),
                    None => name,
                };
                write_query(query, Some(&key), item);
            }
        }
    }
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use bennu_core::connect::Params;
    use serde_json::json;

    #[test]
    fn parameters_arrive_as_they_were() {
        let params = json!({ "name": "ann & bob=é", "page": 2, "on": true, "none": null,
            "user": { "first name": "a", "tags": ["x", "y"] } });

        let parts = Dial::new("/socket").params(&params).request("/websocket");

        let arrived = Params::from_query(parts.uri.query().unwrap()).unwrap();
        let mut expected = Params::from_json(params).unwrap();
        expected.insert("vsn", "2.0.0");
        assert_eq!(arrived, expected);
    }
}
