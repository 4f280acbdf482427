//! The harness itself.

use super::client::Client;
use super::dial::Dial;
use super::line::Line;
use super::listener::Listener;
use super::node::Node;
use super::report::crashed;
use super::runtime::Owner;
use super::wire::Wire;
use crate::opening::Opening;
use crate::service::{Denied, admit};
use crate::stream::Stream;
use crate::{BoxFuture, Builder, Endpoint, Runtime};
use bennu_core::IntoPayload;
use bennu_core::wire::Serializer;
use bytes::Bytes;
use futures_util::FutureExt;
use http::StatusCode;
use http::request::Parts;
use http_body_util::BodyExt;
use parking_lot::Mutex;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// An endpoint under test, with clients in memory and a clock that is moved by hand.
///
/// Each call runs what it caused to the end, as far as that needs no time to pass. Clients and all that comes of them
/// stay in the thread of the test; the [`endpoint`](Self::endpoint) may be used from any.
///
/// Dropped at the end of a test, it panics if a channel has crashed and nobody has asserted that
/// ([`Member::assert_crash`](super::Member::assert_crash)): as in `Phoenix.ChannelTest`, where a channel is linked to
/// its test.
pub struct Harness {
    /// The endpoint, for what comes from outside of channels: broadcasts, `disconnect`.
    pub endpoint: Endpoint,
    node: Rc<Node>,
}

/// A connection that was not accepted: what an HTTP client would be answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectError {
    /// The status, such as 403.
    pub status: StatusCode,
    /// The body; most have none.
    pub body: Bytes,
    /// Why [`Socket::connect`](crate::Socket::connect) failed, if that is what happened: clients see a 500.
    pub cause: Option<String>,
}

impl Harness {
    /// Starts an endpoint, in one shard whatever the builder says: so the order of things is the same on every
    /// machine. All else is as the builder says.
    #[must_use]
    pub fn new(builder: Builder) -> Self {
        let node = Node::new(builder);
        Self { endpoint: node.endpoint.clone(), node: Rc::new(node) }
    }

    /// Connects a client to the socket at `path`, such as `/socket`, with connect parameters: an object, or `()`
    /// for none. All checks are those of the endpoint, and [`Socket::connect`](crate::Socket::connect) runs.
    ///
    /// # Errors
    /// [`ConnectError`] if it may not connect.
    ///
    /// # Panics
    /// If the parameters are no object, or `connect` waits for something outside of the harness.
    ///
    /// Source: `Phoenix.ChannelTest.connect/3`.
    #[track_caller]
    pub fn connect(&self, path: &str, params: impl IntoPayload) -> Result<Client, ConnectError> {
        self.connect_with(Dial::new(path).params(params))
    }

    /// Connects a client that says more of itself: headers, an auth token, its address, another serializer.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// # Panics
    /// As [`connect`](Self::connect), and if the client asks for a [serializer of your own](crate::SocketSettings::serializer).
    #[track_caller]
    pub fn connect_with(&self, dial: Dial) -> Result<Client, ConnectError> {
        let parts = ["/websocket", ""].map(|below| dial.request(below));
        let captures = |parts: &Parts| {
            self.endpoint.hub().mounts().iter().any(|mount| mount.path.capture(parts.uri.path()).is_some())
        };
        let [usual, exact] = parts;
        let parts = if captures(&usual) { usual } else { exact };

        let hub = Arc::clone(self.endpoint.hub());
        let decided = self.run_to_end(Box::pin(admit(hub, parts)));
        let Some(decided) = decided else {
            panic!(
                "`Socket::connect` of {:?} has not returned: it waits for something outside of the harness{}",
                dial.path,
                self.node.report()
            );
        };
        let (opening, _) = decided.map_err(ConnectError::from)?;
        Ok(self.open(dial.path, opening))
    }

