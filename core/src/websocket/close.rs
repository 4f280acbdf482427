//! Close codes, and what a close frame says.

use super::frame::{ControlFrame, MAX_CONTROL, Opcode};
use super::violation::Violation;

/// A normal end.
pub(super) const NORMAL: u16 = 1000;

/// An error of this side's own.
const INTERNAL_ERROR: u16 = 1011;

/// Who ended a connection, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer sent a close frame, with this code if with any.
    Peer {
        /// As received; `None` where a browser would show 1005.
        code: Option<u16>,
    },
    /// [`Connection::close`](super::Connection::close) was called.
    Local {
        /// As sent.
        code: u16,
    },
    /// The peer broke a rule or a limit; it is told [`Violation::code`].
    Violation(Violation),
    /// The peer was silent for [`Config::idle_timeout`](super::Config::idle_timeout).
    Idle {
        /// As sent.
        code: u16,
    },
    /// The stream ended without a close frame: what a browser would show as 1006.
    Eof,
}

/// Whether a code may be in a close frame.
///
/// Source: RFC 6455 section 7.4, and the codes registered since (1012-1014).
pub(super) fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// The code itself, or 1011 in place of one that must not be sent.
pub(super) fn sendable(code: u16) -> u16 {
    if is_sendable(code) { code } else { INTERNAL_ERROR }
}

/// Reads the payload of the peer's close frame: its code, if it has one.
pub(super) fn parse(payload: &[u8]) -> Result<Option<u16>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Ok(None) } else { Err(Violation::CloseTooShort) };
    };
    let code = u16::from_be_bytes(*code);
    if !is_sendable(code) {
        return Err(Violation::InvalidCloseCode { code });
    }
    if std::str::from_utf8(reason).is_err() {
        return Err(Violation::InvalidUtf8);
    }
    Ok(Some(code))
}

/// A close frame; the reason is cut, between two characters, to the 123 bytes that fit.
pub(super) fn frame(code: u16, reason: &str, key: Option<[u8; 4]>) -> ControlFrame {
    let mut end = reason.len().min(MAX_CONTROL - 2);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let reason = &reason[..end];
    let mut payload = [0; MAX_CONTROL];
    payload[..2].copy_from_slice(&code.to_be_bytes());
    payload[2..2 + reason.len()].copy_from_slice(reason.as_bytes());
    ControlFrame::new(Opcode::Close, &payload[..2 + reason.len()], key)
}
