//! Phoenix Channels as pure state machines.
//!
//! Messages and commands go in, values come out. What is absent from this crate is what it is for:
//!
//! | absent | instead | so that |
//! |---|---|---|
//! | clocks | `now` is an argument, an [`Instant`] that anybody can make | an hour of heartbeats runs in microseconds |
//! | I/O | bytes are arguments and results | it runs on any runtime, and on none: a mio loop, a game loop, wasm |
//! | threads and locks | every machine is a plain value behind `&mut self` | the embedder says what is shared, and how |
//! | async | a handler is an output ([`Call`](server::Output::Call)), its answer an input ([`done`](server::Server::done)) | order per channel is kept here, and no runtime has a say in it |
//! | randomness | seeds and keys are arguments | a run is replayed from what went in, to the byte |
//!
//! The machine that tests, fuzzers and simulations drive is therefore the very one that runs in
//! production.
//!
//! # The contract
//!
//! **After any `&mut self` call, poll outputs until `None`, then read `poll_timeout` again.**
//!
//! Every machine has it, and answers the same questions: verbs and `handle_…` take what happens, `now`
//! last; `poll_output` says what to do, in order; `poll_timeout` says when to call `handle_timeout`. Called
//! too early, or twice, or with an old clock, that does nothing. No input is too wrong to be taken: what a
//! peer sends is never a panic.
//!
//! # The map
//!
//! Two machines make a server: a `Connection` for each peer, a `Server` for all that is shared.
//!
//! ```text
//!  bytes ─▶ connect ─▶ Connection ─▶ wire: decode ─▶ Message ─▶ ┌────────┐ ─▶ Call ─▶ handler
//!                      one a peer                               │ Server │               │
//!  bytes ◀─ Outbox ◀─ Frame ◀─ wire: encode ◀─ Send, Fanout ◀── └────────┘ ◀─ done ◀─────┘
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`connect`] | all that is decided before the upgrade: origins, parameters, tokens, subprotocols |
//! | [`websocket`] | RFC 6455: one peer's bytes to messages and back, the closing handshake, limits |
//! | [`wire`] | serializers V1 and V2: messages to frames and back, for both sides; and formats of one's own |
//! | [`router`] | which handler a topic belongs to |
//! | [`server`] | the protocol: sockets, channels, mailboxes, topics, fan-out, timers |
//! | [`longpoll`] | the same for clients that poll: sessions, and the requests and answers around them |
//! | [`drain`] | which sockets end together, and when, before the server does |
//! | [`outbox`] | one connection's queued frames: bytes counted, one writer at a time; what becomes of a slow peer |
//! | [`rate`] | how often something may happen, with the time as an argument |
//! | [`event`] | the event names that belong to the protocol |
//! | `token` | signed and encrypted tokens, with the feature of that name |
//!
//! At the root are the plain values that all of them share: [`Message`], [`Payload`], [`Topic`],
//! [`EventName`], [`Ref`], [`Frame`], [`Instant`]; and [`ParameterFilter`], which says what may be printed.
//!
//! Where the docs name a source, it is Phoenix 1.8.12 and phoenix.js of the same release. [`Compat`] has what an older
//! release does otherwise.
//!
#![doc = include_str!("docs/driver.md")]
//!
//! # Features
//!
//! | feature | it adds |
//! |---|---|
//! | `token` | the module `token`, and the cryptography that it needs |
//!
//! None is on by default.
//!
//! # Public dependencies
//!
//! Of other crates' types, these are part of this crate's interface, so that another major version of theirs is
//! one of this crate's:
//!
//! | crate | where |
//! |---|---|
//! | `bytes` 1 | [`Bytes`](bytes::Bytes) in [`Payload`], [`RawJson`] and [`longpoll`] |
//! | `http` 1 | requests, responses and headers in [`connect`], [`longpoll`] and [`websocket::handshake`] |
//! | `serde` 1 | `Serialize` and `Deserialize` as bounds, in [`IntoPayload`], [`Payload::parse`], [`connect::Params`] |
//! | `serde_json` 1 | its `Error`, `RawValue` and `Value`, in [`RawJson`], [`Payload`] and [`connect::Params`] |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod compat;
pub mod connect;
pub mod drain;
pub mod event;
mod filter;
mod frame;
mod instant;
mod json;
pub mod longpoll;
mod message;
pub mod outbox;
mod payload;
pub mod rate;
mod reference;
pub mod router;
pub mod server;
mod sync;
#[cfg(feature = "token")]
#[cfg_attr(docsrs, doc(cfg(feature = "token")))]
pub mod token;
mod topic;
mod vsn;
pub mod websocket;
pub mod wire;

pub use compat::Compat;
pub use filter::ParameterFilter;
pub use frame::{Frame, Kind};
pub use instant::Instant;
pub use message::{Message, Name, PayloadSlice};
pub use payload::{EventError, IntoPayload, NotEncodable, ParseError, Payload, RawJson};
pub use reference::{Ref, RefTooLong};
pub use topic::{EventName, MAX_NAME, Topic};
pub use wire::Serializer;
