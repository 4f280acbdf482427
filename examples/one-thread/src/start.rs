//! What stands before the loop: the port, the listener, the signals that end it.

use clap::Parser;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Serves the channels `room:*`, `join:*`, `monitor:*` and `bench:*` of the conformance app at `/socket/websocket`.
/// Listens on the loopback address alone.
#[derive(Debug, Parser)]
pub struct Arguments {
    /// The port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 4100)]
    pub port: u16,
}

/// A send buffer for each connection, in bytes: what the system would let it grow to, a client that does not read
/// would have it keep.
pub const SEND_BUFFER: usize = 64 * 1024;

/// Listens on the loopback address, for connections with such a send buffer; whoever accepts is not waited for by the one
/// that connects.
///
/// # Errors
/// Those of the system: another program may have the port.
pub fn listen(port: u16, send_buffer: usize) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    // Accepted connections inherit both.
    socket.set_send_buffer_size(send_buffer)?;
    socket.set_tcp_nodelay(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}

/// Seeds the table of topics: secret from clients, and another one in each process, as the standard library's hashes are
/// seeded so.
#[must_use]
pub fn hash_key() -> (u64, u64) {
    use std::hash::{BuildHasher as _, RandomState};

    (RandomState::new().hash_one(0), RandomState::new().hash_one(1))
}

/// A stream that has something to be read once SIGTERM or SIGINT has come.
///
/// # Errors
/// Those of the system.
#[cfg(unix)]
pub fn end_on_signal() -> io::Result<std::os::unix::net::UnixStream> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::low_level::pipe;
    use std::os::unix::net::UnixStream;

    let (read, write) = UnixStream::pair()?;
    pipe::register(SIGTERM, write.try_clone()?)?;
    pipe::register(SIGINT, write)?;
    Ok(read)
}
