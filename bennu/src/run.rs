//! Runs: several broadcasts to the same recipients, in one place of their queues.
//!
//! The recipients of a broadcast get an open frame, and what follows is appended to that alone, whatever
//! their number: one entry, one write, no memory left behind, and no shard is asked again. Where they are few, the
//! first broadcast of a batch is queued as it is, as often no other follows. A run ends when any of its recipients is
//! sent something else (so that the order stays what it was), when anybody joins, leaves or subscribes in one of its
//! shards, when it is large enough, or when somebody is about to write.
//!
//! A node has one at a time: who broadcasts makes several in a row, or one. Lock order: shard, then run.

use crate::metrics::Reached;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};
use bennu_core::server::{Broadcast, ChannelId, Fanout};
use bennu_core::wire::{Formats, PerSerializer, Serializer};
use bennu_core::{Frame, Topic};
use std::mem;

/// The run of a node, or what may become one.
#[derive(Debug, Default)]
pub(crate) struct Run {
    current: Mutex<Current>,
    /// The shards whose members have it, as bits. A bit is set under its shard's lock too: whoever holds that and
    /// sees none need not ask.
    shards: Shards,
}

/// Bits on a cache line of their own: they are read for each frame, and the lock beside them is taken for each
/// broadcast.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Shards(AtomicU64);

#[derive(Debug, Default)]
struct Current {
    last: Option<Last>,
    stage: Stage,
    open: PerSerializer<Option<Open>>,
    /// Who has it, once all of them have.
    reached: Reached,
    /// Counts the runs: who takes one round can tell that it has ended meanwhile.
    serial: u64,
}

/// The last broadcast, if the next one could have the same recipients.
#[derive(Debug)]
struct Last {
    topic: Topic,
    /// The channel that made it, and is left out if it is a member.
    by: Option<ChannelId>,
    batch: u64,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// There is none: the last broadcast has been queued as it is.
    #[default]
    None,
    /// Somebody takes it from shard to shard.
    Opening,
    /// All its recipients have it.
    Open,
}

/// An open frame in the queues of all recipients of one serializer, and what it will hold.
#[derive(Debug)]
struct Open {
    frame: Frame,
    bytes: Vec<u8>,
}

/// The open frames of a run, by serializer.
type Frames = PerSerializer<Option<Frame>>;

/// A run that has become as large as this is written as it is, in bytes.
const LARGE: usize = 64 * 1024;

/// So many members of a shard are worth a run for a single broadcast.
const MANY: usize = 16;

/// A broadcast on its way to its shards, one after the other.
#[derive(Debug)]
pub(crate) struct Tour<'a> {
    run: &'a Run,
    /// Those of the node.
    formats: &'a Formats,
    broadcast: &'a Broadcast,
    step: Step,
    /// Who has the run that it was appended to, or opens.
    reached: Reached,
}

/// What the recipients in the next shard are given.
#[derive(Debug)]
enum Step {
    /// The broadcast's own frames.
    Queue,
    /// The same, but for those in these shards: it has been appended to the run that they have.
    Appended { shards: u64 },
    /// The open frames of a new run, if the first shard shows that they are worth it.
    Undecided { serial: u64, is_second: bool },
    /// The open frames of a new run.
    Open { serial: u64, frames: Frames },
}

impl Run {
    /// Takes a broadcast in: appends it to the run, if that has the same recipients.
    pub(crate) fn begin<'a>(
        &'a self,
        formats: &'a Formats,
        broadcast: &'a Broadcast,
        by: Option<ChannelId>,
        batch: u64,
    ) -> Tour<'a> {
        let mut current = self.current.lock();
        let is_next = current.last.as_ref().is_some_and(|last| last.is_like(broadcast, by, batch));
        let mut reached = Reached::default();
        let step = if is_next && current.stage == Stage::Open && current.append(formats, broadcast) {
            let shards = self.shards.0.load(Ordering::Relaxed);
            reached = current.reached.clone();
            if current.is_large() {
                self.end(&mut current);
            }
            Step::Appended { shards }
        } else {
            let is_second = is_next && current.stage == Stage::None;
            self.end(&mut current);
            if !is_next {
                current.last = Some(Last { topic: broadcast.topic().clone(), by, batch });
            }
            Step::Undecided { serial: current.serial, is_second }
        };
        Tour { run: self, formats, broadcast, step, reached }
    }

    /// Takes a broadcast in that is never merged with others: the run ends in front of it.
    pub(crate) fn pass<'a>(&'a self, formats: &'a Formats, broadcast: &'a Broadcast) -> Tour<'a> {
        let mut current = self.current.lock();
        current.last = None;
        self.end(&mut current);
        Tour { run: self, formats, broadcast, step: Step::Queue, reached: Reached::default() }
    }

    /// Whether the run may be open in the shard, whose lock the caller holds.
    pub(crate) fn is_in(&self, shard: u32) -> bool {
        self.shards.0.load(Ordering::Relaxed) & (1 << shard) != 0
    }

    /// Ends the run, so that it can be written, or something else behind it.
    pub(crate) fn seal(&self) {
        // Set before an open frame is queued: who has found one there does not miss it.
        if self.shards.0.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut current = self.current.lock();
        current.last = None;
        self.end(&mut current);
    }

    /// Fills the open frames; the next broadcast opens others.
    fn end(&self, current: &mut Current) {
        for open in current.open.iter_mut().filter_map(mem::take) {
            open.frame.seal(open.bytes);
        }
        current.stage = Stage::None;
        current.serial += 1;
        if self.shards.0.load(Ordering::Relaxed) != 0 {
            self.shards.0.store(0, Ordering::Release);
        }
    }
}

