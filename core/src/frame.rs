//! One encoded message, ready for every transport, shared by all who receive it.

use crate::filter::write_json;
use crate::outbox::SlowConsumer;
use crate::sync::OnceLock;
use crate::websocket::ControlFrame;
use crate::{EventName, Topic};
use bytes::BufMut;
use std::convert::Infallible;
use std::fmt;
use triomphe::ThinArc;

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
pub struct Frame(ThinArc<Head, u8>);

/// What stands in front of a frame's bytes, in the same piece of memory.
struct Head {
    kind: Kind,
    /// Where the body starts, behind the WebSocket header.
    body: u8,
    /// What a frame is that has no bytes of its own; most are one message, with its bytes behind this.
    apart: Option<Box<Apart>>,
}

/// A frame whose bytes are elsewhere.
enum Apart {
    /// Several messages, whose bytes come once it is sealed.
    Run(OnceLock<Vec<u8>>),
    /// A broadcast that may be dropped.
    Losable { frame: Frame, policy: SlowConsumer, names: Names },
}

/// A broadcast's topic and event.
pub(crate) type Names = (Topic, EventName);

/// The longest header of an unmasked frame: two bytes and a 64-bit length.
const HEADER_ROOM: usize = 10;

/// What a frame is before it is written.
static BLANK: [u8; 1024] = [0; 1024];

impl Frame {
    /// A frame whose body, of exactly `len` bytes, is written in place.
    ///
    /// # Errors
    /// What `write` returns.
    ///
    /// # Panics
    /// If `write` writes more or less than it has room for.
    pub fn try_build<E>(
        kind: Kind,
        len: usize,
        write: impl FnOnce(&mut &mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let opcode = match kind {
            Kind::Text => 0x1,
            Kind::Binary => 0x2,
        };
        let mut header = [0; HEADER_ROOM];
        let size = crate::websocket::write_header(&mut header, opcode, len);
        let body = u8::try_from(size).expect("at most HEADER_ROOM");
        let head = Head { kind, body, apart: None };
        let mut frame = match BLANK.get(..size + len) {
            Some(blank) => ThinArc::from_header_and_slice(head, blank),
            None => ThinArc::from_header_and_iter(head, std::iter::repeat_n(0, size + len)),
        };
        frame.with_arc_mut(|frame| {
            let frame = triomphe::Arc::get_mut(frame).expect("nobody shares it yet");
            let (room, mut body) = frame.slice_mut().split_at_mut(size);
            room.copy_from_slice(&header[..size]);
            write(&mut body)?;
            assert!(body.is_empty(), "a body is as long as was said");
            Ok(())
        })?;
        Ok(Self(frame))
    }

    /// A frame with this body.
    #[must_use]
    pub fn new(kind: Kind, body: &[u8]) -> Self {
        let write = |out: &mut &mut [u8]| -> Result<(), Infallible> {
            out.put_slice(body);
            Ok(())
        };
        match Self::try_build(kind, body.len(), write) {
            Ok(frame) => frame,
            Err(never) => match never {},
        }
    }

    /// A control frame, as [`websocket::Connection`](crate::websocket::Connection) has encoded it; no other
    /// transport has any use for it, so it has no body.
    #[must_use]
    pub fn control(frame: &ControlFrame) -> Self {
        let encoded = frame.as_bytes();
        let body = u8::try_from(encoded.len()).expect("a control frame has at most 131 bytes");
        let head = Head { kind: Kind::Binary, body, apart: None };
        Self(ThinArc::from_header_and_slice(head, encoded))
    }

    /// A place in queues for a run of frames that are still to come; for WebSockets alone. Nobody writes it
    /// before it is [sealed](Frame::seal).
    #[must_use]
    pub fn open() -> Self {
        let apart = Some(Box::new(Apart::Run(OnceLock::default())));
        let head = Head { kind: Kind::Binary, body: 0, apart };
        Self(ThinArc::from_header_and_slice(head, &[]))
    }

    /// The same broadcast, such that it may be dropped as the policy says when it waits for a slow peer. It shares the
    /// bytes.
    #[must_use]
    pub fn losable(&self, policy: SlowConsumer, topic: &Topic, event: &EventName) -> Self {
        if policy == SlowConsumer::Disconnect {
            return self.clone();
        }
        let frame = match self.apart() {
            None => self.clone(),
            Some(Apart::Losable { frame, .. }) => frame.clone(),
            Some(Apart::Run(_)) => return self.clone(),
        };
        let Head { kind, body, .. } = *self.head();
        let apart = Apart::Losable { frame, policy, names: (topic.clone(), event.clone()) };
        let head = Head { kind, body, apart: Some(Box::new(apart)) };
        Self(ThinArc::from_header_and_slice(head, &[]))
    }

    /// What becomes of the frame when it waits for a slow peer: nothing that is no broadcast, and no run, is ever
    /// dropped.
    #[must_use]
    pub fn slow_consumer(&self) -> SlowConsumer {
        match self.apart() {
            None | Some(Apart::Run(_)) => SlowConsumer::Disconnect,
            Some(Apart::Losable { policy, .. }) => *policy,
        }
    }

    /// Whether the frame may be dropped when it waits for a slow peer: a broadcast whose
    /// [policy](Self::slow_consumer) says so.
    #[must_use]
    pub fn is_losable(&self) -> bool {
        matches!(self.apart(), Some(Apart::Losable { .. }))
    }

    /// What it is, if it may be dropped.
    pub(crate) fn names(&self) -> Option<&Names> {
        match self.apart()? {
            Apart::Run(_) => None,
            Apart::Losable { names, .. } => Some(names),
        }
    }

    /// Fills an open frame with the bytes of its run, headers and all: for good. A frame that is not open
    /// stays as it is.
    pub fn seal(&self, run: Vec<u8>) {
        if let Some(Apart::Run(bytes)) = self.apart() {
            let _ = bytes.set(run);
        }
    }

    /// Whether the frame waits for its bytes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.apart(), Some(Apart::Run(bytes)) if bytes.get().is_none())
    }

