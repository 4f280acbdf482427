//! The protocol machine: sockets, their channels, who is subscribed to what.
//!
//! ```text
//!  receive ─▶ dispatch ─▶ mailbox ─▶ Call ──▶ (handler) ──▶ done ─▶ Send
//!                                                │
//!                            broadcast ◀─────────┘──▶ Fanout, Call (intercepted)
//! ```
//!
//! A [`Server`] runs no handler and writes no byte. It says which handler to run ([`Output::Call`]) and
//! holds back what else comes for that channel until it is told the outcome ([`Server::done`]): order
//! per channel is kept here, and no runtime has a say in it.

mod broadcast;
mod channel;
mod config;
mod delivery;
mod dispatch;
mod fanout;
mod id;
mod inspect;
mod lifecycle;
mod mailbox;
mod output;
mod pace;
mod socket;
mod topics;

pub use broadcast::{Broadcast, Fanout};
pub use config::{Config, Limits, Mount, SocketConfig};
pub use id::{CallId, ChannelId, SocketId, TimerId};
pub use inspect::{ChannelStage, ChannelView, SocketView};
pub use output::{CloseReason, Ended, Event, Notice, Outcome, Output, Reason, Undelivered};
pub use pace::TooFast;

use crate::wire::{Formats, PerSerializer, Serializer};
use crate::{Frame, Instant, Message, Topic};
use channel::{Channel, State};
use slab::Slab;
use smallvec::SmallVec;
use socket::{Life, Socket};
use std::collections::{BTreeMap, VecDeque};
use topics::{Change, Listener, Topics};

/// To whom a deferred reply goes; outlives the channel that the message was for.
pub type ReplyTo = SocketId;

/// Many sockets, their channels and topics: messages and commands in, [`Output`]s out.
///
/// `H` is the driver's handle of a socket, `I` what `handle_info` receives.
///
/// ```
/// use bennu_core::router::Router;
/// use bennu_core::server::{Config, Event, Mount, Outcome, Output, Server, SocketConfig};
/// use bennu_core::wire::{Outgoing, Serializer};
/// use bennu_core::{Instant, Kind, Payload};
///
/// let mut router = Router::default();
/// router.add("room:*", &[])?;
/// let mounts = vec![Mount { router, ..Mount::default() }];
/// let mut server: Server<&str, ()> = Server::new(Config { shard: 0, hash_key: (0x5eed, 0xcafe), mounts });
///
/// let now = Instant::EPOCH;
/// let socket = SocketConfig { handle: "ann", serializer: Serializer::V2, mount: 0, id: None };
/// let ann = server.connect(socket, now);
///
/// // A message goes in, and the handler to run comes out.
/// let join = Serializer::V2.decode(Kind::Text, br#"["1","1","room:lobby","phx_join",{}]"#)?;
/// server.receive(ann, &join, now);
/// let Some(Output::Call { call, event: Event::Join { topic, join_ref, msg_ref, .. }, .. }) = server.poll_output()
/// else {
///     panic!("the topic has a route");
/// };
/// assert_eq!(&*topic, "room:lobby");
/// assert!(server.poll_output().is_none());
///
/// // Its answer goes in, and what to send comes out.
/// let reply = Serializer::V2.encode(&Outgoing::Reply {
///     join_ref: join_ref.as_ref(),
///     msg_ref: msg_ref.as_ref(),
///     topic: &(&*topic).into(),
///     status: "ok",
///     response: &Payload::empty(),
/// })?;
/// server.done(call, Outcome::Joined { reply, next: None }, now);
/// let sent: Vec<_> = std::iter::from_fn(|| server.poll_output())
///     .filter_map(|output| if let Output::Send { frame, .. } = output { Some(frame) } else { None })
///     .collect();
/// assert_eq!(sent[0].body(), br#"["1","1","room:lobby","phx_reply",{"response":{},"status":"ok"}]"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The [crate's docs](crate#a-driver-whole) have a whole driver around it.
#[derive(Debug)]
pub struct Server<H, I> {
    config: Config,
    /// Whether any mount lets its clients lose anything.
    lossy: Lossy,
    sockets: Slab<Socket<H>>,
    channels: Slab<Channel<I>>,
    topics: Topics<H>,
    formats: Formats,
    /// Sockets that are connected, by serializer: whom a broadcast has to be encoded for.
    connected: PerSerializer<usize>,
    timers: BTreeMap<(Instant, u64), Timer<I>>,
    outputs: VecDeque<Output<I>>,
    /// Sockets that have ended during this input; their handles are still asked for while it is drained.
    ended: Vec<u32>,
    /// Sockets whose serializer could not write what the protocol says: they end behind this input.
    speechless: Vec<SocketId>,
    serial: u64,
    now: Instant,
}

