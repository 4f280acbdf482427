//! What there is, for those who look after a server.

use super::channel::State;
use super::id::SocketId;
use super::mailbox::Load;
use super::socket::Life;
use super::{Server, index};
use crate::Topic;
use crate::wire::Serializer;
use std::fmt;

/// One connected socket, as it is just now.
#[derive(Clone, Debug)]
pub struct SocketView<H> {
    /// Its name in this server.
    pub socket: SocketId,
    /// The driver's handle of it.
    pub handle: H,
    /// Its place in [`Config::mounts`](super::Config::mounts).
    pub mount: usize,
    /// How its messages are written.
    pub serializer: Serializer,
    /// Its id, if it has one.
    pub id: Option<Topic>,
    /// Its channels, those that have closed not among them.
    pub channels: Vec<ChannelView>,
    /// How many channels have closed and terminate still.
    pub terminating: usize,
}

/// One channel, as it is just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelView {
    /// Its topic.
    pub topic: Topic,
    /// Where in its life it is.
    pub stage: ChannelStage,
    /// Whether one of its handlers runs.
    pub is_busy: bool,
    /// How many messages wait for its handlers, whoever sent them.
    pub messages: usize,
    /// How many bytes of names and payloads they have.
    pub bytes: usize,
}

/// Where in its life a channel is that messages can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelStage {
    /// Its join waits until fewer channels terminate.
    Held,
    /// Its join is being decided.
    Joining,
    /// It is joined.
    Joined,
    /// It has crashed, and terminates.
    Crashing,
}

impl fmt::Display for ChannelStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Held => "held",
            Self::Joining => "joining",
            Self::Joined => "joined",
            Self::Crashing => "crashing",
        })
    }
}

impl<H: Clone, I> Server<H, I> {
    /// The connected sockets of `places` places from the place `from` on, with their channels; and the place to go on
    /// from, `None` if there is none.
    ///
    /// So whoever shares the server with others need not keep it from them for all of its sockets at once. Sockets that
    /// connect or end between two calls are found or not; none is found twice.
    #[must_use]
    pub fn inspect(&self, from: usize, places: usize) -> (Vec<SocketView<H>>, Option<usize>) {
        let end = from.saturating_add(places).min(self.sockets.capacity());
        let views = (from..end).filter_map(|place| self.view(place)).collect();
        (views, Some(end).filter(|&end| end < self.sockets.capacity()))
    }

    fn view(&self, place: usize) -> Option<SocketView<H>> {
        let socket = self.sockets.get(place).filter(|socket| socket.life == Life::Open)?;
        Some(SocketView {
            socket: self.socket_id(index(place)),
            handle: socket.handle.clone(),
            mount: socket.mount.into(),
            serializer: socket.serializer,
            id: socket.id.map(|key| self.topics.get(key).name.clone()),
            channels: socket.channels.iter().filter_map(|&channel| self.view_channel(channel)).collect(),
            terminating: socket.terminating as usize,
        })
    }

    fn view_channel(&self, channel: u32) -> Option<ChannelView> {
        let state = &self.channels[channel as usize];
        let stage = match state.state {
            State::Held => ChannelStage::Held,
            State::Joining => ChannelStage::Joining,
            State::Joined => ChannelStage::Joined,
            State::Crashing => ChannelStage::Crashing,
            State::Closing => return None,
        };
        let mut waiting = state.input();
        waiting += state.mailbox.as_ref().map_or_else(Load::default, |mailbox| mailbox.others);
        let Load { messages, bytes } = waiting;
        Some(ChannelView { topic: self.topic_of(channel), stage, is_busy: state.busy, messages, bytes })
    }
}
