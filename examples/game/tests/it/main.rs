//! Clients and table in one thread: in memory on virtual time, and once over sockets.

mod client;
mod latest_wins;
mod limits;
mod play;
mod sockets;
mod stream;
