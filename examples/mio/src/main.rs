//! Channels in an event loop: one thread, `mio`, the machines of `bennu_core`, and no async anywhere.
//!
//! ```text
//!  event_loop.rs  waits, reads, writes, keeps time     peer.rs      one client's stream and queues
//!  service.rs     bytes to messages to handlers        upgrade.rs   HTTP, until the upgrade
//!  node.rs        the server machine and its outputs   run.rs       broadcasts, merged
//!  handlers.rs    the application
//! ```

mod event_loop;
mod handlers;
mod node;
mod peer;
mod run;
mod service;
mod upgrade;

use clap::Parser;
use event_loop::EventLoop;
use mio::net::TcpListener;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

/// Serves the channels `room:*`, `join:*`, `monitor:*` and `bench:*` of the conformance app at `/socket/websocket`.
/// Listens on the loopback address alone.
#[derive(Parser)]
struct Arguments {
    /// The port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 4100)]
    port: u16,
}

/// The send buffer of each connection, in bytes: what the system would let it grow to, a client that does not read
/// would have it keep.
const SEND_BUFFER: usize = 64 * 1024;

fn main() -> ExitCode {
    match serve(Arguments::parse().port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mio-example: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(port: u16) -> io::Result<()> {
    let listener = listen(port)?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut event_loop = EventLoop::new(listener, hash_key())?;
    #[cfg(unix)]
    end_on_signal(&mut event_loop)?;
    event_loop.run()
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    // Accepted connections inherit both.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(4096)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Secret from clients, and another one in each process: the standard library's hashes are seeded so.
fn hash_key() -> (u64, u64) {
    use std::hash::{BuildHasher as _, RandomState};

    (RandomState::new().hash_one(0), RandomState::new().hash_one(1))
}

/// Has SIGTERM and SIGINT write to a pipe that the loop reads.
#[cfg(unix)]
fn end_on_signal(event_loop: &mut EventLoop) -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::low_level::pipe;
    use std::os::unix::net::UnixStream;

    let (read, write) = UnixStream::pair()?;
    read.set_nonblocking(true)?;
    pipe::register(SIGTERM, write.try_clone()?)?;
    pipe::register(SIGINT, write)?;
    event_loop.wait_for_end(mio::net::UnixStream::from_std(read))
}
