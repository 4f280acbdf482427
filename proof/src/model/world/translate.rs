//! Between the machine's values and those of the model.

use crate::model::reference::Message;
use crate::model::said::{Asked, Heard, Note, Said, What};
use crate::model::value::{Content, Word};
use bennu_core::server::{CallId, ChannelId, Event};
use bennu_core::wire::{Incoming, Outgoing};
use bennu_core::{Frame, Name, Payload, PayloadSlice, Ref, Serializer};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

/// Which id the machine has for what the model numbers. Known from the first call on.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    channels: BTreeMap<usize, ChannelId>,
    calls: BTreeMap<usize, CallId>,
    /// Of each socket, the calls that must come next: channel and call.
    expected: BTreeMap<usize, VecDeque<(usize, usize)>>,
}

/// The number of what nobody expects.
const UNKNOWN: usize = usize::MAX;

impl Numbers {
    pub(super) fn known_channels(&self) -> Vec<usize> {
        self.channels.keys().copied().collect()
    }

    pub(super) fn channel(&self, number: usize) -> ChannelId {
        self.channels[&number]
    }

    pub(super) fn call(&self, number: usize) -> CallId {
        self.calls[&number]
    }

    /// Notes the calls that must come.
    pub(super) fn expect(&mut self, said: &[Said]) {
        self.expected.clear();
        for said in said {
            if let &Said::Call { socket, channel, call, .. } = said {
                self.expected.entry(socket).or_default().push_back((channel, call));
            }
        }
    }

    /// A call has come: it takes the number of the one that its socket expects.
    pub(super) fn called(&mut self, socket: usize, channel: ChannelId, call: CallId) -> (usize, usize) {
        let next = self.expected.get_mut(&socket).and_then(VecDeque::pop_front);
        let (new_channel, new_call) = next.unwrap_or((UNKNOWN, UNKNOWN));
        let known = self.number_of(channel);
        let channel = if known == UNKNOWN {
            self.channels.insert(new_channel, channel);
            new_channel
        } else {
            known
        };
        self.calls.insert(new_call, call);
        (channel, new_call)
    }

    pub(super) fn number_of(&self, id: ChannelId) -> usize {
        // The newest first: it is the one, as a rule.
        self.channels.iter().rev().find(|(_, other)| **other == id).map_or(UNKNOWN, |(&number, _)| number)
    }

    pub(super) fn number_of_call(&self, id: CallId) -> usize {
        self.calls.iter().rev().find(|(_, other)| **other == id).map_or(UNKNOWN, |(&number, _)| number)
    }
}

/// A ref as a binary frame carries it, in JSON; `None` if it is no string. No ref is the empty string.
pub(super) fn as_text(json: Option<&str>) -> Option<String> {
    let text = match json {
        None => String::new(),
        Some(json) => serde_json::from_str::<String>(json).ok()?,
    };
    serde_json::to_string(&text).ok()
}

