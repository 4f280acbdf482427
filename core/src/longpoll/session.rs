//! One session.

use super::body::Data;
use super::config::{Carries, Config};
use super::output::{CloseReason, Delivery, Ended, NotText, Output, PollId, PostId, Posted};
use super::polls::{Polls, Removed};
use super::posts::Posts;
use super::queue::{Cause, Queue};
use crate::{Frame, Instant, Kind};
use std::collections::VecDeque;

/// One client that polls: frames that wait for it, its polls and its posts.
///
/// ```text
///  open ──close(), silence, too much waits, no message──▶ closed ──all promises kept──▶ ended
/// ```
///
/// Frames belong to a poll only when it [takes](Session::take) them, and to the client only when they are
/// [written](Session::finish): each goes to exactly one poll, and what was cut off goes to the next. For that, one
/// answer is written at a time; a poll that comes meanwhile waits, though there may be frames.
///
/// A poll has one of these lives, and in each of them [`Session::handle_cut`] may come instead of the rest:
///
/// | the session says | the driver says | the client gets |
/// |---|---|---|
/// | [`Output::Empty`] | | 204 |
/// | [`Output::Ready`] | [`take`](Session::take), which returns nothing, as a newer poll has come | 204 |
/// | [`Output::Ready`] | [`take`](Session::take), [`finish`](Session::finish) | 200 and the frames |
///
/// After any `&mut self` call, poll outputs until `None`, then read [`Session::poll_timeout`] again. What time it
/// is only ever grows: a `now` before an earlier one counts as that.
///
/// ```
/// use bennu_core::longpoll::{Config, Delivery, Output, Session};
/// use bennu_core::{Frame, Instant, Kind};
///
/// let now = Instant::EPOCH;
/// let mut session = Session::new(Config::default(), now);
///
/// let poll = session.handle_poll(now).expect("it has just begun");
/// assert_eq!(session.poll_output(), None);
///
/// session.push(Frame::new(Kind::Text, b"[null,null,\"room:1\",\"new\",{}]")).expect("it is text");
/// assert_eq!(session.poll_output(), Some(Output::Ready { poll }));
///
/// let frames = session.take(poll, now);
/// assert_eq!(frames.len(), 1);
/// session.finish(poll, Delivery::Written, now);
/// ```
///
/// Source: Phoenix `Transports.LongPoll.Server`. There a poll has taken its frames before they are written, and
/// the queue has no limit.
#[derive(Debug)]
pub struct Session {
    config: Config,
    life: Life,
    /// The latest `now`.
    clock: Instant,
    /// When a poll last ended; at first, when the session began.
    polled: Instant,
    queue: Queue,
    /// Frames that were dropped since anybody has asked.
    lost: usize,
    polls: Polls,
    posts: Posts,
    input: Input,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    /// Some are still to be answered.
    Closed,
    Ended,
}

/// Whether the server takes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Flowing,
    Paused,
}

/// What time brings about.
#[derive(Clone, Copy, Debug)]
enum Timer {
    /// Answers a poll that has waited for [`Config::window`] with nothing.
    Window,
    /// Answers a post that has waited for [`Config::window`] with 408.
    Post,
    /// Ends a session without polls, after [`Config::inactive`].
    Inactive,
}

impl Timer {
    /// Polls first: one that ends now was there until now.
    const ALL: [Self; 3] = [Self::Window, Self::Post, Self::Inactive];
}

impl Session {
    /// A session that has just been opened.
    #[must_use]
    pub fn new(config: Config, now: Instant) -> Self {
        Self {
            config,
            life: Life::Open,
            clock: now,
            polled: now,
            queue: Queue::default(),
            lost: 0,
            polls: Polls::default(),
            posts: Posts::default(),
            input: Input::Flowing,
            outputs: VecDeque::new(),
        }
    }

    /// Appends a frame that somebody else than the client has caused. One that comes after the end is dropped.
    ///
    /// Past [`Config::max_queue`] frames are dropped, as each of them [says](Frame::slow_consumer), and if that does
    /// not do, the session ends; unless a poll is about to take what waits: what comes faster than that says nothing
    /// about the client.
    ///
    /// # Errors
    /// [`NotText`] if it is binary, and the session takes [text](Config::carries) alone.
    pub fn push(&mut self, frame: Frame) -> Result<(), NotText> {
        self.append(frame, Cause::Others)?;
        if self.queue.of_others() <= self.config.max_queue || self.polls.is_ready() {
            return Ok(());
        }
        self.lost += self.queue.make_room(self.config.max_queue);
        let waiting = self.queue.of_others();
        if waiting > self.config.max_queue {
            self.end(CloseReason::SlowConsumer { waiting });
        }
        Ok(())
    }

