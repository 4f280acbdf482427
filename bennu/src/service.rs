//! The endpoint as a service: from a request to a connection.

use crate::handover::Handover;
use crate::hub::Hub;
use crate::opening::Opening;
use crate::panics::catch;
use crate::{BoxFuture, Endpoint, Refused};
use bennu_core::connect::{Vsn, examine};
use bennu_core::websocket::handshake;
use bennu_core::wire::Serializer;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::upgrade::OnUpgrade;
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
        self.answer(request)
    }
}

impl Endpoint {
    /// Answers a request: what the endpoint does as a service.
    pub fn answer<B: Send + 'static>(&self, request: Request<B>) -> ResponseFuture {
        let hub = Arc::clone(self.hub());
        Box::pin(async move { Ok(answer(hub, request).await) })
    }
}

/// Answers a request: with a connection, if it asks for one that may be.
async fn answer<B>(hub: Arc<Hub>, request: Request<B>) -> Response<ResponseBody> {
    match open(hub, request).await {
        Ok(response) => response.map(|()| Full::default()),
        Err(denied) => *denied.into_response(),
    }
}

/// Opens what is behind a request, once it has been upgraded.
async fn open<B>(hub: Arc<Hub>, mut request: Request<B>) -> Result<Response<()>, Denied> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, _) = request.into_parts();
    let handover = parts.extensions.get().cloned();
    if let Some(handover) = &handover {
        Handover::clear(handover);
    }
    let (opening, response) = admit(hub, parts).await?;
    match handover {
        Some(handover) => handover.leave(opening, upgrade),
        None => open_apart(opening, upgrade),
    }
    Ok(response)
}

/// Waits for the stream of a connection that nobody else waits for, and hands it to a task of its own: that which waits
/// has a handshake in its frame.
fn open_apart(opening: Opening, upgrade: OnUpgrade) {
    let runtime = opening.runtime();
    let its = Arc::clone(&runtime);
    runtime.spawn(Box::pin(async move {
        if let Some(connection) = opening.wait(upgrade).await {
            its.spawn_connection(connection);
        }
    }));
}

/// The checks of the handshake, in Phoenix's order: what is to be opened, and the answer that says so.
pub(crate) async fn admit(hub: Arc<Hub>, parts: Parts) -> Result<(Opening, Response<()>), Denied> {
    let path = parts.uri.path();
    let place = hub.mounts().iter().position(|mount| mount.path.capture(path).is_some());
    let Some(place) = place else { return Err(status(StatusCode::NOT_FOUND)) };
    let Some(slot) = hub.admit() else { return Err(status(StatusCode::SERVICE_UNAVAILABLE)) };

    let mount = &slot.mounts()[place];
    let variables = mount.path.capture(path).unwrap_or_default();
    let carrier = slot.door().carrier(&parts);
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
        parameters = ?slot.door().filter.params(&admission.params),
        "somebody wants to connect"
    );
    let admitted = mount.socket.connect(admission.params, admission.info).await;
    let admitted = admitted.map_err(Denied::BySocket)?;
    let request = Request::from_parts(parts, ());
    let accept = handshake::check_upgrade(&request)
        .map_err(|error| text(StatusCode::BAD_REQUEST, error.to_string()))?;

    let opening = Opening::new(place, serializer, admitted, slot);
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

fn status(status: StatusCode) -> Denied {
    text(status, String::new())
}

fn text(status: StatusCode, body: String) -> Denied {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    Denied::AtTheDoor(Box::new(response))
}
