//! One connection's queued frames.

mod rest;
mod slow_consumer;
mod stuck;

pub use slow_consumer::SlowConsumer;
pub use stuck::{Patience, Stuck, Verdict};

pub(crate) use rest::{Queued, Rest};

use crate::{Frame, websocket};
use smallvec::SmallVec;

/// Frames that wait to be written to one peer, in order, counted in bytes.
///
/// Many append, one writes at a time, by a lease: who finds it taken marks the outbox and goes, and the
/// holder looks again before it lets go. So no two writers interleave, and no frame is left behind.
///
/// ```text
///  push ─▶ [frame, frame, …] ─ begin ─▶ in flight ─ finish ─▶ the wire
/// ```
///
/// ```
/// use bennu_core::{Frame, Kind};
/// use bennu_core::outbox::{Outbox, Written};
///
/// let mut outbox = Outbox::new(1 << 20);
/// outbox.push(Frame::new(Kind::Text, b"hello"));
///
/// let batch = outbox.begin().expect("nobody else writes");
/// let bytes: usize = batch.slices().map(<[u8]>::len).sum();      // … and write them
/// assert_eq!(outbox.finish(batch, bytes), Written::Everything);
/// ```
///
/// The limit is for a peer that does not take its frames: whoever drives the outbox has it
/// [make room](Outbox::make_room) when the stream is known to be blocked. What is queued faster than anybody had a
/// chance to write it says nothing about the peer. How long anything may wait is [asked](Outbox::stuck) behind each
/// write that the stream has not taken in full. What becomes of a peer that takes too little, and of what waits for
/// it, each frame [says](Frame::slow_consumer): most are never dropped, and a peer that is behind with these is cut
/// off.
///
/// A queue that is empty holds nothing on the heap, and its first frame none either.
#[derive(Debug)]
pub struct Outbox {
    first: Option<Frame>,
    /// Boxed, as it is empty nearly always.
    rest: Option<Box<Rest<Frame>>>,
    /// Bytes that wait, those in flight and those of runs not counted.
    waiting: usize,
    /// How many runs wait: how long each is, nobody knows before it is sealed.
    runs: u32,
    limit: u32,
    /// Bytes of the first frame that the peer has already.
    written: usize,
    /// Of what waits, so many bytes at most are owed: they do not count against the limit.
    owed: u32,
    lease: Lease,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lease {
    Free,
    Taken,
    /// Taken, and somebody else has come to write meanwhile.
    Marked,
}

/// More waits in an outbox than its limit: the peer takes its messages too slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// What waits, in bytes.
    pub waiting: usize,
    /// What may wait, in bytes.
    pub limit: usize,
}

impl std::fmt::Display for Overflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes wait for a peer that may have {} waiting", self.waiting, self.limit)
    }
}

impl std::error::Error for Overflow {}

/// How many frames are written at once.
const BATCH: usize = 32;

/// Frames that are being written: taken out of their outbox, and owed back to it.
#[derive(Debug)]
pub struct Batch {
    /// Most batches are one frame.
    first: Frame,
    rest: SmallVec<[Frame; 3]>,
    /// Bytes of the first frame that the peer has already.
    written: usize,
}

/// What the end of a write left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Nothing waits; the lease is free.
    Everything,
    /// The stream took all it was given and more waits: [`Outbox::begin`] again. The lease is free.
    More,
    /// The stream would not take everything: to be continued when it can be written to. The lease is free.
    Blocked,
}