impl Last {
    fn is_like(&self, broadcast: &Broadcast, by: Option<ChannelId>, batch: u64) -> bool {
        self.batch == batch && self.by == by && self.topic == *broadcast.topic()
    }
}

impl Current {
    /// Opens frames that begin with this broadcast.
    fn open(&mut self, formats: &Formats, broadcast: &Broadcast) -> Frames {
        self.open = formats.each(|serializer| {
            let bytes = broadcast.frame(serializer)?.as_websocket().to_vec();
            Some(Open { frame: Frame::open(), bytes })
        });
        self.stage = Stage::Opening;
        formats.each(|serializer| self.open[serializer].as_ref().map(|open| open.frame.clone()))
    }

    /// Appends a broadcast, if the members of each serializer have a place for it.
    fn append(&mut self, formats: &Formats, broadcast: &Broadcast) -> bool {
        let fits = |serializer: Serializer| match self.open.get(serializer) {
            Some(Some(_)) => !broadcast.lacks(serializer),
            None | Some(None) => broadcast.frame(serializer).is_none(),
        };
        if !formats.serializers().all(fits) {
            return false;
        }
        for serializer in formats.serializers() {
            if let Some(open) = self.open.place(serializer)
                && let Some(frame) = broadcast.frame(serializer)
            {
                open.bytes.extend_from_slice(frame.as_websocket());
            }
        }
        true
    }

    fn is_large(&self) -> bool {
        self.open.iter().flatten().any(|open| open.bytes.len() >= LARGE)
    }
}

impl Tour<'_> {
    /// The shards whose members have the broadcast already, all but the one who made it, as bits.
    pub(crate) fn appended(&self) -> u64 {
        if let Step::Appended { shards } = self.step { shards } else { 0 }
    }

    /// Whom it has reached so far by a run, be it that it was appended to that, or opens it.
    pub(crate) fn reached(&self) -> &Reached {
        &self.reached
    }

    /// Comes to a shard, whose lock the caller holds: the open frames that its members, all who are `reached`, are
    /// given instead of the fan-out's own, if they are. All of them have to be WebSockets for that (`can_merge`).
    pub(crate) fn visit(
        &mut self,
        fanout: &Fanout,
        shard: u32,
        can_merge: bool,
        reached: Reached,
    ) -> Option<&Frames> {
        if !can_merge || !fanout.is_uniform() || !self.opens(fanout, shard) {
            // Whoever has a run here that is open is sent something else now.
            if self.run.is_in(shard) {
                self.run.seal();
            }
            return None;
        }
        let Step::Open { frames, .. } = &self.step else { return None };
        self.reached.add(reached);
        Some(frames)
    }

    /// Whether the members of a shard are given open frames.
    fn opens(&mut self, fanout: &Fanout, shard: u32) -> bool {
        let run = self.run;
        let (Step::Undecided { serial, .. } | Step::Open { serial, .. }) = self.step else { return false };
        if let Step::Undecided { is_second: false, .. } = self.step
            && fanout.members() < MANY
        {
            self.step = Step::Queue;
            return false;
        }
        let mut current = run.current.lock();
        if current.serial != serial {
            // It has ended meanwhile. What has been opened holds this broadcast, and is none that grows.
            let has_begun = matches!(self.step, Step::Open { .. });
            current.last = None;
            run.end(&mut current);
            if !has_begun {
                self.step = Step::Queue;
            }
            return has_begun;
        }
        if let Step::Undecided { .. } = self.step {
            self.step = Step::Open { serial, frames: current.open(self.formats, self.broadcast) };
        }
        run.shards.0.fetch_or(1 << shard, Ordering::Release);
        let is_late = |serializer| fanout.frame(serializer).is_some() && self.broadcast.lacks(serializer);
        if self.formats.serializers().any(is_late) {
            // Its publisher has not known of somebody, and those after it may not either.
            current.last = None;
            run.end(&mut current);
        }
        true
    }

    /// Has come to all shards.
    pub(crate) fn finish(self) {
        let Step::Open { serial, .. } = self.step else { return };
        let mut current = self.run.current.lock();
        if current.serial == serial {
            current.stage = Stage::Open;
            current.reached = self.reached;
        }
    }
}

#[cfg(test)]
mod tests;
