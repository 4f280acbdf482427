//! One message to everybody on a topic.

use super::id::ChannelId;
use super::topics::TopicKey;
use crate::wire::{EncodeError, Formats, Outgoing, PerSerializer, Serializer};
use crate::{EventName, Frame, Payload, Topic};

/// A message to every subscriber of a topic, encoded once per serializer.
///
/// Made and encoded by its publisher, outside of every lock; then given to each machine that has the
/// topic. A serializer that cannot carry it (V1 has no binary frames) has no frame, and its members
/// are skipped.
#[derive(Clone, Debug)]
pub struct Broadcast {
    topic: Topic,
    event: EventName,
    payload: Payload,
    frames: PerSerializer<Slot>,
}

#[derive(Clone, Debug, Default)]
enum Slot {
    /// Nobody asked yet.
    #[default]
    Unknown,
    Encoded(Frame),
    /// This serializer cannot carry it.
    Impossible,
}

impl Broadcast {
    /// A broadcast, not yet encoded.
    ///
    /// # Errors
    /// [`EncodeError`] if no serializer could carry it: the payload is neither an object nor bytes, or a name
    /// is longer than [`MAX_NAME`](crate::MAX_NAME), or than the 255 bytes of a binary frame. Nothing is
    /// sent then.
    pub fn new(topic: Topic, event: &str, payload: Payload) -> Result<Self, EncodeError> {
        let frames = PerSerializer::default();
        let mut broadcast = Self { topic, event: EventName::from(event), payload, frames };
        // V2 has the stricter rules: what it takes, V1 takes, but for bytes.
        let frame = Serializer::V2.encode(&broadcast.outgoing())?;
        *broadcast.frames.place(Serializer::V2) = Slot::Encoded(frame);
        Ok(broadcast)
    }

    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing::Broadcast { topic: &self.topic, event: &self.event, payload: &self.payload }
    }

    /// Encodes for V1 or V2, if that has not been done.
    pub fn encode(&mut self, serializer: Serializer) {
        self.encode_with(&Formats::default(), serializer);
    }

    /// Encodes for one more serializer of a server, if that has not been done; one that is none of these formats stays to
    /// be done.
    pub fn encode_with(&mut self, formats: &Formats, serializer: Serializer) {
        if self.lacks(serializer) && formats.contains(serializer) {
            let frame = formats.encode(serializer, &self.outgoing());
            *self.frames.place(serializer) = frame.map_or(Slot::Impossible, Slot::Encoded);
        }
    }

    /// The frame for one serializer; `None` if it cannot carry this, or was not asked to.
    #[must_use]
    pub fn frame(&self, serializer: Serializer) -> Option<&Frame> {
        match self.frames.get(serializer)? {
            Slot::Encoded(frame) => Some(frame),
            Slot::Unknown | Slot::Impossible => None,
        }
    }

    /// Whether it has still to be encoded for one serializer, if that can carry it.
    #[must_use]
    pub fn lacks(&self, serializer: Serializer) -> bool {
        self.frames.get(serializer).is_none_or(|slot| matches!(slot, Slot::Unknown))
    }

    /// The topic.
    #[must_use]
    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// The event.
    #[must_use]
    pub fn event(&self) -> &EventName {
        &self.event
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &Payload {
        &self.payload
    }
}

/// A broadcast on its way to the members of its topic: one output, one shared frame, whatever their
/// number.
#[derive(Debug)]
pub struct Fanout {
    /// The topic's place among those of its machine.
    pub(super) key: TopicKey,
    pub(super) topic: Topic,
    pub(super) event: EventName,
    pub(super) from: Option<ChannelId>,
    pub(super) is_uniform: bool,
    pub(super) members: usize,
    pub(super) frames: PerSerializer<Option<Frame>>,
    pub(super) whose: Whose,
}

/// The sockets of which mounts a fan-out goes to.
#[derive(Debug)]
pub(super) enum Whose {
    All,
    /// Those for whom it is `true`, by the places of the mounts.
    These(Box<[bool]>),
}

impl Whose {
    pub(super) fn includes(&self, mount: u16) -> bool {
        match self {
            Self::All => true,
            Self::These(mounts) => mounts[usize::from(mount)],
        }
    }
}

impl Fanout {
    /// The topic.
    #[must_use]
    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// How many channels have joined the topic here, those counted that are no recipients.
    #[must_use]
    pub fn members(&self) -> usize {
        self.members
    }

    /// The channel that is left out, because it made the broadcast; `None` also if its publisher is no
    /// member of the topic (any more), and so leaves out nobody.
    #[must_use]
    pub fn from(&self) -> Option<ChannelId> {
        self.from
    }

    /// Whether every member but `from` is a recipient, as none intercepts anything, and nobody else hears of it, and none
    /// of them may lose it: then the next fan-out of the topic is for the same, as long as
    /// [`revision`](super::Server::revision) stays the same. (That may be one that they
    /// [may lose](super::Mount::slow_consumer), though.)
    #[must_use]
    pub fn is_uniform(&self) -> bool {
        self.is_uniform
    }

    /// The frame for one serializer; `None` if it cannot carry the broadcast.
    #[must_use]
    pub fn frame(&self, serializer: Serializer) -> Option<&Frame> {
        self.frames.get(serializer)?.as_ref()
    }

    /// The serializers that the server knows.
    pub fn serializers(&self) -> impl Iterator<Item = Serializer> + use<> {
        self.frames.serializers()
    }
}