/// Whether clients may lose anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lossy {
    Never,
    Perhaps,
}

/// What is to happen at a point in time.
#[derive(Debug)]
enum Timer<I> {
    /// A message for a channel.
    Info { channel: ChannelId, info: I },
    /// A socket's reading has paused for too long.
    Overload { socket: u32 },
}

impl<H: Clone, I> Server<H, I> {
    /// A machine without sockets.
    ///
    /// # Panics
    /// If there are more mounts than [`Config::MAX_MOUNTS`].
    #[must_use]
    pub fn new(config: Config) -> Self {
        assert!(config.mounts.len() <= Config::MAX_MOUNTS, "there are at most {} mounts", Config::MAX_MOUNTS);
        let is_lossy = config.mounts.iter().any(Mount::is_lossy);
        Self {
            topics: Topics::new(config.hash_key),
            config,
            lossy: if is_lossy { Lossy::Perhaps } else { Lossy::Never },
            sockets: Slab::new(),
            channels: Slab::new(),
            formats: Formats::default(),
            connected: PerSerializer::default(),
            timers: BTreeMap::new(),
            outputs: VecDeque::new(),
            ended: Vec::new(),
            speechless: Vec::new(),
            serial: 0,
            now: Instant::EPOCH,
        }
    }

    /// The same machine, whose sockets may have one of these serializers; V1 and V2 alone otherwise.
    ///
    /// # Panics
    /// If a socket has connected already.
    #[must_use]
    pub fn with_formats(mut self, formats: Formats) -> Self {
        assert!(self.sockets.is_empty(), "formats are set before the first socket connects");
        self.connected = formats.each(|_| 0);
        self.formats = formats;
        self
    }

    /// A socket has connected.
    ///
    /// # Panics
    /// If `socket.mount` is not one of [`Config::mounts`], or `socket.serializer` none of the
    /// [formats](Server::with_formats).
    pub fn connect(&mut self, socket: SocketConfig<'_, H>, now: Instant) -> SocketId {
        self.begin(now);
        assert!(socket.mount < self.config.mounts.len(), "a socket belongs to one of the configured mounts");
        assert!(self.formats.contains(socket.serializer), "a socket's serializer is one of the server's");
        let serial = self.next_serial();
        let index = insert(
            &mut self.sockets,
            Socket {
                serial,
                handle: socket.handle,
                serializer: socket.serializer,
                life: Life::Open,
                stopped: None,
                mount: u16::try_from(socket.mount).expect("a machine has at most Config::MAX_MOUNTS"),
                id: None,
                channels: SmallVec::new(),
                terminating: 0,
                waiting: None,
                pace: None,
            },
        );
        self.connected[socket.serializer] += 1;
        if let Some(id) = socket.id {
            let (key, change) = self.topics.add_listener(id, Listener::Socket(index));
            self.sockets[index as usize].id = Some(key);
            self.interest(key, change, true);
        }
        SocketId { shard: self.config.shard, index, serial }
    }

    /// The client has sent a message.
    pub fn receive(&mut self, id: SocketId, message: &Message<'_>, now: Instant) {
        self.begin(now);
        let open = |&socket: &u32| self.sockets[socket as usize].life == Life::Open;
        let Some(socket) = self.socket(id).filter(open) else { return };
        let message = message.into();
        match self.pace(socket, &message) {
            None => self.dispatch(socket, message),
            Some(too_fast) => {
                self.note(socket, Notice::TooFast(too_fast));
                self.refuse_message(socket, &message, "rate limit");
            }
        }
    }

