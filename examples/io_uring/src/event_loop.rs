//! The loop: one thread that enters the kernel once in a turn, with all that the last turn has asked for.
//!
//! ```text
//!  enter ─▶ deadlines ─▶ what has come, handlers ─▶ sends, of what that has queued ─┐
//!   ▲                                                                               │
//!   └───────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! The sends of a turn are one system call, however many clients they go to. They take what there is room for, and wait
//! for nothing: so they are over when that call returns, and a client that does not read is seen as such at once.

use crate::ring::{Buffer, Completion, Rest, Ring, Socket};
use crate::token::{Token, Who};
use bennu_core::outbox::Batch;
use one_thread::{End, Flow, Service};
use std::io;
use std::mem;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How many sends there are in one turn: nobody waits long for what they have sent to be read.
const SENDS: usize = 512;

/// How long to wait when the system has no more descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

pub(crate) struct EventLoop {
    ring: Ring,
    /// `None` at the end: who comes then is refused, and goes elsewhere at once.
    listener: Option<Socket>,
    accept_again: Option<Instant>,
    service: Service,
    /// By the number that the service calls a peer by.
    streams: Vec<Option<Stream>>,
    /// How many there have been.
    count: u32,
    signal: Option<Socket>,
}

struct Stream {
    socket: Socket,
    who: Who,
    receiving: Receiving,
    /// The kernel is to tell when it can be written to.
    awaits_room: bool,
    /// Nothing more comes, behind what was kept.
    has_ended: bool,
}

/// Whether the kernel receives from a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Receiving {
    No,
    Yes,
    /// It has been told to end that.
    Ending,
}

impl EventLoop {
    /// Serves whoever comes to this listener.
    pub(crate) fn new(mut ring: Ring, listener: TcpListener) -> Self {
        let listener = Socket::new(listener);
        ring.accept(&listener);
        Self {
            ring,
            listener: Some(listener),
            accept_again: None,
            service: Service::new(),
            streams: Vec::new(),
            count: 0,
            signal: None,
        }
    }

    /// Ends in good order when there is something to be read from this.
    pub(crate) fn wait_for_end(&mut self, signal: UnixStream) {
        self.ring.tell_of_signal(self.signal.insert(Socket::new(signal)));
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
        self.ring.enter(wait)?;
        self.service.wake();
        if self.accept_again.take_if(|at| *at <= Instant::now()).is_some() {
            self.accept();
        }
        while let Some(completion) = self.ring.next() {
            match completion {
                Completion::Accepted(result, rest) => self.accepted(result, rest),
                Completion::Received(who, result, rest) => self.received(who, result, rest),
                Completion::Sent(who, batch, result) => self.sent(who, batch, result),
                Completion::Room(who) => self.has_room(who),
                Completion::Signal => self.drain(),
            }
        }
        for _ in 0..self.service.ready() {
            if let Some(key) = self.service.next_ready() {
                self.go_on(key);
            }
        }
        self.service.end_turn();
        self.send();
        Ok(())
    }

    fn accept(&mut self) {
        if let Some(listener) = &self.listener {
            self.ring.accept(listener);
        }
    }