/// Hands on a message as the machine takes it.
pub(super) fn with_message<T>(message: &Message, then: impl FnOnce(&bennu_core::Message<'_>) -> T) -> T {
    then(&bennu_core::Message {
        join_ref: to_ref(message.join_ref.as_deref()),
        msg_ref: to_ref(message.msg_ref.as_deref()),
        topic: to_name(&message.topic),
        event: to_name(&message.event),
        payload: match &message.body {
            Content::Json(json) => PayloadSlice::Json(json),
            Content::Bytes(bytes) => PayloadSlice::Binary(bytes),
        },
    })
}

/// A message as the machine has read it.
pub(super) fn read(message: &bennu_core::Message<'_>) -> Message {
    Message {
        join_ref: from_ref(message.join_ref.as_ref()),
        msg_ref: from_ref(message.msg_ref.as_ref()),
        topic: from_name(&message.topic),
        event: from_name(&message.event),
        body: from_slice(message.payload),
    }
}

/// What a client hears in a frame.
pub(super) fn hear(serializer: Serializer, frame: &Frame) -> Heard {
    let heard = serializer.decode_from_server(frame.kind(), frame.body());
    from_incoming(heard.expect("a client understands what it is sent"))
}

pub(super) fn from_incoming(incoming: Incoming<'_>) -> Heard {
    match incoming {
        Incoming::Message(message) => Heard {
            join_ref: from_ref(message.join_ref.as_ref()),
            msg_ref: from_ref(message.msg_ref.as_ref()),
            topic: from_name(&message.topic),
            what: What::Event(from_name(&message.event).as_str().to_owned()),
            body: from_slice(message.payload),
        },
        Incoming::Reply(reply) => Heard {
            join_ref: from_ref(reply.join_ref.as_ref()),
            msg_ref: from_ref(reply.msg_ref.as_ref()),
            topic: from_name(&reply.topic),
            what: What::Reply(reply.status.into_owned()),
            body: from_slice(reply.response),
        },
    }
}

/// The frame of a reply or a push; `None` if the serializer cannot carry it.
pub(super) fn encode(serializer: Serializer, heard: &Heard) -> Option<Frame> {
    let (join_ref, msg_ref) = (to_ref(heard.join_ref.as_deref()), to_ref(heard.msg_ref.as_deref()));
    let (join_ref, msg_ref) = (join_ref.as_ref(), msg_ref.as_ref());
    let payload = &heard.body.to_payload();
    let topic = &to_name(&heard.topic);
    let outgoing = match &heard.what {
        What::Reply(status) => Outgoing::Reply { join_ref, msg_ref, topic, status, response: payload },
        What::Event(event) => {
            Outgoing::Push { join_ref, msg_ref, topic: heard.topic.as_str(), event, payload }
        }
    };
    serializer.encode(&outgoing).ok()
}

/// Which handler is to run.
pub(super) fn asked(event: &Event<Note>) -> Asked {
    let content = |payload: &Payload| Content::from(payload);
    match event {
        Event::Join { route, topic, join_ref, msg_ref, payload } => Asked::Join {
            route: route.0,
            topic: topic.to_string(),
            join_ref: from_ref(join_ref.as_ref()),
            msg_ref: from_ref(msg_ref.as_ref()),
            body: content(payload),
        },
        Event::In { msg_ref, event, payload } => Asked::In {
            msg_ref: from_ref(msg_ref.as_ref()),
            event: event.to_string(),
            body: content(payload),
        },
        Event::Out { event, payload } => Asked::Out { event: event.to_string(), body: content(payload) },
        Event::Broadcast { topic, event, payload } => {
            Asked::Broadcast { topic: topic.to_string(), event: event.to_string(), body: content(payload) }
        }
        Event::Info(note) => Asked::Info(*note),
        Event::Terminate(reason) => Asked::terminate(reason),
        other => panic!("a new kind of call: {other:?}"),
    }
}

fn to_ref(json: Option<&str>) -> Option<Ref> {
    json.map(|json| Ref::from_json(json).expect("scripts contain refs that are some"))
}

fn from_ref(value: Option<&Ref>) -> Option<String> {
    value.map(|value| value.as_json().to_owned())
}

fn to_name(word: &Word) -> Name<'_> {
    match word {
        Word::Text(text) => Name::Text(Cow::Borrowed(text)),
        Word::Json(json) => Name::Other(json),
    }
}

fn from_name(name: &Name<'_>) -> Word {
    match name {
        Name::Text(text) => Word::Text(text.to_string()),
        Name::Other(json) => Word::Json((*json).to_owned()),
    }
}

fn from_slice(payload: PayloadSlice<'_>) -> Content {
    match payload {
        PayloadSlice::Json(json) => Content::Json(json.to_owned()),
        PayloadSlice::Binary(bytes) => Content::Bytes(bytes.to_vec()),
    }
}
