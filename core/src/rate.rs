//! How often something may happen.
//!
//! ```text
//!             interval: one comes back
//!                  │
//!                  ▼
//!  take ◀── ● ● ● ○ ○      burst: five at once; two of them are owed
//! ```
//!
//! A [`Rate`] is the setting, a [`Bucket`] the little that has to be kept of what has happened. There is no timer:
//! what has come back is reckoned when somebody takes.

use crate::Instant;
use std::time::Duration;

/// How often something may happen: once in an interval on the average, and so often at once.
///
/// In a time in which `n` intervals end, it may happen `burst + n` times: in the first second of 50 per second up to 99
/// times, when there was quiet before it.
///
/// ```
/// use bennu_core::rate::Rate;
/// use std::time::Duration;
///
/// let fifty = Rate::per_second(50);                                // and 50 at once
/// let a_hundred_in_a_batch = Rate::per_second(50).burst(100);
/// let ten_a_minute = Rate::every(Duration::from_secs(6)).burst(10);
/// # assert_eq!(fifty.burst(100), a_hundred_in_a_batch);
/// # assert_ne!(fifty, ten_a_minute);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Rate {
    /// In nanoseconds, and at least one.
    interval: u64,
    /// At least one.
    burst: u32,
}

impl Rate {
    /// So often in a second, and as often at once. Never less than one.
    pub fn per_second(times: u32) -> Self {
        let times = times.max(1);
        Self::every(Duration::from_secs(1) / times).burst(times)
    }

    /// Once in an interval, which is at least a nanosecond.
    pub fn every(interval: Duration) -> Self {
        let nanos = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        Self { interval: nanos.max(1), burst: 1 }
    }

    /// So often at once, after as long a quiet. Never less than one.
    pub fn burst(self, times: u32) -> Self {
        Self { burst: times.max(1), ..self }
    }
}

/// What is left of a [`Rate`]: full at first, and 16 bytes.
///
/// ```
/// use bennu_core::Instant;
/// use bennu_core::rate::{Bucket, Rate};
/// use std::time::Duration;
///
/// let rate = Rate::per_second(2);
/// let mut bucket = Bucket::default();
/// let now = Instant::EPOCH;
///
/// assert!(bucket.take(rate, now) && bucket.take(rate, now));
/// assert!(!bucket.take(rate, now));
/// assert!(bucket.take(rate, now + Duration::from_millis(500)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// How many have been taken and have not come back.
    owed: u32,
    /// When the last one came back, or would have, if any is owed.
    since: Instant,
}

impl Bucket {
    /// Takes one out, and returns whether there was one. Whoever finds it empty takes nothing, and makes nobody wait
    /// longer. If time goes back, nothing comes back.
    #[must_use]
    pub fn take(&mut self, rate: Rate, now: Instant) -> bool {
        let back = now.duration_since(self.since).as_nanos() / u128::from(rate.interval);
        match u32::try_from(back) {
            Ok(back) if back < self.owed => {
                self.owed -= back;
                // Less than it has lasted since: it does not overflow.
                self.since = self.since + Duration::from_nanos(rate.interval * u64::from(back));
            }
            Ok(_) | Err(_) => *self = Self { owed: 0, since: self.since.max(now) },
        }
        let is_one_left = self.owed < rate.burst;
        if is_one_left {
            self.owed += 1;
        }
        is_one_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MILLI: Duration = Duration::from_millis(1);

    fn taken(bucket: &mut Bucket, rate: Rate, now: Instant) -> usize {
        std::iter::from_fn(|| bucket.take(rate, now).then_some(())).count()
    }

    #[test]
    fn bucket_is_full_at_first_and_after_as_long_a_quiet_and_never_fuller() {
        let rate = Rate::every(10 * MILLI).burst(3);
        let mut bucket = Bucket::default();
        let at = |millis: u32| Instant::EPOCH + millis * MILLI;

        assert_eq!(taken(&mut bucket, rate, at(0)), 3);
        assert_eq!(taken(&mut bucket, rate, at(9)), 0);
        assert_eq!(taken(&mut bucket, rate, at(10)), 1);
        assert_eq!(taken(&mut bucket, rate, at(29)), 1);
        assert_eq!(taken(&mut bucket, rate, at(30)), 1);
        assert_eq!(taken(&mut bucket, rate, at(60)), 3);
        assert_eq!(taken(&mut bucket, rate, at(100_000)), 3);
    }

    #[test]
    fn quiet_before_the_first_counts_from_it() {
        let rate = Rate::every(10 * MILLI);
        let (mut bucket, first) = (Bucket::default(), Instant::EPOCH + 7 * MILLI);

        assert_eq!(taken(&mut bucket, rate, first), 1);
        assert_eq!(taken(&mut bucket, rate, first + 9 * MILLI), 0);
        assert_eq!(taken(&mut bucket, rate, first + 10 * MILLI), 1);
    }

    #[test]
    fn old_clock_gives_nothing_back_and_takes_nothing_away() {
        let rate = Rate::every(10 * MILLI).burst(2);
        let (mut bucket, now) = (Bucket::default(), Instant::EPOCH + 100 * MILLI);
        assert!(bucket.take(rate, now));

        assert_eq!(taken(&mut bucket, rate, Instant::EPOCH), 1);
        assert_eq!(taken(&mut bucket, rate, now), 0);
        assert_eq!(taken(&mut bucket, rate, now + 10 * MILLI), 1);
    }

    #[test]
    fn rates_without_sense_are_the_nearest_that_have_some() {
        assert_eq!(Rate::per_second(0), Rate::per_second(1));
        assert_eq!(Rate::every(Duration::ZERO).burst(0), Rate::every(Duration::from_nanos(1)));

        // Once in 584 years or more is once.
        let (mut bucket, never) = (Bucket::default(), Rate::every(Duration::MAX).burst(2));
        assert_eq!(taken(&mut bucket, never, Instant::EPOCH), 2);
        assert_eq!(taken(&mut bucket, never, Instant::from_epoch(Duration::from_secs(1 << 34))), 0);
    }

    proptest! {
        /// Against a list of all that has happened: of any two of them, no more lies between than may.
        #[test]
        fn between_any_two_lies_no_more_than_may_and_what_may_is_let_through(
            interval in 1u32..20, burst in 1u32..5, pauses in prop::collection::vec(0u32..30, 1..60),
        ) {
            let rate = Rate::every(interval * MILLI).burst(burst);
            let (mut bucket, mut now, mut happened) = (Bucket::default(), 0, Vec::new());
            for pause in pauses {
                now += pause;
                let mut with_this = happened.clone();
                with_this.push(now);
                let count = |from: usize| u32::try_from(with_this.len() - from).unwrap();
                let may = (0..with_this.len()).all(|from| {
                    count(from) <= burst + (now - with_this[from]) / interval
                });

                prop_assert_eq!(bucket.take(rate, Instant::EPOCH + now * MILLI), may);

                if may {
                    happened = with_this;
                }
            }
        }
    }
}
