//! RFC 6455 frames, as little of it as a bench needs: whole frames, both directions.
//!
//! Not the core's codec, on purpose: the floor has to stay where it is when that one changes.

/// A final text frame's first byte.
pub const TEXT: u8 = 0x81;
/// A close frame's first byte.
pub const CLOSE: u8 = 0x88;

/// Proxies are what masks protect from, and there is none here: any key will do that is not zero, which would
/// spare the server the work.
const KEY: [u8; 4] = [0x5b, 0xc3, 0x1e, 0xa7];

/// Where one frame lies at the front of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// FIN, reserved bits and opcode, as sent.
    pub first: u8,
    /// Where the body starts, in bytes.
    pub body: usize,
    /// Where the frame ends, in bytes.
    pub end: usize,
    mask: Option<[u8; 4]>,
}

impl Span {
    /// Finds the frame that `bytes` starts with, or `None` if there is more of it to come.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
        let (len, mut body) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
            127 => (u64::from_be_bytes(*rest.first_chunk()?), 10),
            short => (u64::from(short), 2),
        };
        let mut mask = None;
        if second & 0x80 != 0 {
            mask = Some(*bytes.get(body..)?.first_chunk()?);
            body += 4;
        }
        let end = usize::try_from(len).ok()?.checked_add(body)?;
        (bytes.len() >= end).then_some(Self { first, body, end, mask })
    }

    /// The frame's body, unmasked in place.
    pub fn unmask(self, bytes: &mut [u8]) -> &[u8] {
        let body = &mut bytes[self.body..self.end];
        if let Some(key) = self.mask {
            apply(key, body);
        }
        body
    }
}

/// The header of an unmasked frame with a body of `len` bytes, and how many of the ten bytes it takes.
#[must_use]
pub fn header(first: u8, len: usize) -> ([u8; 10], usize) {
    length(first, 0, len)
}

/// Appends a whole text frame as a client sends it.
pub fn push_masked(out: &mut Vec<u8>, body: &[u8]) {
    let (header, size) = length(TEXT, 0x80, body.len());
    out.extend_from_slice(&header[..size]);
    out.extend_from_slice(&KEY);
    let start = out.len();
    out.extend_from_slice(body);
    apply(KEY, &mut out[start..]);
}

fn length(first: u8, mask_bit: u8, len: usize) -> ([u8; 10], usize) {
    let mut header = [0; 10];
    header[0] = first;
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ 0..126), _) => {
            header[1] = mask_bit | len;
            (header, 2)
        }
        (_, Ok(len)) => {
            header[1] = mask_bit | 126;
            header[2..4].copy_from_slice(&len.to_be_bytes());
            (header, 4)
        }
        (_, Err(_)) => {
            header[1] = mask_bit | 127;
            header[2..].copy_from_slice(&(len as u64).to_be_bytes());
            (header, 10)
        }
    }
}

fn apply(key: [u8; 4], bytes: &mut [u8]) {
    let (words, rest) = bytes.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(key)).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_frame_of_every_length_form_comes_back() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let body: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let mut bytes = Vec::new();
            push_masked(&mut bytes, &body);
            bytes.extend_from_slice(b"next");

            let span = Span::of(&bytes).unwrap();

            assert_eq!((span.first, &bytes[span.end..]), (TEXT, &b"next"[..]));
            assert_eq!(span.unmask(&mut bytes), body);
        }
    }

    #[test]
    fn frame_that_lacks_a_byte_is_no_frame_yet() {
        let mut bytes = Vec::new();
        push_masked(&mut bytes, &[7; 300]);

        assert!((0..bytes.len()).all(|cut| Span::of(&bytes[..cut]).is_none()));
    }

    #[test]
    fn unmasked_header_is_two_four_or_ten_bytes() {
        for (len, size) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            assert_eq!(header(TEXT, len).1, size);
        }
    }
}
