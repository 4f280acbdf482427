use super::{EventLoop, Receiving};
use crate::ring::{Rest, Ring, RingError};
use crate::token::Who;
use one_thread::Service;
use one_thread::rules::Loop;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

impl Loop for EventLoop {
    fn new(listener: TcpListener) -> io::Result<Self> {
        Ok(Self::new(Ring::new().map_err(reason)?, listener))
    }

    fn turn(&mut self, wait: Option<Duration>) -> io::Result<()> {
        self.turn(wait)
    }

    fn service(&mut self) -> &mut Service {
        &mut self.service
    }

    fn wait_for_end(&mut self, signal: UnixStream) -> io::Result<()> {
        self.wait_for_end(signal);
        Ok(())
    }
}

one_thread::rules!(EventLoop);

fn reason(error: RingError) -> io::Error {
    match error {
        RingError::Refused(error) | RingError::Failed(error) => error,
    }
}

/// A loop whose ring has room for a handful of completions, which many turns have more of.
struct Scarce(EventLoop);

impl Loop for Scarce {
    fn new(listener: TcpListener) -> io::Result<Self> {
        Ok(Self(EventLoop::new(Ring::with_completions(4).map_err(reason)?, listener)))
    }

    fn turn(&mut self, wait: Option<Duration>) -> io::Result<()> {
        self.0.turn(wait)
    }

    fn service(&mut self) -> &mut Service {
        &mut self.0.service
    }

    fn wait_for_end(&mut self, signal: UnixStream) -> io::Result<()> {
        self.0.wait_for_end(signal);
        Ok(())
    }
}

mod scarce {
    one_thread::rules!(super::Scarce);
}

#[test]
fn what_comes_late_of_a_stream_is_nothing_to_the_next_one_in_its_place() {
    let listener = one_thread::start::listen(0, one_thread::start::SEND_BUFFER).unwrap();
    let address = listener.local_addr().unwrap();
    let mut event_loop = <EventLoop as Loop>::new(listener).unwrap();
    let _client = TcpStream::connect(address).unwrap();
    while event_loop.streams.is_empty() {
        event_loop.turn(None).unwrap();
    }

    let before = Who::new(0, u32::MAX);
    event_loop.received(before, Ok(None), Rest::Last);

    let stream = event_loop.streams[0].as_ref().unwrap();
    assert_eq!(stream.receiving, Receiving::Yes);
    assert!(event_loop.service.end(0).is_none());
}
