//! Spans around what runs for a client: what the application logs there says by them for whom.
//!
//! There is one for each request and one for each handler, made when it begins and gone when it ends, and only where somebody
//! listens to it: a connection keeps none. No span has anything that [is filtered](crate::ParameterFilter).

use crate::BoxFuture;
use crate::erased::{Finished, Seed};
use crate::hub::Hub;
use crate::letter::Letter;
use bennu_core::server::{Event, SocketId};
use http::Request;
use tracing::{Instrument as _, Span};

/// Under what handlers have their spans, so that they can be asked for, or not, by themselves.
const HANDLER: &str = "bennu::handler";

/// The same of requests.
const REQUEST: &str = "bennu::request";

/// A client asks to join.
pub(crate) fn join(seed: &Seed, socket: SocketId, channel: &'static str) -> Span {
    tracing::debug_span!(target: HANDLER, "join", topic = &*seed.topic, channel, ?socket)
}

/// A channel of a client is called.
pub(crate) fn call(called: &Event<Letter>, topic: &str, socket: SocketId, channel: &'static str) -> Span {
    match called {
        Event::In { event, .. } => {
            tracing::debug_span!(target: HANDLER, "handle_in", topic, event = &**event, channel, ?socket)
        }
        Event::Out { event, .. } => {
            tracing::debug_span!(target: HANDLER, "handle_out", topic, event = &**event, channel, ?socket)
        }
        Event::Info(_) | Event::Broadcast { .. } => {
            tracing::debug_span!(target: HANDLER, "handle_info", topic, channel, ?socket)
        }
        Event::Terminate(_) => tracing::debug_span!(target: HANDLER, "terminate", topic, channel, ?socket),
        Event::Join { .. } | _ => Span::none(),
    }
}

/// The handler within its span, if somebody listens to it.
pub(crate) fn within(span: Span, handler: BoxFuture<'static, Finished>) -> BoxFuture<'static, Finished> {
    if span.is_disabled() { handler } else { Box::pin(handler.instrument(span)) }
}

/// A request has come. Its own path may have secrets; that of its socket has none.
pub(crate) fn request<B>(hub: &Hub, request: &Request<B>) -> Span {
    tracing::debug_span!(
        target: REQUEST,
        "request",
        method = request.method().as_str(),
        socket = hub.mounts().iter().find(|mount| mount.is_at(request.uri().path())).map(|mount| &*mount.name),
    )
}
