//! The task of one client, from its accept to its end.

use crate::app::App;
use crate::door::Guest;
use bennu::ConnectionTask;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A client: accepted; then served HTTP, in a box that is freed with it; then a connection, in place of the box. So there
/// is one task for all of it, as small as a connection, and it holds nothing of HTTP while that waits.
pub(crate) enum Client<S> {
    /// Not polled yet: what HTTP needs is made in the turn in which nearly all clients have it behind them.
    Accepted(Option<Guest<S>>),
    Arriving(Pin<Box<dyn Future<Output = Option<ConnectionTask>> + Send>>),
    Connected(ConnectionTask),
}

impl<S> Client<S> {
    pub(crate) fn new(guest: Guest<S>) -> Self {
        Self::Accepted(Some(guest))
    }
}

impl<S: App> Future for Client<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            *self = match &mut *self {
                Self::Accepted(guest) => {
                    let guest = guest.take().expect("who has been let in is not accepted any more");
                    Self::Arriving(Box::pin(guest.arrive()))
                }
                Self::Arriving(arrival) => match ready!(arrival.as_mut().poll(cx)) {
                    Some(connection) => Self::Connected(connection),
                    None => return Poll::Ready(()),
                },
                Self::Connected(connection) => return Pin::new(connection).poll(cx),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_as_small_as_its_connection() {
        assert_eq!(size_of::<Client<bennu::Endpoint>>(), size_of::<ConnectionTask>());
    }
}
