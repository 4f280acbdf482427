//! The runtime under test. Clients are always on tokio, in the same process.

pub(crate) use bennu_tokio::{Serve, bind, serve};
use std::time::Duration;

pub(crate) const RUNTIME: bennu_tokio::Tokio = bennu_tokio::Tokio;

/// Of how many streams that axum has accepted, one at a time, any task may write to them.
pub(crate) const ADOPTED_FROM_AXUM: usize = 1;

/// From here on time passes at once, as long as everybody waits.
pub(crate) fn pause() {
    tokio::time::pause();
}

/// It passes as it does.
pub(crate) fn resume() {
    tokio::time::resume();
}

/// So much of it passes.
pub(crate) async fn advance(time: Duration) {
    tokio::time::advance(time).await;
}