    /// How many frames were dropped for a client that takes too little, since this was last asked.
    pub fn take_lost(&mut self) -> usize {
        std::mem::take(&mut self.lost)
    }

    /// Appends a frame that the client itself has caused, an answer: it does not count against the limit. What
    /// bounds these is that no message is taken from a client of whose queue more than half is full. What may be
    /// dropped is no answer, and appended as [any frame](Self::push).
    ///
    /// # Errors
    /// [`NotText`] if it is binary, and the session takes [text](Config::carries) alone.
    pub fn push_owed(&mut self, frame: Frame) -> Result<(), NotText> {
        if frame.is_losable() {
            return self.push(frame);
        }
        self.append(frame, Cause::Client)
    }

    /// A `GET` has come.
    ///
    /// # Errors
    /// [`Ended`] if the session has.
    pub fn handle_poll(&mut self, now: Instant) -> Result<PollId, Ended> {
        self.tick(now);
        self.check_open()?;
        let poll = self.polls.add(self.clock + self.config.window);
        if let Some(poll) = self.polls.pop_past(self.config.max_replaced) {
            self.outputs.push_back(Output::Empty { poll });
        }
        self.wake();
        Ok(poll)
    }

    /// Hands all that waits to a poll, oldest first, to be written at once; then say how that went, with
    /// [`Session::finish`].
    ///
    /// Nothing, if the poll is not [ready](Output::Ready) any more: answer it with
    /// [`Answer::Empty`](super::Answer::Empty), and it has ended.
    #[must_use]
    pub fn take(&mut self, poll: PollId, now: Instant) -> Vec<Frame> {
        self.tick(now);
        let frames = match self.polls.remove(poll) {
            Removed::Ready => self.queue.take(poll),
            Removed::Waiting => Vec::new(),
            Removed::Nothing => return Vec::new(),
        };
        self.polled = self.clock;
        self.settle();
        frames
    }

    /// The answer of a poll that has taken its frames was written, or cut off. Of any other poll it is nothing new.
    pub fn finish(&mut self, poll: PollId, delivery: Delivery, now: Instant) {
        self.tick(now);
        if self.queue.finish(poll, delivery) {
            self.polled = self.clock;
            self.wake();
            self.settle();
        }
    }

    /// The request of a poll has gone, at whatever point of its life: what it has taken goes back to the front.
    pub fn handle_cut(&mut self, poll: PollId, now: Instant) {
        self.finish(poll, Delivery::Cut, now);
        if self.polls.remove(poll) != Removed::Nothing {
            self.polled = self.clock;
            self.settle();
        }
    }

    /// A `POST` has come, with these messages.
    ///
    /// They are taken one at a time, those of other posts before them first; each within [`Config::window`], or
    /// the rest is dropped. Nothing of this keeps a session alive, as in Phoenix.
    ///
    /// # Errors
    /// [`Ended`] if the session has.
    pub fn handle_post(&mut self, messages: Vec<Data>, now: Instant) -> Result<PostId, Ended> {
        self.tick(now);
        self.check_open()?;
        let post = self.posts.next_id();
        let until = self.clock + self.config.window;
        if self.posts.add(post, messages, self.config.max_input, until).is_err() {
            self.outputs.push_back(Output::Posted { post, outcome: Posted::TimedOut });
        }
        self.settle();
        Ok(post)
    }

    /// The server has the message of the latest [`Output::Receive`].
    pub fn handle_accepted(&mut self, now: Instant) {
        self.tick(now);
        self.posts.accept(self.clock + self.config.window);
        self.settle();
    }

    /// The latest [`Output::Receive`] is no message: the session ends, and its post is answered 408 when its
    /// time is up, as by Phoenix.
    pub fn handle_malformed(&mut self, now: Instant) {
        self.close_for(CloseReason::Malformed, now);
    }

    /// The server takes no messages from this client, until [`Session::resume`].
    pub fn pause(&mut self, now: Instant) {
        self.tick(now);
        self.input = Input::Paused;
    }