    /// The transport has ended. What the socket's channels have received is handled still, then their
    /// `terminate` runs; nothing is sent to it any more.
    pub fn disconnect(&mut self, id: SocketId, now: Instant) {
        self.begin(now);
        if let Some(socket) = self.socket(id) {
            self.close_socket(socket, Life::Gone);
        }
    }

    /// The transport has ended, and so has whoever ran the handlers: the socket and its channels are
    /// forgotten at once, without `terminate`.
    pub fn abandon(&mut self, id: SocketId, now: Instant) {
        self.disconnect(id, now);
        let Some(socket) = self.socket(id) else { return };
        while let Some(channel) = self.channels.iter().find(|(_, channel)| channel.socket == socket) {
            self.end(index(channel.0));
        }
    }

    /// A handler's answer to an [`Output::Call`].
    ///
    /// Ignored if the call was cancelled or its channel has ended.
    pub fn done(&mut self, call: CallId, outcome: Outcome<I>, now: Instant) {
        self.begin(now);
        let Some(channel) = self.channel(call.channel) else { return };
        let state = &mut self.channels[channel as usize];
        if !state.busy || state.calls != call.number {
            return;
        }
        state.busy = false;
        self.conclude(channel, outcome);
    }

    /// Sends a channel's push (or a deferred reply made while it lives) to its client.
    ///
    /// # Errors
    /// [`Ended`] if the channel is no more, or is none yet since its join has not been answered, or its
    /// socket takes nothing any more.
    pub fn push(&mut self, channel: ChannelId, frame: Frame) -> Result<(), Ended> {
        self.reap();
        let channel = self.channel(channel).ok_or(Ended)?;
        let Channel { state, socket, .. } = self.channels[channel as usize];
        if matches!(state, State::Held | State::Joining) {
            return Err(Ended); // Nothing of a channel comes before the reply to its join.
        }
        self.send(socket, frame)
    }

    /// Sends a deferred reply: from anywhere, any number of times, also when its channel has ended.
    ///
    /// # Errors
    /// [`Ended`] if the socket takes nothing any more.
    pub fn reply(&mut self, to: ReplyTo, frame: Frame) -> Result<(), Ended> {
        self.reap();
        let socket = self.socket(to).ok_or(Ended)?;
        self.send(socket, frame)
    }

    /// Ends a socket from this side, for a reason that the client is told by the close code.
    pub fn stop(&mut self, id: SocketId, reason: CloseReason, now: Instant) {
        self.begin(now);
        if let Some(socket) = self.socket(id) {
            self.stop_socket(socket, reason);
        }
    }

    /// What is to be done next; `None` when the last input has been worked off.
    pub fn poll_output(&mut self) -> Option<Output<I>> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            let Some(id) = self.speechless.pop() else { break };
            if let Some(socket) = self.socket(id) {
                self.stop_socket(socket, CloseReason::Unwritable);
            }
        }
        // Nobody asks for their handles any more: let go of them.
        self.reap();
        None
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; `None` if nothing is scheduled.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|(&(at, _), _)| at)
    }

    /// The handle of a socket that an output names.
    #[must_use]
    pub fn handle(&self, id: SocketId) -> Option<&H> {
        self.socket(id).map(|socket| &self.sockets[socket as usize].handle)
    }

    /// How the messages of a socket are written: what its handlers' answers are to be encoded with.
    #[must_use]
    pub fn serializer(&self, id: SocketId) -> Option<Serializer> {
        self.socket(id).map(|socket| self.sockets[socket as usize].serializer)
    }

    /// The socket of a channel.
    #[must_use]
    pub fn socket_of(&self, channel: ChannelId) -> Option<SocketId> {
        let channel = self.channel(channel)?;
        Some(self.socket_id(self.channels[channel as usize].socket))
    }

    /// Which of several machines this is.
    #[must_use]
    pub fn shard(&self) -> u32 {
        self.config.shard
    }

    /// The sockets that are connected.
    #[must_use]
    pub fn socket_ids(&self) -> Vec<SocketId> {
        let open = self.sockets.iter().filter(|(_, socket)| socket.life == Life::Open);
        open.map(|(place, _)| self.socket_id(index(place))).collect()
    }

    /// The sockets of one mount that are connected, each with the number of its channels: whom a
    /// [`Drain`](crate::drain::Drain) of it is told.
    #[must_use]
    pub fn sockets_of(&self, mount: usize) -> Vec<(SocketId, usize)> {
        let open = self.sockets.iter().filter(|(_, socket)| socket.life == Life::Open);
        let of_mount = open.filter(|(_, socket)| socket.mount as usize == mount);
        of_mount.map(|(place, socket)| (self.socket_id(index(place)), socket.channels.len())).collect()
    }

    /// How many sockets there are; those whose channels are still ending are counted.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.sockets.len() - self.ended.len()
    }

    /// How many channels there are, in any state.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    /// How many topics somebody has joined or subscribed to.
    #[must_use]
    pub fn topics(&self) -> usize {
        self.topics.len()
    }

    /// Counts the changes of who is subscribed to what. While it stays the same, a topic's
    /// [uniform](Fanout::is_uniform) fan-outs go to the same members.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.topics.revision()
    }

    /// Whether any connected socket uses this serializer.
    #[must_use]
    pub fn uses(&self, serializer: Serializer) -> bool {
        self.connected.get(serializer).is_some_and(|&sockets| sockets > 0)
    }
}

