//! V1 text: `{"event":"ev","payload":{},"ref":"1","topic":"t"}`.

use super::DecodeError;
use super::envelope::{Envelope, decode_name, decode_ref, ref_json};
use super::limits::Bounds;
use crate::json::Scanner;
use crate::{Message, PayloadSlice};
use bytes::BufMut;

/// Decodes an object with `topic`, `event`, `payload`, `ref` and perhaps `join_ref`; of equal keys the last
/// one wins, and others are checked and ignored.
pub(super) fn decode(text: &str, bounds: Bounds) -> Result<Message<'_>, DecodeError> {
    let mut scan = Scanner::new(text, bounds.levels);
    if !scan.eat(b'{') {
        scan.value()?;
        scan.end()?;
        return Err(DecodeError::NotAnObject);
    }
    let fields = fields(&mut scan)?;
    scan.end()?;

    let present = |field: Option<_>, key| field.ok_or(DecodeError::MissingKey { key });
    let topic = present(fields.topic, "topic")?;
    let event = present(fields.event, "event")?;
    let payload = present(fields.payload, "payload")?;
    let msg_ref = present(fields.msg_ref, "ref")?;
    Ok(Message {
        join_ref: decode_ref(fields.join_ref.unwrap_or("null"), bounds.max_ref)?,
        msg_ref: decode_ref(msg_ref, bounds.max_ref)?,
        topic: decode_name(topic),
        event: decode_name(event),
        payload: PayloadSlice::Json(payload),
    })
}

const EVENT: &[u8] = b"{\"event\":";
const JOIN_REF: &[u8] = b",\"join_ref\":";
const PAYLOAD: &[u8] = b",\"payload\":";
const REF: &[u8] = b",\"ref\":";
const TOPIC: &[u8] = b",\"topic\":";

/// The length in bytes of what [`write`] writes.
pub(super) fn len(envelope: &Envelope<'_>) -> usize {
    let join_ref = envelope.join_ref.map_or(0, |join_ref| JOIN_REF.len() + join_ref.as_bytes().len());
    let values =
        envelope.event.len() + envelope.body.len() + ref_json(envelope.msg_ref).len() + envelope.topic.len();
    join_ref + EVENT.len() + PAYLOAD.len() + REF.len() + TOPIC.len() + values + 1
}

/// Writes the object, its keys in the order of Phoenix; `join_ref` only if there is one.
pub(super) fn write(out: &mut impl BufMut, envelope: &Envelope<'_>) {
    out.put_slice(EVENT);
    envelope.event.write(out);
    if let Some(join_ref) = envelope.join_ref {
        out.put_slice(JOIN_REF);
        out.put_slice(join_ref.as_bytes());
    }
    out.put_slice(PAYLOAD);
    envelope.body.write(out);
    out.put_slice(REF);
    out.put_slice(ref_json(envelope.msg_ref));
    out.put_slice(TOPIC);
    envelope.topic.write(out);
    out.put_u8(b'}');
}

/// The JSON texts of the values that a message is made of.
#[derive(Default)]
struct Fields<'a> {
    join_ref: Option<&'a str>,
    msg_ref: Option<&'a str>,
    topic: Option<&'a str>,
    event: Option<&'a str>,
    payload: Option<&'a str>,
}

/// Reads the object behind its opening brace.
fn fields<'a>(scan: &mut Scanner<'a>) -> Result<Fields<'a>, DecodeError> {
    let mut fields = Fields::default();
    if scan.eat(b'}') {
        return Ok(fields);
    }
    loop {
        let key = scan.key(&["topic", "event", "payload", "ref", "join_ref"])?;
        let value = Some(scan.value()?);
        match key {
            "topic" => fields.topic = value,
            "event" => fields.event = value,
            "payload" => fields.payload = value,
            "ref" => fields.msg_ref = value,
            "join_ref" => fields.join_ref = value,
            _ => {}
        }
        if !scan.eat(b',') {
            break;
        }
    }
    scan.expect(b'}')?;
    Ok(fields)
}
