//! The loads, and how each is measured.

use super::client::Order;
use super::figures::{Budget, Figure, Reading};
use super::latency::Probe;
use super::opening;
use super::population::{Ask, Population, PopulationError};
use super::server_process::ServerProcess;
use super::session::Session;
use super::usage::Memory;
use crate::floor::Writes;
use std::collections::VecDeque;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

/// A load of a certain size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    /// Connections that upgrade, then join, in topics of five.
    Connect { connections: usize },
    /// One topic; one of its subscribers pushes `burst` broadcasts in one write, and the next when all have come.
    Fanout { subscribers: usize, burst: u32, rounds: u32 },
    /// Many small topics, `in_flight` broadcasts under way at any time.
    Topics { topics: usize, members: usize, in_flight: usize, messages: usize },
    /// Each connection has `in_flight` pushes under way, and sends as many as it gets replies.
    Echo { connections: usize, in_flight: u32, echoes: u32 },
    /// Connections that do nothing, and what a burst leaves behind.
    Memory { connections: usize, settle: Duration },
    /// Somebody else's echo while broadcasts run back to back.
    Latency { subscribers: usize, rounds: u32 },
}

const TOPIC_MEMBERS: usize = 5;
/// The burst whose remains are measured, in messages.
const BURST: u32 = 100;

impl Scenario {
    /// All of them, at the sizes that the budgets are about.
    pub(super) const FULL: &[Self] = &[
        Self::Connect { connections: 5_000 },
        Self::Fanout { subscribers: 5_000, burst: 1, rounds: 200 },
        Self::Fanout { subscribers: 1_000, burst: 10, rounds: 200 },
        Self::Fanout { subscribers: 3_000, burst: 10, rounds: 70 },
        Self::Fanout { subscribers: 1_000, burst: 100, rounds: 100 },
        Self::Fanout { subscribers: 3_000, burst: 100, rounds: 40 },
        Self::Topics { topics: 2_000, members: TOPIC_MEMBERS, in_flight: 200, messages: 40_000 },
        Self::Echo { connections: 1_000, in_flight: 1, echoes: 200 },
        Self::Echo { connections: 1_000, in_flight: 4, echoes: 400 },
        Self::Latency { subscribers: 5_000, rounds: 150 },
        Self::Memory { connections: 10_000, settle: Duration::from_secs(2) },
    ];

    /// All of them, small: enough to see whether a frame is lost.
    pub(super) const QUICK: &[Self] = &[
        Self::Connect { connections: 500 },
        Self::Fanout { subscribers: 500, burst: 1, rounds: 20 },
        Self::Fanout { subscribers: 500, burst: 10, rounds: 10 },
        Self::Fanout { subscribers: 500, burst: 100, rounds: 5 },
        Self::Topics { topics: 100, members: TOPIC_MEMBERS, in_flight: 20, messages: 2_000 },
        Self::Echo { connections: 200, in_flight: 1, echoes: 20 },
        Self::Echo { connections: 200, in_flight: 4, echoes: 40 },
        Self::Latency { subscribers: 500, rounds: 20 },
        Self::Memory { connections: 500, settle: Duration::from_millis(200) },
    ];

    /// The word that selects it on the command line.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect",
            Self::Fanout { burst: 1, .. } => "fanout",
            Self::Fanout { .. } => "burst",
            Self::Topics { .. } => "topics",
            Self::Echo { .. } => "echo",
            Self::Memory { .. } => "memory",
            Self::Latency { .. } => "latency",
        }
    }

    /// What the table calls it.
    pub(super) fn title(self) -> String {
        match self {
            Self::Connect { connections } => format!("connect {connections}"),
            Self::Fanout { subscribers, burst: 1, .. } => format!("fanout {subscribers}"),
            Self::Fanout { subscribers, burst, .. } => format!("burst {burst} to {subscribers}"),
            Self::Topics { topics, members, in_flight, .. } => {
                format!("topics {topics} of {members}, {in_flight} in flight")
            }
            Self::Echo { connections, in_flight, .. } => format!("echo {connections}, {in_flight} in flight"),
            Self::Memory { connections, .. } => format!("memory {connections}"),
            Self::Latency { subscribers, .. } => format!("latency beside fanout {subscribers}"),
        }
    }

    /// The floor that it is held against: the one with the fewer system calls where there are two.
    pub(super) fn floor(self) -> Writes {
        match self {
            Self::Fanout { burst: 2.., .. } | Self::Memory { .. } => Writes::Coalesced,
            Self::Fanout { .. }
            | Self::Connect { .. }
            | Self::Topics { .. }
            | Self::Echo { .. }
            | Self::Latency { .. } => Writes::Direct,
        }
    }

    /// Puts the load on a server that has just started.
    ///
    /// # Errors
    /// [`PopulationError`] if a frame is lost, repeated or late.
    pub(super) fn play(self, server: &ServerProcess) -> Result<Vec<Reading>, PopulationError> {
        match self {
            Self::Connect { connections } => connect(server, connections),
            Self::Fanout { subscribers, burst, rounds } => fanout(server, subscribers, burst, rounds),
            Self::Topics { topics, members, in_flight, messages } => {
                small_topics(server, topics, members, in_flight, messages)
            }
            Self::Echo { connections, in_flight, echoes } => echo(server, connections, in_flight, echoes),
            Self::Memory { connections, settle } => memory(server, connections, settle),
            Self::Latency { subscribers, rounds } => latency(server, subscribers, rounds),
        }
    }
}

fn connect(server: &ServerProcess, connections: usize) -> Result<Vec<Reading>, PopulationError> {
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

fn fanout(
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

fn small_topics(
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

fn echo(
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

fn memory(
    server: &ServerProcess,
    connections: usize,
    settle: Duration,
) -> Result<Vec<Reading>, PopulationError> {
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

fn latency(server: &ServerProcess, subscribers: usize, rounds: u32) -> Result<Vec<Reading>, PopulationError> {
    let mut population = Population::open(server.address(), &one_topic("fanout", subscribers))?;
    let probe = Probe::start(server.address())?;
    for round in 0..rounds {
        population.push(0, Ask::Broadcast, [round])?;
        population.gather(subscribers, Order::Strict, |_, _, _| Ok(()))?;
    }
    let tail = probe.stop()?;
    Ok(vec![
        reading("ms echo p50", Budget::None, tail.p50.as_secs_f64() * 1e3),
        reading("ms echo p99", Budget::Absolute(4.0), tail.p99.as_secs_f64() * 1e3),
    ])
}

/// Measures what a server does between two moments.
struct Meter<'a> {
    server: &'a ServerProcess,
    cpu: Duration,
    clock: Instant,
}

impl<'a> Meter<'a> {
    fn start(server: &'a ServerProcess) -> Result<Self, PopulationError> {
        Ok(Self { server, cpu: server.cpu()?, clock: Instant::now() })
    }

    /// The CPU figure, which `budget` is about, and the rate. The server comes to rest before its CPU is read: what
    /// it does behind the last frame counts.
    fn stop(
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

fn reading(name: &'static str, budget: Budget, value: f64) -> Reading {
    Reading { figure: Figure { name, budget }, value }
}

fn micros(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

fn one_topic(name: &str, members: usize) -> Vec<Rc<Session>> {
    let session = Rc::new(Session::new(name));
    vec![session; members]
}

fn topics_of(topics: usize, members: usize) -> Vec<Rc<Session>> {
    (0..topics).flat_map(|topic| one_topic(&format!("topic-{topic}"), members)).collect()
}
