//! V2 binary frames: one byte of kind, a byte of length for each field, the fields, then the data.
//!
//! ```text
//! client → server   push       00 J R T E  join_ref ref topic event   data
//! server → client   push       00 J T E    join_ref topic event       data
//!                   reply      01 J R T S  join_ref ref topic status  data
//!                   broadcast  02 T E      topic event                data
//! ```
//!
//! Lengths count bytes of UTF-8; data is the rest and may be empty. Kind 0 differs by direction.

use super::{DecodeError, EncodeError, Incoming, Outgoing, Reply};
use crate::{Frame, Kind, Message, Name, Payload, PayloadSlice, Ref};
use bytes::BufMut;
use std::borrow::Cow;

const PUSH: u8 = 0;
const REPLY: u8 = 1;
const BROADCAST: u8 = 2;

/// Decodes a push from a client, whose refs have at most `max_ref` bytes as JSON text. A field of length 0 is the empty string, also as a ref: Phoenix has it so.
pub(super) fn decode(frame: &[u8], max_ref: usize) -> Result<Message<'_>, DecodeError> {
    match kind(frame)? {
        PUSH => {
            let ([join_ref, msg_ref, topic, event], data) =
                fields(frame, ["join_ref", "ref", "topic", "event"])?;
            Ok(Message {
                join_ref: Some(ref_within(join_ref, max_ref)?),
                msg_ref: Some(ref_within(msg_ref, max_ref)?),
                topic: Name::from(topic),
                event: Name::from(event),
                payload: PayloadSlice::Binary(data),
            })
        }
        kind => Err(DecodeError::UnknownKind { kind }),
    }
}

/// Decodes what a server has sent. A ref of length 0 is none: that is how servers write it.
pub(super) fn decode_from_server(frame: &[u8]) -> Result<Incoming<'_>, DecodeError> {
    match kind(frame)? {
        PUSH => {
            let ([join_ref, topic, event], data) = fields(frame, ["join_ref", "topic", "event"])?;
            Ok(Incoming::Message(Message {
                join_ref: optional_ref(join_ref)?,
                msg_ref: None,
                topic: Name::from(topic),
                event: Name::from(event),
                payload: PayloadSlice::Binary(data),
            }))
        }
        REPLY => {
            let ([join_ref, msg_ref, topic, status], data) =
                fields(frame, ["join_ref", "ref", "topic", "status"])?;
            Ok(Incoming::Reply(Reply {
                join_ref: optional_ref(join_ref)?,
                msg_ref: optional_ref(msg_ref)?,
                topic: Name::from(topic),
                status: Cow::Borrowed(status),
                response: PayloadSlice::Binary(data),
            }))
        }
        BROADCAST => {
            let ([topic, event], data) = fields(frame, ["topic", "event"])?;
            Ok(Incoming::Message(Message {
                join_ref: None,
                msg_ref: None,
                topic: Name::from(topic),
                event: Name::from(event),
                payload: PayloadSlice::Binary(data),
            }))
        }
        kind => Err(DecodeError::UnknownKind { kind }),
    }
}

/// Encodes what a server sends; its payload is bytes.
pub(super) fn encode(outgoing: &Outgoing<'_>) -> Result<Frame, EncodeError> {
    match *outgoing {
        Outgoing::Push { join_ref, msg_ref: _, topic, event, payload } => {
            let join_ref = ref_text("join_ref", join_ref)?;
            frame(PUSH, [("join_ref", &join_ref), ("topic", topic), ("event", event)], payload)
        }
        Outgoing::Reply { join_ref, msg_ref, topic, status, response } => {
            let join_ref = ref_text("join_ref", join_ref)?;
            let msg_ref = ref_text("ref", msg_ref)?;
            let topic = name_text("topic", topic)?;
            let fields = [("join_ref", &*join_ref), ("ref", &msg_ref), ("topic", topic), ("status", status)];
            frame(REPLY, fields, response)
        }
        Outgoing::Broadcast { topic, event, payload } => {
            frame(BROADCAST, [("topic", topic), ("event", event)], payload)
        }
    }
}

