//! A push and its reply, from text to outbox: decode, receive, call, encode, done, drain, push, take out.

use bennu_benches::driver::Driver;
use bennu_benches::sample::Sample;
use bennu_benches::websocket::push_masked;
use bennu_core::Serializer;
use bennu_core::websocket::{Config, Connection, Event};
use criterion::{BenchmarkId, Criterion};
use std::hint::black_box;

pub(crate) fn echo(c: &mut Criterion) {
    let mut group = c.benchmark_group("echo through the server");
    for sample in [Sample::heartbeat(), Sample::chat(), Sample::nested()] {
        let text = sample.text(Serializer::V2);
        group.bench_function(BenchmarkId::new("text to outbox", sample.name), |b| {
            let (mut driver, peer) = joined();
            b.iter(|| {
                driver.receive(peer, black_box(&text));
                driver.write(peer)
            });
        });
        group.bench_function(BenchmarkId::new("masked frame to outbox", sample.name), |b| {
            let (mut driver, peer) = joined();
            let now = bennu_core::Instant::EPOCH;
            let mut connection = Connection::server(Config::default(), now);
            let mut frame = Vec::new();
            push_masked(&mut frame, text.as_bytes());
            let mut buffer = vec![0; frame.len()];
            b.iter(|| {
                buffer.copy_from_slice(black_box(&frame));
                let received = connection.receive(&mut buffer, now);
                let Some(Event::Text(text)) = received.event else { panic!("the frame is a whole text") };
                driver.receive(peer, text);
                driver.write(peer)
            });
        });
    }
    group.finish();
}

fn joined() -> (Driver, usize) {
    let mut driver = Driver::new(&["room:*", "bench:*"]);
    let peer = driver.connect(Serializer::V2);
    driver.receive(peer, r#"["1","1","bench:echo","phx_join",{}]"#);
    assert!(driver.write(peer) > 0, "a join is answered");
    (driver, peer)
}
