//! The endpoint as a service: from a request to a connection.

use crate::connection::{Connection, ConnectionTask};
use crate::hub::{Hub, Slot};
use crate::link::Line;
use crate::mount::{Admitted, Mounted};
use crate::panics::catch;
use crate::peer::Peer;
use crate::stream::Stream;
use crate::{BoxFuture, Endpoint, PlainStream, Refused};
use bennu_core::connect::{Vsn, examine};
use bennu_core::server::SocketId;
use bennu_core::websocket::handshake;
use bennu_core::wire::Serializer;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::upgrade::{OnUpgrade, Upgraded};
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The body of an endpoint's responses: empty, but for a sentence with some errors.
pub type ResponseBody = Full<Bytes>;

/// A future of the endpoint as a service.
pub type ResponseFuture = BoxFuture<'static, Result<Response<ResponseBody>, Infallible>>;

impl<B> tower_service::Service<Request<B>> for Endpoint
where
    B: Send + 'static,
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

/// Answers a request: with a connection, if it asks for one that may be.
async fn answer<B>(hub: &Arc<Hub>, request: Request<B>) -> Response<ResponseBody> {
    match open(hub, request).await {
        Ok(response) => response.map(|()| Full::default()),
        Err(response) => *response,
    }
}

/// Opens what is behind a request, once it has been upgraded.
async fn open<B>(
    hub: &Arc<Hub>,
    mut request: Request<B>,
) -> Result<Response<()>, Box<Response<ResponseBody>>> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, _) = request.into_parts();
    let (opening, response) = admit(hub, parts).await.map_err(Denied::into_response)?;
    hub.runtime.spawn(Box::pin(opening.wait(upgrade)));
    Ok(response)
}

/// The checks of the handshake, in Phoenix's order: what is to be opened, and the answer that says so.
pub(crate) async fn admit(hub: &Arc<Hub>, parts: Parts) -> Result<(Opening, Response<()>), Denied> {
    let found = hub
        .mounts()
        .iter()
        .enumerate()
        .find_map(|(place, mount)| Some((place, mount, mount.path.capture(parts.uri.path())?)));
    let Some((place, mount, variables)) = found else { return Err(status(StatusCode::NOT_FOUND)) };
    let Some(slot) = hub.admit() else { return Err(status(StatusCode::SERVICE_UNAVAILABLE)) };

    let carrier = hub.door().carrier(&parts);
    let mut admission = examine(&parts, variables, carrier, &mount.options).map_err(|refusal| {
        tracing::info!(socket = &*mount.name, %refusal, "a connection was refused");
        text(refusal.status(), refusal.body())
    })?;
    let serializer = match admission.vsn() {
        Vsn::Absent => Serializer::negotiate(None).ok(),
        Vsn::Text(vsn) => Serializer::negotiate(Some(vsn)).ok(),
        Vsn::NotText => None,
    };
    let Some(serializer) = serializer else {
        tracing::warn!(
            socket = &*mount.name,
            "a client speaks no version of the protocol that is known here"
        );
        return Err(status(StatusCode::FORBIDDEN));
    };
    if let Some(read) = &mount.session {
        let session = catch(|| std::future::ready(read(&parts.headers, &admission.params))).await;
        let session = session.map_err(|panic| Denied::BySocket(Refused::failed(panic)))?;
        session.into_iter().for_each(|session| admission.info.set_session(session));
    }
    tracing::debug!(
        socket = &*mount.name,
        parameters = ?hub.door().filter.params(&admission.params),
        "somebody wants to connect"
    );
    let admitted = Arc::clone(&mount.socket).connect(admission.params, admission.info).await;
    let admitted = admitted.map_err(Denied::BySocket)?;
    let request = Request::from_parts(parts, ());
    let accept = handshake::check_upgrade(&request)
        .map_err(|error| text(StatusCode::BAD_REQUEST, error.to_string()))?;

    let opening = Opening { hub: Arc::clone(hub), place, serializer, admitted, slot };
    Ok((opening, handshake::response(&accept, admission.subprotocol.as_deref())))
}

/// A request that opens nothing.
pub(crate) enum Denied {
    /// It is not as it has to be.
    AtTheDoor(Box<Response<ResponseBody>>),
    /// The application does not want it.
    BySocket(Refused),
}

impl Denied {
    /// What has failed, if it is no refusal.
    #[cfg(feature = "test")]
    pub(crate) fn cause(&self) -> Option<String> {
        match self {
            Self::AtTheDoor(_) => None,
            Self::BySocket(refused) => refused.cause(),
        }
    }

    pub(crate) fn into_response(self) -> Box<Response<ResponseBody>> {
        match self {
            Self::AtTheDoor(response) => response,
            Self::BySocket(refused) => Box::new(refused.into_response()),
        }
    }
}

/// A connection between its 101 and its first frame.
pub(crate) struct Opening {
    hub: Arc<Hub>,
    place: usize,
    serializer: Serializer,
    admitted: Admitted,
    slot: Slot,
}

impl Opening {
    /// The connection of somebody who was let in without a request.
    #[cfg(feature = "test")]
    pub(crate) fn admitted(hub: &Arc<Hub>, place: usize, admitted: Admitted, slot: Slot) -> Self {
        Self { hub: Arc::clone(hub), place, serializer: Serializer::V2, admitted, slot }
    }

    async fn wait(self, upgrade: OnUpgrade) {
        match upgrade.await {
            Ok(upgraded) => self.start(upgraded),
            Err(error) => tracing::debug!(%error, "an upgrade failed"),
        }
    }

    /// Hands the stream to a task of its own: this one has a handshake in its frame.
    fn start(self, upgraded: Upgraded) {
        match self.hub.runtime.adopt(upgraded) {
            Ok((plain, early)) => self.open(Some(plain), Stream::PLAIN, early),
            Err(foreign) => self.open(None, Stream::foreign(foreign), Bytes::new()),
        };
    }

    #[cfg(feature = "test")]
    pub(crate) fn serializer(&self) -> Serializer {
        self.serializer
    }

    /// Begins the connection over a stream.
    pub(crate) fn open(self, plain: Option<Box<dyn PlainStream>>, stream: Stream, early: Bytes) -> SocketId {
        let Self { hub, place, serializer, admitted, slot } = self;
        let mount: &Mounted = &hub.mounts()[place];
        let config = mount.websocket;
        let peer = Arc::new(Peer::new(plain, mount.outbox));
        let socket = hub.connect(&peer, serializer, place, admitted.id.as_deref());
        let line = Line { hub: slot, socket, serializer, patience: mount.patience };
        let link = (admitted.link)(line, admitted.id);
        let connection = Connection::new(link, peer, stream, early, config);
        hub.runtime.spawn_connection(ConnectionTask::new(connection));
        socket
    }
}

fn status(status: StatusCode) -> Denied {
    text(status, String::new())
}

fn text(status: StatusCode, body: String) -> Denied {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    Denied::AtTheDoor(Box::new(response))
}
