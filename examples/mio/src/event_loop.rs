//! The loop: one thread that waits for the system, and takes every turn in the same order.
//!
//! ```text
//!  poll ─▶ deadlines ─▶ accept, read, handlers ─▶ write what that has queued ─┐
//!   ▲                                                                         │
//!   └─────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Nothing is written while anything is read: whatever a turn's input has queued for a client, of its own and of
//! others', leaves in one write.

use crate::stream::{Read, Stream};
use mio::event::Event;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use one_thread::{Flow, Service};
use std::io::{self, ErrorKind};
use std::mem;
use std::time::{Duration, Instant};

/// How much is read at once, in bytes: one buffer for everybody, as an idle client needs none.
const SCRATCH: usize = 64 * 1024;

/// How many reads a peer has in one turn, and how many writes there are in all: nobody waits long for theirs.
const READS: usize = 8;
const WRITES: usize = 512;

/// How long to wait when the system has no more descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

const LISTENER: Token = Token(usize::MAX);
const END: Token = Token(usize::MAX - 1);

pub(crate) struct EventLoop {
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    /// `None` at the end: who comes then is refused, and goes elsewhere at once.
    listener: Option<TcpListener>,
    accept_again: Option<Instant>,
    service: Service,
    /// By the number that the service calls a peer by.
    streams: Vec<Option<Stream>>,
    #[cfg(unix)]
    signal: Option<mio::net::UnixStream>,
}

impl EventLoop {
    /// Serves whoever comes to this listener.
    pub(crate) fn new(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let mut listener = TcpListener::from_std(listener);
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            events: Events::with_capacity(1024),
            scratch: vec![0; SCRATCH],
            listener: Some(listener),
            accept_again: None,
            service: Service::new(),
            streams: Vec::new(),
            #[cfg(unix)]
            signal: None,
        })
    }

    /// Ends in good order when there is something to be read from this.
    #[cfg(unix)]
    pub(crate) fn wait_for_end(&mut self, signal: std::os::unix::net::UnixStream) -> io::Result<()> {
        signal.set_nonblocking(true)?;
        let signal = self.signal.insert(mio::net::UnixStream::from_std(signal));
        self.poll.registry().register(signal, END, Interest::READABLE)
    }

    /// Takes turns until it is to end, and everybody has gone.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        while !self.service.has_ended() {
            let accept = self.accept_again.map(|at| at.saturating_duration_since(Instant::now()));
            self.turn(self.service.wait().into_iter().chain(accept).min())?;
        }
        Ok(())
    }

    /// Waits so long for something to do, `None` for ever, and does it.
    fn turn(&mut self, wait: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, wait) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            Ok(()) | Err(_) => {}
        }
        self.service.wake();
        if self.accept_again.is_some_and(|at| at <= Instant::now()) {
            self.accept();
        }

        let events = mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            match event.token() {
                LISTENER => self.accept(),
                END => {
                    self.listener = None;
                    self.service.drain();
                }
                Token(key) => self.note(key, event),
            }
        }
        self.events = events;
        for _ in 0..self.service.ready() {
            if let Some(key) = self.service.next_ready() {
                self.read(key);
            }
        }
        self.service.end_turn();
        self.write();
        Ok(())
    }

    fn accept(&mut self) {
        self.accept_again = None;
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((stream, _)) => self.welcome(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // Of a client that has gone already, there is nothing to say.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(_) => {
                    self.accept_again = Some(Instant::now() + ACCEPT_AGAIN);
                    return;
                }
            }
        }
    }

    fn welcome(&mut self, mut stream: mio::net::TcpStream) {
        let key = self.service.connect();
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.poll.registry().register(&mut stream, Token(key), interest).is_err() {
            return self.service.remove(key);
        }
        if key >= self.streams.len() {
            self.streams.resize_with(key + 1, || None);
        }
        self.streams[key] = Some(Stream::new(stream));
    }

    /// The system says that a peer can be read from, or written to: once, until that has been done in full.
    fn note(&mut self, key: usize, event: &Event) {
        let Some(stream) = self.streams[key].as_mut() else { return };
        if event.is_readable() || event.is_read_closed() {
            stream.half_closed |= event.is_read_closed();
            if !mem::replace(&mut stream.readable, true) {
                self.service.make_ready(key);
            }
        }
        if event.is_writable() {
            self.service.has_room(key);
        }
    }

    fn read(&mut self, key: usize) {
        for _ in 0..READS {
            let Some(stream) = self.streams[key].as_mut() else { return };
            if !self.service.listens(key) {
                return self.service.arm(key);
            }
            if self.service.take_kept(key) {
                continue;
            }
            match stream.read(&mut self.scratch) {
                Read::Bytes(len) => self.service.take_in(key, &mut self.scratch[..len]),
                Read::End => self.service.hang_up(key),
                Read::Nothing => return self.service.arm(key),
            }
        }
        self.service.make_ready(key);
    }

    /// Writes what the turn has queued: all that waits for one peer at once.
    fn write(&mut self) {
        for _ in 0..self.service.dirty().min(WRITES) {
            let Some(key) = self.service.next_dirty() else { break };
            let Some(stream) = self.streams[key].as_mut() else { continue };
            while let Some(batch) = self.service.begin(key) {
                let result = stream.write(&batch);
                if self.service.finish(key, batch, result) != Flow::More {
                    break;
                }
            }
            if let Some(end) = self.service.end(key) {
                self.service.remove(key);
                self.streams[key].take().into_iter().for_each(|stream| stream.end(end));
            }
        }
    }
}

#[cfg(test)]
mod tests;
