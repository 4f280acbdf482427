//! Settings of the long-poll transport.

use crate::longpoll::Entrance;
use bennu_core::connect::MountPath;
use bennu_core::longpoll::{BodyLimits, Config, Ticket};
use std::time::Duration;

/// Settings of the long-poll transport, for clients that get no WebSocket through: `longPollFallbackMs` of phoenix.js.
///
/// A socket is polled only if it [says so](crate::SocketSettings::longpoll), as in Phoenix.
///
/// ```
/// use bennu::{LongPoll, Open};
/// use std::time::Duration;
///
/// let socket = bennu::socket(Open).longpoll(LongPoll::new().window(Duration::from_secs(25)));
/// ```
///
/// A client that polls counts as a connection, is asked for the same things when it connects, and meets the same
/// [`Limits`](crate::Limits): of what waits for it, [`outbox`](crate::Limits::outbox) is the limit, and past it its session
/// ends. Bytes cannot be sent to it: a broadcast of bytes skips it, and a push or a reply of bytes crashes its
/// channel (a deferred reply is logged and dropped).
///
/// Pages of all origins may read the answers, as [`check_origin`](crate::SocketSettings::check_origin) decides whether they
/// may connect.
///
/// Source: Phoenix `Transports.LongPoll`.
#[derive(Clone, Debug)]
#[must_use]
pub struct LongPoll {
    path: String,
    window: Duration,
    max_replaced: usize,
    max_input: usize,
    body: BodyLimits,
    body_timeout: Duration,
    max_age: Duration,
}

impl Default for LongPoll {
    fn default() -> Self {
        let Config { window, max_replaced, max_input, .. } = Config::default();
        Self {
            path: "longpoll".to_owned(),
            window,
            max_replaced,
            max_input,
            body: BodyLimits::default(),
            body_timeout: Duration::from_secs(20),
            max_age: Ticket::MAX_AGE,
        }
    }
}

impl LongPoll {
    /// The defaults, each of them said at its method.
    pub fn new() -> Self {
        Self::default()
    }

    /// The path below the mount: `longpoll`. May have variables: `units/{unit}/poll`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// How long a poll waits for something to be sent: 10 s, as Phoenix's `window_ms`. A message waits as long at
    /// most until it is taken. A session ends when there was no poll for one and a half times that.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Polls of one session that wait though a newer one has come: 8. Of more, the oldest are answered at once.
    pub fn max_replaced_polls(mut self, polls: usize) -> Self {
        self.max_replaced = polls;
        self
    }

    /// The longest body of a request, in bytes: 1 MiB. A longer one is answered 413.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.body.bytes = bytes;
        self
    }

    /// How much of posts may wait until it is taken, in bytes, each message counted with 64 more: 1 MiB. A post past it is
    /// answered 408 at once, unless none waits.
    pub fn max_waiting_posts(mut self, bytes: usize) -> Self {
        self.max_input = bytes;
        self
    }

    /// The most messages in a request: 100. Those past it are dropped, as by Phoenix.
    pub fn max_batch(mut self, messages: usize) -> Self {
        self.body.lines = messages;
        self
    }

    /// How long a body may take to arrive, in all: 20 s. Then the request is answered 408, and its connection ends.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.body_timeout = timeout;
        self
    }

    /// How old the token of a session may become: 14 days, as Phoenix's `crypto: [max_age: 1_209_600]`. Then its
    /// client is given another session.
    pub fn token_max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// The entrance at a mount.
    pub(crate) fn mount(self, mount: &str, outbox: usize) -> Entrance {
        let path = match MountPath::new(mount, &self.path) {
            Ok(path) => path,
            Err(error) => panic!("a socket's path is wrong: {error}"),
        };
        let config = Config {
            max_queue: outbox,
            max_replaced: self.max_replaced,
            max_input: self.max_input,
            ..Config::with_window(self.window)
        };
        Entrance { path, config, body: self.body, body_timeout: self.body_timeout, max_age: self.max_age }
    }
}
