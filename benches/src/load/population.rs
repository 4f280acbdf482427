//! Many clients in one thread.

use super::client::{Client, ClientError, Order};
use super::opening;
use super::session::Session;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io;
use std::net::{self, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Clients that have joined, and what waits for their sockets.
#[derive(Debug)]
pub(super) struct Population {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    scratch: Vec<u8>,
    /// Frames being made, kept for its capacity.
    outgoing: Vec<u8>,
}

/// How a phase fails.
#[derive(Debug, thiserror::Error)]
pub(super) enum PopulationError {
    #[error("client {client}: {error}")]
    Client { client: usize, error: ClientError },
    #[error(transparent)]
    Opening(#[from] ClientError),
    #[error("{found} of {wanted} frames came within {} s", PHASE_LIMIT.as_secs())]
    Late { found: usize, wanted: usize },
    #[error("{found} frames came that nobody had asked for")]
    Surplus { found: usize },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What a push asks the server for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Broadcast,
    Echo,
}

/// Servers cut off who is silent for 60 s, and most clients here only listen: a phase has to be shorter.
const PHASE_LIMIT: Duration = Duration::from_secs(45);
const SCRATCH: usize = 256 * 1024;
/// Few enough that answers go out while there is more to read, as they would from many machines.
const BATCH: usize = 64;
/// A frame too many would have come by then.
const AFTERMATH: Duration = Duration::from_millis(50);

impl Population {
    /// Opens one client per session, and joins its topic.
    ///
    /// # Errors
    /// [`PopulationError`] if one of them is refused.
    pub(super) fn open(server: SocketAddr, sessions: &[Rc<Session>]) -> Result<Self, PopulationError> {
        let mut streams = opening::upgrade(server, sessions.len())?;
        opening::join(&mut streams, sessions)?;
        Self::of(streams, sessions)
    }

    /// Takes over connections that have joined.
    ///
    /// # Errors
    /// Those of epoll.
    fn of(streams: Vec<net::TcpStream>, sessions: &[Rc<Session>]) -> Result<Self, PopulationError> {
        let poll = Poll::new()?;
        let mut clients = Vec::with_capacity(streams.len());
        for (number, (stream, session)) in streams.into_iter().zip(sessions).enumerate() {
            stream.set_nonblocking(true)?;
            let mut client = Client::new(TcpStream::from_std(stream), Rc::clone(session));
            poll.registry().register(client.stream(), Token(number), Interest::READABLE)?;
            clients.push(client);
        }
        Ok(Self {
            poll,
            events: Events::with_capacity(BATCH),
            clients,
            scratch: vec![0; SCRATCH],
            outgoing: Vec::new(),
        })
    }

    /// Lets one client push these numbers, all in one write.
    ///
    /// # Errors
    /// [`PopulationError::Client`] if its socket does not take them.
    pub(super) fn push(
        &mut self,
        client: usize,
        ask: Ask,
        numbers: impl IntoIterator<Item = u32>,
    ) -> Result<(), PopulationError> {
        self.outgoing.clear();
        let sender = &mut self.clients[client];
        for number in numbers {
            match ask {
                Ask::Broadcast => sender.session().push_broadcast(&mut self.outgoing, number),
                Ask::Echo => sender.session().push_echo(&mut self.outgoing, number),
            }
        }
        sender.send(&self.outgoing).map_err(at(client))
    }

    /// Reads until `wanted` frames have come, all clients together. `then` learns, after each read, whose it was
    /// and how many frames it had, and may push.
    ///
    /// # Errors
    /// [`PopulationError::Late`] after 45 s, or the first client's error.
    pub(super) fn gather(
        &mut self,
        wanted: usize,
        order: Order,
        mut then: impl FnMut(&mut Self, usize, usize) -> Result<(), PopulationError>,
    ) -> Result<(), PopulationError> {
        let deadline = Instant::now() + PHASE_LIMIT;
        let mut found = 0;
        while found < wanted {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(PopulationError::Late { found, wanted });
            }
            found += self.turn(left, order, &mut then)?;
        }
        Ok(())
    }

    /// Makes sure that nothing else comes.
    ///
    /// # Errors
    /// [`PopulationError::Surplus`], or the first client's error.
    pub(super) fn hush(&mut self) -> Result<(), PopulationError> {
        match self.turn(AFTERMATH, Order::Loose, |_, _, _| Ok(()))? {
            0 => Ok(()),
            found => Err(PopulationError::Surplus { found }),
        }
    }

    /// Waits once, and reads from each socket that has something.
    fn turn(
        &mut self,
        limit: Duration,
        order: Order,
        mut then: impl FnMut(&mut Self, usize, usize) -> Result<(), PopulationError>,
    ) -> Result<usize, PopulationError> {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let waited = self.poll.poll(&mut events, Some(limit));
        let mut found = 0;
        for event in &events {
            let Token(number) = event.token();
            let frames = self.clients[number].receive(&mut self.scratch, order).map_err(at(number))?;
            found += frames;
            then(self, number, frames)?;
        }
        self.events = events;
        waited?;
        Ok(found)
    }
}

fn at(client: usize) -> impl FnOnce(ClientError) -> PopulationError {
    move |error| PopulationError::Client { client, error }
}
