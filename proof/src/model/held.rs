//! What a server holds in memory, after whatever has happened to it.

use super::operation::Script;
use super::run::VALUES;
use super::world::World;

/// What a server held when a script was over, and nothing had been brought to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// What was given back when it was dropped.
    pub bytes: usize,
    /// What it may hold for what there was: sockets, channels, topics, timers, and what waited.
    pub bound: usize,
}

/// Plays the script that these bytes are, and drops the server in the midst of it; `allocated` says how many
/// bytes are allocated.
///
/// # Panics
/// As [`server`](super::server).
pub fn held(input: &[u8], allocated: impl Fn() -> usize) -> Held {
    let (servers, bound) = World::stop_in_the_midst(&Script::decode(input), VALUES);
    let before = allocated();
    drop(servers);
    Held { bytes: before - allocated(), bound }
}
