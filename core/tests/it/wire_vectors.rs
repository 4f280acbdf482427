//! The frames in `core/tests/vectors`, decoded and encoded.
//!
//! A vector is a block of `key: value` lines, blocks are parted by blank lines, and `#` starts a comment.
//!
//! | key | value |
//! |---|---|
//! | `source`, `rule` | where the frame comes from, and what it shows |
//! | `from` | `client` or `server`: who sends it |
//! | `text`, `hex` | the frame; in `hex`, what stands in quotes stands for itself |
//! | `way` | `in` if it is only decoded; all others are encoded as well |
//! | `join_ref`, `ref`, `topic`, `event` | the JSON of the field |
//! | `status` | of a reply, instead of `event` |
//! | `json`, `binary` | the payload, or the response of a reply |
//! | `error` | instead of all fields: the decode error |

use bennu_core::wire::{Incoming, Outgoing, Reply, Serializer};
use bennu_core::{Kind, Message, Name, Payload, PayloadSlice, RawJson, Ref};
use std::collections::HashMap;

#[test]
fn vectors_of_v1() {
    run(Serializer::V1, include_str!("../vectors/v1.txt"));
}

#[test]
fn vectors_of_v2_text() {
    run(Serializer::V2, include_str!("../vectors/v2_text.txt"));
}

#[test]
fn vectors_of_v2_binary() {
    run(Serializer::V2, include_str!("../vectors/v2_binary.txt"));
}

fn run(serializer: Serializer, file: &str) {
    let mut count = 0;
    for vector in file.split("\n\n").filter_map(Vector::parse) {
        match vector.get("from") {
            "client" => from_client(serializer, &vector),
            "server" => from_server(serializer, &vector),
            from => panic!("{from} sends no frames"),
        }
        count += 1;
    }
    assert!(count > 20, "only {count} vectors were found");
}

fn from_client(serializer: Serializer, vector: &Vector<'_>) {
    let (kind, frame) = vector.frame();
    let decoded = serializer.decode(kind, &frame);

    if let Some(error) = vector.find("error") {
        assert_eq!(format!("{:?}", decoded.unwrap_err()), error, "{vector:?}");
        return;
    }
    let data = vector.data();
    let message = vector.message(&data);
    assert_eq!(decoded.as_ref(), Ok(&message), "{vector:?}");
    assert_same_names(decoded.unwrap(), &message);
    if vector.is_encoded() {
        assert_eq!(serializer.encode_from_client(&message), Ok((kind, frame)), "{vector:?}");
    }
}

fn from_server(serializer: Serializer, vector: &Vector<'_>) {
    let (kind, frame) = vector.frame();
    let decoded = serializer.decode_from_server(kind, &frame);

    if let Some(error) = vector.find("error") {
        assert_eq!(format!("{:?}", decoded.unwrap_err()), error, "{vector:?}");
        return;
    }
    let data = vector.data();
    let expected = vector.incoming(&data);
    assert_eq!(decoded, Ok(expected.clone()), "{vector:?}");
    if vector.is_encoded() {
        let encoded = encode(serializer, &expected).unwrap();
        assert_eq!((encoded.kind(), encoded.body()), (kind, &*frame), "{vector:?}");
    }
}

/// Encodes what a server must have sent for a client to see this.
fn encode(serializer: Serializer, incoming: &Incoming<'_>) -> Option<bennu_core::Frame> {
    let payload = |slice: &PayloadSlice<'_>| match slice {
        PayloadSlice::Json(text) => Payload::from(RawJson::parse(text).unwrap()),
        PayloadSlice::Binary(bytes) => Payload::binary(bytes.to_vec()),
    };
    let frame = match incoming {
        Incoming::Reply(reply) => serializer.encode(&Outgoing::Reply {
            join_ref: reply.join_ref.as_ref(),
            msg_ref: reply.msg_ref.as_ref(),
            topic: &reply.topic,
            status: &reply.status,
            response: &payload(&reply.response),
        }),
        Incoming::Message(Message { join_ref: None, msg_ref: None, topic, event, payload: slice }) => {
            serializer.encode(&Outgoing::Broadcast {
                topic: topic.as_text()?,
                event: event.as_text()?,
                payload: &payload(slice),
            })
        }
        Incoming::Message(message) => serializer.encode(&Outgoing::Push {
            join_ref: message.join_ref.as_ref(),
            msg_ref: message.msg_ref.as_ref(),
            topic: message.topic.as_text()?,
            event: message.event.as_text()?,
            payload: &payload(&message.payload),
        }),
    };
    Some(frame.unwrap())
}

/// Refs are equal by value; here their letters count as well.
fn assert_same_names(decoded: Message<'_>, expected: &Message<'_>) {
    let text = |value: &Option<Ref>| value.as_ref().map(|value| value.as_json().to_owned());
    assert_eq!(text(&decoded.join_ref), text(&expected.join_ref));
    assert_eq!(text(&decoded.msg_ref), text(&expected.msg_ref));
}

#[derive(Debug)]
struct Vector<'a>(HashMap<&'a str, &'a str>);

impl<'a> Vector<'a> {
    fn parse(block: &'a str) -> Option<Self> {
        let lines = block.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let fields: HashMap<_, _> = lines
            .map(|line| {
                let (key, value) = line.split_once(':').unwrap_or_else(|| panic!("no key in {line}"));
                (key, value.strip_prefix(' ').unwrap_or(value))
            })
            .collect();
        (!fields.is_empty()).then_some(Self(fields))
    }

    fn find(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).copied()
    }

    fn get(&self, key: &str) -> &'a str {
        self.find(key).unwrap_or_else(|| panic!("no {key} in {self:?}"))
    }

    fn is_encoded(&self) -> bool {
        self.find("way") != Some("in")
    }

    fn frame(&self) -> (Kind, Vec<u8>) {
        match self.find("text") {
            Some(text) => (Kind::Text, text.as_bytes().to_vec()),
            None => (Kind::Binary, bytes(self.get("hex"))),
        }
    }

    fn data(&self) -> Vec<u8> {
        self.find("binary").map(bytes).unwrap_or_default()
    }

    fn payload<'b>(&'b self, data: &'b [u8]) -> PayloadSlice<'b> {
        self.find("json").map_or(PayloadSlice::Binary(data), PayloadSlice::Json)
    }

    fn message<'b>(&'b self, data: &'b [u8]) -> Message<'b> {
        Message {
            join_ref: Ref::from_json(self.get("join_ref")),
            msg_ref: Ref::from_json(self.get("ref")),
            topic: name(self.get("topic")),
            event: name(self.get("event")),
            payload: self.payload(data),
        }
    }

    fn incoming<'b>(&'b self, data: &'b [u8]) -> Incoming<'b> {
        let Some(status) = self.find("status") else { return Incoming::Message(self.message(data)) };
        Incoming::Reply(Reply {
            join_ref: Ref::from_json(self.get("join_ref")),
            msg_ref: Ref::from_json(self.get("ref")),
            topic: name(self.get("topic")),
            status: status.into(),
            response: self.payload(data),
        })
    }
}

fn name(json: &str) -> Name<'_> {
    match serde_json::from_str::<String>(json) {
        Ok(text) => Name::Text(text.into()),
        Err(_) => Name::Other(json),
    }
}

/// Reads `00 02 '12' cafe`.
fn bytes(hex: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, part) in hex.split('\'').enumerate() {
        if index % 2 == 1 {
            out.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: Vec<u8> = part.bytes().filter(|byte| *byte != b' ').collect();
        for pair in digits.chunks(2) {
            out.push(u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        }
    }
    out
}
