//! The endpoint as a service: from a request to a connection.

use crate::BoxFuture;
use crate::Endpoint;
use crate::handover::Handover;
use crate::hub::Hub;
use crate::opening::Opening;
use bennu_core::connect::{Carrier, Scheme, Vsn, examine};
use bennu_core::websocket::handshake;
use bennu_core::wire::Serializer;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
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
        Err(response) => *response,
    }
}

/// The checks of the handshake, in Phoenix's order.
async fn open<B>(
    hub: Arc<Hub>,
    mut request: Request<B>,
) -> Result<Response<()>, Box<Response<ResponseBody>>> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, _) = request.into_parts();
    let path = parts.uri.path();
    let place = hub.mounts().iter().position(|mount| mount.path.capture(path).is_some());
    let Some(place) = place else { return Err(status(StatusCode::NOT_FOUND)) };
    let handover: Option<&Handover> = parts.extensions.get();
    if let Some(handover) = handover {
        handover.clear();
    }
    let Some(slot) = hub.admit() else { return Err(status(StatusCode::SERVICE_UNAVAILABLE)) };

    let mount = &slot.mounts()[place];
    let variables = mount.path.capture(path).unwrap_or_default();
    let carrier = handover
        .map(Handover::carrier)
        .or_else(|| parts.extensions.get().copied())
        .unwrap_or(Carrier { peer: None, scheme: Scheme::Http });
    let admission = examine(&parts, variables, carrier, &mount.options).map_err(|refusal| {
        tracing::info!(path = parts.uri.path(), %refusal, "a connection was refused");
        text(refusal.status(), refusal.body())
    })?;
    let serializer = match admission.vsn() {
        Vsn::Absent => Serializer::negotiate(None).ok(),
        Vsn::Text(vsn) => Serializer::negotiate(Some(vsn)).ok(),
        Vsn::NotText => None,
    };
    let Some(serializer) = serializer else {
        tracing::warn!(
            path = parts.uri.path(),
            "a client speaks no version of the protocol that is known here"
        );
        return Err(status(StatusCode::FORBIDDEN));
    };
    let admitted = mount.socket.connect(admission.params, admission.info).await;
    let admitted = admitted.map_err(|refused| Box::new(refused.into_response()))?;
    let request = Request::from_parts(parts, ());
    let accept = handshake::check_upgrade(&request)
        .map_err(|error| text(StatusCode::BAD_REQUEST, error.to_string()))?;

    let opening = Opening { place, serializer, admitted, slot, upgrade };
    match request.extensions().get::<Handover>() {
        Some(handover) => handover.leave(opening),
        None => open_apart(opening),
    }
    Ok(handshake::response(&accept, admission.subprotocol.as_deref()))
}

/// Waits for the stream of a connection that nobody else waits for, and hands it to a task of its own: that which waits
/// has a handshake in its frame.
fn open_apart(opening: Opening) {
    let runtime = Arc::clone(&opening.slot.runtime);
    let its = Arc::clone(&runtime);
    runtime.spawn(Box::pin(async move {
        if let Some(connection) = opening.wait().await {
            its.spawn_connection(connection);
        }
    }));
}

fn status(status: StatusCode) -> Box<Response<ResponseBody>> {
    text(status, String::new())
}

fn text(status: StatusCode, body: String) -> Box<Response<ResponseBody>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    Box::new(response)
}
