//! Whole-system load runs: servers as child processes, real sockets, and a floor beside them.
//!
//! ```text
//!   load ──starts──▶ server under test ─┐
//!    │                                  ├─ the same frames over loopback, one after the other
//!    └────starts──▶ floor ──────────────┘
//! ```
//!
//! A figure alone says as much about the machine as about the server. So each is taken twice in the same run,
//! once against a server that does nothing but the system calls ([`floor`]), and judged as a ratio. See
//! `README.md` for what is measured. Linux only: figures come from `/proc`.

pub mod driver;
pub mod envelope;
pub mod floor;
pub mod load;
pub mod sample;
pub mod template;
pub mod websocket;
