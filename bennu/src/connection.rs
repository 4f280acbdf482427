//! One connection's task: reads, runs its channels' handlers, writes.
//!
//! ```text
//!  bytes ─▶ websocket::Connection ─▶ wire::decode ─▶ Server ─▶ Call ─▶ handler ─▶ Server::done ─▶ outbox
//!                                     no lock       one lock         no lock        one lock
//! ```
//!
//! A hand-written future, so that an idle connection costs what is written down here and nothing else.

use crate::BoxFuture;
use crate::erased::{AnyChannel, Finished, Seed};
use crate::flusher::Flusher;
use crate::hub::Owner;
use crate::letter::Letter;
use crate::link::Link;
use crate::panics::drop_quietly;
use crate::peer::{Flush, Notice, Peer, Work};
use crate::running::Running;
use crate::scratch;
use crate::stream::Stream;
use crate::stuck::Stuck;
use bennu_core::server::{CallId, ChannelId, CloseReason, Event, Outcome};
use bennu_core::websocket::{self, Output};
use bennu_core::{Frame, Instant, Kind};
use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What starts the joins of a connection: its routes, with what `connect` made.
pub(crate) trait Joins: Send + Sync {
    /// Starts a join.
    fn join(&self, route: bennu_core::router::RouteId, seed: Seed) -> BoxFuture<'static, Finished>;
}

/// The task.
pub(crate) struct Connection {
    link: Arc<Link>,
    peer: Arc<Peer>,
    joins: Arc<dyn Joins>,
    stream: Stream,
    websocket: websocket::Connection,
    /// The states of its channels; one that is being called is away with its handler.
    channels: SmallVec<[(ChannelId, Box<dyn AnyChannel>); 1]>,
    /// Handlers that wait.
    running: Running,
    /// What the machine has asked for, and this task has not done yet.
    work: VecDeque<Work>,
    /// Bytes that were read and not taken in yet: those that came with the upgrade, or that wait until less
    /// else waits.
    early: Option<Box<Bytes>>,
    /// When the shard's sleeper will wake this task for its deadline.
    armed: Option<Instant>,
    /// Since when the peer does not take what waits for it.
    stuck: Option<Stuck>,
    /// How many handlers this turn may still run.
    budget: u32,
    life: Life,
}

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    /// The machine has been told of the end; the stream is being closed.
    Closing,
    /// The answer to the peer's close frame is on its way, behind what it is being sent.
    Ending,
    /// The stream is closed. Handlers that run come to their end.
    Closed,
}

/// Handlers that have answered, for the machine to be told with its next input.
type Answers = SmallVec<[(CallId, Outcome<Letter>); 2]>;

/// How many reads one turn takes before others have theirs.
const READS_PER_TURN: usize = 8;

/// How many handlers one turn runs before others have theirs: a channel that sends itself one message after
/// the other keeps nobody waiting.
const HANDLERS_PER_TURN: u32 = 512;

/// How many handlers the first read of a turn may run whatever ran before it: what a channel sends itself
/// without end must not keep its own client from being heard.
const HANDLERS_PER_READ: u32 = 64;

impl Connection {
    pub(crate) fn new(
        link: Arc<Link>,
        peer: Arc<Peer>,
        joins: Arc<dyn Joins>,
        stream: Stream,
        early: Bytes,
        config: websocket::Config,
    ) -> Self {
        let websocket = websocket::Connection::server(config, link.hub.runtime.now());
        Self {
            link,
            peer,
            joins,
            stream,
            websocket,
            channels: SmallVec::new(),
            running: Running::default(),
            work: VecDeque::new(),
            early: Some(early).filter(|early| !early.is_empty()).map(Box::new),
            armed: None,
            stuck: None,
            budget: 0,
            life: Life::Open,
        }
    }

