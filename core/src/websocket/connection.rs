//! One peer of a WebSocket.

use super::close::{self, CloseReason};
use super::config::{Bounds, Config};
use super::decoder::{Complete, Decoder, Delivery, Kept, Place};
use super::frame::{self, ControlFrame, Masking, Opcode};
use super::mask::Masks;
use super::output::{End, Output, Outputs};
use super::skipper::Found;
use super::state::{Awaits, Closing, Idle, State};
use super::violation::Violation;
use crate::{Instant, Kind};

/// One end of a WebSocket, server or client: bytes in, messages out, and the closing handshake.
///
/// ```text
///         ┌── peer's close (client), close(), violation, idle ──▶ closing ──┐
///  open ──┤                                                                 ├─▶ closed
///         └── peer's close (server), end of the stream ─────────────────────┘
/// ```
///
/// *Closing* ends with the peer's close frame, or on a client with the end of the stream, which it is
/// the server's part to bring about (RFC 6455 section 7.1.1); and after
/// [`Config::close_timeout`] in any case.
///
/// After any `&mut self` call, poll outputs until `None`, then read [`Connection::poll_timeout`] again.
///
/// At most 72 bytes, and nothing on the heap unless a frame or message has come in part or an output
/// waits to be polled. What time it is only ever grows: a `now` before an earlier one counts as that.
#[derive(Debug)]
pub struct Connection {
    config: Bounds,
    side: Side,
    state: State,
    /// The latest `now`.
    clock: Instant,
    decoder: Decoder,
    outputs: Option<Box<Outputs>>,
}

/// What one call of [`Connection::receive`] did.
#[derive(Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// Bytes taken from the front of the input; all of them if there is no event.
    pub consumed: usize,
    /// What they completed.
    pub event: Option<Event<'a>>,
}

