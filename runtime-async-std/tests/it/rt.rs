//! The runtime under test. Clients are always on tokio, in the same process.

pub(crate) use bennu_async_std::{Serve, bind, serve};
use std::time::Duration;

pub(crate) const RUNTIME: bennu_async_std::AsyncStd = bennu_async_std::AsyncStd;

/// Of how many streams that axum has accepted, one at a time, any task may write to them: they are tokio's.
pub(crate) const ADOPTED_FROM_AXUM: usize = 0;

/// Time passes as it does: this runtime has no other.
pub(crate) fn pause() {}

/// The same.
pub(crate) fn resume() {}

/// So much of it passes.
pub(crate) async fn advance(time: Duration) {
    tokio::time::sleep(time).await;
}
