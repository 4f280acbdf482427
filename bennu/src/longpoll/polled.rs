//! What becomes of polls.

use super::Delivery;
use crate::hub::Hub;
use crate::metrics::Polls;
use std::fmt;
use std::sync::Arc;

/// A poll of a client's, from its request to the end of its answer. When it is dropped, what has become of it is counted.
pub(crate) struct Polled {
    hub: Arc<Hub>,
    end: Polls,
    /// Learns whether what it was given was taken to be written.
    delivery: Option<Delivery>,
}

impl Polled {
    /// A poll has come.
    pub(crate) fn begin(hub: &Arc<Hub>) -> Self {
        Self { hub: Arc::clone(hub), end: Polls::Cut, delivery: None }
    }

    /// It is over, and carries nothing.
    pub(crate) fn end(mut self, end: Polls) {
        self.end = end;
    }

    /// There are messages for it, which are somebody's until they are written.
    pub(crate) fn carry(mut self, delivery: Delivery) -> Self {
        self.delivery = Some(delivery);
        self
    }

    /// What it carries has been handed over, to be written.
    pub(crate) fn hand_over(mut self) {
        if let Some(delivery) = &mut self.delivery {
            delivery.hand_over();
            self.end = Polls::Messages;
        }
    }
}

impl Drop for Polled {
    fn drop(&mut self) {
        self.hub.metrics.polled(self.end);
    }
}

impl fmt::Debug for Polled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polled")
            .field("end", &self.end)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}
