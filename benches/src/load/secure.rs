//! Clients that speak TLS: opened by a few threads, then left alone.

use super::client::ClientError;
use super::opening::{self, ANSWER_LIMIT};
use super::session::Session;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConnection, Resumption};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme, StreamOwned};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;

/// A connection that has joined one topic.
pub(super) type SecureClient = StreamOwned<ClientConnection, TcpStream>;

/// A handshake is work for both ends: several at once keep them both busy.
const THREADS: usize = 4;

/// Opens `count` connections, and joins each to the topic of that name.
///
/// # Errors
/// [`ClientError`] if one is refused, or is not answered in time.
pub(super) fn open(server: SocketAddr, count: usize, topic: &str) -> Result<Vec<SecureClient>, ClientError> {
    let config = config()?;
    let share = |thread| count / THREADS + usize::from(thread < count % THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let config = &config;
                scope.spawn(move || open_share(server, config, share(thread), topic))
            })
            .collect();
        let mut clients = Vec::with_capacity(count);
        for thread in threads {
            clients.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(clients)
    })
}

/// Makes sure that a client is still served.
///
/// # Errors
/// [`ClientError`] if its push is not answered.
pub(super) fn check(client: &mut SecureClient, topic: &str) -> Result<(), ClientError> {
    let session = Session::new(topic);
    let mut push = Vec::new();
    session.push_echo(&mut push, 0);
    opening::ask(client, &push, |body| session.number(body) == Some(0))
}

fn open_share(
    server: SocketAddr,
    config: &Arc<ClientConfig>,
    count: usize,
    topic: &str,
) -> Result<Vec<SecureClient>, ClientError> {
    let session = Session::new(topic);
    let name = ServerName::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
    let mut clients = Vec::with_capacity(count);
    for _ in 0..count {
        let connection = ClientConnection::new(Arc::clone(config), name.clone()).map_err(ClientError::Tls)?;
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        let mut client = StreamOwned::new(connection, stream);
        opening::ask_upgrade(&mut client)?;
        opening::take_upgrade(&mut client)?;
        opening::ask(&mut client, &session.join, |body| body == session.joined)?;
        clients.push(client);
    }
    Ok(clients)
}

/// Every handshake is a whole one, as that of a new client.
fn config() -> Result<Arc<ClientConfig>, ClientError> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let config = config.with_safe_default_protocol_versions().map_err(ClientError::Tls)?;
    let verifier = Arc::new(AnyCertificate(provider));
    let mut config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Takes any certificate: the server has made its own when it started, on this very machine.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
