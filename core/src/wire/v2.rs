//! V2 text: `[join_ref, ref, topic, event, payload]`.

use super::DecodeError;
use super::envelope::{Envelope, decode_name, decode_ref, ref_json};
use super::limits::Bounds;
use crate::json::Scanner;
use crate::{Message, Name, PayloadSlice};
use bytes::BufMut;

/// Decodes an array of at least five items; more are checked and ignored.
pub(super) fn decode(text: &str, bounds: Bounds) -> Result<Message<'_>, DecodeError> {
    let mut scan = Scanner::new(text, bounds.levels);
    if !scan.eat(b'[') {
        scan.value()?;
        scan.end()?;
        return Err(DecodeError::NotAnArray);
    }
    if scan.peek() == b']' {
        return Err(no_item(scan, 0));
    }
    let join_ref = decode_ref(scan.value()?, bounds.max_ref)?;
    next(&mut scan, 1)?;
    let msg_ref = decode_ref(scan.value()?, bounds.max_ref)?;
    next(&mut scan, 2)?;
    let topic = name(&mut scan)?;
    next(&mut scan, 3)?;
    let event = name(&mut scan)?;
    next(&mut scan, 4)?;
    let payload = PayloadSlice::Json(scan.value()?);
    while scan.eat(b',') {
        scan.value()?;
    }
    scan.expect(b']')?;
    scan.end()?;
    Ok(Message { join_ref, msg_ref, topic, event, payload })
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
pub(super) fn write(out: &mut impl BufMut, envelope: &Envelope<'_>) {
    out.put_u8(b'[');
    out.put_slice(ref_json(envelope.join_ref));
    out.put_u8(b',');
    out.put_slice(ref_json(envelope.msg_ref));
    out.put_u8(b',');
    envelope.topic.write(out);
    out.put_u8(b',');
    envelope.event.write(out);
    out.put_u8(b',');
    envelope.body.write(out);
    out.put_u8(b']');
}

/// Goes on to the next of the five items; `found` lie behind.
#[inline(always)]
fn next(scan: &mut Scanner<'_>, found: usize) -> Result<(), DecodeError> {
    if scan.eat(b',') { Ok(()) } else { Err(no_item(scan.clone(), found)) }
}

#[cold]
fn no_item(mut scan: Scanner<'_>, found: usize) -> DecodeError {
    match scan.expect(b']').and_then(|()| scan.end()) {
        Ok(()) => DecodeError::MissingItem { found },
        Err(error) => error.into(),
    }
}

#[inline(always)]
fn name<'a>(scan: &mut Scanner<'a>) -> Result<Name<'a>, DecodeError> {
    match scan.plain_string() {
        Some(text) => Ok(Name::from(text)),
        None => Ok(decode_name(scan.value()?)),
    }
}
