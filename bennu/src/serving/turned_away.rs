//! Clients that came no further than the door.

use crate::Endpoint;
use crate::metrics::Limit;
use std::error::Error;
use std::fmt;
use std::io;

/// Why a client was turned away while it was served HTTP, or before: a limit that the endpoint does not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TurnedAway {
    /// It took longer for TLS than [`Handshake::tls_timeout`](super::Handshake::tls_timeout).
    LateTls,
    /// It took longer than [`Handshake::timeout`](super::Handshake::timeout); or, where other requests are answered, too,
    /// longer for the head of one of them.
    Late,
    /// It took nothing of an answer for the [time that it has](super::Handshake::set_answer_timeout) for that.
    LateAnswer,
    /// The head of its request was so large that it was not read to its end; or it had far too many headers, or a target
    /// that no endpoint takes, which hyper does not tell from that.
    LargeHead,
}

impl TurnedAway {
    /// What an error means, be it of [`Http::serve`](super::Http::serve) or made of this; `None` if it is nobody's limit.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        let cause = error.get_ref()?;
        if let Some(why) = cause.downcast_ref() {
            return Some(*why);
        }
        let http = cause.downcast_ref::<hyper::Error>()?;
        if http.is_timeout() {
            return Some(Self::Late);
        }
        http.is_parse_too_large().then_some(Self::LargeHead)
    }
}

impl From<TurnedAway> for io::Error {
    fn from(why: TurnedAway) -> Self {
        let kind = match why {
            TurnedAway::LateTls | TurnedAway::Late | TurnedAway::LateAnswer => io::ErrorKind::TimedOut,
            TurnedAway::LargeHead => io::ErrorKind::InvalidData,
        };
        Self::new(kind, why)
    }
}

impl fmt::Display for TurnedAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LateTls => "a TLS handshake took too long",
            Self::Late => "a handshake took too long",
            Self::LateAnswer => "an answer was not taken",
            Self::LargeHead => "the head of a request is too large",
        })
    }
}

impl Error for TurnedAway {}

impl Endpoint {
    /// Counts a client that was turned away: what the endpoint, which never hears of it, cannot do by itself.
    pub fn count_turned_away(&self, why: TurnedAway) {
        self.hub().metrics.limit(match why {
            TurnedAway::LateTls => Limit::TlsHandshake,
            TurnedAway::Late => Limit::Handshake,
            TurnedAway::LateAnswer => Limit::Answer,
            TurnedAway::LargeHead => Limit::HeaderBlock,
        });
    }
}
