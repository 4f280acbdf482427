//! A runtime for tests of what runs on one.

use super::{BoxFuture, PlainStream, Runtime};
use bennu_core::Instant;
use bytes::Bytes;
use hyper::upgrade::Upgraded;
use std::future::{pending, ready};
// Not one that a model watches: it is the model's own.
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A runtime whose clock stands still until it is moved on. What is spawned on it waits for the test, which may let it
/// run.
#[derive(Clone, Default)]
pub(crate) struct Still(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    spawned: Vec<BoxFuture<'static, ()>>,
    now: Instant,
}

impl Still {
    /// Takes what has been spawned, oldest first.
    pub(crate) fn spawned(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut self.state().spawned)
    }

    /// Moves the clock on. Nobody is woken for that.
    #[cfg(not(bennu_loom))]
    pub(crate) fn advance(&self, by: Duration) {
        let mut state = self.state();
        state.now = state.now + by;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics with it")
    }
}

impl Runtime for Still {
    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.state().spawned.push(future);
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(pending())
    }

    fn yield_now(&self) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }

    fn now(&self) -> Instant {
        self.state().now
    }

    fn adopt(&self, upgraded: Upgraded) -> Result<(Box<dyn PlainStream>, Bytes), Upgraded> {
        Err(upgraded)
    }
}
