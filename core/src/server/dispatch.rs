//! What a client's message means: the table of `Phoenix.Socket`.

use super::channel::{Channel, Refs, State};
use super::id::CallId;
use super::mailbox::{Item, Received};
use super::output::{Event, Notice, Output};
use super::socket::Life;
use super::{Server, insert};
use crate::message::Name;
use crate::topic::MAX_NAME;
use crate::wire::Outgoing;
use crate::{EventName, Message, Payload, PayloadSlice, Ref, Topic, event};
use std::collections::VecDeque;

/// A client's message: as it was read, or as it has waited.
#[derive(Debug)]
pub(super) struct Incoming<'a> {
    join_ref: Option<Ref>,
    msg_ref: Option<Ref>,
    topic: &'a Name<'a>,
    event: &'a str,
    payload: Body<'a>,
}

#[derive(Debug)]
enum Body<'a> {
    Read(PayloadSlice<'a>),
    Kept(Payload),
}

impl<'a> From<&'a Message<'a>> for Incoming<'a> {
    fn from(message: &'a Message<'a>) -> Self {
        Self {
            join_ref: message.join_ref.clone(),
            msg_ref: message.msg_ref.clone(),
            topic: &message.topic,
            // An event that is no string is its JSON text, which is the name of no event.
            event: match &message.event {
                Name::Text(text) => text,
                Name::Other(json) => json,
            },
            payload: Body::Read(message.payload),
        }
    }
}

impl Body<'_> {
    fn into_payload(self) -> Payload {
        match self {
            Self::Read(slice) => slice.to_payload(),
            Self::Kept(payload) => payload,
        }
    }
}

impl Incoming<'_> {
    pub(super) fn is(&self, event: &str) -> bool {
        self.event == event
    }

    pub(super) fn is_heartbeat(&self) -> bool {
        self.is(event::HEARTBEAT) && self.topic == event::HEARTBEAT_TOPIC
    }

    fn into_received(self) -> Received {
        Received {
            join_ref: self.join_ref,
            msg_ref: self.msg_ref,
            event: EventName::from(self.event),
            payload: self.payload.into_payload(),
        }
    }
}

impl<H: Clone, I> Server<H, I> {
    /// Acts on one message. The rows are those of `Phoenix.Socket.handle_in/4`, tried top-down.
    pub(super) fn dispatch(&mut self, socket: u32, message: Incoming<'_>) {
        let event = message.event;
        if message.is_heartbeat() {
            return self.answer(socket, &message, None, "ok", &Payload::empty());
        }
        let Some(topic) = message.topic.as_text() else {
            return self.unjoined(socket, &message);
        };
        let limits = &self.mount(socket).limits;
        let is_long_topic = topic.len() > limits.max_topic.min(MAX_NAME);
        if is_long_topic || event.len() > limits.max_event.clamp(event::LEAVE.len(), MAX_NAME) {
            let (reason, notice) = if is_long_topic {
                ("topic too long", Notice::TopicTooLong { len: topic.len() })
            } else {
                ("event too long", Notice::EventTooLong { len: event.len() })
            };
            self.note(socket, notice);
            return self.refuse_message(socket, &message, reason);
        }
        match self.find(socket, topic) {
            None if event == event::JOIN => self.join(socket, message),
            None => self.unjoined(socket, &message),
            Some(channel) => self.joined(socket, channel, message),
        }
    }

    /// The channel of a topic that this socket's messages reach.
    fn find(&self, socket: u32, topic: &str) -> Option<u32> {
        let channels = &self.sockets[socket as usize].channels;
        let of = |channel: u32| self.channels[channel as usize].topic;
        // Comparing a few names is faster than hashing one.
        if channels.len() <= 4 {
            let named = |channel: &u32| of(*channel).is_some_and(|key| &*self.topics.get(key).name == topic);
            return channels.iter().copied().find(named);
        }
        let key = self.topics.find(topic)?;
        channels.iter().copied().find(|&channel| of(channel) == Some(key))
    }

    /// A message for a topic that is not joined: rows 2, 10 and 11.
    fn unjoined(&mut self, socket: u32, message: &Incoming<'_>) {
        if message.event == event::LEAVE {
            return self.answer(socket, message, message.join_ref.as_ref(), "ok", &Payload::empty());
        }
        if message.event == event::JOIN {
            let topic = message.topic.as_text().map(Topic::from);
            self.note(socket, Notice::Unmatched { topic });
        }
        self.answer(socket, message, None, "error", &because("unmatched topic"));
    }

    /// A message for a topic that has a channel: rows 5 to 9.
    fn joined(&mut self, socket: u32, channel: u32, message: Incoming<'_>) {
        let state = &self.channels[channel as usize];
        if state.holds_back() {
            return self.hold_back(channel, message);
        }
        if message.event == event::JOIN {
            if state.mailbox.as_ref().is_some_and(|mailbox| mailbox.is_leaving()) {
                return self.hold_back(channel, message);
            }
            return self.replace(socket, channel, message);
        }
        if !state.refs.accept(message.join_ref.as_ref(), self.mount(socket).compat) {
            return; // Meant for an earlier life of this channel.
        }
        let item = match message.event {
            event::LEAVE => Item::Leave { msg_ref: message.msg_ref },
            event => Item::In {
                msg_ref: message.msg_ref,
                event: EventName::from(event),
                payload: message.payload.into_payload(),
            },
        };
        self.deliver(channel, item);
    }

    fn hold_back(&mut self, channel: u32, message: Incoming<'_>) {
        let received = message.into_received();
        let load = received.load();
        self.channels[channel as usize].mailbox().push_behind(received);
        self.add_waiting(channel, load);
    }

