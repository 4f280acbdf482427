//! The shards of a node: who holds which lock, and in what order.
//!
//! A shard is one [`Server`] behind one lock. Outputs are drained before the lock is released, so the
//! order in which frames are appended is the machine's order. No handler is polled, and nothing of the
//! application is called, under a lock, but for a format that has to write what the protocol says. Lock order: shard,
//! then topic index or peer; never two shards.

mod guard;
mod outputs;

pub(crate) use guard::ShardGuard;
pub(crate) use outputs::Owner;

use crate::door::Door;
use crate::flusher::Flusher;
use crate::format::refuse_lock_under_lock;
use crate::index::TopicIndex;
use crate::letter::Letter;
use crate::link::{Dialect, Transport};
use crate::longpoll::{Sessions, random_secret};
use crate::metrics::{Dropped, Limit, Metrics, Sizes, Tally};
use crate::mount::Mounted;
use crate::peer::Peer;
use crate::places::{Capacity, NoPlace, Places};
use crate::run::Run;
use crate::runtime::Runtime;
use crate::sleeper::{Deadlines, Sleeper};
use crate::subscription::{QueueLimits, Subscriptions};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use bennu_core::outbox::SlowConsumer;
use bennu_core::server::{
    Broadcast, ChannelId, CloseReason, Config, Server, SocketConfig, SocketId, TimerId,
};
use bennu_core::wire::{Formats, PerSerializer};
use bennu_core::{Frame, Instant, Topic};
use guard::Untold;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::task::Waker;

/// One node.
pub(crate) struct Hub {
    shards: Box<[Mutex<Shard>]>,
    /// So many of them have the WebSockets, whose broadcasts are merged into runs. Those behind them have the
    /// long-poll sessions, which have no use for a run.
    merging: usize,
    pub(crate) index: TopicIndex,
    pub(crate) flusher: Arc<Flusher>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) metrics: Arc<Metrics>,
    run: Run,
    /// Counts the passes of the flusher: broadcasts merge within one.
    batch: AtomicU64,
    mounts: Vec<Mounted>,
    door: Door,
    pub(crate) sessions: Sessions,
    /// Those of all mounts together; each mount has its own besides.
    places: Places,
    draining: AtomicBool,
    /// Connected sockets by serializer: whom a broadcast has to be encoded for.
    connected: PerSerializer<AtomicUsize>,
    next_shard: AtomicUsize,
    /// The mounts whose clients may lose broadcasts.
    lossy: Vec<usize>,
    /// Broadcasts that clients have lost, as they took too little.
    lost: AtomicU64,
}

/// One machine, and the deadlines of its connections.
pub(crate) struct Shard {
    pub(crate) server: Server<Arc<Peer>, Letter>,
    pub(crate) deadlines: Deadlines,
    /// Until when the sleeper sleeps.
    pub(crate) armed: Option<Instant>,
    pub(crate) sleeper: Option<Waker>,
    sizes: Sizes,
    untold: Option<Untold>,
    /// Of its machine, when the run that is open here was opened.
    revision: u64,
}

/// Who makes a broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// No channel.
    Nobody,
    /// A channel, which gets it too.
    Included(ChannelId),
    /// A channel, which does not.
    Excluded(ChannelId),
}

impl Sender {
    /// The channel that makes it.
    fn channel(self) -> Option<ChannelId> {
        match self {
            Self::Nobody => None,
            Self::Included(by) | Self::Excluded(by) => Some(by),
        }
    }
}

/// When the flusher is to write what has been queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kick {
    /// Now: the caller is no handler.
    Now,
    /// When the batch of inputs that the caller belongs to has been worked off.
    AtEndOfBatch,
}

