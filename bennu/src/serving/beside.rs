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
    type Future = Answer<A, R>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        let Both { endpoint, app } = &*self.both;
        if endpoint.has_socket_at(request.uri().path()) {
            return Answer { whose: Whose::Endpoint { answer: endpoint.answer(request) } };
        }
        Answer { whose: Whose::Waiting { app: app.clone(), request: Some(request) } }
    }
}

impl<A> fmt::Debug for Beside<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beside").field("endpoint", &self.both.endpoint).finish_non_exhaustive()
    }
}

pin_project! {
    /// The answer of either.
    pub struct Answer<A, R>
    where
        A: Service<Request<R>>,
    {
        #[pin]
        whose: Whose<A, R>,
    }
}

pin_project! {
    #[project = WhoseProjected]
    enum Whose<A, R>
    where
        A: Service<Request<R>>,
    {
        Endpoint { answer: ResponseFuture },
        // For the application, which need not be ready.
        Waiting { app: A, request: Option<Request<R>> },
        App { #[pin] answer: A::Future },
    }
}

impl<A, B, R> Future for Answer<A, R>
where
    A: Service<Request<R>, Response = Response<B>, Error = Infallible>,
{
    type Output = Result<Response<Either<ResponseBody, B>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let answer = match self.as_mut().project().whose.project() {
                WhoseProjected::Endpoint { answer } => {
                    return Poll::Ready(Ok(ready!(answer.as_mut().poll(cx))?.map(Either::Left)));
                }
                WhoseProjected::App { answer } => {
                    return Poll::Ready(Ok(ready!(answer.poll(cx))?.map(Either::Right)));
                }
                WhoseProjected::Waiting { app, request } => {
                    ready!(app.poll_ready(cx))?;
                    app.call(request.take().expect("a request is given once, and then it is answered"))
                }
            };
            self.as_mut().project().whose.set(Whose::App { answer });
        }
    }
}

impl<A, R> fmt::Debug for Answer<A, R>
where
    A: Service<Request<R>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}