    /// A join on a topic without a channel: rows 2 to 4.
    fn join(&mut self, socket: u32, message: Incoming<'_>) {
        let Some(topic) = message.topic.as_text() else { return self.unjoined(socket, &message) };
        let Some(route) = self.mount(socket).router.route(topic) else {
            return self.unjoined(socket, &message);
        };
        if self.sockets[socket as usize].channels.len() >= self.mount(socket).limits.max_channels {
            self.note(socket, Notice::TooManyChannels { topic: Topic::from(topic) });
            return self.refuse_message(socket, &message, "too many channels joined");
        }
        let key = self.topics.add_channel(topic);
        let serial = self.next_serial();
        let channel = insert(
            &mut self.channels,
            Channel {
                serial,
                socket,
                route,
                topic: Some(key),
                refs: Refs::new(message.join_ref, message.msg_ref),
                state: State::Held,
                busy: false,
                calls: 0,
                member: None,
                mailbox: None,
                extra: None,
            },
        );
        let limit = self.mount(socket).limits.max_terminating;
        let owner = &mut self.sockets[socket as usize];
        owner.channels.push(channel);
        let payload = message.payload.into_payload();
        if owner.terminating as usize >= limit {
            let topic = self.topics.get(key).name.clone();
            self.note(socket, Notice::Held { topic });
            return self.hold_join(channel, payload);
        }
        self.start_join(channel, payload);
    }

    pub(super) fn start_join(&mut self, channel: u32, payload: Payload) {
        let state = &mut self.channels[channel as usize];
        state.state = State::Joining;
        let Some(key) = state.topic else { return };
        let event = Event::Join {
            route: state.route,
            topic: self.topics.get(key).name.clone(),
            join_ref: state.refs.sent().cloned(),
            msg_ref: state.refs.msg_ref().cloned(),
            payload,
        };
        self.call(channel, event);
    }

    /// A join on a joined topic: the old channel ends at once, without `terminate`; its `phx_close`
    /// follows the reply to the new join.
    fn replace(&mut self, socket: u32, old: u32, message: Incoming<'_>) {
        let topic = self.topic_of(old);
        self.note(socket, Notice::Duplicate { topic });
        let replaced = self.channels[old as usize].refs.sent().cloned();
        self.end(old);
        self.join(socket, message);
        // It took the place of one that was counted, on a topic that has a route: it has been admitted.
        if let Some(&new) = self.sockets[socket as usize].channels.last() {
            self.channels[new as usize].extra().replaces = Some(replaced);
        }
    }

    /// Runs a handler of a channel that is idle.
    pub(super) fn call(&mut self, channel: u32, event: Event<I>) {
        let socket = self.socket_id(self.channels[channel as usize].socket);
        let id = self.channel_id(channel);
        let state = &mut self.channels[channel as usize];
        state.busy = true;
        state.calls = state.calls.wrapping_add(1);
        let call = CallId { channel: id, number: state.calls };
        self.outputs.push_back(Output::Call { socket, call, event });
    }

    /// Answers a message with the limit that it goes past; nothing else comes of it.
    pub(super) fn refuse_message(&mut self, socket: u32, message: &Incoming<'_>, reason: &'static str) {
        self.answer(socket, message, message.join_ref.as_ref(), "error", &because(reason));
    }

    /// Answers a message from the machine itself.
    fn answer(
        &mut self,
        socket: u32,
        message: &Incoming<'_>,
        join_ref: Option<&Ref>,
        status: &str,
        response: &Payload,
    ) {
        self.own_frame(
            socket,
            &Outgoing::Reply {
                join_ref,
                msg_ref: message.msg_ref.as_ref(),
                topic: message.topic,
                status,
                response,
            },
        );
    }

    /// Encodes and sends one of the machine's own small frames.
    pub(super) fn own_frame(&mut self, socket: u32, outgoing: &Outgoing<'_>) {
        let serializer = self.sockets[socket as usize].serializer;
        match self.formats.encode(serializer, outgoing) {
            Ok(frame) => {
                // To a socket that takes nothing any more, nothing is lost.
                let _ = self.send(socket, frame);
            }
            Err(_) => self.speechless.push(self.socket_id(socket)),
        }
    }

    /// Dispatches anew what waited behind a decision that has now been taken; but for what must wait on,
    /// behind a join that was among it.
    pub(super) fn dispatch_anew(&mut self, socket: u32, topic: &str, mut behind: VecDeque<Received>) {
        let name = Name::from(topic);
        while let Some(received) = behind.pop_front() {
            self.count_out(socket, received.load());
            if &*received.event == event::JOIN && self.sockets[socket as usize].life != Life::Open {
                self.resume_at_half(socket);
                continue; // Nobody is left to join.
            }
            let event = received.event;
            self.dispatch(
                socket,
                Incoming {
                    join_ref: received.join_ref,
                    msg_ref: received.msg_ref,
                    topic: &name,
                    event: &event,
                    payload: Body::Kept(received.payload),
                },
            );
            // Not before: it may wait again, for its handler.
            self.resume_at_half(socket);
            if &*event != event::JOIN || behind.is_empty() {
                continue;
            }
            let holds_back = |&channel: &u32| self.channels[channel as usize].holds_back();
            if let Some(channel) = self.find(socket, topic).filter(holds_back) {
                return self.keep_behind(channel, behind);
            }
        }
    }
}

/// `{"reason": reason}`.
pub(super) fn because(reason: &'static str) -> Payload {
    Payload::json(&serde_json::json!({ "reason": reason })).unwrap_or_else(|_| Payload::empty())
}
