//! What the machine of a shard wants, carried out.

use super::guard::Met;
use super::{Hub, Shard};
use crate::flusher::TOGETHER;
use crate::letter::Letter;
use crate::link::{Dialect, Transport};
use crate::metrics::{Reached, Tally};
use crate::peer::{Notice, Peer, Queued, Work};
use crate::run::Tour;
use bennu_core::Kind;
use bennu_core::longpoll::Carries;
use bennu_core::server::{CloseReason, Fanout, Output, Server, SocketId};
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;

/// Whose outputs are drained: the owner takes its own work home instead of having it left.
pub(crate) struct Owner<'a> {
    pub(crate) socket: SocketId,
    pub(crate) work: &'a mut VecDeque<Work>,
    pub(crate) tally: &'a mut Tally,
}

/// What carrying out the outputs of one input leaves to be done.
#[derive(Default)]
struct Left {
    /// Peers that somebody has to flush.
    dirty: Vec<Arc<Peer>>,
    /// Sockets that take their messages too slowly.
    slow: Vec<SocketId>,
    met: Met,
    tally: Tally,
}

impl Hub {
    /// Carries out what the machine of a shard wants, before its lock is released.
    pub(crate) fn drain(&self, shard: &mut Shard, owner: Option<Owner<'_>>) {
        self.drain_on(shard, owner, None);
    }

    /// The same, where a broadcast has come on its tour.
    pub(super) fn drain_on(
        &self,
        shard: &mut Shard,
        mut owner: Option<Owner<'_>>,
        mut tour: Option<&mut Tour<'_>>,
    ) {
        let mut left = Left::default();
        loop {
            // Before anybody is told: what is published once a client knows that it has joined, it must not miss.
            if self.run.is_in(shard.server.shard()) && shard.revision != shard.server.revision() {
                self.run.seal();
            }
            while let Some(output) = shard.server.poll_output() {
                self.carry_out(shard, output, owner.as_mut(), tour.as_deref_mut(), &mut left);
            }
            let Some(socket) = left.slow.pop() else { break };
            shard.server.stop(socket, CloseReason::SlowConsumer, self.runtime.now());
        }
        self.flusher.mark(&mut left.dirty);
        let growth = shard.sizes.become_of(|| (shard.server.channels(), shard.server.topics()));
        if owner.is_none() || !growth.is_none() || left.met != Met::default() {
            let untold = shard.untold.get_or_insert_default();
            untold.growth.add(growth);
            untold.add(left.met);
            if owner.is_none() {
                untold.tally.add(&left.tally);
            }
        }
        if let Some(owner) = owner {
            owner.tally.add(&left.tally);
        }
        if let Some(next) = shard.server.poll_timeout() {
            shard.wake_sleeper_before(next);
        }
    }

    fn carry_out(
        &self,
        shard: &mut Shard,
        output: Output<Letter>,
        owner: Option<&mut Owner<'_>>,
        tour: Option<&mut Tour<'_>>,
        left: &mut Left,
    ) {
        let server = &shard.server;
        let (socket, work) = match output {
            Output::Send { to, frame } => {
                let Some(peer) = server.handle(to) else { return };
                left.tally.send();
                // Nothing may come in front of it from here on.
                if self.run.is_in(server.shard()) && peer.ends_open() {
                    self.run.seal();
                }
                // What comes of its own input, a peer cannot be cut off for.
                let is_answer = owner.is_some_and(|owner| owner.socket == to);
                let queued = if is_answer { peer.push_answer(frame) } else { peer.push(frame) };
                return left.note(peer, queued);
            }
            Output::Fanout(fanout) => return self.fan_out(shard, &fanout, tour, left),
            Output::Interest { topic, wanted } => return self.index.set(&topic, server.shard(), wanted),
            Output::Pause { socket } => {
                left.met.paused += 1;
                return notify(server, socket, |notice| notice.paused = true);
            }
            Output::Resume { socket } => return notify(server, socket, |notice| notice.paused = false),
            Output::Close { to, reason } => {
                if reason == CloseReason::SlowConsumer {
                    left.met.slow += 1;
                }
                return notify(server, to, |notice| notice.close = Some(reason));
            }
            Output::Call { socket, call, event } => (socket, Work::Call { call, event }),
            Output::Cancel { socket, call } => (socket, Work::Cancel { call }),
            Output::Ended { socket, channel } => (socket, Work::Ended { channel }),
            Output::Notice { socket, notice } => (socket, Work::Notice(notice)),
        };
        match owner {
            Some(owner) if owner.socket == socket => owner.work.push_back(work),
            _ => {
                if let Some(peer) = server.handle(socket) {
                    peer.leave(work);
                }
            }
        }
    }

    /// Queues a broadcast's frames, or those of the run that it opens, for each of its recipients.
    fn fan_out(&self, shard: &mut Shard, fanout: &Fanout, tour: Option<&mut Tour<'_>>, left: &mut Left) {
        let Shard { server, revision, .. } = shard;
        let place = server.shard();
        let reached = Reached::by(fanout, server);
        let can_merge = (place as usize) < self.merging;
        // What cannot be carried is not queued to be found out later. (What a format of one's own writes for those that poll
        // is: only the session knows that it is one of these, and not carried.)
        let frame_for = |serializer| {
            let frame = fanout.frame(serializer)?;
            let carries = || Dialect { serializer, transport: Transport::Carried }.carries();
            let can_have = can_merge || frame.kind() == Kind::Text || carries() == Carries::TextAndBytes;
            can_have.then_some(frame)
        };
        left.tally.deliver(&reached, |serializer| frame_for(serializer).is_some());
        let open = tour.and_then(|tour| tour.visit(fanout, place, can_merge, reached));
        if open.is_some() {
            *revision = server.revision();
        }
        left.dirty.reserve(fanout.members());
        let mut ahead = server.recipients(fanout);
        for (place, (peer, serializer)) in server.recipients(fanout).enumerate() {
            if place % TOGETHER == 0 {
                black_box(ahead.by_ref().take(TOGETHER).map(|(peer, _)| peer.touch()).sum::<usize>());
            }
            let open = open.and_then(|frames| frames.get(serializer)?.as_ref());
            if let Some(frame) = open.or_else(|| frame_for(serializer)) {
                left.note(peer, peer.push(frame.clone()));
            }
        }
    }
}

impl Left {
    /// Notes what queueing a frame has come to.
    fn note(&mut self, peer: &Arc<Peer>, queued: Queued) {
        match queued {
            Queued::Undertaken => {}
            Queued::Dirty => self.dirty.push(Arc::clone(peer)),
            Queued::Lost(lost) => self.met.lost += lost,
            Queued::Overflow => self.slow.extend(peer.id()),
        }
    }
}

fn notify(server: &Server<Arc<Peer>, Letter>, socket: SocketId, change: impl FnOnce(&mut Notice)) {
    if let Some(peer) = server.handle(socket) {
        peer.notify(change);
    }
}
