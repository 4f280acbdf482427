//! What the machine has noted about a client: to the log, and to the counters of limits.

use crate::link::Line;
use crate::metrics::Limit;
use bennu_core::server::{Notice, TooFast};
use bennu_core::wire::DecodeError;

/// Passes a notice on. Levels are Phoenix's.
pub(crate) fn note(line: &Line, notice: &Notice) {
    let socket = line.socket;
    match notice {
        Notice::Unmatched { topic } => {
            tracing::warn!(
                ?socket,
                topic = topic.as_deref(),
                "a topic that a client wants to join has no route"
            );
        }
        Notice::TooManyChannels { topic } => {
            tracing::error!(?socket, topic = &**topic, "a client has joined as many channels as it may");
        }
        Notice::Duplicate { topic } => {
            tracing::debug!(
                ?socket,
                topic = &**topic,
                "a client joins a topic that it has joined: the first join ends"
            );
        }
        Notice::Held { topic } => {
            tracing::debug!(?socket, topic = &**topic, "a join waits for channels that are ending");
        }
        Notice::TooFast(what) => tracing::debug!(?socket, ?what, "a message was refused by its rate"),
        Notice::TopicTooLong { len } => tracing::debug!(?socket, len, "a topic is too long"),
        Notice::EventTooLong { len } => tracing::debug!(?socket, len, "an event is too long"),
        Notice::Overloaded { topic } => {
            tracing::warn!(
                ?socket,
                topic = &**topic,
                "a channel takes too long for what its client sends, and is ended"
            );
        }
        Notice::ChannelFull { topic } => {
            tracing::warn!(
                ?socket,
                topic = &**topic,
                "a channel takes too long for what it is sent, and is ended"
            );
        }
        _ => {}
    }
    if let Some(limit) = limit(notice) {
        line.hub.metrics.limit(limit);
    }
}

fn limit(notice: &Notice) -> Option<Limit> {
    Some(match notice {
        Notice::TooManyChannels { .. } => Limit::Channels,
        Notice::Held { .. } => Limit::Terminating,
        Notice::TooFast(TooFast::Message) => Limit::MessageRate,
        Notice::TooFast(TooFast::Join) => Limit::JoinRate,
        Notice::TopicTooLong { .. } => Limit::Topic,
        Notice::EventTooLong { .. } => Limit::Event,
        Notice::Overloaded { .. } => Limit::Overload,
        Notice::ChannelFull { .. } => Limit::Channel,
        Notice::Unmatched { .. } | Notice::Duplicate { .. } | Notice::TooFast(_) | _ => return None,
    })
}

/// A client has sent what is no message.
pub(crate) fn note_malformed(line: &Line, error: &DecodeError) {
    tracing::debug!(socket = ?line.socket, %error, "a message cannot be decoded");
    if *error == DecodeError::RefTooLong {
        line.hub.metrics.limit(Limit::Ref);
    } else if *error == DecodeError::TooDeep {
        line.hub.metrics.limit(Limit::Depth);
    }
}
