//! What a server does between two moments.

use crate::load::figures::{Budget, Figure, Reading};
use crate::load::population::{Population, PopulationError};
use crate::load::server_process::ServerProcess;
use std::time::{Duration, Instant};

/// Measures what a server does between two moments.
pub(super) struct Meter<'a> {
    server: &'a ServerProcess,
    cpu: Duration,
    clock: Instant,
}

impl<'a> Meter<'a> {
    pub(super) fn start(server: &'a ServerProcess) -> Result<Self, PopulationError> {
        Ok(Self { server, cpu: server.cpu()?, clock: Instant::now() })
    }

    /// The CPU figure, which `budget` is about, and the rate. The server comes to rest before its CPU is read: what
    /// it does behind the last frame counts.
    pub(super) fn stop(
        self,
        population: &mut Population,
        frames: usize,
        [cpu, rate]: [&'static str; 2],
        budget: Budget,
    ) -> Result<Vec<Reading>, PopulationError> {
        let wall = self.clock.elapsed();
        population.hush()?;
        let used = self.server.cpu()? - self.cpu;
        Ok(vec![
            reading(cpu, budget, micros(used, frames)),
            reading(rate, Budget::None, frames as f64 / wall.as_secs_f64() / 1e3),
        ])
    }
}

pub(super) fn reading(name: &'static str, budget: Budget, value: f64) -> Reading {
    Reading { figure: Figure { name, budget }, value }
}

pub(super) fn micros(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}
