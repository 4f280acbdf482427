//! Servers on free ports of the loopback.

use crate::app::{Probe, Probing, Room, Told};
use crate::rt::{RUNTIME, Serve};
use bennu::{Builder, Endpoint, SocketSettings};
use std::io;
use std::net::SocketAddr;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server, with an end of its own.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) endpoint: Endpoint,
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Serves an endpoint.
    pub(crate) fn start(endpoint: Endpoint) -> Self {
        Self::start_with(endpoint, |serve| serve)
    }

    /// The same with settings.
    pub(crate) fn start_with(
        endpoint: Endpoint,
        set: impl FnOnce(Serve<Endpoint>) -> Serve<Endpoint>,
    ) -> Self {
        let listener = crate::rt::bind(([127, 0, 0, 1], 0).into()).unwrap();
        // What a client floods shall wait at its side, not here in the kernel.
        socket2::SockRef::from(&listener).set_recv_buffer_size(16 * 1024).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = set(crate::rt::serve(listener, endpoint.clone())).with_graceful_shutdown(async move {
            // Only a message ends it, not the end of whoever could send it.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        });
        let served = tokio::spawn(async move { serve.await });
        Self { address, endpoint, stop, served }
    }

    /// Serves rooms at `/socket`.
    pub(crate) fn rooms() -> (Self, Told) {
        Self::rooms_with(|socket| socket)
    }

    /// The same with settings.
    pub(crate) fn rooms_with(
        set: impl FnOnce(SocketSettings<Probing>) -> SocketSettings<Probing>,
    ) -> (Self, Told) {
        Self::rooms_on(Endpoint::builder(), set)
    }

    /// The same on a node with settings.
    pub(crate) fn rooms_on(
        builder: Builder,
        set: impl FnOnce(SocketSettings<Probing>) -> SocketSettings<Probing>,
    ) -> (Self, Told) {
        let (endpoint, told) = rooms(builder, set);
        (Self::start(endpoint), told)
    }

    /// Asks it to end.
    pub(crate) fn stop(self) -> JoinHandle<io::Result<()>> {
        self.stop.send(()).expect("it serves");
        self.served
    }
}

/// Rooms at `/socket`, not served yet.
pub(crate) fn rooms(
    builder: Builder,
    set: impl FnOnce(SocketSettings<Probing>) -> SocketSettings<Probing>,
) -> (Endpoint, Told) {
    let (probe, told) = Probe::new();
    let socket = set(bennu::socket(Probing(probe)).channel::<Room>("room:*"));
    (builder.socket("/socket", socket).build(RUNTIME), told)
}
