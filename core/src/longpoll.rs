//! Long-polling: frames by `GET`, messages by `POST`, for clients that get no WebSocket through.
//!
//! ```text
//!  request head ─▶ examine ─▶ Poll, Post ─▶ Ticket: which session ─▶ ┌─────────┐ ─▶ Receive ─▶ wire: decode ─▶ Server
//!  request body ─▶ Encoding::read ─────────────────────────────────▶ │ Session │                                 │
//!  response     ◀─ Answer ◀─ take, Empty, Posted ◀────────────────── └─────────┘ ◀─ push ◀─ Frame ◀──────────────┘
//! ```
//!
//! A [`Session`] stands where a WebSocket has its connection and its outbox: to the server it is a socket like
//! any other. It knows frames and never looks inside one. Everything around it is a function: [`examine`] and
//! [`open`] read a request head, [`Encoding::read`] a body, [`Answer`] writes what goes back, and a [`Ticket`]
//! is what a session's token says, once somebody with a key has signed it.
//!
//! Nearly all answers are HTTP 200; the status that counts is in the body.
//!
//! | request | answered by | body |
//! |---|---|---|
//! | `GET` without a token of a live session | [`Answer::Opened`] | `{"messages":[],"status":410,"token":"SFMyNTY.g2g"}` |
//! | `GET` | [`Answer::Messages`] | `{"messages":["[null,null,\"room:1\",\"new\",{}]"],"status":200,"token":"SFMyNTY.g2g"}` |
//! | `GET`, nothing to say in the window | [`Answer::Empty`] | `{"messages":[],"status":204,"token":"SFMyNTY.g2g"}` |
//! | `POST` | [`Answer::Accepted`] | `{"status":200}` |
//! | `POST` that was not taken in the window | [`Answer::TimedOut`] | `{"status":408}` |
//! | `POST` without a token of a live session | [`Answer::Gone`] | `{"status":410}` |
//! | any that may not connect | [`Answer::Forbidden`] | `{"status":403}` |
//!
//! Source: Phoenix `Transports.LongPoll`, `Transports.LongPoll.Server`.

mod answer;
mod body;
mod config;
mod output;
mod polls;
mod posts;
mod queue;
mod request;
mod session;
mod ticket;

pub use answer::Answer;
pub use body::{BodyError, BodyLimits, Data, Encoding};
pub use config::{Carries, Config};
pub use output::{CloseReason, Delivery, Ended, NotText, Output, PollId, PostId, Posted};
pub use request::{Refusal, Request, examine, open};
pub use session::Session;
pub use ticket::{Ticket, TicketError};