impl Hub {
    /// A node with `shards` machines, whose tasks run on `runtime`.
    pub(crate) fn start(
        runtime: Arc<dyn Runtime>,
        shards: usize,
        mounts: Vec<Mounted>,
        mut door: Door,
        capacity: Capacity,
        queue: QueueLimits,
        hash_key: (u64, u64),
    ) -> Arc<Self> {
        let polls = mounts.iter().any(|mount| mount.longpoll.is_some() || mount.carried.is_some());
        let shards = shards.min(TopicIndex::MAX_SHARDS);
        let polled = if polls { shards.div_ceil(4) } else { 0 };
        let merging = shards.min(TopicIndex::MAX_SHARDS - polled);
        let shard = |shard: usize| {
            let config = Config {
                shard: u32::try_from(shard).expect("at most 63"),
                hash_key,
                mounts: mounts.iter().map(|mount| mount.machine.clone()).collect(),
            };
            Mutex::new(Shard {
                server: Server::new(config).with_formats(door.formats.clone()),
                deadlines: Deadlines::default(),
                armed: None,
                sleeper: None,
                sizes: Sizes::default(),
                untold: None,
                revision: 0,
            })
        };
        let lossy = (0..mounts.len()).filter(|&mount| mounts[mount].machine.is_lossy()).collect();
        let hub = Arc::new(Self {
            shards: (0..merging + polled).map(shard).collect(),
            merging,
            index: TopicIndex::default(),
            flusher: Arc::default(),
            runtime,
            run: Run::default(),
            batch: AtomicU64::new(0),
            mounts,
            sessions: Sessions::new(door.secret.take().unwrap_or_else(random_secret)),
            connected: door.formats.each(|_| AtomicUsize::new(0)),
            door,
            places: Places::new(capacity),
            subscriptions: Subscriptions::new(queue),
            metrics: Arc::new(Metrics::register()),
            draining: AtomicBool::new(false),
            next_shard: AtomicUsize::new(0),
            lossy,
            lost: AtomicU64::new(0),
        });
        let flusher = Flusher::run(Arc::downgrade(&hub), Arc::clone(&hub.metrics));
        hub.runtime.spawn(Box::pin(flusher));
        for shard in 0..hub.shards.len() {
            hub.runtime.spawn(Box::pin(Sleeper::new(&hub, shard)));
        }
        hub
    }

