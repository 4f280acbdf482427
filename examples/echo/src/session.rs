//! One WebSocket from its upgrade to its end: all there is to driving a `Connection`.

use crate::clock::Clock;
use bennu_core::websocket::{Connection, Event, Output};
use bennu_core::{Instant, Kind};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::select;
use tokio::time::timeout;

/// How much is read at once, in bytes.
const SCRATCH: usize = 64 * 1024;

/// How long a peer may take to read what it is sent.
const WRITING: Duration = Duration::from_secs(30);

/// How long what is still on its way is read and thrown away. Without that, the system would answer it with a reset,
/// which can overtake our close frame.
const LINGERING: Duration = Duration::from_secs(1);

/// A message to a peer, or from it.
pub(crate) type Message = (Kind, Vec<u8>);

/// Runs a connection to its end. `answer` is asked for each message, in order.
pub(crate) async fn run(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    mut connection: Connection,
    clock: Clock,
    mut answer: impl FnMut(Message) -> Option<Message>,
) -> io::Result<()> {
    let mut scratch = vec![0; SCRATCH];
    let mut out = Vec::new();
    loop {
        select! {
            read = stream.read(&mut scratch) => match read {
                // A reset is an end too: some servers end every connection with one.
                Ok(0) | Err(_) => connection.handle_eof(clock.now()),
                Ok(len) => receive(&mut connection, &mut scratch[..len], clock.now(), &mut answer, &mut out),
            },
            () = clock.reach(connection.poll_timeout()) => connection.handle_timeout(clock.now()),
        }
        let end = drain(&mut connection, &mut out);
        timeout(WRITING, stream.write_all(&out)).await??;
        timeout(WRITING, stream.flush()).await??;
        out.clear();
        if end == Drained::End {
            break;
        }
    }
    // Fails if the peer has ended the stream already.
    let _ = stream.shutdown().await;
    let _ = timeout(LINGERING, tokio::io::copy(&mut stream, &mut tokio::io::sink())).await;
    Ok(())
}

/// Whether anything can still follow.
#[derive(PartialEq, Eq)]
enum Drained {
    Open,
    End,
}

/// Takes bytes in, in whatever pieces they came, and puts behind `out` what they call for.
fn receive(
    connection: &mut Connection,
    mut bytes: &mut [u8],
    now: Instant,
    answer: &mut impl FnMut(Message) -> Option<Message>,
    out: &mut Vec<u8>,
) {
    loop {
        let received = connection.receive(bytes, now);
        let consumed = received.consumed;
        // Copied, as it is borrowed from the connection, which is to encode the answer.
        let message = match received.event {
            Some(Event::Text(text)) => Some((Kind::Text, text.as_bytes().to_vec())),
            Some(Event::Binary(data)) => Some((Kind::Binary, data.to_vec())),
            Some(_) => None,
            None => return,
        };
        if let Some((kind, body)) = message.and_then(&mut *answer) {
            connection.encode(kind, &body, out);
        }
        // Each ping is answered: the machine owes a pong for the latest alone.
        if let Some(pong) = connection.take_pong() {
            out.extend_from_slice(pong.as_bytes());
        }
        bytes = &mut bytes[consumed..];
    }
}

/// Polls outputs until there are none.
fn drain(connection: &mut Connection, out: &mut Vec<u8>) -> Drained {
    let mut drained = Drained::Open;
    while let Some(output) = connection.poll_output() {
        match output {
            Output::Send(frame) => out.extend_from_slice(frame.as_bytes()),
            Output::Closed(_) => {}
            Output::End => drained = Drained::End,
        }
    }
    drained
}

#[cfg(test)]
mod tests {
    use super::*;
    use bennu_core::websocket::Config;

    #[tokio::test]
    async fn each_message_comes_back_and_each_ping_is_answered_in_order() {
        let sent = [
            masked(0x81, b"hi"),
            masked(0x89, b"1"),
            masked(0x89, b"2"),
            masked(0x82, &[0, 255]),
            masked(0x88, &[0x03, 0xe8]),
        ];

        let heard = conversation(&sent.concat()).await;

        let expected: [&[u8]; 5] =
            [b"\x81\x02hi", b"\x8a\x011", b"\x8a\x012", b"\x82\x02\x00\xff", b"\x88\x02\x03\xe8"];
        assert_eq!(heard, expected.concat());
    }

    #[tokio::test]
    async fn message_in_fragments_comes_back_whole() {
        let sent = [masked(0x01, b"he"), masked(0x89, b""), masked(0x80, b"llo")];

        let heard = conversation(&sent.concat()).await;

        assert_eq!(heard, b"\x8a\x00\x81\x05hello");
    }

    #[tokio::test]
    async fn who_breaks_a_rule_is_told_which_kind_behind_what_came_before() {
        let sent = [masked(0x81, b"hi"), masked(0x83, b"?"), masked(0x81, b"lost")];

        let heard = conversation(&sent.concat()).await;

        assert_eq!(heard, b"\x81\x02hi\x88\x02\x03\xea");
    }

    /// All that is said to a peer who says this, and then nothing more.
    async fn conversation(sent: &[u8]) -> Vec<u8> {
        let (near, far) = tokio::io::duplex(SCRATCH);
        let clock = Clock::start();
        let connection = Connection::server(Config::default(), clock.now());
        let session = tokio::spawn(run(near, connection, clock, Some));
        let (mut from, mut to) = tokio::io::split(far);
        to.write_all(sent).await.unwrap();
        to.shutdown().await.unwrap();
        let mut heard = Vec::new();
        from.read_to_end(&mut heard).await.unwrap();
        session.await.unwrap().unwrap();
        heard
    }

    /// A client's frame whose mask changes nothing.
    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
    }
}
