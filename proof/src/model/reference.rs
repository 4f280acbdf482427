//! What a server ought to do, written down as plainly as can be.
//!
//! Written from what Phoenix 1.8.12 does, and 1.8.9 otherwise, and from where Bennu differs on purpose; where a rule is Bennu's own
//! it says so. Everything that has ever been is kept in lists, and whatever is asked of them is
//! worked out anew each time: how much waits, who is subscribed, what is due.

mod broadcast;
mod ends;
mod handler;
mod message;
mod pace;
mod waiting;

use super::mark::{Mark, Marks};
use super::operation::Pace;
use super::said::{Asked, Heard, Note, Said};
use super::value::{Content, Word};
use bennu_core::server::{CloseReason, Limits, Notice, Reason};
use bennu_core::{Compat, Instant, Serializer};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(crate) use broadcast::Post;
pub(crate) use handler::Outcome;
pub(crate) use message::Message;
pub(crate) use waiting::Load;

/// Routes in their order, with the events that each intercepts; and limits.
#[derive(Clone, Debug)]
pub(crate) struct Mount {
    pub(crate) routes: Vec<(&'static str, &'static [&'static str])>,
    pub(crate) limits: Limits,
    pub(crate) messages: Pace,
    pub(crate) joins: Pace,
    pub(crate) compat: Compat,
}

/// The reference.
#[derive(Debug)]
pub(crate) struct Model {
    mounts: Vec<Mount>,
    now: Instant,
    sockets: Vec<Socket>,
    channels: Vec<Channel>,
    /// In the order in which they were made.
    subscriptions: Vec<Subscription>,
    /// In the order in which they were set.
    timers: Vec<Timer>,
    timers_set: usize,
    calls: usize,
    said: Vec<Said>,
    pub(crate) marks: Marks,
}

#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) serializer: Serializer,
    pub(crate) mount: usize,
    /// Frames go to it, and messages come from it.
    pub(crate) open: bool,
    /// Its transport has ended.
    pub(crate) gone: bool,
    /// Draining is the one reason of the server's that a channel is told.
    drained: bool,
    paused: bool,
    /// What has come for a topic on which something must be decided first.
    held: BTreeMap<String, VecDeque<Message>>,
    /// The topic of which that is being acted on.
    releasing: Option<String>,
    /// When each message came that counted and was not too fast, and each such join.
    messages: Vec<Instant>,
    joins: Vec<Instant>,
}

#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) socket: usize,
    pub(crate) topic: String,
    pub(crate) join_ref: Option<String>,
    pub(crate) msg_ref: Option<String>,
    route: usize,
    pub(crate) phase: Phase,
    pub(crate) running: Option<usize>,
    inbox: VecDeque<Thing>,
    /// The join's payload, while it waits for a terminate to end.
    payload: Option<Content>,
    /// The join_ref of the channel that this one replaces.
    replaces: Option<Option<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The join waits, as too many terminates of the socket run.
    Held,
    /// `join` runs.
    Joining,
    Joined,
    /// `phx_close` is sent, `terminate` runs.
    Closing,
    /// `terminate` runs, `phx_error` follows.
    Crashing,
    Over,
}

/// What a channel is to handle.
#[derive(Clone, Debug)]
enum Thing {
    In {
        msg_ref: Option<String>,
        event: String,
        body: Content,
    },
    Leave {
        msg_ref: Option<String>,
    },
    Out {
        event: String,
        body: Content,
    },
    Broadcast {
        topic: String,
        event: String,
        body: Content,
    },
    Info(Note),
    /// The transport went.
    Closed,
}

#[derive(Debug)]
struct Subscription {
    topic: String,
    who: Who,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// A channel that has joined the topic.
    Member(usize),
    /// A channel that subscribed to it besides.
    Listener(usize),
    /// A socket whose id it is.
    Socket(usize),
}

#[derive(Debug)]
struct Timer {
    at: Instant,
    number: usize,
    what: Due,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Info {
        channel: usize,
        note: Note,
    },
    /// Reading of this socket has paused for too long.
    Overload {
        socket: usize,
    },
}

impl Model {
    pub(crate) fn new(mounts: Vec<Mount>) -> Self {
        Self {
            mounts,
            now: Instant::EPOCH,
            sockets: Vec::new(),
            channels: Vec::new(),
            subscriptions: Vec::new(),
            timers: Vec::new(),
            timers_set: 0,
            calls: 0,
            said: Vec::new(),
            marks: Marks::default(),
        }
    }

    /// Time never goes back.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// All that is said to the last input. Who has left the topic meanwhile hears no broadcast: recipients
    /// are visited when the input has been worked off.
    pub(crate) fn finish(&mut self) -> Vec<Said> {
        let mut said = std::mem::take(&mut self.said);
        for said in &mut said {
            if let Said::Fanout { topic, to, .. } = said {
                to.retain(|(socket, _)| self.member(topic, *socket).is_some());
            }
        }
        said.retain(|said| !matches!(said, Said::Fanout { to, .. } if to.is_empty()));
        for said in &said {
            self.marks.see_output(said);
        }
        said
    }

