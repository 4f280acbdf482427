//! HTTP on accepted streams.

use super::{App, Handover, Handshake};
use crate::RequestLimits;
use futures_util::future::{Either, select};
use http::Request;
use hyper::body::Incoming;
use hyper::rt::{Read, Timer, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

/// An application, and how it is served to all clients: HTTP/1.1, whose connections may become WebSockets.
#[derive(Clone)]
pub struct Http<S> {
    app: S,
    handshake: Handshake,
    http: http1::Builder,
}

impl<S: App> Http<S> {
    /// Serves `app` within these bounds, on a runtime with this timer.
    pub fn new<T: Timer + Send + Sync + 'static>(
        app: S,
        handshake: Handshake,
        limits: RequestLimits,
        timer: T,
    ) -> Self {
        Self { app, handshake, http: handshake.http(limits, timer) }
    }

    /// The bounds.
    pub fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// Answers requests until the stream ends, is upgraded, or everything has `ended`: then what has been begun is
    /// answered. `left` is what a client has left of its [time](Handshake::timeout), if TLS has used up some of it.
    ///
    /// What the stream has become, the [`Handover`] tells afterwards.
    ///
    /// # Errors
    /// Hyper's: what the client sends is not HTTP, or takes too long, or its stream has broken.
    pub async fn serve<I>(
        &self,
        stream: I,
        handover: &Handover,
        left: Option<Duration>,
        ended: impl Future<Output = ()>,
    ) -> hyper::Result<()>
    where
        I: Read + Write + Unpin + Send + 'static,
    {
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(handover.clone());
            self.app.clone().answer(request)
        });
        // Pinned where it is made: a variable before would keep it twice.
        let mut connection = pin!(
            match left {
                None => self.http.serve_connection(stream, service),
                Some(left) => self.handshake.rest_of(&self.http, left).serve_connection(stream, service),
            }
            .with_upgrades()
        );
        // Most have come to their end when they are first asked: so they are, first.
        if let Either::Left((result, _)) = select(connection.as_mut(), pin!(ended)).await {
            return result;
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    }
}

impl<S> fmt::Debug for Http<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("handshake", &self.handshake).finish_non_exhaustive()
    }
}
