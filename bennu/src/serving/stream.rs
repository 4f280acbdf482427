//! Streams under HTTP.

use hyper::rt::{Read, ReadBufCursor, Write};
use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};

/// A stream while HTTP is served on it: what a [`Runtime`](crate::Runtime) is offered to
/// [adopt](crate::Runtime::adopt), if [`Http`](super::Http) has served it.
///
/// It tells whether its client takes what it is answered. And an answer in one piece, as that to an upgrade is, is
/// written as one: to a system that is less than a list of one.
pub struct HttpStream<I> {
    io: I,
    answers: Arc<Answers>,
}

/// How far what a client is answered has come.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Counts the writes that took something; the client has had none of its answer for as long as this stays.
    writes: AtomicU32,
    /// Whether the last one took nothing.
    blocked: AtomicBool,
}

impl<I> HttpStream<I> {
    pub(super) fn new(io: I, answers: Arc<Answers>) -> Self {
        Self { io, answers }
    }

    /// The stream alone, when HTTP has come to its end.
    pub fn into_inner(self) -> I {
        self.io
    }

    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.answers.note(written.is_ready());
        written
    }
}

impl Answers {
    /// Notes whether a write has taken anything.
    fn note(&self, took: bool) {
        if took {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        self.blocked.store(!took, Ordering::Relaxed);
    }

    /// If what the client is answered cannot be written now: a number that changes when some of it is.
    pub(super) fn blocked_at(&self) -> Option<u32> {
        self.blocked.load(Ordering::Relaxed).then(|| self.writes.load(Ordering::Relaxed))
    }
}

impl<I: Read + Unpin> Read for HttpStream<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<I: Write + Unpin> Write for HttpStream<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.note(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let io = Pin::new(&mut self.io);
        let written = match bufs {
            [buf] => io.poll_write(cx, buf),
            bufs => io.poll_write_vectored(cx, bufs),
        };
        self.note(written)
    }
}

impl<I> fmt::Debug for HttpStream<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpStream").finish_non_exhaustive()
    }
}
