//! What only real sockets, time and threads can break: the tests of `bennu-tokio`, on this runtime.
// Clippy knows tests by their attribute, not the functions that they share; and a test fails on whatever
// else comes.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod rt;

#[path = "../../../runtime-tokio/tests/it/app.rs"]
mod app;
#[path = "../../../runtime-tokio/tests/it/broadcasts.rs"]
mod broadcasts;
#[cfg(unix)]
#[path = "../../../runtime-tokio/tests/it/carried.rs"]
mod carried;
#[path = "../../../runtime-tokio/tests/it/client.rs"]
mod client;
#[path = "../../../runtime-tokio/tests/it/differences.rs"]
mod differences;
#[path = "../../../runtime-tokio/tests/it/drops.rs"]
mod drops;
#[path = "../../../runtime-tokio/tests/it/ends.rs"]
mod ends;
#[path = "../../../runtime-tokio/tests/it/farewells.rs"]
mod farewells;
#[path = "../../../runtime-tokio/tests/it/formats.rs"]
mod formats;
#[path = "../../../runtime-tokio/tests/it/handlers.rs"]
mod handlers;
#[path = "../../../runtime-tokio/tests/it/handshake.rs"]
mod handshake;
#[path = "../../../runtime-tokio/tests/it/hasty.rs"]
mod hasty;
#[path = "../../../runtime-tokio/tests/it/idle.rs"]
mod idle;
#[path = "../../../runtime-tokio/tests/it/inspect.rs"]
mod inspect;
#[path = "../../../runtime-tokio/tests/it/limits.rs"]
mod limits;
#[path = "../../../runtime-tokio/tests/it/listening.rs"]
mod listening;
#[path = "../../../runtime-tokio/tests/it/longpoll.rs"]
mod longpoll;
#[path = "../../../runtime-tokio/tests/it/messages.rs"]
mod messages;
#[path = "../../../runtime-tokio/tests/it/metrics.rs"]
mod metrics;
#[path = "../../../runtime-tokio/tests/it/mounting.rs"]
mod mounting;
#[path = "../../../runtime-tokio/tests/it/neighbour.rs"]
mod neighbour;
#[path = "../../../runtime-tokio/tests/it/order.rs"]
mod order;
#[path = "../../../runtime-tokio/tests/it/overload.rs"]
mod overload;
#[path = "../../../runtime-tokio/tests/it/poller.rs"]
mod poller;
#[path = "../../../runtime-tokio/tests/it/prelude.rs"]
mod prelude;
#[path = "../../../runtime-tokio/tests/it/proxies.rs"]
mod proxies;
#[path = "../../../runtime-tokio/tests/it/recorder.rs"]
mod recorder;
#[path = "../../../runtime-tokio/tests/it/runs.rs"]
mod runs;
#[path = "../../../runtime-tokio/tests/it/server.rs"]
mod server;
#[path = "../../../runtime-tokio/tests/it/shutdown.rs"]
mod shutdown;
#[path = "../../../runtime-tokio/tests/it/slow_consumer.rs"]
mod slow_consumer;
#[cfg(feature = "tls")]
#[path = "../../../runtime-tokio/tests/it/tls.rs"]
mod tls;
