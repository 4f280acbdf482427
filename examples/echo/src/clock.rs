//! Time: the machine reads no clock, so it is told.

use bennu_core::Instant;

/// When the machine's epoch was on tokio's clock.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    epoch: tokio::time::Instant,
}

impl Clock {
    /// A clock whose epoch is now.
    pub(crate) fn start() -> Self {
        Self { epoch: tokio::time::Instant::now() }
    }

    pub(crate) fn now(self) -> Instant {
        Instant::from_epoch(self.epoch.elapsed())
    }

    /// Waits until then; for ever if nothing is scheduled.
    pub(crate) async fn reach(self, deadline: Option<Instant>) {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(self.epoch + deadline.since_epoch()).await,
            None => std::future::pending().await,
        }
    }
}
