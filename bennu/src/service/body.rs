//! What the endpoint answers with.

use crate::longpoll::Polled;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of an endpoint's responses: empty for a WebSocket, a sentence with some errors, and what a client that
/// polls has come for.
#[derive(Debug, Default)]
pub struct ResponseBody {
    data: Option<Bytes>,
    /// Learns whether the data was taken to be written.
    polled: Option<Polled>,
}

impl ResponseBody {
    /// A body whose data is somebody's until it is written: dropped before, it goes back.
    pub(crate) fn delivering(data: Bytes, polled: Polled) -> Self {
        Self { polled: Some(polled), ..Self::from(data) }
    }
}

impl From<Bytes> for ResponseBody {
    fn from(data: Bytes) -> Self {
        Self { data: Some(data).filter(|data| !data.is_empty()), polled: None }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = self.data.take();
        if let Some(polled) = self.polled.take() {
            polled.hand_over();
        }
        Poll::Ready(data.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, Bytes::len) as u64)
    }
}
