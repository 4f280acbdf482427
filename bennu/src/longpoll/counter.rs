//! One session, where its requests and its task meet.

use crate::peer::{Cause, Peer};
use crate::runtime::Runtime;
use crate::sync::{Mutex, MutexGuard};
use bennu_core::longpoll::{
    CloseReason, Config, Data, Delivery as Fate, Ended, Output, PollId, PostId, Posted, Session,
};
use bennu_core::server::SocketId;
use bennu_core::{Frame, Instant};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// A session, and who waits for it: requests for their answers, its task for what it is to do.
///
/// The lock is held for what the session decides: no other lock with it, and nobody is woken under it.
pub(crate) struct Counter {
    peer: Arc<Peer>,
    runtime: Arc<dyn Runtime>,
    desk: Mutex<Desk>,
}

struct Desk {
    session: Session,
    polls: BTreeMap<PollId, Waiting<Told>>,
    posts: BTreeMap<PostId, Waiting<Posted>>,
    /// What the session wants of its task, oldest first.
    errands: VecDeque<Errand>,
    /// When the task will look at the time, unless it is woken.
    armed: Instant,
}

/// What a session wants of its task.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Give this to the machine, and say what became of it.
    Receive(Data),
    /// Tell the machine that the session is over.
    Close(CloseReason),
    /// Nobody waits any more.
    End,
}

/// A request and its answer.
enum Waiting<T> {
    ForAnswer(Option<Waker>),
    Answered(T),
}

/// What a poll is told.
#[derive(Clone, Copy)]
enum Told {
    Ready,
    Empty,
}

/// What of that which was queued the client is not given, in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsent {
    /// Bytes.
    pub(crate) skipped: usize,
    /// What it was too slow for.
    pub(crate) lost: usize,
}

impl Counter {
    pub(crate) fn new(peer: Arc<Peer>, runtime: Arc<dyn Runtime>, config: Config) -> Arc<Self> {
        let session = Session::new(config, runtime.now());
        let desk = Desk {
            session,
            polls: BTreeMap::new(),
            posts: BTreeMap::new(),
            errands: VecDeque::new(),
            armed: Instant::LAST,
        };
        Arc::new(Self { peer, runtime, desk: Mutex::new(desk) })
    }

    /// Waits for frames. None come when the window is over, or another poll takes the place of this one.
    pub(crate) async fn poll(self: &Arc<Self>) -> Result<Option<(Vec<Frame>, Delivery)>, Ended> {
        let now = self.runtime.now();
        let poll = self.ask(|desk| {
            let poll = desk.session.handle_poll(now)?;
            desk.polls.insert(poll, Waiting::ForAnswer(None));
            Ok(poll)
        })?;
        // Dropped while it waits, it takes nothing along.
        let delivery = Delivery { counter: Arc::clone(self), poll, fate: Fate::Cut };
        let frames = poll_fn(|cx| self.ask(|desk| desk.take(poll, self.runtime.now(), cx.waker()))).await;
        Ok(Some((frames, delivery)).filter(|(frames, _)| !frames.is_empty()))
    }

    /// Waits until messages are taken.
    pub(crate) async fn post(&self, messages: Vec<Data>) -> Result<Posted, Ended> {
        let now = self.runtime.now();
        let post = self.ask(|desk| {
            let post = desk.session.handle_post(messages, now)?;
            desk.posts.insert(post, Waiting::ForAnswer(None));
            Ok(post)
        })?;
        let _forget = Posting { counter: self, post };
        Ok(poll_fn(|cx| wait(self.lock().posts.get_mut(&post), cx.waker(), Posted::TimedOut)).await)
    }

    /// What the session wants of its task next.
    pub(crate) fn errand(&self) -> Option<Errand> {
        self.lock().errands.pop_front()
    }

    /// Takes in what was queued for the client, but for bytes, which cannot be sent to it.
    pub(crate) fn push(&self, frames: Vec<(Frame, Cause)>) -> Unsent {
        let (mut skipped, mut lost) = (0, 0);
        self.tell(|session, _| {
            for (frame, cause) in frames {
                let pushed = match cause {
                    Cause::Itself => session.push_owed(frame),
                    Cause::Others => session.push(frame),
                };
                skipped += usize::from(pushed.is_err());
            }
            lost = session.take_lost();
        });
        if skipped > 0 {
            tracing::debug!(peer = ?self.peer, skipped, "broadcasts of bytes have skipped a client that polls");
        }
        Unsent { skipped, lost }
    }

