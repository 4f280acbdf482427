//! What waits behind the first frame, and what of it is dropped when it is too much.

use super::slow_consumer::{LOSSY, SlowConsumer};
use crate::Frame;
use std::collections::{BTreeSet, VecDeque};

/// Frames in order.
#[derive(Debug, Default)]
pub(super) struct Rest {
    frames: VecDeque<Frame>,
    /// What of them may be dropped, if there has been any.
    losable: Option<Box<Losable>>,
}

/// Frames that may be dropped.
#[derive(Debug, Default)]
struct Losable {
    /// How many there are, by [`SlowConsumer::index`].
    frames: [usize; LOSSY],
    bytes: usize,
    /// Bytes that were dropped for being the oldest, or stale, since anybody has asked.
    gone: usize,
    refuses: Refuses,
}

/// Whether what is to be dropped when it is the newest is let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Refuses {
    #[default]
    Nothing,
    /// What waits does so for too long.
    TheNewest,
}

/// What was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) frames: usize,
    pub(super) bytes: usize,
}

impl Rest {
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter()
    }

    pub(super) fn into_frames(self) -> VecDeque<Frame> {
        self.frames
    }

    pub(super) fn push_back(&mut self, frame: Frame) {
        self.count(&frame);
        self.frames.push_back(frame);
    }

    pub(super) fn push_front(&mut self, frame: Frame) {
        self.count(&frame);
        self.frames.push_front(frame);
    }

    /// Takes the first so many, up to one that is open, and the one behind them.
    pub(super) fn take(&mut self, most: usize, into: &mut impl Extend<Frame>) -> Option<Frame> {
        let sealed = self.frames.iter().take(most).take_while(|frame| !frame.is_open()).count();
        if let Some(losable) = &mut self.losable {
            self.frames.iter().take(sealed + 1).for_each(|frame| losable.remove(frame));
        }
        into.extend(self.frames.drain(..sealed));
        self.frames.pop_front()
    }

    /// How many bytes may be dropped.
    pub(super) fn losable(&self) -> usize {
        self.losable.as_ref().map_or(0, |losable| losable.bytes)
    }

    /// How many bytes were dropped for being the oldest, or stale, since this was last asked.
    pub(super) fn take_gone(&mut self) -> usize {
        self.losable.as_mut().map_or(0, |losable| std::mem::take(&mut losable.gone))
    }

    /// The peer takes some of it.
    pub(super) fn admit(&mut self) {
        if let Some(losable) = &mut self.losable {
            losable.refuses = Refuses::Nothing;
        }
    }

    /// Drops what was pushed last, if that is refused.
    pub(super) fn refuse(&mut self) -> Dropped {
        let mut dropped = Dropped::default();
        let is_refused = |frame: &Frame| frame.slow_consumer() == SlowConsumer::DropNewest;
        if self.losable.as_ref().is_some_and(|losable| losable.refuses == Refuses::TheNewest)
            && self.frames.back().is_some_and(is_refused)
        {
            self.remove(self.frames.len() - 1, &mut dropped);
        }
        dropped
    }

    /// Drops what may be, as each policy has it, until so many bytes are free.
    pub(super) fn make_room(&mut self, bytes: usize) -> Dropped {
        let mut dropped = self.drop_stale();
        let mut at = 0;
        while dropped.bytes < bytes && self.has(SlowConsumer::DropOldest) {
            if self.frames[at].slow_consumer() == SlowConsumer::DropOldest {
                self.remove(at, &mut dropped);
            } else {
                at += 1;
            }
        }
        self.note_gone(dropped);
        let mut end = self.frames.len();
        while dropped.bytes < bytes && self.has(SlowConsumer::DropNewest) {
            end -= 1;
            if self.frames[end].slow_consumer() == SlowConsumer::DropNewest {
                self.remove(end, &mut dropped);
            }
        }
        dropped
    }

    /// Drops what may be, as each policy has it, the first so many bytes having waited for too long.
    pub(super) fn drop_aged(&mut self, bytes: usize) -> Dropped {
        let (mut at, mut end) = (0, 0);
        let mut aged = Dropped::default();
        while at < self.frames.len() && self.has(SlowConsumer::DropOldest) {
            let frame = &self.frames[at];
            end += frame.as_websocket().len();
            if end > bytes {
                break;
            }
            if frame.slow_consumer() == SlowConsumer::DropOldest {
                self.remove(at, &mut aged);
            } else {
                at += 1;
            }
        }
        if self.has(SlowConsumer::DropNewest)
            && let Some(losable) = &mut self.losable
        {
            losable.refuses = Refuses::TheNewest;
        }
        let stale = self.drop_stale();
        Dropped { frames: aged.frames + stale.frames, bytes: aged.bytes + stale.bytes }
    }

    /// Drops what only the latest is wanted of, and is followed by a later one.
    fn drop_stale(&mut self) -> Dropped {
        let mut dropped = Dropped::default();
        if !self.has(SlowConsumer::KeepLatest) {
            return dropped;
        }
        let mut later = BTreeSet::new();
        let is_stale = |frame: &Frame| {
            let names = frame.names().filter(|_| frame.slow_consumer() == SlowConsumer::KeepLatest);
            names.is_some_and(|names| !later.insert(names.clone()))
        };
        let mut stale: Vec<bool> = self.frames.iter().rev().map(is_stale).collect();
        let losable = self.losable.get_or_insert_default();
        self.frames.retain(|frame| {
            let is_stale = stale.pop().unwrap_or_default();
            if is_stale {
                losable.remove(frame);
                dropped.add(frame);
            }
            !is_stale
        });
        dropped
    }

    fn has(&self, policy: SlowConsumer) -> bool {
        let Some((losable, index)) = self.losable.as_ref().zip(policy.index()) else { return false };
        losable.frames[index] > 0
    }

    fn count(&mut self, frame: &Frame) {
        if let Some(index) = frame.slow_consumer().index() {
            let losable = self.losable.get_or_insert_default();
            losable.frames[index] += 1;
            losable.bytes += frame.as_websocket().len();
        }
    }

    fn remove(&mut self, at: usize, dropped: &mut Dropped) {
        let Some(frame) = self.frames.remove(at) else { return };
        if let Some(losable) = &mut self.losable {
            losable.remove(&frame);
        }
        dropped.add(&frame);
    }

    fn note_gone(&mut self, dropped: Dropped) {
        if let Some(losable) = &mut self.losable {
            losable.gone += dropped.bytes;
        }
    }
}

impl Losable {
    fn remove(&mut self, frame: &Frame) {
        if let Some(index) = frame.slow_consumer().index() {
            self.frames[index] -= 1;
            self.bytes -= frame.as_websocket().len();
        }
    }
}

impl Dropped {
    fn add(&mut self, frame: &Frame) {
        self.frames += 1;
        self.bytes += frame.as_websocket().len();
    }
}