    /// The server takes messages again.
    pub fn resume(&mut self, now: Instant) {
        self.tick(now);
        self.input = Input::Flowing;
        self.settle();
    }

    /// Ends the session: its socket was disconnected, or the node drains. Without effect once it has ended.
    pub fn close(&mut self, now: Instant) {
        self.close_for(CloseReason::Local, now);
    }

    /// The next thing to do, in order; `None` when there is nothing left.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Session::handle_timeout`]; `None` if nothing is scheduled.
    ///
    /// Any `&mut self` call can change it.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        Timer::ALL.into_iter().filter_map(|timer| self.due(timer)).min()
    }

    /// Does what is due by `now`: too early or too often does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.tick(now);
        for timer in Timer::ALL {
            if self.due(timer).is_some_and(|due| due <= self.clock) {
                self.on_timer(timer);
            }
        }
    }

    /// Whether the session is over: no request finds it any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.life != Life::Open
    }

    /// What waits for a poll, in bytes; what is being written is not counted. For the metrics of a driver: what ends the
    /// session is [`Config::max_queue`].
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.bytes()
    }

    /// The same in frames.
    #[must_use]
    pub fn queued_frames(&self) -> usize {
        self.queue.frames()
    }

    fn tick(&mut self, now: Instant) {
        self.clock = self.clock.max(now);
    }

    fn check_open(&self) -> Result<(), Ended> {
        match self.life {
            Life::Open => Ok(()),
            Life::Closed | Life::Ended => Err(Ended),
        }
    }

    fn append(&mut self, frame: Frame, cause: Cause) -> Result<(), NotText> {
        if frame.kind() == Kind::Binary && self.config.carries == Carries::Text {
            return Err(NotText);
        }
        if self.life == Life::Open {
            self.queue.push(frame, cause);
            self.wake();
        }
        Ok(())
    }

    /// Tells the poll that waits, if there is something for it now.
    fn wake(&mut self) {
        if self.queue.is_ready()
            && let Some(poll) = self.polls.wake()
        {
            self.outputs.push_back(Output::Ready { poll });
        }
    }

    /// Says what else has become possible: to take a message, to answer a post, to be gone.
    fn settle(&mut self) {
        while let Some(post) = self.posts.pop_done() {
            self.outputs.push_back(Output::Posted { post, outcome: Posted::Accepted });
        }
        match self.life {
            Life::Open => self.receive(),
            Life::Closed if !self.polls.is_ready() && self.posts.is_empty() => {
                self.life = Life::Ended;
                self.queue.clear();
                self.outputs.push_back(Output::End);
            }
            Life::Closed | Life::Ended => {}
        }
    }

    /// Asks for the next message to be taken, if there is one and it may be.
    fn receive(&mut self) {
        if self.input == Input::Paused || self.queue.held() > self.config.max_queue / 2 {
            return;
        }
        if let Some(data) = self.posts.offer() {
            self.outputs.push_back(Output::Receive(data));
        }
    }

    fn due(&self, timer: Timer) -> Option<Instant> {
        match timer {
            Timer::Window => self.polls.due(),
            Timer::Post => self.posts.due(),
            Timer::Inactive => {
                let is_polled = self.polls.is_served() || self.queue.is_in_flight();
                (self.life == Life::Open && !is_polled).then(|| self.polled + self.config.inactive)
            }
        }
    }

    fn on_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Window => {
                while let Some(poll) = self.polls.pop_due(self.clock) {
                    self.outputs.push_back(Output::Empty { poll });
                    self.polled = self.clock;
                }
            }
            Timer::Post => {
                while let Some(post) = self.posts.pop_due(self.clock) {
                    self.outputs.push_back(Output::Posted { post, outcome: Posted::TimedOut });
                }
                self.settle();
            }
            Timer::Inactive => self.end(CloseReason::Inactive),
        }
    }

    fn close_for(&mut self, reason: CloseReason, now: Instant) {
        self.tick(now);
        self.end(reason);
    }

    fn end(&mut self, reason: CloseReason) {
        if self.is_closed() {
            return;
        }
        self.life = Life::Closed;
        self.outputs.push_back(Output::Closed(reason));
        self.posts.close();
        for poll in self.polls.close() {
            self.outputs.push_back(Output::Empty { poll });
        }
        if !self.polls.is_ready() {
            self.queue.clear();
        }
        self.settle();
    }
}