/// Encodes what a client sends.
pub(super) fn encode_from_client(message: &Message<'_>, data: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let join_ref = ref_text("join_ref", message.join_ref.as_ref())?;
    let msg_ref = ref_text("ref", message.msg_ref.as_ref())?;
    let topic = name_text("topic", &message.topic)?;
    let event = name_text("event", &message.event)?;
    let fields = [("join_ref", &*join_ref), ("ref", &msg_ref), ("topic", topic), ("event", event)];
    let mut out = Vec::with_capacity(len(&fields, data));
    write(&mut out, PUSH, fields, data)?;
    Ok(out)
}

fn kind(frame: &[u8]) -> Result<u8, DecodeError> {
    frame.first().copied().ok_or(DecodeError::Truncated { needed: 1, found: 0 })
}

/// Takes a frame apart behind its kind: as many fields as there are names, then the data.
fn fields<'a, const N: usize>(
    frame: &'a [u8],
    names: [&'static str; N],
) -> Result<([&'a str; N], &'a [u8]), DecodeError> {
    let truncated = |needed| DecodeError::Truncated { needed, found: frame.len() };
    let (lengths, mut rest) = frame[1..].split_first_chunk::<N>().ok_or_else(|| truncated(1 + N))?;
    let needed = 1 + N + lengths.iter().map(|&len| usize::from(len)).sum::<usize>();
    let mut fields = [""; N];
    for ((field, name), &len) in fields.iter_mut().zip(names).zip(lengths) {
        let (bytes, behind) = rest.split_at_checked(usize::from(len)).ok_or_else(|| truncated(needed))?;
        *field = std::str::from_utf8(bytes).map_err(|_| DecodeError::NotUtf8 { field: name })?;
        rest = behind;
    }
    Ok((fields, rest))
}

fn ref_within(text: &str, max: usize) -> Result<Ref, DecodeError> {
    let value = Ref::try_text(text)?;
    if value.as_bytes().len() > max { Err(DecodeError::RefTooLong) } else { Ok(value) }
}

fn optional_ref(text: &str) -> Result<Option<Ref>, DecodeError> {
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(Ref::try_text(text)?))
}

/// A ref as a field: the string that it is, or nothing.
fn ref_text<'a>(field: &'static str, value: Option<&'a Ref>) -> Result<Cow<'a, str>, EncodeError> {
    let Some(value) = value else { return Ok(Cow::Borrowed("")) };
    value.as_text().ok_or(EncodeError::RefNotText { field })
}

fn name_text<'a>(field: &'static str, name: &'a Name<'_>) -> Result<&'a str, EncodeError> {
    name.as_text().ok_or(EncodeError::NameNotText { field })
}

fn frame<const N: usize>(
    kind: u8,
    fields: [(&'static str, &str); N],
    payload: &Payload,
) -> Result<Frame, EncodeError> {
    let data = payload.as_bytes();
    Frame::try_build(Kind::Binary, len(&fields, data), |out| write(out, kind, fields, data))
}

fn len(fields: &[(&'static str, &str)], data: &[u8]) -> usize {
    1 + fields.iter().map(|(_, text)| 1 + text.len()).sum::<usize>() + data.len()
}

fn write<const N: usize>(
    out: &mut impl BufMut,
    kind: u8,
    fields: [(&'static str, &str); N],
    data: &[u8],
) -> Result<(), EncodeError> {
    out.put_u8(kind);
    for (field, text) in fields {
        let len = text.len();
        out.put_u8(u8::try_from(len).map_err(|_| EncodeError::FieldTooLong { field, len })?);
    }
    for (_, text) in fields {
        out.put_slice(text.as_bytes());
    }
    out.put_slice(data);
    Ok(())
}
