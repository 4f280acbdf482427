//! Where one client comes in.

use crate::handshake::Handshake;
use crate::transport::{self, Secure};
use bennu::{Carrier, ConnectionTask, Handover, RequestLimits};
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower_service::Service;

/// What holds for a client until its connection is a WebSocket.
pub(crate) struct Door {
    pub(crate) peer: SocketAddr,
    pub(crate) secure: Secure,
    pub(crate) handshake: Handshake,
    pub(crate) limits: RequestLimits,
}

impl Door {
    /// Serves HTTP until that has come to its end; returns the connection that it has become, if it has.
    pub(crate) async fn open<S, B>(
        self,
        stream: TcpStream,
        app: S,
        mut ending: watch::Receiver<()>,
    ) -> Option<ConnectionTask>
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let Self { peer, secure, handshake, limits } = self;
        let deadline = handshake.deadline();
        let handover = Handover::new(Carrier { peer: Some(peer), scheme: secure.scheme() });
        let stamp = handover.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(stamp.clone());
            app.clone().call(request)
        });
        // Borrowed, since the end waits until all receivers are dropped: this one when the connection has ended.
        let ended = async {
            let _ = ending.changed().await;
        };
        let result = match transport::accept(stream, &secure, &handshake).await {
            Ok(stream) => {
                let http = handshake.http(deadline, limits);
                handshake.bound(deadline, transport::serve(stream, &http, service, ended)).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::debug!(%peer, %error, "a connection ended early");
            return None;
        }
        handover.connection().await
    }
}
