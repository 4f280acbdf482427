//! One turn of a connection's task: all that can be done now.

use super::{Connection, Medium};
use crate::BoxFuture;
use crate::erased::{Finished, Seed};
use crate::hub::Owner;
use crate::letter::Letter;
use crate::link::Line;
use crate::metrics::{Begun, Tally};
use crate::notice::note;
use crate::panics::drop_quietly;
use crate::peer::{Notice, Work};
use bennu_core::server::{CallId, Event, Outcome};
use bennu_core::{Instant, Message};
use std::cell::Cell;
use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

/// How many handlers one turn runs before others have theirs: a channel that sends itself one message after
/// the other keeps nobody waiting.
const HANDLERS_PER_TURN: u32 = 512;

/// A connection whose task runs.
pub(super) struct Turn<'a, 'cx, M: Medium> {
    pub(super) connection: &'a mut Connection<M>,
    pub(super) cx: &'a mut Context<'cx>,
    pub(super) now: Instant,
    /// How many handlers this turn may still run.
    pub(super) budget: u32,
    pub(super) desk: Desk,
}

/// What a turn goes round in: as often as there is more, and others need not have theirs.
pub(super) trait Rounds {
    /// How many rounds a turn takes before others have theirs.
    const MAX: usize;

    /// Takes what others have left for this task, and acts on what they have noted.
    fn look_up(&mut self) -> Notice;

    /// Takes in a piece of what the client has sent, if what others have noted allows it. Returns whether there may be
    /// more.
    fn take_piece(&mut self, notice: Notice) -> bool;
}

/// How many handlers the first piece of a turn may run whatever ran before it: what a channel sends itself without
/// end must not keep its own client from being heard.
const HANDLERS_PER_PIECE: u32 = 64;

thread_local! {
    static DESK: Cell<Desk> = const { Cell::new(Desk::NEW) };
}

/// What a turn works with: one a thread, as an idle connection needs none.
#[derive(Default)]
pub(super) struct Desk {
    /// What the machine has asked for.
    pub(super) work: VecDeque<Work>,
    /// Handlers that have answered, for the machine to be told with its next input.
    answers: Vec<(CallId, Outcome<Letter>)>,
    /// What this turn has seen of messages and bytes.
    pub(super) tally: Tally,
}

impl Desk {
    const NEW: Self = Self { work: VecDeque::new(), answers: Vec::new(), tally: Tally::NEW };

    /// Tells the machine what handlers have answered, and what the client has sent, in one lock.
    pub(super) fn tell(&mut self, line: &Line, message: Option<&Message<'_>>, now: Instant) {
        let Self { work, answers, tally } = self;
        let (hub, socket) = (&line.hub, line.socket);
        let mut shard = hub.shard(socket.shard() as usize);
        for (call, outcome) in answers.drain(..) {
            shard.server.done(call, outcome, now);
            hub.drain(&mut shard, Some(Owner { socket, work, tally }));
        }
        if let Some(message) = message {
            tally.receive();
            shard.server.receive(socket, message, now);
            hub.drain(&mut shard, Some(Owner { socket, work, tally }));
        }
    }
}

impl<'a, 'cx, M: Medium> Turn<'a, 'cx, M> {
    /// Begins a turn: what is queued for this peer from here on is written at its end.
    pub(super) fn begin(connection: &'a mut Connection<M>, cx: &'a mut Context<'cx>) -> Self {
        let now = connection.link.hub.runtime.now();
        connection.peer.undertake();
        Self { connection, cx, now, budget: HANDLERS_PER_TURN, desk: DESK.take() }
    }

