//! Micro-benches of the core: `cargo bench -p bennu-benches`, one binary, as it links for a while.
#![allow(missing_docs)]

mod codec;
mod echo;
mod fanout;
mod membership;
mod route;
mod websocket;

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;

criterion_group! {
    name = micro;
    // Short: enough for three digits on a quiet machine, and more would not help on another.
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    targets =
        codec::decode, codec::encode, websocket::receive, route::route, echo::echo, fanout::fan_out,
        membership::join_and_leave
}
criterion_main!(micro);
