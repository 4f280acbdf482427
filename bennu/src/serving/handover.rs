//! From HTTP to the connection, within one task.

use super::stream::Answers;
use crate::connection::ConnectionTask;
use crate::opening::Opening;
use bennu_core::connect::Carrier;
use hyper::upgrade::OnUpgrade;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;

/// Among a request's extensions: what carries it, and where the endpoint leaves the connection that it opens.
///
/// For whoever accepts connections and serves HTTP on them. Without it, a task of the endpoint's own waits for the
/// upgrade, and spawns another one for the connection: so it is under somebody else's server.
///
/// ```no_run
/// # use bennu::serving::Handover;
/// # use bennu::{Carrier, ConnectionTask, Endpoint, Scheme};
/// # use hyper::service::service_fn;
/// # async fn example(stream: impl hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static, endpoint: Endpoint)
/// # -> Option<ConnectionTask> {
/// use tower_service::Service;
///
/// let handover = Handover::new(Carrier { peer: None, scheme: Scheme::Http });
/// let service = service_fn(|mut request: http::Request<hyper::body::Incoming>| {
///     request.extensions_mut().insert(handover.clone());
///     endpoint.clone().call(request)
/// });
/// let http = hyper::server::conn::http1::Builder::new().serve_connection(stream, service).with_upgrades();
/// http.await.ok()?;
/// handover.connection().await
/// # }
/// ```
#[derive(Clone)]
pub struct Handover(Arc<Doorstep>);

struct Doorstep {
    carrier: Carrier,
    opening: Mutex<Option<(Opening, OnUpgrade)>>,
    /// The stream's, too, which may lie on this doorstep: it must not hold all of it.
    answers: Arc<Answers>,
}

impl Handover {
    /// For the requests of one HTTP connection.
    #[must_use]
    pub fn new(carrier: Carrier) -> Self {
        Self(Arc::new(Doorstep { carrier, opening: Mutex::new(None), answers: Arc::default() }))
    }

    /// What carries the requests, unless a [`Carrier`] among their extensions says otherwise.
    #[must_use]
    pub fn carrier(&self) -> Carrier {
        self.0.carrier
    }

    /// What has become of the HTTP connection: a task to run, if one of its requests has opened a connection.
    /// To be asked when HTTP has come to its end on it.
    pub async fn connection(self) -> Option<ConnectionTask> {
        let (opening, upgrade) = self.0.opening.lock().take()?;
        // It may be the last that HTTP has left.
        drop(self);
        opening.wait(upgrade).await
    }

    /// Drops what an earlier request has left: since there is another one, nothing has come of that.
    pub(crate) fn clear(&self) {
        let earlier = self.0.opening.lock().take();
        drop(earlier);
    }

    /// How far what its client is answered has come.
    pub(super) fn answers(&self) -> &Arc<Answers> {
        &self.0.answers
    }

    pub(crate) fn leave(&self, opening: Opening, upgrade: OnUpgrade) {
        *self.0.opening.lock() = Some((opening, upgrade));
    }
}

impl fmt::Debug for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handover").field("carrier", &self.0.carrier).finish_non_exhaustive()
    }
}
