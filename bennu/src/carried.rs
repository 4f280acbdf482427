//! Clients over transports of the application's own.
//!
//! ```text
//!  the transport ─▶ Inbound  ─▶ Counter ◀─▶ the session's task ─▶ Server
//!  the transport ◀─ Outbound ◀─ (longpoll/counter.rs)
//! ```
//!
//! To the node such a client is one that polls: with one poll that is always there, and posts of one message.

use crate::Endpoint;
use crate::link::{Dialect, Transport};
use crate::longpoll::Counter;
use crate::service::{Denied, ResponseBody, let_in};
use bennu_core::longpoll::{self, Data, Posted};
use bennu_core::{Frame, Kind};
use bytes::Bytes;
use http::{Request, Response};
use std::fmt;
use std::sync::Arc;

impl Endpoint {
    /// Connects a client over a transport of your own: a Unix socket, a serial line, a channel in memory.
    ///
    /// The request is what the client would have asked for as a WebSocket; its path, parameters, `vsn` and headers are
    /// looked at in the same way, and [`Socket::connect`](crate::Socket::connect) decides. The socket has to
    /// [say](crate::SocketSettings::carried) that it takes such clients.
    ///
    /// Here each message is a line on a Unix socket:
    ///
    /// ```
    /// use bennu::{Endpoint, Kind};
    /// # #[cfg(unix)]
    /// use tokio::net::UnixStream;
    /// use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    /// use tokio::time::{Duration, timeout};
    ///
    /// # #[cfg(unix)]
    /// async fn serve(client: UnixStream, endpoint: &Endpoint) -> std::io::Result<()> {
    ///     let request = http::Request::get("/socket/websocket?vsn=2.0.0").body(()).expect("a target");
    ///     let Ok((inbound, mut outbound)) = endpoint.carry(request).await else { return Ok(()) };
    ///     let (read, mut write) = client.into_split();
    ///     let receive = async {
    ///         let mut lines = BufReader::new(read).lines();
    ///         while let Some(line) = lines.next_line().await? {
    ///             if inbound.receive(Kind::Text, line.into()).await.is_err() {
    ///                 break;
    ///             }
    ///         }
    ///         Ok(())
    ///     };
    ///     let send = async {
    ///         while let Some(frames) = outbound.next().await {
    ///             for frame in frames {
    ///                 // A payload leaves as it was written. In JSON, a line break is a space.
    ///                 let line = frame.body().iter().map(|&byte| if byte == b'\n' { b' ' } else { byte });
    ///                 let line: Vec<u8> = line.chain([b'\n']).collect();
    ///                 timeout(Duration::from_secs(10), write.write_all(&line)).await??;
    ///             }
    ///         }
    ///         Ok(())
    ///     };
    ///     tokio::select! { ended = receive => ended, ended = send => ended }
    /// }
    /// ```
    ///
    /// Messages are written as V1 or V2, by `vsn`, or in a [`Format`](crate::Format) of your own. `examples/lines` is this
    /// as a program.
    ///
    /// Two halves, since both have to go on at the same time; when either is dropped, the connection ends. It counts as
    /// one of the node's, and has the same [`Limits`](crate::Limits), but that your transport bounds how long a message
    /// may be, and how long the client may take for one. In V1 and V2 only text can be sent to it, as to a client that polls: a broadcast of bytes skips it, and a
    /// push or a reply of bytes crashes its channel (a deferred reply is logged and dropped). What a format writes is handed
    /// out as it is, text or bytes.
    ///
    /// # Errors
    /// The response that the client would have had instead: 404 for a path where no socket takes such clients, 503 if
    /// there is no room, what its request is refused for (403 for its origin or an unknown `vsn`), or what
    /// [`Refused`](crate::Refused) says.
    pub async fn carry(
        &self,
        request: Request<()>,
    ) -> Result<(Inbound, Outbound), Box<Response<ResponseBody>>> {
        let (parts, ()) = request.into_parts();
        let decided = let_in(Arc::clone(self.hub()), &parts, Transport::Carried).await;
        let (opening, _) = decided.map_err(Denied::into_response)?;
        let mount = opening.mount();
        let dialect = Dialect { serializer: opening.serializer(), transport: Transport::Carried };
        let config = mount.carried.expect("it was chosen by this");
        let config = longpoll::Config { carries: dialect.carries(), ..config };
        // Nobody learns its number: no request leads here.
        let (counter, _) = opening.open_session(Transport::Carried, config);
        let inbound = Inbound { end: End { counter: Arc::clone(&counter) } };
        Ok((inbound, Outbound { end: End { counter } }))
    }
}

/// What comes from a client over a [transport of your own](Endpoint::carry).
#[derive(Debug)]
pub struct Inbound {
    end: End,
}

/// What goes to a client over a [transport of your own](Endpoint::carry).
#[derive(Debug)]
pub struct Outbound {
    end: End,
}

/// A message was not taken: the connection has ended, or is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotTaken;

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message was not taken")
    }
}

impl std::error::Error for NotTaken {}

impl Inbound {
    /// Hands in one message, and waits until the node takes it: too much may wait for handlers, or for the client. One
    /// that is no longer awaited is taken all the same.
    ///
    /// Shape of a text: `["1","2","room:lobby","new_msg",{"body":"hi"}]`.
    ///
    /// # Errors
    /// [`NotTaken`] if it was not taken within 10 s, or the connection has ended: drop it then. What is no message ends
    /// the connection: [`Outbound::next`] tells at once, this when its time is up.
    pub async fn receive(&self, kind: Kind, body: Bytes) -> Result<(), NotTaken> {
        match self.end.counter.post(vec![Data { kind, body }]).await {
            Ok(Posted::Accepted) => Ok(()),
            Ok(Posted::TimedOut) | Err(_) => Err(NotTaken),
        }
    }
}

impl Outbound {
    /// Waits for what is to be sent to the client; `None` when the connection has ended.
    ///
    /// Of each frame, its [body](Frame::body) is the message. To be awaited again at once: when nobody has for 15 s, the
    /// client is taken for dead. Dropped while it waits, it takes nothing along.
    pub async fn next(&mut self) -> Option<Vec<Frame>> {
        loop {
            if let Some((frames, mut delivery)) = self.end.counter.poll().await.ok()? {
                delivery.hand_over();
                return Some(frames);
            }
        }
    }
}

/// One half; the connection ends with it.
#[derive(Debug)]
struct End {
    counter: Arc<Counter>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.counter.hang_up();
    }
}
