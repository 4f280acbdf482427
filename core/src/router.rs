//! Which handler a topic belongs to.

use crate::outbox::SlowConsumer;
use std::fmt;

/// A pattern that topics are matched against: `room:lobby` (that topic alone), `room:*` (every topic
/// that starts with `room:`, `room:` itself too) or `*` (all).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPattern {
    text: Box<str>,
    splat: bool,
}

/// A `*` stands anywhere but at the end of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a topic pattern has at most one `*`, at its end: {:?}", self.pattern)
    }
}

impl std::error::Error for PatternError {}

impl TopicPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternError`] if a `*` stands anywhere but at the end.
    ///
    /// Source: `Phoenix.Socket.channel/3`.
    pub fn parse(pattern: &str) -> Result<Self, PatternError> {
        let (text, splat) = match pattern.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (pattern, false),
        };
        if text.contains('*') {
            return Err(PatternError { pattern: pattern.to_owned() });
        }
        Ok(Self { text: text.into(), splat })
    }

    /// What the `*` stands for in `topic` (empty for an exact pattern), or `None` if it does not match.
    #[must_use]
    pub fn matches<'t>(&self, topic: &'t str) -> Option<&'t str> {
        let rest = topic.strip_prefix(&*self.text)?;
        (self.splat || rest.is_empty()).then_some(rest)
    }
}

/// Which route: its place in the order of declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(pub u32);

/// The routes of a socket, tried in the order of their declaration: the first that matches wins, not
/// the longest.
///
/// ```
/// use bennu_core::router::Router;
///
/// let mut router = Router::default();
/// let lobby = router.add("room:lobby", &[])?;
/// let rooms = router.add("room:*", &["new_msg"])?;
///
/// assert_eq!(router.route("room:lobby"), Some(lobby));
/// assert_eq!(router.route("room:1"), Some(rooms));
/// assert_eq!(router.route("game:1"), None);
/// # Ok::<(), bennu_core::router::PatternError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Router {
    routes: Vec<Route>,
}

#[derive(Clone, Debug)]
struct Route {
    pattern: TopicPattern,
    intercepts: &'static [&'static str],
    lossy: &'static [(&'static str, SlowConsumer)],
}

impl Router {
    /// Adds a route behind those that are there; `intercepts` are the events that its channels want to
    /// see before they go out.
    ///
    /// # Errors
    /// [`PatternError`] if the pattern is none.
    pub fn add(
        &mut self,
        pattern: &str,
        intercepts: &'static [&'static str],
    ) -> Result<RouteId, PatternError> {
        let pattern = TopicPattern::parse(pattern)?;
        let id = RouteId(u32::try_from(self.routes.len()).expect("fewer than 2^32 routes"));
        self.routes.push(Route { pattern, intercepts, lossy: &[] });
        Ok(id)
    }

    /// Says what becomes of some events of a route for a client that takes too little, whatever becomes of others.
    pub fn set_lossy(&mut self, route: RouteId, events: &'static [(&'static str, SlowConsumer)]) {
        if let Some(route) = self.routes.get_mut(route.0 as usize) {
            route.lossy = events;
        }
    }

    /// Adds routes behind those that are there.
    pub fn append(&mut self, others: Self) {
        self.routes.extend(others.routes);
    }

    /// The first route that matches.
    #[must_use]
    pub fn route(&self, topic: &str) -> Option<RouteId> {
        let at = self.routes.iter().position(|route| route.pattern.matches(topic).is_some())?;
        Some(RouteId(u32::try_from(at).ok()?))
    }

    /// The pattern of a route.
    #[must_use]
    pub fn pattern(&self, route: RouteId) -> Option<&TopicPattern> {
        self.routes.get(route.0 as usize).map(|route| &route.pattern)
    }

    /// The events that the channels of a route intercept.
    #[must_use]
    pub fn intercepts(&self, route: RouteId) -> &'static [&'static str] {
        self.routes.get(route.0 as usize).map_or(&[], |route| route.intercepts)
    }

    /// What becomes of a broadcast for a client that takes too little, if its route says so.
    #[must_use]
    pub fn slow_consumer(&self, topic: &str, event: &str) -> Option<SlowConsumer> {
        let route = self.routes.get(self.route(topic)?.0 as usize)?;
        route.lossy.iter().find(|(lossy, _)| *lossy == event).map(|&(_, policy)| policy)
    }

    /// Whether any route says what becomes of anything.
    pub(crate) fn is_any_lossy(&self) -> bool {
        self.routes.iter().any(|route| !route.lossy.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(patterns: &[&str]) -> Router {
        let mut router = Router::default();
        for pattern in patterns {
            router.add(pattern, &[]).unwrap();
        }
        router
    }

    #[test]
    fn exact_route_matches_itself_alone() {
        let router = router(&["exact"]);

        assert_eq!(router.route("exact"), Some(RouteId(0)));
        assert_eq!(router.route("exact:1"), None);
        assert_eq!(router.route("exac"), None);
    }

    #[test]
    fn prefix_route_matches_the_empty_suffix_too() {
        let router = router(&["room:*"]);

        assert_eq!(router.route("room:"), Some(RouteId(0)));
        assert_eq!(router.route("room"), None);
        assert_eq!(router.pattern(RouteId(0)).unwrap().matches("room:a:b"), Some("a:b"));
    }

    #[test]
    fn star_alone_matches_every_topic() {
        assert_eq!(router(&["*"]).route(""), Some(RouteId(0)));
    }

    #[test]
    fn first_declared_route_wins() {
        assert_eq!(router(&["foo*", "food*"]).route("food:1"), Some(RouteId(0)));
        assert_eq!(router(&["food*", "foo*"]).route("food:1"), Some(RouteId(0)));
        assert_eq!(router(&["food*", "foo*"]).route("foot"), Some(RouteId(1)));
    }

    #[test]
    fn star_stands_at_the_end_alone() {
        for pattern in ["a*b", "*a", "a**"] {
            assert!(TopicPattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