    pub(crate) fn shard(&self, shard: usize) -> ShardGuard<'_> {
        refuse_lock_under_lock();
        ShardGuard::new(self.shards[shard].lock(), self)
    }

    /// How many there are.
    pub(crate) fn shards(&self) -> usize {
        self.shards.len()
    }

    pub(crate) fn mounts(&self) -> &[Mounted] {
        &self.mounts
    }

    pub(crate) fn door(&self) -> &Door {
        &self.door
    }

    /// The serializers of its clients.
    pub(crate) fn formats(&self) -> &Formats {
        &self.door.formats
    }

    /// Takes a place for one more connection of a mount.
    pub(crate) fn admit(self: Arc<Self>, mount: usize) -> Result<Slot, NoPlace> {
        let taken = self.take_place(mount);
        match taken {
            Ok(()) => Ok(Slot { hub: Some(self), mount }),
            Err(why) => {
                self.metrics.limit(match why {
                    NoPlace::Draining | NoPlace::Full => Limit::Connections,
                    NoPlace::TooFast => Limit::AcceptRate,
                });
                tracing::debug!(socket = &*self.mounts[mount].name, ?why, "no place for a connection");
                Err(why)
            }
        }
    }

    /// First one of the mount: what comes to a socket too fast takes nothing of what the others have. And places before
    /// paces: for whom there is none, none is used up.
    fn take_place(&self, mount: usize) -> Result<(), NoPlace> {
        if self.draining.load(Ordering::Acquire) {
            return Err(NoPlace::Draining);
        }
        let (now, of_mount) = (self.runtime.now(), &self.mounts[mount].places);
        of_mount.count()?;
        self.places.count().inspect_err(|_| of_mount.give_back())?;
        of_mount.pace(now).and_then(|()| self.places.pace(now)).inspect_err(|_| self.give_back(mount))
    }

    /// A place of a mount is free again.
    pub(crate) fn give_back(&self, mount: usize) {
        self.places.give_back();
        self.mounts[mount].places.give_back();
    }

    /// Takes no connection any more.
    pub(crate) fn begin_drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// A peer has connected.
    pub(crate) fn connect(
        &self,
        peer: &Arc<Peer>,
        Dialect { serializer, transport }: Dialect,
        mount: usize,
        id: Option<&str>,
    ) -> SocketId {
        self.connected[serializer].fetch_add(1, Ordering::Relaxed);
        self.metrics.connected(transport);
        let turn = self.next_shard.fetch_add(1, Ordering::Relaxed);
        let polled = self.shards.len() - self.merging;
        let place = match transport {
            Transport::WebSocket => turn % self.merging,
            Transport::LongPoll | Transport::Carried => self.merging + turn % polled,
        };
        let mut shard = self.shard(place);
        let socket = SocketConfig { handle: Arc::clone(peer), serializer, mount, id };
        let now = self.runtime.now();
        let socket = shard.server.connect(socket, now);
        peer.connected(socket, transport, now);
        if self.draining.load(Ordering::Acquire) {
            // It was admitted before the node began to end; whoever ends the others has passed this shard,
            // or will find it here.
            shard.server.stop(socket, CloseReason::Draining, self.runtime.now());
        }
        self.drain(&mut shard, None);
        socket
    }

    /// A peer's transport has ended.
    pub(crate) fn disconnect(&self, socket: SocketId, dialect: Dialect, owner: Owner<'_>) {
        self.connected[dialect.serializer].fetch_sub(1, Ordering::Relaxed);
        self.metrics.disconnected(dialect.transport);
        let now = self.runtime.now();
        let mut shard = self.shard(socket.shard() as usize);
        shard.server.disconnect(socket, now);
        self.drain(&mut shard, Some(owner));
    }

    /// A peer's task has ended, and the handlers with it.
    pub(crate) fn abandon(&self, socket: SocketId) {
        let now = self.runtime.now();
        let mut shard = self.shard(socket.shard() as usize);
        shard.server.abandon(socket, now);
        self.drain(&mut shard, None);
    }

    /// A peer takes its messages too slowly.
    pub(crate) fn cut_off(&self, socket: SocketId) {
        self.stop(socket, CloseReason::SlowConsumer);
    }

    /// Ends a socket from this side.
    pub(crate) fn stop(&self, socket: SocketId, reason: CloseReason) {
        let now = self.runtime.now();
        let mut shard = self.shard(socket.shard() as usize);
        shard.server.stop(socket, reason, now);
        self.drain(&mut shard, None);
    }

    /// Sends a channel's push. To a channel that has ended, nothing is sent.
    pub(crate) fn push(&self, channel: ChannelId, frame: Frame) {
        let mut shard = self.shard(channel.shard() as usize);
        let _ = shard.server.push(channel, frame);
        self.drain(&mut shard, None);
    }

    /// Sends a deferred reply. To a socket that has gone, nothing is sent.
    pub(crate) fn reply(&self, socket: SocketId, frame: Frame) {
        let mut shard = self.shard(socket.shard() as usize);
        let _ = shard.server.reply(socket, frame);
        self.drain(&mut shard, None);
        drop(shard);
        self.flusher.kick();
    }

    /// Gives a channel a message, now or later.
    pub(crate) fn info(
        &self,
        channel: ChannelId,
        letter: Letter,
        at: Instant,
        kick: Kick,
    ) -> Result<TimerId, Letter> {
        let now = self.runtime.now();
        let mut shard = self.shard(channel.shard() as usize);
        let timer = shard.server.info(channel, letter, at, now).map_err(|undelivered| undelivered.0);
        self.drain(&mut shard, None);
        drop(shard);
        self.kick(kick);
        timer
    }

    pub(crate) fn cancel(&self, timer: TimerId) -> bool {
        let letter = self.shard(timer.channel().shard() as usize).server.cancel(timer);
        letter.is_some()
    }

    pub(crate) fn subscribe(&self, channel: ChannelId, topic: &str) {
        let now = self.runtime.now();
        let mut shard = self.shard(channel.shard() as usize);
        let _ = shard.server.subscribe(channel, topic, now);
        self.drain(&mut shard, None);
    }

    pub(crate) fn unsubscribe(&self, channel: ChannelId, topic: &str) {
        let now = self.runtime.now();
        let mut shard = self.shard(channel.shard() as usize);
        let _ = shard.server.unsubscribe(channel, topic, now);
        self.drain(&mut shard, None);
    }

    /// Sends a broadcast to everybody on this node: each shard that has the topic, one after the other,
    /// in the caller's task. Never waits.
    pub(crate) fn broadcast(&self, mut broadcast: Broadcast, sender: Sender, kick: Kick) {
        self.metrics.broadcast();
        let shards = self.index.get(broadcast.topic());
        if shards.is_empty() {
            // Nobody's run need end for it.
            return;
        }
        for serializer in self.connected.serializers() {
            if self.connected[serializer].load(Ordering::Relaxed) > 0 {
                broadcast.encode_with(self.formats(), serializer);
            }
        }
        let now = self.runtime.now();
        let mut tour = if self.may_lose(&broadcast) {
            self.run.pass(self.formats(), &broadcast)
        } else {
            self.run.begin(self.formats(), &broadcast, sender.channel(), self.batch.load(Ordering::Relaxed))
        };
        let appended = tour.appended();
        let mut tally = Tally::default();
        tally.deliver(tour.reached(), |serializer| broadcast.frame(serializer).is_some());
        self.metrics.tell(&mut tally);
        for place in shards {
            let has_it = appended & (1 << place) != 0;
            if place == TopicIndex::OUTSIDE {
                let lost = self.subscriptions.deliver(&broadcast);
                if lost > 0 {
                    self.metrics.limit(Limit::Subscription);
                    self.metrics.dropped(Dropped::Subscription, lost);
                }
                continue;
            }
            // Only the sender's own shard knows the sender.
            let own = sender.channel().filter(|by| by.shard() == place);
            let gets_copy = own.filter(|_| matches!(sender, Sender::Included(_)));
            if has_it && gets_copy.is_none() {
                continue;
            }
            let mut shard = self.shard(place as usize);
            match gets_copy {
                Some(by) if has_it => shard.server.send_copy(by, &broadcast, now),
                Some(by) => shard.server.broadcast_by(by, &broadcast, now),
                None => shard.server.broadcast(&broadcast, own, now),
            }
            self.drain_on(&mut shard, None, Some(&mut tour));
        }
        tour.finish();
        self.kick(kick);
    }

    /// Whether there may be clients who may lose a broadcast.
    fn may_lose(&self, broadcast: &Broadcast) -> bool {
        let policy =
            |mount: usize| self.mounts[mount].machine.slow_consumer(broadcast.topic(), broadcast.event());
        self.lossy.iter().any(|&mount| policy(mount) != SlowConsumer::Disconnect)
    }

    /// Ends the run that is open, so that it can be written.
    pub(crate) fn seal(&self) {
        self.run.seal();
    }

    /// Begins a pass of the flusher: what is queued from here on belongs to another batch.
    pub(crate) fn begin_batch(&self) {
        self.batch.fetch_add(1, Ordering::Relaxed);
        self.seal();
    }

    fn kick(&self, kick: Kick) {
        if kick == Kick::Now {
            self.flusher.kick();
        }
    }

    /// Ends every socket.
    pub(crate) fn stop_all(&self, reason: CloseReason) {
        let now = self.runtime.now();
        for place in 0..self.shards.len() {
            let mut shard = self.shard(place);
            for socket in shard.server.socket_ids() {
                shard.server.stop(socket, reason, now);
                self.drain(&mut shard, None);
            }
        }
    }

    /// The connected sockets of a mount, each with the number of its channels.
    pub(crate) fn sockets_of(&self, mount: usize) -> Vec<(SocketId, usize)> {
        (0..self.shards.len()).flat_map(|place| self.shard(place).server.sockets_of(mount)).collect()
    }

    /// How many sockets there are, those counted whose channels are still ending.
    pub(crate) fn sockets(&self) -> usize {
        (0..self.shards.len()).map(|place| self.shard(place).server.sockets()).sum()
    }

    /// Counts broadcasts that were dropped for a client.
    pub(crate) fn count_lost(&self, lost: usize) {
        self.lost.fetch_add(lost as u64, Ordering::Relaxed);
        self.metrics.dropped(Dropped::Slow, lost);
    }

    /// How many broadcasts clients have lost, as they took too little, each counted by itself.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// How many of them one connection has lost; none that is gone.
    pub(crate) fn lost_by(&self, socket: SocketId) -> u32 {
        let shard = self.shard(socket.shard() as usize);
        shard.server.handle(socket).map_or(0, |peer| peer.lost())
    }

    /// Subscribes from outside of channels.
    pub(crate) fn subscribe_outside(self: &Arc<Self>, topic: &str) -> crate::Subscription {
        crate::Subscription::new(self, Topic::from(topic))
    }
}

/// The place of somebody who is about to connect; given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Until it is left to a connection.
    hub: Option<Arc<Hub>>,
    mount: usize,
}

impl Slot {
    pub(crate) fn mount(&self) -> usize {
        self.mount
    }

    /// Leaves the place to a connection, which has to [give it back](Hub::give_back).
    pub(crate) fn leave(mut self) -> Arc<Hub> {
        self.hub.take().expect("only here is it taken")
    }
}

impl Deref for Slot {
    type Target = Arc<Hub>;

    fn deref(&self) -> &Arc<Hub> {
        self.hub.as_ref().expect("it is taken with the slot")
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(hub) = &self.hub {
            hub.give_back(self.mount);
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.flusher.close();
        for place in 0..self.shards.len() {
            let mut shard = self.shard(place);
            let growth = shard.sizes.become_of(|| (0, 0));
            shard.untold.get_or_insert_default().growth.add(growth);
            if let Some(sleeper) = shard.sleeper.take() {
                sleeper.wake();
            }
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
