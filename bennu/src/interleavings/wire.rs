//! A stream whose other end is the model.

use crate::PlainStream;
use crate::sync::{Mutex, MutexGuard};
use hyper::rt::{Read, ReadBufCursor, Write};
use loom::sync::Condvar;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

/// Shared by the node, which writes to it, and the model, which sees what was written.
#[derive(Clone)]
pub(super) struct Wire(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// How often a writer has come without writing anything, one time after the other.
    vain: AtomicUsize,
}

#[derive(Debug)]
pub(super) struct State {
    /// How many bytes it takes before it blocks.
    room: usize,
    /// What it has taken.
    pub(super) taken: Vec<u8>,
    input: Vec<u8>,
    /// Nothing comes behind the input.
    has_ended: bool,
    pub(super) end: Option<End>,
    readable: Option<Waker>,
    writable: Option<Waker>,
}

/// How the node has ended a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Closed,
    Aborted,
}

impl Wire {
    /// A stream that takes so many bytes before it blocks.
    pub(super) fn with_room(room: usize) -> Self {
        let state = State {
            room,
            taken: Vec::new(),
            input: Vec::new(),
            has_ended: false,
            end: None,
            readable: None,
            writable: None,
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            vain: AtomicUsize::new(0),
        }))
    }

    /// A stream that never blocks.
    pub(super) fn wide() -> Self {
        Self::with_room(usize::MAX)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }

    /// The other end has taken something off.
    pub(super) fn make_room(&self, room: usize) {
        let mut state = self.state();
        state.room = room;
        let waker = state.writable.take();
        drop(state);
        waker.inspect(Waker::wake_by_ref);
    }

    /// The other end sends a message.
    pub(super) fn send(&self, text: &str) {
        self.send_frame(0x81, text.as_bytes());
    }

    /// The other end sends a close frame.
    pub(super) fn send_close(&self) {
        self.send_frame(0x88, &1000u16.to_be_bytes());
    }

    fn send_frame(&self, first: u8, body: &[u8]) {
        let len = u8::try_from(body.len()).expect("short enough for a model");
        assert!(len < 126, "the length of a short frame has seven bits");
        let mut state = self.state();
        // Masked with zeros.
        state.input.extend([first, 0x80 | len, 0, 0, 0, 0]);
        state.input.extend(body);
        let waker = state.readable.take();
        drop(state);
        waker.inspect(Waker::wake_by_ref);
    }

    /// The other end sends nothing more.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.has_ended = true;
        let waker = state.readable.take();
        drop(state);
        waker.inspect(Waker::wake_by_ref);
    }

    /// Waits until something has come about.
    pub(super) fn wait_until(&self, mut is_so: impl FnMut(&State) -> bool) {
        let mut state = self.state();
        while !is_so(&state) {
            state = self.0.changed.wait(state).expect("a model ends with its first panic");
        }
    }

    /// Forgets what it has taken.
    pub(super) fn forget(&self) {
        self.state().taken.clear();
    }

    fn write<'a>(&self, bufs: impl Iterator<Item = &'a [u8]>) -> io::Result<usize> {
        self.0.vain.store(0, Ordering::Relaxed);
        let mut state = self.state();
        if state.end.is_some() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let before = state.taken.len();
        let room = state.room;
        state.taken.extend(bufs.flatten().take(room));
        let written = state.taken.len() - before;
        state.room -= written;
        if written == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.0.changed.notify_all();
        Ok(written)
    }

    fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let n = state.input.len().min(buf.len());
        if n == 0 && !state.has_ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buf[..n].copy_from_slice(&state.input[..n]);
        state.input.drain(..n);
        Ok(n)
    }

    fn finish(&self, end: End) {
        let mut state = self.state();
        state.end.get_or_insert(end);
        self.0.changed.notify_all();
    }
}

impl PlainStream for Wire {
    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.read(buf)
    }

    fn try_write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write(bufs.iter().map(|buf| &**buf))
    }

    /// Whoever comes again and again in vain waits for somebody else: let them have their turn, as otherwise
    /// there is an interleaving without end.
    fn touch(&self) -> usize {
        if self.0.vain.fetch_add(1, Ordering::Relaxed) > 0 {
            loom::thread::yield_now();
        }
        0
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if !state.input.is_empty() || state.has_ended {
            return Poll::Ready(Ok(()));
        }
        state.readable = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if state.room > 0 || state.end.is_some() {
            return Poll::Ready(Ok(()));
        }
        state.writable = Some(cx.waker().clone());
        Poll::Pending
    }

    fn close(&self) {
        self.finish(End::Closed);
    }

    fn abort(&self) {
        self.finish(End::Aborted);
    }
}

impl Read for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut bytes = vec![0; buf.remaining()];
        match self.read(&mut bytes) {
            Ok(n) => {
                buf.put_slice(&bytes[..n]);
                Poll::Ready(Ok(()))
            }
            Err(_) => self.poll_readable(cx),
        }
    }
}

impl Write for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.try_write(bufs) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::task::ready!(self.poll_writable(cx))?;
                }
                written => return Poll::Ready(written),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}
