//! What waits, and how much of it may. All of this is Bennu's own.

use super::{Due, Mark, Model, Phase, Said, Thing, Timer};
use bennu_core::server::Notice;
use std::time::Duration;

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) messages: usize,
    /// Of names and payloads.
    pub(crate) bytes: usize,
}

/// What a server takes that has been in use, in bytes: tables that have grown and been emptied.
const FIXED: usize = 8 * 1024;

/// A socket, a channel, a subscription or a timer, in bytes.
const PER_THING: usize = 256;

/// A message that waits, its payload apart, in bytes.
const PER_MESSAGE: usize = 128;

impl std::iter::Sum for Load {
    fn sum<I: Iterator<Item = Self>>(loads: I) -> Self {
        loads.fold(Self::default(), |sum, load| Self {
            messages: sum.messages + load.messages,
            bytes: sum.bytes + load.bytes,
        })
    }
}

impl Thing {
    /// Whether the client sent it.
    pub(super) fn is_input(&self) -> bool {
        matches!(self, Self::In { .. } | Self::Leave { .. })
    }

    fn load(&self) -> Load {
        let bytes = match self {
            Self::In { event, body, .. }
            | Self::Out { event, body }
            | Self::Broadcast { event, body, .. } => event.len() + body.len(),
            Self::Leave { .. } | Self::Info(_) | Self::Closed => 0,
        };
        Load { messages: usize::from(!matches!(self, Self::Closed)), bytes }
    }
}

impl Model {
    /// Hands a channel a thing: at once if it is idle, else behind what waits already.
    pub(super) fn deliver(&mut self, channel: usize, thing: Thing) {
        let receiver = &mut self.channels[channel];
        if matches!(receiver.phase, Phase::Closing | Phase::Crashing | Phase::Over) {
            return;
        }
        if receiver.phase == Phase::Joined && receiver.running.is_none() {
            return self.handle(channel, thing);
        }
        let (socket, is_input) = (receiver.socket, thing.is_input());
        receiver.inbox.push_back(thing);
        if is_input {
            return self.check_pause(socket);
        }
        let limits = self.limits_of(socket);
        let others = self.channels[channel].inbox.iter().filter(|thing| !thing.is_input());
        let others: Load = others.map(Thing::load).sum();
        if others.messages > limits.channel_messages || others.bytes > limits.channel_bytes {
            self.mark(Mark::TooMuchFromOthers);
            self.note(socket, &Notice::ChannelFull { topic: self.channels[channel].topic.as_str().into() });
            self.kill(channel);
        }
    }

    /// What of a client's messages waits at one channel: to be handled, held back for its topic, or as the
    /// payload of a join.
    fn input_at(&self, channel: usize) -> Load {
        let at = &self.channels[channel];
        let inbox = at.inbox.iter().filter(|thing| thing.is_input()).map(Thing::load);
        let payload = at.payload.iter().map(|body| Load { messages: 1, bytes: body.len() });
        inbox.chain(payload).chain([self.held(at.socket, &at.topic)]).sum()
    }

    fn held(&self, socket: usize, topic: &str) -> Load {
        let held = self.sockets[socket].held.get(topic).into_iter().flatten();
        held.map(|message| Load { messages: 1, bytes: message.event.as_str().len() + message.body.len() })
            .sum()
    }

    /// The same over all channels of a socket. What is held back counts also while it is acted on, and its
    /// channel has gone.
    pub(crate) fn input(&self, socket: usize) -> Load {
        let channels = self.channels_of(socket);
        let gone = self.sockets[socket].held.keys();
        let gone =
            gone.filter(|topic| !channels.iter().any(|&channel| self.channels[channel].topic == **topic));
        let gone = gone.map(|topic| self.held(socket, topic));
        channels.iter().map(|&channel| self.input_at(channel)).chain(gone).sum()
    }

    /// How many bytes a server may hold for what there is: a fixed amount for each thing, with the room that
    /// its tables keep free; and what waits, in queues that double.
    pub(crate) fn may_hold(&self) -> usize {
        let things =
            self.live_sockets() + self.live_channels() + self.subscriptions.len() + self.timers.len();
        let names: usize = self.topics().iter().map(|topic| topic.len()).sum();
        let others = self.channels.iter().flat_map(|channel| &channel.inbox).map(Thing::load).sum();
        let inputs = (0..self.sockets.len()).map(|socket| self.input(socket));
        let waiting: Load = inputs.chain([others]).sum();
        FIXED + PER_THING * things + names + 2 * PER_MESSAGE * waiting.messages + waiting.bytes
    }

    /// Something has come to wait: at the bound, reading pauses.
    pub(super) fn check_pause(&mut self, socket: usize) {
        let (input, limits) = (self.input(socket), self.limits_of(socket));
        let full = input.messages >= limits.input_messages || input.bytes >= limits.input_bytes;
        if full && self.sockets[socket].open && !self.sockets[socket].paused {
            self.sockets[socket].paused = true;
            self.said.push(Said::Pause { socket });
            self.arm_overload(socket);
        }
    }

    /// Something waits no longer: at half the bound, reading goes on.
    pub(super) fn check_resume(&mut self, socket: usize) {
        let (input, limits) = (self.input(socket), self.limits_of(socket));
        let low = input.messages <= limits.input_messages / 2 && input.bytes <= limits.input_bytes / 2;
        if low && self.sockets[socket].paused {
            self.sockets[socket].paused = false;
            self.said.push(Said::Resume { socket });
            self.timers.retain(|timer| timer.what != Due::Overload { socket });
        }
    }

    fn arm_overload(&mut self, socket: usize) {
        let at = self.now + self.limits_of(socket).overload.max(Duration::from_millis(1));
        self.timers_set += 1;
        self.timers.push(Timer { at, number: self.timers_set, what: Due::Overload { socket } });
    }

    /// Reading has paused for too long: the channel that holds most of the bound ends; of equals, the one
    /// that joined last.
    pub(super) fn relieve(&mut self, socket: usize) {
        self.arm_overload(socket);
        let limits = self.limits_of(socket);
        let share = |&channel: &usize| {
            let Load { messages, bytes } = self.input_at(channel);
            (messages * limits.input_bytes).max(bytes * limits.input_messages)
        };
        if let Some(channel) = self.channels_of(socket).into_iter().max_by_key(share) {
            self.mark(Mark::Relieved);
            self.note(socket, &Notice::Overloaded { topic: self.channels[channel].topic.as_str().into() });
            self.kill(channel);
        }
    }
}
