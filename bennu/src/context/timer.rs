//! A message that is yet to come.

use crate::hub::Hub;
use bennu_core::server::TimerId;
use std::fmt;
use std::sync::{Arc, Weak};

/// A message that a channel sent itself for later. Dropping it changes nothing.
pub struct Timer {
    hub: Weak<Hub>,
    timer: Option<TimerId>,
}

impl Timer {
    pub(super) fn new(hub: &Arc<Hub>, timer: Option<TimerId>) -> Self {
        Self { hub: Arc::downgrade(hub), timer }
    }

    /// Takes the message back. Returns whether that was in time: `false` if its channel has it already, or
    /// has ended.
    pub fn cancel(self) -> bool {
        match (self.hub.upgrade(), self.timer) {
            (Some(hub), Some(timer)) => hub.cancel(timer),
            (_, _) => false,
        }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("timer", &self.timer).finish_non_exhaustive()
    }
}
