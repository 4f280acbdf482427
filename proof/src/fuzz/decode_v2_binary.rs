//! Frames of bytes, in both directions.

use super::relay;
use super::text::is_long_ref;
use bennu_core::wire::{DecodeError, Incoming, Outgoing, Serializer};
use bennu_core::{Kind, Message, Name, PayloadSlice, Ref};

const V2: Serializer = Serializer::V2;

/// A frame of bytes is cut where its header says; and what is made of it, written again, is the same frame to
/// the byte.
pub fn decode_v2_binary(input: &[u8]) {
    as_server(input);
    as_client(input);
}

fn as_server(input: &[u8]) {
    let cut = match input.first() {
        Some(0) => cut(input, &["join_ref", "ref", "topic", "event"]),
        first => Err(no_kind(first)),
    };
    let decoded = V2.decode(Kind::Binary, input);
    let (fields, data) = match cut {
        Ok(cut) => cut,
        Err(error) => return assert_eq!(decoded, Err(error)),
    };
    let [join_ref, msg_ref, topic, event] = *fields else { unreachable!("a field for each name") };
    if [join_ref, msg_ref].into_iter().any(|text| is_too_long(text, 64)) {
        return assert_eq!(decoded, Err(DecodeError::RefTooLong));
    }
    let message = Message {
        join_ref: Some(text_ref(join_ref)),
        msg_ref: Some(text_ref(msg_ref)),
        topic: Name::from(topic),
        event: Name::from(event),
        payload: PayloadSlice::Binary(data),
    };
    assert_eq!(decoded.as_ref(), Ok(&message));
    assert_eq!(V2.encode_from_client(&message), Ok((Kind::Binary, input.to_vec())));
    relay::from_client(&message);
}

fn as_client(input: &[u8]) {
    let decoded = V2.decode_from_server(Kind::Binary, input);
    let (refs, names): (usize, &[&str]) = match input.first() {
        Some(0) => (1, &["join_ref", "topic", "event"]),
        Some(1) => (2, &["join_ref", "ref", "topic", "status"]),
        Some(2) => (0, &["topic", "event"]),
        first => return assert_eq!(decoded, Err(no_kind(first))),
    };
    let (fields, data) = match cut(input, names) {
        Ok(cut) => cut,
        Err(error) => return assert_eq!(decoded, Err(error)),
    };
    if fields.iter().take(refs).any(|text| is_too_long(text, 255)) {
        return assert_eq!(decoded, Err(DecodeError::RefTooLong));
    }
    let incoming = decoded.expect("nothing is wrong with it");
    let payload = PayloadSlice::Binary(data).to_payload();
    let (topic, event, outgoing);
    match &incoming {
        Incoming::Message(message) => {
            assert_eq!(message.payload, PayloadSlice::Binary(data));
            topic = message.topic.as_text().expect("a field is text");
            event = message.event.as_text().expect("a field is text");
            outgoing = match input.first() {
                Some(0) => {
                    let join_ref = message.join_ref.as_ref();
                    Outgoing::Push { join_ref, msg_ref: None, topic, event, payload: &payload }
                }
                _ => Outgoing::Broadcast { topic, event, payload: &payload },
            };
        }
        Incoming::Reply(reply) => {
            assert_eq!(reply.response, PayloadSlice::Binary(data));
            let (join_ref, msg_ref) = (reply.join_ref.as_ref(), reply.msg_ref.as_ref());
            let (topic, status) = (&reply.topic, &*reply.status);
            outgoing = Outgoing::Reply { join_ref, msg_ref, topic, status, response: &payload };
        }
    }
    let frame = V2.encode(&outgoing).expect("what was decoded can be encoded");
    assert_eq!((frame.kind(), frame.body()), (Kind::Binary, input));
    relay::from_server(&incoming);
}

/// Cuts a frame as its header says, one offset after the other.
fn cut<'a>(frame: &'a [u8], names: &[&'static str]) -> Result<(Vec<&'a str>, &'a [u8]), DecodeError> {
    let found = frame.len();
    let header = 1 + names.len();
    if found < header {
        return Err(DecodeError::Truncated { needed: header, found });
    }
    let needed = header + frame[1..header].iter().map(|len| usize::from(*len)).sum::<usize>();
    let mut at = header;
    let mut fields = Vec::new();
    for (field, len) in names.iter().zip(&frame[1..header]) {
        let end = at + usize::from(*len);
        if end > found {
            return Err(DecodeError::Truncated { needed, found });
        }
        let text = std::str::from_utf8(&frame[at..end]);
        fields.push(text.map_err(|_| DecodeError::NotUtf8 { field })?);
        at = end;
    }
    Ok((fields, &frame[at..]))
}

fn no_kind(first: Option<&u8>) -> DecodeError {
    first.map_or(DecodeError::Truncated { needed: 1, found: 0 }, |&kind| DecodeError::UnknownKind { kind })
}

/// Whether the JSON text that is kept of a ref would be too long.
fn is_too_long(text: &str, max: usize) -> bool {
    is_long_ref(&serde_json::to_string(text).expect("every string can be written"), max)
}

fn text_ref(text: &str) -> Ref {
    Ref::try_text(text).expect("its length has been looked at")
}
