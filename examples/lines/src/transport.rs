//! The transport.

use bennu::{Endpoint, Frame, Inbound, Kind, Outbound};
use http::Request;
use std::io;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};

/// The longest line that is taken, in bytes: how long a message may be is for the transport to bound.
pub const MAX_LINE: usize = 1 << 20;

/// What a client would ask for as a WebSocket. One that is to say who it is would send its parameters in its first line.
const TARGET: &str = "/socket/websocket?vsn=2.0.0";

/// Takes clients, each in a task of its own.
///
/// # Errors
/// If the listener fails.
pub async fn serve(listener: UnixListener, endpoint: Endpoint) -> io::Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
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
        write.write_all(&lines).await?;
    }
    Ok(())
}

/// A message as a line. A payload leaves as its sender wrote it, maybe over several lines: in JSON a line break is a space.
fn line(frame: &Frame) -> impl Iterator<Item = u8> {
    let bytes = frame.body().iter().map(|&byte| if byte == b'\n' { b' ' } else { byte });
    bytes.chain([b'\n'])
}
