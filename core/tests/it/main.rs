//! Behaviour of the core, seen from outside.
// Clippy knows tests by their attribute, not the functions that they share.
#![allow(missing_docs, clippy::unwrap_used)]

mod compat;
mod connect;
mod drain;
mod end;
mod fanout;
mod filter;
mod formats;
mod inspect;
mod join;
mod leave;
mod limits;
mod longpoll;
mod machine;
mod notices;
mod order;
mod outbox;
mod pair;
mod refs;
mod replace;
mod slow_consumer;
mod timers;
#[cfg(feature = "token")]
mod token;
mod traces;
mod vsn;
mod websocket;
mod wire;
mod wire_properties;
mod wire_vectors;
