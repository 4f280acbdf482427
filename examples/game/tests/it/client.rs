//! A client, as far as a test needs one.

use bennu_core::websocket::{Config, Connection, Event};
use bennu_core::{Instant, Kind};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};

pub(crate) const REQUEST: &str = "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\n\
    upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

pub(crate) struct Client<S> {
    stream: S,
    connection: Connection,
    out: Vec<u8>,
    /// What has come of the answer to the request; `None` behind it.
    head: Option<Vec<u8>>,
    /// Its messages have refs from 1 on, the join the first.
    last_ref: u64,
    /// Messages that have come: join_ref, ref, topic, event, payload.
    pub(crate) heard: Vec<Value>,
    pub(crate) has_ended: bool,
}

impl<S: Read + Write> Client<S> {
    /// Connects, and joins `game:1`.
    pub(crate) fn new(stream: S) -> Self {
        let connection = Connection::client(Config::default(), 1, Instant::EPOCH);
        let (out, head) = (REQUEST.into(), Some(Vec::new()));
        let mut client =
            Self { stream, connection, out, head, last_ref: 0, heard: Vec::new(), has_ended: false };
        client.push("phx_join", "{}");
        client
    }

    /// Says something, when the stream takes it.
    pub(crate) fn push(&mut self, event: &str, payload: &str) {
        self.last_ref += 1;
        self.say(&format!(r#"["1","{}","game:1","{event}",{payload}]"#, self.last_ref));
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.connection.encode(Kind::Text, text.as_bytes(), &mut self.out);
        self.write();
    }

    pub(crate) fn write(&mut self) {
        match self.stream.write(&self.out) {
            Ok(written) => drop(self.out.drain(..written)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.has_ended = true,
        }
    }

    /// Reads so many bytes at most; returns how many there were.
    pub(crate) fn read(&mut self, most: usize) -> usize {
        let mut bytes = vec![0; most];
        let mut read = 0;
        while read < most {
            match self.stream.read(&mut bytes[read..]) {
                Ok(len) if len > 0 => read += len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Ok(_) | Err(_) => {
                    self.has_ended = true;
                    break;
                }
            }
        }
        self.take_in(&mut bytes[..read]);
        read
    }

    fn take_in(&mut self, mut bytes: &mut [u8]) {
        if let Some(head) = &mut self.head {
            let known = head.len();
            head.extend_from_slice(bytes);
            let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") else { return };
            bytes = &mut bytes[end + 4 - known..];
            self.head = None;
        }
        loop {
            let received = self.connection.receive(bytes, Instant::EPOCH);
            let consumed = received.consumed;
            match received.event {
                Some(Event::Text(text)) => self.heard.push(serde_json::from_str(text).unwrap()),
                Some(_) => {}
                None => return,
            }
            bytes = &mut bytes[consumed..];
        }
    }

    /// The payloads that came with an event.
    pub(crate) fn events(&self, event: &str) -> Vec<&Value> {
        self.heard.iter().filter(|message| message[3] == event).map(|message| &message[4]).collect()
    }

    /// The ticks of the positions that came.
    pub(crate) fn ticks(&self) -> Vec<u64> {
        self.events("positions").into_iter().map(|positions| positions["tick"].as_u64().unwrap()).collect()
    }

    /// The refs of what was answered with `ok`.
    pub(crate) fn replies(&self) -> Vec<u64> {
        let ok = |message: &&Value| message[3] == "phx_reply" && message[4]["status"] == "ok";
        let reference = |message: &Value| message[1].as_str().unwrap().parse().unwrap();
        self.heard.iter().filter(ok).map(reference).collect()
    }
}
