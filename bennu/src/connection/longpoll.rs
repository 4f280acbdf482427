//! A connection by long-polling.

use super::turn::{Rounds, Turn};
use super::{Connection, Life, Medium, NEVER};
use crate::link::Line;
use crate::longpoll::{Counter, Errand, Unsent};
use crate::metrics::{Dropped, Limit};
use crate::notice::note_malformed;
use crate::peer::{Notice, Peer};
use bennu_core::longpoll::{CloseReason, Data, Session};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A session: its frames go to its counter, and its messages come from there.
pub(crate) struct Polling {
    counter: Arc<Counter>,
    /// By what its token finds it.
    session: u128,
}

impl Polling {
    pub(crate) fn new(counter: Arc<Counter>, session: u128) -> Self {
        Self { counter, session }
    }
}

impl Medium for Polling {
    type Rest = ();

    fn is_nothing((): &()) -> bool {
        true
    }

    fn close(&mut self, line: &Line, _: &Peer) {
        line.hub.sessions.remove(self.session);
        self.counter.abandon();
    }
}

/// The task of one session, for a runtime to run to its end.
pub(crate) struct SessionTask(Connection<Polling>);

impl SessionTask {
    pub(crate) fn new(connection: Connection<Polling>) -> Self {
        Self(connection)
    }
}

impl Future for SessionTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Turn::begin(&mut self.0, cx).take() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl fmt::Debug for SessionTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionTask").field(&self.0.peer).finish()
    }
}

impl Rounds for Turn<'_, '_, Polling> {
    const MAX: usize = 64;

    fn look_up(&mut self) -> Notice {
        let notice = self.take_left();
        if notice.due {
            self.connection.armed = NEVER;
        }
        self.connection.medium.counter.tell(|session, now| {
            let Notice { close, paused, due, broken: _, congested: _ } = notice;
            if due {
                session.handle_timeout(now);
            }
            if close.is_some() {
                session.close(now);
            }
            if paused {
                session.pause(now);
            } else {
                session.resume(now);
            }
        });
        notice
    }

    /// Does one thing that the session wants.
    fn take_piece(&mut self, _: Notice) -> bool {
        self.flush();
        let Some(errand) = self.connection.medium.counter.errand() else { return false };
        match errand {
            Errand::Receive(data) => self.receive(&data),
            Errand::Close(reason) => {
                tracing::debug!(socket = ?self.connection.link.socket, ?reason, "a session ends");
                if let Some(limit) = limit(reason) {
                    self.connection.link.hub.metrics.limit(limit);
                }
                self.connection.link.hub.sessions.remove(self.connection.medium.session);
                self.connection.tell(&mut self.desk.work);
            }
            Errand::End => self.connection.more().life = Life::Closed,
        }
        self.work_off();
        true
    }
}

impl Turn<'_, '_, Polling> {
    /// Takes the turn. Returns whether the task has come to its end.
    fn take(&mut self) -> bool {
        self.go_round();
        self.flush();
        if self.connection.life() != Life::Closed
            && let Some(next) = self.connection.medium.counter.next_look()
        {
            self.connection.arm(next, self.now);
        }
        self.connection.tidy();
        self.connection.life() == Life::Closed && self.is_idle()
    }

    /// Hands a message on to the machine. The session hears of it last, and with it the client: by then it knows whether it
    /// is to take more, and what a handler answers at once is there.
    fn receive(&mut self, data: &Data) {
        let connection = &mut *self.connection;
        let (formats, serializer) = (connection.link.hub.formats(), connection.link.dialect.serializer);
        let mut room = None;
        match formats.decode(serializer, data.kind, &data.body, &mut room) {
            Ok(message) => {
                self.desk.tell(connection.link.line(), Some(&message), self.now);
                self.work_off();
                if self.connection.peer.has_left() {
                    self.look_up();
                }
                self.flush();
                self.connection.medium.counter.tell(Session::handle_accepted);
            }
            Err(error) => {
                note_malformed(connection.link.line(), &error);
                connection.medium.counter.tell(Session::handle_malformed);
            }
        }
    }

    /// Hands what is queued on to the session. From here on, others have what they queue flushed.
    fn flush(&mut self) {
        let peer = &self.connection.peer;
        peer.settle();
        let frames = peer.take_frames();
        if frames.is_empty() {
            return;
        }
        let Unsent { skipped, lost } = self.connection.medium.counter.push(frames);
        let hub = &self.connection.link.hub;
        hub.metrics.dropped(Dropped::Binary, skipped);
        if lost > 0 {
            peer.count_lost(lost);
            hub.count_lost(lost);
        }
    }
}

/// The limit that a client has met, if that is why its session ends.
fn limit(reason: CloseReason) -> Option<Limit> {
    match reason {
        CloseReason::SlowConsumer { .. } => Some(Limit::Outbox),
        CloseReason::Inactive => Some(Limit::Session),
        CloseReason::Local | CloseReason::Malformed | _ => None,
    }
}
