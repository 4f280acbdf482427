//! What a runtime has to offer, and nothing that names one.

#[cfg(test)]
pub(crate) mod still;

use crate::ConnectionTask;
use bennu_core::Instant;
use bytes::Bytes;
use hyper::upgrade::Upgraded;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A future in a box, on whatever runtime.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A runtime: how to spawn, to sleep, and to tell the time.
///
/// Object-safe on purpose, so that an [`Endpoint`](crate::Endpoint) is not generic: a channel runs on
/// every runtime, and on virtual time.
pub trait Runtime: Send + Sync + 'static {
    /// Runs a future to its end, in the background.
    fn spawn(&self, future: BoxFuture<'static, ()>);

    /// Runs a connection to its end. The same as [`spawn`](Self::spawn), but for the box that a runtime
    /// that can do without saves each of its connections.
    fn spawn_connection(&self, connection: ConnectionTask) {
        self.spawn(Box::pin(connection));
    }

    /// Waits.
    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()>;

    /// Lets everybody else have a turn, the reads that are ready among them.
    fn yield_now(&self) -> BoxFuture<'static, ()>;

    /// The time since a start that this runtime chose; never goes back.
    fn now(&self) -> Instant;

    /// Takes over a connection that has been upgraded: as a [`PlainStream`], with the bytes that were
    /// read from it already, if it is one of this runtime's own; else as it came.
    ///
    /// # Errors
    /// The connection, if it is none of this runtime's plain streams (TLS, for instance).
    fn adopt(&self, upgraded: Upgraded) -> Result<(Box<dyn PlainStream>, Bytes), Upgraded>;
}

/// A stream of the operating system, nothing between it and the peer: any task may write to it.
///
/// All methods take `&self`; who writes when is agreed by the lease of
/// [`Outbox`](bennu_core::outbox::Outbox). One task reads.
pub trait PlainStream: Send + Sync + 'static {
    /// Reads what has arrived; zero at the end of the stream.
    ///
    /// Behind a read that did not fill `buf`, the stream is known to be empty: an implementation does not
    /// ask the system again until it says that there is more.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing has arrived, or what the system says.
    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize>;

    /// Writes what the system takes.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if it takes nothing now, or what the system says.
    fn try_write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Loads what a write will need, and returns anything that depends on it, such as the descriptor: so
    /// that the cache misses of several streams can be taken together before they are written to.
    fn touch(&self) -> usize {
        0
    }

    /// The address at its other end, which is a proxy's behind one; `None` if it has none.
    fn peer_addr(&self) -> Option<SocketAddr> {
        None
    }

    /// Waits until there may be something to read. The reading task calls it, no other.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Waits until something may be written. The reading task calls it, no other.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends the stream in both directions, behind what has been written.
    fn close(&self);

    /// Ends the stream at once; what the system has not sent yet is dropped.
    fn abort(&self);
}
