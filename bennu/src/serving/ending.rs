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
    /// 100 ms, unless it has gone itself.
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
                    Either::Right((Err(error), _)) if is_of_client(&error) => {
                        tracing::debug!(%error, "a client has gone before it was accepted");
                    }
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

/// Whether an accept failed for what the client has done: the next one will do.
fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
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

#[cfg(all(test, not(bennu_loom)))]
mod tests {
    use super::*;
    use crate::runtime::still::Still;
    use futures_util::future::pending;

    /// How many are accepted of ten, each behind an accept that fails so. The clock stands still.
    fn accepted(failure: io::ErrorKind) -> usize {
        let endpoint = Endpoint::builder().build(Still::default());
        let (mut asked, mut admitted) = (0, 0);
        let accept = |_: &mut Context<'_>| {
            asked += 1;
            match asked {
                21.. => Poll::Pending,
                _ if asked % 2 == 1 => Poll::Ready(Err(failure.into())),
                _ => Poll::Ready(Ok(((), SocketAddr::from(([127, 0, 0, 1], 1))))),
            }
        };
        let (accepting, _ending) = Ending::new();
        let until = accepting.until(pending::<()>(), &endpoint, accept, |(), _| admitted += 1);
        assert_eq!(until.now_or_never(), None);
        admitted
    }

    #[test]
    fn client_that_has_gone_before_it_is_accepted_delays_nobody() {
        let gone = [
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::ConnectionReset,
        ];
        assert_eq!(gone.map(accepted), [10; 3]);
    }

    #[test]
    fn system_that_is_out_of_something_is_given_time() {
        assert_eq!(accepted(io::ErrorKind::OutOfMemory), 0);
    }
}
