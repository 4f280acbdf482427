//! HTTP on accepted streams.

use super::stream::Answers;
use super::{App, Handover, Handshake, HttpStream, TurnedAway};
use crate::RequestLimits;
use http::Request;
use hyper::body::Incoming;
use hyper::rt::{Read, Sleep, Timer, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// An application, and how it is served to all clients: HTTP/1.1, whose connections may become WebSockets.
#[derive(Clone)]
pub struct Http<S> {
    app: S,
    handshake: Handshake,
    http: http1::Builder,
    timer: AnyTimer,
}

/// The timer of whatever runtime.
#[derive(Clone)]
pub(super) struct AnyTimer(Arc<dyn Timer + Send + Sync>);

impl<S: App> Http<S> {
    /// Serves `app` within these bounds, on a runtime with this timer.
    pub fn new(
        app: S,
        handshake: Handshake,
        limits: RequestLimits,
        timer: impl Timer + Send + Sync + 'static,
    ) -> Self {
        let timer = AnyTimer(Arc::new(timer));
        Self { app, handshake, http: handshake.http(limits, timer.clone()), timer }
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
    /// What the client sends is not HTTP, or its stream has broken; [`TimedOut`](io::ErrorKind::TimedOut) if it takes
    /// longer for it, or for an answer, than it may: [`TurnedAway::of`] tells which.
    pub async fn serve<I>(
        &self,
        stream: I,
        handover: &Handover,
        left: Option<Duration>,
        ended: impl Future<Output = ()>,
    ) -> io::Result<()>
    where
        I: Read + Write + Unpin + Send + 'static,
    {
        let is_asked = AtomicBool::new(false);
        let service = service_fn(|mut request: Request<Incoming>| {
            is_asked.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(handover.clone());
            let mut app = self.app.clone();
            async move {
                poll_fn(|cx| app.poll_ready(cx)).await;
                app.answer(request).await
            }
        });
        let stream = HttpStream::new(stream, Arc::clone(handover.answers()));
        // Pinned where it is made: a variable before would keep it twice.
        let mut connection = pin!(self.http.serve_connection(stream, service).with_upgrades());
        let mut ended = pin!(ended);
        let mut is_ending = false;
        let mut patience = Patience { first: self.handshake.first(left).map(First::Due), answer: None };
        poll_fn(|cx| {
            loop {
                // Most have come to their end when they are first asked: so they are, first.
                if let Poll::Ready(result) = connection.as_mut().poll(cx) {
                    return Poll::Ready(result.map_err(error_of));
                }
                if is_ending || ended.as_mut().poll(cx).is_pending() {
                    break;
                }
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            if self.handshake.is_of_heads() && is_asked.load(Ordering::Relaxed) {
                patience.first = None;
            }
            patience.poll(handover.answers(), &self.timer, self.handshake.answer_timeout(), cx).map(Err)
        })
        .await
    }
}

/// What hyper says, of the kind that it is.
fn error_of(error: hyper::Error) -> io::Error {
    let kind = if error.is_timeout() { io::ErrorKind::TimedOut } else { io::ErrorKind::Other };
    io::Error::new(kind, error)
}

/// How long a client is waited for.
struct Patience {
    /// Until it is upgraded, or for its first head, if there is a time for that.
    first: Option<First>,
    /// Since an answer could not be written.
    answer: Option<Answer>,
}

/// A wait that has a timer once it is one.
enum First {
    Due(Duration),
    Sleeps(Pin<Box<dyn Sleep>>),
}

struct Answer {
    at: u32,
    sleep: Pin<Box<dyn Sleep>>,
}

impl Patience {
    /// Waits until it has come to its end.
    fn poll(
        &mut self,
        answers: &Answers,
        timer: &AnyTimer,
        timeout: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<io::Error> {
        if self.first.as_mut().is_some_and(|first| first.poll(timer, cx).is_ready()) {
            return Poll::Ready(TurnedAway::Late.into());
        }
        let Some(at) = answers.blocked_at() else {
            self.answer = None;
            return Poll::Pending;
        };
        if self.answer.as_ref().is_none_or(|answer| answer.at != at) {
            self.answer = Some(Answer { at, sleep: timer.sleep(timeout) });
        }
        if self.answer.as_mut().is_some_and(|answer| answer.sleep.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(TurnedAway::LateAnswer.into());
        }
        Poll::Pending
    }
}

impl First {
    fn poll(&mut self, timer: &AnyTimer, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self {
                Self::Due(first) => *self = Self::Sleeps(timer.sleep(*first)),
                Self::Sleeps(sleep) => return sleep.as_mut().poll(cx),
            }
        }
    }
}

impl Timer for AnyTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.0.sleep(duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.0.sleep_until(deadline)
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, deadline: Instant) {
        self.0.reset(sleep, deadline);
    }

    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl<S> fmt::Debug for Http<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("handshake", &self.handshake).finish_non_exhaustive()
    }
}
