//! One frame's header, and the small frames that a connection makes itself.
//!
//! ```text
//!  FIN RSV opcode │ MASK length │ 0, 2 or 8 bytes of length │ 0 or 4 bytes of mask │ payload
//!   1   3    4    │  1     7    │
//! ```
//!
//! Source: RFC 6455 section 5.2.

use super::mask;
use super::violation::Violation;
use std::fmt;

/// The longest header: two bytes, a 64-bit length, a mask.
pub(super) const MAX_HEADER: usize = 14;

/// The longest payload of a control frame, in bytes.
pub(super) const MAX_CONTROL: usize = 125;

const FIN: u8 = 0x80;
const MASK: u8 = 0x80;
const CONTROL: u8 = 0x8;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    pub(super) const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Text),
            0x2 => Some(Self::Binary),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xa => Some(Self::Pong),
            _ => None,
        }
    }

    pub(super) fn is_control(self) -> bool {
        self.bits() & CONTROL != 0
    }
}

/// Whether the peer's frames are masked: a client's must be, a server's must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Masking {
    Required,
    Forbidden,
}

/// Where a header's parts lie, before anything is asked of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// FIN, the reserved bits and the opcode.
    first: u8,
    /// The payload's length in bytes.
    pub(super) len: u64,
    /// All zero if the frame is not masked.
    mask: [u8; 4],
    /// The header's own length in bytes.
    pub(super) size: usize,
}

impl Layout {
    /// Reads the header at the front of `bytes`; `None` if it is not there in full.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let &[first, second, ref rest @ ..] = bytes else { return None };
        let (len, after) = match second & !MASK {
            126 => {
                rest.split_first_chunk::<2>().map(|(len, after)| (u16::from_be_bytes(*len).into(), after))?
            }
            127 => rest.split_first_chunk::<8>().map(|(len, after)| (u64::from_be_bytes(*len), after))?,
            short => (u64::from(short), rest),
        };
        let (mask, after) = if second & MASK == 0 {
            ([0; 4], after)
        } else {
            after.split_first_chunk::<4>().map(|(mask, after)| (*mask, after))?
        };
        Some(Self { first, len, mask, size: bytes.len() - after.len() })
    }

    /// Whether this is a close frame, well made or not.
    pub(super) fn is_close(&self) -> bool {
        self.first & 0xf == Opcode::Close.bits()
    }
}

/// A header that breaks no rule of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) opcode: Opcode,
    /// Whether the message ends with this frame.
    pub(super) fin: bool,
    pub(super) mask: [u8; 4],
    /// The payload's length in bytes.
    pub(super) len: u64,
    /// The header's own length in bytes.
    pub(super) size: usize,
}

impl Header {
    /// Reads the header at the front of `bytes`; `None` if it is not there in full.
    ///
    /// What the first two bytes do wrong is told without waiting for the others.
    pub(super) fn parse(bytes: &[u8], masking: Masking) -> Result<Option<Self>, Violation> {
        let &[first, second, ..] = bytes else { return Ok(None) };
        let opcode = check_start(first, second, masking)?;
        let Some(layout) = Layout::parse(bytes) else { return Ok(None) };
        check_length(second & !MASK, layout.len)?;
        let Layout { len, mask, size, .. } = layout;
        Ok(Some(Self { opcode, fin: first & FIN != 0, mask, len, size }))
    }
}

/// The bytes of a header that has not come whole.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PartialHeader {
    bytes: [u8; MAX_HEADER],
    len: usize,
}

