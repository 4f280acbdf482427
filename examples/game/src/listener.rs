//! Where clients come in.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

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
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        // Accepted connections inherit both.
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
        socket.listen(1024)?;
        Ok(Self(socket.into()))
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
