//! The endpoint as a service: from a request to a connection.

mod body;

pub use body::ResponseBody;

use crate::admission::Asking;
use crate::hub::Hub;
use crate::link::{Dialect, Transport};
use crate::longpoll::{self, Visit};
use crate::opening::Opening;
use crate::serving::Handover;
use crate::{BoxFuture, Endpoint, Refused};
use bennu_core::connect::{Admission, examine};
use bennu_core::websocket::handshake;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::Body;
use hyper::upgrade::OnUpgrade;
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
        self.answer(request)
    }
}

impl Endpoint {
    /// Answers a request: what the endpoint does as a service.
    pub fn answer<B>(&self, request: Request<B>) -> ResponseFuture
    where
        B: Body<Data: Send, Error: Send> + Send + 'static,
    {
        let hub = Arc::clone(self.hub());
        Box::pin(async move { Ok(answer(hub, request).await) })
    }
}

/// Answers a request: with a connection, if it asks for one that may be, or out of a session that is polled.
async fn answer<B: Body>(hub: Arc<Hub>, mut request: Request<B>) -> Response<ResponseBody> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let handover = parts.extensions.get().cloned();
    if let Some(handover) = &handover {
        Handover::clear(handover);
    }
    let path = parts.uri.path();
    let polled = hub.mounts().iter().enumerate().find_map(|(place, mount)| {
        let entrance = mount.longpoll.as_ref()?;
        Some((place, entrance, entrance.path.capture(path)?))
    });
    if let Some((place, entrance, variables)) = polled {
        let visit = Visit { hub: &hub, place, entrance, carrier: hub.door().carrier(&parts) };
        // In a box of its own: a handshake need not carry room for it.
        return Box::pin(longpoll::answer(visit, &parts, variables, body)).await;
    }
    drop(body);
    match admit(hub, parts).await {
        Ok((opening, response)) => {
            match handover {
                Some(handover) => handover.leave(opening, upgrade),
                None => open_apart(opening, upgrade),
            }
            response.map(|()| ResponseBody::default())
        }
        Err(denied) => *denied.into_response(),
    }
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
    let (opening, subprotocol) = let_in(hub, &parts, Transport::WebSocket).await?;
    let request = Request::from_parts(parts, ());
    let accept = handshake::check_upgrade(&request)
        .map_err(|error| text(StatusCode::BAD_REQUEST, error.to_string()))?;
    Ok((opening, handshake::response(&accept, subprotocol.as_deref())))
}

/// Whether somebody may connect to one of the mounts that take clients of this transport: what is to be opened, and the subprotocol
/// that was agreed on.
pub(crate) async fn let_in(
    hub: Arc<Hub>,
    parts: &Parts,
    transport: Transport,
) -> Result<(Opening, Option<String>), Denied> {
    let path = parts.uri.path();
    let place =
        hub.mounts().iter().position(|mount| mount.takes(transport) && mount.path.capture(path).is_some());
    let Some(place) = place else { return Err(status(StatusCode::NOT_FOUND)) };
    let slot = hub.admit(place).map_err(|_| status(StatusCode::SERVICE_UNAVAILABLE))?;

    let mount = &slot.mounts()[place];
    let variables = mount.path.capture(path).unwrap_or_default();
    let carrier = slot.door().carrier(parts);
    let admission = examine(parts, variables, carrier, &mount.options).map_err(|refusal| {
        mount.refuse(&slot, &refusal);
        text(refusal.status(), refusal.body())
    })?;
    let Some(serializer) = mount.negotiate(&slot, &admission) else {
        return Err(status(StatusCode::FORBIDDEN));
    };
    let Admission { params, subprotocol, info, .. } = admission;
    let dialect = Dialect { serializer, transport };
    let asking = Asking { hub: &slot, dialect, headers: &parts.headers, params, info };
    let admitted = mount.ask(asking).await.map_err(Denied::BySocket)?;
    Ok((Opening::new(serializer, admitted, slot), subprotocol))
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

fn status(status: StatusCode) -> Denied {
    text(status, String::new())
}

fn text(status: StatusCode, body: String) -> Denied {
    let mut response = Response::new(ResponseBody::from(Bytes::from(body)));
    *response.status_mut() = status;
    Denied::AtTheDoor(Box::new(response))
}
