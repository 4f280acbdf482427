//! What a connection reads from and writes to.

use crate::peer::{Flush, Flushed, Peer};
use hyper::rt::{Read, ReadBuf, Write};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

/// A connection's stream; one pointer wide.
pub(crate) struct Stream {
    /// `None` for a stream of the operating system, which the peer holds so that any task may write to it.
    foreign: Option<Box<ForeignStream>>,
}

/// Any other stream (TLS, or what somebody else has upgraded): its own task alone reads and writes.
enum ForeignStream {
    Open(Box<dyn Foreign>),
    Gone,
}

/// Bytes both ways.
pub(crate) trait Foreign: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Foreign for T {}

impl Stream {
    pub(crate) const PLAIN: Self = Self { foreign: None };

    pub(crate) fn foreign(stream: impl Foreign + 'static) -> Self {
        Self { foreign: Some(Box::new(ForeignStream::Open(Box::new(stream)))) }
    }

    fn as_foreign(&mut self) -> Option<&mut dyn Foreign> {
        match self.foreign.as_deref_mut() {
            Some(ForeignStream::Open(stream)) => Some(&mut **stream),
            Some(ForeignStream::Gone) | None => None,
        }
    }

    pub(crate) fn poll_read(
        &mut self,
        peer: &Peer,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(stream) = self.as_foreign() {
            let mut buf = ReadBuf::new(buf);
            ready!(Pin::new(stream).poll_read(cx, buf.unfilled()))?;
            return Poll::Ready(Ok(buf.filled().len()));
        }
        let Some(stream) = peer.stream() else { return Poll::Ready(Ok(0)) };
        loop {
            match stream.try_read(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(stream.poll_readable(cx))?,
                read => return Poll::Ready(read),
            }
        }
    }

    /// Writes what is queued, as far as the stream takes it; the task is woken when it takes more.
    pub(crate) fn flush(&mut self, peer: &Peer, cx: &mut Context<'_>) -> io::Result<Flushed> {
        // What others queue from here on, they flush.
        peer.settle();
        let done = Flushed { flush: Flush::Done, written: 0 };
        if let Some(stream) = self.as_foreign() {
            return flush_foreign(Pin::new(stream), peer, cx);
        }
        let Some(stream) = peer.stream() else { return Ok(done) };
        let mut written = 0;
        loop {
            let flushed = peer.flush_own(stream)?;
            written += flushed.written;
            if flushed.flush != Flush::Blocked {
                return Ok(Flushed { flush: flushed.flush, written });
            }
            match stream.poll_writable(cx) {
                Poll::Pending => return Ok(Flushed { flush: Flush::Blocked, written }),
                Poll::Ready(ready) => ready?,
            }
        }
    }

    /// Ends the stream behind what has been written.
    pub(crate) fn close(&mut self, peer: &Peer) {
        if let Some(stream) = self.as_foreign() {
            // Whatever comes of it: the stream is dropped here, and its descriptor with it.
            let _ = Pin::new(stream).poll_shutdown(&mut Context::from_waker(Waker::noop()));
            self.foreign = Some(Box::new(ForeignStream::Gone));
        }
        peer.close();
    }

    /// Tries once to write what is queued, and ends the stream without waiting for it.
    pub(crate) fn reset(&mut self, peer: &Peer) {
        let _ = self.flush(peer, &mut Context::from_waker(Waker::noop()));
        match peer.stream() {
            Some(stream) => stream.abort(),
            None => self.close(peer),
        }
    }
}

fn flush_foreign(
    mut stream: Pin<&mut dyn Foreign>,
    peer: &Peer,
    cx: &mut Context<'_>,
) -> io::Result<Flushed> {
    let mut flushed = Flushed { flush: Flush::Done, written: 0 };
    while let Some(batch) = peer.begin() {
        let mut slices = Vec::with_capacity(batch.frames());
        slices.extend(batch.slices().map(IoSlice::new));
        let result = stream.as_mut().poll_write_vectored(cx, &slices);
        drop(slices);
        let written = match &result {
            Poll::Ready(Ok(written)) => *written,
            Poll::Ready(Err(_)) | Poll::Pending => 0,
        };
        peer.finish(batch, written);
        flushed.written += written;
        match result {
            Poll::Pending => {
                flushed.flush = Flush::Blocked;
                break;
            }
            Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
            // It may take the rest: `begin` gives that again.
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => return Err(error),
        }
    }
    if flushed.flush == Flush::Done && peer.awaits_seal() {
        flushed.flush = Flush::AwaitsSeal;
    }
    match stream.poll_flush(cx) {
        Poll::Ready(Err(error)) => Err(error),
        Poll::Ready(Ok(())) | Poll::Pending => Ok(flushed),
    }
}
