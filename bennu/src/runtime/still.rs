//! A runtime for tests of what runs on one.

use super::{BoxFuture, PlainStream, Runtime};
use bennu_core::Instant;
use bytes::Bytes;
use hyper::upgrade::Upgraded;
use std::future::{pending, ready};
// Not one that a model watches: it is the model's own.
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A runtime whose clock stands still. What is spawned on it waits for the test, which may let it run.
#[derive(Clone, Default)]
pub(crate) struct Still(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl Still {
    /// Takes what has been spawned, oldest first.
    pub(crate) fn spawned(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut *self.0.lock().expect("no test panics with it"))
    }
}

impl Runtime for Still {
    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.0.lock().expect("no test panics with it").push(future);
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(pending())
    }

    fn yield_now(&self) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }

    fn now(&self) -> Instant {
        Instant::EPOCH
    }

    fn adopt(&self, upgraded: Upgraded) -> Result<(Box<dyn PlainStream>, Bytes), Upgraded> {
        Err(upgraded)
    }
}