impl<H: Clone, I> Server<H, I> {
    /// Opens an input. Time never goes back: an old clock changes nothing.
    fn begin(&mut self, now: Instant) {
        self.reap();
        self.now = self.now.max(now);
    }

    /// Forgets the sockets that ended during the last input.
    fn reap(&mut self) {
        while let Some(socket) = self.ended.pop() {
            self.sockets.remove(socket as usize);
        }
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn socket(&self, id: SocketId) -> Option<u32> {
        let socket = self.sockets.get(id.index as usize)?;
        (socket.serial == id.serial && id.shard == self.config.shard).then_some(id.index)
    }

    fn channel(&self, id: ChannelId) -> Option<u32> {
        let channel = self.channels.get(id.index as usize)?;
        (channel.serial == id.serial && id.shard == self.config.shard).then_some(id.index)
    }

    fn socket_id(&self, index: u32) -> SocketId {
        SocketId { shard: self.config.shard, index, serial: self.sockets[index as usize].serial }
    }

    fn channel_id(&self, index: u32) -> ChannelId {
        ChannelId { shard: self.config.shard, index, serial: self.channels[index as usize].serial }
    }

    fn mount(&self, socket: u32) -> &Mount {
        &self.config.mounts[usize::from(self.sockets[socket as usize].mount)]
    }

    fn send(&mut self, socket: u32, frame: Frame) -> Result<(), Ended> {
        if self.sockets[socket as usize].life != Life::Open {
            return Err(Ended);
        }
        let to = self.socket_id(socket);
        self.outputs.push_back(Output::Send { to, frame });
        Ok(())
    }

    fn note(&mut self, socket: u32, notice: Notice) {
        let socket = self.socket_id(socket);
        self.outputs.push_back(Output::Notice { socket, notice });
    }

    /// The name of the topic of a channel that has not closed.
    fn topic_of(&self, channel: u32) -> Topic {
        let key = self.channels[channel as usize].topic.expect("a channel has its topic until it closes");
        self.topics.get(key).name.clone()
    }

    fn interest(&mut self, topic: u32, change: Change, wanted: bool) {
        if change == Change::Interest {
            let topic = self.topics.get(topic).name.clone();
            self.outputs.push_back(Output::Interest { topic, wanted });
        }
    }
}

/// Puts a value into a slab, which grows by a quarter: by half of it, on average, it would hold room that
/// nobody uses.
fn insert<T>(slab: &mut Slab<T>, value: T) -> u32 {
    if slab.len() == slab.capacity() {
        slab.reserve_exact((slab.len() / 4).max(8));
    }
    index(slab.insert(value))
}

/// A place in a slab, as ids carry it.
fn index(place: usize) -> u32 {
    u32::try_from(place).expect("a machine holds fewer than 2^32 of anything")
}

#[cfg(test)]
mod tests;
