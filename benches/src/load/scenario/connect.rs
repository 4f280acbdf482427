//! What an upgrade and a join cost.

use super::meter::{micros, reading};
use super::{TOPIC_MEMBERS, topics_of};
use crate::load::figures::{Budget, Reading};
use crate::load::opening;
use crate::load::population::PopulationError;
use crate::load::server_process::ServerProcess;

pub(super) fn play(server: &ServerProcess, connections: usize) -> Result<Vec<Reading>, PopulationError> {
    let sessions = topics_of(connections / TOPIC_MEMBERS, TOPIC_MEMBERS);
    let start = server.cpu()?;
    let mut streams = opening::upgrade(server.address(), sessions.len())?;
    let upgraded = server.cpu()?;
    opening::join(&mut streams, &sessions)?;
    let joined = server.cpu()?;
    Ok(vec![
        reading("µs CPU per connect", Budget::Ratio(1.6), micros(upgraded - start, sessions.len())),
        reading("µs CPU per join", Budget::Ratio(1.5), micros(joined - upgraded, sessions.len())),
    ])
}
