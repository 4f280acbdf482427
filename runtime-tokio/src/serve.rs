//! A listener, and the connections that come to it.

use crate::door::Door;
use crate::transport::Secure;
use bennu::Endpoint;
use bennu::serving::{App, Beside, Client, Handshake, Http};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioTimer;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower_service::Service;

/// What the kernel is asked to hold at most of what one client does not read, in bytes. Left alone, it
/// takes megabytes before an outbox sees the first of them.
const SEND_BUFFER: usize = 64 * 1024;

/// How long requests that are being answered have at shutdown.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// How long they have at least when the endpoint has been drained: with the last sessions, the polls that waited in them
/// have just been answered.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Binds a listener for many connections: the address can be bound again at once, and many may wait to
/// be accepted.
///
/// # Errors
/// What the system says, for instance that the address is in use.
///
/// # Panics
/// Outside of a tokio runtime, or in one without I/O.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    prepare(&socket)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    TcpListener::from_std(socket.into())
}

/// Sets on a listener what its connections inherit, from the first that arrives on.
fn prepare(listener: &Socket) -> io::Result<()> {
    listener.set_tcp_nodelay(true)?;
    listener.set_send_buffer_size(SEND_BUFFER)
}

/// Serves an endpoint on a listener; to be awaited.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use bennu::Endpoint;
///
/// let endpoint = Endpoint::builder()
///     .socket("/socket", bennu::socket(bennu::Open))
///     .build(bennu_tokio::Tokio);
/// let listener = bennu_tokio::bind(([127, 0, 0, 1], 4000).into())?;
/// bennu_tokio::serve(listener, endpoint)
///     .with_graceful_shutdown(async { let _ = tokio::signal::ctrl_c().await; })
///     .await
/// # }
/// ```
///
/// # Errors
/// Awaiting it fails if the system does not let the listener be set up. A connection that cannot be accepted
/// is logged, and the next one awaited.
#[must_use = "nothing is served until it is awaited"]
pub fn serve(listener: TcpListener, endpoint: Endpoint) -> Serve<Endpoint> {
    let shutdown = Box::pin(std::future::pending());
    let handshake = Handshake::of(&endpoint);
    Serve { listener, app: endpoint.clone(), endpoint, shutdown, secure: Secure::default(), handshake }
}

/// What [`serve`] returns: settings, until it is awaited.
#[must_use = "nothing is served until it is awaited"]
pub struct Serve<A> {
    listener: TcpListener,
    endpoint: Endpoint,
    app: A,
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
    secure: Secure,
    handshake: Handshake,
}

impl<A> Serve<A> {
    /// Serves a whole application, an axum router for instance, in which the endpoint is mounted:
    ///
    /// ```no_run
    /// # async fn example(listener: tokio::net::TcpListener, endpoint: bennu::Endpoint) -> std::io::Result<()> {
    /// use axum::{Router, routing::get};
    ///
    /// let app = Router::new()
    ///     .route("/health", get(|| async { "ok" }))
    ///     .route_service("/socket/{*path}", endpoint.clone());
    /// bennu_tokio::serve(listener, endpoint).app(app).await
    /// # }
    /// ```
    pub fn app<S, B>(self, app: S) -> Serve<S>
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    {
        let Self { listener, endpoint, app: _, shutdown, secure, handshake } = self;
        Serve { listener, endpoint, app, shutdown, secure, handshake: handshake.of_heads() }
    }

    /// Serves an application beside the endpoint: what is not asked of one of its sockets goes to the application, in which
    /// the endpoint need not be mounted.
    ///
    /// Requests for sockets then pass by the application's routes and middleware, and cost nothing there. Use
    /// [`app`](Self::app) if they are to pass through them.
    ///
    /// ```no_run
    /// # async fn example(listener: tokio::net::TcpListener, endpoint: bennu::Endpoint) -> std::io::Result<()> {
    /// use axum::{Router, routing::get};
    ///
    /// let app = Router::new().route("/health", get(|| async { "ok" }));
    /// bennu_tokio::serve(listener, endpoint).fallback(app).await
    /// # }
    /// ```
    pub fn fallback<S, B>(self, app: S) -> Serve<Beside<S>>
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone,
    {
        let app = Beside::new(self.endpoint.clone(), app);
        self.app(app)
    }

