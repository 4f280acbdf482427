//! Pushes and their replies.

use super::meter::Meter;
use super::one_topic;
use crate::load::client::Order;
use crate::load::figures::{Budget, Reading};
use crate::load::population::{Ask, Population, PopulationError};
use crate::load::server_process::ServerProcess;

pub(super) fn play(
    server: &ServerProcess,
    connections: usize,
    in_flight: u32,
    echoes: u32,
) -> Result<Vec<Reading>, PopulationError> {
    let mut population = Population::open(server.address(), &one_topic("echo", connections))?;
    let mut sent = vec![in_flight; connections];
    let meter = Meter::start(server)?;
    for client in 0..connections {
        population.push(client, Ask::Echo, 0..in_flight)?;
    }
    let total = connections * echoes as usize;
    population.gather(total, Order::Strict, |population, client, frames| {
        let from = sent[client];
        let to = echoes.min(from.saturating_add(u32::try_from(frames).unwrap_or(u32::MAX)));
        if from == to {
            return Ok(());
        }
        sent[client] = to;
        population.push(client, Ask::Echo, from..to)
    })?;
    meter.stop(&mut population, total, ["µs CPU per echo", "1000 echoes per s"], Budget::Ratio(1.15))
}