    /// Does what can be done now. Returns whether the task has come to its end.
    fn turn(&mut self, cx: &mut Context<'_>) -> bool {
        let now = self.link.hub.runtime.now();
        // What is queued for this peer from here on is written at the end of the turn.
        self.peer.undertake();
        self.budget = HANDLERS_PER_TURN;
        let mut reads = 0;
        loop {
            let (left, notice) = self.peer.take_work(cx.waker());
            self.work.extend(left);
            self.heed(notice, cx, now);
            self.work_off(Answers::new(), cx, now);
            let finished = self.running.poll_finished(cx);
            let answers = finished.into_iter().map(|finished| self.finish(finished)).collect();
            self.work_off(answers, cx, now);
            let is_spent = self.budget == 0;
            if reads == 0 {
                self.budget = self.budget.max(HANDLERS_PER_READ);
            }
            let more = (self.budget > 0 && self.read(notice, cx, now)) || self.running.has_news();
            reads += 1;
            if is_spent || self.budget == 0 || (more && reads == READS_PER_TURN) {
                cx.waker().wake_by_ref();
                break;
            }
            if !more {
                break;
            }
        }
        self.speak(cx, now);
        let failed = self.life != Life::Closed && self.flush(cx, now).is_err();
        if failed {
            self.websocket.handle_eof(now);
            self.speak(cx, now);
        }
        if self.life == Life::Ending && (failed || self.peer.is_written()) {
            self.stream.close(&self.peer);
            self.life = Life::Closed;
        }
        if self.peer.is_relieved() {
            // What kept it from reading has just been written, and nobody else would wake it.
            cx.waker().wake_by_ref();
        }
        self.arm(now);
        if self.work.is_empty() {
            self.work = VecDeque::new();
        }
        let idle = self.channels.is_empty() && self.running.is_empty() && self.work.is_empty();
        self.life == Life::Closed && idle
    }

    /// Acts on what others have noted for this task.
    fn heed(&mut self, notice: Notice, cx: &mut Context<'_>, now: Instant) {
        if notice.due {
            self.armed = None;
            self.websocket.handle_timeout(now);
            match self.patience().is_some_and(|end| end <= now) {
                true if self.life == Life::Ending => self.reset(cx, now),
                true => self.link.hub.cut_off(self.link.socket),
                false => {}
            }
        }
        if notice.broken {
            self.websocket.handle_eof(now);
        }
        if let Some(reason) = notice.close.filter(|_| !self.websocket.is_closing()) {
            self.websocket.close(reason.code(), "", now);
            if reason == CloseReason::SlowConsumer {
                self.reset(cx, now);
            }
        }
    }

    /// Ends the stream of a peer that takes too little. It would not take a farewell behind all that waits:
    /// that is dropped, the farewell tried once, and the stream reset.
    fn reset(&mut self, cx: &mut Context<'_>, now: Instant) {
        self.peer.drop_queue();
        while let Some(output) = self.websocket.poll_output() {
            if let Output::Send(frame) = output {
                self.peer.push_control(Frame::control(frame.as_bytes()));
            }
        }
        self.stream.reset(&self.peer);
        self.tell();
        self.life = Life::Closed;
        self.work_off(Answers::new(), cx, now);
    }

    /// Writes what is queued, and sees whether the peer takes it.
    fn flush(&mut self, cx: &mut Context<'_>, now: Instant) -> io::Result<()> {
        let mut flushed = self.stream.flush(&self.peer, cx)?;
        if flushed.flush == Flush::AwaitsSeal {
            self.link.hub.seal();
            flushed = self.stream.flush(&self.peer, cx)?;
        }
        if flushed.flush == Flush::AwaitsSeal {
            // Another has been opened this instant: its batch will have it written.
            self.peer.undertake();
            self.link.hub.flusher.mark(&mut vec![Arc::clone(&self.peer)]);
        }
        if flushed.flush != Flush::Blocked {
            self.stuck = None;
            return Ok(());
        }
        self.stuck = Some(Stuck::after(self.stuck, flushed.written, self.peer.waiting(), now));
        Ok(())
    }

    /// Takes one read in. Returns whether there may be more.
    fn read(&mut self, notice: Notice, cx: &mut Context<'_>, now: Instant) -> bool {
        if matches!(self.life, Life::Ending | Life::Closed) {
            return false;
        }
        // A peer's close frame is always heard.
        if (notice.paused || notice.congested) && !self.websocket.is_closing() {
            self.websocket.pause(now);
            return false;
        }
        self.websocket.resume(now);
        let mut scratch = scratch::take();
        let read = match self.early.take() {
            Some(mut early) => {
                let n = early.len().min(scratch.len());
                scratch[..n].copy_from_slice(&early.split_to(n));
                self.early = Some(early).filter(|early| !early.is_empty());
                Poll::Ready(Ok(n))
            }
            None => self.stream.poll_read(&self.peer, cx, &mut scratch),
        };
        let more = match read {
            Poll::Ready(Ok(n)) if n > 0 => {
                self.take_in(&mut scratch[..n], cx, now);
                true
            }
            Poll::Ready(_) => {
                self.websocket.handle_eof(now);
                false
            }
            Poll::Pending => false,
        };
        scratch::put(scratch);
        more
    }

