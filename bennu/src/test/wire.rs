//! A stream in memory: the endpoint's end is a stream like any other, the client's are two methods.

use crate::PlainStream;
use parking_lot::Mutex;
use std::io::{self, IoSlice};
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Both ends. A clone is the same stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire(Arc<Mutex<Ends>>);

#[derive(Debug, Default)]
struct Ends {
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    /// The client sends nothing more.
    client_ended: bool,
    /// The server writes nothing more.
    server_ended: bool,
    readable: Option<Waker>,
}

impl Wire {
    /// The client sends.
    pub(super) fn send(&self, bytes: &[u8]) {
        self.change(|state| state.to_server.extend_from_slice(bytes));
    }

    /// The client sends nothing more.
    pub(super) fn end(&self) {
        self.change(|state| state.client_ended = true);
    }

    /// Takes what has come to the client, and whether nothing more will.
    pub(super) fn take(&self) -> (Vec<u8>, bool) {
        let mut state = self.0.lock();
        (mem::take(&mut state.to_client), state.server_ended)
    }

    fn change(&self, change: impl FnOnce(&mut Ends)) {
        let mut state = self.0.lock();
        change(&mut state);
        let waker = state.readable.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl PlainStream for Wire {
    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        let n = state.to_server.len().min(buf.len());
        if n == 0 && !state.client_ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buf[..n].copy_from_slice(&state.to_server[..n]);
        state.to_server.drain(..n);
        Ok(n)
    }

    fn try_write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.0.lock();
        if state.server_ended {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let before = state.to_client.len();
        bufs.iter().for_each(|buf| state.to_client.extend_from_slice(buf));
        Ok(state.to_client.len() - before)
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock();
        if !state.to_server.is_empty() || state.client_ended {
            return Poll::Ready(Ok(()));
        }
        state.readable = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_writable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn close(&self) {
        self.0.lock().server_ended = true;
    }

    fn abort(&self) {
        self.close();
    }
}
