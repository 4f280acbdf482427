use super::EventLoop;
use one_thread::Service;
use one_thread::rules::Loop;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

impl Loop for EventLoop {
    fn new(listener: TcpListener) -> io::Result<Self> {
        Self::new(listener)
    }

    fn turn(&mut self, wait: Option<Duration>) -> io::Result<()> {
        self.turn(wait)
    }

    fn service(&mut self) -> &mut Service {
        &mut self.service
    }

    #[cfg(unix)]
    fn wait_for_end(&mut self, signal: std::os::unix::net::UnixStream) -> io::Result<()> {
        self.wait_for_end(signal)
    }
}

one_thread::rules!(EventLoop);