    /// Works a read off, message by message. A handler's answer and the next message share one lock.
    fn take_in(&mut self, mut input: &mut [u8], cx: &mut Context<'_>, now: Instant) {
        let mut answers = Answers::new();
        let mut pong = None;
        loop {
            let received = self.websocket.receive(input, now);
            let consumed = received.consumed;
            let serializer = self.link.serializer;
            let decoded = match received.event {
                Some(websocket::Event::Text(text)) => Some(serializer.decode_text(text)),
                Some(websocket::Event::Binary(data)) => Some(serializer.decode(Kind::Binary, data)),
                // Of several pings in a row the latest is answered.
                Some(websocket::Event::Ping(_)) => {
                    pong = self.websocket.take_pong().or(pong);
                    None
                }
                Some(_) => None,
                None => break,
            };
            match decoded.transpose() {
                Ok(Some(message)) => {
                    if let Some(pong) = pong.take() {
                        self.peer.push_control(Frame::control(pong.as_bytes()));
                    }
                    let (hub, socket) = (&self.link.hub, self.link.socket);
                    let mut shard = hub.shard(socket.shard() as usize);
                    for (call, outcome) in answers.drain(..) {
                        shard.server.done(call, outcome, now);
                        hub.drain(&mut shard, Some(Owner { socket, work: &mut self.work }));
                    }
                    shard.server.receive(socket, &message, now);
                    hub.drain(&mut shard, Some(Owner { socket, work: &mut self.work }));
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(socket = ?self.link.socket, %error, "a message cannot be decoded");
                    self.websocket.close(CloseReason::Malformed.code(), "", now);
                }
            }
            input = &mut input[consumed..];
            self.run(&mut answers, cx);
            if (self.budget == 0 || self.peer.holds()) && !input.is_empty() && !self.websocket.is_closing() {
                self.hold_back(input);
                break;
            }
        }
        if let Some(pong) = pong {
            self.peer.push_control(Frame::control(pong.as_bytes()));
        }
        self.work_off(answers, cx, now);
    }

    /// Too much waits for this peer, or for its handlers: the rest of its input waits as well.
    fn hold_back(&mut self, input: &[u8]) {
        let mut rest = BytesMut::from(input);
        if let Some(early) = self.early.take() {
            rest.extend_from_slice(&early);
        }
        self.early = Some(Box::new(rest.freeze()));
    }

    /// Tells the machine what handlers have answered, and runs what it asks for then, until neither has
    /// anything left (or others are to have their turn).
    fn work_off(&mut self, mut answers: Answers, cx: &mut Context<'_>, now: Instant) {
        loop {
            self.run(&mut answers, cx);
            if answers.is_empty() {
                return;
            }
            let (hub, socket) = (&self.link.hub, self.link.socket);
            let mut shard = hub.shard(socket.shard() as usize);
            for (call, outcome) in answers.drain(..) {
                shard.server.done(call, outcome, now);
                hub.drain(&mut shard, Some(Owner { socket, work: &mut self.work }));
            }
        }
    }

    /// Starts the handlers that the machine asks for, and polls each once, in place.
    fn run(&mut self, answers: &mut Answers, cx: &mut Context<'_>) {
        while self.budget > 0 {
            let Some(work) = self.work.pop_front() else { return };
            match work {
                Work::Call { channel, call, event } => {
                    self.budget -= 1;
                    let Some(handler) = self.handler(channel, call, event) else { continue };
                    if let Poll::Ready(finished) = self.running.start(call, handler, cx) {
                        let answer = self.finish(finished);
                        answers.push(answer);
                    }
                }
                Work::Cancel { call } => self.running.cancel(call),
                Work::Ended { channel } => {
                    if let Some(at) = self.channels.iter().position(|(id, _)| *id == channel) {
                        drop_quietly(self.channels.swap_remove(at));
                    }
                }
            }
        }
    }

