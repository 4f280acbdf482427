//! A connected peer as any task sees it: where frames for it are queued, and handlers for its task left.

mod flush;

pub(crate) use flush::{Flush, Flushed};

use crate::letter::Letter;
use crate::link::Transport;
use crate::runtime::PlainStream;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};
use bennu_core::outbox::{Batch, Outbox, Patience, Stuck, Verdict, Written};
use bennu_core::server::{self, CallId, ChannelId, CloseReason, Event, SocketId};
use bennu_core::{Frame, Instant};
use std::collections::VecDeque;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32};
use std::task::Waker;

/// One connection, shared by its own task, the shard it belongs to, and whoever writes to it.
///
/// In memory order: what a fan-out touches comes first, in two cache lines, and [`Peer::touch`] loads both.
#[repr(C)]
pub(crate) struct Peer {
    /// A plain stream, which any task may write to; `None` if only its own task can.
    stream: Option<Box<dyn PlainStream>>,
    shared: Mutex<Shared>,
    /// Whether somebody has already undertaken to flush what is queued.
    dirty: AtomicBool,
    /// Whether its task should look up from its input: too much waits here, or for its handlers.
    hold: AtomicBool,
    /// Whether work has been left for its task since that last looked.
    left: AtomicBool,
    /// How its client is connected: the place in [`Transport::ALL`].
    transport: AtomicU8,
    /// When it connected, in seconds since the runtime's start. With the one above in what would be padding.
    since: AtomicU32,
    id: OnceLock<SocketId>,
}

#[repr(C)]
struct Shared {
    outbox: Outbox,
    /// Handlers that other tasks have caused. Rare, but for intercepts and messages.
    #[allow(clippy::box_collection, reason = "empty nearly always, and then a quarter as large")]
    work: Option<Box<VecDeque<Work>>>,
    waker: Option<Waker>,
    /// How many broadcasts were dropped for it.
    lost: u32,
    /// The stream takes nothing now; the connection's own task waits until it does.
    blocked: bool,
    /// The stream is to be closed by whoever writes to it just now.
    closing: bool,
    /// The connection's task waits until everything is written.
    ending: bool,
    notice: Notice,
}

/// What a connection's task has to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The server ends this socket.
    pub(crate) close: Option<CloseReason>,
    /// Too much of what the peer sent waits for handlers: do not read.
    pub(crate) paused: bool,
    /// A deadline of the connection may have passed.
    pub(crate) due: bool,
    /// Writing has failed: the stream is of no use any more.
    pub(crate) broken: bool,
    /// Too much waits for the peer to take it: do not read what would cause more.
    pub(crate) congested: bool,
}

/// What the machine wants of the task that owns a channel.
#[derive(Debug)]
pub(crate) enum Work {
    Call {
        call: CallId,
        event: Event<Letter>,
    },
    Cancel {
        call: CallId,
    },
    Ended {
        channel: ChannelId,
    },
    /// To be logged and counted, where no lock is held.
    Notice(server::Notice),
}

/// Who has caused what waits for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It has: these are answers.
    Itself,
    /// Others have, at least some of it.
    Others,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queued {
    /// Somebody will flush it.
    Undertaken,
    /// Nobody has undertaken to flush it yet: the caller has.
    Dirty,
    /// The peer takes its messages too slowly: so many that waited were dropped for that. What is left somebody will
    /// flush.
    Lost(usize),
    /// The peer takes its messages too slowly.
    Overflow,
}

impl Peer {
    pub(crate) fn new(stream: Option<Box<dyn PlainStream>>, outbox_limit: usize) -> Self {
        Self {
            stream,
            dirty: AtomicBool::new(false),
            hold: AtomicBool::new(false),
            left: AtomicBool::new(false),
            transport: AtomicU8::new(0),
            since: AtomicU32::new(0),
            shared: Mutex::new(Shared {
                outbox: Outbox::new(outbox_limit),
                work: None,
                waker: None,
                lost: 0,
                blocked: false,
                closing: false,
                ending: false,
                notice: Notice::default(),
            }),
            id: OnceLock::new(),
        }
    }

    pub(crate) fn stream(&self) -> Option<&dyn PlainStream> {
        self.stream.as_deref()
    }

    /// It has become known to the machine.
    pub(crate) fn connected(&self, id: SocketId, transport: Transport, now: Instant) {
        let since = u32::try_from(now.since_epoch().as_secs()).unwrap_or(u32::MAX);
        self.since.store(since, Ordering::Relaxed);
        self.transport.store(transport as u8, Ordering::Relaxed);
        let _ = self.id.set(id);
    }

    pub(crate) fn transport(&self) -> Transport {
        Transport::ALL[usize::from(self.transport.load(Ordering::Relaxed))]
    }

    /// How long it has been connected, in seconds.
    pub(crate) fn seconds(&self, now: Instant) -> u64 {
        now.since_epoch().as_secs().saturating_sub(self.since.load(Ordering::Relaxed).into())
    }

