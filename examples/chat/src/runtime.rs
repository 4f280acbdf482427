//! The runtime: chosen by a feature, and named nowhere else.

#[cfg(not(feature = "tokio"))]
pub(crate) use on_async_std::{AsyncStd as Runtime, asked_to_stop, bind, block_on, read, serve};
#[cfg(feature = "tokio")]
pub(crate) use on_tokio::{Tokio as Runtime, asked_to_stop, bind, block_on, read, serve};

#[cfg(feature = "tokio")]
mod on_tokio {
    pub(crate) use bennu_tokio::{Tokio, bind, serve};
    pub(crate) use tokio::fs::read;

    pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.expect("a process that has just started has what a runtime needs").block_on(future)
    }

    /// Waits for Ctrl-C or SIGTERM.
    pub(crate) async fn asked_to_stop() {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminated() => {}
        }
    }

    #[cfg(unix)]
    async fn terminated() {
        use tokio::signal::unix::{SignalKind, signal};

        let Ok(mut signals) = signal(SignalKind::terminate()) else { return std::future::pending().await };
        signals.recv().await;
    }

    #[cfg(not(unix))]
    async fn terminated() {
        std::future::pending().await
    }
}

/// Async-std or smol, as `bennu-async-std` is built: both wait on the same reactor.
#[cfg(not(feature = "tokio"))]
mod on_async_std {
    pub(crate) use async_io::block_on;
    use async_signal::{Signal, Signals};
    pub(crate) use bennu_async_std::{AsyncStd, bind, serve};
    use futures_lite::StreamExt;
    use std::io;
    use std::path::Path;

    pub(crate) async fn read(path: &Path) -> io::Result<Vec<u8>> {
        let path = path.to_owned();
        blocking::unblock(move || std::fs::read(path)).await
    }

    /// Waits for Ctrl-C or SIGTERM.
    pub(crate) async fn asked_to_stop() {
        let Ok(mut signals) = Signals::new([Signal::Int, Signal::Term]) else {
            return std::future::pending().await;
        };
        signals.next().await;
    }
}
