//! Nothing is counted.

use super::{Connect, Dropped, Limit, Polls};
use crate::letter::Letter;
use crate::link::Transport;
use crate::peer::Peer;
use bennu_core::server::{Event, Fanout, Outcome, Server};
use bennu_core::wire::Serializer;
use bennu_core::{Frame, Instant};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Metrics;

#[derive(Debug, Default)]
pub(crate) struct Tally(());

#[derive(Debug)]
pub(crate) struct Begun;

#[derive(Debug, Default)]
pub(crate) struct Sizes(());

#[derive(Clone, Debug, Default)]
pub(crate) struct Reached(());

impl Metrics {
    pub(crate) fn register() -> Self {
        Self
    }

    pub(crate) fn tell(&self, _: &mut Tally) {}

    pub(crate) fn limit(&self, _: Limit) {}

    pub(crate) fn dropped(&self, _: Dropped, _: usize) {}

    pub(crate) fn polled(&self, _: Polls) {}

    pub(crate) fn asked(&self, _: Connect) {}

    pub(crate) fn connected(&self, _: Transport) {}

    pub(crate) fn disconnected(&self, _: Transport) {}

    pub(crate) fn broadcast(&self) {}

    pub(crate) fn drained(&self, _: usize) {}

    pub(crate) fn resize(&self, _: &mut Sizes, _: impl FnOnce() -> (usize, usize)) {}

    pub(crate) fn begin(&self, _: &Event<Letter>, _: impl FnOnce() -> Instant) -> Begun {
        Begun
    }

    pub(crate) fn end(&self, _: Begun, _: &Outcome<Letter>, _: impl FnOnce() -> Instant) {}
}

impl Reached {
    pub(crate) fn by(_: &Fanout, _: &Server<Arc<Peer>, Letter>) -> Self {
        Self(())
    }

    pub(crate) fn add(&mut self, _: Self) {}
}

impl Tally {
    /// Nothing yet.
    pub(crate) const NEW: Self = Self(());

    pub(crate) fn receive(&mut self) {}

    pub(crate) fn replace_pong(&mut self) {}

    pub(crate) fn read(&mut self, _: usize) {}

    pub(crate) fn write(&mut self, _: usize) {}

    pub(crate) fn write_all(&mut self, _: &[Frame]) {}

    pub(crate) fn send(&mut self) {}

    pub(crate) fn deliver(&mut self, _: &Reached, _: impl Fn(Serializer) -> bool) {}

    pub(crate) fn add(&mut self, _: &Self) {}
}
