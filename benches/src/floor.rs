//! The floor: a server that does nothing but the system calls.
//!
//! ```text
//!   epoll batch ──▶ one recv per readable socket ──▶ split, answer
//!                                                       │ Direct:    send at once
//!                                                       ▼ Coalesced: at the end of the batch,
//!                                                         one send per socket
//! ```
//!
//! One thread, no protocol state but "who joined what", and no check of anything: what is left is what the
//! kernel costs, and what any server of these frames pays. A connection has one topic, the one it joined.

mod connection;
mod upgrade;

use crate::envelope::Envelope;
use crate::websocket::{CLOSE, Span, TEXT, header};
use connection::{Connection, Received};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use socket2::{Domain, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;

/// When a broadcast reaches the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// One `send` per delivery, at once.
    Direct,
    /// One `send` per socket and epoll batch, of everything that the batch made for it.
    Coalesced,
}

/// A bare epoll server.
#[derive(Debug)]
pub struct Floor {
    poll: Poll,
    listener: TcpListener,
    connections: Slab<Connection>,
    topics: Vec<Topic>,
    numbers: HashMap<Vec<u8>, usize>,
    writes: Writes,
    /// What waits for the end of the batch.
    batch: Batch,
}

#[derive(Debug, Default)]
struct Topic {
    /// Tokens of the connections that joined it.
    members: Vec<usize>,
    /// This batch's broadcasts. Every member gets the same bytes, so they are kept once.
    chunk: Vec<u8>,
}

#[derive(Debug, Default)]
struct Batch {
    /// Topics whose chunk is not empty.
    topics: Vec<usize>,
    /// Replies, one after the other, and whose they are.
    replies: Vec<u8>,
    owners: Vec<(usize, Range<usize>)>,
}

const LISTENER: Token = Token(usize::MAX);
/// What a server under test reads at once, too.
const SCRATCH: usize = 64 * 1024;
/// The send buffer of every connection, in bytes, as Bennu's listener sets it.
const SEND_BUFFER: usize = 64 * 1024;
const BACKLOG: i32 = 4096;

impl Floor {
    /// Listens on `port` of 127.0.0.1.
    ///
    /// # Errors
    /// Those of the socket calls.
    pub fn listen(port: u16, writes: Writes) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        // Accepted sockets inherit both.
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
        socket.listen(BACKLOG)?;

        let poll = Poll::new()?;
        let mut listener = TcpListener::from_std(socket.into());
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            connections: Slab::new(),
            topics: Vec::new(),
            numbers: HashMap::new(),
            writes,
            batch: Batch::default(),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Those of `getsockname`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// Those of `epoll_wait`.
    pub fn serve(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut scratch = vec![0; SCRATCH];
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                Ok(()) | Err(_) => {}
            }
            for event in &events {
                if event.token() == LISTENER {
                    self.accept()?;
                    continue;
                }
                let Token(id) = event.token();
                if event.is_writable() {
                    self.connections[id].flush();
                }
                if event.is_readable() {
                    self.read(id, &mut scratch);
                }
            }
            self.end_batch();
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let entry = self.connections.vacant_entry();
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(entry.key()), interest)?;
            entry.insert(Connection::new(stream));
        }
    }

    fn read(&mut self, id: usize, scratch: &mut [u8]) {
        loop {
            let (filled, received) = self.connections[id].receive(scratch);
            let used = self.take(id, &mut scratch[..filled]);
            match (used, received) {
                (Some(used), Received::Drained) => return self.connections[id].keep(&scratch[used..filled]),
                (Some(used), Received::More) => self.connections[id].keep(&scratch[used..filled]),
                (None, _) | (Some(_), Received::Ended) => return self.remove(id),
            }
        }
    }

    /// Handles whole frames, and says how many bytes they were; `None` if the connection is to end.
    fn take(&mut self, id: usize, bytes: &mut [u8]) -> Option<usize> {
        let mut used = 0;
        if self.connections[id].awaits_upgrade() {
            let Some(end) = upgrade::end_of_head(bytes) else { return Some(0) };
            let response = upgrade::response(&bytes[..end])?;
            self.connections[id].upgraded(&response);
            used = end;
        }
        let replies = self.batch.replies.len();
        while let Some(span) = Span::of(&bytes[used..]) {
            if span.first == CLOSE {
                return None;
            }
            self.answer(id, span.unmask(&mut bytes[used..]))?;
            used += span.end;
        }
        self.replied(id, replies);
        Some(used)
    }

    fn answer(&mut self, id: usize, body: &[u8]) -> Option<()> {
        let envelope = Envelope::split(body)?;
        match envelope.event {
            br#""broadcast""# => self.broadcast(self.connections[id].topic?, &envelope),
            br#""echo""# => self.reply(&envelope, envelope.payload),
            br#""heartbeat""# => self.reply(&envelope, b"{}"),
            br#""phx_join""# => {
                self.join(id, envelope.topic);
                self.reply(&envelope, b"{}");
            }
            _ => return None,
        }
        Some(())
    }

    fn join(&mut self, id: usize, name: &[u8]) {
        let number = *self.numbers.entry(name.to_vec()).or_insert_with(|| {
            self.topics.push(Topic::default());
            self.topics.len() - 1
        });
        self.topics[number].members.push(id);
        self.connections[id].topic = Some(number);
    }

    fn reply(&mut self, envelope: &Envelope<'_>, response: &[u8]) {
        append_frame(&mut self.batch.replies, |body| envelope.push_reply(body, response));
    }

    fn broadcast(&mut self, number: usize, envelope: &Envelope<'_>) {
        let topic = &mut self.topics[number];
        if self.writes == Writes::Coalesced && topic.chunk.is_empty() {
            self.batch.topics.push(number);
        }
        append_frame(&mut topic.chunk, |body| envelope.push_broadcast(body));
        if self.writes == Writes::Direct {
            self.deliver(number);
        }
    }

    /// Sends a topic's chunk to its members.
    fn deliver(&mut self, number: usize) {
        let Topic { members, chunk } = &mut self.topics[number];
        for &member in members.iter() {
            self.connections[member].send(chunk);
        }
        chunk.clear();
    }

    /// Sends what one read has appended to the replies, or leaves it to the end of the batch.
    fn replied(&mut self, id: usize, start: usize) {
        let end = self.batch.replies.len();
        if start == end {
            return;
        }
        if self.writes == Writes::Coalesced {
            self.batch.owners.push((id, start..end));
            return;
        }
        self.connections[id].send(&self.batch.replies[start..end]);
        self.batch.replies.truncate(start);
    }

    fn end_batch(&mut self) {
        let Batch { replies, owners, .. } = &mut self.batch;
        for (id, range) in owners.drain(..) {
            // Its owner may be gone by now.
            if let Some(connection) = self.connections.get_mut(id) {
                connection.send(&replies[range]);
            }
        }
        replies.clear();
        while let Some(number) = self.batch.topics.pop() {
            self.deliver(number);
        }
    }

    fn remove(&mut self, id: usize) {
        let connection = self.connections.remove(id);
        if let Some(number) = connection.topic {
            self.topics[number].members.retain(|&member| member != id);
        }
    }
}

/// Appends a text frame, whose length is known once its body is written.
fn append_frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    /// A header with a 16-bit length, as most have: behind another one the body is moved.
    const ROOM: usize = 4;

    let start = out.len();
    out.extend_from_slice(&[0; ROOM]);
    write(out);
    let (bytes, size) = header(TEXT, out.len() - start - ROOM);
    out.splice(start..start + ROOM, bytes.into_iter().take(size));
}
