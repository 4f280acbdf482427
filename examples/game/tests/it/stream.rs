//! A stream in memory, which takes no more than there is room for.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

/// One end of it. The stream ends when the other end is dropped.
#[derive(Debug)]
pub(crate) struct End {
    incoming: Rc<RefCell<VecDeque<u8>>>,
    outgoing: Rc<RefCell<VecDeque<u8>>>,
    room: usize,
}

/// Two ends, with room for so many bytes on the way in each direction.
pub(crate) fn pair(room: usize) -> (End, End) {
    let (one, other) = (Rc::default(), Rc::default());
    let end = End { incoming: Rc::clone(&one), outgoing: Rc::clone(&other), room };
    (end, End { incoming: other, outgoing: one, room })
}

impl Read for End {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut incoming = self.incoming.borrow_mut();
        match incoming.read(into)? {
            0 if !into.is_empty() && Rc::strong_count(&self.incoming) > 1 => {
                Err(ErrorKind::WouldBlock.into())
            }
            len => Ok(len),
        }
    }
}

impl Write for End {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if Rc::strong_count(&self.outgoing) == 1 {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let mut outgoing = self.outgoing.borrow_mut();
        let len = bytes.len().min(self.room - outgoing.len());
        if len == 0 && !bytes.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        outgoing.write(&bytes[..len])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
