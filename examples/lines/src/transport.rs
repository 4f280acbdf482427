//! The transport.

use bennu::{Endpoint, Frame, Inbound, Kind, Outbound};
use http::Request;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};

/// The longest line that is taken, in bytes: how long a message may be is for the transport to bound.
pub const MAX_LINE: usize = 1 << 20;

/// What a client would ask for as a WebSocket. One that is to say who it is would send its parameters in its first line.
const TARGET: &str = "/socket/websocket?vsn=2.0.0";

/// How long a client may take for what it is sent: how long a write may wait is for the transport to bound as well.
const TAKES: Duration = Duration::from_secs(10);

/// How long nobody is accepted after the system could not: it lacks descriptors, most likely.
const RESPITE: Duration = Duration::from_millis(100);

/// Listens at a path, where an earlier run may have left its socket.
///
/// # Errors
/// What the system says; [`io::ErrorKind::AddrInUse`] if somebody listens there, or if what is there is no socket.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    let bound = UnixListener::bind(path);
    let is_taken = matches!(&bound, Err(error) if error.kind() == io::ErrorKind::AddrInUse);
    if is_taken && is_deserted(path) {
        std::fs::remove_file(path)?;
        return UnixListener::bind(path);
    }
    bound
}

/// Whether it is a socket, and nobody listens there. A connect to any other file is refused as well.
fn is_deserted(path: &Path) -> bool {
    let is_socket = path.symlink_metadata().is_ok_and(|found| found.file_type().is_socket());
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    is_socket && std::os::unix::net::UnixStream::connect(path).is_err_and(refused)
}

/// Takes clients, each in a task of its own, for ever.
pub async fn serve(listener: UnixListener, endpoint: Endpoint) {
    loop {
        let client = match listener.accept().await {
            Ok((client, _)) => client,
            Err(error) => {
                eprintln!("nobody can be accepted just now: {error}");
                sleep(RESPITE).await;
                continue;
            }
        };
        let endpoint = endpoint.clone();
        tokio::spawn(async move {
            if let Err(error) = carry(client, endpoint).await {
                eprintln!("a client was lost: {error}");
            }
        });
    }
}

/// Carries the messages of one client until either end has gone.
async fn carry(client: UnixStream, endpoint: Endpoint) -> io::Result<()> {
    let request = Request::get(TARGET).body(()).expect("a path and a query");
    let (inbound, outbound) = match endpoint.carry(request).await {
        Ok(halves) => halves,
        Err(refused) => return Err(io::Error::other(format!("refused with {}", refused.status()))),
    };
    let (read, write) = client.into_split();
    // Both at once, and the end of one is the end of the other.
    tokio::select! {
        ended = receive(read, inbound) => ended,
        ended = send(outbound, write) => ended,
    }
}

async fn receive(read: OwnedReadHalf, inbound: Inbound) -> io::Result<()> {
    let mut read = BufReader::new(read);
    loop {
        let mut line = Vec::new();
        // Room for the line break, and one byte more to tell a line that is too long.
        (&mut read).take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line).await?;
        if line.pop() != Some(b'\n') {
            // Nothing, half a line, or too much of one.
            return Ok(());
        }
        if inbound.receive(Kind::Text, line.into()).await.is_err() {
            return Ok(());
        }
    }
}

async fn send(mut outbound: Outbound, mut write: OwnedWriteHalf) -> io::Result<()> {
    while let Some(frames) = outbound.next().await {
        let lines: Vec<u8> = frames.iter().flat_map(line).collect();
        write_in_time(&mut write, &lines).await?;
    }
    Ok(())
}

/// Writes for a client that takes it. For one that does not, nobody would wait for its next frames any more, and so nobody
/// would hear that the node has given it up.
async fn write_in_time(write: &mut (impl AsyncWrite + Unpin), lines: &[u8]) -> io::Result<()> {
    timeout(TAKES, write.write_all(lines)).await?
}

/// A message as a line. A payload leaves as its sender wrote it, maybe over several lines: in JSON a line break is a space.
fn line(frame: &Frame) -> impl Iterator<Item = u8> {
    let bytes = frame.body().iter().map(|&byte| if byte == b'\n' { b' ' } else { byte });
    bytes.chain([b'\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn client_that_takes_nothing_is_given_up_in_time() {
        let (_client, mut write) = tokio::io::duplex(64);

        let written = write_in_time(&mut write, &[0; 65]).await;

        assert_eq!(written.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
    }
}
