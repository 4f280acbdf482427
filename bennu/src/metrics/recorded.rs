//! Counters, gauges and histograms, as the recorder has made them.

use super::label::{By, Connect, Direction, Dropped, Handler, Join, Limit, Polls};
use crate::letter::Letter;
use crate::link::Transport;
use crate::peer::Peer;
use bennu_core::server::{Event, Fanout, Outcome, Server};
use bennu_core::wire::{PerSerializer, Serializer};
use bennu_core::{Frame, Instant};
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;

/// What a node tells its recorder: the one that was installed when the node was built. Looked up once, so that to count
/// is to add to a number.
#[derive(Debug)]
pub(crate) struct Metrics {
    connections: Each<By, Gauge>,
    connects: Each<Connect, Counter>,
    channels: Gauge,
    topics: Gauge,
    joins: Each<Join, Counter>,
    messages: Each<Direction, Counter>,
    received_bytes: Counter,
    sent_bytes: Counter,
    broadcasts: Counter,
    deliveries: Counter,
    dropped: Each<Dropped, Counter>,
    limits: Each<Limit, Counter>,
    polls: Each<Polls, Counter>,
    handlers: Each<Handler, Histogram>,
    crashes: Each<Handler, Counter>,
    drained: Counter,
    outbox_frames: Gauge,
    outbox_bytes: Gauge,
    outbox_largest: Gauge,
    mailbox_messages: Gauge,
}

/// The values of a label.
pub(super) trait Label: Copy + 'static {
    const ALL: &'static [Self];

    fn value(self) -> &'static str;

    /// Its place in [`ALL`](Self::ALL).
    fn place(self) -> usize;
}

/// One metric for each value of a label.
struct Each<L, M> {
    all: Box<[M]>,
    label: PhantomData<fn(L)>,
}

impl<L: Label, M> Each<L, M> {
    fn new(make: impl Fn(&'static str) -> M) -> Self {
        Self { all: L::ALL.iter().map(|label| make(label.value())).collect(), label: PhantomData }
    }

    fn of(&self, label: L) -> &M {
        &self.all[label.place()]
    }
}

impl<L, M> fmt::Debug for Each<L, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each").finish_non_exhaustive()
    }
}

/// What has been counted since it was told last: plain numbers.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    received: u64,
    received_bytes: u64,
    sent: u64,
    sent_bytes: u64,
    deliveries: u64,
    skipped: u64,
    pongs: u64,
}

/// A handler that runs.
#[derive(Debug)]
pub(crate) struct Begun {
    handler: Handler,
    at: Instant,
}

/// How much of a shard has been told.
#[derive(Debug, Default)]
pub(crate) struct Sizes {
    channels: usize,
    topics: usize,
}

/// How many a broadcast is queued for, by serializer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached {
    members: PerSerializer<u64>,
}

/// What waits on the whole node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Depths {
    pub(crate) outbox_frames: usize,
    pub(crate) outbox_bytes: usize,
    /// What waits for the one client for which most does.
    pub(crate) outbox_largest: usize,
    pub(crate) mailbox_messages: usize,
}

impl Metrics {
    /// Registers everything with the recorder that is installed, so that each series is there from the start; with none,
    /// everything that is told is told to nobody.
    pub(crate) fn register() -> Self {
        describe();
        Self {
            connections: Each::new(|by| gauge!("bennu_connections", "transport" => by)),
            connects: Each::new(|result| counter!("bennu_connects_total", "result" => result)),
            channels: gauge!("bennu_channels"),
            topics: gauge!("bennu_topics"),
            joins: Each::new(|result| counter!("bennu_joins_total", "result" => result)),
            messages: Each::new(|direction| counter!("bennu_messages_total", "direction" => direction)),
            received_bytes: counter!("bennu_received_bytes_total"),
            sent_bytes: counter!("bennu_sent_bytes_total"),
            broadcasts: counter!("bennu_broadcasts_total"),
            deliveries: counter!("bennu_deliveries_total"),
            dropped: Each::new(|what| counter!("bennu_dropped_total", "what" => what)),
            limits: Each::new(|limit| counter!("bennu_limit_total", "limit" => limit)),
            polls: Each::new(|result| counter!("bennu_polls_total", "result" => result)),
            handlers: Each::new(|handler| histogram!("bennu_handler_seconds", "handler" => handler)),
            crashes: Each::new(|handler| counter!("bennu_crashes_total", "handler" => handler)),
            drained: counter!("bennu_drained_total"),
            outbox_frames: gauge!("bennu_outbox_frames"),
            outbox_bytes: gauge!("bennu_outbox_bytes"),
            outbox_largest: gauge!("bennu_outbox_largest_bytes"),
            mailbox_messages: gauge!("bennu_mailbox_messages"),
        }
    }

