//! A connection by WebSocket.

use super::turn::{Rounds, Turn};
use super::{Connection, Life, Medium, NEVER};
use crate::link::{AnyLink, Line};
use crate::metrics::Limit;
use crate::notice::note_malformed;
use crate::peer::{Flush, Notice, Peer};
use crate::scratch;
use crate::stream::Stream;
use bennu_core::outbox::{Stuck, Verdict};
use bennu_core::server::CloseReason;
use bennu_core::websocket::{self, Output, Violation};
use bennu_core::{Frame, Instant, Kind};
use bytes::{Bytes, BytesMut};
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A WebSocket and the stream under it.
pub(crate) struct Wire {
    stream: Stream,
    websocket: websocket::Connection,
}

/// What a WebSocket has besides.
#[derive(Default)]
pub(crate) struct Rest {
    /// Bytes that were read and not taken in yet: those that came with the upgrade, or that wait until less
    /// else waits.
    early: Bytes,
    /// Since when the peer does not take what waits for it.
    stuck: Option<Stuck>,
}

impl Medium for Wire {
    type Rest = Rest;

    fn is_nothing(rest: &Rest) -> bool {
        rest.early.is_empty() && rest.stuck.is_none()
    }

    fn close(&mut self, _: &Line, peer: &Peer) {
        self.stream.close(peer);
    }
}

impl Connection<Wire> {
    pub(crate) fn new(
        link: Arc<dyn AnyLink>,
        peer: Arc<Peer>,
        stream: Stream,
        early: Bytes,
        config: websocket::Config,
    ) -> Self {
        let websocket = websocket::Connection::server(config, link.hub.runtime.now());
        let mut connection = Self::over(Wire { stream, websocket }, link, peer);
        if !early.is_empty() {
            connection.more().rest.early = early;
        }
        connection
    }

    /// Until when a peer that is stuck has to take more.
    fn patience(&self) -> Option<Instant> {
        let stuck = self.more.as_ref()?.rest.stuck?;
        Some(self.peer.patience(stuck, self.link.patience))
    }

    /// Ends the run that is open, if this peer was sent it last: it need not wait for others.
    fn seal(&self) {
        if self.peer.ends_open() {
            self.link.hub.seal();
        }
    }

    /// The peer has not taken enough in time: what may be lost is, or it is cut off.
    fn judge(&mut self, now: Instant) {
        let Some(more) = &mut self.more else { return };
        let Some(before) = more.rest.stuck else { return };
        match self.peer.judge(before, self.link.patience, now) {
            Verdict::TooSlow => self.link.hub.cut_off(self.link.socket),
            Verdict::Spared { stuck, dropped } => {
                more.rest.stuck = Some(stuck);
                self.link.hub.count_lost(dropped);
            }
        }
    }
}

/// The task of one connection, for a runtime to run to its end.
#[must_use = "a connection lives as long as its task runs"]
pub struct ConnectionTask(Connection<Wire>);

impl ConnectionTask {
    pub(crate) fn new(connection: Connection<Wire>) -> Self {
        Self(connection)
    }

    #[cfg(feature = "test")]
    pub(crate) fn socket(&self) -> bennu_core::server::SocketId {
        self.0.link.socket
    }
}

impl Future for ConnectionTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Turn::begin(&mut self.0, cx).take() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl fmt::Debug for ConnectionTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectionTask").field(&self.0.peer).finish()
    }
}

impl Rounds for Turn<'_, '_, Wire> {
    const MAX: usize = 8;

    fn look_up(&mut self) -> Notice {
        let notice = self.take_left();
        self.heed(notice);
        notice
    }

    /// Takes one read in.
    fn take_piece(&mut self, notice: Notice) -> bool {
        let connection = &mut *self.connection;
        if matches!(connection.life(), Life::Ending | Life::Closed) {
            return false;
        }
        // A peer's close frame is always heard.
        if (notice.paused || notice.congested) && !connection.medium.websocket.is_closing() {
            connection.medium.websocket.pause(self.now);
            return false;
        }
        connection.medium.websocket.resume(self.now);
        let mut scratch = scratch::take();
        let read = match connection.more.as_mut().filter(|more| !more.rest.early.is_empty()) {
            Some(more) => {
                let n = more.rest.early.len().min(scratch.len());
                scratch[..n].copy_from_slice(&more.rest.early.split_to(n));
                Poll::Ready(Ok(n))
            }
            None => {
                let read = connection.medium.stream.poll_read(&connection.peer, self.cx, &mut scratch);
                if let Poll::Ready(Ok(n)) = read {
                    self.desk.tally.read(n);
                }
                read
            }
        };
        let more = match read {
            Poll::Ready(Ok(n)) if n > 0 => {
                self.take_in(&mut scratch[..n]);
                true
            }
            Poll::Ready(_) => {
                connection.medium.websocket.handle_eof(self.now);
                false
            }
            Poll::Pending => false,
        };
        scratch::put(scratch);
        more
    }
}

