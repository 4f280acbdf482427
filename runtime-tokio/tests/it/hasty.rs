//! A runtime whose time is short.

use bennu::{BoxFuture, Instant, PlainStream, Runtime};
use bennu_tokio::Tokio;
use bytes::Bytes;
use hyper::upgrade::Upgraded;
use std::time::Duration;

/// How many times faster time goes by for [`Hasty`].
pub(crate) const HASTE: u32 = 20;

/// Tokio, for which a second takes 50 ms.
pub(crate) struct Hasty;

impl Runtime for Hasty {
    fn spawn(&self, future: BoxFuture<'static, ()>) {
        Tokio.spawn(future);
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        Tokio.sleep(delay / HASTE)
    }

    fn yield_now(&self) -> BoxFuture<'static, ()> {
        Tokio.yield_now()
    }

    fn now(&self) -> Instant {
        Instant::EPOCH + Tokio.now().duration_since(Instant::EPOCH) * HASTE
    }

    fn adopt(&self, upgraded: Upgraded) -> Result<(Box<dyn PlainStream>, Bytes), Upgraded> {
        Tokio.adopt(upgraded)
    }
}
