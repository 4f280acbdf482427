//! What a server holds while clients, or publishers, do their worst: the tests of `bennu-tokio`, on this runtime.
#![cfg(target_os = "linux")]
// Clippy knows tests by their attribute, not the functions that they share.
#![allow(missing_docs, clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

#[allow(dead_code, reason = "has more than is used here")]
#[path = "../../../runtime-tokio/tests/it/app.rs"]
mod app;
#[allow(dead_code, reason = "has more than is used here")]
#[path = "../../../runtime-tokio/tests/it/client.rs"]
mod client;
#[path = "../../../runtime-tokio/tests/it/neighbour.rs"]
mod neighbour;
#[allow(dead_code, reason = "has more than is used here")]
#[path = "../it/rt.rs"]
mod rt;
#[allow(dead_code, reason = "has more than is used here")]
#[path = "../../../runtime-tokio/tests/it/server.rs"]
mod server;

#[path = "../../../runtime-tokio/tests/memory/floods.rs"]
mod floods;
#[path = "../../../runtime-tokio/tests/memory/growth.rs"]
mod growth;
#[path = "../../../runtime-tokio/tests/memory/readers.rs"]
mod readers;
