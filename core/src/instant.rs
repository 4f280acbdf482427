//! Time as a value.

use std::ops::Add;
use std::time::Duration;

/// A point in time: the time that has passed since an epoch the embedder chose.
///
/// The core reads no clock. Whoever drives a machine passes `now`, counted from any fixed start (the
/// start of the process, the first tick of a simulation, the Unix epoch), so a test or a simulation
/// makes instants out of nothing:
///
/// ```
/// use bennu_core::Instant;
/// use std::time::Duration;
///
/// let start = Instant::EPOCH;
/// let later = start + Duration::from_secs(60);
/// assert_eq!(later.duration_since(start), Duration::from_secs(60));
/// ```
///
/// Eight bytes, nanosecond resolution; the last instant lies 584 years after the epoch, and sums stop
/// there rather than overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    nanos: u64,
}

impl Instant {
    /// The embedder's epoch itself.
    pub const EPOCH: Self = Self { nanos: 0 };

    /// The last instant there is.
    pub const LAST: Self = Self { nanos: u64::MAX };

    /// The instant that lies `elapsed` after the epoch.
    #[must_use]
    pub fn from_epoch(elapsed: Duration) -> Self {
        Self { nanos: u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX) }
    }

    /// The time since the epoch.
    #[must_use]
    pub fn since_epoch(self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// The time since `earlier`; zero if `earlier` is in fact later.
    #[must_use]
    pub fn duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos.saturating_sub(earlier.nanos))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        let nanos = u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX);
        Self { nanos: self.nanos.saturating_add(nanos) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_stop_at_the_last_instant() {
        let last = Instant::from_epoch(Duration::MAX);

        assert_eq!(last + Duration::from_secs(1), last);
        assert_eq!(Instant::EPOCH.duration_since(last), Duration::ZERO);
    }
}
