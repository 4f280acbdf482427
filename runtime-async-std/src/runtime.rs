//! What async-std and smol offer to the endpoint.

use crate::executor;
use crate::io::HyperIo;
use crate::stream::AsyncStdStream;
use async_io::{Async, Timer};
use bennu::serving::HttpStream;
use bennu::{BoxFuture, ConnectionTask, Instant, PlainStream, Runtime};
use bytes::Bytes;
use hyper::upgrade::{Parts, Upgraded};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::Duration;

/// The runtime, async-std or smol as the crate's features say: what [`Builder::build`](bennu::Builder::build) is given.
///
/// ```
/// let endpoint = bennu::Endpoint::builder()
///     .socket("/socket", bennu::socket(bennu::Open))
///     .build(bennu_async_std::AsyncStd);
/// # drop(endpoint);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStd;

/// Where the time of this process starts.
static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

impl Runtime for AsyncStd {
    fn spawn(&self, future: BoxFuture<'static, ()>) {
        executor::spawn(future).detach();
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            Timer::after(delay).await;
        })
    }

    fn yield_now(&self) -> BoxFuture<'static, ()> {
        Box::pin(futures_lite::future::yield_now())
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(START.elapsed())
    }

    fn spawn_connection(&self, connection: ConnectionTask) {
        executor::spawn(connection).detach();
    }

    fn adopt(&self, upgraded: Upgraded) -> Result<(Box<dyn PlainStream>, Bytes), Upgraded> {
        let Parts { io, read_buf, .. } = upgraded.downcast::<HttpStream<HyperIo<Async<TcpStream>>>>()?;
        Ok((Box::new(AsyncStdStream::new(io.into_inner().into_inner())), read_buf))
    }
}
