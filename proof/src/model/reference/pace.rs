//! How fast a client may speak. Bennu's own.

use super::{Message, Model};
use crate::model::operation::Pace;
use bennu_core::Instant;
use bennu_core::server::TooFast;
use std::time::Duration;

impl Model {
    /// Whether a message that has just come, and is no heartbeat, is one too many; if not, it counts.
    pub(super) fn too_fast(&mut self, socket: usize, message: &Message) -> Option<TooFast> {
        if message.is("phx_leave") {
            return None; // A client must be able to leave.
        }
        let now = self.now;
        let came = &mut self.sockets[socket];
        let mount = &self.mounts[came.mount];
        if !may_come(&mut came.messages, mount.messages, now) {
            return Some(TooFast::Message);
        }
        if message.is("phx_join") && !may_come(&mut came.joins, mount.joins, now) {
            return Some(TooFast::Join);
        }
        None
    }
}

/// From none of those that came on may there be more than the burst, and one for each interval since.
fn may_come(came: &mut Vec<Instant>, pace: Pace, now: Instant) -> bool {
    let Pace::Once(millis, burst) = pace else { return true };
    let interval = Duration::from_millis(millis.into());
    came.push(now);
    let most =
        |since: Instant| u128::from(burst) + now.duration_since(since).as_nanos() / interval.as_nanos();
    let may = came.iter().rev().zip(1u128..).all(|(&since, count)| count <= most(since));
    if !may {
        came.pop();
    }
    may
}