/// What the peer sent.
///
/// How a connection ends is not among these but always an [`Output::Closed`], since time and the end of
/// the stream can be the cause as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A ping, which is answered already: the pong is an output.
    Ping(&'a [u8]),
    /// A pong, asked for or not.
    Pong(&'a [u8]),
}

/// Which end this is: a client masks what it sends.
#[derive(Debug)]
enum Side {
    Server,
    /// Boxed: a process has thousands of servers' ends, and few clients'.
    Client(Box<Masks>),
}

impl Side {
    /// What the peer's frames must be.
    fn masking(&self) -> Masking {
        match self {
            Self::Server => Masking::Required,
            Self::Client(_) => Masking::Forbidden,
        }
    }

    /// The key of the next frame this end sends, if it masks.
    fn next_mask(&mut self) -> Option<[u8; 4]> {
        match self {
            Self::Server => None,
            Self::Client(masks) => Some(masks.next()),
        }
    }
}

impl Connection {
    /// The server's end; the handshake is done.
    #[must_use]
    pub fn server(config: Config, now: Instant) -> Self {
        Self::new(config, Side::Server, now)
    }

    /// The client's end; the handshake is done.
    ///
    /// Masks follow from `mask_seed`. RFC 6455 section 10.3 asks for masks that whoever provides the
    /// messages cannot predict: take the seed from a strong source of entropy, a new one for every
    /// connection. A constant is right only in a test.
    #[must_use]
    pub fn client(config: Config, mask_seed: u64, now: Instant) -> Self {
        Self::new(config, Side::Client(Box::new(Masks::new(mask_seed))), now)
    }

    fn new(config: Config, side: Side, now: Instant) -> Self {
        let state = State::Open(Idle::running(config.idle_timeout, now));
        Self { config: config.into(), side, state, clock: now, decoder: Decoder::default(), outputs: None }
    }

    /// Reads from the front of `input`, up to the end of the next message, ping or pong.
    ///
    /// Call it with the rest until no event comes; then all of `input` is consumed. A payload that lies
    /// whole in `input` is unmasked in place and borrowed from there. One that came in pieces is kept
    /// here until the next call, so make that last call even if there is no rest.
    ///
    /// Nothing the peer sends is an error: what breaks a rule or a limit starts the closing handshake,
    /// which [`Connection::poll_output`] tells. From then on, input is consumed and ignored.
    ///
    /// Any byte starts the idle timer anew.
    pub fn receive<'a>(&'a mut self, input: &'a mut [u8], now: Instant) -> Received<'a> {
        self.tick(now);
        let total = input.len();
        let State::Open(idle) = &mut self.state else {
            self.skip(input);
            return Received { consumed: total, event: None };
        };
        if total > 0 {
            idle.restart(self.config.idle_timeout(), self.clock);
        }

        let advance = self.decoder.advance(&self.config, self.side.masking(), input);
        let (taken, rest) = input.split_at_mut(advance.consumed);
        let ended = Received { consumed: total, event: None };
        let complete = match advance.outcome {
            Ok(Some(complete)) => complete,
            Ok(None) => return ended,
            Err(violation) => {
                self.fail(violation, rest);
                return ended;
            }
        };
        let event = match complete {
            Complete { kind: Delivery::Text, place: Place::Input(range) } => {
                match std::str::from_utf8(&taken[range]) {
                    Ok(text) => Event::Text(text),
                    Err(_) => {
                        self.fail(Violation::InvalidUtf8, rest);
                        return ended;
                    }
                }
            }
            Complete { kind: Delivery::Close, place } => {
                let code = close::parse(payload(&self.decoder, &place, taken));
                self.on_peer_close(code);
                return ended;
            }
            Complete { kind: Delivery::Text, place: Place::Kept } => match self.decoder.kept() {
                Kept::Text(text) => Event::Text(text),
                Kept::Bytes(bytes) => Event::Binary(bytes),
            },
            Complete { kind: Delivery::Binary, place } => {
                Event::Binary(payload(&self.decoder, &place, taken))
            }
            Complete { kind: Delivery::Pong, place } => Event::Pong(payload(&self.decoder, &place, taken)),
            Complete { kind: Delivery::Ping, place } => {
                let payload = payload(&self.decoder, &place, taken);
                let pong = ControlFrame::new(Opcode::Pong, payload, self.side.next_mask());
                self.outputs.get_or_insert_default().pong = Some(pong);
                Event::Ping(payload)
            }
        };
        Received { consumed: advance.consumed, event: Some(event) }
    }

    /// The next thing to do, in order; `None` when there is nothing left.
    ///
    /// Pongs are owed for the latest ping only: one that is not polled before the next ping comes is
    /// replaced by its pong (RFC 6455 section 5.5.3).
    pub fn poll_output(&mut self) -> Option<Output> {
        self.decoder.release();
        let outputs = self.outputs.as_deref_mut()?;
        let output = outputs.pop();
        if outputs.is_empty() {
            self.outputs = None;
        }
        output
    }

    /// The pong that is owed, before any other output: for an embedder that answers a ping ahead of the
    /// messages behind it, in the midst of its input.
    pub fn take_pong(&mut self) -> Option<ControlFrame> {
        self.outputs.as_deref_mut()?.pong.take()
    }

    /// Whether a pong is owed, which the pong of another ping would replace: for the metrics of an embedder.
    #[must_use]
    pub fn owes_pong(&self) -> bool {
        self.outputs.as_deref().is_some_and(|outputs| outputs.pong.is_some())
    }

    /// When to call [`Connection::handle_timeout`]; `None` if nothing is scheduled.
    ///
    /// Any `&mut self` call can change it.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Open(idle) => idle.deadline(),
            State::Closing(closing) => Some(closing.deadline),
            State::Closed => None,
        }
    }

    /// Does what is due by `now`: too early or too often does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.tick(now);
        if self.poll_timeout().is_none_or(|deadline| self.clock < deadline) {
            return;
        }
        match self.state {
            State::Open(_) => {
                let code = close::sendable(self.config.idle_code);
                self.start_closing(code, "", CloseReason::Idle { code });
            }
            State::Closing(_) => self.end(),
            State::Closed => {}
        }
    }

    /// Starts the closing handshake: nothing is received or sent any more.
    ///
    /// Without effect once the connection is closing, whoever began. The reason is cut to the 123 bytes
    /// that fit. A code that must not be on the wire (such as 1005 or 1006) is sent as 1011.
    pub fn close(&mut self, code: u16, reason: &str, now: Instant) {
        self.tick(now);
        if !self.is_closing() {
            let code = close::sendable(code);
            self.start_closing(code, reason, CloseReason::Local { code });
        }
    }

    /// The stream has ended: nothing will be received any more.
    pub fn handle_eof(&mut self, now: Instant) {
        self.tick(now);
        match self.state {
            State::Open(_) => {
                self.outputs.get_or_insert_default().closed = Some(CloseReason::Eof);
                self.end();
            }
            State::Closing(_) => self.end(),
            State::Closed => {}
        }
    }

    /// The embedder has stopped reading: the idle timer stands still until [`Connection::resume`].
    pub fn pause(&mut self, now: Instant) {
        self.tick(now);
        if let State::Open(idle) = &mut self.state {
            idle.pause(self.clock);
        }
    }

    /// The embedder reads again: the idle timer goes on where it stood.
    pub fn resume(&mut self, now: Instant) {
        self.tick(now);
        if let State::Open(idle) = &mut self.state {
            idle.resume(self.clock);
        }
    }

    /// Appends a message to `out`, as one final frame; a client's is masked.
    ///
    /// Appends nothing once the connection is closing: no message may follow a close frame.
    pub fn encode(&mut self, kind: Kind, body: &[u8], out: &mut Vec<u8>) {
        if self.is_closing() {
            return;
        }
        let opcode = match kind {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        };
        frame::write_frame(out, opcode, body, self.side.next_mask());
    }

    /// Whether the end has begun: no message is received or sent any more. Stays true once closed.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        !matches!(self.state, State::Open(_))
    }

    /// Whether nothing will happen any more, but for outputs that are yet to be polled.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    fn tick(&mut self, now: Instant) {
        self.clock = self.clock.max(now);
    }

    /// The peer broke a rule; its close frame may still be in the rest of the input.
    fn fail(&mut self, violation: Violation, rest: &[u8]) {
        self.start_closing(violation.code(), "", CloseReason::Violation(violation));
        self.skip(rest);
    }

    fn start_closing(&mut self, code: u16, reason: &str, why: CloseReason) {
        let awaits = Awaits::CloseFrame(self.decoder.take_skipper());
        self.send_close(code, reason, why);
        let deadline = self.clock + self.config.close_timeout();
        self.state = State::Closing(Box::new(Closing { deadline, awaits }));
    }

    /// The peer's close frame opened the handshake: it is answered, and nothing more is awaited of it.
    fn on_peer_close(&mut self, code: Result<Option<u16>, Violation>) {
        match code {
            Ok(code) => self.send_close(close::NORMAL, "", CloseReason::Peer { code }),
            Err(violation) => self.send_close(violation.code(), "", CloseReason::Violation(violation)),
        }
        self.decoder = Decoder::default();
        self.finish_handshake(self.clock + self.config.close_timeout());
    }

    /// Looks for the peer's close frame, and for nothing else.
    fn skip(&mut self, input: &[u8]) {
        let State::Closing(closing) = &mut self.state else { return };
        let deadline = closing.deadline;
        let Awaits::CloseFrame(skipper) = &mut closing.awaits else { return };
        match skipper.skip(input) {
            Found::Close => self.finish_handshake(deadline),
            Found::Nothing => {}
        }
    }

    /// Both close frames are there: the server ends the stream, the client waits for that.
    fn finish_handshake(&mut self, deadline: Instant) {
        match self.side {
            Side::Server => self.end(),
            Side::Client(_) => {
                self.state = State::Closing(Box::new(Closing { deadline, awaits: Awaits::EndOfStream }));
            }
        }
    }

    fn send_close(&mut self, code: u16, reason: &str, why: CloseReason) {
        let frame = close::frame(code, reason, self.side.next_mask());
        let outputs = self.outputs.get_or_insert_default();
        outputs.close = Some(frame);
        outputs.closed = Some(why);
    }

    fn end(&mut self) {
        self.decoder = Decoder::default();
        self.state = State::Closed;
        self.outputs.get_or_insert_default().end = Some(End);
    }
}

/// The bytes of a payload, wherever it lies.
fn payload<'a>(decoder: &'a Decoder, place: &Place, input: &'a [u8]) -> &'a [u8] {
    match place {
        Place::Input(range) => &input[range.clone()],
        Place::Kept => match decoder.kept() {
            Kept::Bytes(bytes) => bytes,
            Kept::Text(text) => text.as_bytes(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_on_the_heap_once_the_outputs_of_a_ping_are_polled() {
        let mut connection = Connection::server(Config::default(), Instant::EPOCH);
        connection.receive(&mut [0x89, 0x80, 1, 2, 3, 4], Instant::EPOCH);
        assert!(connection.outputs.is_some());

        assert!(matches!(connection.poll_output(), Some(Output::Send(_))));

        assert!(connection.outputs.is_none());
    }
}
