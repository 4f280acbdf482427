//! The endpoint as a service: from a request to a connection.

mod body;

pub use body::ResponseBody;

use crate::BoxFuture;
use crate::Endpoint;
use crate::connection::{Connection, ConnectionTask};
use crate::hub::{Hub, Slot};
use crate::link::{AnyLink, Dialect, Line, Transport};
use crate::longpoll::{self, Visit};
use crate::mount::{Admitted, Mounted};
use crate::peer::Peer;
use crate::stream::Stream;
use bennu_core::connect::{Admission, Carrier, Refusal, Scheme, Vsn, examine};
use bennu_core::websocket::handshake;
use bennu_core::wire::Serializer;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::Body;
use hyper::upgrade::{OnUpgrade, Upgraded};
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A future of the endpoint as a service.
pub type ResponseFuture = BoxFuture<'static, Result<Response<ResponseBody>, Infallible>>;

impl<B> tower_service::Service<Request<B>> for Endpoint
where
    B: Body<Data: Send, Error: Send> + Send + 'static,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        let hub = Arc::clone(self.hub());
        Box::pin(async move { Ok(answer(&hub, request).await) })
    }
}

/// Answers a request, by the transport whose path it has.
async fn answer<B: Body>(hub: &Arc<Hub>, mut request: Request<B>) -> Response<ResponseBody> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let carrier = parts.extensions.get().copied().unwrap_or(Carrier { peer: None, scheme: Scheme::Http });
    let path = parts.uri.path();
    for (place, mount) in hub.mounts().iter().enumerate() {
        if let Some(variables) = mount.path.capture(path) {
            let examined = examine(&parts, variables, carrier, &mount.options);
            return match open(hub, place, parts, examined, upgrade).await {
                Ok(response) => response.map(|()| ResponseBody::default()),
                Err(response) => *response,
            };
        }
        let Some(door) = &mount.longpoll else { continue };
        if let Some(variables) = door.path.capture(path) {
            let visit = Visit { hub, place, door, carrier };
            return longpoll::answer(visit, &parts, variables, body).await;
        }
    }
    *status(StatusCode::NOT_FOUND)
}

/// Opens a WebSocket, by the checks of the handshake in Phoenix's order.
async fn open(
    hub: &Arc<Hub>,
    place: usize,
    parts: Parts,
    examined: Result<Admission, Refusal>,
    upgrade: OnUpgrade,
) -> Result<Response<()>, Box<Response<ResponseBody>>> {
    let Some(slot) = hub.admit() else { return Err(status(StatusCode::SERVICE_UNAVAILABLE)) };
    let admission = examined.map_err(|refusal| {
        tracing::info!(path = parts.uri.path(), %refusal, "a connection was refused");
        text(refusal.status(), refusal.body())
    })?;
    let Some(serializer) = negotiate(&admission, &parts) else { return Err(status(StatusCode::FORBIDDEN)) };
    let socket = Arc::clone(&hub.mounts()[place].socket);
    let admitted = socket.connect(admission.params, admission.info).await;
    let admitted = admitted.map_err(|refused| Box::new(refused.into_response().map(ResponseBody::from)))?;
    let request = Request::from_parts(parts, ());
    let accept = handshake::check_upgrade(&request)
        .map_err(|error| text(StatusCode::BAD_REQUEST, error.to_string()))?;

    let entrant = Entrant { place, serializer, transport: Transport::WebSocket, admitted, slot };
    hub.runtime.spawn(Box::pin(entrant.wait(upgrade)));
    Ok(handshake::response(&accept, admission.subprotocol.as_deref()))
}

/// The serializer that a client asks for; `None` if there is no such one.
pub(crate) fn negotiate(admission: &Admission, parts: &Parts) -> Option<Serializer> {
    let serializer = match admission.vsn() {
        Vsn::Absent => Serializer::negotiate(None).ok(),
        Vsn::Text(vsn) => Serializer::negotiate(Some(vsn)).ok(),
        Vsn::NotText => None,
    };
    if serializer.is_none() {
        tracing::warn!(
            path = parts.uri.path(),
            "a client speaks no version of the protocol that is known here"
        );
    }
    serializer
}

/// Somebody who may connect, and has not yet.
pub(crate) struct Entrant {
    pub(crate) place: usize,
    pub(crate) serializer: Serializer,
    pub(crate) transport: Transport,
    pub(crate) admitted: Admitted,
    pub(crate) slot: Slot,
}

impl Entrant {
    /// Connects it to the machine.
    pub(crate) fn enter(self, peer: &Arc<Peer>) -> Arc<dyn AnyLink> {
        let Self { place, serializer, transport, admitted, slot } = self;
        let dialect = Dialect { serializer, transport };
        let socket = slot.connect(peer, dialect, place, admitted.id.as_deref());
        let patience = slot.mounts()[place].patience;
        (admitted.link)(Line { hub: slot, socket, dialect, patience }, admitted.id)
    }

    /// Waits until its 101 is written.
    async fn wait(self, upgrade: OnUpgrade) {
        match upgrade.await {
            Ok(upgraded) => self.start(upgraded),
            Err(error) => tracing::debug!(%error, "an upgrade failed"),
        }
    }

    /// Hands the stream to a task of its own: this one has a handshake in its frame.
    fn start(self, upgraded: Upgraded) {
        let hub = Arc::clone(&self.slot);
        let (plain, stream, early) = match hub.runtime.adopt(upgraded) {
            Ok((plain, early)) => (Some(plain), Stream::PLAIN, early),
            Err(foreign) => (None, Stream::foreign(foreign), Bytes::new()),
        };
        let mount: &Mounted = &hub.mounts()[self.place];
        let peer = Arc::new(Peer::new(plain, mount.outbox));
        let link = self.enter(&peer);
        let connection = Connection::new(link, peer, stream, early, mount.websocket);
        hub.runtime.spawn_connection(ConnectionTask::new(connection));
    }
}

fn status(status: StatusCode) -> Box<Response<ResponseBody>> {
    text(status, String::new())
}

fn text(status: StatusCode, body: String) -> Box<Response<ResponseBody>> {
    let mut response = Response::new(ResponseBody::from(Bytes::from(body)));
    *response.status_mut() = status;
    Box::new(response)
}
