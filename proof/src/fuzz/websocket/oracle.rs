//! The same stream, read by tungstenite.

use super::seen::Seen;
use super::{Setup, Side};
use crate::fuzz::recorded::Recorded;
use bennu_core::websocket::{CloseReason, Violation};
use bennu_core::{Instant, Kind};
use tungstenite::error::{CapacityError, ProtocolError};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

/// How a reader came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It has read all there is, and waits for more.
    Dry,
    /// The peer has closed.
    Closed {
        code: Option<u16>,
    },
    Refused(Class),
}

/// Whose rule was broken, as the close code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// 1002.
    Protocol,
    /// 1007.
    Utf8,
    /// 1009.
    TooLong,
}

/// Where this codec and tungstenite part, and may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    /// A frame is refused by its first bytes; tungstenite reads all of it before it looks.
    RefusedBeforeItIsWhole,
    /// Only this codec limits fragments, and empty ones.
    FragmentsAreLimited,
    /// Only this codec minds a length that takes more bytes than it needs.
    LengthsAreMinimal,
    /// Of two rules that one frame breaks, this codec names the one about its form, tungstenite that about
    /// its length or its text.
    OrderOfRules,
    /// tungstenite answers a code that must not be sent with 1002 as well, but calls it a close.
    CloseCodeIsViolation,
    /// 1014 was registered after RFC 6455; tungstenite does not know it.
    CodeRegisteredLater,
}

/// Compares what was told with what tungstenite tells.
pub(super) fn check(setup: Setup, stream: &[u8], whole: &[Seen]) {
    let ours: Vec<&Seen> = whole.iter().filter(|seen| seen.is_event()).collect();
    let reason =
        whole.iter().find_map(|seen| if let Seen::Closed(reason) = seen { Some(*reason) } else { None });
    let (theirs, their_ending) = read(setup, stream);
    let theirs: Vec<&Seen> = theirs.iter().collect();

    if agree(reason, their_ending) && ours == theirs {
        return;
    }
    let difference = explain(stream, reason, their_ending);
    assert!(difference.is_some(), "{reason:?} here, {their_ending:?} there; {ours:?}, {theirs:?}");
    assert!(theirs.starts_with(&ours), "{difference:?}: {ours:?} here, {theirs:?} there");
    let goes_on =
        [Difference::FragmentsAreLimited, Difference::LengthsAreMinimal].map(Some).contains(&difference);
    assert!(goes_on || ours.len() == theirs.len(), "{difference:?}, and {theirs:?} there");
}

/// Has the other side encode the messages that were told: tungstenite reads them as they are.
pub(super) fn check_encoded(setup: Setup, whole: &[Seen]) {
    let mut peer = Setup { side: setup.side.other(), ..setup }.connection(Instant::EPOCH);
    let mut stream = Vec::new();
    let mut messages = Vec::new();
    for seen in whole {
        if let Seen::Text(text) = seen {
            peer.encode(Kind::Text, text.as_bytes(), &mut stream);
            messages.push(seen.clone());
        }
        if let Seen::Binary(bytes) = seen {
            peer.encode(Kind::Binary, bytes, &mut stream);
            messages.push(seen.clone());
        }
    }
    assert_eq!(read(setup, &stream), (messages, Ending::Dry));
}

fn agree(reason: Option<CloseReason>, ending: Ending) -> bool {
    match (reason, ending) {
        (None, Ending::Dry) => true,
        (Some(CloseReason::Peer { code }), Ending::Closed { code: theirs }) => code == theirs,
        (Some(CloseReason::Violation(violation)), Ending::Refused(class)) => {
            class_of(violation) == Some(class)
        }
        _ => false,
    }
}

