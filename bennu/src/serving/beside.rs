//! An application beside the endpoint.

use crate::{Endpoint, ResponseBody, ResponseFuture};
use http::{Request, Response};
use http_body_util::Either;
use hyper::body::Body;
use pin_project_lite::pin_project;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tower_service::Service;

/// The endpoint at the paths of its sockets, an application at all others.
///
/// Requests for sockets pass by the application's routes and middleware, and cost nothing there.
#[derive(Clone)]
pub struct Beside<A> {
    // One, as it is cloned for each request, by all threads.
    both: Arc<Both<A>>,
}

struct Both<A> {
    endpoint: Endpoint,
    app: A,
}

impl<A> Beside<A> {
    /// The endpoint, and what is beside it.
    pub fn new(endpoint: Endpoint, app: A) -> Self {
        Self { both: Arc::new(Both { endpoint, app }) }
    }
}

impl<A, B, R> Service<Request<R>> for Beside<A>
where
    A: Service<Request<R>, Response = Response<B>, Error = Infallible> + Clone,
    R: Body<Data: Send, Error: Send> + Send + 'static,
{
    type Response = Response<Either<ResponseBody, B>>;
    type Error = Infallible;
    type Future = Answer<A::Future>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        let Both { endpoint, app } = &*self.both;
        if endpoint.has_socket_at(request.uri().path()) {
            return Answer { whose: Whose::Endpoint { answer: endpoint.answer(request) } };
        }
        Answer { whose: Whose::App { answer: app.clone().call(request) } }
    }
}

impl<A> fmt::Debug for Beside<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beside").field("endpoint", &self.both.endpoint).finish_non_exhaustive()
    }
}

pin_project! {
    /// The answer of either.
    pub struct Answer<F> {
        #[pin]
        whose: Whose<F>,
    }
}

pin_project! {
    #[project = WhoseProjected]
    enum Whose<F> {
        Endpoint { answer: ResponseFuture },
        App { #[pin] answer: F },
    }
}

impl<F, B> Future for Answer<F>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
{
    type Output = Result<Response<Either<ResponseBody, B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = match self.project().whose.project() {
            WhoseProjected::Endpoint { answer } => ready!(answer.as_mut().poll(cx))?.map(Either::Left),
            WhoseProjected::App { answer } => ready!(answer.poll(cx))?.map(Either::Right),
        };
        Poll::Ready(Ok(answer))
    }
}

impl<F> fmt::Debug for Answer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}