    pub(crate) fn connect(&mut self, serializer: Serializer, mount: usize, id: Option<&str>) -> usize {
        let socket = self.sockets.len();
        self.sockets.push(Socket {
            serializer,
            mount,
            open: true,
            gone: false,
            drained: false,
            paused: false,
            held: BTreeMap::new(),
            releasing: None,
            messages: Vec::new(),
            joins: Vec::new(),
        });
        if let Some(id) = id {
            self.add_subscription(id, Who::Socket(socket));
        }
        socket
    }

    /// A push: not before the reply to the join, nor when there is nobody to take it.
    pub(crate) fn push(&mut self, channel: usize, heard: Heard) -> bool {
        let Channel { socket, phase, .. } = self.channels[channel];
        if matches!(phase, Phase::Held | Phase::Joining | Phase::Over) {
            return false;
        }
        self.mark_if(phase == Phase::Closing, Mark::PushWhileClosing);
        self.reply(socket, heard)
    }

    /// A deferred reply: also when its channel has ended.
    pub(crate) fn reply(&mut self, socket: usize, heard: Heard) -> bool {
        self.say_to(socket, heard);
        self.sockets[socket].open
    }

    /// Ends a socket from the server's side.
    pub(crate) fn stop(&mut self, socket: usize, reason: CloseReason) {
        if self.sockets[socket].open {
            self.said.push(Said::close(socket, reason));
            self.sockets[socket].drained = reason == CloseReason::Draining;
            self.close(socket);
        }
    }

    pub(crate) fn disconnect(&mut self, socket: usize) {
        if self.sockets[socket].open {
            self.close(socket);
        }
        self.sockets[socket].gone = true;
    }

    /// As [`Model::disconnect`], and its channels end without `terminate`.
    pub(crate) fn abandon(&mut self, socket: usize) {
        self.disconnect(socket);
        for channel in 0..self.channels.len() {
            if self.channels[channel].socket == socket && self.channels[channel].phase != Phase::Over {
                self.mark(Mark::Abandoned);
                self.finish_channel(channel);
            }
        }
    }

    pub(crate) fn info(&mut self, channel: usize, note: Note, at: Instant) -> Option<usize> {
        if !matches!(self.channels[channel].phase, Phase::Joining | Phase::Joined) {
            return None;
        }
        self.timers_set += 1;
        if at <= self.now {
            self.deliver(channel, Thing::Info(note));
        } else {
            self.timers.push(Timer { at, number: self.timers_set, what: Due::Info { channel, note } });
        }
        Some(self.timers_set)
    }

    pub(crate) fn cancel(&mut self, timer: usize) -> Option<Note> {
        let at = self.timers.iter().position(|other| other.number == timer)?;
        let Due::Info { note, .. } = self.timers.remove(at).what else { return None };
        self.mark(Mark::TimerCancelled);
        Some(note)
    }

    pub(crate) fn timeout(&self) -> Option<Instant> {
        self.timers.iter().map(|timer| timer.at).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.tick(now);
        // Of equal times, the one that was set first.
        while let Some(at) = (0..self.timers.len()).min_by_key(|&at| (self.timers[at].at, at))
            && self.timers[at].at <= self.now
        {
            match self.timers.remove(at).what {
                Due::Info { channel, note } => {
                    self.mark(Mark::TimerDue);
                    self.deliver(channel, Thing::Info(note));
                }
                Due::Overload { socket } => self.relieve(socket),
            }
        }
    }

    // What is asked of a model.

    pub(crate) fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    pub(crate) fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Sockets that are not forgotten: whose transport lives, or that have a channel.
    pub(crate) fn live_sockets(&self) -> usize {
        let has_channel = |socket| {
            self.channels.iter().any(|channel| channel.socket == socket && channel.phase != Phase::Over)
        };
        (0..self.sockets.len()).filter(|&socket| !self.sockets[socket].gone || has_channel(socket)).count()
    }

    pub(crate) fn open_sockets(&self) -> usize {
        self.sockets.iter().filter(|socket| socket.open).count()
    }

    pub(crate) fn live_channels(&self) -> usize {
        self.channels.iter().filter(|channel| channel.phase != Phase::Over).count()
    }

    /// The topics that somebody has joined, is joining, or has subscribed to.
    pub(crate) fn topics(&self) -> BTreeSet<&str> {
        let joined = self.channels.iter().filter(|channel| channel.is_reachable());
        let joined = joined.map(|channel| &*channel.topic);
        joined.chain(self.subscribed()).collect()
    }

    /// The topics that somebody is subscribed to.
    pub(crate) fn subscribed(&self) -> BTreeSet<&str> {
        self.subscriptions.iter().map(|subscription| &*subscription.topic).collect()
    }

    pub(crate) fn uses(&self, serializer: Serializer) -> bool {
        self.sockets.iter().any(|socket| socket.open && socket.serializer == serializer)
    }

    pub(crate) fn is_paused(&self, socket: usize) -> bool {
        self.sockets[socket].paused
    }

