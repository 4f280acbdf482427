//! What holds for text in both serializers, on both sides.

use super::json::{self, Text};
use super::relay;
use bennu_core::wire::{DecodeError, DecodeLimits, Incoming, Reply, Serializer};
use bennu_core::{Kind, Message, Name, PayloadSlice, Ref};
use std::borrow::Cow;

/// The JSON texts that the fields of a message should be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    pub(super) join_ref: &'a str,
    pub(super) msg_ref: &'a str,
    pub(super) topic: &'a str,
    pub(super) event: &'a str,
    pub(super) payload: &'a str,
}

/// What a message may have.
#[derive(Clone, Copy)]
struct Most {
    /// How deep it may be nested, itself counted.
    depth: usize,
    /// The length of a ref in bytes.
    ref_len: usize,
}

/// Of a client, where nothing else is set.
const CLIENT: Most = Most { depth: 128, ref_len: 64 };

/// A server's reply puts one level around what it returns, and returns whatever can be a ref.
const SERVER: Most = Most { depth: 129, ref_len: 255 };

/// Limits that a server may have set.
const SET: [(DecodeLimits, Most); 3] = [
    (DecodeLimits { max_ref: 3, max_depth: 0 }, Most { depth: 2, ref_len: 3 }),
    (DecodeLimits { max_ref: 0, max_depth: 5 }, Most { depth: 5, ref_len: 0 }),
    (DecodeLimits { max_ref: 255, max_depth: 255 }, Most { depth: 128, ref_len: 255 }),
];

/// Finds the fields in a root value, or all that is wrong with it where a ref may have so many bytes.
pub(super) type Arrange = fn(&str, usize) -> Result<Fields<'_>, Vec<DecodeError>>;

/// Decodes text in every way, and compares with what `arrange` finds.
pub(super) fn check(serializer: Serializer, input: &[u8], arrange: Arrange) {
    let from_client = serializer.decode(Kind::Text, input);
    let from_server = serializer.decode_from_server(Kind::Text, input);
    let Ok(text) = std::str::from_utf8(input) else {
        let error = DecodeError::NotUtf8 { field: "text" };
        assert_eq!(from_client, Err(error.clone()));
        assert_eq!(from_server, Err(error));
        return;
    };
    assert_eq!(serializer.decode_text(text), from_client, "text is text");

    for (limits, most) in SET {
        match (judge(text, most, arrange), serializer.decode_text_within(text, limits)) {
            (Ok(fields), Ok(message)) => fields.assert_are(&message),
            (Err(faults), Err(error)) => faults.assert_explain(&error, text),
            (judged, decoded) => panic!("within {limits:?}: {judged:?}, but {decoded:?}"),
        }
    }
    match (judge(text, CLIENT, arrange), from_client) {
        (Ok(fields), Ok(message)) => {
            fields.assert_are(&message);
            relay::from_client(&message);
        }
        (Err(faults), Err(error)) => faults.assert_explain(&error, text),
        (judged, decoded) => panic!("{judged:?}, but {decoded:?}"),
    }
    match (judge(text, SERVER, arrange), from_server) {
        (Ok(fields), Ok(incoming)) => {
            fields.assert_are_incoming(&incoming);
            relay::from_server(&incoming);
        }
        (Err(faults), Err(error)) => faults.assert_explain(&error, text),
        (judged, decoded) => panic!("from a server: {judged:?}, but {decoded:?}"),
    }
}

/// Why a text should be refused.
#[derive(Debug)]
enum Faults {
    /// Where the grammar breaks, or which level is too deep: only that it is refused is certain.
    Broken,
    /// It is JSON, and one of these has to be named.
    Known(Vec<DecodeError>),
}

