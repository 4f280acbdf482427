//! A recipe for frames, nearly all of them well made, so that what lies behind the first is reached.
//!
//! Each frame: its first byte as it is, a byte that says how it is made, a byte of length, the payload.

use super::Side;
use crate::fuzz::recipe::Recipe;

/// Enough to go over each limit that a stream can go over; the rest of the recipe is not followed.
const MAX_STREAM: usize = 70_000;

/// How a frame's length is announced.
enum Form {
    /// In as few bytes as it needs.
    Minimal,
    /// In two, or in eight.
    Wide(u8),
    /// As the eight bytes that follow say.
    Lie,
    /// In as few bytes as it needs; the payload is repeated until it is longer than short forms can say.
    Long,
}

/// The bytes that the peer of this side sends.
pub(super) fn build(side: Side, mut recipe: Recipe<'_>) -> Vec<u8> {
    let mut stream = Vec::new();
    while !recipe.is_empty() && stream.len() < MAX_STREAM {
        frame(&mut stream, side, &mut recipe);
    }
    stream
}

/// Appends one frame.
pub(super) fn frame(stream: &mut Vec<u8>, side: Side, recipe: &mut Recipe<'_>) {
    let first = recipe.byte();
    let how = recipe.byte();
    let form = match how & 0b111 {
        4 => Form::Wide(126),
        5 => Form::Wide(127),
        6 => Form::Lie,
        7 => Form::Long,
        _ => Form::Minimal,
    };
    let is_masked = (side == Side::Server) != (how & 0b11_1000 == 0b11_1000);
    let key = match how >> 6 {
        0 => [0; 4],
        1 => [0x80, 0xff, 0x01, 0x7f],
        _ => [0x11, 0x22, 0x33, 0x44],
    };
    let len = recipe.byte();
    let taken = recipe.bytes(len.into());
    let mut payload = taken.to_vec();
    if let Form::Long = form {
        // Up to 65,790 bytes: past what two bytes can announce.
        let target = 258 * usize::from(recipe.byte());
        payload = taken.iter().chain([&b'x']).copied().cycle().take(target).collect();
    }
    let (form, announced) = match form {
        Form::Minimal | Form::Long => (minimal(payload.len()), payload.len() as u64),
        Form::Wide(form) => (form, payload.len() as u64),
        Form::Lie => {
            let lie = recipe.bytes(8).iter().fold(0, |lie, byte| lie << 8 | u64::from(*byte));
            (127, lie)
        }
    };

    let mask_bit = if is_masked { 0x80 } else { 0 };
    stream.extend_from_slice(&[first, form | mask_bit]);
    match form {
        126 => stream.extend_from_slice(&(announced as u16).to_be_bytes()),
        127 => stream.extend_from_slice(&announced.to_be_bytes()),
        _ => {}
    }
    if is_masked {
        stream.extend_from_slice(&key);
        payload.iter_mut().enumerate().for_each(|(i, byte)| *byte ^= key[i % 4]);
    }
    stream.extend_from_slice(&payload);
}

fn minimal(len: usize) -> u8 {
    match len {
        0..=125 => len as u8,
        126..=0xffff => 126,
        _ => 127,
    }
}
