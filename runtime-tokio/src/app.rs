//! What can be served.

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use std::convert::Infallible;
use std::error::Error;
use tower_service::Service;

/// An application: the bounds of [`Serve`](crate::Serve) by one name.
pub(crate) trait App: Clone + Send + Sync + 'static {
    type Body: Body<Data = Bytes, Error = Self::BodyError> + Send + 'static;
    type BodyError: Into<Box<dyn Error + Send + Sync>>;
    type Future: Future<Output = Result<Response<Self::Body>, Infallible>> + Send + 'static;

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

    fn answer(&mut self, request: Request<Incoming>) -> Self::Future {
        self.call(request)
    }
}
