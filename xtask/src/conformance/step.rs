//! The steps of a scenario, as its file writes them.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::frame_pattern::FramePattern;
use super::pattern;

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(crate) enum Step {
    Connect(Connect),
    Send(Send),
    Expect(Expect),
    ExpectClose(ExpectClose),
    ExpectSilence(ExpectSilence),
    Close(Close),
    Drop(Drop),
    Sleep(Sleep),
    Http(Http),
    HttpStart(Http),
    HttpFinish(HttpFinish),
}

/// Opens a connection.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connect {
    pub(crate) conn: String,
    #[serde(default)]
    pub(crate) transport: Transport,
    #[serde(default = "get")]
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) query: Query,
    /// Null takes a header away that would be sent.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Option<String>>,
    #[serde(default = "first")]
    pub(crate) node: usize,
    pub(crate) status: Option<OneOrMany<u16>>,
    #[serde(default)]
    pub(crate) expect_headers: BTreeMap<String, Option<Value>>,
    pub(crate) expect_body: Option<String>,
    pub(crate) timeout_ms: Option<u64>,
}

/// Sends one of what its fields say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Send {
    pub(crate) conn: String,
    pub(crate) text: Option<String>,
    pub(crate) json: Option<Value>,
    pub(crate) hex: Option<String>,
    pub(crate) batch: Option<Vec<String>>,
    pub(crate) frame: Option<HandMadeFrame>,
    pub(crate) raw: Option<String>,
    pub(crate) fill: Option<Fill>,
    /// What the body of the answer to a long-poll POST has to say; 200 if absent.
    pub(crate) status: Option<u16>,
}

/// A WebSocket frame in which anything may be wrong.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandMadeFrame {
    pub(crate) opcode: u8,
    #[serde(default = "yes")]
    pub(crate) fin: bool,
    #[serde(default = "yes")]
    pub(crate) masked: bool,
    #[serde(default)]
    pub(crate) rsv: u8,
    pub(crate) text: Option<String>,
    pub(crate) hex: Option<String>,
}

/// What `{{fill}}` stands for: one character, repeated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fill {
    pub(crate) char: String,
    pub(crate) count: usize,
}

/// The next frames on a connection.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) conn: String,
    pub(crate) frames: Vec<FramePattern>,
    pub(crate) timeout_ms: Option<u64>,
}

/// The end of a connection; null stands for an end without a close frame.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectClose {
    pub(crate) conn: String,
    #[serde(default = "no_code")]
    pub(crate) code: OneOrMany<Option<u16>>,
    pub(crate) reason: Option<String>,
    pub(crate) timeout_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectSilence {
    pub(crate) conn: OneOrMany<String>,
    pub(crate) ms: Option<u64>,
}

/// Sends a close frame, without a code if that is 0.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Close {
    pub(crate) conn: String,
    pub(crate) code: Option<u16>,
}

/// Tears the stream down.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drop {
    pub(crate) conn: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sleep {
    pub(crate) ms: u64,
}

/// One HTTP request on a connection of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Http {
    /// Names the request for its `http_finish`.
    pub(crate) id: Option<String>,
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) query: Query,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Option<String>>,
    #[serde(default = "first")]
    pub(crate) node: usize,
    pub(crate) json: Option<Value>,
    pub(crate) body: Option<String>,
    pub(crate) body_lines: Option<Vec<String>>,
    pub(crate) body_hex: Option<String>,
    pub(crate) fill: Option<Fill>,
    #[serde(default)]
    pub(crate) expect: HttpExpect,
    #[serde(default)]
    pub(crate) save: BTreeMap<String, String>,
    pub(crate) timeout_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpFinish {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) expect: HttpExpect,
    #[serde(default)]
    pub(crate) save: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpExpect {
    pub(crate) status: Option<OneOrMany<u16>>,
    /// Null: the header is absent.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Option<Value>>,
    pub(crate) json: Option<Value>,
    pub(crate) body: Option<String>,
    /// The frames inside the strings of the body's `messages`.
    pub(crate) messages: Option<Vec<FramePattern>>,
    pub(crate) min_ms: Option<u64>,
    pub(crate) max_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    #[default]
    Ws,
    Longpoll,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Self::One(item) => std::slice::from_ref(item),
            Self::Many(items) => items,
        }
    }
}

/// A query: the raw text, or names and values in the order of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Query {
    Raw(String),
    Pairs(Vec<(String, String)>),
}

impl Default for Query {
    fn default() -> Self {
        Self::Pairs(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct QueryVisitor;

        impl<'de> Visitor<'de> for QueryVisitor {
            type Value = Query;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a query string, or an object of strings")
            }

            fn visit_str<E>(self, text: &str) -> Result<Query, E> {
                Ok(Query::Raw(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Query, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Query::Pairs(pairs))
            }
        }

        deserializer.deserialize_any(QueryVisitor)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(step) => write!(f, "connect {} to {}", step.conn, step.path),
            Self::Send(step) => match &step.text {
                Some(text) => write!(f, "send on {}: {}", step.conn, pattern::cut(text)),
                None => write!(f, "send on {}", step.conn),
            },
            Self::Expect(step) => write!(f, "expect on {}", step.conn),
            Self::ExpectClose(step) => write!(f, "expect the close of {}", step.conn),
            Self::ExpectSilence(step) => write!(f, "expect silence on {}", step.conn.as_slice().join(", ")),
            Self::Close(step) => write!(f, "close {}", step.conn),
            Self::Drop(step) => write!(f, "drop {}", step.conn),
            Self::Sleep(step) => write!(f, "sleep {} ms", step.ms),
            Self::Http(step) | Self::HttpStart(step) => write!(f, "{} {}", step.method, step.path),
            Self::HttpFinish(step) => write!(f, "the answer to request {}", step.id),
        }
    }
}

fn get() -> String {
    "GET".to_owned()
}

fn first() -> usize {
    1
}

fn yes() -> bool {
    true
}

fn no_code() -> OneOrMany<Option<u16>> {
    OneOrMany::One(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_keeps_the_order_of_the_file() {
        let step: Step = serde_json::from_str(
            r#"{"op": "connect", "conn": "a", "path": "/s", "query": {"z": "1", "a": "2"}}"#,
        )
        .unwrap();

        let Step::Connect(connect) = step else { panic!("not a connect") };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(connect.query, Query::Pairs(vec![pair("z", "1"), pair("a", "2")]));
    }

    #[test]
    fn close_code_may_be_a_number_a_list_or_null() {
        let codes = |text: &str| {
            let step: ExpectClose = serde_json::from_str(text).unwrap();
            step.code.as_slice().to_vec()
        };

        assert_eq!(codes(r#"{"conn": "a", "code": 1000}"#), [Some(1000)]);
        assert_eq!(codes(r#"{"conn": "a", "code": [1000, null]}"#), [Some(1000), None]);
        assert_eq!(codes(r#"{"conn": "a", "code": null}"#), [None]);
        assert_eq!(codes(r#"{"conn": "a"}"#), [None]);
    }

    #[test]
    fn misspelled_field_is_an_error() {
        let step = serde_json::from_str::<Step>(r#"{"op": "sleep", "ms": 1, "sec": 1}"#);

        assert!(step.is_err());
    }
}