    /// Whether the frame is, or will be, a run of several.
    pub(crate) fn is_run(&self) -> bool {
        matches!(self.apart(), Some(Apart::Run(_)))
    }

    fn apart(&self) -> Option<&Apart> {
        self.head().apart.as_deref()
    }

    fn head(&self) -> &Head {
        &self.0.header.header
    }

    /// Text or binary.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.head().kind
    }

    /// Header and body as a server writes them to a WebSocket: one final, unmasked frame (of a run, one
    /// after the other; while it is open, nothing).
    #[must_use]
    pub fn as_websocket(&self) -> &[u8] {
        match self.apart() {
            None => &self.0.slice,
            Some(Apart::Run(bytes)) => bytes.get().map_or(&[], Vec::as_slice),
            Some(Apart::Losable { frame, .. }) => frame.as_websocket(),
        }
    }

    /// The body alone.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.as_websocket()[usize::from(self.head().body)..]
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
            Kind::Text => {
                f.write_str("Frame(")?;
                write_json(&String::from_utf8_lossy(self.body()), f)?;
                f.write_str(")")
            }
            Kind::Binary => write!(f, "Frame({:?})", self.body()),
        }
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
    fn broadcast_that_may_be_dropped_shares_the_bytes_of_the_one_that_may_not() {
        let frame = Frame::new(Kind::Text, b"hi");
        let (topic, event) = (Topic::from("room:a"), EventName::from("news"));

        let newest = frame.losable(SlowConsumer::DropNewest, &topic, &event);
        let oldest = newest.losable(SlowConsumer::DropOldest, &topic, &event);

        for losable in [newest, oldest] {
            assert_eq!(losable.as_websocket().as_ptr(), frame.as_websocket().as_ptr());
            assert_eq!((losable.body(), losable.kind()), (frame.body(), frame.kind()));
            losable.seal(b"other".to_vec());
            assert_eq!(losable.body(), b"hi");
        }
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