    /// Tells what has been counted; it starts anew.
    pub(crate) fn tell(&self, tally: &mut Tally) {
        let Tally { received, received_bytes, sent, sent_bytes, deliveries, skipped, pongs } =
            mem::take(tally);
        add(self.messages.of(Direction::In), received);
        add(&self.received_bytes, received_bytes);
        add(self.messages.of(Direction::Out), sent + deliveries);
        add(&self.sent_bytes, sent_bytes);
        add(&self.deliveries, deliveries);
        add(self.dropped.of(Dropped::Binary), skipped);
        add(self.limits.of(Limit::Pongs), pongs);
    }

    /// Somebody has met a limit.
    pub(crate) fn limit(&self, limit: Limit) {
        self.limits.of(limit).increment(1);
    }

    /// So many messages have been lost.
    pub(crate) fn dropped(&self, what: Dropped, messages: usize) {
        add(self.dropped.of(what), messages as u64);
    }

    /// A poll is over.
    pub(crate) fn polled(&self, result: Polls) {
        self.polls.of(result).increment(1);
    }

    /// Somebody has asked to connect.
    pub(crate) fn asked(&self, result: Connect) {
        self.connects.of(result).increment(1);
    }

    /// A connection has begun.
    pub(crate) fn connected(&self, transport: Transport) {
        self.connections.of(transport.into()).increment(1);
    }

    /// A connection has ended.
    pub(crate) fn disconnected(&self, transport: Transport) {
        self.connections.of(transport.into()).decrement(1);
    }

    /// A broadcast was made.
    pub(crate) fn broadcast(&self) {
        self.broadcasts.increment(1);
    }

    /// A drain has ended so many connections.
    pub(crate) fn drained(&self, connections: usize) {
        add(&self.drained, connections as u64);
    }

    /// How many channels and topics a shard has now.
    pub(crate) fn resize(&self, told: &mut Sizes, now: impl FnOnce() -> (usize, usize)) {
        let (channels, topics) = now();
        change(&self.channels, &mut told.channels, channels);
        change(&self.topics, &mut told.topics, topics);
    }

    /// A handler is about to run.
    pub(crate) fn begin(&self, event: &Event<Letter>, now: impl FnOnce() -> Instant) -> Begun {
        Begun { handler: Handler::of(event), at: now() }
    }

    /// A handler has answered.
    pub(crate) fn end(&self, begun: Begun, outcome: &Outcome<Letter>, now: impl FnOnce() -> Instant) {
        let Begun { handler, at } = begun;
        self.handlers.of(handler).record(now().duration_since(at));
        if outcome.is_crash() {
            self.crashes.of(handler).increment(1);
        }
        if handler == Handler::Join {
            let result = match outcome {
                Outcome::Joined { .. } => Join::Ok,
                Outcome::Refused { .. } => Join::Error,
                Outcome::Continue { .. } | Outcome::Stop { .. } => Join::Crash,
            };
            self.joins.of(result).increment(1);
        }
    }

    /// What waits just now.
    pub(crate) fn depths(&self, depths: Depths) {
        let Depths { outbox_frames, outbox_bytes, outbox_largest, mailbox_messages } = depths;
        self.outbox_frames.set(outbox_frames as f64);
        self.outbox_bytes.set(outbox_bytes as f64);
        self.outbox_largest.set(outbox_largest as f64);
        self.mailbox_messages.set(mailbox_messages as f64);
    }
}

impl Tally {
    /// Nothing yet.
    pub(crate) const NEW: Self =
        Self { received: 0, received_bytes: 0, sent: 0, sent_bytes: 0, deliveries: 0, skipped: 0, pongs: 0 };

    /// A message of a client was taken.
    pub(crate) fn receive(&mut self) {
        self.received += 1;
    }

    /// A pong has taken the place of one that was owed.
    pub(crate) fn replace_pong(&mut self) {
        self.pongs += 1;
    }

    /// So many bytes came.
    pub(crate) fn read(&mut self, bytes: usize) {
        self.received_bytes += bytes as u64;
    }

    /// So many bytes went.
    pub(crate) fn write(&mut self, bytes: usize) {
        self.sent_bytes += bytes as u64;
    }

    /// These went, without the header that a WebSocket would have put in front of each.
    pub(crate) fn write_all(&mut self, frames: &[Frame]) {
        self.write(frames.iter().map(|frame| frame.body().len()).sum());
    }

    /// A message for one client was queued.
    pub(crate) fn send(&mut self) {
        self.sent += 1;
    }

    /// A broadcast was queued for those whom it has reached; a serializer that cannot carry it has them skipped.
    pub(crate) fn deliver(&mut self, reached: &Reached, can_carry: impl Fn(Serializer) -> bool) {
        for serializer in reached.members.serializers() {
            let members = reached.members[serializer];
            let count = if can_carry(serializer) { &mut self.deliveries } else { &mut self.skipped };
            *count += members;
        }
    }

