//! What the core does, seen from outside: one file per behaviour.
#![allow(missing_docs)]

mod vsn;
mod wire;
mod wire_properties;
mod wire_vectors;
