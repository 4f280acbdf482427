//! Channels in a game's own loop: one thread, 60 ticks a second, no async.
//!
//! ```text
//!  world.rs    the world: players, stepped by a time         pure
//!  games.rs    the channels of it: who says what to whom     pure
//!  table.rs    the driver: bytes to messages to handlers     any stream, no clock
//!  peer.rs     one client's stream, and what waits for it
//!  ticks.rs    the fixed time step                           pure
//!  main.rs     the loop, the clock and the sockets
//! ```

mod games;
mod listener;
mod peer;
mod table;
pub mod ticks;
pub mod world;

pub use listener::Listener;
pub use table::Table;
pub use ticks::Ticks;