    fn accepted(&mut self, result: io::Result<Socket>, rest: Rest) {
        if self.service.is_draining() {
            result.into_iter().for_each(|socket| self.ring.close(socket));
            return;
        }
        match result {
            Ok(socket) => self.welcome(socket),
            // Of a client that has gone already, there is nothing to say.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) if rest == Rest::Last => {
                self.accept_again = Some(Instant::now() + ACCEPT_AGAIN);
                return;
            }
            Err(_) => {}
        }
        if rest == Rest::Last {
            self.accept();
        }
    }

    fn welcome(&mut self, socket: Socket) {
        let key = self.service.connect();
        let who = Who::new(key, self.count);
        self.count = self.count.wrapping_add(1);
        if key >= self.streams.len() {
            self.streams.resize_with(key + 1, || None);
        }
        let (awaits_room, has_ended) = (false, false);
        self.streams[key] = Some(Stream { socket, who, receiving: Receiving::No, awaits_room, has_ended });
        self.go_on(key);
    }

    fn received(&mut self, who: Who, result: io::Result<Option<Buffer>>, rest: Rest) {
        let Some(stream) = stream_of(&mut self.streams, who) else {
            result.ok().flatten().into_iter().for_each(|buffer| self.ring.give_back(buffer));
            return;
        };
        if rest == Rest::Last {
            stream.receiving = Receiving::No;
        }
        match result {
            Ok(Some(buffer)) => {
                self.service.take_in(who.key, self.ring.bytes(&buffer));
                self.ring.give_back(buffer);
            }
            Ok(None) => stream.has_ended = true,
            Err(error) => match error.raw_os_error() {
                // It was told to end, or there was no buffer: they have all come back when it is asked again.
                Some(libc::ECANCELED | libc::ENOBUFS | libc::EINTR) => {}
                Some(_) | None => stream.has_ended = true,
            },
        }
        self.go_on(who.key);
    }

    /// Has a peer received from, or not, as the service wants it.
    fn go_on(&mut self, key: usize) {
        let Some(Some(stream)) = self.streams.get_mut(key) else { return };
        loop {
            if !self.service.listens(key) {
                if stream.receiving == Receiving::Yes {
                    stream.receiving = Receiving::Ending;
                    self.ring.cancel(Token::Receive(stream.who));
                }
                break;
            }
            if self.service.take_kept(key) {
                continue;
            }
            if mem::take(&mut stream.has_ended) {
                self.service.hang_up(key);
            } else if stream.receiving == Receiving::No {
                stream.receiving = Receiving::Yes;
                self.ring.receive(stream.who, &stream.socket);
            }
            break;
        }
        self.service.arm(key);
    }

    /// Sends what the turn has queued: all that waits for one peer at once.
    fn send(&mut self) {
        for _ in 0..self.service.dirty().min(SENDS) {
            let Some(key) = self.service.next_dirty() else { break };
            let Some(Some(stream)) = self.streams.get(key) else { continue };
            match self.service.begin(key) {
                Some(batch) => self.ring.send(stream.who, &stream.socket, batch),
                None => self.end_if_over(key),
            }
        }
    }

    fn sent(&mut self, who: Who, batch: Batch, result: io::Result<usize>) {
        let Some(stream) = stream_of(&mut self.streams, who) else { return };
        match self.service.finish(who.key, batch, result) {
            Flow::Done => self.end_if_over(who.key),
            Flow::More => self.service.mark(who.key),
            Flow::Blocked => {
                if !mem::replace(&mut stream.awaits_room, true) {
                    self.ring.tell_of_room(who, &stream.socket);
                }
            }
        }
    }

    fn has_room(&mut self, who: Who) {
        let Some(stream) = stream_of(&mut self.streams, who) else { return };
        stream.awaits_room = false;
        self.service.has_room(who.key);
    }

    fn end_if_over(&mut self, key: usize) {
        let Some(end) = self.service.end(key) else { return };
        self.service.remove(key);
        let Some(stream) = self.streams[key].take() else { return };
        // As long as these are under way, the kernel has the stream open.
        if stream.receiving != Receiving::No {
            self.ring.cancel(Token::Receive(stream.who));
        }
        if stream.awaits_room {
            self.ring.cancel(Token::Room(stream.who));
        }
        if end == End::Reset {
            let _ = socket2::SockRef::from(&stream.socket).set_linger(Some(Duration::ZERO));
        }
        self.ring.close(stream.socket);
    }

    /// Lets nobody in any more, and everybody go.
    fn drain(&mut self) {
        if let Some(listener) = self.listener.take() {
            self.ring.cancel(Token::Accept);
            self.ring.close(listener);
        }
        self.service.drain();
    }
}

/// A stream, unless it has ended meanwhile.
fn stream_of(streams: &mut [Option<Stream>], who: Who) -> Option<&mut Stream> {
    streams.get_mut(who.key)?.as_mut().filter(|stream| stream.who == who)
}

#[cfg(test)]
mod tests;
