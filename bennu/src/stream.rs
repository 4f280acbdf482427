//! What a connection reads from and writes to.

use crate::peer::{Flush, Peer};
use hyper::rt::{Read, ReadBuf, Write};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A connection's stream.
pub(crate) enum Stream {
    /// A stream of the operating system, which the peer holds so that any task may write to it.
    Plain,
    /// Any other (TLS, or what somebody else has upgraded): its own task alone reads and writes.
    Foreign(Box<dyn Foreign>),
}

/// Bytes both ways.
pub(crate) trait Foreign: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Foreign for T {}

impl Stream {
    pub(crate) fn poll_read(
        &mut self,
        peer: &Peer,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let stream = match self {
            Self::Foreign(stream) => {
                let mut buf = ReadBuf::new(buf);
                ready!(Pin::new(stream).poll_read(cx, buf.unfilled()))?;
                return Poll::Ready(Ok(buf.filled().len()));
            }
            Self::Plain => peer.stream(),
        };
        let Some(stream) = stream else { return Poll::Ready(Ok(0)) };
        loop {
            match stream.try_read(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(stream.poll_readable(cx))?,
                read => return Poll::Ready(read),
            }
        }
    }

    /// Writes what is queued, as far as the stream takes it; the task is woken when it takes more.
    pub(crate) fn flush(&mut self, peer: &Peer, cx: &mut Context<'_>) -> io::Result<()> {
        // What others queue from here on, they flush.
        peer.settle();
        if let Self::Foreign(stream) = self {
            return flush_foreign(Pin::new(&mut **stream), peer, cx);
        }
        let Some(stream) = peer.stream() else { return Ok(()) };
        while peer.flush_own(stream)? == Flush::Blocked {
            match stream.poll_writable(cx) {
                Poll::Pending => break,
                Poll::Ready(ready) => ready?,
            }
        }
        Ok(())
    }

    /// Ends the stream behind what has been written.
    pub(crate) fn close(&mut self, peer: &Peer) {
        match self {
            Self::Plain => {
                if let Some(stream) = peer.stream() {
                    stream.close();
                }
            }
            Self::Foreign(stream) => {
                // Whatever it takes: the stream is dropped next.
                let cx = &mut Context::from_waker(std::task::Waker::noop());
                let _ = Pin::new(stream).poll_shutdown(cx);
            }
        }
    }

    /// Tries once to write what is queued, and ends the stream without waiting for it.
    pub(crate) fn reset(&mut self, peer: &Peer) {
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        let _ = self.flush(peer, cx);
        match peer.stream() {
            Some(stream) => stream.abort(),
            None => self.close(peer),
        }
    }
}

fn flush_foreign(mut stream: Pin<&mut dyn Foreign>, peer: &Peer, cx: &mut Context<'_>) -> io::Result<()> {
    while let Some(batch) = peer.begin() {
        let mut slices = Vec::with_capacity(batch.frames());
        slices.extend(batch.slices().map(IoSlice::new));
        let result = stream.as_mut().poll_write_vectored(cx, &slices);
        drop(slices);
        match result {
            Poll::Pending => {
                peer.finish(batch, 0);
                break;
            }
            Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(Ok(written)) => {
                peer.finish(batch, written);
            }
            Poll::Ready(Err(error)) => return Err(error),
        }
    }
    match stream.poll_flush(cx) {
        Poll::Ready(Err(error)) => Err(error),
        Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
    }
}
