//! The serializer.

use bennu::{Decoded, Format, FormatError, Kind, Outgoing, Payload, Ref};
use rmp_serde::decode;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_transcode::Transcoder;
use std::fmt;

/// MessagePack, in frames of bytes: the five items of V2, in an array.
///
/// ```text
/// → ["1", "2", "room:a", "new_msg", {"body": "hi"}]                              95 a1 31 a1 32 …
/// ← ["1", "2", "room:a", "phx_reply", {"status": "ok", "response": {…}}]
/// ← [nil, nil, "room:a", "new_msg", {"body": "hi"}]
/// ```
///
/// Refs are strings or nil. A payload is a map, which channels see as JSON; or bytes, which they see as bytes, also in
/// a reply. Inside of a map bytes become a list of numbers, as JSON has none.
///
/// What it costs: a payload is turned into JSON when it comes, and back when it goes, item by item and without a tree;
/// a broadcast once for all who receive it.
#[derive(Clone, Copy, Debug)]
pub struct MsgPack;

/// How deep a message may be nested: deeper ones would be refused behind it, but not before each level had taken its
/// piece of the stack.
const DEPTH: usize = 128;

impl Format for MsgPack {
    fn decode(&self, kind: Kind, data: &[u8]) -> Result<Decoded, FormatError> {
        if kind == Kind::Text {
            return Err(FormatError::new("text is no MessagePack"));
        }
        let mut input = rmp_serde::Deserializer::from_read_ref(data);
        input.set_max_depth(DEPTH);
        type Items<'a> = (Option<&'a str>, Option<&'a str>, String, String, Received);
        let (join_ref, msg_ref, topic, event, Received(payload)) = Items::deserialize(&mut input)?;
        // The reader does not say how far it has come, but there has to be nothing for it to begin another item with.
        let behind = IgnoredAny::deserialize(&mut input);
        if !matches!(behind, Err(decode::Error::InvalidMarkerRead(_))) {
            return Err(FormatError::new("there is something behind the message"));
        }
        Ok(Decoded {
            join_ref: join_ref.map(Ref::try_text).transpose()?,
            msg_ref: msg_ref.map(Ref::try_text).transpose()?,
            topic,
            event,
            payload,
        })
    }

    fn encode(&self, outgoing: &Outgoing<'_>) -> Result<(Kind, Vec<u8>), FormatError> {
        let bytes = match *outgoing {
            Outgoing::Push { join_ref, msg_ref, topic, event, payload } => {
                rmp_serde::to_vec(&(text(join_ref), text(msg_ref), topic, event, Sent(payload)))?
            }
            Outgoing::Reply { join_ref, msg_ref, topic, status, response } => {
                let answer = Answer { status, response };
                rmp_serde::to_vec(&(text(join_ref), text(msg_ref), topic.as_text(), "phx_reply", answer))?
            }
            Outgoing::Broadcast { topic, event, payload } => {
                rmp_serde::to_vec(&((), (), topic, event, Sent(payload)))?
            }
        };
        Ok((Kind::Binary, bytes))
    }
}

fn text(value: Option<&Ref>) -> Option<impl Serialize> {
    value.and_then(Ref::as_text)
}

/// A payload that has come.
struct Received(Payload);

impl<'de> Deserialize<'de> for Received {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(ReceivedVisitor)
    }
}

struct ReceivedVisitor;

impl<'de> Visitor<'de> for ReceivedVisitor {
    type Value = Received;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map or bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Received, E> {
        Ok(Received(Payload::binary(bytes.to_vec())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Received, A::Error> {
        let json = Payload::json(&Transcoder::new(MapAccessDeserializer::new(map)));
        json.map(Received).map_err(A::Error::custom)
    }
}

/// A payload that goes out.
struct Sent<'a>(&'a Payload);

impl Serialize for Sent<'_> {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Payload::Json(json) => {
                let mut json = serde_json::Deserializer::from_slice(json.as_bytes());
                Transcoder::new(&mut json).serialize(output)
            }
            Payload::Binary(bytes) => output.serialize_bytes(bytes),
        }
    }
}

/// The payload of a reply: `{"status": "ok", "response": {}}`.
struct Answer<'a> {
    status: &'a str,
    response: &'a Payload,
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let mut map = output.serialize_map(Some(2))?;
        map.serialize_entry("status", self.status)?;
        map.serialize_entry("response", &Sent(self.response))?;
        map.end()
    }
}

#[cfg(test)]
mod tests;
