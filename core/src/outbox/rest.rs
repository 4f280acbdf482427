//! Frames that wait, and what of them is dropped when it is too much.

use super::slow_consumer::{LOSSY, SlowConsumer};
use crate::Frame;
use std::collections::{BTreeSet, VecDeque};

/// What waits is a frame, and perhaps something about it.
pub(crate) trait Queued {
    fn frame(&self) -> &Frame;

    /// In bytes.
    fn len(&self) -> usize;
}

impl Queued for Frame {
    fn frame(&self) -> &Frame {
        self
    }

    fn len(&self) -> usize {
        self.as_websocket().len()
    }
}

/// Frames in order.
#[derive(Debug)]
pub(crate) struct Rest<T> {
    frames: VecDeque<T>,
    /// What of them may be dropped, if there has been any.
    losable: Option<Box<Losable>>,
}

/// Frames that may be dropped.
#[derive(Debug, Default)]
struct Losable {
    /// How many there are, by [`SlowConsumer::index`].
    frames: [usize; LOSSY],
    bytes: usize,
    /// Bytes that were dropped for room since anybody has asked.
    gone: usize,
    refuses: Refuses,
    stale: Stale,
}

/// Whether any frame may have been followed by a later one that takes its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stale {
    /// None has come since this was last looked at.
    #[default]
    None,
    Perhaps,
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
pub(crate) struct Dropped {
    pub(crate) frames: usize,
    pub(crate) bytes: usize,
}

impl<T> Default for Rest<T> {
    fn default() -> Self {
        Self { frames: VecDeque::new(), losable: None }
    }
}

impl<T: Queued> Rest<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether nothing waits, and nothing that has been dropped is to be remembered.
    pub(super) fn is_spent(&self) -> bool {
        let remembers = |losable: &Losable| losable.gone > 0 || losable.refuses != Refuses::Nothing;
        self.is_empty() && !self.losable.as_deref().is_some_and(remembers)
    }

    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.frames.front()
    }

    pub(super) fn back(&self) -> Option<&T> {
        self.frames.back()
    }

    pub(super) fn pop_back(&mut self) -> Option<T> {
        let frame = self.frames.pop_back()?;
        if let Some(losable) = &mut self.losable {
            losable.remove(&frame);
        }
        Some(frame)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.frames.iter()
    }

    pub(crate) fn into_frames(self) -> VecDeque<T> {
        self.frames
    }

    pub(crate) fn push_back(&mut self, frame: T) {
        self.count(&frame);
        if self.frames.len() == self.frames.capacity() {
            // Not doubled: in a burst all queues of a node grow at once, and what they leave behind as they do stays with
            // the allocator.
            self.frames.reserve_exact((self.frames.len() / 2).max(4));
        }
        self.frames.push_back(frame);
    }

    pub(crate) fn push_front(&mut self, frame: T) {
        self.count(&frame);
        self.frames.push_front(frame);
    }

    /// Takes the first so many, up to one that is open, and the one behind them.
    pub(super) fn take(&mut self, most: usize, into: &mut impl Extend<T>) -> Option<T> {
        let sealed = self.frames.iter().take(most).take_while(|frame| !frame.frame().is_open()).count();
        if let Some(losable) = &mut self.losable {
            self.frames.iter().take(sealed + 1).for_each(|frame| losable.remove(frame));
        }
        into.extend(self.frames.drain(..sealed));
        self.frames.pop_front()
    }

    /// How many bytes may be dropped.
    pub(crate) fn losable(&self) -> usize {
        self.losable.as_ref().map_or(0, |losable| losable.bytes)
    }

    /// How many bytes were dropped for room since this was last asked.
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
        let is_refused = |frame: &T| policy(frame) == SlowConsumer::DropNewest;
        if self.losable.as_ref().is_some_and(|losable| losable.refuses == Refuses::TheNewest)
            && self.frames.back().is_some_and(is_refused)
        {
            // It has just come, and so was never part of what waited when the peer's time began.
            self.remove(self.frames.len() - 1, &mut dropped);
        }
        dropped
    }

    /// Drops what may be, as each policy has it, until so many bytes are free; the first `stay` stay.
    pub(crate) fn make_room(&mut self, stay: usize, bytes: usize) -> Dropped {
        let mut dropped = self.drop_stale(stay);
        let mut at = stay;
        while dropped.bytes < bytes && at < self.frames.len() && self.has(SlowConsumer::DropOldest) {
            if policy(&self.frames[at]) == SlowConsumer::DropOldest {
                self.remove(at, &mut dropped);
            } else {
                at += 1;
            }
        }
        let mut end = self.frames.len();
        while dropped.bytes < bytes && end > stay && self.has(SlowConsumer::DropNewest) {
            end -= 1;
            if policy(&self.frames[end]) == SlowConsumer::DropNewest {
                self.remove(end, &mut dropped);
            }
        }
        self.note_gone(dropped);
        dropped
    }

    /// Drops what may be, as each policy has it, the first so many bytes having waited for too long.
    pub(super) fn drop_aged(&mut self, bytes: usize) -> Dropped {
        let (mut at, mut end) = (0, 0);
        let mut aged = Dropped::default();
        while at < self.frames.len() && self.has(SlowConsumer::DropOldest) {
            let frame = &self.frames[at];
            end += frame.len();
            if end > bytes {
                break;
            }
            if policy(frame) == SlowConsumer::DropOldest {
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
        let stale = self.drop_stale(0);
        Dropped { frames: aged.frames + stale.frames, bytes: aged.bytes + stale.bytes }
    }

    /// Drops what a later one replaces, whether there is room or not.
    pub(super) fn drop_replaced(&mut self) -> Dropped {
        let dropped = self.drop_stale(0);
        self.note_gone(dropped);
        dropped
    }

    /// Drops what only the latest is wanted of, and is followed by a later one.
    fn drop_stale(&mut self, stay: usize) -> Dropped {
        let mut dropped = Dropped::default();
        let Some(losable) = self.losable.as_mut().filter(|losable| losable.stale == Stale::Perhaps) else {
            return dropped;
        };
        losable.stale = Stale::None;
        let (mut later, mut stale) = (BTreeSet::new(), Vec::with_capacity(self.frames.len()));
        for frame in self.frames.iter().skip(stay).rev() {
            let names = frame.frame().names().filter(|_| policy(frame) == SlowConsumer::KeepLatest);
            stale.push(names.is_some_and(|names| !later.insert(names)));
        }
        stale.extend(std::iter::repeat_n(false, stay));
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

    fn count(&mut self, frame: &T) {
        if let Some(index) = policy(frame).index() {
            let losable = self.losable.get_or_insert_default();
            losable.frames[index] += 1;
            losable.bytes += frame.len();
            if policy(frame) == SlowConsumer::KeepLatest {
                losable.stale = Stale::Perhaps;
            }
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
    fn remove(&mut self, frame: &impl Queued) {
        if let Some(index) = policy(frame).index() {
            self.frames[index] -= 1;
            self.bytes -= frame.len();
        }
    }
}

impl Dropped {
    fn add(&mut self, frame: &impl Queued) {
        self.frames += 1;
        self.bytes += frame.len();
    }
}

fn policy(frame: &impl Queued) -> SlowConsumer {
    frame.frame().slow_consumer()
}
