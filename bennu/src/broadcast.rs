//! Broadcasts, as `handle_info` and subscribers outside of channels see them.

use bennu_core::{EventName, Payload, Topic};

/// A broadcast on a topic that was subscribed to: what `HandleInfo<Broadcast>` and
/// [`Subscription`](crate::Subscription) receive.
///
/// Source: `Phoenix.Socket.Broadcast`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broadcast {
    /// The topic it was made on.
    pub topic: Topic,
    /// What it is.
    pub event: EventName,
    /// What it carries.
    pub payload: Payload,
}

impl Broadcast {
    pub(crate) fn new(topic: Topic, event: EventName, payload: Payload) -> Self {
        Self { topic, event, payload }
    }
}
