//! What a server holds while clients, or publishers, do their worst: in a process of its own, since its memory is
//! measured as a whole. The clients are in it as well, and keep little.
//!
//! | attack | bound |
//! |---|---|
//! | 100,000 joins of one socket, pipelined | 4 MiB |
//! | 10,000 joins and leaves of one socket, pipelined | 4 MiB |
//! | fragments of 1 kB, 1 byte and 0 bytes without end | 4 MiB each |
//! | a hundred messages of 1 MiB that are announced and never come | 4 MiB |
//! | 200,000 pings of a client that reads nothing | 4 MiB |
//! | a flood behind a handler that waits | 8 MiB |
//! | a subscriber that takes nothing of 40 MB | 12 MiB |
//! | twenty clients that read nothing of what all are sent | 32 MiB, for 12 s |
//! | the same, each of them sent something else | 32 MiB |
//! | the same, and instead of being cut off they lose the oldest | 32 MiB |
#![cfg(target_os = "linux")]
// Clippy knows tests by their attribute, not the functions that they share.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

#[allow(dead_code, reason = "has more than is used here")]
#[path = "../it/app.rs"]
mod app;
#[allow(dead_code, reason = "has more than is used here")]
#[path = "../it/client.rs"]
mod client;
#[path = "../it/neighbour.rs"]
mod neighbour;
#[allow(dead_code, reason = "has more than is used here")]
#[path = "../it/server.rs"]
mod server;

mod floods;
mod growth;
mod readers;
