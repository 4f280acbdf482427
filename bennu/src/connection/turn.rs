//! One turn of a connection's task: all that can be done now.

use super::{Connection, Life, NEVER};
use crate::BoxFuture;
use crate::erased::{Finished, Seed};
use crate::hub::Owner;
use crate::letter::Letter;
use crate::panics::drop_quietly;
use crate::peer::{Flush, Notice, Work};
use crate::scratch;
use crate::stuck::Stuck;
use bennu_core::server::{CallId, CloseReason, Event, Outcome};
use bennu_core::websocket::{self, Output};
use bennu_core::{Frame, Instant, Kind};
use bytes::BytesMut;
use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

/// How many reads one turn takes before others have theirs.
const READS_PER_TURN: usize = 8;

/// How many handlers one turn runs before others have theirs: a channel that sends itself one message after
/// the other keeps nobody waiting.
const HANDLERS_PER_TURN: u32 = 512;

/// How many handlers the first read of a turn may run whatever ran before it: what a channel sends itself
/// without end must not keep its own client from being heard.
const HANDLERS_PER_READ: u32 = 64;

/// Takes a turn. Returns whether the task has come to its end.
pub(super) fn take(connection: &mut Connection, cx: &mut Context<'_>) -> bool {
    let now = connection.link.hub.runtime.now();
    let mut turn = Turn { connection, cx, now, budget: HANDLERS_PER_TURN, desk: DESK.take() };
    turn.take()
}

impl Drop for Turn<'_, '_> {
    /// Also if a turn should unwind: nobody else would have its broadcasts written.
    fn drop(&mut self) {
        let mut desk = mem::take(&mut self.desk);
        if !desk.work.is_empty() {
            // There was no time for it: it comes first in the next turn.
            self.connection.peer.put_back(mem::take(&mut desk.work));
        }
        DESK.set(desk);
        self.connection.link.hub.flusher.kick();
    }
}

thread_local! {
    static DESK: Cell<Desk> = const { Cell::new(Desk { work: VecDeque::new(), answers: Vec::new() }) };
}

/// What a turn works with: one a thread, as an idle connection needs none.
#[derive(Default)]
struct Desk {
    /// What the machine has asked for.
    work: VecDeque<Work>,
    /// Handlers that have answered, for the machine to be told with its next input.
    answers: Vec<(CallId, Outcome<Letter>)>,
}

/// A connection whose task runs.
struct Turn<'a, 'cx> {
    connection: &'a mut Connection,
    cx: &'a mut Context<'cx>,
    now: Instant,
    /// How many handlers this turn may still run.
    budget: u32,
    desk: Desk,
}

impl Turn<'_, '_> {
    fn take(&mut self) -> bool {
        // What is queued for this peer from here on is written at the end of the turn.
        self.connection.peer.undertake();
        let mut reads = 0;
        let mut notice = self.look_up();
        loop {
            if reads > 0 && self.connection.peer.has_left() {
                notice = self.look_up();
            }
            self.work_off();
            self.resume();
            let is_spent = self.budget == 0;
            if reads == 0 {
                self.budget = self.budget.max(HANDLERS_PER_READ);
            }
            let more = (self.budget > 0 && self.read(notice)) || self.has_news();
            reads += 1;
            if is_spent || self.budget == 0 || (more && reads == READS_PER_TURN) {
                self.cx.waker().wake_by_ref();
                break;
            }
            if !more {
                break;
            }
        }
        self.speak();
        let failed = self.connection.life() != Life::Closed && self.flush().is_err();
        if failed {
            self.connection.websocket.handle_eof(self.now);
            self.speak();
        }
        if self.connection.life() == Life::Ending && (failed || self.connection.peer.is_written()) {
            self.connection.stream.close(&self.connection.peer);
            self.connection.more().life = Life::Closed;
        }
        if notice.congested && self.connection.peer.is_relieved() {
            // What kept it from reading has just been written, and nobody else would wake it.
            self.cx.waker().wake_by_ref();
        }
        self.arm();
        self.connection.tidy();
        let connection = &self.connection;
        let runs = connection.more.as_ref().is_some_and(|more| !more.running.is_empty());
        let idle = connection.channels.is_empty() && !runs && self.desk.work.is_empty();
        connection.life() == Life::Closed && idle
    }