fn explain(stream: &[u8], reason: Option<CloseReason>, ending: Ending) -> Option<Difference> {
    use Violation::*;

    let reason = reason?;
    if let CloseReason::Peer { code: Some(1014) } = reason {
        return (ending == Ending::Closed { code: Some(1002) }).then_some(Difference::CodeRegisteredLater);
    }
    let CloseReason::Violation(violation) = reason else { return None };
    match (violation, ending) {
        (TooManyFragments { .. } | TooManyEmptyFragments { .. }, _) => Some(Difference::FragmentsAreLimited),
        (LengthNotMinimal { .. }, _) => Some(Difference::LengthsAreMinimal),
        (ControlTooLong, _) if has_wide_control(stream) => Some(Difference::LengthsAreMinimal),
        (InvalidCloseCode { .. }, Ending::Closed { code: Some(1002) }) => {
            Some(Difference::CloseCodeIsViolation)
        }
        (InvalidCloseCode { .. }, Ending::Refused(Class::Utf8)) => Some(Difference::OrderOfRules),
        (
            ReservedBits { .. }
            | Unmasked
            | Masked
            | FragmentedControl
            | ControlTooLong
            | LengthOutOfRange
            | UnexpectedContinuation
            | ExpectedContinuation,
            Ending::Refused(Class::TooLong),
        ) => Some(Difference::OrderOfRules),
        // What is in a close frame is looked at when it is whole, here too.
        (CloseTooShort | InvalidCloseCode { .. }, _) => None,
        (_, Ending::Dry) => Some(Difference::RefusedBeforeItIsWhole),
        _ => None,
    }
}

/// Whether there may be a control frame whose length would fit into its second byte, but lies behind it.
fn has_wide_control(stream: &[u8]) -> bool {
    (0..stream.len()).any(|at| match stream[at..] {
        [first, 126 | 254, 0, 0..126, ..] => first & 8 != 0,
        [first, 127 | 255, 0, 0, 0, 0, 0, 0, 0, 0..126, ..] => first & 8 != 0,
        _ => false,
    })
}

/// `None` for what tungstenite has no rule about.
fn class_of(violation: Violation) -> Option<Class> {
    if let Violation::LengthNotMinimal { .. } = violation {
        return None;
    }
    match violation.code() {
        1002 => Some(Class::Protocol),
        1007 => Some(Class::Utf8),
        1009 => Some(Class::TooLong),
        1008 => None,
        code => panic!("{code} is the code of no rule"),
    }
}

fn read(setup: Setup, stream: &[u8]) -> (Vec<Seen>, Ending) {
    let max_message = setup.config.max_message as usize;
    let role = match setup.side {
        Side::Server => Role::Server,
        Side::Client => Role::Client,
    };
    // A limit for control frames would be one that nobody asked for.
    let config = WebSocketConfig::default()
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message.max(125)))
        .read_buffer_size(1024);
    let mut socket = WebSocket::from_raw_socket(Recorded(stream), role, Some(config));
    let mut seen = Vec::new();
    let ending = loop {
        match socket.read() {
            Ok(Message::Text(text)) => seen.push(Seen::Text(text.as_str().to_owned())),
            Ok(Message::Binary(bytes)) => seen.push(Seen::Binary(bytes.to_vec())),
            Ok(Message::Ping(bytes)) => seen.push(Seen::Ping(bytes.to_vec())),
            Ok(Message::Pong(bytes)) => seen.push(Seen::Pong(bytes.to_vec())),
            Ok(Message::Close(frame)) => {
                break Ending::Closed { code: frame.map(|frame| frame.code.into()) };
            }
            Ok(Message::Frame(frame)) => panic!("a raw frame was read: {frame}"),
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => break Ending::Dry,
            Err(Error::Protocol(_)) => break Ending::Refused(Class::Protocol),
            Err(Error::Utf8(_)) => break Ending::Refused(Class::Utf8),
            Err(Error::Capacity(CapacityError::MessageTooLong { .. })) => {
                break Ending::Refused(Class::TooLong);
            }
            Err(error) => panic!("an ending without a rule: {error}"),
        }
    };
    (seen, ending)
}
