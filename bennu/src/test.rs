#![doc = include_str!("docs/testing.md")]

mod arrival;
mod client;
mod dial;
mod expect;
mod harness;
mod joining;
mod line;
mod listener;
mod member;
mod node;
mod report;
mod runtime;
mod wire;

pub use arrival::{Arrival, PushRef};
pub use client::Client;
pub use dial::Dial;
pub use harness::{ConnectError, Harness};
pub use joining::{JoinError, Joining};
pub use listener::Listener;
pub use member::Member;
