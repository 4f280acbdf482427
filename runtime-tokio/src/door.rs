//! Where clients come in.

use crate::app::App;
use crate::handshake::Handshake;
use crate::plain::Plain;
use crate::transport::{self, Accepted, Secure};
use bennu::{Carrier, ConnectionTask, Handover, RequestLimits};
use http::Request;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1::{self, UpgradeableConnection};
use hyper::service::{HttpService, service_fn};
#[cfg(feature = "tls")]
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::watch;

/// What all clients are served with. The end waits until it is dropped: as long as it holds a receiver, somebody is
/// still being served HTTP.
pub(crate) struct Door<S> {
    app: S,
    secure: Secure,
    handshake: Handshake,
    http: http1::Builder,
    ending: watch::Receiver<()>,
}

impl<S: App> Door<S> {
    pub(crate) fn new(
        app: S,
        secure: Secure,
        handshake: Handshake,
        limits: RequestLimits,
        ending: watch::Receiver<()>,
    ) -> Self {
        Self { app, secure, handshake, http: handshake.http(limits), ending }
    }

    /// Answers requests until the stream ends, is upgraded, or everything does: then what has been begun is answered.
    async fn serve<I, H>(
        &self,
        mut connection: Pin<&mut UpgradeableConnection<I, H>>,
    ) -> Result<(), hyper::Error>
    where
        I: Read + Write + Unpin + Send + 'static,
        H: HttpService<Incoming, ResBody = S::Body>,
        H::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let ended = async {
            let mut ending = self.ending.clone();
            let _ = ending.changed().await;
        };
        tokio::select! {
            // Most have come to their end when they are first asked.
            biased;
            result = connection.as_mut() => return result,
            () = ended => {}
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    }
}

/// Who has been accepted.
pub(crate) struct Guest<S> {
    pub(crate) door: Arc<Door<S>>,
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
}

impl<S: App> Guest<S> {
    /// Serves HTTP until that has come to its end; returns the connection that it has become, if it has.
    pub(crate) async fn arrive(self) -> Option<ConnectionTask> {
        let Self { door, stream, peer } = self;
        let handover = Handover::new(Carrier { peer: Some(peer), scheme: door.secure.scheme() });
        if let Err(error) = answer(door, stream, &handover).await {
            tracing::debug!(%peer, %error, "a connection ended early");
            return None;
        }
        handover.connection().await
    }
}

async fn answer<S: App>(door: Arc<Door<S>>, stream: TcpStream, handover: &Handover) -> io::Result<()> {
    let handshake = &door.handshake;
    let deadline = handshake.deadline();
    let service = {
        let (door, handover) = (Arc::clone(&door), handover.clone());
        service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(handover.clone());
            door.app.clone().answer(request)
        })
    };
    // Pinned where they are made, and lent: each `async fn` that they were given to would keep them twice.
    match transport::accept(stream, &door.secure, handshake).await? {
        Accepted::Plain(stream) => {
            let http = pin!(door.http.serve_connection(Plain::new(stream), service).with_upgrades());
            handshake.bound(deadline, pin!(door.serve(http))).await
        }
        #[cfg(feature = "tls")]
        Accepted::Tls(stream) => {
            let builder = handshake.rest_of(deadline, &door.http);
            let mut http = Box::pin(builder.serve_connection(TokioIo::new(*stream), service).with_upgrades());
            handshake.bound(deadline, pin!(door.serve(http.as_mut()))).await
        }
    }
}