    // What the rules are made of.

    fn mark(&mut self, mark: Mark) {
        self.marks.see(mark);
    }

    fn note(&mut self, socket: usize, notice: &Notice) {
        self.said.push(Said::notice(socket, notice));
    }

    fn mark_if(&mut self, condition: bool, mark: Mark) {
        if condition {
            self.mark(mark);
        }
    }

    pub(crate) fn limits_of(&self, socket: usize) -> Limits {
        self.mounts[self.sockets[socket].mount].limits
    }

    /// The channel of a socket that messages for this topic reach: never two.
    fn reachable(&self, socket: usize, topic: &str) -> Option<usize> {
        let is_it =
            |channel: &Channel| channel.socket == socket && channel.topic == topic && channel.is_reachable();
        assert!(self.channels.iter().filter(|channel| is_it(channel)).count() <= 1, "one channel a topic");
        self.channels.iter().position(is_it)
    }

    /// The channels of a socket in the order of their joins.
    fn channels_of(&self, socket: usize) -> Vec<usize> {
        let of = |&channel: &usize| {
            self.channels[channel].socket == socket && self.channels[channel].is_reachable()
        };
        (0..self.channels.len()).filter(of).collect()
    }

    /// Whether a socket is served as Phoenix 1.8.9 would.
    fn is_older(&self, socket: usize) -> bool {
        self.mounts[self.sockets[socket].mount].compat == Compat::Phoenix1_8_9
    }

    fn say_to(&mut self, socket: usize, heard: Heard) {
        let Socket { open, serializer, .. } = self.sockets[socket];
        if let Some(heard) = heard.on(serializer).filter(|_| open) {
            self.said.push(Said::Send { to: socket, heard });
        }
    }

    fn call(&mut self, channel: usize, asked: Asked) {
        let call = self.calls;
        self.calls += 1;
        self.channels[channel].running = Some(call);
        self.said.push(Said::Call { socket: self.channels[channel].socket, channel, call, asked });
    }

    fn add_subscription(&mut self, topic: &str, who: Who) {
        if !self.subscribed().contains(topic) {
            self.said.push(Said::Interest { topic: topic.to_owned(), wanted: true });
        }
        self.subscriptions.push(Subscription { topic: topic.to_owned(), who });
    }

    /// Ends all subscriptions of somebody to a topic.
    fn end_subscription(&mut self, topic: &str, who: Who) {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|other| other.topic != topic || other.who != who);
        if self.subscriptions.len() < before && !self.subscribed().contains(topic) {
            self.said.push(Said::Interest { topic: topic.to_owned(), wanted: false });
        }
    }

    /// The channel by which a socket has joined a topic.
    fn member(&self, topic: &str, socket: usize) -> Option<usize> {
        self.members(topic).into_iter().find(|&channel| self.channels[channel].socket == socket)
    }

    fn members(&self, topic: &str) -> Vec<usize> {
        let on_topic = self.subscriptions.iter().filter(|subscription| subscription.topic == topic);
        let member = |subscription: &Subscription| match subscription.who {
            Who::Member(channel) => Some(channel),
            Who::Listener(_) | Who::Socket(_) => None,
        };
        on_topic.filter_map(member).collect()
    }

    fn route(&self, socket: usize, topic: &str) -> Option<usize> {
        // The first that matches wins, and a star at the end stands for anything.
        let matches = |pattern: &str| match pattern.strip_suffix('*') {
            Some(start) => topic.starts_with(start),
            None => topic == pattern,
        };
        self.mounts[self.sockets[socket].mount].routes.iter().position(|(pattern, _)| matches(pattern))
    }

    fn intercepts(&self, channel: usize, event: &str) -> bool {
        self.intercepted(channel).contains(&event)
    }

    fn intercepted(&self, channel: usize) -> &'static [&'static str] {
        let Channel { socket, route, .. } = self.channels[channel];
        self.mounts[self.sockets[socket].mount].routes[route].1
    }

    /// Why the channels of a socket end that has ended.
    fn ending(&self, socket: usize) -> Reason {
        if self.sockets[socket].drained { Reason::Draining } else { Reason::Closed }
    }
}

impl Channel {
    /// Messages of the client reach it: until its `phx_close`, or the end of it.
    pub(crate) fn is_reachable(&self) -> bool {
        !matches!(self.phase, Phase::Closing | Phase::Over)
    }

    /// Something must be decided before a message for this topic can be acted on: whether the join
    /// succeeds, or, `terminate` of a crash being run, when `phx_error` is sent. Bennu's own: a join holds
    /// back its own topic, not the connection.
    fn is_undecided(&self) -> bool {
        matches!(self.phase, Phase::Held | Phase::Joining | Phase::Crashing)
    }

    /// The join_ref that replies and pushes carry.
    pub(crate) fn own_ref(&self) -> Option<&String> {
        self.join_ref.as_ref().or(self.msg_ref.as_ref())
    }

    fn word(&self) -> Word {
        Word::Text(self.topic.clone())
    }
}
