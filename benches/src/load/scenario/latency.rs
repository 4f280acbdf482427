//! An echo beside a fan-out.

use super::meter::reading;
use super::one_topic;
use crate::load::client::Order;
use crate::load::figures::{Budget, Reading};
use crate::load::latency::Probe;
use crate::load::population::{Ask, Population, PopulationError};
use crate::load::server_process::ServerProcess;

/// Broadcasts under way: one that is being delivered, and one behind it, so that the server never waits.
const AHEAD: u32 = 2;
/// Broadcasts before the first echo: a young connection acknowledges every segment, which is not what is asked here.
const WARM_UP: u32 = 20;

pub(super) fn play(
    server: &ServerProcess,
    subscribers: usize,
    rounds: u32,
) -> Result<Vec<Reading>, PopulationError> {
    let mut population = Population::open(server.address(), &one_topic("fanout", subscribers))?;
    for round in 0..WARM_UP {
        population.push(0, Ask::Broadcast, [round])?;
        population.gather(subscribers, Order::Strict, |_, _, _| Ok(()))?;
    }
    let probe = Probe::start(server.address())?;
    let (mut came, mut sent) = (0, AHEAD.min(rounds));
    for round in 0..sent {
        population.push(0, Ask::Broadcast, [WARM_UP + round])?;
    }
    population.gather(subscribers * rounds as usize, Order::Strict, |population, _, frames| {
        came += frames;
        if sent == rounds || came < subscribers * (sent + 1 - AHEAD) as usize {
            return Ok(());
        }
        sent += 1;
        population.push(0, Ask::Broadcast, [WARM_UP + sent - 1])
    })?;
    let tail = probe.stop()?;
    Ok(vec![
        reading("ms echo p50", Budget::None, tail.p50.as_secs_f64() * 1e3),
        reading("ms echo p99", Budget::Absolute(4.0), tail.p99.as_secs_f64() * 1e3),
    ])
}