    /// How long a client has from the accept of its connection until that is a WebSocket, in all, and not
    /// for each of its reads: 10 s. Then the connection is closed.
    ///
    /// With an [application](Self::app), or clients that [poll](bennu::LongPoll), whose answers may take longer and who
    /// may ask again, it is the time for TLS and the head of a request, and anew for each further head.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake.set_timeout(timeout);
        self
    }

    /// How long a client may take nothing of what it is answered: 10 s. Then its connection is closed.
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.handshake.set_answer_timeout(timeout);
        self
    }

    /// Ends when `signal` is done: no connection is accepted any more, and the endpoint is
    /// [drained](Endpoint::drain), with 30 s for the batches of its sockets unless they are
    /// [set otherwise](bennu::Drain), and 5 s for handlers. Requests that are being answered have 5 s, and 1 s behind
    /// the drain, which may have answered the last polls.
    pub fn with_graceful_shutdown(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.shutdown = Box::pin(signal);
        self
    }

    /// Takes connections over TLS alone. A client has 5 s for its handshake.
    ///
    /// ```no_run
    /// # use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    /// # async fn example(
    /// #     listener: tokio::net::TcpListener,
    /// #     endpoint: bennu::Endpoint,
    /// #     chain: Vec<CertificateDer<'static>>,
    /// #     key: PrivateKeyDer<'static>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// use rustls::ServerConfig;
    /// use std::sync::Arc;
    ///
    /// let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    /// bennu_tokio::serve(listener, endpoint).with_tls(Arc::new(config)).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn with_tls(mut self, config: std::sync::Arc<rustls::ServerConfig>) -> Self {
        self.secure = Secure::new(config);
        self
    }

    /// How long a client has for the TLS handshake: 5 s, which are part of the
    /// [time for all](Self::handshake_timeout). Then the connection is closed.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls_handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake.set_tls_timeout(timeout);
        self
    }
}

impl<S: App> IntoFuture for Serve<S> {
    type Output = io::Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            // On a task of its own. Under `block_on`, as in `main`, it would share its thread with no connection:
            // each one would be handed to another thread, which has to be woken for it.
            let mut task = JoinSet::new();
            task.spawn(self.run());
            let Some(ended) = task.join_next().await else { return Ok(()) };
            ended.unwrap_or_else(|failed| match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(cancelled) => Err(io::Error::other(cancelled)),
            })
        })
    }
}

impl<S: App> Serve<S> {
    async fn run(self) -> io::Result<()> {
        let Self { listener, endpoint, app, mut shutdown, secure, handshake } = self;
        // Of a listener that is not from `bind`, connections that wait already do without.
        prepare(&SockRef::from(&listener))?;

        let (ending, alive) = watch::channel(());
        let http = Http::new(app, handshake, endpoint.request_limits(), TokioTimer::new());
        let door = Arc::new(Door { endpoint: endpoint.clone(), http, secure, ending: alive });
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let door = Arc::clone(&door);
                        tokio::spawn(Client::new(move || door.admit(stream, peer)));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        // Out of descriptors, most likely: others have to end first.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                () = &mut shutdown => break,
            }
        }
        drop((listener, door));
        let _ = ending.send(());
        let due = Instant::now() + SHUTDOWN;
        endpoint.drain().await;
        let due = due.max(Instant::now() + LAST_ANSWERS);
        let _ = tokio::time::timeout_at(due, ending.closed()).await;
        Ok(())
    }
}

impl<A> fmt::Debug for Serve<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("listener", &self.listener).finish_non_exhaustive()
    }
}