impl Turn<'_, '_, Wire> {
    /// Takes the turn. Returns whether the task has come to its end.
    fn take(&mut self) -> bool {
        let notice = self.go_round();
        self.speak();
        let failed = self.connection.life() != Life::Closed && self.flush().is_err();
        if failed {
            self.connection.medium.websocket.handle_eof(self.now);
            self.speak();
        }
        if self.connection.life() == Life::Ending && (failed || self.connection.peer.is_written()) {
            self.connection.medium.stream.close(&self.connection.peer);
            self.connection.more().life = Life::Closed;
        }
        if notice.congested && self.connection.peer.is_relieved() {
            // What kept it from reading has just been written, and nobody else would wake it.
            self.cx.waker().wake_by_ref();
        }
        self.arm();
        self.connection.tidy();
        self.connection.life() == Life::Closed && self.is_idle()
    }

    /// Acts on what others have noted for this task.
    fn heed(&mut self, notice: Notice) {
        let connection = &mut *self.connection;
        if notice.due {
            connection.armed = NEVER;
            let was_closed = connection.medium.websocket.is_closed();
            connection.medium.websocket.handle_timeout(self.now);
            if !was_closed && connection.medium.websocket.is_closed() {
                connection.link.hub.metrics.limit(Limit::Close);
            }
            if connection.patience().is_some_and(|end| end <= self.now) {
                match connection.life() {
                    Life::Open => connection.judge(self.now),
                    // It does not take its farewell either.
                    Life::Closing | Life::Ending => return self.reset(),
                    Life::Closed => {}
                }
            }
        }
        if notice.broken {
            connection.medium.websocket.handle_eof(self.now);
        }
        if let Some(reason) = notice.close.filter(|_| !connection.medium.websocket.is_closing()) {
            connection.medium.websocket.close(reason.code(), "", self.now);
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
        while let Some(output) = connection.medium.websocket.poll_output() {
            if let Output::Send(frame) = output {
                connection.peer.push_control(Frame::control(&frame));
            }
        }
        connection.medium.stream.reset(&connection.peer);
        connection.tell(&mut self.desk.work, &mut self.desk.tally);
        connection.more().life = Life::Closed;
        self.work_off();
    }

    /// Writes what is queued, and sees whether the peer takes it.
    fn flush(&mut self) -> io::Result<()> {
        let connection = &mut *self.connection;
        let mut flushed = connection.medium.stream.flush(&connection.peer, self.cx)?;
        if flushed.flush == Flush::AwaitsSeal {
            connection.link.hub.seal();
            // What went in front of the run counts as well: the peer may be stuck behind it, and has just taken that.
            let before = flushed.written;
            flushed = connection.medium.stream.flush(&connection.peer, self.cx)?;
            flushed.written += before;
        }
        if flushed.flush == Flush::AwaitsSeal {
            // Another run has been opened this instant: it is written with the others of its batch.
            connection.peer.undertake();
            connection.link.hub.flusher.mark(&mut vec![Arc::clone(&connection.peer)]);
            connection.link.hub.flusher.kick();
        }
        self.desk.tally.write(flushed.written);
        let before = connection.more.as_mut().and_then(|more| more.rest.stuck.take());
        if flushed.flush == Flush::Blocked {
            let stuck = connection.peer.stuck(before, flushed.written, self.now);
            connection.more().rest.stuck = Some(stuck);
            return Ok(());
        }
        let Some(pong) = before.and_then(|_| connection.medium.websocket.take_pong()) else { return Ok(()) };
        connection.peer.push_control(Frame::control(&pong));
        self.flush()
    }

    /// Whether the peer takes nothing: then the machine keeps the pong that it is owed, which is the latest, and
    /// nothing piles up.
    fn is_stuck(&self) -> bool {
        self.connection.more.as_ref().is_some_and(|more| more.rest.stuck.is_some())
    }

    /// Works a read off, message by message. A handler's answer and the next message share one lock.
    fn take_in(&mut self, mut input: &mut [u8]) {
        let is_stuck = self.is_stuck();
        let limits = self.connection.link.decode_limits();
        let mut pong = None;
        loop {
            let connection = &mut *self.connection;
            let owes_pong = pong.is_some() || connection.medium.websocket.owes_pong();
            let received = connection.medium.websocket.receive(input, self.now);
            let consumed = received.consumed;
            let (formats, serializer) = (connection.link.hub.formats(), connection.link.dialect.serializer);
            let mut room = None;
            let decoded = match received.event {
                Some(websocket::Event::Text(text)) => {
                    Some(formats.decode_text(serializer, text, limits, &mut room))
                }
                Some(websocket::Event::Binary(data)) => {
                    Some(formats.decode(serializer, Kind::Binary, data, limits, &mut room))
                }
                // Of several pings in a row the latest is answered, ahead of the message behind it.
                Some(websocket::Event::Ping(_)) => {
                    if owes_pong {
                        self.desk.tally.replace_pong();
                    }
                    if !is_stuck {
                        pong = connection.medium.websocket.take_pong().or(pong);
                    }
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
                    self.desk.tell(connection.link.line(), Some(&message), self.now);
                }
                Ok(None) => {}
                Err(error) => {
                    note_malformed(connection.link.line(), &error);
                    connection.medium.websocket.close(CloseReason::Malformed.code(), "", self.now);
                }
            }
            input = &mut input[consumed..];
            self.run();
            let connection = &mut *self.connection;
            if (self.budget == 0 || connection.peer.holds())
                && !input.is_empty()
                && !connection.medium.websocket.is_closing()
            {
                // Too much waits for this peer, or for its handlers: the rest of its input waits as well.
                let mut rest = BytesMut::from(&*input);
                let more = connection.more();
                rest.extend_from_slice(&more.rest.early);
                more.rest.early = rest.freeze();
                break;
            }
        }
        if let Some(pong) = pong {
            self.connection.peer.push_control(Frame::control(&pong));
        }
        self.work_off();
    }

    /// Carries out what the WebSocket wants: pongs, the close frame, the end.
    fn speak(&mut self) {
        if self.is_stuck() && !self.connection.medium.websocket.is_closing() {
            return; // All there may be is a pong.
        }
        let mut by_peer = false;
        while let Some(output) = self.connection.medium.websocket.poll_output() {
            let connection = &mut *self.connection;
            match output {
                Output::Send(frame) => {
                    if connection.medium.websocket.is_closing() {
                        // A close frame comes behind all that was sent before it, and nothing behind that: the machine
                        // sends nothing more from here on.
                        connection.tell(&mut self.desk.work, &mut self.desk.tally);
                        connection.seal();
                    }
                    connection.peer.push_control(Frame::control(&frame));
                }
                Output::Closed(reason) => {
                    by_peer = matches!(reason, websocket::CloseReason::Peer { .. });
                    tracing::debug!(socket = ?connection.link.socket, ?reason, "a connection ends");
                    if let Some(limit) = limit(reason) {
                        connection.link.hub.metrics.limit(limit);
                    }
                    connection.tell(&mut self.desk.work, &mut self.desk.tally);
                    self.work_off();
                }
                Output::End if by_peer => connection.more().life = Life::Ending,
                Output::End => {
                    // What can still be written is; a peer that takes no more has had its time.
                    connection.seal();
                    let _ = connection.medium.stream.flush(&connection.peer, self.cx);
                    connection.medium.stream.close(&connection.peer);
                    connection.more().life = Life::Closed;
                }
            }
        }
    }

    /// Sees to it that this task is woken for its next deadline.
    fn arm(&mut self) {
        let connection = &mut *self.connection;
        if connection.life() == Life::Closed {
            return;
        }
        let timeout = connection.medium.websocket.poll_timeout();
        if let Some(next) = timeout.into_iter().chain(connection.patience()).min() {
            connection.arm(next, self.now);
        }
    }
}

/// The limit that a peer has met, if that is why its connection ends.
fn limit(reason: websocket::CloseReason) -> Option<Limit> {
    match reason {
        websocket::CloseReason::Idle { .. } => Some(Limit::Idle),
        websocket::CloseReason::Violation(Violation::MessageTooLong { .. }) => Some(Limit::Message),
        websocket::CloseReason::Violation(Violation::TooManyFragments { .. }) => Some(Limit::Fragments),
        websocket::CloseReason::Violation(Violation::TooManyEmptyFragments { .. }) => {
            Some(Limit::EmptyFragments)
        }
        websocket::CloseReason::Violation(_)
        | websocket::CloseReason::Peer { .. }
        | websocket::CloseReason::Local { .. }
        | websocket::CloseReason::Eof
        | _ => None,
    }
}

#[cfg(all(test, not(bennu_loom)))]
mod tests;
