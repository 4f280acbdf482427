//! Many topics with few members each.

use super::meter::Meter;
use super::topics_of;
use crate::load::client::Order;
use crate::load::figures::{Budget, Reading};
use crate::load::population::{Ask, Population, PopulationError};
use crate::load::server_process::ServerProcess;
use std::collections::VecDeque;

pub(super) fn play(
    server: &ServerProcess,
    topics: usize,
    members: usize,
    in_flight: usize,
    messages: usize,
) -> Result<Vec<Reading>, PopulationError> {
    let mut population = Population::open(server.address(), &topics_of(topics, members))?;
    let mut next = vec![0; topics];
    let mut missing = vec![members; topics];
    let mut idle: VecDeque<usize> = (0..topics).collect();
    let mut left = messages;

    let meter = Meter::start(server)?;
    let mut publish = |population: &mut Population, idle: &mut VecDeque<usize>| {
        let Some(topic) = idle.pop_front().filter(|_| left > 0) else { return Ok(()) };
        left -= 1;
        next[topic] += 1;
        population.push(topic * members, Ask::Broadcast, [next[topic] - 1])
    };
    for _ in 0..in_flight {
        publish(&mut population, &mut idle)?;
    }
    population.gather(messages * members, Order::Strict, |population, client, frames| {
        let topic = client / members;
        missing[topic] -= frames;
        if missing[topic] > 0 {
            return Ok(());
        }
        missing[topic] = members;
        idle.push_back(topic);
        publish(population, &mut idle)
    })?;
    let names = ["µs CPU per delivery", "1000 deliveries per s"];
    meter.stop(&mut population, messages * members, names, Budget::Ratio(1.0))
}
