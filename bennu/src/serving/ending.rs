//! How serving comes to its end.

use crate::Endpoint;
use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{Either, Shared, select};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

/// How long requests that are being answered have at shutdown.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// How long they have at least when the endpoint has been drained: with the last sessions, the polls that waited in them
/// have just been answered.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// How long nobody is accepted behind an accept that failed: out of descriptors, most likely, so that others have to end
/// first.
const RECOVERY: Duration = Duration::from_millis(100);

/// How many are accepted before others have their turn.
const TOGETHER: usize = 128;

/// Held by those who are served HTTP: they hear of the end, which waits until the last of them has dropped it.
pub struct Ending {
    begun: Shared<oneshot::Receiver<()>>,
    _alive: oneshot::Sender<()>,
}

/// Held by whoever accepts.
pub struct Accepting {
    end: oneshot::Sender<()>,
    all_gone: oneshot::Receiver<()>,
}

impl Ending {
    /// An end that has not begun.
    #[must_use]
    pub fn new() -> (Accepting, Self) {
        let ((end, begun), (alive, all_gone)) = (oneshot::channel(), oneshot::channel());
        (Accepting { end, all_gone }, Self { begun: begun.shared(), _alive: alive })
    }

    /// Waits until the end begins.
    pub async fn begun(&self) {
        let _ = self.begun.clone().await;
    }
}

impl Accepting {
    /// Accepts clients until `shutdown` is done. One that cannot be accepted is logged; then nobody is accepted for
    /// 100 ms.
    pub async fn until<S>(
        &self,
        mut shutdown: impl Future<Output = ()> + Unpin,
        endpoint: &Endpoint,
        mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<(S, SocketAddr)>>,
        mut admit: impl FnMut(S, SocketAddr),
    ) {
        let runtime = &endpoint.hub().runtime;
        loop {
            for _ in 0..TOGETHER {
                match select(&mut shutdown, poll_fn(&mut accept)).await {
                    Either::Left(((), _)) => return,
                    Either::Right((Ok((stream, peer)), _)) => admit(stream, peer),
                    Either::Right((Err(error), _)) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        runtime.sleep(RECOVERY).await;
                    }
                }
            }
            runtime.yield_now().await;
        }
    }

    /// Tells everybody of the end, drains the endpoint, and waits for requests that are being answered: for 5 s, and for 1 s
    /// behind the drain.
    pub async fn end(self, endpoint: &Endpoint) {
        let runtime = &endpoint.hub().runtime;
        // Nobody may be left to hear of it.
        let _ = self.end.send(());
        let due = runtime.now() + SHUTDOWN;
        endpoint.drain().await;
        let due = due.max(runtime.now() + LAST_ANSWERS);
        let patience = runtime.sleep(due.duration_since(runtime.now()));
        select(self.all_gone, patience).await;
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending").finish_non_exhaustive()
    }
}

impl fmt::Debug for Accepting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepting").finish_non_exhaustive()
    }
}
