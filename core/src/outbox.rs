//! One connection's queued frames.

use crate::Frame;
use smallvec::SmallVec;
use std::collections::VecDeque;

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
/// The limit is for a peer that does not take its frames: whoever drives the outbox asks for
/// [`overflow`](Outbox::overflow) when the stream is known to be blocked. What is queued faster than anybody
/// had a chance to write it says nothing about the peer.
///
/// A queue that is empty holds nothing on the heap, and its first frame none either.
#[derive(Debug)]
pub struct Outbox {
    first: Option<Frame>,
    #[allow(clippy::box_collection, reason = "empty nearly always, and then a third as large")]
    rest: Option<Box<VecDeque<Frame>>>,
    /// Bytes that wait, those in flight and those of runs not counted.
    waiting: usize,
    /// How many runs wait: how long each is, nobody knows before it is sealed.
    runs: u32,
    limit: usize,
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
    frames: SmallVec<[Frame; 4]>,
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
    /// An empty outbox that holds at most `limit` bytes, headers counted, behind its first frame.
    #[must_use]
    pub fn new(limit: usize) -> Self {
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
    pub fn push_owed(&mut self, frame: Frame) {
        let len = u32::try_from(frame.as_websocket().len()).unwrap_or(u32::MAX);
        self.owed = self.owed.saturating_add(len);
        self.push(frame);
    }

    /// Whether more waits than may. One frame is never too much, however large: the limit is for what
    /// waits behind it.
    #[must_use]
    pub fn overflow(&self) -> Option<Overflow> {
        let waiting = self.behind_first().saturating_sub(self.owed as usize);
        (waiting > self.limit).then_some(Overflow { waiting, limit: self.limit })
    }

    /// What waits behind the frame that is the next to be written, in bytes.
    fn behind_first(&self) -> usize {
        self.waiting() - self.first.as_ref().map_or(0, |first| first.as_websocket().len())
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
        if self.runs == 0 {
            return self.waiting;
        }
        // Few wait, unless the peer does not take them.
        let rest = self.rest.iter().flat_map(|rest| rest.iter());
        let runs = self.first.iter().chain(rest).filter(|frame| frame.is_run());
        self.waiting + runs.map(|run| run.as_websocket().len()).sum::<usize>()
    }

    /// Whether nothing can be written before a run is sealed.
    #[must_use]
    pub fn awaits_seal(&self) -> bool {
        self.first.as_ref().is_some_and(Frame::is_open)
    }

    /// Whether more than half of the limit waits: nothing more should be read from this peer, so that
    /// what it causes itself cannot cut it off.
    #[must_use]
    pub fn is_congested(&self) -> bool {
        self.behind_first() > self.limit / 2
    }

    /// Takes the lease and what is to be written, up to a run that is open still; `None` if there is
    /// nothing, or if somebody else writes (who will then look again).
    pub fn begin(&mut self) -> Option<Batch> {
        if self.lease != Lease::Free {
            self.lease = Lease::Marked;
            return None;
        }
        let mut frames = SmallVec::<[Frame; 4]>::new();
        frames.push(self.first.take_if(|first| !first.is_open())?);
        if let Some(rest) = self.rest.as_mut() {
            let sealed = rest.iter().take(BATCH - 1).take_while(|frame| !frame.is_open()).count();
            frames.extend(rest.drain(..sealed));
            self.first = rest.pop_front();
            if rest.is_empty() {
                self.rest = None;
            }
        }
        self.lease = Lease::Taken;
        for frame in &frames {
            self.discount(frame);
        }
        Some(Batch { frames, written: std::mem::take(&mut self.written) })
    }

    /// Gives the lease back, `written` bytes of the batch having been written.
    pub fn finish(&mut self, mut batch: Batch, written: usize) -> Written {
        self.lease = Lease::Free;
        let mut written = batch.written + written;
        let mut done = 0;
        for frame in &batch.frames {
            let len = frame.as_websocket().len();
            if written < len {
                break;
            }
            written -= len;
            done += 1;
        }
        if done == batch.frames.len() {
            self.forget_owed();
            return if self.is_empty() { Written::Everything } else { Written::More };
        }
        self.put_back(batch.frames.drain(done..), written);
        self.forget_owed();
        Written::Blocked
    }

    /// No more can be owed than waits.
    fn forget_owed(&mut self) {
        self.owed = self.owed.min(u32::try_from(self.waiting).unwrap_or(u32::MAX));
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
        let skip = std::iter::once(self.written).chain(std::iter::repeat(0));
        self.frames.iter().zip(skip).map(|(frame, skip)| &frame.as_websocket()[skip..])
    }

    /// How many frames it has: at least one.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.frames.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use proptest::prelude::*;

    fn frame(body: &[u8]) -> Frame {
        Frame::new(Kind::Binary, body)
    }

    fn write_some(outbox: &mut Outbox, wire: &mut Vec<u8>, room: usize) -> Option<Written> {
        let batch = outbox.begin()?;
        let bytes: Vec<u8> = batch.slices().flatten().copied().take(room).collect();
        wire.extend_from_slice(&bytes);
        Some(outbox.finish(batch, bytes.len()))
    }

    #[test]
    fn limit_counts_what_waits_behind_the_first_frame() {
        let mut outbox = Outbox::new(10);

        outbox.push(frame(&[0; 100]));
        outbox.push(frame(&[0; 8]));
        assert_eq!(outbox.overflow(), None);

        outbox.push(frame(&[]));
        assert_eq!(outbox.overflow(), Some(Overflow { waiting: 12, limit: 10 }));
    }

    #[test]
    fn what_is_owed_counts_only_as_congestion() {
        let mut outbox = Outbox::new(10);
        outbox.push_owed(frame(&[0; 100]));
        outbox.push_owed(frame(&[0; 100]));

        assert!(outbox.is_congested());
        assert_eq!(outbox.overflow(), None);

        while write_some(&mut outbox, &mut Vec::new(), usize::MAX) == Some(Written::More) {}
        outbox.push(frame(&[]));
        outbox.push(frame(&[0; 11]));
        assert_eq!(outbox.overflow(), Some(Overflow { waiting: 13, limit: 10 }));
    }

    #[test]
    fn second_writer_goes_away() {
        let mut outbox = Outbox::new(100);
        outbox.push(frame(b"a"));
        let batch = outbox.begin().unwrap();
        outbox.push(frame(b"b"));

        assert!(outbox.begin().is_none());

        assert_eq!(outbox.finish(batch, 3), Written::More);
        assert!(outbox.begin().is_some());
    }

    #[test]
    fn cleared_outbox_keeps_the_frame_that_is_half_written() {
        let mut outbox = Outbox::new(100);
        outbox.push(frame(b"abc"));
        outbox.push(frame(b"d"));
        let mut wire = Vec::new();
        assert_eq!(write_some(&mut outbox, &mut wire, 1), Some(Written::Blocked));

        outbox.clear();

        assert_eq!(write_some(&mut outbox, &mut wire, 100), Some(Written::Everything));
        assert_eq!(wire, frame(b"abc").as_websocket());
        assert_eq!(outbox.waiting(), 0);
    }

    #[test]
    fn empty_outbox_holds_nothing() {
        let mut outbox = Outbox::new(1 << 20);
        for _ in 0..100 {
            outbox.push(frame(b"x"));
        }
        while write_some(&mut outbox, &mut Vec::new(), usize::MAX) == Some(Written::More) {}

        assert!(outbox.is_empty() && outbox.rest.is_none());
        assert_eq!(outbox.waiting(), 0);
    }

    fn open_run(outbox: &mut Outbox) -> Frame {
        let run = Frame::open();
        outbox.push(run.clone());
        run
    }

    #[test]
    fn open_run_is_not_written_and_what_is_behind_it_waits() {
        let (mut outbox, mut wire) = (Outbox::new(1000), Vec::new());
        outbox.push(frame(b"ahead"));
        let run = open_run(&mut outbox);
        outbox.push(frame(b"behind"));

        assert!(!outbox.awaits_seal(), "there is something ahead of it");
        assert_eq!(write_some(&mut outbox, &mut wire, 1000), Some(Written::More));
        assert_eq!(wire, frame(b"ahead").as_websocket());
        assert!(outbox.awaits_seal());
        assert!(outbox.begin().is_none());
        assert!(!outbox.is_leased() && !outbox.is_empty());

        run.seal(b"run".to_vec());
        assert!(!outbox.awaits_seal());
        assert_eq!(write_some(&mut outbox, &mut wire, 1000), Some(Written::Everything));
        assert_eq!(wire, [frame(b"ahead").as_websocket(), b"run", frame(b"behind").as_websocket()].concat());
    }

    #[test]
    fn run_counts_once_it_is_sealed() {
        let mut outbox = Outbox::new(10);
        outbox.push(frame(b"abc"));
        let (one, two) = (open_run(&mut outbox), open_run(&mut outbox));
        assert_eq!((outbox.waiting(), outbox.is_congested(), outbox.overflow()), (5, false, None));

        one.seal(vec![0; 10]);
        assert_eq!((outbox.waiting(), outbox.is_congested(), outbox.overflow()), (15, true, None));

        two.seal(vec![0; 1]);
        assert_eq!(outbox.overflow(), Some(Overflow { waiting: 11, limit: 10 }));
    }

    #[test]
    fn run_that_is_the_first_frame_does_not_count_against_the_limit() {
        let mut outbox = Outbox::new(10);
        let run = open_run(&mut outbox);
        run.seal(vec![0; 1000]);
        outbox.push(frame(&[0; 8]));

        assert_eq!((outbox.waiting(), outbox.overflow()), (1010, None));
    }

    #[test]
    fn run_that_is_half_written_goes_back_to_its_place_and_counts_again() {
        let (mut outbox, mut wire) = (Outbox::new(1000), Vec::new());
        outbox.push(frame(b"ahead"));
        let run = open_run(&mut outbox);
        outbox.push(frame(b"behind"));
        run.seal(b"0123456789".to_vec());
        let open = open_run(&mut outbox);
        let sent = [frame(b"ahead").as_websocket(), b"0123456789", frame(b"behind").as_websocket()].concat();

        assert_eq!(write_some(&mut outbox, &mut wire, 7 + 4), Some(Written::Blocked));
        assert_eq!((outbox.waiting(), outbox.runs), (10 + 8, 2));
        assert_eq!(write_some(&mut outbox, &mut wire, 3), Some(Written::Blocked));
        assert_eq!((outbox.waiting(), outbox.runs), (10 + 8, 2));
        assert_eq!(write_some(&mut outbox, &mut wire, 1000), Some(Written::More));

        assert_eq!(wire, sent);
        assert_eq!((outbox.waiting(), outbox.runs), (0, 1));
        assert!(open.is_open() && outbox.awaits_seal());
    }

    #[test]
    fn cleared_outbox_keeps_a_run_that_is_half_written_and_no_other() {
        let (mut outbox, mut wire) = (Outbox::new(1000), Vec::new());
        let run = open_run(&mut outbox);
        let late = open_run(&mut outbox);
        run.seal(b"run".to_vec());
        assert_eq!(write_some(&mut outbox, &mut wire, 1), Some(Written::Blocked));

        outbox.clear();
        late.seal(b"late".to_vec());

        assert_eq!((outbox.waiting(), outbox.runs), (3, 1));
        assert_eq!(write_some(&mut outbox, &mut wire, 1000), Some(Written::Everything));
        assert_eq!(wire, b"run");
        assert_eq!((outbox.waiting(), outbox.runs), (0, 0));
    }

    #[test]
    fn cleared_outbox_forgets_an_open_run() {
        let mut outbox = Outbox::new(1000);
        let run = open_run(&mut outbox);

        outbox.clear();
        run.seal(b"run".to_vec());

        assert!(outbox.is_empty() && !outbox.awaits_seal());
        assert_eq!((outbox.waiting(), outbox.runs), (0, 0));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(usize),
        /// Opens a run.
        Open,
        /// Seals one of the runs that are open, with so many bytes.
        Seal(prop::sample::Index, usize),
        /// Writes as much at once.
        Write(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0usize..300).prop_map(Step::Push),
            2 => Just(Step::Open),
            2 => (any::<prop::sample::Index>(), 0usize..300).prop_map(|(which, len)| Step::Seal(which, len)),
            3 => (0usize..600).prop_map(Step::Write),
        ]
    }

