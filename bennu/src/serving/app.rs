//! What can be served.

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use std::convert::Infallible;
use std::error::Error;
use std::task::{Context, Poll};
use tower_service::Service;

/// An application: a service that answers requests and never fails, such as an [`Endpoint`](crate::Endpoint), an axum
/// router, or [both](super::Beside). One name for these bounds; every such service is one.
pub trait App: Clone + Send + Sync + 'static {
    /// What its responses carry.
    type Body: Body<Data = Bytes, Error = Self::BodyError> + Send + 'static;
    /// How that may break off.
    type BodyError: Into<Box<dyn Error + Send + Sync>>;
    /// What answers one request.
    type Future: Future<Output = Result<Response<Self::Body>, Infallible>> + Send + 'static;

    /// Waits until it can take a request.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Answers a request; to be asked of one that is [ready](Self::poll_ready).
    fn answer(&mut self, request: Request<Incoming>) -> Self::Future;
}

impl<S, B> App for S
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Body = B;
    type BodyError = B::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Service::poll_ready(self, cx).map(|Ok(())| ())
    }

    fn answer(&mut self, request: Request<Incoming>) -> Self::Future {
        self.call(request)
    }
}
