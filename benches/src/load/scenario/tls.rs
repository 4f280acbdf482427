//! What a connection over TLS holds that does nothing.

use super::meter::reading;
use crate::load::figures::{Budget, Reading};
use crate::load::population::PopulationError;
use crate::load::secure;
use crate::load::server_process::ServerProcess;
use std::thread;
use std::time::Duration;

const TOPIC: &str = "tls";

pub(super) fn play(
    server: &ServerProcess,
    connections: usize,
    settle: Duration,
) -> Result<Vec<Reading>, PopulationError> {
    // What the first connection of all touches stays, and is no other's share.
    let _warm = secure::open(server.address(), 1, "warm")?;
    thread::sleep(settle);
    let before = server.memory()?;

    let mut clients = secure::open(server.address(), connections, TOPIC)?;
    thread::sleep(settle);
    let after = server.memory()?;

    // The oldest has been silent longest: if it is there, all are.
    if let Some(oldest) = clients.first_mut() {
        secure::check(oldest, TOPIC)?;
    }
    let share = |after: u64, before: u64| after.saturating_sub(before) as f64 / connections as f64;
    Ok(vec![
        reading("B resident, idle", Budget::None, share(after.resident, before.resident)),
        reading("B anonymous, idle", Budget::None, share(after.anonymous, before.anonymous)),
    ])
}