    /// Takes what others have left for this task, and acts on what they have noted.
    fn look_up(&mut self) -> Notice {
        let (left, notice) = self.connection.peer.take_work(self.cx.waker());
        self.desk.work.extend(left);
        self.heed(notice);
        notice
    }

    /// Polls the handlers that wait, as far as they have been woken.
    fn resume(&mut self) {
        let Some(more) = self.connection.more.as_mut() else { return };
        for finished in more.running.poll_finished(self.cx) {
            self.finish(finished);
        }
        self.work_off();
    }

    /// Whether a handler that waits has yet to be polled here.
    fn has_news(&self) -> bool {
        self.connection.more.as_ref().is_some_and(|more| more.running.has_news())
    }

    /// Acts on what others have noted for this task.
    fn heed(&mut self, notice: Notice) {
        let connection = &mut *self.connection;
        if notice.due {
            connection.armed = NEVER;
            connection.websocket.handle_timeout(self.now);
            let is_over = connection.patience().is_some_and(|end| end <= self.now);
            if is_over && connection.life() == Life::Ending {
                return self.reset();
            }
            if is_over {
                connection.link.hub.cut_off(connection.link.socket);
            }
        }
        if notice.broken {
            connection.websocket.handle_eof(self.now);
        }
        if let Some(reason) = notice.close.filter(|_| !connection.websocket.is_closing()) {
            connection.websocket.close(reason.code(), "", self.now);
            if reason == CloseReason::SlowConsumer {
                self.reset();
            }
        }
    }

    /// Ends the stream of a peer that takes too little. It would not take a farewell behind all that waits:
    /// that is dropped, the farewell tried once, and the stream reset.
    fn reset(&mut self) {
        let connection = &mut *self.connection;
        connection.peer.drop_queue();
        while let Some(output) = connection.websocket.poll_output() {
            if let Output::Send(frame) = output {
                connection.peer.push_control(Frame::control(&frame));
            }
        }
        connection.stream.reset(&connection.peer);
        connection.tell(&mut self.desk.work);
        connection.more().life = Life::Closed;
        self.work_off();
    }

    /// Writes what is queued, and sees whether the peer takes it.
    fn flush(&mut self) -> io::Result<()> {
        let connection = &mut *self.connection;
        let mut flushed = connection.stream.flush(&connection.peer, self.cx)?;
        if flushed.flush == Flush::AwaitsSeal {
            connection.link.hub.seal();
            flushed = connection.stream.flush(&connection.peer, self.cx)?;
        }
        if flushed.flush == Flush::AwaitsSeal {
            // Another run has been opened this instant: it is written with the others of its batch.
            connection.peer.undertake();
            connection.link.hub.flusher.mark(&mut vec![Arc::clone(&connection.peer)]);
            connection.link.hub.flusher.kick();
        }
        let before = connection.more.as_mut().and_then(|more| more.stuck.take());
        if flushed.flush == Flush::Blocked {
            let backlog = connection.peer.backlog();
            connection.more().stuck = Some(Stuck::after(before, flushed.written, backlog, self.now));
            return Ok(());
        }
        let Some(pong) = before.and_then(|_| connection.websocket.take_pong()) else { return Ok(()) };
        connection.peer.push_control(Frame::control(&pong));
        self.flush()
    }

    /// Whether the peer takes nothing: then the machine keeps the pong that it is owed, which is the latest, and
    /// nothing piles up.
    fn is_stuck(&self) -> bool {
        self.connection.more.as_ref().is_some_and(|more| more.stuck.is_some())
    }

