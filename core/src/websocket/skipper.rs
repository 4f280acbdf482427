//! The way to the peer's close frame, once nothing else matters.

use super::frame::{Layout, PartialHeader};

/// Passes over frames, whatever is in them, until a close frame has come whole.
///
/// No rule is checked: the peer may have broken one already, or is still sending what it had begun.
#[derive(Debug)]
pub(super) struct Skipper {
    header: PartialHeader,
    /// How much of the current payload is still to come, in bytes.
    left: u64,
    current: Current,
}

/// What the frame is whose payload is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Current {
    Close,
    Other,
}

/// Whether the peer's close frame has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Close,
    Nothing,
}

impl Skipper {
    /// Starts inside a header, or inside a payload of which `left` bytes are to come.
    pub(super) fn new(header: PartialHeader, left: u64) -> Self {
        Self { header, left, current: Current::Other }
    }

    /// Consumes all of `input`.
    pub(super) fn skip(&mut self, mut input: &[u8]) -> Found {
        loop {
            let step = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len());
            self.left -= step as u64;
            input = &input[step..];
            if self.left > 0 {
                return Found::Nothing;
            }
            if self.current == Current::Close {
                return Found::Close;
            }
            let joined = self.header.joined(input);
            let Some(layout) = Layout::parse(joined.as_bytes()) else {
                self.header = joined;
                return Found::Nothing;
            };
            input = &input[layout.size - self.header.len()..];
            self.header = PartialHeader::default();
            self.left = layout.len;
            self.current = if layout.is_close() { Current::Close } else { Current::Other };
        }
    }
}
