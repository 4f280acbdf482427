//! Behaviour of the core, seen from outside.
#![allow(missing_docs, clippy::unwrap_used)]

mod connect;
