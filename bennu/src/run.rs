//! Runs: several broadcasts to the same recipients, in one place of their queues.
//!
//! The first broadcast of a batch is queued as it is. When the next one has the same recipients, they get
//! an open frame instead, and what follows is appended to that alone, whatever their number: one entry, one
//! write, and no memory left behind. A run ends when any of its recipients is sent something else (so that
//! the order stays what it was), when it is large enough, or when somebody is about to write.

use crate::peer::Peer;
use bennu_core::server::{Fanout, Server, SocketId};
use bennu_core::wire::Serializer;
use bennu_core::{Frame, Topic};
use std::mem;
use std::sync::Arc;

/// What the last fan-out of a shard was, and the run that it belongs to.
#[derive(Debug, Default)]
pub(crate) struct Run {
    last: Option<Last>,
    open: [Option<Open>; 2],
}

/// The last fan-out, if the next one could have the same recipients.
#[derive(Debug, PartialEq, Eq)]
struct Last {
    topic: Topic,
    /// Who made it, and is left out: what it is sent is no reason to end a run.
    publisher: Option<SocketId>,
    batch: u64,
}

/// An open frame in the queues of all recipients of one serializer, and what it will hold.
#[derive(Debug)]
struct Open {
    frame: Frame,
    bytes: Vec<u8>,
}

/// A run that has become as large as this is written as it is, in bytes.
const LARGE: usize = 64 * 1024;

/// What is to be done with a fan-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Queue its frames at each recipient.
    Queue,
    /// Queue the open frames of a new run at each recipient.
    Open,
    /// Nothing: it has been appended to the run that is open.
    Appended,
}

impl Run {
    /// Takes a fan-out in.
    pub(crate) fn take<I>(&mut self, server: &Server<Arc<Peer>, I>, fanout: &Fanout, batch: u64) -> Step {
        let publisher = fanout.from().and_then(|from| server.socket_of(from));
        let last = Last { topic: fanout.topic().clone(), publisher, batch };
        if !fanout.is_uniform() || self.last.as_ref() != Some(&last) || self.lacks_place_for(fanout) {
            self.seal();
            self.last = Some(last).filter(|_| fanout.is_uniform());
            return Step::Queue;
        }
        let is_new = self.open.iter().all(Option::is_none);
        for serializer in Serializer::ALL {
            let Some(frame) = fanout.frame(serializer) else { continue };
            let open = &mut self.open[serializer.index()];
            if is_new {
                *open = Some(Open { frame: Frame::open(), bytes: Vec::new() });
            }
            if let Some(open) = open {
                open.bytes.extend_from_slice(frame.as_websocket());
            }
        }
        if is_new {
            return Step::Open;
        }
        if self.open.iter().flatten().any(|open| open.bytes.len() >= LARGE) {
            self.fill();
        }
        Step::Appended
    }

    /// Whether members of some serializer would not get the fan-out, as those before it were none that their
    /// serializer can carry.
    fn lacks_place_for(&self, fanout: &Fanout) -> bool {
        let is_open = self.open.iter().any(Option::is_some);
        let lacks = |serializer: Serializer| {
            fanout.frame(serializer).is_some() && self.open[serializer.index()].is_none()
        };
        is_open && Serializer::ALL.into_iter().any(lacks)
    }

    /// The open frame for one serializer.
    pub(crate) fn frame(&self, serializer: Serializer) -> Option<&Frame> {
        self.open[serializer.index()].as_ref().map(|open| &open.frame)
    }

    /// Something else is sent to a socket: the run ends, unless the socket is not in it.
    pub(crate) fn interrupt(&mut self, socket: SocketId) {
        if self.last.as_ref().is_some_and(|last| last.publisher != Some(socket)) {
            self.seal();
        }
    }

    /// Ends the run.
    pub(crate) fn seal(&mut self) {
        self.last = None;
        self.fill();
    }

    /// Fills the open frames; the next fan-out opens others.
    fn fill(&mut self) {
        for open in self.open.iter_mut().filter_map(mem::take) {
            open.frame.seal(open.bytes);
        }
    }
}
