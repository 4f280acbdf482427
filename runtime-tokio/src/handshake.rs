//! What a client has until its connection is a WebSocket: time, and bytes.

use bennu::RequestLimits;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The bounds of a handshake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handshake {
    timeout: Duration,
    what: Bounded,
    #[cfg(feature = "tls")]
    tls: Duration,
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

impl Default for Handshake {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            what: Bounded::Everything,
            #[cfg(feature = "tls")]
            tls: Duration::from_secs(5),
        }
    }
}

impl Handshake {
    /// The same for connections on which other requests are answered, too.
    pub(crate) fn of_heads(self) -> Self {
        Self { what: Bounded::Heads, ..self }
    }

    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    #[cfg(feature = "tls")]
    pub(crate) fn set_tls_timeout(&mut self, timeout: Duration) {
        self.tls = timeout;
    }

    /// Until when a connection that is accepted now has to be a WebSocket.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Until when its TLS has to be agreed on.
    #[cfg(feature = "tls")]
    pub(crate) fn tls_deadline(&self) -> Instant {
        Instant::now() + self.tls.min(self.timeout)
    }

    /// An HTTP server for a connection that has until `deadline`, and may ask for so much.
    pub(crate) fn http(&self, deadline: Instant, limits: RequestLimits) -> http1::Builder {
        let mut http = http1::Builder::new();
        let head = match self.what {
            // A timer for all is one for the head, too.
            Bounded::Everything => None,
            Bounded::Heads => Some(deadline.saturating_duration_since(Instant::now())),
        };
        http.timer(TokioTimer::new()).header_read_timeout(head);
        http.max_buf_size(limits.bytes().saturating_add(MARGIN).max(LEAST));
        if limits.lines() >= LINES {
            http.max_headers(limits.lines().saturating_add(1));
        }
        http
    }

    /// Awaits all that is served on a connection, as long as it may take.
    pub(crate) async fn bound(
        &self,
        deadline: Instant,
        serving: impl Future<Output = Result<(), hyper::Error>>,
    ) -> io::Result<()> {
        match self.what {
            Bounded::Everything => timeout_at(deadline, serving).await?.map_err(io::Error::other),
            Bounded::Heads => serving.await.map_err(io::Error::other),
        }
    }
}
