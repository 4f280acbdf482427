//! A runtime whose time is short.

use crate::rt::RUNTIME;
use bennu::{BoxFuture, Instant, PlainStream, Runtime};
use bytes::Bytes;
use hyper::upgrade::Upgraded;
use std::time::Duration;

/// How many times faster time goes by for [`Hasty`].
pub(crate) const HASTE: u32 = 20;

/// The runtime under test, for which a second takes 50 ms.
pub(crate) struct Hasty;

impl Runtime for Hasty {
    fn spawn(&self, future: BoxFuture<'static, ()>) {
        RUNTIME.spawn(future);
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        RUNTIME.sleep(delay / HASTE)
    }

    fn yield_now(&self) -> BoxFuture<'static, ()> {
        RUNTIME.yield_now()
    }

    fn now(&self) -> Instant {
        Instant::EPOCH + RUNTIME.now().duration_since(Instant::EPOCH) * HASTE
    }

    fn adopt(&self, upgraded: Upgraded) -> Result<(Box<dyn PlainStream>, Bytes), Upgraded> {
        RUNTIME.adopt(upgraded)
    }
}
