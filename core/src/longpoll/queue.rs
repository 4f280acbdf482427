//! Frames that wait for a poll.

use super::output::{Delivery, PollId};
use crate::Frame;
use crate::outbox::{Queued, Rest};
use std::collections::VecDeque;

/// Frames in order, counted in bytes, and in front of them those that are being written.
///
/// One answer is written at a time. So what comes back from one that was cut off belongs in front of all others,
/// and nothing behind it has been seen by anybody.
#[derive(Debug, Default)]
pub(super) struct Queue {
    in_flight: Option<Flight>,
    waiting: Rest<Entry>,
    /// The bytes that wait, those in flight not counted.
    bytes: usize,
    /// Of these, what the client itself has caused.
    owed: usize,
}

/// Frames that a poll has taken.
#[derive(Debug)]
struct Flight {
    poll: PollId,
    entries: VecDeque<Entry>,
}

#[derive(Debug)]
struct Entry {
    frame: Frame,
    cause: Cause,
}

/// Who has caused a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The client: it is an answer.
    Client,
    /// Anybody else.
    Others,
}

impl Queue {
    pub(super) fn push(&mut self, frame: Frame, cause: Cause) {
        let entry = Entry { frame, cause };
        self.count(&entry);
        self.waiting.push_back(entry);
    }

    /// Whether a poll would find anything.
    pub(super) fn is_ready(&self) -> bool {
        self.in_flight.is_none() && !self.waiting.is_empty()
    }

    pub(super) fn is_in_flight(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Takes all that waits; nothing while an answer is being written.
    pub(super) fn take(&mut self, poll: PollId) -> Vec<Frame> {
        if !self.is_ready() {
            return Vec::new();
        }
        let entries = std::mem::take(&mut self.waiting).into_frames();
        (self.bytes, self.owed) = (0, 0);
        let frames = entries.iter().map(|entry| entry.frame.clone()).collect();
        self.in_flight = Some(Flight { poll, entries });
        frames
    }

    /// Ends the answer of this poll; false if it is not the one that is being written.
    pub(super) fn finish(&mut self, poll: PollId, delivery: Delivery) -> bool {
        let Some(flight) = self.in_flight.take_if(|flight| flight.poll == poll) else { return false };
        if delivery == Delivery::Cut {
            for entry in flight.entries.into_iter().rev() {
                self.count(&entry);
                self.waiting.push_front(entry);
            }
        }
        true
    }

    /// What waits behind the frame that is the next to be written, in bytes. One frame is never too much, however
    /// large.
    pub(super) fn behind_first(&self) -> usize {
        self.bytes - self.first().map_or(0, Queued::len)
    }

    /// The same, without what may be dropped.
    pub(super) fn held(&self) -> usize {
        let first = self.first().filter(|first| first.frame.is_losable()).map_or(0, Queued::len);
        self.behind_first() - (self.waiting.losable() - first)
    }

    /// What waits behind the first frame, without what the client itself has caused.
    pub(super) fn of_others(&self) -> usize {
        let first = self.first().map_or(0, |first| first.len() - first.owed());
        self.bytes - self.owed - first
    }

    /// Drops what may be, until no more than `most` bytes wait [for others](Self::of_others), if that can be. Returns
    /// how many frames.
    pub(super) fn make_room(&mut self, most: usize) -> usize {
        let stay = usize::from(self.first().is_some());
        let dropped = self.waiting.make_room(stay, self.of_others().saturating_sub(most));
        self.bytes -= dropped.bytes;
        dropped.frames
    }

    /// All bytes that wait, those in flight not counted.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The same in frames.
    pub(super) fn frames(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The frame that is the next to be written, unless that is in flight.
    fn first(&self) -> Option<&Entry> {
        self.waiting.front().filter(|_| self.in_flight.is_none())
    }

    fn count(&mut self, entry: &Entry) {
        self.bytes += entry.len();
        self.owed += entry.owed();
    }
}

impl Queued for Entry {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn len(&self) -> usize {
        self.frame.body().len()
    }
}

impl Entry {
    fn owed(&self) -> usize {
        match self.cause {
            Cause::Client => self.len(),
            Cause::Others => 0,
        }
    }
}
