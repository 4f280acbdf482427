//! The body of a post, as it arrives.

use crate::runtime::Runtime;
use bytes::{Buf, BufMut as _, Bytes, BytesMut};
use futures_util::future::{Either, select};
use http_body_util::BodyExt as _;
use hyper::body::Body;
use std::pin::pin;
use std::time::Duration;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It is longer than it may be.
    TooLong {
        /// How long, as far as it was looked at.
        len: usize,
    },
    /// It has not come to its end in time.
    Late,
    /// Its client has gone, or does not keep to HTTP.
    Cut,
}

/// How many bytes are taken and dropped of a body that is too long, so that its client hears of it: one that is
/// still sending when its connection ends reads no answer.
const DRAINED: usize = 16 << 20;

/// Receives a body of at most `limit` bytes, within `timeout` in all.
pub(super) async fn receive<B>(
    body: B,
    limit: usize,
    timeout: Duration,
    runtime: &dyn Runtime,
) -> Result<Bytes, Failure>
where
    B: Body,
{
    let late = runtime.sleep(timeout);
    match select(pin!(collect(body, limit)), late).await {
        Either::Left((received, _)) => received,
        Either::Right(((), _)) => Err(Failure::Late),
    }
}

async fn collect<B: Body>(body: B, limit: usize) -> Result<Bytes, Failure> {
    let mut body = pin!(body);
    let (mut received, mut len) = (BytesMut::new(), 0usize);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Failure::Cut)?.into_data() else { continue };
        len = len.saturating_add(data.remaining());
        if len <= limit {
            received.put(data);
            continue;
        }
        received = BytesMut::new();
        if len - limit > DRAINED {
            break;
        }
    }
    if len > limit { Err(Failure::TooLong { len }) } else { Ok(received.freeze()) }
}
