//! The task of one client, from its accept to its end.

use crate::connection::ConnectionTask;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A client: accepted; then served HTTP, in a box that is freed with it; then a connection, in place of the box. So there
/// is one task for all of it, as small as a connection, and it holds nothing of HTTP while that waits.
///
/// It is made with how the client is served until then: a function, called in the turn in which nearly all clients have
/// it behind them.
pub struct Client<F>(Stage<F>);

enum Stage<F> {
    /// Not polled yet.
    Accepted(Option<F>),
    Arriving(Pin<Box<dyn Future<Output = Option<ConnectionTask>> + Send>>),
    Connected(ConnectionTask),
}

impl<F> Client<F> {
    /// A client that has been accepted; `serve` makes what serves it until it has become a connection, or has not.
    pub fn new<A>(serve: F) -> Self
    where
        F: FnOnce() -> A,
        A: Future<Output = Option<ConnectionTask>> + Send + 'static,
    {
        Self(Stage::Accepted(Some(serve)))
    }
}

impl<F, A> Future for Client<F>
where
    F: FnOnce() -> A + Unpin,
    A: Future<Output = Option<ConnectionTask>> + Send + 'static,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.0 = match &mut self.0 {
                Stage::Accepted(serve) => {
                    let serve = serve.take().expect("who arrives is not accepted any more");
                    Stage::Arriving(Box::pin(serve()))
                }
                Stage::Arriving(arrival) => match ready!(arrival.as_mut().poll(cx)) {
                    Some(connection) => Stage::Connected(connection),
                    None => return Poll::Ready(()),
                },
                Stage::Connected(connection) => return Pin::new(connection).poll(cx),
            };
        }
    }
}

impl<F> fmt::Debug for Client<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.0 {
            Stage::Accepted(_) => "Accepted",
            Stage::Arriving(_) => "Arriving",
            Stage::Connected(_) => "Connected",
        };
        f.debug_tuple("Client").field(&stage).finish()
    }
}

#[cfg(all(test, not(bennu_loom)))]
mod tests {
    use super::*;

    #[test]
    fn client_is_as_small_as_its_connection() {
        // As much as a stream, its peer's address, and what all are served with.
        let accepted = [0u64; 12];

        let client =
            Client::new(move || async move { (accepted[0] > 0).then(|| unreachable!("nobody polls it")) });

        assert_eq!(size_of_val(&client), size_of::<ConnectionTask>());
    }
}
