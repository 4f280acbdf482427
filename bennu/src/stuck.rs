//! A peer that does not take what waits for it.

use crate::peer::Cause;
use bennu_core::Instant;
use std::time::Duration;

/// Since when, and how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stuck {
    since: Instant,
    /// How many bytes have been waiting since then, or longer.
    ahead: usize,
}

/// How long a frame may wait for a peer that takes too little, in milliseconds: each connection has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    ms: u32,
}

impl From<Duration> for Patience {
    fn from(time: Duration) -> Self {
        Self { ms: u32::try_from(time.as_millis()).unwrap_or(u32::MAX) }
    }
}

/// How long more than the limit may wait, if it was queued before the stream was known to be blocked: what a
/// handler sends at once says nothing about the peer, who has this long to take it.
const GRACE: Duration = Duration::from_secs(1);

impl Stuck {
    /// The stream is blocked, behind a write of so many bytes: what of `before` is left, or, if all that
    /// waited then has been taken, a new start with what is waiting now. Of answers alone it need only take some,
    /// however slowly: whoever reads them is not to be cut off for having asked.
    pub(crate) fn after(before: Option<Self>, written: usize, backlog: (usize, Cause), now: Instant) -> Self {
        let (waiting, cause) = backlog;
        let takes_its_own = written > 0 && cause == Cause::Itself;
        let ahead = before.map_or(0, |before| before.ahead.saturating_sub(written));
        match before {
            Some(before) if ahead > 0 && !takes_its_own => Self { ahead, ..before },
            Some(_) | None => Self { since: now, ahead: waiting },
        }
    }

    /// Until when the peer has to take more.
    pub(crate) fn until(self, overflows: bool, patience: Patience) -> Instant {
        let age = Duration::from_millis(patience.ms.into());
        self.since + if overflows { GRACE.min(age) } else { age }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_counts_from_when_what_is_still_waiting_began_to_wait() {
        let ten = Patience::from(Duration::from_secs(10));
        let at = |seconds| Instant::EPOCH + Duration::from_secs(seconds);
        let first = Stuck::after(None, 0, (100, Cause::Others), at(0));

        let less = Stuck::after(Some(first), 99, (500, Cause::Others), at(5));
        assert_eq!(less.until(false, ten), at(10), "one byte of the first 100 is left");

        let others = Stuck::after(Some(less), 1, (499, Cause::Others), at(9));
        assert_eq!(others.until(false, ten), at(19), "all of them have been taken");
    }

    #[test]
    fn of_answers_alone_a_peer_need_only_take_some() {
        let ten = Patience::from(Duration::from_secs(10));
        let at = |seconds| Instant::EPOCH + Duration::from_secs(seconds);
        let first = Stuck::after(None, 0, (1000, Cause::Itself), at(0));

        let slow = Stuck::after(Some(first), 1, (999, Cause::Itself), at(9));
        assert_eq!(slow.until(false, ten), at(19), "it has taken one byte");

        let stopped = Stuck::after(Some(slow), 0, (999, Cause::Itself), at(12));
        assert_eq!(stopped.until(false, ten), at(19), "it takes nothing any more");
    }

    #[test]
    fn more_than_the_limit_waits_a_second() {
        let stuck = Stuck::after(None, 0, (100, Cause::Others), Instant::EPOCH);

        let after = |patience| stuck.until(true, Patience::from(patience)).duration_since(Instant::EPOCH);
        assert_eq!(after(Duration::from_secs(10)), Duration::from_secs(1));
        assert_eq!(
            after(Duration::from_millis(200)),
            Duration::from_millis(200),
            "and never longer than less"
        );
    }
}
