//! How many connections there may be, and how fast they may come.

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicUsize, Ordering};
use bennu_core::Instant;
use bennu_core::rate::{Bucket, Rate};

/// The settings, of a node or of one of its sockets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) connections: usize,
    pub(crate) rate: Option<Rate>,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { connections: usize::MAX, rate: None }
    }
}

/// The places that there are, and those that are taken: by connections, and by what may become one.
#[derive(Debug)]
pub(crate) struct Places {
    capacity: Capacity,
    taken: AtomicUsize,
    bucket: Mutex<Bucket>,
}

/// Why somebody has no place: the fact behind a 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// The node is to end.
    Draining,
    /// There are as many as there may be.
    Full,
    /// They come faster than they may.
    TooFast,
}

impl Places {
    pub(crate) fn new(capacity: Capacity) -> Self {
        Self { capacity, taken: AtomicUsize::new(0), bucket: Mutex::new(Bucket::default()) }
    }

    /// Takes a place, to be given back. Who finds none has taken nothing.
    pub(crate) fn count(&self) -> Result<(), NoPlace> {
        if self.taken.fetch_add(1, Ordering::AcqRel) < self.capacity.connections {
            return Ok(());
        }
        self.give_back();
        Err(NoPlace::Full)
    }

    /// Whether whoever has a place may have it now. Who may not has it still.
    pub(crate) fn pace(&self, now: Instant) -> Result<(), NoPlace> {
        match self.capacity.rate {
            Some(rate) if !self.bucket.lock().take(rate, now) => Err(NoPlace::TooFast),
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn give_back(&self) {
        self.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(all(test, not(bennu_loom)))]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOW: Instant = Instant::EPOCH;

    #[test]
    fn place_that_is_given_back_is_free_and_one_that_was_not_there_is_not() {
        let places = Places::new(Capacity { connections: 2, rate: None });
        assert_eq!([places.count(), places.count()], [Ok(()); 2]);
        assert_eq!([places.count(), places.count()], [Err(NoPlace::Full); 2]);

        places.give_back();

        assert_eq!([places.count(), places.count()], [Ok(()), Err(NoPlace::Full)]);
    }

    #[test]
    fn so_many_come_at_once_and_then_one_in_each_interval() {
        let rate = Rate::every(Duration::from_secs(1)).burst(2);
        let places = Places::new(Capacity { connections: 1, rate: Some(rate) });

        assert_eq!([places.pace(NOW), places.pace(NOW)], [Ok(()); 2]);
        assert_eq!([places.pace(NOW), places.pace(NOW)], [Err(NoPlace::TooFast); 2]);
        assert_eq!(places.pace(NOW + Duration::from_secs(1)), Ok(()));
    }
}
