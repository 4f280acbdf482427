//! What tungstenite is given for a stream.

use std::io::{self, Read, Write};

/// A stream that gives what the peer wrote, and takes whatever is answered.
#[derive(Debug)]
pub(super) struct Recorded<'a>(pub(super) &'a [u8]);

impl Read for Recorded<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl Write for Recorded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