    /// What has been sent: a frame's bytes, or a run that may still be open.
    fn bytes_of(sent: &[Frame]) -> Vec<u8> {
        sent.iter().flat_map(|frame| frame.as_websocket().to_vec()).collect()
    }

    proptest! {
        #[test]
        fn each_byte_of_frames_and_runs_is_written_once_and_in_order(
            steps in prop::collection::vec(step(), 1..120),
        ) {
            let (mut outbox, mut wire) = (Outbox::new(usize::MAX), Vec::new());
            let (mut sent, mut next) = (Vec::<Frame>::new(), 0u8);
            let mut fill = |len: usize| {
                next = next.wrapping_add(1);
                vec![next; len]
            };
            for step in steps {
                let open = sent.iter().filter(|frame| frame.is_open()).collect::<Vec<_>>();
                match step {
                    Step::Push(len) => {
                        sent.push(frame(&fill(len)));
                        outbox.push(sent[sent.len() - 1].clone());
                    }
                    Step::Open => sent.push(open_run(&mut outbox)),
                    Step::Seal(_, _) if open.is_empty() => {}
                    Step::Seal(which, len) => which.get(&open).seal(fill(len)),
                    Step::Write(room) => {
                        write_some(&mut outbox, &mut wire, room);
                    }
                }
                let until_open = sent.iter().take_while(|frame| !frame.is_open()).count();
                let writable = bytes_of(&sent[..until_open]);
                prop_assert!(writable.starts_with(&wire), "nothing from behind an open run, nothing twice");
                prop_assert_eq!(wire.len() + outbox.waiting() - outbox.written, bytes_of(&sent).len());
            }
            for frame in &sent {
                frame.seal(fill(5));
            }
            while matches!(write_some(&mut outbox, &mut wire, usize::MAX), Some(Written::More)) {}
            prop_assert_eq!(wire, bytes_of(&sent));
            prop_assert!(outbox.is_empty());
            prop_assert_eq!(outbox.runs, 0);
        }

        #[test]
        fn every_frame_is_written_once_and_in_order(
            steps in proptest::collection::vec((0usize..5, 0usize..600), 1..60),
        ) {
            let mut outbox = Outbox::new(usize::MAX);
            let (mut sent, mut wire, mut next) = (Vec::new(), Vec::new(), 0u8);
            for (pushes, room) in steps {
                for _ in 0..pushes {
                    let frame = frame(&vec![next; usize::from(next)]);
                    sent.extend_from_slice(frame.as_websocket());
                    outbox.push(frame);
                    next = next.wrapping_add(37);
                }
                write_some(&mut outbox, &mut wire, room);
                prop_assert_eq!(wire.len() + outbox.waiting() - outbox.written, sent.len());
            }
            while write_some(&mut outbox, &mut wire, usize::MAX) == Some(Written::More) {}
            prop_assert_eq!(wire, sent);
        }
    }
}