impl PartialHeader {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The kept bytes, followed by as much of `input` as a header can need.
    pub(super) fn joined(mut self, input: &[u8]) -> Self {
        let more = input.len().min(MAX_HEADER - self.len);
        self.bytes[self.len..self.len + more].copy_from_slice(&input[..more]);
        self.len += more;
        self
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// A pong or a close frame, ready to be written: at most 131 bytes, held inline.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ControlFrame {
    bytes: [u8; 2 + 4 + MAX_CONTROL],
    len: u8,
}

impl ControlFrame {
    /// A control frame; what does not fit into 125 bytes of payload is left out.
    pub(super) fn new(opcode: Opcode, payload: &[u8], key: Option<[u8; 4]>) -> Self {
        let payload = &payload[..payload.len().min(MAX_CONTROL)];
        let mut bytes = [0; 2 + 4 + MAX_CONTROL];
        bytes[0] = FIN | opcode.bits();
        bytes[1] = payload.len() as u8;
        let mut start = 2;
        if let Some(key) = key {
            bytes[1] |= MASK;
            bytes[2..6].copy_from_slice(&key);
            start = 6;
        }
        let len = start + payload.len();
        bytes[start..len].copy_from_slice(payload);
        if let Some(key) = key {
            mask::apply(&mut bytes[start..len], key);
        }
        Self { bytes, len: len as u8 }
    }

    /// Header and payload, as they go to the stream.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for ControlFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ControlFrame({:02x?})", self.as_bytes())
    }
}

/// Writes the header of one final, unmasked frame, and returns its length in bytes.
pub(crate) fn write_header(out: &mut [u8; 10], opcode: u8, len: usize) -> usize {
    out[0] = FIN | opcode;
    if len < 126 {
        out[1] = len as u8;
        2
    } else if let Ok(len) = u16::try_from(len) {
        out[1] = 126;
        out[2..4].copy_from_slice(&len.to_be_bytes());
        4
    } else {
        out[1] = 127;
        out[2..10].copy_from_slice(&(len as u64).to_be_bytes());
        10
    }
}

/// Whether an encoded frame is a close frame.
pub(crate) fn is_close(frame: &[u8]) -> bool {
    frame.first() == Some(&(FIN | Opcode::Close.bits()))
}

/// Appends one final frame, masked if there is a key.
pub(super) fn write_frame(out: &mut Vec<u8>, opcode: Opcode, body: &[u8], key: Option<[u8; 4]>) {
    let mut header = [0; 10];
    let size = write_header(&mut header, opcode.bits(), body.len());
    out.reserve(MAX_HEADER + body.len());
    let Some(key) = key else {
        out.extend_from_slice(&header[..size]);
        out.extend_from_slice(body);
        return;
    };
    header[1] |= MASK;
    out.extend_from_slice(&header[..size]);
    out.extend_from_slice(&key);
    let start = out.len();
    out.extend_from_slice(body);
    mask::apply(&mut out[start..], key);
}

/// The rules that the first two bytes can break.
fn check_start(first: u8, second: u8, masking: Masking) -> Result<Opcode, Violation> {
    let reserved = (first >> 4) & 0b111;
    if reserved != 0 {
        return Err(Violation::ReservedBits { bits: reserved });
    }
    let bits = first & 0xf;
    let opcode = Opcode::from_bits(bits).ok_or(Violation::ReservedOpcode { opcode: bits })?;
    match (masking, second & MASK != 0) {
        (Masking::Required, false) => return Err(Violation::Unmasked),
        (Masking::Forbidden, true) => return Err(Violation::Masked),
        (Masking::Required, true) | (Masking::Forbidden, false) => {}
    }
    if opcode.is_control() && first & FIN == 0 {
        return Err(Violation::FragmentedControl);
    }
    if opcode.is_control() && usize::from(second & !MASK) > MAX_CONTROL {
        return Err(Violation::ControlTooLong);
    }
    Ok(opcode)
}

/// The rules for a length, given the seven bits that announce its form.
fn check_length(form: u8, len: u64) -> Result<(), Violation> {
    if len >> 63 != 0 {
        return Err(Violation::LengthOutOfRange);
    }
    let needs = match form {
        126 => 126,
        127 => 1 << 16,
        _ => 0,
    };
    if len < needs { Err(Violation::LengthNotMinimal { len }) } else { Ok(()) }
}
