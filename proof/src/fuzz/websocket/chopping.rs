//! I-4: what comes out depends on the bytes, not on how reads cut them, nor on the time between reads.

use super::Setup;
use super::seen::{self, Seen};
use bennu_core::Instant;
use std::time::Duration;

/// Past this, a stream is not read byte by byte: a fuzzer has better things to do.
const SHORT: usize = 2_000;

/// Reads a stream in four ways, and returns what all of them tell.
pub(super) fn check(setup: Setup, stream: &[u8], cuts: u16) -> Vec<Seen> {
    let whole = read(setup, [stream]);
    let even = if stream.len() <= SHORT { 1 } else { 997 };
    assert_eq!(read(setup, stream.chunks(even)), whole, "in pieces of {even}");
    assert_eq!(read(setup, uneven(stream, cuts)), whole, "in uneven pieces");
    whole
}

/// Time passes between the reads, though never enough for a timeout.
fn read<'a>(setup: Setup, reads: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut now = Instant::EPOCH;
    let mut connection = setup.connection(now);
    let mut seen = Vec::new();
    for read in reads {
        seen.extend(seen::receive(&mut connection, read, now));
        let due = connection.poll_timeout();
        assert!(due.is_none_or(|due| due >= now), "a timeout lies in the past");
        let later = now + Duration::from_millis(3);
        if due.is_none_or(|due| later < due) {
            now = later;
            connection.handle_timeout(now);
        }
        assert_eq!(connection.poll_timeout(), due, "nothing was due");
        assert_eq!(seen::outputs(&mut connection), [], "nothing was due");
    }
    seen
}

/// Pieces of 0 to 15 bytes, and a long one now and then.
pub(super) fn uneven(stream: &[u8], seed: u16) -> Vec<&[u8]> {
    let mut state = u32::from(seed) | 1 << 16;
    let mut rest = stream;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let random = state >> 16;
        let len = if random & 0xf00 == 0 { random as usize & 0xff } else { random as usize & 0xf };
        let long = if stream.len() > SHORT { 61 * len } else { len };
        let (piece, behind) = rest.split_at(long.min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}
