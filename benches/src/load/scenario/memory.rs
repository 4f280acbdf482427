//! What a connection holds that does nothing, and what a burst leaves behind.

use super::meter::reading;
use super::one_topic;
use crate::load::client::Order;
use crate::load::figures::{Budget, Reading};
use crate::load::population::{Ask, Population, PopulationError};
use crate::load::server_process::ServerProcess;
use crate::load::usage::Memory;
use std::thread;
use std::time::Duration;

/// In messages.
const BURST: u32 = 100;

pub(super) fn play(
    server: &ServerProcess,
    connections: usize,
    settle: Duration,
) -> Result<Vec<Reading>, PopulationError> {
    // What the first connection of all touches stays, and is no other's share.
    let _warm = Population::open(server.address(), &one_topic("warm", 1))?;
    thread::sleep(settle);
    let before = server.memory()?;
    let per_connection = |after: Memory| {
        let share = |after: u64, before: u64| after.saturating_sub(before) as f64 / connections as f64;
        (share(after.resident, before.resident), share(after.anonymous, before.anonymous))
    };
    let mut population = Population::open(server.address(), &one_topic("memory", connections))?;
    let deliveries = connections * BURST as usize;

    thread::sleep(settle);
    let (idle, idle_heap) = per_connection(server.memory()?);

    population.push(0, Ask::Broadcast, 0..BURST)?;
    population.gather(deliveries, Order::Strict, |_, _, _| Ok(()))?;
    thread::sleep(settle);
    let (one, one_heap) = per_connection(server.memory()?);

    for publisher in 0..BURST {
        population.push(publisher as usize, Ask::Broadcast, [BURST + publisher])?;
    }
    population.gather(deliveries, Order::Loose, |_, _, _| Ok(()))?;
    population.hush()?;
    thread::sleep(settle);
    let (many, many_heap) = per_connection(server.memory()?);

    Ok(vec![
        reading("B resident, idle", Budget::Absolute(1_536.0), idle),
        reading("B anonymous, idle", Budget::None, idle_heap),
        reading("B resident, after a burst of one", Budget::Absolute(1_792.0), one),
        reading("B anonymous, after a burst of one", Budget::None, one_heap),
        reading("B resident, after a burst of 100", Budget::Absolute(2_304.0), many),
        reading("B anonymous, after a burst of 100", Budget::None, many_heap),
    ])
}
