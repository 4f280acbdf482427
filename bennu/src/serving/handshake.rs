//! What a client has until its connection is a WebSocket: time, and bytes.

use super::http::AnyTimer;
use crate::{Endpoint, RequestLimits};
use hyper::server::conn::http1;
use std::time::Duration;

/// The bounds of a handshake.
#[derive(Clone, Copy, Debug)]
pub struct Handshake {
    timeout: Duration,
    tls: Duration,
    answer: Duration,
    what: Bounded,
}

/// What a client has its time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bounded {
    /// All from the accept to the upgrade, as nothing else is served.
    Everything,
    /// TLS, and the head of each request: how long an application's answers take, it alone knows, and a poll waits.
    Heads,
}

/// What is read of a head beyond what is accepted, in bytes, so that what is too long is measured and
/// answered by its name.
const MARGIN: usize = 8 * 1024;

/// How many header lines hyper reads unless it is told otherwise: more cost it an allocation for each
/// request.
const LINES: usize = 100;

/// What hyper reads at least of a head, in bytes.
const LEAST: usize = 8 * 1024;

/// Longer than anybody waits, and no time that a clock cannot tell.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Default for Handshake {
    /// 10 s from the accept to the upgrade, 5 s of them for TLS; and 10 s for a client that takes nothing of an answer.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            tls: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            what: Bounded::Everything,
        }
    }
}

impl Handshake {
    /// The default for an endpoint that is served alone: if it is [polled](Endpoint::is_polled), its clients come with
    /// one request after the other.
    #[must_use]
    pub fn of(endpoint: &Endpoint) -> Self {
        if endpoint.is_polled() { Self::default().of_heads() } else { Self::default() }
    }

    /// The same for connections on which other requests are answered, too: the time is for TLS and the head of the
    /// first request, and anew for each further head.
    #[must_use]
    pub fn of_heads(self) -> Self {
        Self { what: Bounded::Heads, ..self }
    }

    /// How long a client has, from the accept on: a year at most, as all times here.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout.min(A_YEAR);
    }

    /// How long it has for TLS, within that.
    pub fn set_tls_timeout(&mut self, timeout: Duration) {
        self.tls = timeout.min(A_YEAR);
    }

    /// How long a client may take nothing of what it is answered.
    pub fn set_answer_timeout(&mut self, timeout: Duration) {
        self.answer = timeout.min(A_YEAR);
    }

    /// How long a client has from its accept on.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long it has for TLS, from its accept on.
    #[must_use]
    pub fn tls_timeout(&self) -> Duration {
        self.tls.min(self.timeout)
    }

    pub(super) fn answer_timeout(&self) -> Duration {
        self.answer
    }

    /// How long a client has that has so much left of its time, if TLS has used up some of it; `None` if that is
    /// hyper's to measure, head by head.
    pub(super) fn first(&self, left: Option<Duration>) -> Option<Duration> {
        match self.what {
            Bounded::Everything => left.or(Some(self.timeout)),
            Bounded::Heads => left,
        }
    }

    /// Whether that time ends with the first head.
    pub(super) fn is_of_heads(&self) -> bool {
        self.what == Bounded::Heads
    }

    /// An HTTP server for connections that may ask for so much.
    pub(super) fn http(&self, limits: RequestLimits, timer: AnyTimer) -> http1::Builder {
        let mut http = http1::Builder::new();
        let head = match self.what {
            // A timer for all is one for the head, too.
            Bounded::Everything => None,
            Bounded::Heads => Some(self.timeout),
        };
        http.timer(timer).header_read_timeout(head);
        http.max_buf_size(limits.bytes().saturating_add(MARGIN).max(LEAST));
        if limits.lines() >= LINES {
            http.max_headers(limits.lines().saturating_add(1));
        }
        http
    }
}
