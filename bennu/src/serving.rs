//! For those who serve endpoints on a runtime: from an accepted stream to a connection.
//!
//! An application has no use for any of this: the crate of its runtime, such as `bennu-tokio`, does it. What is here is the
//! same on all of them; left to a runtime are the listener, TLS, streams, and how to wait.
//!
//! ```text
//!  accept ─▶ Client ─▶ TLS, if any ─▶ Http::serve ─▶ Handover::connection ─▶ ConnectionTask
//!            └──────────────────── one task, from here to there ────────────────────────┘
//! ```

mod app;
mod beside;
mod client;
mod handover;
mod handshake;
mod http;
mod stream;
mod turned_away;

pub use app::App;
pub use beside::{Answer, Beside};
pub use client::Client;
pub use handover::Handover;
pub use handshake::Handshake;
pub use http::Http;
pub use stream::HttpStream;
pub use turned_away::TurnedAway;
