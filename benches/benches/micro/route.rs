//! Which handler a topic belongs to, when the last pattern is the one that matches.

use bennu_core::router::Router;
use criterion::{BenchmarkId, Criterion};
use std::hint::black_box;

pub(crate) fn route(c: &mut Criterion) {
    let mut group = c.benchmark_group("route");
    for patterns in [1, 10, 100] {
        let mut router = Router::default();
        for number in 1..=patterns {
            router.add(&format!("kind-{number}:*"), &[]).expect("one star, at the end");
        }
        let topic = format!("kind-{patterns}:lobby");
        group.bench_function(BenchmarkId::new("the last of", patterns), |b| {
            b.iter(|| router.route(black_box(&topic)));
        });
    }
    group.finish();
}
