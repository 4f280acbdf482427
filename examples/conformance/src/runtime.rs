//! The runtime: chosen by a feature, and named nowhere else.

#[cfg(not(feature = "tokio"))]
pub(crate) use on_async_std::{AsyncStd as Runtime, bind, block_on, interrupted, serve};
#[cfg(feature = "tokio")]
pub(crate) use on_tokio::{Tokio as Runtime, bind, block_on, interrupted, serve};

#[cfg(feature = "tokio")]
mod on_tokio {
    pub(crate) use bennu_tokio::{Tokio, bind, serve};

    pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.expect("a process that has just started has what a runtime needs").block_on(future)
    }

    /// Waits for Ctrl-C.
    pub(crate) async fn interrupted() {
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// Async-std or smol, as `bennu-async-std` is built: both wait on the same reactor.
#[cfg(not(feature = "tokio"))]
mod on_async_std {
    pub(crate) use async_io::block_on;
    use async_signal::{Signal, Signals};
    pub(crate) use bennu_async_std::{AsyncStd, bind, serve};
    use futures_lite::StreamExt;

    /// Waits for Ctrl-C.
    pub(crate) async fn interrupted() {
        let Ok(mut signals) = Signals::new([Signal::Int]) else { return std::future::pending().await };
        signals.next().await;
    }
}
