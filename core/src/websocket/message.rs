//! A data message that comes in pieces: fragments, or reads.

use super::config::Bounds;
use super::decoder::Kept;
use super::frame::{Header, Opcode};
use super::text::{InvalidUtf8, Text};
use super::violation::Violation;

/// The pieces so far.
#[derive(Debug)]
pub(super) struct Message {
    body: Body,
    fragments: u32,
    /// How many empty fragments came last.
    empty: u32,
}

#[derive(Debug)]
enum Body {
    Text(Text),
    Binary(Vec<u8>),
}

impl Message {
    /// Begins with the first frame, of which no payload is in yet.
    pub(super) fn new(first: &Header) -> Self {
        let body = match first.opcode {
            Opcode::Text => Body::Text(Text::default()),
            Opcode::Binary | Opcode::Continuation | Opcode::Close | Opcode::Ping | Opcode::Pong => {
                Body::Binary(Vec::new())
            }
        };
        Self { body, fragments: 1, empty: u32::from(first.len == 0) }
    }

    /// Counts one more fragment, by its header.
    pub(super) fn admit(&mut self, header: &Header, config: &Bounds) -> Result<(), Violation> {
        self.fragments = self.fragments.saturating_add(1);
        self.empty = if header.len == 0 { self.empty.saturating_add(1) } else { 0 };
        check_counts(self.fragments, self.empty, config)?;
        check_len(header.len.saturating_add(self.len() as u64), config)
    }

    /// Appends a piece of a frame of which `left` bytes, this piece included, were to come.
    pub(super) fn push(
        &mut self,
        piece: &[u8],
        left: u64,
        fin: bool,
        config: &Bounds,
    ) -> Result<(), Violation> {
        let len = self.len();
        // What the peer has announced is the most that can still come, unless fragments follow.
        let most = if fin { len as u64 + left } else { u64::from(config.max_message) };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let target = grown(self.capacity(), len + piece.len(), most);
        match &mut self.body {
            Body::Text(text) => {
                text.reserve_total(target);
                text.push(piece).map_err(|InvalidUtf8| Violation::InvalidUtf8)
            }
            Body::Binary(bytes) => {
                bytes.reserve_exact(target - len);
                bytes.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    /// The whole, once the last piece is in.
    pub(super) fn finish(self) -> Result<Kept, Violation> {
        match self.body {
            Body::Text(text) => text.finish().map(Kept::Text).map_err(|InvalidUtf8| Violation::InvalidUtf8),
            Body::Binary(bytes) => Ok(Kept::Bytes(bytes)),
        }
    }

    fn len(&self) -> usize {
        match &self.body {
            Body::Text(text) => text.len(),
            Body::Binary(bytes) => bytes.len(),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        match &self.body {
            Body::Text(text) => text.capacity(),
            Body::Binary(bytes) => bytes.capacity(),
        }
    }
}

/// The limits on the first frame of a message.
pub(super) fn check_first(header: &Header, config: &Bounds) -> Result<(), Violation> {
    if !header.fin {
        check_counts(1, u32::from(header.len == 0), config)?;
    }
    check_len(header.len, config)
}

fn check_counts(fragments: u32, empty: u32, config: &Bounds) -> Result<(), Violation> {
    if fragments > config.max_fragments {
        return Err(Violation::TooManyFragments { limit: config.max_fragments });
    }
    let limit = u32::from(config.max_empty_fragments);
    if empty > limit {
        return Err(Violation::TooManyEmptyFragments { limit });
    }
    Ok(())
}

fn check_len(len: u64, config: &Bounds) -> Result<(), Violation> {
    let limit = config.max_message;
    if len > u64::from(limit) { Err(Violation::MessageTooLong { len, limit }) } else { Ok(()) }
}

/// The capacity for `needed` bytes: doubled, so that small pieces do not copy the whole each time, but
/// never more than the message can have.
fn grown(capacity: usize, needed: usize, most: usize) -> usize {
    if needed <= capacity { needed } else { capacity.saturating_mul(2).min(most).max(needed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_doubles_but_never_beyond_what_can_come() {
        assert_eq!(grown(0, 10, 1000), 10);
        assert_eq!(grown(100, 101, 1000), 200);
        assert_eq!(grown(600, 601, 1000), 1000);
        assert_eq!(grown(100, 500, 1000), 500);
        assert_eq!(grown(100, 90, 1000), 90);
    }
}
