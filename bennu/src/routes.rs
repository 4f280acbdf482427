//! Which channel a topic belongs to.

use crate::Channel;
use crate::erased::{AnyRoute, RouteTo};
use bennu_core::router::{RouteId, Router};
use std::fmt;
use std::sync::Arc;

/// The channels of a socket, tried in the order of their declaration: the first pattern that matches
/// wins, not the longest.
///
/// Kept apart from a socket, they can be given to several whose assigns are the same:
///
/// ```
/// # use bennu::prelude::*;
/// # struct Room;
/// # impl Channel for Room {
/// #     type Assigns = ();
/// #     async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> { Ok(Joined::new(Room)) }
/// # }
/// let routes = Routes::new().channel::<Room>("room:*").channel::<Room>("lobby");
/// let socket = bennu::socket(Open).channels(routes.clone());
/// let small = bennu::socket(Open).channels(routes).max_channels(2);
/// ```
pub struct Routes<A> {
    router: Router,
    channels: Vec<Arc<dyn AnyRoute<A>>>,
}

impl<A: Send + Sync + 'static> Routes<A> {
    /// No routes.
    #[must_use]
    pub fn new() -> Self {
        Self { router: Router::default(), channels: Vec::new() }
    }

    /// Adds a route: topics that match `pattern` (`room:lobby`, `room:*`, or `*` for all) are `C`'s.
    ///
    /// # Panics
    /// If a `*` stands anywhere but at the end of the pattern: a mistake in the program.
    #[must_use]
    pub fn channel<C: Channel<Assigns = A>>(mut self, pattern: &str) -> Self {
        let route = RouteTo::<C>::new();
        match self.router.add(pattern, route.intercepts()) {
            Ok(id) => self.router.set_lossy(id, route.lossy()),
            Err(error) => panic!("a channel's route is wrong: {error}"),
        }
        self.channels.push(Arc::new(route));
        self
    }

    pub(crate) fn append(&mut self, others: Self) {
        self.router.append(others.router);
        self.channels.extend(others.channels);
    }

    pub(crate) fn router(&self) -> &Router {
        &self.router
    }

    pub(crate) fn channel_of(&self, route: RouteId) -> &dyn AnyRoute<A> {
        &*self.channels[route.0 as usize]
    }
}

impl<A: Send + Sync + 'static> Default for Routes<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A> Clone for Routes<A> {
    fn clone(&self) -> Self {
        Self { router: self.router.clone(), channels: self.channels.clone() }
    }
}

impl<A> fmt::Debug for Routes<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Routes").field(&self.router).finish()
    }
}
