//! The body of a POST, read a second time; and what was read, written into an answer.

use crate::fuzz::recipe::Recipe;
use bennu_core::longpoll::{Answer, BodyError, BodyLimits, Data, Encoding};
use bennu_core::{Compat, Frame, Kind};

/// A byte for how it is written down, one for the most lines and one for the most bytes in 16; the body.
pub(super) fn check(mut recipe: Recipe<'_>) {
    let encoding = if recipe.byte().is_multiple_of(2) { Encoding::Batch } else { Encoding::Single };
    let lines = usize::from(recipe.byte());
    let bytes = 16 * usize::from(recipe.byte());
    let body = recipe.rest();

    let read = encoding.read(&body.to_vec().into(), BodyLimits { bytes, lines });

    let expected = if body.len() > bytes {
        Err(BodyError::TooLong { len: body.len(), limit: bytes })
    } else {
        match encoding {
            Encoding::Single => text(body, 0).map(|data| vec![data]),
            Encoding::Batch => batch(body, lines),
        }
    };
    assert_eq!(read, expected);
    check_answer(&read.unwrap_or_default());
}

fn batch(body: &[u8], most: usize) -> Result<Vec<Data>, BodyError> {
    let mut lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
    let last = lines.pop().expect("nothing at all is one empty line");
    let mut lines: Vec<&[u8]> = lines.iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    lines.push(last);
    let message = |(at, line): (usize, &&[u8])| {
        if line.first() == Some(&b'[') {
            return text(line, at);
        }
        let body = decode(line).ok_or(BodyError::NotBase64 { line: at })?;
        Ok(Data { kind: Kind::Binary, body: body.into() })
    };
    lines.iter().take(most).enumerate().map(message).collect()
}

fn text(body: &[u8], line: usize) -> Result<Data, BodyError> {
    match body.iter().find(|byte| **byte == 0) {
        Some(_) => Err(BodyError::Nul { line }),
        None => Ok(Data { kind: Kind::Text, body: body.to_vec().into() }),
    }
}

/// Base64, bit by bit: the standard alphabet, padded, what is left over zero.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let mut bits = Vec::new();
    for digit in digits {
        let value = ALPHABET.iter().position(|known| known == digit)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    let (bytes, left) = bits.split_at(bits.len() / 8 * 8);
    let byte = |bits: &[usize]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit == 1));
    left.iter().all(|bit| *bit == 0).then(|| bytes.chunks(8).map(byte).collect())
}

/// What another parser finds in the answer is what went into it.
fn check_answer(messages: &[Data]) {
    let frames: Vec<Frame> = messages.iter().map(|data| Frame::new(Kind::Text, &data.body)).collect();

    let response = Answer::Messages { token: "\"\\", frames: &frames }.into_response(Compat::default());

    let texts: Vec<_> = messages.iter().map(|data| String::from_utf8_lossy(&data.body)).collect();
    let expected = serde_json::json!({"messages": texts, "status": 200, "token": "\"\\"});
    let found: serde_json::Value = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(found, expected);
}