    /// Takes over what another one has counted.
    pub(crate) fn add(&mut self, other: &Self) {
        let Self { received, received_bytes, sent, sent_bytes, deliveries, skipped, pongs } = other;
        self.received += received;
        self.received_bytes += received_bytes;
        self.sent += sent;
        self.sent_bytes += sent_bytes;
        self.deliveries += deliveries;
        self.skipped += skipped;
        self.pongs += pongs;
    }
}

impl Reached {
    /// The recipients of a fan-out. They are not visited for it, unless some intercept, or have another serializer.
    pub(crate) fn by(fanout: &Fanout, server: &Server<Arc<Peer>, Letter>) -> Self {
        let mut reached = Self::default();
        if fanout.is_uniform()
            && fanout.serializers().all(|other| other == Serializer::V2 || !server.uses(other))
        {
            let members = fanout.members() - usize::from(fanout.from().is_some());
            reached.members[Serializer::V2] = members as u64;
            return reached;
        }
        for (_, serializer) in server.recipients(fanout) {
            *reached.members.place(serializer) += 1;
        }
        reached
    }

    /// Those of another shard.
    pub(crate) fn add(&mut self, other: Self) {
        for serializer in other.members.serializers() {
            *self.members.place(serializer) += other.members[serializer];
        }
    }
}

impl Handler {
    fn of(event: &Event<Letter>) -> Self {
        match event {
            Event::In { .. } => Self::In,
            Event::Out { .. } => Self::Out,
            Event::Terminate(_) => Self::Terminate,
            Event::Info(_) | Event::Broadcast { .. } => Self::Info,
            Event::Join { .. } | _ => Self::Join,
        }
    }
}

impl From<Transport> for By {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::WebSocket => Self::WebSocket,
            Transport::LongPoll => Self::LongPoll,
            Transport::Carried => Self::Carried,
        }
    }
}

/// Adds what is not nothing.
fn add(counter: &Counter, value: u64) {
    if value > 0 {
        counter.increment(value);
    }
}

/// Moves a gauge that several shards share by what has changed in one of them.
fn change(gauge: &Gauge, told: &mut usize, now: usize) {
    let before = mem::replace(told, now);
    if now > before {
        gauge.increment((now - before) as f64);
    } else if now < before {
        gauge.decrement((before - now) as f64);
    }
}

/// What the metrics are, for those who see them without their table in the docs.
fn describe() {
    describe_gauge!("bennu_connections", Unit::Count, "Connections and long-poll sessions");
    describe_counter!("bennu_connects_total", Unit::Count, "Requests for a connection");
    describe_gauge!("bennu_channels", Unit::Count, "Channels, those joining and ending among them");
    describe_gauge!(
        "bennu_topics",
        Unit::Count,
        "Topics that somebody has joined, in each shard that has them"
    );
    describe_counter!("bennu_joins_total", Unit::Count, "Joins that a handler has decided");
    describe_counter!(
        "bennu_messages_total",
        Unit::Count,
        "Messages taken from clients, and queued for them"
    );
    describe_counter!("bennu_received_bytes_total", Unit::Bytes, "Bytes read from clients");
    describe_counter!("bennu_sent_bytes_total", Unit::Bytes, "Bytes written to clients");
    describe_counter!("bennu_broadcasts_total", Unit::Count, "Broadcasts made on this node");
    describe_counter!("bennu_deliveries_total", Unit::Count, "Broadcasts queued, one for each recipient");
    describe_counter!(
        "bennu_dropped_total",
        Unit::Count,
        "Messages that somebody was to have and did not get"
    );
    describe_counter!("bennu_limit_total", Unit::Count, "How often each limit was met");
    describe_counter!("bennu_polls_total", Unit::Count, "Polls of long-poll sessions");
    describe_histogram!("bennu_handler_seconds", Unit::Seconds, "How long handlers took, waiting included");
    describe_counter!("bennu_crashes_total", Unit::Count, "Handlers that panicked or failed");
    describe_counter!("bennu_drained_total", Unit::Count, "Connections that a drain has ended");
    describe_gauge!("bennu_outbox_frames", Unit::Count, "Frames that wait for clients, when last sampled");
    describe_gauge!("bennu_outbox_bytes", Unit::Bytes, "Bytes that wait for clients, when last sampled");
    describe_gauge!(
        "bennu_outbox_largest_bytes",
        Unit::Bytes,
        "The most that waits for one client, when last sampled"
    );
    describe_gauge!(
        "bennu_mailbox_messages",
        Unit::Count,
        "Messages that wait for handlers, when last sampled"
    );
}
