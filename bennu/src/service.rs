//! The endpoint as a service: from a request to a connection.

mod body;

pub use body::ResponseBody;

use crate::connection::{Connection, ConnectionTask};
use crate::hub::{Hub, Slot};
use crate::link::{AnyLink, Dialect, Line, Transport};
use crate::longpoll::{self, Visit};
use crate::mount::{Admitted, Mounted};
use crate::peer::Peer;
use crate::stream::Stream;
use crate::{BoxFuture, Endpoint, PlainStream, Refused};
use bennu_core::connect::{Admission, Carrier, Scheme, Vsn, examine};
use bennu_core::server::SocketId;
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

/// Answers a request: with a connection, if it asks for one that may be, or out of a session that is polled.
async fn answer<B: Body>(hub: &Arc<Hub>, mut request: Request<B>) -> Response<ResponseBody> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let doors = hub.mounts().iter().enumerate();
    let mut doors = doors.filter_map(|(place, mount)| Some((place, mount.longpoll.as_ref()?)));
    let path = parts.uri.path();
    let polled = doors.find_map(|(place, door)| Some((place, door, door.path.capture(path)?)));
    if let Some((place, door, variables)) = polled {
        let visit = Visit { hub, place, door, carrier: carrier(&parts) };
        // In a box of its own: a handshake need not carry room for it.
        return Box::pin(longpoll::answer(visit, &parts, variables, body)).await;
    }
    drop(body);
    match admit(hub, parts).await {
        Ok((opening, response)) => {
            hub.runtime.spawn(Box::pin(opening.wait(upgrade)));
            response.map(|()| ResponseBody::default())
        }
        Err(denied) => *denied.into_response(),
    }
}

/// How a request has come, as far as whoever took it says.
fn carrier(parts: &Parts) -> Carrier {
    parts.extensions.get().copied().unwrap_or(Carrier { peer: None, scheme: Scheme::Http })
}

/// The checks of the handshake, in Phoenix's order: what is to be opened, and the answer that says so.
pub(crate) async fn admit(hub: &Arc<Hub>, parts: Parts) -> Result<(Opening, Response<()>), Denied> {
    let (opening, subprotocol) = let_in(hub, &parts, |_| true).await?;
    let request = Request::from_parts(parts, ());
    let accept = handshake::check_upgrade(&request)
        .map_err(|error| text(StatusCode::BAD_REQUEST, error.to_string()))?;
    Ok((opening, handshake::response(&accept, subprotocol.as_deref())))
}

/// Whether somebody may connect to one of the mounts that take such clients: what is to be opened, and the subprotocol
/// that was agreed on.
pub(crate) async fn let_in(
    hub: &Arc<Hub>,
    parts: &Parts,
    takes: fn(&Mounted) -> bool,
) -> Result<(Opening, Option<String>), Denied> {
    let found = hub
        .mounts()
        .iter()
        .enumerate()
        .filter(|(_, mount)| takes(mount))
        .find_map(|(place, mount)| Some((place, mount, mount.path.capture(parts.uri.path())?)));
    let Some((place, mount, variables)) = found else { return Err(status(StatusCode::NOT_FOUND)) };
    let Some(slot) = hub.admit() else { return Err(status(StatusCode::SERVICE_UNAVAILABLE)) };

    let admission = examine(parts, variables, carrier(parts), &mount.options).map_err(|refusal| {
        tracing::info!(path = parts.uri.path(), %refusal, "a connection was refused");
        text(refusal.status(), refusal.body())
    })?;
    let Some(serializer) = negotiate(&admission, parts) else { return Err(status(StatusCode::FORBIDDEN)) };
    let admitted = Arc::clone(&mount.socket).connect(admission.params, admission.info).await;
    let admitted = admitted.map_err(Denied::BySocket)?;
    let opening = Opening { hub: Arc::clone(hub), place, serializer, admitted, slot };
    Ok((opening, admission.subprotocol))
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
            Self::BySocket(refused) => Box::new(refused.into_response().map(ResponseBody::from)),
        }
    }
}

/// A connection between its admission and its first frame.
pub(crate) struct Opening {
    pub(crate) hub: Arc<Hub>,
    pub(crate) place: usize,
    pub(crate) serializer: Serializer,
    pub(crate) admitted: Admitted,
    pub(crate) slot: Slot,
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
        let hub = Arc::clone(&self.hub);
        let mount: &Mounted = &hub.mounts()[self.place];
        let peer = Arc::new(Peer::new(plain, mount.outbox));
        let link = self.enter(Transport::WebSocket, &peer);
        let socket = link.socket;
        let connection = Connection::new(link, peer, stream, early, mount.websocket);
        hub.runtime.spawn_connection(ConnectionTask::new(connection));
        socket
    }

    /// Makes the peer known to the machine.
    pub(crate) fn enter(self, transport: Transport, peer: &Arc<Peer>) -> Arc<dyn AnyLink> {
        let Self { hub, place, serializer, admitted, slot } = self;
        let dialect = Dialect { serializer, transport };
        let socket = hub.connect(peer, dialect, place, admitted.id.as_deref());
        let patience = hub.mounts()[place].patience;
        (admitted.link)(Line { hub: slot, socket, dialect, patience }, admitted.id)
    }
}

fn status(status: StatusCode) -> Denied {
    text(status, String::new())
}

fn text(status: StatusCode, body: String) -> Denied {
    let mut response = Response::new(ResponseBody::from(Bytes::from(body)));
    *response.status_mut() = status;
    Denied::AtTheDoor(Box::new(response))
}
