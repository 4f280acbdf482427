//! A listener, and the connections that come to it.

use crate::transport::{self, Secure};
use bennu::{Carrier, Endpoint};
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_service::Service;

/// How long a client has for the head of a request, in all, and not for each of its reads.
const HEAD: Duration = Duration::from_secs(10);

/// What the head of a request may take, in bytes: more than is accepted, so that what is too long is
/// answered and not just cut off.
const HEAD_BUFFER: usize = 32 * 1024;

/// What the kernel is asked to hold at most of what one client does not read, in bytes. Left alone, it
/// takes megabytes before an outbox sees the first of them.
const SEND_BUFFER: usize = 64 * 1024;

/// How long handlers that run, and requests that are being answered, have at shutdown.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// Binds a listener for many connections: the address can be bound again at once, and many may wait to
/// be accepted.
///
/// # Errors
/// What the system says, for instance that the address is in use.
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
#[must_use = "nothing is served until it is awaited"]
pub fn serve(listener: TcpListener, endpoint: Endpoint) -> Serve<Endpoint> {
    let shutdown = Box::pin(std::future::pending());
    Serve { listener, app: endpoint.clone(), endpoint, shutdown, secure: Secure::default() }
}

/// What [`serve`] returns: settings, until it is awaited.
#[must_use = "nothing is served until it is awaited"]
pub struct Serve<A> {
    listener: TcpListener,
    endpoint: Endpoint,
    app: A,
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
    secure: Secure,
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
        let Self { listener, endpoint, app: _, shutdown, secure } = self;
        Serve { listener, endpoint, app, shutdown, secure }
    }

    /// Ends when `signal` is done: no connection is accepted any more, those that are there are closed
    /// with 1012, and their handlers have 5 s to come to an end.
    pub fn with_graceful_shutdown(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.shutdown = Box::pin(signal);
        self
    }

    /// Takes connections over TLS alone.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn with_tls(mut self, config: std::sync::Arc<rustls::ServerConfig>) -> Self {
        self.secure = Secure::new(config);
        self
    }
}

impl<S, B> IntoFuture for Serve<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
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

impl<S, B> Serve<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    async fn run(self) -> io::Result<()> {
        let Self { listener, endpoint, app, mut shutdown, secure } = self;
        // Of a listener that is not from `bind`, connections that wait already do without.
        prepare(&SockRef::from(&listener))?;

        // Every connection holds a receiver: it learns of the end, and the end waits for it.
        let (ending, alive) = watch::channel(());
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let connection = serve_connection(stream, peer, app.clone(), secure.clone(), alive.clone());
                        tokio::spawn(connection);
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
        drop((listener, alive));
        let _ = ending.send(());
        let ended = async { tokio::join!(endpoint.drain(), ending.closed()) };
        let _ = tokio::time::timeout(SHUTDOWN, ended).await;
        Ok(())
    }
}

async fn serve_connection<S, B>(
    stream: TcpStream,
    peer: SocketAddr,
    app: S,
    secure: Secure,
    mut ending: watch::Receiver<()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let carrier = Carrier { peer: Some(peer), scheme: secure.scheme() };
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(carrier);
        app.clone().call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BUFFER);
    // Borrowed, since the end waits until all receivers are dropped: this one when the connection has ended.
    let ended = async {
        let _ = ending.changed().await;
    };
    let result = match transport::accept(stream, &secure).await {
        Ok(stream) => transport::serve(stream, &http, service, ended).await.map_err(io::Error::other),
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

impl<A> fmt::Debug for Serve<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("listener", &self.listener).finish_non_exhaustive()
    }
}