    /// Connects a client without asking [`Socket::connect`](crate::Socket::connect): these are its assigns.
    /// [`Socket::id`](crate::Socket::id) is asked.
    ///
    /// # Panics
    /// If no socket is mounted at `path`, or if it has assigns of another type.
    ///
    /// Source: `Phoenix.ChannelTest.socket/4`.
    #[track_caller]
    pub fn socket<A: Send + Sync + 'static>(&self, path: &str, assigns: A) -> Client {
        let full = format!("{}/websocket", path.trim_end_matches('/'));
        let mounts = self.endpoint.hub().mounts();
        let found = |path: &str| mounts.iter().position(|mount| mount.path.capture(path).is_some());
        let Some(place) = found(&full).or_else(|| found(path)) else {
            panic!("no socket is mounted at {path:?}")
        };
        let Some(admitted) = mounts[place].socket.admit(Box::new(assigns)) else {
            panic!("the assigns of the socket at {path:?} are no {}", std::any::type_name::<A>());
        };
        let Ok(slot) = Arc::clone(self.endpoint.hub()).admit(place) else {
            panic!("the endpoint takes no connection")
        };
        self.open(path.to_owned(), Opening::new(Serializer::V2, admitted, slot))
    }

    /// Subscribes the test to a topic: it hears all broadcasts, whoever is on the topic.
    ///
    /// Source: `Phoenix.Endpoint.subscribe/2`, called in a test.
    #[must_use]
    pub fn subscribe(&self, topic: &str) -> Listener {
        Listener::new(&self.node, topic)
    }

    /// Lets time pass, and runs all that comes due meanwhile, each at its time: sleeps, timers, limits, the
    /// heartbeats of the clients.
    #[track_caller]
    pub fn advance(&self, time: Duration) {
        self.node.advance(time);
    }

    /// Runs a task of the test's in the background, such as [`Endpoint::drain`]. It ends with the harness.
    #[track_caller]
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.node.runtime.spawn_for(Owner::Application, Box::pin(future));
        self.node.run();
    }

    /// Runs a future; `None` if it waits for something.
    #[track_caller]
    fn run_to_end<T: Send + 'static>(&self, future: BoxFuture<'static, T>) -> Option<T> {
        let done: Arc<Mutex<Option<T>>> = Arc::default();
        let result = Arc::clone(&done);
        let task = future.map(move |value| *result.lock() = Some(value));
        self.node.runtime.spawn_for(Owner::House, Box::pin(task));
        self.node.run();
        done.lock().take()
    }

    #[track_caller]
    fn open(&self, path: String, opening: Opening) -> Client {
        let wire = Wire::default();
        let serializer = opening.serializer();
        if let Serializer::Custom(_) = serializer {
            panic!(
                "clients of the harness speak V1 and V2; a format is tested by itself, or with a client of its own"
            );
        }
        let connection = opening.open(Some(Box::new(wire.clone())), Stream::PLAIN, Bytes::new());
        let socket = connection.socket();
        self.node.runtime.spawn_connection(connection);
        let line = Line::new(path, socket, serializer, wire, self.node.runtime.time());
        let place = {
            let mut lines = self.node.lines.borrow_mut();
            lines.push(line);
            lines.len() - 1
        };
        self.node.run();
        Client::new(&self.node, place)
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let register = self.node.register.borrow();
        let crashes = register.crashes.iter().filter(|crash| !crash.is_expected);
        let crashes: String = crashes.map(|crash| format!("\n  {}", crashed(crash))).collect();
        drop(register);
        assert!(
            crashes.is_empty(),
            "crashed, and the test did not expect it (`Member::assert_crash`):{crashes}"
        );
    }
}

impl From<Denied> for ConnectError {
    fn from(denied: Denied) -> Self {
        let cause = denied.cause();
        let (parts, body) = denied.into_response().into_parts();
        let body = body.collect().now_or_never();
        let body = body.and_then(Result::ok).map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Self { status: parts.status, body, cause }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection was refused with {}", self.status)?;
        if !self.body.is_empty() {
            write!(f, ": {}", String::from_utf8_lossy(&self.body))?;
        }
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, " ({cause})"))
    }
}

impl std::error::Error for ConnectError {}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness").finish_non_exhaustive()
    }
}
