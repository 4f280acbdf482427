//! The harness for channels, and what it finds: each of the verbs, and what a failure tells.
#![cfg(feature = "test")]
// Clippy knows tests by their attribute, not the functions that they share.
#![allow(clippy::unwrap_used)]

mod app;
mod assertions;
mod broadcasts;
mod connects;
mod drain;
mod ends;
mod events;
mod failures;
mod joins;
mod limits;
mod logs;
mod session;
mod spans;
mod time;
