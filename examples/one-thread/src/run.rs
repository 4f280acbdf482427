//! Broadcasts that follow one another to the same members: one entry in each outbox, and one write.
//!
//! The members get an open frame, and what follows is appended to that alone, whatever their number. A run ends when
//! one of them is sent something else, which must not be overtaken; when anybody joins or leaves anything; when it is large
//! enough; and before anything is written.

use crate::handlers::Info;
use bennu_core::server::{ChannelId, Fanout, Server};
use bennu_core::{Frame, Serializer, Topic};
use std::mem;

/// A run that has become as large as this is written as it is, in bytes.
const LARGE: usize = 64 * 1024;

/// So many members are worth a run for a single broadcast. For fewer, it is queued as it is: often no other follows.
const MANY: usize = 16;

/// The last broadcast, and the run that it belongs to.
#[derive(Default)]
pub(crate) struct Run {
    last: Option<Last>,
    open: [Option<Open>; 2],
}

/// What the next broadcast has in common with the last one, if it has the same recipients.
#[derive(PartialEq, Eq)]
struct Last {
    topic: Topic,
    /// Who made it, and is left out.
    from: Option<ChannelId>,
    /// Of the server: who has joined what.
    revision: u64,
}

/// An open frame in the outboxes of all recipients of one serializer, and what it will hold.
struct Open {
    frame: Frame,
    bytes: Vec<u8>,
}

/// What is to be done with a fan-out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Queue its frames at each recipient.
    Queue,
    /// Queue the frames of the run, [`Run::frame`], at each recipient.
    Open,
    /// Nothing: it has been appended to the run.
    Appended,
}

impl Run {
    /// Takes a fan-out in, before the next output is polled.
    pub(crate) fn take(&mut self, server: &Server<usize, Info>, fanout: &Fanout) -> Step {
        let revision = server.revision();
        let last = Last { topic: fanout.topic().clone(), from: fanout.from(), revision };
        let is_next = self.last.as_ref() == Some(&last);
        if is_next && self.append(fanout) {
            return Step::Appended;
        }
        self.seal();
        if !fanout.is_uniform() {
            return Step::Queue;
        }
        self.last = Some(last);
        if !is_next && fanout.members() < MANY {
            return Step::Queue;
        }
        self.open = Serializer::ALL.map(|serializer| {
            let bytes = fanout.frame(serializer)?.as_websocket().to_vec();
            Some(Open { frame: Frame::open(), bytes })
        });
        Step::Open
    }

    /// Appends a broadcast, if there is a run with a place for each of its frames.
    fn append(&mut self, fanout: &Fanout) -> bool {
        let frames = Serializer::ALL.map(|serializer| fanout.frame(serializer));
        let fits = |(open, frame): (&Option<Open>, &Option<&Frame>)| open.is_some() || frame.is_none();
        if self.open.iter().all(Option::is_none) || !self.open.iter().zip(&frames).all(fits) {
            return false;
        }
        for (open, frame) in self.open.iter_mut().zip(frames) {
            if let (Some(open), Some(frame)) = (open, frame) {
                open.bytes.extend_from_slice(frame.as_websocket());
            }
        }
        if self.open.iter().flatten().any(|open| open.bytes.len() >= LARGE) {
            self.fill();
        }
        true
    }

    /// The open frame for one serializer.
    pub(crate) fn frame(&self, serializer: Serializer) -> Option<&Frame> {
        self.open[serializer.index()].as_ref().map(|open| &open.frame)
    }

    /// Ends the run: its frames can be written.
    pub(crate) fn seal(&mut self) {
        self.last = None;
        self.fill();
    }

    /// Fills the open frames; the next broadcast opens others.
    fn fill(&mut self) {
        for open in self.open.iter_mut().filter_map(mem::take) {
            open.frame.seal(open.bytes);
        }
    }
}
