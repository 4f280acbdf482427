//! One topic, one publisher.

use super::meter::Meter;
use super::one_topic;
use crate::load::client::Order;
use crate::load::figures::{Budget, Reading};
use crate::load::population::{Ask, Population, PopulationError};
use crate::load::server_process::ServerProcess;

pub(super) fn play(
    server: &ServerProcess,
    subscribers: usize,
    burst: u32,
    rounds: u32,
) -> Result<Vec<Reading>, PopulationError> {
    let mut population = Population::open(server.address(), &one_topic("fanout", subscribers))?;
    let each = subscribers * burst as usize;
    let budget = Budget::Ratio(if burst == 10 { 1.05 } else { 1.10 });
    let meter = Meter::start(server)?;
    for round in 0..rounds {
        population.push(0, Ask::Broadcast, round * burst..(round + 1) * burst)?;
        population.gather(each, Order::Strict, |_, _, _| Ok(()))?;
    }
    meter.stop(
        &mut population,
        each * rounds as usize,
        ["µs CPU per delivery", "1000 deliveries per s"],
        budget,
    )
}
