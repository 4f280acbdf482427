//! When a token was signed, and how long it is good for.

use std::ops::Add;
use std::time::Duration;

/// A moment by the wall clock: milliseconds since the start of 1970, UTC.
///
/// Tokens outlive the process that signed them, so they go by this and not by an [`Instant`](crate::Instant).
/// The core reads no clock; `UnixTime` is always an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime {
    millis: i64,
}

impl UnixTime {
    /// So many milliseconds after 1970 began, or before.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self { millis }
    }

    /// So many seconds after 1970 began, or before: the unit of Phoenix's `signed_at`.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self { millis: secs.saturating_mul(1000) }
    }

    /// The time since 1970 began, as `SystemTime::duration_since(UNIX_EPOCH)` tells it; what is less than a
    /// millisecond is left out.
    #[must_use]
    pub fn from_epoch(elapsed: Duration) -> Self {
        Self { millis: i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX) }
    }

    /// Milliseconds since 1970 began.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.millis
    }
}

impl Add<Duration> for UnixTime {
    type Output = Self;

    /// Sums stop at the last moment that can be told.
    fn add(self, rhs: Duration) -> Self {
        let rhs = i128::try_from(rhs.as_millis()).unwrap_or(i128::MAX);
        let millis = i128::from(self.millis).saturating_add(rhs);
        Self { millis: i64::try_from(millis).unwrap_or(i64::MAX) }
    }
}

/// How long a token is good for. By default a day, as in Phoenix.
///
/// A token that is exactly so old is still good; at an age of zero none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxAge {
    /// For so long, to the millisecond.
    For(Duration),
    /// For ever, as long as its secret is in use: Phoenix's `:infinity`.
    Infinity,
}

impl Default for MaxAge {
    fn default() -> Self {
        Self::For(Duration::from_secs(86_400))
    }
}

impl From<Duration> for MaxAge {
    fn from(age: Duration) -> Self {
        Self::For(age)
    }
}
