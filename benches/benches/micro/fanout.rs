//! One broadcast into ten thousand outboxes, and out of them.

use bennu_benches::driver::Driver;
use bennu_benches::sample::Sample;
use bennu_core::server::Broadcast;
use bennu_core::{Payload, RawJson, Serializer};
use criterion::{Criterion, Throughput};
use std::time::{Duration, Instant};

const MEMBERS: usize = 10_000;

pub(crate) fn fan_out(c: &mut Criterion) {
    let mut driver = Driver::new(&["bench:*"]);
    let peers: Vec<usize> = (0..MEMBERS).map(|_| driver.connect(Serializer::V2)).collect();
    for &peer in &peers {
        driver.receive(peer, r#"["1","1","bench:echo","phx_join",{}]"#);
        driver.write(peer);
    }
    let json = RawJson::parse(&Sample::chat().payload).expect("a payload is JSON");
    let payload = Payload::from(json);
    let message = || Broadcast::new("bench:echo".into(), "msg", payload.clone()).expect("an object");

    let mut group = c.benchmark_group(format!("fan-out to {MEMBERS}"));
    group.throughput(Throughput::Elements(MEMBERS as u64));
    group.bench_function("broadcast, and push to each outbox", |b| {
        b.iter_custom(|iterations| {
            let mut spent = Duration::ZERO;
            for _ in 0..iterations {
                let start = Instant::now();
                driver.broadcast(&message());
                spent += start.elapsed();
                write_all(&mut driver, &peers);
            }
            spent
        });
    });
    group.bench_function("begin and finish of each lease", |b| {
        b.iter_custom(|iterations| {
            let mut spent = Duration::ZERO;
            for _ in 0..iterations {
                driver.broadcast(&message());
                let start = Instant::now();
                write_all(&mut driver, &peers);
                spent += start.elapsed();
            }
            spent
        });
    });
    group.finish();
}

fn write_all(driver: &mut Driver, peers: &[usize]) {
    let total: usize = peers.iter().map(|&peer| driver.write(peer)).sum();
    assert!(total > peers.len(), "every member has got the broadcast");
}
