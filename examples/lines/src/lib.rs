//! A transport of one's own: Phoenix Channels as lines on a Unix socket, each a message of V2.
//!
//! ```text
//! → ["1","1","room:lobby","phx_join",{}]
//! ← ["1","1","room:lobby","phx_reply",{"response":{},"status":"ok"}]
//! ```
#![cfg(unix)]

mod room;
mod transport;

pub use transport::{MAX_LINE, listen, serve};

use bennu::{Builder, Endpoint, Open};
use room::Room;

/// Rooms at `/socket`, which takes clients over transports of one's own, and WebSockets besides.
pub fn endpoint() -> Builder {
    Endpoint::builder().socket("/socket", bennu::socket(Open).channel::<Room>("room:*").carried())
}
