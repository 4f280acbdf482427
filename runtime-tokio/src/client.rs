//! The task of one client, from its accept to its end.

use bennu::ConnectionTask;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A client: first HTTP, in a box that is freed with it; then the connection, in place of the box. So there is one
/// task for both, which is as small as the connection, and holds nothing of HTTP while that waits.
pub(crate) enum Client {
    Arriving(Pin<Box<dyn Future<Output = Option<ConnectionTask>> + Send>>),
    Connected(ConnectionTask),
}

impl Client {
    /// A client whom `opening` serves until there is a connection.
    pub(crate) fn new(opening: impl Future<Output = Option<ConnectionTask>> + Send + 'static) -> Self {
        Self::Arriving(Box::pin(opening))
    }
}

impl Future for Client {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::Arriving(opening) = &mut *self {
            let Some(connection) = ready!(opening.as_mut().poll(cx)) else { return Poll::Ready(()) };
            *self = Self::Connected(connection);
        }
        match &mut *self {
            Self::Connected(connection) => Pin::new(connection).poll(cx),
            Self::Arriving(_) => unreachable!("a client that has arrived is connected"),
        }
    }
}
