//! Plain TCP, or TLS over it.

use crate::handshake::Handshake;
use bennu::Scheme;
use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1::{self, UpgradeableConnection};
use hyper::service::HttpService;
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use tokio::net::TcpStream;

/// Whether connections come over TLS, and how.
#[derive(Clone, Default)]
pub(crate) struct Secure {
    #[cfg(feature = "tls")]
    acceptor: Option<tokio_rustls::TlsAcceptor>,
}

impl Secure {
    #[cfg(feature = "tls")]
    pub(crate) fn new(config: std::sync::Arc<rustls::ServerConfig>) -> Self {
        Self { acceptor: Some(config.into()) }
    }

    pub(crate) fn scheme(&self) -> Scheme {
        #[cfg(feature = "tls")]
        if self.acceptor.is_some() {
            return Scheme::Https;
        }
        Scheme::Http
    }
}

/// An accepted stream, ready for HTTP.
pub(crate) enum Accepted {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

/// Makes the TLS handshake, if there is to be one.
pub(crate) async fn accept(
    stream: TcpStream,
    secure: &Secure,
    handshake: &Handshake,
) -> io::Result<Accepted> {
    #[cfg(feature = "tls")]
    if let Some(acceptor) = &secure.acceptor {
        let stream = tokio::time::timeout_at(handshake.tls_deadline(), acceptor.accept(stream)).await??;
        return Ok(Accepted::Tls(Box::new(stream)));
    }
    let _ = (secure, handshake);
    Ok(Accepted::Plain(stream))
}

/// Answers requests until the stream ends, is upgraded, or everything does.
pub(crate) async fn serve<S, B>(
    stream: Accepted,
    http: &http1::Builder,
    service: S,
    ended: impl Future<Output = ()>,
) -> Result<(), hyper::Error>
where
    S: HttpService<Incoming, ResBody = B> + Send,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    match stream {
        Accepted::Plain(stream) => {
            until(Box::pin(http.serve_connection(TokioIo::new(stream), service).with_upgrades()), ended).await
        }
        #[cfg(feature = "tls")]
        Accepted::Tls(stream) => {
            until(Box::pin(http.serve_connection(TokioIo::new(*stream), service).with_upgrades()), ended)
                .await
        }
    }
}

/// Drives a connection; when everything ends, it answers what it has begun to. Boxed, as each `async fn` that it is
/// handed through would keep it twice: as its argument, and where it is polled.
async fn until<I, S, B>(
    mut connection: Pin<Box<UpgradeableConnection<I, S>>>,
    ended: impl Future<Output = ()>,
) -> Result<(), hyper::Error>
where
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    tokio::select! {
        result = connection.as_mut() => return result,
        () = ended => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}
