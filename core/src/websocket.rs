//! RFC 6455 without I/O: one peer's bytes to messages, and back.
//!
//! ```text
//!            bytes of the stream                               frames to write
//!                    │                                               ▲
//!                    ▼                                               │
//!   receive ──▶ Header ──▶ Decoder ──▶ Event        poll_output ──▶ Output
//!               2-14 B     fragments,  Text, Binary,                Send (pong, close)
//!               layout,    unmasking,  Ping, Pong                   Closed, once
//!               rules      UTF-8, limits                            End, last
//! ```
//!
//! [`Connection`] is owned by whoever reads one peer's bytes. It unmasks in place, hands out what it
//! finds, and keeps nothing but a frame or message that has not come whole. It owes the peer a pong and
//! a close frame, which it makes itself; data frames are the embedder's, made by
//! [`Frame`](crate::Frame) once for many receivers, or by [`Connection::encode`] for one.
//!
//! [`handshake`] has the HTTP part of both sides, as functions over `http` types.
//!
//! ```
//! use bennu_core::websocket::{Config, Connection, Event, Output};
//! use bennu_core::{Instant, Kind};
//!
//! let now = Instant::EPOCH;
//! let mut client = Connection::client(Config::default(), 0x5eed, now);
//! let mut server = Connection::server(Config::default(), now);
//!
//! let mut bytes = Vec::new();
//! client.encode(Kind::Text, b"hello", &mut bytes);
//! let received = server.receive(&mut bytes, now);
//! assert_eq!(received.event, Some(Event::Text("hello")));
//!
//! server.close(1001, "going away", now);
//! assert!(matches!(server.poll_output(), Some(Output::Send(frame)) if frame.as_bytes()[..2] == [0x88, 12]));
//! ```
//!
//! Extensions are not negotiated, so all reserved bits are errors.

mod close;
mod config;
mod connection;
mod decoder;
mod frame;
pub mod handshake;
mod mask;
mod message;
mod output;
mod skipper;
mod state;
mod text;
mod violation;

pub use close::CloseReason;
pub use config::Config;
pub use connection::{Connection, Event, Received};
pub use frame::ControlFrame;
pub use output::Output;
pub use violation::Violation;

pub(crate) use frame::{is_close, write_header};
