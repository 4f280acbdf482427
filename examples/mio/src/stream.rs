//! One client's stream: read as far as it has bytes, written as far as it has room.

use bennu_core::outbox::Batch;
use mio::net::TcpStream;
use one_thread::End;
use smallvec::SmallVec;
use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};
use std::time::Duration;

pub(crate) struct Stream {
    tcp: TcpStream,
    /// It may have bytes: the system tells of that once, and again only when all were read.
    pub(crate) readable: bool,
    /// The client has ended its side, so that a short read is not the last.
    pub(crate) half_closed: bool,
}

/// What a read came to.
pub(crate) enum Read {
    /// So many bytes at the front of the buffer.
    Bytes(usize),
    /// Nothing more for now.
    Nothing,
    /// The stream has ended.
    End,
}

impl Stream {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self { tcp, readable: false, half_closed: false }
    }

    pub(crate) fn read(&mut self, scratch: &mut [u8]) -> Read {
        if !self.readable {
            return Read::Nothing;
        }
        loop {
            match self.tcp.read(scratch) {
                Ok(0) => return Read::End,
                Ok(read) => {
                    // Only where short reads tell: elsewhere it takes one more read to be told again.
                    self.readable = read == scratch.len() || self.half_closed || !cfg!(unix);
                    return Read::Bytes(read);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.readable = false;
                    return Read::Nothing;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Read::End,
            }
        }
    }

    /// Returns how many bytes it has taken.
    pub(crate) fn write(&mut self, batch: &Batch) -> io::Result<usize> {
        let mut slices: SmallVec<[IoSlice<'_>; 32]> = SmallVec::new();
        slices.extend(batch.slices().map(IoSlice::new));
        loop {
            let result = match &*slices {
                [only] => self.tcp.write(only),
                several => self.tcp.write_vectored(several),
            };
            match result {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                other => return other,
            }
        }
    }

    pub(crate) fn end(self, end: End) {
        if end == End::Reset {
            let _ = socket2::SockRef::from(&self.tcp).set_linger(Some(Duration::ZERO));
        }
    }
}
