//! What the core does, seen from outside: one file per behaviour.
#![allow(missing_docs)]
// Clippy knows tests by their attribute, not the functions that they share.
#![allow(clippy::unwrap_used)]

mod vsn;
mod wire;
mod wire_properties;
mod wire_vectors;