    /// Takes one read in. Returns whether there may be more.
    fn read(&mut self, notice: Notice) -> bool {
        let connection = &mut *self.connection;
        if matches!(connection.life(), Life::Ending | Life::Closed) {
            return false;
        }
        // A peer's close frame is always heard.
        if (notice.paused || notice.congested) && !connection.websocket.is_closing() {
            connection.websocket.pause(self.now);
            return false;
        }
        connection.websocket.resume(self.now);
        let mut scratch = scratch::take();
        let read = match connection.more.as_mut().filter(|more| !more.early.is_empty()) {
            Some(more) => {
                let n = more.early.len().min(scratch.len());
                scratch[..n].copy_from_slice(&more.early.split_to(n));
                Poll::Ready(Ok(n))
            }
            None => connection.stream.poll_read(&connection.peer, self.cx, &mut scratch),
        };
        let more = match read {
            Poll::Ready(Ok(n)) if n > 0 => {
                self.take_in(&mut scratch[..n]);
                true
            }
            Poll::Ready(_) => {
                connection.websocket.handle_eof(self.now);
                false
            }
            Poll::Pending => false,
        };
        scratch::put(scratch);
        more
    }

    /// Works a read off, message by message. A handler's answer and the next message share one lock.
    fn take_in(&mut self, mut input: &mut [u8]) {
        let is_stuck = self.is_stuck();
        let mut pong = None;
        loop {
            let connection = &mut *self.connection;
            let received = connection.websocket.receive(input, self.now);
            let consumed = received.consumed;
            let serializer = connection.link.serializer;
            let decoded = match received.event {
                Some(websocket::Event::Text(text)) => Some(serializer.decode_text(text)),
                Some(websocket::Event::Binary(data)) => Some(serializer.decode(Kind::Binary, data)),
                // Of several pings in a row the latest is answered, ahead of the message behind it.
                Some(websocket::Event::Ping(_)) if !is_stuck => {
                    pong = connection.websocket.take_pong().or(pong);
                    None
                }
                Some(_) => None,
                None => break,
            };
            match decoded.transpose() {
                Ok(Some(message)) => {
                    if let Some(pong) = pong.take() {
                        connection.peer.push_control(Frame::control(&pong));
                    }
                    let Desk { work, answers } = &mut self.desk;
                    let (hub, socket) = (&connection.link.hub, connection.link.socket);
                    let mut shard = hub.shard(socket.shard() as usize);
                    for (call, outcome) in answers.drain(..) {
                        shard.server.done(call, outcome, self.now);
                        hub.drain(&mut shard, Some(Owner { socket, work }));
                    }
                    shard.server.receive(socket, &message, self.now);
                    hub.drain(&mut shard, Some(Owner { socket, work }));
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(socket = ?connection.link.socket, %error, "a message cannot be decoded");
                    connection.websocket.close(CloseReason::Malformed.code(), "", self.now);
                }
            }
            input = &mut input[consumed..];
            self.run();
            let connection = &mut *self.connection;
            if (self.budget == 0 || connection.peer.holds())
                && !input.is_empty()
                && !connection.websocket.is_closing()
            {
                // Too much waits for this peer, or for its handlers: the rest of its input waits as well.
                let mut rest = BytesMut::from(&*input);
                let more = connection.more();
                rest.extend_from_slice(&more.early);
                more.early = rest.freeze();
                break;
            }
        }
        if let Some(pong) = pong {
            self.connection.peer.push_control(Frame::control(&pong));
        }
        self.work_off();
    }

    /// Tells the machine what handlers have answered, and runs what it asks for then, until neither has
    /// anything left (or others are to have their turn).
    fn work_off(&mut self) {
        loop {
            self.run();
            let Desk { work, answers } = &mut self.desk;
            if answers.is_empty() {
                return;
            }
            let (hub, socket) = (&self.connection.link.hub, self.connection.link.socket);
            let mut shard = hub.shard(socket.shard() as usize);
            for (call, outcome) in answers.drain(..) {
                shard.server.done(call, outcome, self.now);
                hub.drain(&mut shard, Some(Owner { socket, work }));
            }
        }
    }