impl Outbox {
    /// An empty outbox that holds at most `limit` bytes, headers counted, behind its first frame. Past 4 GiB there
    /// is no higher limit.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        Self { first: None, rest: None, waiting: 0, runs: 0, limit, written: 0, owed: 0, lease: Lease::Free }
    }

    /// Appends a frame.
    pub fn push(&mut self, frame: Frame) {
        self.count(&frame);
        if self.first.is_none() {
            self.first = Some(frame);
        } else {
            self.rest.get_or_insert_default().push_back(frame);
        }
    }

    /// Appends a frame that the peer itself has caused, an answer: it does not count against the limit. What
    /// bounds these is that nothing more is read from a peer that [is congested](Self::is_congested).
    ///
    /// What may be dropped is no answer, and appended as [any frame](Self::push).
    pub fn push_owed(&mut self, frame: Frame) {
        if frame.is_losable() {
            return self.push(frame);
        }
        let len = u32::try_from(frame.as_websocket().len()).unwrap_or(u32::MAX);
        self.owed = self.owed.saturating_add(len);
        self.push(frame);
    }

    /// Queues a control frame. One that may overtake messages comes in front of a run that is open, so that this stays
    /// the last. A close frame does not, as what is behind it is lost: it waits for the run to be
    /// [sealed](Frame::seal). Either is owed: it is never too much.
    pub fn push_control(&mut self, frame: Frame) {
        if !self.ends_open() || websocket::is_close(frame.as_websocket()) {
            return self.push_owed(frame);
        }
        let run = match self.rest.as_mut().and_then(|rest| rest.pop_back()) {
            Some(run) => Some(run),
            None => self.first.take(),
        };
        if let Some(run) = run {
            self.discount(&run);
            self.push_owed(frame);
            self.push(run);
        }
    }

    /// Whether more waits than may. One frame is never too much, however large: the limit is for what
    /// waits behind it.
    #[must_use]
    pub fn overflow(&self) -> Option<Overflow> {
        let waiting = self.behind_first().saturating_sub(self.owed as usize);
        (waiting > self.limit()).then_some(Overflow { waiting, limit: self.limit() })
    }

    /// Drops of what waits as much as it takes to be within the limit, as each frame
    /// [says](Frame::slow_consumer); returns how many frames. The frame that is the next to be written stays. To be
    /// called behind each push: while nothing new is let in, it is the last frame that is dropped.
    ///
    /// # Errors
    /// [`Overflow`] if it is too much still: the peer is to be cut off.
    pub fn make_room(&mut self) -> Result<usize, Overflow> {
        let overflow = self.overflow();
        let Some(rest) = self.rest.as_mut() else { return Ok(0) };
        let dropped = match overflow {
            Some(overflow) if rest.losable() == 0 => return Err(overflow),
            Some(Overflow { waiting, limit }) => rest.make_room(0, waiting - limit),
            None => rest.refuse(),
        };
        if dropped.frames > 0 {
            self.waiting -= dropped.bytes;
            self.rest.take_if(|rest| rest.is_spent());
        }
        match overflow.and_then(|_| self.overflow()) {
            Some(overflow) => Err(overflow),
            None => Ok(dropped.frames),
        }
    }

    /// Drops of what waits what is to [keep the latest](SlowConsumer::KeepLatest) and is followed by a later one of its
    /// topic and event, though there may be room for it; returns how many frames. The frame that is the next to be
    /// written stays.
    ///
    /// For whom a limit in bytes is not soon enough: a game, whose positions are stale with the next tick. Called when
    /// the stream is known to be blocked, before [`make_room`](Self::make_room), a peer that is behind gets the latest
    /// as soon as it takes anything. It looks at all that waits.
    pub fn drop_stale(&mut self) -> usize {
        let Some(rest) = self.rest.as_mut() else { return 0 };
        let dropped = rest.drop_replaced();
        self.waiting -= dropped.bytes;
        dropped.frames
    }

    fn limit(&self) -> usize {
        self.limit as usize
    }

    /// What of that which waits may be dropped, or might have been, in bytes.
    fn losable(&self) -> usize {
        let first = self
            .first
            .as_ref()
            .filter(|first| first.is_losable())
            .map_or(0, |first| first.as_websocket().len());
        first + self.rest.as_ref().map_or(0, |rest| rest.losable())
    }

    /// What waits behind the frame that is the next to be written, in bytes.
    fn behind_first(&self) -> usize {
        // Of a run, each length is asked for once: it may be sealed in between.
        let first = self.first.as_ref().filter(|first| !first.is_run());
        self.waiting - first.map_or(0, |first| first.as_websocket().len()) + self.runs_in_rest()
    }

    /// How long the runs behind the first frame are, in bytes; those that are open, nothing.
    fn runs_in_rest(&self) -> usize {
        if self.runs == 0 {
            return 0;
        }
        // Few wait, unless the peer does not take them.
        let rest = self.rest.iter().flat_map(|rest| rest.iter());
        rest.filter(|frame| frame.is_run()).map(|run| run.as_websocket().len()).sum()
    }

    fn count(&mut self, frame: &Frame) {
        if frame.is_run() {
            self.runs += 1;
        } else {
            self.waiting += frame.as_websocket().len();
        }
    }

    fn discount(&mut self, frame: &Frame) {
        if frame.is_run() {
            self.runs -= 1;
        } else {
            self.waiting -= frame.as_websocket().len();
        }
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// What waits, in bytes; what is being written is not counted.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let first = self.first.as_ref().filter(|first| first.is_run());
        self.waiting + first.map_or(0, |run| run.as_websocket().len()) + self.runs_in_rest()
    }

    /// Whether the last frame is a run that is open: what is appended behind that, it must not outgrow.
    #[must_use]
    pub fn ends_open(&self) -> bool {
        self.runs > 0 && self.last().is_some_and(Frame::is_open)
    }

    fn last(&self) -> Option<&Frame> {
        self.rest.as_ref().and_then(|rest| rest.back()).or(self.first.as_ref())
    }

    /// How many frames wait, those that are being written not counted. Broadcasts that share a run are one.
    #[must_use]
    pub fn frames(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.as_ref().map_or(0, |rest| rest.len())
    }

    /// Whether nothing can be written before a run is sealed.
    #[must_use]
    pub fn awaits_seal(&self) -> bool {
        self.first.as_ref().is_some_and(Frame::is_open)
    }

    /// Whether all that waits are answers: the peer has caused it itself.
    #[must_use]
    pub fn is_all_owed(&self) -> bool {
        self.owed as usize >= self.waiting()
    }

    /// Whether more than half of the limit waits: nothing more should be read from this peer, so that
    /// what it causes itself cannot cut it off. What may be dropped is not counted.
    #[must_use]
    pub fn is_congested(&self) -> bool {
        let (waiting, half) = (self.behind_first(), self.limit() / 2);
        waiting > half && waiting - self.rest.as_ref().map_or(0, |rest| rest.losable()) > half
    }

    /// Takes the lease and what is to be written, up to a run that is open still; `None` if there is
    /// nothing, or if somebody else writes (who will then look again).
    pub fn begin(&mut self) -> Option<Batch> {
        if self.lease != Lease::Free {
            self.lease = Lease::Marked;
            return None;
        }
        let first = self.first.take_if(|first| !first.is_open())?;
        self.lease = Lease::Taken;
        self.discount(&first);
        let mut batch = Batch { first, rest: SmallVec::new(), written: std::mem::take(&mut self.written) };
        if let Some(waiting) = self.rest.as_mut() {
            self.first = waiting.take(BATCH - 1, &mut batch.rest);
            if waiting.is_spent() {
                self.rest = None;
            }
            for frame in &batch.rest {
                self.discount(frame);
            }
        }
        Some(batch)
    }

    /// Gives the lease back, `written` bytes of the batch having been written.
    pub fn finish(&mut self, batch: Batch, written: usize) -> Written {
        self.lease = Lease::Free;
        if let Some(rest) = self.rest.as_mut().filter(|_| written > 0) {
            rest.admit();
        }
        let mut written = batch.written + written;
        let mut done = 0;
        for frame in std::iter::once(&batch.first).chain(&batch.rest) {
            let len = frame.as_websocket().len();
            if written < len {
                break;
            }
            written -= len;
            done += 1;
        }
        if done == batch.frames() {
            let is_empty = self.is_empty();
            self.rest.take_if(|rest| is_empty || rest.is_spent());
            self.forget_owed();
            return if is_empty { Written::Everything } else { Written::More };
        }
        let mut left: SmallVec<[Frame; 4]> = std::iter::once(batch.first).chain(batch.rest).collect();
        self.put_back(left.drain(done..), written);
        self.forget_owed();
        Written::Blocked
    }

    /// No more can be owed than waits and is not to be dropped.
    fn forget_owed(&mut self) {
        if self.owed > 0 {
            let held = self.waiting - self.losable();
            self.owed = self.owed.min(u32::try_from(held).unwrap_or(u32::MAX));
        }
    }

    fn put_back(&mut self, frames: impl DoubleEndedIterator<Item = Frame>, written: usize) {
        for frame in frames.rev() {
            self.count(&frame);
            if let Some(second) = self.first.replace(frame) {
                self.rest.get_or_insert_default().push_front(second);
            }
        }
        self.written = written;
    }

    /// Takes all that waits, for a transport that keeps it elsewhere: the frames, oldest first, and how many of
    /// their bytes are owed, headers counted. Nobody may be writing.
    #[must_use]
    pub fn take_all(&mut self) -> (Vec<Frame>, usize) {
        debug_assert_eq!(
            self.lease,
            Lease::Free,
            "what is being written would come back behind what was taken"
        );
        let rest = self.rest.take().into_iter().flat_map(|rest| rest.into_frames());
        let frames = self.first.take().into_iter().chain(rest).collect();
        (self.waiting, self.runs, self.written) = (0, 0, 0);
        (frames, std::mem::take(&mut self.owed) as usize)
    }

    /// Whether somebody writes just now.
    #[must_use]
    pub fn is_leased(&self) -> bool {
        self.lease != Lease::Free
    }

    /// Drops all that waits, but for a frame that the peer has a part of already.
    pub fn clear(&mut self) {
        self.rest = None;
        if self.written == 0 {
            self.first = None;
        }
        (self.waiting, self.runs) = (0, 0);
        if let Some(first) = self.first.clone() {
            self.count(&first);
        }
        self.forget_owed();
    }
}

impl Batch {
    /// What is to be written, in order.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let first = &self.first.as_websocket()[self.written..];
        std::iter::once(first).chain(self.rest.iter().map(Frame::as_websocket))
    }

    /// How many frames it has: at least one.
    #[must_use]
    pub fn frames(&self) -> usize {
        1 + self.rest.len()
    }
}

#[cfg(test)]
mod tests;
