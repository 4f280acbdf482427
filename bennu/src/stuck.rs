//! A peer that does not take what waits for it.

use bennu_core::Instant;
use std::time::Duration;

/// Since when, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stuck {
    since: Instant,
    /// How many bytes have been waiting since then, or longer.
    ahead: usize,
}

/// How long a frame may wait for a peer that takes too little.
const MAX_AGE: Duration = Duration::from_secs(10);

/// How long more than the limit may wait, if it was queued before the stream was known to be blocked: what a
/// handler sends at once says nothing about the peer, who has this long to take it.
const GRACE: Duration = Duration::from_secs(1);

impl Stuck {
    /// The stream is blocked, behind a write of so many bytes: what of `before` is left, or, if all that
    /// waited then has been taken, a new start with what is waiting now.
    pub(crate) fn after(before: Option<Self>, written: usize, waiting: usize, now: Instant) -> Self {
        let ahead = before.map_or(0, |before| before.ahead.saturating_sub(written));
        match before {
            Some(before) if ahead > 0 => Self { ahead, ..before },
            Some(_) | None => Self { since: now, ahead: waiting },
        }
    }

    /// Until when the peer has to take more.
    pub(crate) fn until(self, overflows: bool) -> Instant {
        self.since + if overflows { GRACE } else { MAX_AGE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_counts_from_when_what_is_still_waiting_began_to_wait() {
        let at = |seconds| Instant::EPOCH + Duration::from_secs(seconds);
        let first = Stuck::after(None, 0, 100, at(0));

        let less = Stuck::after(Some(first), 99, 500, at(5));
        assert_eq!(less.until(false), at(10), "one byte of the first 100 is left");

        let others = Stuck::after(Some(less), 1, 499, at(9));
        assert_eq!(others.until(false), at(19), "all of them have been taken");
    }

    #[test]
    fn more_than_the_limit_waits_a_second() {
        let stuck = Stuck::after(None, 0, 100, Instant::EPOCH);

        assert_eq!(stuck.until(true), Instant::EPOCH + Duration::from_secs(1));
    }
}
