//! What tokio offers to the endpoint.

use crate::stream::TokioStream;
use bennu::serving::HttpStream;
use bennu::{BoxFuture, ConnectionTask, Instant, PlainStream, Runtime};
use bytes::Bytes;
use hyper::upgrade::{Parts, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::net::TcpStream;

/// The tokio runtime: what [`Builder::build`](bennu::Builder::build) is given, on a tokio runtime.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let endpoint = bennu::Endpoint::builder()
///     .socket("/socket", bennu::socket(bennu::Open))
///     .build(bennu_tokio::Tokio);
/// # drop(endpoint);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

/// Where the time of this process starts.
static START: LazyLock<tokio::time::Instant> = LazyLock::new(tokio::time::Instant::now);

impl Runtime for Tokio {
    fn spawn(&self, future: BoxFuture<'static, ()>) {
        tokio::spawn(future);
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(delay))
    }

    fn yield_now(&self) -> BoxFuture<'static, ()> {
        Box::pin(tokio::task::yield_now())
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(START.elapsed())
    }

    fn spawn_connection(&self, connection: ConnectionTask) {
        tokio::spawn(connection);
    }

    fn adopt(&self, upgraded: Upgraded) -> Result<(Box<dyn PlainStream>, Bytes), Upgraded> {
        let (stream, early) = match upgraded.downcast::<HttpStream<TokioIo<TcpStream>>>() {
            Ok(Parts { io, read_buf, .. }) => (io.into_inner().into_inner(), read_buf),
            Err(upgraded) => foreign(upgraded)?,
        };
        Ok((Box::new(TokioStream::new(stream)), early))
    }
}

/// A TCP stream that somebody else has accepted: hyper by itself, or hyper-util's own server, which axum's is.
fn foreign(upgraded: Upgraded) -> Result<(TcpStream, Bytes), Upgraded> {
    let (io, read_buf) = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(Parts { io, read_buf, .. }) => (io, read_buf),
        Err(upgraded) => {
            let auto::upgrade::Parts { io, read_buf, .. } =
                auto::upgrade::downcast::<TokioIo<TcpStream>>(upgraded)?;
            (io, read_buf)
        }
    };
    Ok((io.into_inner(), read_buf))
}
