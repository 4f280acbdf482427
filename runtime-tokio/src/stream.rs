//! A TCP stream that any task may write to.

use bennu::PlainStream;
use rustix::net::SendFlags;
use socket2::SockRef;
use std::io::{self, IoSlice, Read};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsRawFd;
use std::task::{Context, Poll};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// A TCP stream of tokio's.
#[derive(Debug)]
pub(crate) struct TokioStream {
    stream: TcpStream,
}

impl TokioStream {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream }
    }
}

impl PlainStream for TokioStream {
    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        let result = self.stream.try_io(Interest::READABLE, || {
            read = (&*SockRef::from(&self.stream)).read(buf)?;
            if read == 0 || read == buf.len() {
                return Ok(());
            }
            // The system has no more. To say so here, within `try_io`, forgets that the stream was
            // readable, and no event that comes meanwhile: one `recv` a read instead of two.
            Err(io::ErrorKind::WouldBlock.into())
        });
        if read > 0 { Ok(read) } else { result.map(|()| 0) }
    }

    fn try_write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let written = send(&self.stream, bufs);
        if !matches!(&written, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            return written;
        }
        // Only now does tokio have to hear of it, so that it waits for the stream. Asking it before each
        // write would cost a cache miss more.
        self.stream.try_io(Interest::WRITABLE, || send(&self.stream, bufs))
    }

    fn touch(&self) -> usize {
        usize::from(self.stream.as_raw_fd() == 0)
    }

    fn peer_addr(&self) -> Option<SocketAddr> {
        self.stream.peer_addr().ok()
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_read_ready(cx)
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_write_ready(cx)
    }

    fn close(&self) {
        // It may have been closed by the peer: then there is nothing to do.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Both);
    }

    fn abort(&self) {
        // Dissolving the association resets the connection and frees what the system holds of it, now, and
        // not when the last who knows the stream lets go of it.
        if rustix::net::connect_unspec(&self.stream).is_err() {
            let _ = SockRef::from(&self.stream).shutdown(Shutdown::Both);
        }
    }
}

/// Sends without asking tokio whether the stream is writable.
fn send(stream: &TcpStream, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    let written = match bufs {
        [buf] => rustix::net::send(stream, buf, SendFlags::NOSIGNAL)?,
        bufs => rustix::io::writev(stream, bufs)?,
    };
    Ok(written)
}
