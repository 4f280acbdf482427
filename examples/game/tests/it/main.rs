//! Clients and table in one thread: in memory on virtual time, and once over sockets.
// Clippy knows tests by their attribute, not the functions that they share.
#![allow(missing_docs, clippy::unwrap_used)]

mod client;
mod latest_wins;
mod limits;
mod play;
mod sockets;
mod stream;
