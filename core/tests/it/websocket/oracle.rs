//! The same stream, read by tungstenite.

use super::peer::*;
use proptest::prelude::*;
use std::io::{self, Read, Write};
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

/// A stream that gives what a client wrote, and takes whatever is answered.
struct Recorded<'a>(&'a [u8]);

impl Read for Recorded<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl Write for Recorded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn read_by_tungstenite(stream: &[u8]) -> Vec<Seen> {
    let mut socket = WebSocket::from_raw_socket(Recorded(stream), Role::Server, None);
    let mut seen = Vec::new();
    while let Ok(message) = socket.read() {
        seen.push(match message {
            Message::Text(text) => Seen::Text(text.as_str().to_owned()),
            Message::Binary(bytes) => Seen::Binary(bytes.to_vec()),
            Message::Ping(bytes) => Seen::Ping(bytes.to_vec()),
            Message::Pong(bytes) => Seen::Pong(bytes.to_vec()),
            Message::Close(_) | Message::Frame(_) => break,
        });
    }
    seen
}

fn read_by_us(stream: &[u8]) -> Vec<Seen> {
    let is_event =
        |seen: &Seen| matches!(seen, Seen::Text(_) | Seen::Binary(_) | Seen::Ping(_) | Seen::Pong(_));
    receive(&mut server(), stream, T0).into_iter().filter(is_event).collect()
}

fn frames() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        4 => any::<String>().prop_map(|text| masked(TEXT, text.as_bytes())),
        2 => bytes().prop_map(|bytes| masked(BINARY, &bytes)),
        4 => (bytes(), bytes(), bytes()).prop_map(|(a, b, c)| {
            [fragment(BINARY, &a), masked(PING, &b[..b.len().min(125)]), fragment(CONTINUATION, &b), masked(CONTINUATION, &c)].concat()
        }),
        4 => (any::<String>(), any::<prop::sample::Index>()).prop_map(|(text, cut)| {
            let (a, b) = text.as_bytes().split_at(cut.index(text.len() + 1));
            [fragment(TEXT, a), masked(CONTINUATION, b)].concat()
        }),
        1 => prop::collection::vec(any::<u8>(), 0..125).prop_map(|bytes| masked(PONG, &bytes)),
        1 => bytes().prop_map(|bytes| masked(TEXT, &bytes)),
        1 => any::<u8>().prop_map(|first| frame(first, b"", Some(KEY))),
        1 => Just(plain(TEXT, b"unmasked")),
    ]
}

proptest! {
    #[test]
    fn tungstenite_reads_the_same(stream in prop::collection::vec(frames(), 0..10)) {
        let stream = stream.concat();

        prop_assert_eq!(read_by_us(&stream), read_by_tungstenite(&stream));
    }
}
