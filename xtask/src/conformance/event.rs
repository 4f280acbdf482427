//! What arrives on a connection.

use super::{hex, pattern};

/// One thing that the server did on a connection. Pings are answered unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Text(String),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    /// A close frame; 1005 stands for one without a code. On a long-poll session: the status that ended it.
    Close {
        code: u16,
        reason: String,
    },
    /// The stream ended, with or without a close frame before.
    Ended,
}

impl Event {
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Text(text) => format!("text {}", pattern::cut(text)),
            Self::Binary(bytes) => format!("binary {}", hex::show(bytes)),
            Self::Pong(bytes) => format!("pong {}", hex::show(bytes)),
            Self::Close { code, reason } => format!("close {code} {reason:?}"),
            Self::Ended => "the end of the connection".to_owned(),
        }
    }
}

/// Describes an event, or that none came in time.
pub(crate) fn describe(event: Option<&Event>) -> String {
    event.map_or_else(|| "nothing".to_owned(), Event::describe)
}