    /// Tells the session something. Its task alone does: it looks afterwards what there is to do.
    pub(crate) fn tell(&self, tell: impl FnOnce(&mut Session, Instant)) {
        let now = self.runtime.now();
        let mut desk = self.lock();
        tell(&mut desk.session, now);
        let wakers = desk.pump();
        drop(desk);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// When its task has to look at the time: it will have itself woken then.
    pub(crate) fn next_look(&self) -> Option<Instant> {
        let mut desk = self.lock();
        let next = desk.session.poll_timeout();
        desk.armed = next.unwrap_or(Instant::LAST);
        next
    }

    /// Whose session it is; `None` if the machine does not know it yet.
    pub(crate) fn socket(&self) -> Option<SocketId> {
        self.peer.id()
    }

    /// How many frames wait for a poll, and how many bytes.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let desk = self.lock();
        (desk.session.queued_frames(), desk.session.queued())
    }

    /// The client has gone.
    pub(crate) fn hang_up(&self) {
        let now = self.runtime.now();
        self.ask(|desk| desk.session.close(now));
    }

    /// Its task has gone: whoever waits is answered now, as nobody else would.
    pub(crate) fn abandon(&self) {
        let now = self.runtime.now();
        let mut desk = self.lock();
        desk.session.close(now);
        let mut wakers = desk.pump();
        for waiting in desk.polls.values_mut() {
            wakers.extend(waiting.answer(Told::Empty));
        }
        for waiting in desk.posts.values_mut() {
            wakers.extend(waiting.answer(Posted::TimedOut));
        }
        drop(desk);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// A request tells the session something; its task is woken if there is something for it to do.
    fn ask<T>(&self, ask: impl FnOnce(&mut Desk) -> T) -> T {
        let mut desk = self.lock();
        let answer = ask(&mut desk);
        let wakers = desk.pump();
        let is_wanted =
            !desk.errands.is_empty() || desk.session.poll_timeout().is_some_and(|next| next < desk.armed);
        drop(desk);
        wakers.into_iter().for_each(Waker::wake);
        if is_wanted {
            self.peer.wake();
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock()
    }
}

impl Desk {
    /// The frames of a poll, once it has its answer.
    fn take(&mut self, poll: PollId, now: Instant, waker: &Waker) -> Poll<Vec<Frame>> {
        let told = wait(self.polls.get_mut(&poll), waker, Told::Empty);
        told.map(|told| match told {
            Told::Ready => self.session.take(poll, now),
            Told::Empty => Vec::new(),
        })
    }

    /// Does what the session asks for, as far as nothing else is needed. Returns who is to be woken.
    fn pump(&mut self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Ready { poll } => wakers.extend(answer(&mut self.polls, poll, Told::Ready)),
                Output::Empty { poll } => wakers.extend(answer(&mut self.polls, poll, Told::Empty)),
                Output::Posted { post, outcome } => wakers.extend(answer(&mut self.posts, post, outcome)),
                Output::Receive(data) => self.errands.push_back(Errand::Receive(data)),
                Output::Closed(reason) => self.errands.push_back(Errand::Close(reason)),
                Output::End => self.errands.push_back(Errand::End),
            }
        }
        wakers
    }
}

/// Answers a request, if it still waits.
fn answer<I: Ord, T>(waiting: &mut BTreeMap<I, Waiting<T>>, id: I, told: T) -> Option<Waker> {
    waiting.get_mut(&id)?.answer(told)
}

/// The answer of a request, once it is there; `gone` if the request is not known.
fn wait<T: Copy>(waiting: Option<&mut Waiting<T>>, waker: &Waker, gone: T) -> Poll<T> {
    match waiting {
        Some(Waiting::ForAnswer(known)) => {
            known.get_or_insert_with(|| waker.clone()).clone_from(waker);
            Poll::Pending
        }
        Some(Waiting::Answered(told)) => Poll::Ready(*told),
        None => Poll::Ready(gone),
    }
}

impl<T> Waiting<T> {
    fn answer(&mut self, told: T) -> Option<Waker> {
        match std::mem::replace(self, Self::Answered(told)) {
            Self::ForAnswer(waker) => waker,
            Self::Answered(_) => None,
        }
    }
}

/// A poll, from its request to the end of its answer. When it is dropped the session learns what became of it.
pub(crate) struct Delivery {
    counter: Arc<Counter>,
    poll: PollId,
    fate: Fate,
}

impl Delivery {
    /// The frames have been handed over, to be written.
    pub(crate) fn hand_over(&mut self) {
        self.fate = Fate::Written;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let (poll, fate) = (self.poll, self.fate);
        let now = self.counter.runtime.now();
        self.counter.ask(|desk| {
            desk.polls.remove(&poll);
            match fate {
                Fate::Written => desk.session.finish(poll, fate, now),
                Fate::Cut => desk.session.handle_cut(poll, now),
            }
        });
    }
}

/// A post that waits. Its messages are taken also if nobody waits any more.
struct Posting<'a> {
    counter: &'a Counter,
    post: PostId,
}

impl Drop for Posting<'_> {
    fn drop(&mut self) {
        self.counter.lock().posts.remove(&self.post);
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("poll", &self.poll).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(bennu_loom)))]
mod tests;
