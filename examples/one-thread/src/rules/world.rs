//! A loop and its clients, in one thread.

use super::Loop;
use crate::node::Node;
use bennu_core::Instant;
use bennu_core::Kind;
use bennu_core::websocket::{Config, Connection, Event, Output};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub(super) const UPGRADE: &[u8] =
    b"GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\n\
    upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A loop, and the clients of a test: all in one thread.
pub(super) struct World<L> {
    pub(super) event_loop: L,
    address: SocketAddr,
    pub(super) clients: Vec<Client>,
}

pub(super) struct Client {
    pub(super) stream: TcpStream,
    pub(super) connection: Connection,
    /// Bytes that are to be sent: the system takes them when it has room.
    pub(super) out: Vec<u8>,
    /// What has come so far of the answer to the request; `None` behind it.
    head: Option<Vec<u8>>,
    /// All of it, and what came in the same read.
    pub(super) answer: Vec<u8>,
    pub(super) heard: Vec<String>,
    pub(super) reads: bool,
    pub(super) has_ended: bool,
    pub(super) was_reset: bool,
}

impl<L: Loop> World<L> {
    pub(super) fn new() -> Self {
        let listener = crate::start::listen(0, crate::start::SEND_BUFFER).unwrap();
        let address = listener.local_addr().unwrap();
        Self { event_loop: L::new(listener).unwrap(), address, clients: Vec::new() }
    }

    pub(super) fn connect(&mut self) -> usize {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream.set_nodelay(true).unwrap();
        self.clients.push(Client {
            stream,
            connection: Connection::client(Config::default(), 1, Instant::EPOCH),
            out: Vec::new(),
            head: Some(Vec::new()),
            answer: Vec::new(),
            heard: Vec::new(),
            reads: true,
            has_ended: false,
            was_reset: false,
        });
        self.clients.len() - 1
    }

    /// Whether somebody who comes now is refused.
    pub(super) fn refuses(&self) -> bool {
        TcpStream::connect(self.address).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    }

    /// A client that has joined.
    pub(super) fn join(&mut self, topic: &str) -> usize {
        let client = self.connect();
        self.clients[client].out.extend_from_slice(UPGRADE);
        self.say(client, &format!(r#"["1","1","{topic}","phx_join",{{}}]"#));
        self.until(|world| world.clients[client].heard.len() == 1);
        self.clients[client].heard.clear();
        client
    }

    pub(super) fn say(&mut self, client: usize, text: &str) {
        let Client { connection, out, .. } = &mut self.clients[client];
        connection.encode(Kind::Text, text.as_bytes(), out);
    }

    /// Lets everybody have turns until something has come about.
    #[track_caller]
    pub(super) fn until(&mut self, is_so: impl Fn(&mut Self) -> bool) {
        for _ in 0..20_000 {
            if is_so(self) {
                return;
            }
            self.clients.iter_mut().for_each(Client::turn);
            self.event_loop.turn(Some(Duration::from_millis(1))).unwrap();
        }
        panic!("it does not come about");
    }

    pub(super) fn pass(&mut self, time: Duration) {
        let epoch = &mut self.event_loop.service().timers.epoch;
        *epoch = epoch.checked_sub(time).expect("the machine runs for longer");
    }

    /// From here on, nobody's time is ever up.
    pub(super) fn stop_time(&mut self) {
        self.event_loop.service().timers.epoch += Duration::from_secs(3600);
    }

    pub(super) fn node(&mut self) -> &mut Node {
        &mut self.event_loop.service().node
    }

    pub(super) fn peers(&mut self) -> usize {
        self.node().peers.len()
    }
}

impl Client {
    pub(super) fn turn(&mut self) {
        // To write nothing would take the error away that a read is to see.
        if !self.out.is_empty()
            && let Ok(written) = self.stream.write(&self.out)
        {
            self.out.drain(..written);
        }
        let mut bytes = [0; 16 * 1024];
        while self.reads && !self.has_ended {
            match self.stream.read(&mut bytes) {
                Ok(len) if len > 0 => self.take_in(&mut bytes[..len]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Ok(_) => self.has_ended = true,
                Err(_) => (self.has_ended, self.was_reset) = (true, true),
            }
        }
    }

    pub(super) fn take_in(&mut self, mut bytes: &mut [u8]) {
        if let Some(head) = &mut self.head {
            let known = head.len();
            head.extend_from_slice(bytes);
            let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") else { return };
            bytes = &mut bytes[end + 4 - known..];
            self.answer = self.head.take().unwrap_or_default();
        }
        loop {
            let received = self.connection.receive(bytes, Instant::EPOCH);
            let consumed = received.consumed;
            match received.event {
                Some(Event::Text(text)) => self.heard.push(text.to_owned()),
                Some(_) => {}
                None => break,
            }
            bytes = &mut bytes[consumed..];
        }
        while let Some(output) = self.connection.poll_output() {
            match output {
                Output::Send(frame) => self.out.extend_from_slice(frame.as_bytes()),
                Output::Closed(reason) => self.heard.push(format!("{reason:?}")),
                Output::End => self.has_ended = true,
            }
        }
    }
}
