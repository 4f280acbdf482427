//! Where clients come in.

use crate::plain::Plain;
use crate::transport::{self, Accepted, Secure};
use bennu::serving::{App, Handover, Http, TurnedAway};
use bennu::{Carrier, ConnectionTask, Endpoint};
#[cfg(feature = "tls")]
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// What all clients are served with. The end waits until it is dropped: as long as it holds a receiver, somebody is
/// still being served HTTP.
pub(crate) struct Door<S> {
    pub(crate) endpoint: Endpoint,
    pub(crate) http: Http<S>,
    pub(crate) secure: Secure,
    pub(crate) ending: watch::Receiver<()>,
}

impl<S: App> Door<S> {
    /// Serves HTTP to somebody who has been accepted until that has come to its end; returns the connection that it has
    /// become, if it has.
    pub(crate) async fn admit(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Option<ConnectionTask> {
        let handover = Handover::new(Carrier { peer: Some(peer), scheme: self.secure.scheme() });
        let served = self.serve(stream, &handover).await;
        drop(self);
        match served {
            Ok(()) => handover.connection().await,
            Err(error) => {
                tracing::debug!(%peer, %error, "a connection ended early");
                None
            }
        }
    }

    async fn serve(&self, stream: TcpStream, handover: &Handover) -> io::Result<()> {
        let Self { http, secure, ending, .. } = self;
        let deadline = Instant::now() + http.handshake().timeout();
        let ended = async {
            let _ = ending.clone().changed().await;
        };
        let accepted = transport::accept(stream, secure, http.handshake()).await;
        match accepted.inspect_err(|error| self.count_late(error, TurnedAway::LateTls))? {
            Accepted::Plain(stream) => {
                self.bound(deadline, pin!(http.serve(Plain::new(stream), handover, None, ended))).await
            }
            #[cfg(feature = "tls")]
            Accepted::Tls(stream) => {
                let left = deadline.saturating_duration_since(Instant::now());
                let mut serving = Box::pin(http.serve(TokioIo::new(*stream), handover, Some(left), ended));
                self.bound(deadline, serving.as_mut()).await
            }
        }
    }

    /// Awaits all that is served on a connection, as long as it may take.
    async fn bound(
        &self,
        deadline: Instant,
        serving: Pin<&mut impl Future<Output = hyper::Result<()>>>,
    ) -> io::Result<()> {
        if self.http.handshake().bounds_everything() {
            let served = timeout_at(deadline, serving).await.map_err(io::Error::from);
            return self.served(served.inspect_err(|error| self.count_late(error, TurnedAway::Late))?);
        }
        self.served(serving.await)
    }

    fn served(&self, served: hyper::Result<()>) -> io::Result<()> {
        if let Some(why) = served.as_ref().err().and_then(TurnedAway::of) {
            self.endpoint.count_turned_away(why);
        }
        served.map_err(io::Error::other)
    }

    fn count_late(&self, error: &io::Error, late: TurnedAway) {
        if error.kind() == io::ErrorKind::TimedOut {
            self.endpoint.count_turned_away(late);
        }
    }
}
