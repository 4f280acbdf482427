//! Channels in one thread: everything of such a server but the loop.
//!
//! ```text
//!  start.rs     the listener, and what ends the process
//!  service.rs   bytes to messages to handlers          upgrade.rs   HTTP, until the upgrade
//!  writing.rs   what waits for whom, and its end       timers.rs    deadlines, and the drain
//!  node.rs      the server machine and its outputs     run.rs       broadcasts, merged
//!  peer.rs      one client's queues                    handlers.rs  the application
//! ```
//!
//! A loop has the streams, and knows when they have bytes or room. It takes turns, and each turn has the same order:
//!
//! ```text
//!  wait, up to `Service::wait`
//!  `wake`        takes the time, and does what has become due
//!  `take_in`, `hang_up`, `take_kept`      whatever has come
//!  `end_turn`    nothing more is taken in
//!  `next_dirty`, `begin`, `finish`, `end`  whatever waits is written
//! ```

mod handlers;
mod node;
mod peer;
#[cfg(feature = "rules")]
pub mod rules;
mod run;
mod service;
pub mod start;
mod timers;
pub mod upgrade;
mod writing;

pub use peer::End;
pub use service::Service;
pub use writing::Flow;
