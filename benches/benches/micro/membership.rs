//! Joins and leaves: what they cost must not depend on who else is there.

use bennu_benches::driver::Driver;
use bennu_core::Serializer;
use criterion::{BenchmarkId, Criterion, Throughput};
use std::time::{Duration, Instant};

/// So many join, one after the other, then as many leave: one alone is over before a clock is read.
const COMING_AND_GOING: usize = 64;
const JOIN: &str = r#"["1","1","bench:big","phx_join",{}]"#;
const LEAVE: &str = r#"["1","2","bench:big","phx_leave",{}]"#;

pub(crate) fn join_and_leave(c: &mut Criterion) {
    let mut group = c.benchmark_group("topic");
    group.throughput(Throughput::Elements(COMING_AND_GOING as u64));
    for members in [10, 100_000] {
        let mut driver = Driver::new(&["bench:*"]);
        say(&mut driver, members, JOIN);
        group.bench_function(BenchmarkId::new("join", members), |b| {
            b.iter_custom(|iterations| time(&mut driver, members, iterations).0);
        });
        group.bench_function(BenchmarkId::new("leave", members), |b| {
            b.iter_custom(|iterations| time(&mut driver, members, iterations).1);
        });
        assert_eq!(driver.channels(), members);
    }
    group.finish();
}

/// The time for so many joins, and for so many leaves.
fn time(driver: &mut Driver, members: usize, iterations: u64) -> (Duration, Duration) {
    let peers = members..members + COMING_AND_GOING;
    let (mut joins, mut leaves) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..iterations {
        for (text, spent) in [(JOIN, &mut joins), (LEAVE, &mut leaves)] {
            let start = Instant::now();
            peers.clone().for_each(|peer| driver.receive(peer, text));
            *spent += start.elapsed();
            for peer in peers.clone() {
                assert!(driver.write(peer) > 0, "it is answered");
            }
        }
    }
    (joins, leaves)
}

/// Connects the peers of a topic, and those that come and go; the former join.
fn say(driver: &mut Driver, members: usize, text: &str) {
    for _ in 0..members + COMING_AND_GOING {
        let peer = driver.connect(Serializer::V2);
        if peer < members {
            driver.receive(peer, text);
            driver.write(peer);
        }
    }
}
