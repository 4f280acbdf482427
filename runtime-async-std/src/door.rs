//! Where clients come in.

use crate::io::HyperIo;
use crate::transport::{self, Accepted, Secure};
use async_io::Async;
use bennu::serving::{App, Ending, Handover, Http, TurnedAway};
use bennu::{Carrier, ConnectionTask, Endpoint};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
#[cfg(feature = "tls")]
use std::time::Instant;

/// What all clients are served with, until the last of those who are served HTTP has dropped it.
pub(crate) struct Door<S> {
    pub(crate) endpoint: Endpoint,
    pub(crate) http: Http<S>,
    pub(crate) secure: Secure,
    pub(crate) ending: Ending,
}

impl<S: App> Door<S> {
    /// Serves HTTP to somebody who has been accepted until that has come to its end; returns the connection that it has
    /// become, if it has.
    pub(crate) async fn admit(
        self: Arc<Self>,
        stream: Async<TcpStream>,
        peer: SocketAddr,
    ) -> Option<ConnectionTask> {
        let handover = Handover::new(Carrier { peer: Some(peer), scheme: self.secure.scheme() });
        let served = self.serve(stream, &handover).await;
        let endpoint = self.endpoint.clone();
        drop(self);
        match served {
            Ok(()) => handover.connection().await,
            Err(error) => {
                if let Some(why) = TurnedAway::of(&error) {
                    endpoint.count_turned_away(why);
                }
                tracing::debug!(%peer, %error, "a connection ended early");
                None
            }
        }
    }

    async fn serve(&self, stream: Async<TcpStream>, handover: &Handover) -> io::Result<()> {
        let Self { http, secure, ending, .. } = self;
        #[cfg(feature = "tls")]
        let start = Instant::now();
        match transport::accept(stream, secure, http.handshake()).await? {
            Accepted::Plain(stream) => http.serve(HyperIo::new(stream), handover, None, ending.begun()).await,
            #[cfg(feature = "tls")]
            Accepted::Tls(stream) => {
                let left = http.handshake().timeout().saturating_sub(start.elapsed());
                Box::pin(http.serve(HyperIo::new(*stream), handover, Some(left), ending.begun())).await
            }
        }
    }
}
