//! Clients that came no further than the door.

use crate::Endpoint;
use crate::metrics::Limit;

/// Why a client was turned away before it had asked for anything that could be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TurnedAway {
    /// It took longer for TLS than [`Handshake::tls_timeout`](super::Handshake::tls_timeout).
    LateTls,
    /// It took longer than [`Handshake::timeout`](super::Handshake::timeout); or, where other requests are answered, too,
    /// longer for the head of one of them.
    Late,
    /// The head of its request was so large that it was not read to its end.
    LargeHead,
}

impl TurnedAway {
    /// What an error of [`Http::serve`](super::Http::serve) means; `None` if it is nobody's limit.
    #[must_use]
    pub fn of(error: &hyper::Error) -> Option<Self> {
        if error.is_timeout() {
            return Some(Self::Late);
        }
        error.is_parse_too_large().then_some(Self::LargeHead)
    }
}

impl Endpoint {
    /// Counts a client that was turned away: what the endpoint, which never hears of it, cannot do by itself.
    pub fn count_turned_away(&self, why: TurnedAway) {
        self.hub().metrics.limit(match why {
            TurnedAway::LateTls => Limit::TlsHandshake,
            TurnedAway::Late => Limit::Handshake,
            TurnedAway::LargeHead => Limit::HeaderBlock,
        });
    }
}
