//! What a connection wants done, in order.

use super::close::CloseReason;
use super::frame::ControlFrame;

/// What [`Connection::poll_output`](super::Connection::poll_output) asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write this pong or close frame.
    Send(ControlFrame),
    /// No message comes any more, and none may be sent. Exactly once, whatever the cause.
    Closed(CloseReason),
    /// Shut the stream down. Nothing follows.
    End,
}

/// Outputs not yet polled: at most one of each, always in this order.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    pub(super) pong: Option<ControlFrame>,
    pub(super) close: Option<ControlFrame>,
    pub(super) closed: Option<CloseReason>,
    pub(super) end: Option<End>,
}

/// The stream is to be shut down.
#[derive(Clone, Copy, Debug)]
pub(super) struct End;

impl Outputs {
    pub(super) fn pop(&mut self) -> Option<Output> {
        let frame = self.pong.take().or_else(|| self.close.take());
        if let Some(frame) = frame {
            return Some(Output::Send(frame));
        }
        if let Some(reason) = self.closed.take() {
            return Some(Output::Closed(reason));
        }
        self.end.take().map(|End| Output::End)
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self { pong: None, close: None, closed: None, end: None })
    }
}
