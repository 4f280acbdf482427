//! What a client is sent.

use crate::Payload;
use bennu_core::Ref;
use std::fmt;

/// What has come to a client on one of its channels.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arrival {
    /// A push, or a broadcast: clients do not see the difference.
    Push {
        /// What it is.
        event: String,
        /// What it carries.
        payload: Payload,
    },
    /// The answer to a message.
    Reply {
        /// To which.
        to: PushRef,
        /// `ok`, `error`, or another word.
        status: String,
        /// What is answered.
        response: Payload,
    },
    /// `phx_close`: the channel has ended.
    Close,
    /// `phx_error`: the channel has crashed.
    Error,
}

/// The ref of a message that a client has sent: what its reply is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushRef(pub(super) Option<Ref>);

impl fmt::Display for PushRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref().map_or("null", Ref::as_json))
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Push { event, payload } => write!(f, "push {event:?} {}", Shown(payload)),
            Self::Reply { to, status, response } => {
                write!(f, "reply to {to}: {status:?} {}", Shown(response))
            }
            Self::Close => f.write_str("phx_close"),
            Self::Error => f.write_str("phx_error"),
        }
    }
}

/// A payload as a failure shows it.
pub(super) struct Shown<'a>(pub(super) &'a Payload);

/// The most bytes of a payload that a failure shows.
const MOST: usize = 2_000;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            Payload::Json(json) => json.as_str(),
            Payload::Binary(bytes) => &*format!("{bytes:?}"),
        };
        match text.char_indices().nth(MOST) {
            Some((end, _)) => write!(f, "{}… ({} bytes)", &text[..end], self.0.len()),
            None => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_payload_is_cut_in_a_failure() {
        let long = Payload::json(&"é".repeat(3_000)).unwrap();

        let shown = Shown(&long).to_string();

        assert!(shown.ends_with("é… (6002 bytes)"), "{shown}");
        assert_eq!(shown.chars().filter(|&c| c == 'é').count(), MOST - 1);
    }
}
