//! A fixed time step: which ticks are due, and when the next one is.

use bennu_core::Instant;
use std::time::Duration;

/// How many ticks there are in a second.
pub const PER_SECOND: u32 = 60;

/// What a tick is in the world, in seconds.
pub const STEP: f32 = 1.0 / PER_SECOND as f32;

/// How many ticks are caught up with at once: after a longer stop, the world has stood still for the rest of it. A
/// machine for which a tick takes longer than a tick would fall further behind with each.
const MOST: u64 = 15;

/// Counts ticks off a clock that is never quite on time.
///
/// Tick `n` is due at `start + n / 60 s`, whenever the ones before it came: a late tick makes none of the others late.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    start: Instant,
    /// How many have passed.
    passed: u64,
}

impl Ticks {
    /// The first tick is due a sixtieth of a second from now.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { start: now, passed: 0 }
    }

    /// How many ticks have become due since this was last asked.
    pub fn due(&mut self, now: Instant) -> u32 {
        let elapsed = now.duration_since(self.start).as_nanos();
        let passed = u64::try_from(elapsed * u128::from(PER_SECOND) / NANOS).unwrap_or(u64::MAX);
        let due = passed.saturating_sub(self.passed);
        self.passed = self.passed.max(passed);
        u32::try_from(due.min(MOST)).expect("the most is a small number")
    }

    /// When the next tick is due.
    #[must_use]
    pub fn next(&self) -> Instant {
        let nanos = (u128::from(self.passed) + 1) * NANOS;
        // Rounded up: a nanosecond early, it would not be due.
        let nanos = nanos.div_ceil(u128::from(PER_SECOND));
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

const NANOS: u128 = Duration::from_secs(1).as_nanos();

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::EPOCH;

    fn at(ms: u64) -> Instant {
        START + Duration::from_millis(ms)
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        let mut ticks = Ticks::new(START);
        let next = ticks.next();

        assert_eq!(ticks.due(Instant::from_epoch(next.since_epoch() - Duration::from_nanos(1))), 0);
        assert_eq!(ticks.due(next), 1);
        assert_eq!(ticks.due(next), 0);
    }

    #[test]
    fn an_hour_has_its_ticks_to_the_last_one() {
        let mut ticks = Ticks::new(START);
        let mut passed = 0;

        while ticks.next() <= START + Duration::from_secs(3600) {
            // Each is 5 ms late.
            passed += ticks.due(ticks.next() + Duration::from_millis(5));
        }

        assert_eq!(passed, 3600 * PER_SECOND);
    }

    #[test]
    fn ticks_that_were_missed_are_caught_up_with() {
        let mut ticks = Ticks::new(START);

        assert_eq!(ticks.due(at(101)), 6);
        assert_eq!(ticks.due(at(117)), 1);
    }

    #[test]
    fn a_long_stop_is_not_caught_up_with_in_full() {
        let mut ticks = Ticks::new(START);

        assert_eq!(ticks.due(at(60_000)), 15);
        assert_eq!(ticks.due(at(60_016)), 0);
        assert_eq!(ticks.due(at(60_017)), 1);
    }
}
