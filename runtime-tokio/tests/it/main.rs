//! What only real sockets, time and threads can break.
// Clippy knows tests by their attribute, not the functions that they share; and a test fails on whatever
// else comes.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod app;
mod client;
mod hasty;
mod neighbour;
mod poller;
mod recorder;
mod rt;
mod server;
mod serving;

mod broadcasts;
#[cfg(unix)]
mod carried;
mod differences;
mod drops;
mod ends;
mod farewells;
mod formats;
mod handlers;
mod handshake;
mod idle;
mod inspect;
mod limits;
mod listening;
mod logs;
mod longpoll;
mod messages;
mod metrics;
mod minutes;
mod mounting;
mod order;
mod overload;
mod prelude;
mod proxies;
mod runs;
mod shutdown;
mod slow_consumer;
#[cfg(feature = "tls")]
mod tls;
