//! What a loop writes: who is to be written to, what, and what has come of it.

use crate::peer::End;
use crate::service::Service;
use bennu_core::outbox::{Batch, Written};
use std::io::{self, ErrorKind};
use std::mem;

/// How to go on with a stream that was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Nothing more waits, or it is of no use any more.
    Done,
    /// It has taken all that it was given, and more waits.
    More,
    /// It takes nothing more, until the system says so.
    Blocked,
}

impl Service {
    /// How many are to be written to, or looked at.
    #[must_use]
    pub fn dirty(&self) -> usize {
        self.node.dirty.len()
    }

    /// The next of them.
    pub fn next_dirty(&mut self) -> Option<usize> {
        loop {
            let key = self.node.dirty.pop_front()?;
            // It may have gone since, and somebody else have its number.
            let peer = self.node.peers.get_mut(key);
            if peer.is_some_and(|peer| mem::take(&mut peer.dirty)) {
                return Some(key);
            }
        }
    }

    /// Has a peer written to, and its stream looked at.
    pub fn mark(&mut self, key: usize) {
        self.node.mark(key);
    }

    /// The system says that a stream that was blocked has room again.
    pub fn has_room(&mut self, key: usize) {
        if self.node.peers.get(key).is_some_and(|peer| peer.is_stuck()) {
            self.node.mark(key);
        }
    }

    /// What is to be written now; `None` if it is nothing, or if a write is under way.
    pub fn begin(&mut self, key: usize) -> Option<Batch> {
        self.node.peers[key].begin()
    }

    /// A write has come to so many bytes, or failed.
    pub fn finish(&mut self, key: usize, batch: Batch, result: io::Result<usize>) -> Flow {
        let now = self.node.now;
        let peer = &mut self.node.peers[key];
        let was_stuck = peer.is_stuck();
        let written = peer.finish(batch, *result.as_ref().unwrap_or(&0), now);
        let is_stuck = peer.is_stuck();
        if peer.end() == Some(End::Reset) {
            return Flow::Done;
        }
        if result.is_err_and(|error| error.kind() != ErrorKind::WouldBlock) {
            // At the end of a turn, as the terminates that this runs may broadcast.
            self.node.failed.push(key);
            return Flow::Done;
        }
        self.node.resume(key);
        match (was_stuck, is_stuck) {
            (false, true) => self.arm(key),
            (true, false) => self.speak(key),
            (false, false) | (true, true) => {}
        }
        match written {
            Written::Everything => Flow::Done,
            Written::More => Flow::More,
            Written::Blocked => Flow::Blocked,
        }
    }

    /// How a stream is to be ended now, if it is.
    #[must_use]
    pub fn end(&self, key: usize) -> Option<End> {
        self.node.peers[key].end()
    }

    /// Forgets a peer whose stream has ended.
    pub fn remove(&mut self, key: usize) {
        self.node.peers.remove(key);
        // Somebody else may have its number soon.
        self.node.failed.retain(|failed| *failed != key);
        self.node.closed.retain(|(closed, _)| *closed != key);
    }
}
