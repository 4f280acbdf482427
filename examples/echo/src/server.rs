//! The server's role.

use crate::clock::Clock;
use crate::{config, session};
use anyhow::{Context as _, Result};
use bennu_core::websocket::{Connection, handshake};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use tokio::net::{TcpListener, TcpStream};

/// Echoes whatever comes to this port, for ever.
pub(crate) async fn run(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("cannot listen on port {port}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    accept(listener).await
}

async fn accept(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = serve(stream).await {
                eprintln!("a connection could not be served: {error}");
            }
        });
    }
}

/// Speaks HTTP until the upgrade.
async fn serve(stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let service = service_fn(async |request| Ok::<_, Infallible>(upgrade(request)));
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await?;
    Ok(())
}

/// Answers 101, and echoes from then on; or says what is wrong with the request.
fn upgrade(mut request: Request<Incoming>) -> Response<String> {
    let accept = match handshake::check_upgrade(&request) {
        Ok(accept) => accept,
        Err(error) => {
            let mut response = Response::new(error.to_string());
            *response.status_mut() = StatusCode::BAD_REQUEST;
            return response;
        }
    };
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let clock = Clock::start();
        let connection = Connection::server(config(), clock.now());
        if let Err(error) = session::run(TokioIo::new(upgraded), connection, clock, Some).await {
            eprintln!("a connection has ended: {error}");
        }
    });
    handshake::response(&accept, None).map(|()| String::new())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn request_for_anything_else_is_told_what_it_lacks() {
        let mut stream = TcpStream::connect(listening().await).await.unwrap();

        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();

        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.ends_with(r#"'connection' header must contain 'upgrade', got ["close"]"#), "{answer}");
    }

    /// Where an echo listens from now on.
    pub(crate) async fn listening() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(accept(listener));
        address
    }
}
