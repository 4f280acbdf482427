//! A TCP stream that any task may write to.

use async_io::Async;
use bennu::PlainStream;
use rustix::net::SendFlags;
use std::io::{self, IoSlice, Read};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// A TCP stream of async-io's.
#[derive(Debug)]
pub(crate) struct AsyncStdStream {
    stream: Async<TcpStream>,
    /// Whether the system is known to have nothing to read until it says that there is more. Only the task that reads
    /// looks at it.
    drained: AtomicBool,
}

impl AsyncStdStream {
    pub(crate) fn new(stream: Async<TcpStream>) -> Self {
        Self { stream, drained: AtomicBool::new(false) }
    }
}

impl PlainStream for AsyncStdStream {
    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if self.drained.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let read = self.stream.get_ref().read(buf)?;
        // The system has no more: one `recv` a read instead of two.
        self.drained.store(read > 0 && read < buf.len(), Ordering::Relaxed);
        Ok(read)
    }

    fn try_write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        send(self.stream.get_ref(), bufs)
    }

    fn touch(&self) -> usize {
        usize::from(self.stream.as_raw_fd() == 0)
    }

    fn peer_addr(&self) -> Option<SocketAddr> {
        self.stream.get_ref().peer_addr().ok()
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ready = self.stream.poll_readable(cx);
        if ready.is_ready() {
            self.drained.store(false, Ordering::Relaxed);
        }
        ready
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_writable(cx)
    }

    fn close(&self) {
        // It may have been closed by the peer: then there is nothing to do.
        let _ = self.stream.get_ref().shutdown(Shutdown::Both);
    }

    fn abort(&self) {
        // Dissolving the association resets the connection and frees what the system holds of it, now, and
        // not when the last who knows the stream lets go of it.
        if rustix::net::connect_unspec(&self.stream).is_err() {
            let _ = self.stream.get_ref().shutdown(Shutdown::Both);
        }
    }
}

fn send(stream: &TcpStream, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    let written = match bufs {
        [buf] => rustix::net::send(stream, buf, SendFlags::NOSIGNAL)?,
        bufs => rustix::io::writev(stream, bufs)?,
    };
    Ok(written)
}
