//! The endpoint under test, its clients, and the time that they share.

use super::line::{Ended, Line};
use super::runtime::{Owner, VirtualRuntime};
use crate::test::report::Report;
use crate::watch::{Channel, Crash, Register};
use crate::{Builder, Endpoint};
use bennu_core::Ref;
use bennu_core::server::{ChannelId, SocketId};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// What a harness and everything it has given out share.
pub(super) struct Node {
    pub(super) runtime: VirtualRuntime,
    pub(super) endpoint: Endpoint,
    pub(super) register: Rc<RefCell<Register>>,
    pub(super) lines: RefCell<Vec<Line>>,
}

impl Node {
    pub(super) fn new(builder: Builder) -> Self {
        let runtime = VirtualRuntime::default();
        // One shard, so that the order of things is the same on every machine.
        let endpoint = builder.shards(1).build(runtime.clone());
        runtime.set_spawner(Owner::Application);
        Self { runtime, endpoint, register: Rc::default(), lines: RefCell::default() }
    }

    /// Runs what can run, until everything waits.
    #[track_caller]
    pub(super) fn run(&self) {
        let _open = Register::open(&self.register);
        loop {
            self.runtime.run();
            let now = self.runtime.time();
            let mut has_received = false;
            for line in self.lines.borrow_mut().iter_mut() {
                has_received |= line.receive(now);
            }
            if !has_received && self.runtime.is_at_rest() {
                return;
            }
        }
    }

    /// Moves time on, from one thing that is due to the next.
    #[track_caller]
    pub(super) fn advance(&self, by: Duration) {
        self.run();
        let until = self.runtime.time() + by;
        loop {
            let heartbeats = self.lines.borrow().iter().filter_map(Line::next_heartbeat).min();
            let next = heartbeats.into_iter().chain(self.runtime.next_timer()).min();
            let Some(at) = next.filter(|at| *at <= until) else { break };
            self.runtime.move_to(at);
            self.lines.borrow_mut().iter_mut().for_each(|line| line.beat(at));
            self.run();
        }
        self.runtime.move_to(until);
        self.run();
    }

    /// Does something with a client's end of a connection, behind all that has come to it.
    #[track_caller]
    pub(super) fn line<T>(&self, place: usize, act: impl FnOnce(&mut Line) -> T) -> T {
        self.run();
        act(&mut self.lines.borrow_mut()[place])
    }

    /// What is known of the channel that a client's join has made; `None` if it has made none.
    pub(super) fn channel<T>(
        &self,
        socket: SocketId,
        join_ref: &Ref,
        look: impl FnOnce(&Channel) -> T,
    ) -> Option<T> {
        let register = self.register.borrow();
        let is_it =
            |channel: &&Channel| channel.socket == socket && channel.msg_ref.as_ref() == Some(join_ref);
        register.channels.iter().rev().find(is_it).map(look)
    }

    /// Takes note that a test knows of a channel's crashes, and returns what they say.
    pub(super) fn expect_crashes(&self, channel: ChannelId) -> Vec<String> {
        let mut register = self.register.borrow_mut();
        let crashes = register.crashes.iter_mut().filter(|crash| crash.channel == channel);
        let look = |crash: &mut Crash| {
            crash.is_expected = true;
            crash.why.clone()
        };
        crashes.map(look).collect()
    }

    /// What may explain a failure.
    pub(super) fn report(&self) -> Report {
        Report::new(&self.runtime, &self.register.borrow(), &self.lines.borrow())
    }

    /// How a connection has ended, if it has.
    pub(super) fn ended(&self, place: usize) -> Option<Ended> {
        self.line(place, |line| line.ended)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.runtime.clear();
    }
}
