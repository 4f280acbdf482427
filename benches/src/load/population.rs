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
        match self.poll.poll(&mut events, Some(limit)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        let mut found = 0;
        for event in &events {
            let Token(number) = event.token();
            let frames = self.clients[number].receive(&mut self.scratch, order).map_err(at(number))?;
            found += frames;
            then(self, number, frames)?;
        }
        self.events = events;
        Ok(found)
    }
}

fn at(client: usize) -> impl FnOnce(ClientError) -> PopulationError {
    move |error| PopulationError::Client { client, error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::{Ipv4Addr, TcpListener};

    /// One client, and the server's end of its connection.
    fn pair() -> (Population, net::TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        server.set_nodelay(true).unwrap();
        (Population::of(vec![client], &[Rc::new(Session::new("x"))]).unwrap(), server)
    }

    /// What a server sends for these broadcasts.
    fn deliveries(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
        let session = Session::new("x");
        numbers.into_iter().flat_map(|number| session.delivery_frame(number)).collect()
    }

    fn gather(population: &mut Population, wanted: usize) -> Result<(), PopulationError> {
        population.gather(wanted, Order::Strict, |_, _, _| Ok(()))
    }

    #[test]
    fn frames_are_counted_wherever_they_are_cut() {
        let (mut population, mut server) = pair();
        let bytes = deliveries(0..3);

        for number in 0..3 {
            let (start, end) = (bytes.len() * number / 3, bytes.len() * (number + 1) / 3);
            let cut = start + 7 + 60 * number;
            server.write_all(&bytes[start..cut]).unwrap();
            population.hush().unwrap();
            server.write_all(&bytes[cut..end]).unwrap();
            gather(&mut population, 1).unwrap();
        }
    }

    #[test]
    fn lost_delivery_is_noticed() {
        let (mut population, mut server) = pair();
        server.write_all(&deliveries([0, 2])).unwrap();

        let error = gather(&mut population, 2).unwrap_err();

        assert_eq!(error.to_string(), "client 0: number 2 came where 1 was due: lost or out of order");
    }

    #[test]
    fn delivery_that_comes_after_the_last_is_noticed() {
        let (mut population, mut server) = pair();
        server.write_all(&deliveries([0])).unwrap();
        gather(&mut population, 1).unwrap();
        server.write_all(&deliveries([1])).unwrap();

        assert!(matches!(population.hush(), Err(PopulationError::Surplus { found: 1 })));
    }

    #[test]
    fn changed_payload_is_noticed() {
        let (mut population, mut server) = pair();
        let mut bytes = deliveries([0]);
        let last = bytes.len() - 5;
        bytes[last] = b'y';
        server.write_all(&bytes).unwrap();

        assert!(matches!(
            gather(&mut population, 1),
            Err(PopulationError::Client { client: 0, error: ClientError::Garbled { .. } })
        ));
    }

    #[test]
    fn close_of_the_server_is_told_with_its_code() {
        let (mut population, mut server) = pair();
        server.write_all(&[0x88, 2, 0x03, 0xf3]).unwrap();

        assert_eq!(
            gather(&mut population, 1).unwrap_err().to_string(),
            "client 0: closed by the server with 1011"
        );
    }

    #[test]
    fn vanished_server_is_noticed() {
        let (mut population, server) = pair();
        drop(server);

        assert_eq!(gather(&mut population, 1).unwrap_err().to_string(), "client 0: closed by the server");
    }
}