impl Faults {
    fn assert_explain(&self, error: &DecodeError, text: &str) {
        match (self, error) {
            (Self::Broken, DecodeError::Json { at }) => assert!(*at <= text.len(), "{at} is past the end"),
            (
                Self::Broken,
                DecodeError::UnknownKind { .. } | DecodeError::Truncated { .. } | DecodeError::NotUtf8 { .. },
            ) => panic!("no text can be {error:?}"),
            (Self::Broken, _) => {}
            (Self::Known(faults), _) => assert!(faults.contains(error), "{error:?} is none of {faults:?}"),
        }
    }
}

fn judge(text: &str, most: Most, arrange: Arrange) -> Result<Fields<'_>, Faults> {
    let Text::Json { root, depth } = json::read(text) else { return Err(Faults::Broken) };
    let arranged = arrange(root, most.ref_len);
    let mut faults = arranged.as_ref().err().cloned().unwrap_or_default();
    // What is no message has no level of its own that is not counted.
    let wrong_root =
        faults.iter().any(|fault| matches!(fault, DecodeError::NotAnArray | DecodeError::NotAnObject));
    if depth > most.depth - usize::from(wrong_root) {
        faults.push(DecodeError::TooDeep);
    }
    let refs = arranged.as_ref().map_or([""; 2], |fields| [fields.join_ref, fields.msg_ref]);
    if refs.iter().any(|json| is_long_ref(json, most.ref_len)) {
        faults.push(DecodeError::RefTooLong);
    }
    match arranged {
        Ok(fields) if faults.is_empty() => Ok(fields),
        _ => Err(Faults::Known(faults)),
    }
}

/// Whether this is a ref that is longer than a ref may be.
pub(super) fn is_long_ref(json: &str, max: usize) -> bool {
    json != "null" && json.len() > max
}

impl Fields<'_> {
    fn assert_are(&self, message: &Message<'_>) {
        assert_ref(message.join_ref.as_ref(), self.join_ref);
        assert_ref(message.msg_ref.as_ref(), self.msg_ref);
        assert_name(&message.topic, self.topic);
        assert_name(&message.event, self.event);
        assert_is_slice(message.payload, self.payload);
    }

    fn assert_are_incoming(&self, incoming: &Incoming<'_>) {
        match (self.reply(), incoming) {
            (Some((status, response)), Incoming::Reply(reply)) => {
                let Reply { join_ref, msg_ref, topic, status: found, response: slice } = reply;
                assert_ref(join_ref.as_ref(), self.join_ref);
                assert_ref(msg_ref.as_ref(), self.msg_ref);
                assert_name(topic, self.topic);
                assert_eq!(*found, status);
                match response {
                    Some(response) => assert_is_slice(*slice, response),
                    None => assert_eq!(*slice, PayloadSlice::Json("null")),
                }
            }
            (None, Incoming::Message(message)) => self.assert_are(message),
            (reply, _) => panic!("{reply:?} was expected of {incoming:?}"),
        }
    }

    /// Status and response, if this is a reply.
    fn reply(&self) -> Option<(String, Option<&str>)> {
        if json::string(self.event).as_deref() != Some("phx_reply") {
            return None;
        }
        let members = json::members(self.payload)?;
        let last = |name| members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value);
        Some((json::string(last("status")?)?, last("response")))
    }
}

fn assert_ref(found: Option<&Ref>, json: &str) {
    assert_eq!(found.map_or("null", Ref::as_json), json);
}

fn assert_name(found: &Name<'_>, json: &str) {
    match json::string(json) {
        Some(text) => assert_eq!(*found, Name::Text(Cow::Owned(text))),
        None => assert_eq!(*found, Name::Other(json)),
    }
}

/// The payload is the very bytes that came in, not equal ones.
fn assert_is_slice(found: PayloadSlice<'_>, json: &str) {
    let PayloadSlice::Json(found) = found else { panic!("text has become {found:?}") };
    assert_eq!(found.as_bytes().as_ptr_range(), json.as_bytes().as_ptr_range(), "{found} is not {json}");
}
