//! Connects, upgrades and joins many clients, a wave at a time.

use super::client::ClientError;
use super::session::Session;
use crate::websocket::Span;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::Duration;

/// So many clients wait for an answer at once: enough to keep a server busy, and far less than its backlog.
const WAVE: usize = 64;
/// How long one answer may take.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// More than any answer to an upgrade or a join.
const SCRATCH: usize = 4096;

const REQUEST: &[u8] = b"GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\n\
    host: 127.0.0.1\r\n\
    connection: upgrade\r\n\
    upgrade: websocket\r\n\
    sec-websocket-version: 13\r\n\
    sec-websocket-key: YmVubnUgbG9hZCBiZW5jaA==\r\n\r\n";

/// Opens `count` connections to the V2 socket of a server.
///
/// # Errors
/// [`ClientError`] if one is refused, or is not answered in time.
pub(super) fn upgrade(server: SocketAddr, count: usize) -> Result<Vec<TcpStream>, ClientError> {
    let mut streams = Vec::with_capacity(count);
    while streams.len() < count {
        let mut wave = Vec::with_capacity(WAVE);
        for _ in streams.len()..count.min(streams.len() + WAVE) {
            let mut stream = TcpStream::connect(server)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER_LIMIT))?;
            ask_upgrade(&mut stream)?;
            wave.push(stream);
        }
        for stream in &mut wave {
            take_upgrade(stream)?;
        }
        streams.append(&mut wave);
    }
    Ok(streams)
}

/// Joins each connection to the topic of its session.
///
/// # Errors
/// [`ClientError`] if a join is refused, or is not answered in time.
pub(super) fn join(streams: &mut [TcpStream], sessions: &[Rc<Session>]) -> Result<(), ClientError> {
    for (streams, sessions) in streams.chunks_mut(WAVE).zip(sessions.chunks(WAVE)) {
        for (stream, session) in streams.iter_mut().zip(sessions) {
            stream.write_all(&session.join)?;
        }
        for (stream, session) in streams.iter_mut().zip(sessions) {
            take(stream, |body| body == session.joined)?;
        }
    }
    Ok(())
}

/// Asks for an upgrade.
///
/// # Errors
/// Those of the stream.
pub(super) fn ask_upgrade(stream: &mut impl Write) -> Result<(), ClientError> {
    Ok(stream.write_all(REQUEST)?)
}

/// Reads the answer to that.
///
/// # Errors
/// [`ClientError::Refused`] if it is another than 101.
pub(super) fn take_upgrade(stream: &mut impl Read) -> Result<(), ClientError> {
    let response = read_until(stream, |bytes| bytes.ends_with(b"\r\n\r\n").then_some(bytes.len()))?;
    if !response.starts_with(b"HTTP/1.1 101 ") {
        return Err(ClientError::Refused { answer: first_line(&response) });
    }
    Ok(())
}

/// Sends a frame, and reads the one that answers it.
///
/// # Errors
/// [`ClientError::Refused`] if its body is not as `expected`.
pub(super) fn ask(
    stream: &mut (impl Read + Write),
    frame: &[u8],
    expected: impl FnOnce(&[u8]) -> bool,
) -> Result<(), ClientError> {
    stream.write_all(frame)?;
    take(stream, expected)
}

fn take(stream: &mut impl Read, expected: impl FnOnce(&[u8]) -> bool) -> Result<(), ClientError> {
    let mut frame = read_until(stream, |bytes| Span::of(bytes).map(|span| span.end))?;
    let is_expected = Span::of(&frame).is_some_and(|span| expected(span.unmask(&mut frame)));
    if !is_expected {
        return Err(ClientError::Refused { answer: first_line(&frame) });
    }
    Ok(())
}

/// Reads one answer, whose length `end` finds. The server speaks only when spoken to, so nothing follows it.
fn read_until(stream: &mut impl Read, end: impl Fn(&[u8]) -> Option<usize>) -> Result<Vec<u8>, ClientError> {
    let mut bytes = vec![0; SCRATCH];
    let mut filled = 0;
    loop {
        match stream.read(&mut bytes[filled..]) {
            Ok(0) => return Err(ClientError::Closed),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(ClientError::Silent),
            Err(error) => return Err(error.into()),
        }
        if let Some(end) = end(&bytes[..filled]) {
            bytes.truncate(end);
            return Ok(bytes);
        }
    }
}

fn first_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned()
}
