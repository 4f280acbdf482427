//! Plain TCP, or TLS over it.

use bennu::Scheme;
use bennu::serving::Handshake;
#[cfg(feature = "tls")]
use bennu::serving::TurnedAway;
use std::io;
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
        // Boxed, since those who come without would have room for it, too.
        let handshaking = Box::pin(acceptor.accept(stream));
        let stream = tokio::time::timeout(handshake.tls_timeout(), handshaking).await;
        let stream = stream.map_err(|_| TurnedAway::LateTls)??;
        return Ok(Accepted::Tls(Box::new(stream)));
    }
    let _ = (secure, handshake);
    Ok(Accepted::Plain(stream))
}
