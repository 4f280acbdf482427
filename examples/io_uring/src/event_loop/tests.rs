use super::EventLoop;
use crate::ring::Ring;
use one_thread::Service;
use one_thread::rules::Loop;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::time::Duration;

impl Loop for EventLoop {
    fn new(listener: TcpListener) -> io::Result<Self> {
        Ok(Self::new(Ring::new()?, listener))
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
