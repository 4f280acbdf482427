//! What clients ask of channels, and how long the answer took, for the log.
//!
//! Levels, and what is left out, are Phoenix's (`Phoenix.Logger`): topics that begin with `phoenix`, handlers that crash, and
//! what the machine answers itself. Where nobody listens at that level, nothing is kept and no clock is looked at.

use crate::hub::Hub;
use bennu_core::server::SocketId;
use bennu_core::{Instant, Payload, Ref};
use tracing::Level;

/// Under what joins are logged, so that they can be asked for, or not, by themselves.
const JOINED: &str = "bennu::channel_joined";

/// The same of messages.
const HANDLED_IN: &str = "bennu::channel_handled_in";

/// What was asked, and since when.
pub(crate) struct Heard {
    parameters: Payload,
    begun: Instant,
}

/// Of what channel.
pub(crate) struct Whose<'a> {
    pub(crate) hub: &'a Hub,
    pub(crate) socket: SocketId,
    pub(crate) topic: &'a str,
    /// The type of the channel.
    pub(crate) channel: &'static str,
}

impl Heard {
    /// A join begins; `None` if it is not to be logged.
    pub(crate) fn join(topic: &str, parameters: &Payload, hub: &Hub) -> Option<Self> {
        let is_wanted = tracing::enabled!(target: JOINED, Level::INFO) && is_logged(topic);
        is_wanted.then(|| Self::begin(parameters, hub))
    }

    /// A message is about to be handled; `None` if it is not to be logged.
    pub(crate) fn message(topic: &str, parameters: &Payload, hub: &Hub) -> Option<Self> {
        let is_wanted = tracing::enabled!(target: HANDLED_IN, Level::DEBUG) && is_logged(topic);
        is_wanted.then(|| Self::begin(parameters, hub))
    }

    fn begin(parameters: &Payload, hub: &Hub) -> Self {
        Self { parameters: parameters.clone(), begun: hub.runtime.now() }
    }

    /// A join has been accepted or refused.
    pub(crate) fn joined(&self, whose: &Whose<'_>, result: &str) {
        let Whose { hub, socket, topic, channel } = whose;
        tracing::info!(
            target: JOINED,
            topic,
            result,
            duration = ?hub.runtime.now().duration_since(self.begun),
            channel,
            ?socket,
            parameters = ?hub.door().filter.payload(&self.parameters),
            "somebody has asked to join"
        );
    }

    /// A message has been handled.
    pub(crate) fn handled_in(&self, whose: &Whose<'_>, event: &str, msg_ref: Option<&Ref>) {
        let Whose { hub, socket, topic, channel } = whose;
        tracing::debug!(
            target: HANDLED_IN,
            topic,
            event,
            duration = ?hub.runtime.now().duration_since(self.begun),
            channel,
            ?socket,
            msg_ref = msg_ref.map(Ref::as_json),
            parameters = ?hub.door().filter.payload(&self.parameters),
            "a message was handled"
        );
    }
}

fn is_logged(topic: &str) -> bool {
    !topic.starts_with("phoenix")
}
