//! Behaviour of the core, seen from outside.
// Clippy knows tests by their attribute, not the functions that they share.
#![allow(missing_docs, clippy::unwrap_used)]

mod connect;
mod vsn;
mod websocket;
mod wire;
mod wire_properties;
mod wire_vectors;
