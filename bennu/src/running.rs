//! Handlers that wait.

use crate::BoxFuture;
use crate::erased::Finished;
use crate::metrics::Begun;
use crate::panics::drop_quietly;
use bennu_core::server::CallId;
use futures_util::StreamExt;
use futures_util::future::{AbortHandle, Abortable};
use futures_util::stream::FuturesUnordered;
use smallvec::SmallVec;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The handlers of one connection that have not answered at once. Nothing on the heap while there are
/// none.
#[derive(Default)]
pub(crate) struct Running {
    waiting: Option<Box<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    handlers: FuturesUnordered<Abortable<Handler>>,
    aborts: Vec<(CallId, AbortHandle, Begun)>,
    /// A handler has been added, and has to be polled here so that its wakes are heard.
    news: bool,
}

/// A handler that waits. Should it panic when it is dropped, nobody else is to suffer.
struct Handler(Option<BoxFuture<'static, Finished>>);

impl Future for Handler {
    type Output = Finished;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Finished> {
        match self.0.as_mut() {
            Some(handler) => handler.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        drop_quietly(self.0.take());
    }
}

impl Running {
    /// Keeps a handler that waits. It has been polled once, and its wakes have not been heard since.
    pub(crate) fn keep(&mut self, call: CallId, handler: BoxFuture<'static, Finished>, begun: Begun) {
        let waiting = self.waiting.get_or_insert_default();
        let (abort, registration) = AbortHandle::new_pair();
        waiting.handlers.push(Abortable::new(Handler(Some(handler)), registration));
        waiting.aborts.push((call, abort, begun));
        waiting.news = true;
    }

    /// Drops a handler.
    pub(crate) fn cancel(&mut self, call: CallId) {
        let Some(waiting) = self.waiting.as_mut() else { return };
        if let Some(at) = waiting.aborts.iter().position(|(other, ..)| *other == call) {
            waiting.aborts.swap_remove(at).1.abort();
            waiting.news = true;
        }
    }

    /// The handlers that have answered by now.
    pub(crate) fn poll_finished(&mut self, cx: &mut Context<'_>) -> SmallVec<[(Finished, Begun); 1]> {
        let mut done = SmallVec::new();
        let Some(waiting) = self.waiting.as_mut() else { return done };
        waiting.news = false;
        while let Poll::Ready(Some(finished)) = waiting.handlers.poll_next_unpin(cx) {
            // One that was cancelled has nothing to say.
            let Ok(finished) = finished else { continue };
            let Some(at) = waiting.aborts.iter().position(|(call, ..)| *call == finished.call) else {
                continue;
            };
            let (_, _, begun) = waiting.aborts.swap_remove(at);
            done.push((finished, begun));
        }
        if waiting.handlers.is_empty() {
            self.waiting = None;
        }
        done
    }

    /// Whether `poll_finished` is due before the task may sleep.
    pub(crate) fn has_news(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.news)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_none()
    }
}
