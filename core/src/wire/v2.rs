//! V2 text: `[join_ref, ref, topic, event, payload]`.

use super::DecodeError;
use super::envelope::{Envelope, decode_name, decode_ref, ref_json};
use crate::json::Scanner;
use crate::{Message, PayloadSlice};

/// Decodes an array of at least five items; more are checked and ignored.
pub(super) fn decode(text: &str, levels: u32) -> Result<Message<'_>, DecodeError> {
    let mut scan = Scanner::new(text, levels);
    if !scan.eat(b'[') {
        scan.value()?;
        scan.end()?;
        return Err(DecodeError::NotAnArray);
    }
    let message = Message {
        join_ref: decode_ref(item(&mut scan, 0)?)?,
        msg_ref: decode_ref(item(&mut scan, 1)?)?,
        topic: decode_name(item(&mut scan, 2)?),
        event: decode_name(item(&mut scan, 3)?),
        payload: PayloadSlice::Json(item(&mut scan, 4)?),
    };
    while scan.eat(b',') {
        scan.value()?;
    }
    scan.expect(b']')?;
    scan.end()?;
    Ok(message)
}

/// The length in bytes of what [`write`] writes.
pub(super) fn len(envelope: &Envelope<'_>) -> usize {
    let punctuation = "[,,,,]".len();
    punctuation
        + ref_json(envelope.join_ref).len()
        + ref_json(envelope.msg_ref).len()
        + envelope.topic.len()
        + envelope.event.len()
        + envelope.body.len()
}

/// Writes the array.
pub(super) fn write(out: &mut Vec<u8>, envelope: &Envelope<'_>) {
    out.push(b'[');
    out.extend_from_slice(ref_json(envelope.join_ref));
    out.push(b',');
    out.extend_from_slice(ref_json(envelope.msg_ref));
    out.push(b',');
    envelope.topic.write(out);
    out.push(b',');
    envelope.event.write(out);
    out.push(b',');
    envelope.body.write(out);
    out.push(b']');
}

/// Takes the next of the five items; `found` lie behind.
#[inline]
fn item<'a>(scan: &mut Scanner<'a>, found: usize) -> Result<&'a str, DecodeError> {
    if scan.eat(b']') {
        scan.end()?;
        return Err(DecodeError::MissingItem { found });
    }
    if found > 0 {
        scan.expect(b',')?;
    }
    Ok(scan.value()?)
}