    /// How many frames wait, and how many bytes.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let shared = self.shared.lock();
        (shared.outbox.frames(), shared.outbox.waiting())
    }

    pub(crate) fn id(&self) -> Option<SocketId> {
        self.id.get().copied()
    }

    /// Loads what queueing a frame or flushing it needs first. Done for several peers in a row, their
    /// cache misses overlap instead of following one another.
    pub(crate) fn touch(&self) -> usize {
        let stream = self.stream.as_deref().map_or(0, PlainStream::touch);
        stream + usize::from(self.dirty.load(Ordering::Relaxed))
    }

    /// Queues a frame.
    ///
    /// Too much is only what a stream that is known to be blocked does not take: what is queued faster
    /// than anybody could write it says nothing about the peer.
    pub(crate) fn push(&self, frame: Frame) -> Queued {
        let mut shared = self.shared.lock();
        shared.outbox.push(frame);
        if let Some(queued) = self.look_at(&mut shared) {
            return queued;
        }
        // Whoever waits for a blocked stream will flush all of it. Whoever else has undertaken to flush settles
        // before it takes the lock: behind that, this sees it; in front of that, it sees the frame.
        if shared.blocked || self.dirty.load(Ordering::Relaxed) {
            return Queued::Undertaken;
        }
        self.dirty.store(true, Ordering::Relaxed);
        Queued::Dirty
    }

    /// Queues an answer to the peer, which is never too much, in a turn of its own task: that has undertaken
    /// to flush it.
    pub(crate) fn push_answer(&self, frame: Frame) -> Queued {
        let mut shared = self.shared.lock();
        shared.outbox.push_owed(frame);
        self.look_at(&mut shared).unwrap_or(Queued::Undertaken)
    }

    /// Whether too much waits for the peer; and from half of that on, its task is told.
    fn look_at(&self, shared: &mut Shared) -> Option<Queued> {
        let mut lost = 0;
        if shared.blocked {
            match shared.outbox.make_room() {
                Ok(dropped) => lost = dropped,
                Err(_) => return Some(Queued::Overflow),
            }
        }
        if shared.outbox.is_congested() {
            self.hold.store(true, Ordering::Relaxed);
        }
        if lost == 0 {
            return None;
        }
        shared.count_lost(lost);
        Some(Queued::Lost(lost))
    }

    /// Counts broadcasts that were dropped.
    pub(crate) fn count_lost(&self, lost: usize) {
        self.shared.lock().count_lost(lost);
    }

    /// How many broadcasts were dropped for it; never more than `u32::MAX`.
    pub(crate) fn lost(&self) -> u32 {
        self.shared.lock().lost
    }

    /// Undertakes to flush: until [`Peer::settle`], nobody else need.
    pub(crate) fn undertake(&self) {
        self.dirty.store(true, Ordering::Release);
    }

    /// Whoever undertook to flush now does: what is queued from here on is somebody else's again.
    pub(crate) fn settle(&self) {
        self.dirty.store(false, Ordering::Release);
    }

    /// Whether the connection's task should look up from its input.
    pub(crate) fn holds(&self) -> bool {
        self.hold.load(Ordering::Relaxed)
    }

    /// Whether [`Peer::take_work`] would find anything new. Only a hint: whoever leaves something wakes the task.
    pub(crate) fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed) || self.holds()
    }

    /// Leaves work for the connection's task, and wakes it.
    pub(crate) fn leave(&self, work: Work) {
        let mut shared = self.shared.lock();
        shared.work.get_or_insert_default().push_back(work);
        self.left.store(true, Ordering::Relaxed);
        wake(shared.waker.take());
    }

    /// Leaves work that its own task has no time for now, in front of what others have left meanwhile.
    pub(crate) fn put_back(&self, mut work: VecDeque<Work>) {
        let mut shared = self.shared.lock();
        if let Some(left) = shared.work.take() {
            work.extend(*left);
        }
        shared.work = Some(Box::new(work));
    }

    /// Changes what the connection's task has to know, and wakes it.
    pub(crate) fn notify(&self, change: impl FnOnce(&mut Notice)) {
        let mut shared = self.shared.lock();
        change(&mut shared.notice);
        self.hold.store(true, Ordering::Relaxed);
        wake(shared.waker.take());
    }

    /// Takes what was left for the connection's task; before it goes to sleep, its waker is noted.
    pub(crate) fn take_work(&self, waker: &Waker) -> (VecDeque<Work>, Notice) {
        let mut shared = self.shared.lock();
        if !shared.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            shared.waker = Some(waker.clone());
        }
        self.left.store(false, Ordering::Relaxed);
        shared.notice.congested = shared.outbox.is_congested();
        self.hold.store(shared.notice.congested || shared.notice.paused, Ordering::Relaxed);
        let notice = shared.notice;
        shared.notice.due = false;
        (shared.work.take().map(|work| *work).unwrap_or_default(), notice)
    }

    /// Whether a task that stopped reading because too much waited may go on: it has been written.
    pub(crate) fn is_relieved(&self) -> bool {
        let shared = self.shared.lock();
        shared.notice.congested && !shared.outbox.is_congested()
    }

    /// Forgets the connection's task: it has ended.
    pub(crate) fn retire(&self) {
        let mut shared = self.shared.lock();
        let left = (shared.waker.take(), shared.work.take());
        if !shared.closing {
            shared.outbox.clear();
        }
        drop(shared);
        // Behind the lock: what an application sends may do anything when it is dropped.
        drop(left);
    }

    /// Drops what waits.
    pub(crate) fn drop_queue(&self) {
        self.shared.lock().outbox.clear();
    }

    /// Queues a pong or a close frame.
    pub(crate) fn push_control(&self, frame: Frame) {
        self.shared.lock().outbox.push_control(frame);
    }

    /// How many bytes wait.
    #[cfg(test)]
    pub(crate) fn backlog(&self) -> usize {
        self.shared.lock().outbox.waiting()
    }

    /// The stream is blocked, behind a write of so many bytes: see [`Outbox::stuck`].
    pub(crate) fn stuck(&self, before: Option<Stuck>, written: usize, now: Instant) -> Stuck {
        self.shared.lock().outbox.stuck(before, written, now)
    }

    /// Until when the peer has to take more of what waits.
    pub(crate) fn patience(&self, stuck: Stuck, patience: Patience) -> Instant {
        self.shared.lock().outbox.patience(stuck, patience)
    }

    /// That time is up: what becomes of the peer. Drops what may be dropped.
    pub(crate) fn judge(&self, stuck: Stuck, patience: Patience, now: Instant) -> Verdict {
        let mut shared = self.shared.lock();
        let verdict = shared.outbox.handle_timeout(stuck, patience, now);
        if let Verdict::Spared { dropped, .. } = verdict {
            shared.count_lost(dropped);
        }
        verdict
    }

    /// Takes all that waits, for a transport that keeps it elsewhere: each frame with who has caused it. How much is
    /// the peer's own doing, the outbox knows of all of them together; so it is said of the first that this reaches
    /// into, and of none that may be dropped. More may be called its own than is, up to one frame, and never less: nobody
    /// is cut off for that.
    pub(crate) fn take_frames(&self) -> Vec<(Frame, Cause)> {
        let (frames, mut owed) = self.shared.lock().outbox.take_all();
        let caused = |frame: Frame| {
            if owed == 0 || frame.is_losable() {
                return (frame, Cause::Others);
            }
            owed = owed.saturating_sub(frame.as_websocket().len());
            (frame, Cause::Itself)
        };
        frames.into_iter().map(caused).collect()
    }

    /// What waits, in order.
    #[cfg(test)]
    pub(crate) fn frames(&self) -> Vec<Frame> {
        let mut shared = self.shared.lock();
        let (frames, _) = shared.outbox.take_all();
        frames.iter().for_each(|frame| shared.outbox.push(frame.clone()));
        frames
    }

    /// Wakes the connection's task.
    pub(crate) fn wake(&self) {
        wake(self.shared.lock().waker.take());
    }

    /// Takes the lease and what is to be written, for a stream that its own task writes.
    pub(crate) fn begin(&self) -> Option<Batch> {
        self.shared.lock().outbox.begin()
    }

    /// Gives the lease back.
    pub(crate) fn finish(&self, batch: Batch, written: usize) {
        let mut shared = self.shared.lock();
        shared.blocked = shared.outbox.finish(batch, written) == Written::Blocked;
    }

    /// Whether what waits is a run that was open when its own task has last looked.
    pub(crate) fn awaits_seal(&self) -> bool {
        self.shared.lock().has_left()
    }

    /// Whether what it was sent last is a run that is open.
    pub(crate) fn ends_open(&self) -> bool {
        self.shared.lock().outbox.ends_open()
    }

    /// Whether everything is written; if not, whoever writes it wakes the connection's task.
    pub(crate) fn is_written(&self) -> bool {
        let mut shared = self.shared.lock();
        shared.ending = shared.outbox.is_leased() || !shared.outbox.is_empty();
        !shared.ending
    }

    /// Closes a plain stream behind what is being written to it.
    pub(crate) fn close(&self) {
        let Some(stream) = self.stream.as_deref() else { return };
        let mut shared = self.shared.lock();
        if shared.outbox.is_leased() {
            shared.closing = true;
            return;
        }
        drop(shared);
        stream.close();
    }
}

impl Shared {
    fn count_lost(&mut self, lost: usize) {
        self.lost = self.lost.saturating_add(u32::try_from(lost).unwrap_or(u32::MAX));
    }

    /// Whether a flush has left something, though nobody writes: a run that was open. It need not be any more,
    /// as it is sealed under another lock; and who has sealed it leaves the writing to who was here.
    fn has_left(&self) -> bool {
        !self.outbox.is_leased() && !self.outbox.is_empty()
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("id", &self.id.get()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