    /// Starts the handlers that the machine asks for, and polls each once, in place.
    fn run(&mut self) {
        while self.budget > 0 {
            let Some(work) = self.desk.work.pop_front() else { return };
            match work {
                Work::Call { call, event } => {
                    self.budget -= 1;
                    let Some(mut handler) = self.handler(call, event) else { continue };
                    match handler.as_mut().poll(self.cx) {
                        Poll::Ready(finished) => self.finish(finished),
                        Poll::Pending => self.connection.more().running.keep(call, handler),
                    }
                }
                Work::Cancel { call } => {
                    if let Some(more) = self.connection.more.as_mut() {
                        more.running.cancel(call);
                    }
                }
                Work::Ended { channel } => {
                    let channels = &mut self.connection.channels;
                    if let Some(at) = channels.iter().position(|(serial, _)| *serial == channel.serial()) {
                        drop_quietly(channels.swap_remove(at));
                    }
                }
            }
        }
    }

    fn handler(&mut self, call: CallId, event: Event<Letter>) -> Option<BoxFuture<'static, Finished>> {
        let connection = &mut *self.connection;
        let channel = call.channel();
        if let Event::Join { route, topic, join_ref, msg_ref, payload } = event {
            let seed = Seed { call, channel, topic, subtopic: 0, join_ref, msg_ref, payload };
            return Some(Arc::clone(&connection.link).join(route, seed));
        }
        let at = connection.channels.iter().position(|(serial, _)| *serial == channel.serial())?;
        let (_, state) = connection.channels.swap_remove(at);
        Some(state.call(call, event))
    }

    /// Takes a channel's state back from its handler, and notes what that answered.
    fn finish(&mut self, finished: Finished) {
        if let Some(channel) = finished.channel {
            self.connection.channels.push((finished.call.channel().serial(), channel));
        }
        self.desk.answers.push((finished.call, finished.outcome));
    }

    /// Carries out what the WebSocket wants: pongs, the close frame, the end.
    fn speak(&mut self) {
        if self.is_stuck() && !self.connection.websocket.is_closing() {
            return; // All there may be is a pong.
        }
        let mut by_peer = false;
        while let Some(output) = self.connection.websocket.poll_output() {
            let connection = &mut *self.connection;
            match output {
                Output::Send(frame) => connection.peer.push_control(Frame::control(&frame)),
                Output::Closed(reason) => {
                    by_peer = matches!(reason, websocket::CloseReason::Peer { .. });
                    tracing::debug!(socket = ?connection.link.socket, ?reason, "a connection ends");
                    connection.tell(&mut self.desk.work);
                    self.work_off();
                }
                Output::End if by_peer => connection.more().life = Life::Ending,
                Output::End => {
                    // What can still be written is; a peer that takes no more has had its time.
                    connection.link.hub.seal();
                    let _ = connection.stream.flush(&connection.peer, self.cx);
                    connection.stream.close(&connection.peer);
                    connection.more().life = Life::Closed;
                }
            }
        }
    }

    /// Has the shard's sleeper wake this task for its next deadline, unless it will wake it earlier anyway.
    fn arm(&mut self) {
        let connection = &mut *self.connection;
        if connection.life() == Life::Closed {
            return;
        }
        let timeout = connection.websocket.poll_timeout();
        let Some(next) = timeout.into_iter().chain(connection.patience()).min() else { return };
        if connection.armed <= next {
            return;
        }
        connection.armed = next.max(self.now);
        let socket = connection.link.socket;
        let mut shard = connection.link.hub.shard(socket.shard() as usize);
        match connection.life() {
            Life::Open => shard.arm(connection.armed, socket),
            Life::Closing | Life::Ending | Life::Closed => {
                shard.arm_ended(connection.armed, &connection.peer)
            }
        }
    }
}