    fn handler(
        &mut self,
        channel: ChannelId,
        call: CallId,
        event: Event<Letter>,
    ) -> Option<BoxFuture<'static, Finished>> {
        if let Event::Join { route, topic, join_ref, msg_ref, payload } = event {
            let link = Arc::clone(&self.link);
            let seed = Seed { link, call, channel, topic, subtopic: 0, join_ref, msg_ref, payload };
            return Some(self.joins.join(route, seed));
        }
        let at = self.channels.iter().position(|(id, _)| *id == channel)?;
        let (_, state) = self.channels.swap_remove(at);
        Some(state.call(call, event))
    }

    /// Takes a channel's state back from its handler.
    fn finish(&mut self, finished: Finished) -> (CallId, Outcome<Letter>) {
        if let Some(channel) = finished.channel {
            self.channels.push((finished.call.channel(), channel));
        }
        (finished.call, finished.outcome)
    }

    /// Carries out what the WebSocket wants: pongs, the close frame, the end.
    fn speak(&mut self, cx: &mut Context<'_>, now: Instant) {
        let mut by_peer = false;
        while let Some(output) = self.websocket.poll_output() {
            match output {
                Output::Send(frame) => self.peer.push_control(Frame::control(frame.as_bytes())),
                Output::Closed(reason) => {
                    by_peer = matches!(reason, websocket::CloseReason::Peer { .. });
                    tracing::debug!(socket = ?self.link.socket, ?reason, "a connection ends");
                    self.tell();
                    self.work_off(Answers::new(), cx, now);
                }
                Output::End if by_peer => self.life = Life::Ending,
                Output::End => {
                    // What can still be written is; a peer that takes no more has had its time.
                    self.link.hub.seal();
                    let _ = self.stream.flush(&self.peer, cx);
                    self.stream.close(&self.peer);
                    self.life = Life::Closed;
                }
            }
        }
    }

    /// Tells the machine, once, that the transport has ended.
    fn tell(&mut self) {
        if self.life == Life::Open {
            self.life = Life::Closing;
            // The machine may forget this socket, and with it whose deadlines these were.
            self.armed = None;
            let owner = Owner { socket: self.link.socket, work: &mut self.work };
            self.link.hub.disconnect(self.link.socket, self.link.serializer, owner);
        }
    }

    /// Until when a peer that is stuck has to take more.
    fn patience(&self) -> Option<Instant> {
        self.stuck.map(|stuck| stuck.until(self.peer.overflows()))
    }

    /// Has the shard's sleeper wake this task for its next deadline, unless it will wake it earlier anyway.
    fn arm(&mut self, now: Instant) {
        if self.life == Life::Closed {
            return;
        }
        let Some(next) = self.websocket.poll_timeout().into_iter().chain(self.patience()).min() else {
            return;
        };
        if self.armed.is_some_and(|armed| armed <= next) {
            return;
        }
        let at = next.max(now);
        self.armed = Some(at);
        let mut shard = self.link.hub.shard(self.link.socket.shard() as usize);
        match self.life {
            Life::Open => shard.arm(at, self.link.socket),
            Life::Closing | Life::Ending | Life::Closed => shard.arm_ended(at, &self.peer),
        }
    }
}

/// The task of one connection, for a runtime to run to its end.
#[must_use = "a connection lives as long as its task runs"]
pub struct ConnectionTask(Connection);

impl ConnectionTask {
    pub(crate) fn new(connection: Connection) -> Self {
        Self(connection)
    }
}

impl fmt::Debug for ConnectionTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectionTask").field(&self.0.peer).finish()
    }
}

impl Future for ConnectionTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let link = Arc::clone(&self.0.link);
        // Also if a turn should unwind: nobody else would have its broadcasts written.
        let _kick = KickAtEnd(&link.hub.flusher);
        if self.0.turn(cx) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Ends a batch: what it has queued for others is written.
struct KickAtEnd<'a>(&'a Flusher);

impl Drop for KickAtEnd<'_> {
    fn drop(&mut self) {
        self.0.kick();
    }
}

impl Drop for Connection {
    /// Also when the task is dropped in the midst of its life: at the end of its runtime, or because
    /// something in it panicked.
    fn drop(&mut self) {
        drop_quietly(std::mem::take(&mut self.running));
        drop_quietly(std::mem::take(&mut self.channels));
        self.tell();
        self.stream.close(&self.peer);
        self.peer.retire();
        self.link.hub.abandon(self.link.socket);
        self.link.hub.flusher.kick();
    }
}
