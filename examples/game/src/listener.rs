//! Where clients come in.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

/// The send buffer of each connection, in bytes. What the system holds for a client cannot be replaced by something later:
/// left to itself, it would hold minutes of positions.
const SEND_BUFFER: usize = 8 * 1024;

/// A TCP listener that never waits, nor do its streams.
#[derive(Debug)]
pub struct Listener(TcpListener);

impl Listener {
    /// Listens on the loopback address; port 0 is any that is free.
    ///
    /// # Errors
    /// Those of the system: the port is taken.
    pub fn bind(port: u16) -> io::Result<Self> {
        let listener = one_thread::start::listen(port, SEND_BUFFER)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Where that is.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// The next client that has come; `None` if there is none, or none can be taken before the next turn.
    pub fn accept(&self) -> Option<TcpStream> {
        let (stream, _) = self.0.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some(stream)
    }
}
