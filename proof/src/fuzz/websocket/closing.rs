//! This side closes first: then nothing of the stream matters but the peer's close frame.

use super::chopping::uneven;
use super::seen::{self, Seen};
use super::{Setup, Side};
use bennu_core::Instant;
use bennu_core::websocket::CloseReason;

/// Closes a connection, and hands it a stream: whatever is in it, nothing is told, and a server ends with the
/// first close frame that is whole.
pub(super) fn check(setup: Setup, stream: &[u8], cuts: u16) {
    let mut connection = setup.connection(Instant::EPOCH);
    connection.close(1001, "", Instant::EPOCH);
    let closed = seen::outputs(&mut connection);
    assert!(matches!(*closed, [Seen::Sent(_), Seen::Closed(CloseReason::Local { code: 1001 })]));

    let reads = uneven(stream, cuts).into_iter();
    let told: Vec<Seen> =
        reads.flat_map(|read| seen::receive(&mut connection, read, Instant::EPOCH)).collect();

    let ends = setup.side == Side::Server && has_close_frame(stream);
    assert_eq!(connection.is_closed(), ends, "both have closed");
    assert_eq!(told, if ends { vec![Seen::End] } else { vec![] });
}

/// Walks from header to header.
fn has_close_frame(mut stream: &[u8]) -> bool {
    while let [first, second, rest @ ..] = stream {
        let wide = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let Some((length, rest)) = rest.split_at_checked(wide) else { return false };
        let len = match wide {
            0 => u64::from(second & 0x7f),
            _ => length.iter().fold(0, |len, byte| len << 8 | u64::from(*byte)),
        };
        let frame = usize::try_from(len).ok().and_then(|len| len.checked_add(mask));
        let Some((_, behind)) = frame.and_then(|len| rest.split_at_checked(len)) else { return false };
        if first & 0xf == 8 {
            return true;
        }
        stream = behind;
    }
    false
}
