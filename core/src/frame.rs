//! One encoded message, ready for every transport, shared by all who receive it.

use std::fmt;
use std::sync::{Arc, OnceLock};

/// What kind of data a message is on its transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
}

/// An encoded message, server to client, with its WebSocket header in front.
///
/// A frame that is [open](Frame::open) is a place in queues for bytes that are still to come: several
/// messages to the same recipients, in one.
///
/// Encoded once, then shared: a clone is a reference count, and the handle is one pointer wide, so
/// that a queue of thousands costs eight bytes a place. A transport that is not a WebSocket takes
/// [`Frame::body`], without the header.
///
/// ```
/// use bennu_core::{Frame, Kind};
///
/// let frame = Frame::new(Kind::Text, b"hi");
///
/// assert_eq!(frame.as_websocket(), b"\x81\x02hi");
/// assert_eq!(frame.body(), b"hi");
/// ```
///
/// Source: the header is that of RFC 6455 section 5.2.
#[derive(Clone)]
pub struct Frame(Arc<Encoded>);

struct Encoded {
    /// Room for the longest header, then the body. The header is right-aligned to the body. Not there yet
    /// while the frame is open.
    bytes: OnceLock<Vec<u8>>,
    /// Where the header starts.
    start: u8,
    /// Where the body starts.
    body: usize,
    kind: Kind,
    is_run: bool,
}

/// The longest header of an unmasked frame: two bytes and a 64-bit length.
const HEADER_ROOM: usize = 10;

impl Frame {
    /// Starts a frame; `capacity` is the expected length of its body in bytes.
    #[must_use]
    pub fn builder(kind: Kind, capacity: usize) -> FrameBuilder {
        let mut bytes = Vec::with_capacity(HEADER_ROOM + capacity);
        bytes.extend_from_slice(&[0; HEADER_ROOM]);
        FrameBuilder { bytes, kind }
    }

    /// A frame with this body.
    #[must_use]
    pub fn new(kind: Kind, body: &[u8]) -> Self {
        let mut builder = Self::builder(kind, body.len());
        builder.body().extend_from_slice(body);
        builder.finish()
    }

    /// A control frame, as `websocket::Connection` has encoded it; no other transport has any use for
    /// it, so it has no body.
    #[must_use]
    pub fn control(encoded: &[u8]) -> Self {
        let mut bytes = vec![0; HEADER_ROOM.saturating_sub(encoded.len())];
        let start = bytes.len();
        bytes.extend_from_slice(encoded);
        Self(Arc::new(Encoded {
            body: bytes.len(),
            bytes: OnceLock::from(bytes),
            start: u8::try_from(start).expect("at most HEADER_ROOM"),
            kind: Kind::Binary,
            is_run: false,
        }))
    }

    /// A place in queues for a run of frames that are still to come; for WebSockets alone. Nobody writes it
    /// before it is [sealed](Frame::seal).
    #[must_use]
    pub fn open() -> Self {
        Self(Arc::new(Encoded {
            bytes: OnceLock::new(),
            start: 0,
            body: 0,
            kind: Kind::Binary,
            is_run: true,
        }))
    }

    /// Fills an open frame with the bytes of its run, headers and all: for good. A frame that is not open
    /// stays as it is.
    pub fn seal(&self, run: Vec<u8>) {
        let _ = self.0.bytes.set(run);
    }

    /// Whether the frame waits for its bytes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.bytes.get().is_none()
    }

    /// Whether the frame is, or will be, a run of several.
    pub(crate) fn is_run(&self) -> bool {
        self.0.is_run
    }

    fn bytes(&self) -> &[u8] {
        self.0.bytes.get().map_or(&[], Vec::as_slice)
    }

    /// Text or binary.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Header and body as a server writes them to a WebSocket: one final, unmasked frame (of a run, one
    /// after the other; while it is open, nothing).
    #[must_use]
    pub fn as_websocket(&self) -> &[u8] {
        &self.bytes()[usize::from(self.0.start)..]
    }

    /// The body alone.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.bytes()[self.0.body..]
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.kind() == other.kind() && self.body() == other.body()
    }
}

impl Eq for Frame {}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Kind::Text => write!(f, "Frame({})", String::from_utf8_lossy(self.body())),
            Kind::Binary => write!(f, "Frame({:?})", self.body()),
        }
    }
}

/// A frame that is being written.
pub struct FrameBuilder {
    bytes: Vec<u8>,
    kind: Kind,
}

impl FrameBuilder {
    /// Where the body goes: append to it, and take nothing away.
    pub fn body(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Writes the header before the body, and shares both.
    ///
    /// # Panics
    /// If more was taken away from [`body`](Self::body) than was appended.
    #[must_use]
    pub fn finish(mut self) -> Frame {
        let opcode = match self.kind {
            Kind::Text => 0x1,
            Kind::Binary => 0x2,
        };
        let len = self.bytes.len() - HEADER_ROOM;
        let mut header = [0; HEADER_ROOM];
        let size = crate::websocket::write_header(&mut header, opcode, len);
        let start = HEADER_ROOM - size;
        self.bytes[start..HEADER_ROOM].copy_from_slice(&header[..size]);
        self.bytes.shrink_to_fit();
        Frame(Arc::new(Encoded {
            body: HEADER_ROOM,
            bytes: OnceLock::from(self.bytes),
            is_run: false,
            start: u8::try_from(start).expect("at most HEADER_ROOM"),
            kind: self.kind,
        }))
    }
}

impl fmt::Debug for FrameBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameBuilder").field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_frame_has_nothing_to_write_until_it_is_sealed_for_all_who_share_it() {
        let frame = Frame::open();
        let shared = frame.clone();
        assert!(frame.is_open() && frame.is_run());
        assert_eq!(frame.as_websocket(), b"");

        frame.seal(b"run".to_vec());

        assert!(!shared.is_open() && shared.is_run());
        assert_eq!(shared.as_websocket(), b"run");
    }

    #[test]
    fn frame_is_sealed_once_and_for_good() {
        let (run, whole) = (Frame::open(), Frame::new(Kind::Text, b"whole"));
        run.seal(b"first".to_vec());

        run.seal(b"second".to_vec());
        whole.seal(b"second".to_vec());

        assert_eq!(run.as_websocket(), b"first");
        assert_eq!(whole.body(), b"whole");
        assert!(!whole.is_open() && !whole.is_run());
    }
}