    /// Goes round until nothing is left to do, or others are to have their turn: then this task is woken for the rest.
    /// Returns what others had noted last.
    pub(super) fn go_round(&mut self) -> Notice
    where
        Self: Rounds,
    {
        let mut notice = self.look_up();
        let mut rounds = 0;
        loop {
            if rounds > 0 && self.connection.peer.has_left() {
                notice = self.look_up();
            }
            self.work_off();
            self.resume();
            let is_spent = self.budget == 0;
            if rounds == 0 {
                self.budget = self.budget.max(HANDLERS_PER_PIECE);
            }
            let more = (self.budget > 0 && self.take_piece(notice)) || self.has_news();
            rounds += 1;
            if is_spent || self.budget == 0 || (more && rounds == Self::MAX) {
                self.cx.waker().wake_by_ref();
                return notice;
            }
            if !more {
                return notice;
            }
        }
    }

    /// Takes what others have left for this task, and what they have noted.
    pub(super) fn take_left(&mut self) -> Notice {
        let (left, notice) = self.connection.peer.take_work(self.cx.waker());
        self.desk.work.extend(left);
        notice
    }

    /// Polls the handlers that wait, as far as they have been woken.
    pub(super) fn resume(&mut self) {
        let Some(more) = self.connection.more.as_mut() else { return };
        for (finished, begun) in more.running.poll_finished(self.cx) {
            self.finish(finished, begun);
        }
        self.work_off();
    }

    /// Whether a handler that waits has yet to be polled here.
    pub(super) fn has_news(&self) -> bool {
        self.connection.more.as_ref().is_some_and(|more| more.running.has_news())
    }

    /// Tells the machine what handlers have answered, and runs what it asks for then, until neither has
    /// anything left (or others are to have their turn).
    pub(super) fn work_off(&mut self) {
        loop {
            self.run();
            if self.desk.answers.is_empty() {
                return;
            }
            self.desk.tell(self.connection.link.line(), None, self.now);
        }
    }

    /// Starts the handlers that the machine asks for, and polls each once, in place.
    pub(super) fn run(&mut self) {
        while self.budget > 0 {
            let Some(work) = self.desk.work.pop_front() else { return };
            match work {
                Work::Call { call, event } => {
                    self.budget -= 1;
                    let hub = &self.connection.link.hub;
                    let begun = hub.metrics.begin(&event, || hub.runtime.now());
                    let Some(mut handler) = self.handler(call, event) else { continue };
                    match handler.as_mut().poll(self.cx) {
                        Poll::Ready(finished) => self.finish(finished, begun),
                        Poll::Pending => self.connection.more().running.keep(call, handler, begun),
                    }
                }
                Work::Cancel { call } => {
                    if let Some(more) = self.connection.more.as_mut() {
                        more.running.cancel(call);
                    }
                }
                Work::Notice(notice) => note(self.connection.link.line(), &notice),
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
    fn finish(&mut self, finished: Finished, begun: Begun) {
        let hub = &self.connection.link.hub;
        hub.metrics.end(begun, &finished.outcome, || hub.runtime.now());
        if let Some(channel) = finished.channel {
            self.connection.channels.push((finished.call.channel().serial(), channel));
        }
        self.desk.answers.push((finished.call, finished.outcome));
    }

    /// Whether nothing of the connection's channels is left.
    pub(super) fn is_idle(&self) -> bool {
        let connection = &self.connection;
        let runs = connection.more.as_ref().is_some_and(|more| !more.running.is_empty());
        connection.channels.is_empty() && !runs && self.desk.work.is_empty()
    }
}

impl<M: Medium> Drop for Turn<'_, '_, M> {
    /// Also if a turn should unwind: nobody else would have its broadcasts written.
    fn drop(&mut self) {
        let mut desk = mem::take(&mut self.desk);
        self.connection.link.hub.metrics.tell(&mut desk.tally);
        if !desk.work.is_empty() {
            // There was no time for it: it comes first in the next turn, which nobody else may ask for.
            self.connection.peer.put_back(mem::take(&mut desk.work));
            self.cx.waker().wake_by_ref();
        }
        DESK.set(desk);
        self.connection.link.hub.flusher.kick();
    }
}
