//! Who is let go when a server drains, and when.

use bennu_core::Instant;
use bennu_core::drain::{Batch, Config, Drain, Whom};
use proptest::prelude::*;
use std::time::Duration;

const T0: Instant = Instant::EPOCH;
const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

const CONFIG: Config = Config { batch_size: 10, interval: SECOND, limit: Duration::from_secs(30) };

/// Sockets, named by their place, with so many channels each.
fn sockets(channels: &[usize]) -> Vec<(usize, usize)> {
    channels.iter().copied().enumerate().collect()
}

/// Drives a drain to its end: each batch with the time since its begin.
fn run(mut drain: Drain<usize>) -> Vec<(Duration, Batch<usize>)> {
    let mut batches = Vec::new();
    let mut now = T0;
    loop {
        batches.extend(drain.poll_output().map(|batch| (now.duration_since(T0), batch)));
        let Some(due) = drain.poll_timeout() else { return batches };
        now = due;
        drain.handle_timeout(now);
    }
}

#[test]
fn defaults_are_those_of_phoenix() {
    let Config { batch_size, interval, limit } = Config::default();

    assert_eq!((batch_size, interval.as_millis(), limit.as_millis()), (10_000, 2_000, 30_000));
}

#[test]
fn batch_is_counted_in_channels_and_closes_with_the_socket_that_fills_it() {
    let drain = Drain::new(CONFIG, Whom::All, sockets(&[4, 5, 1, 9, 2, 3]), T0);

    let batches = run(drain);

    let sockets: Vec<_> =
        batches.iter().map(|(at, batch)| (*at, &batch.sockets[..], batch.channels)).collect();
    assert_eq!(
        sockets,
        [(Duration::ZERO, &[0, 1, 2][..], 10), (SECOND, &[3, 4][..], 11), (2 * SECOND, &[5][..], 3),]
    );
}

#[test]
fn socket_without_channels_is_left_alone_or_counts_as_one_channel() {
    let mixed = sockets(&[0, 1, 0]);

    let joined = run(Drain::new(CONFIG, Whom::WithChannels, mixed.clone(), T0));
    let all = run(Drain::new(Config { batch_size: 2, ..CONFIG }, Whom::All, mixed, T0));

    assert_eq!(joined, [(Duration::ZERO, Batch { sockets: vec![1], channels: 1, index: 1 })]);
    assert_eq!(
        all,
        [
            (Duration::ZERO, Batch { sockets: vec![0, 1], channels: 1, index: 1 }),
            (SECOND, Batch { sockets: vec![2], channels: 0, index: 2 }),
        ]
    );
}

#[test]
fn whoever_is_left_at_the_limit_ends_at_once() {
    let config = Config { batch_size: 1, limit: 2 * SECOND + MILLI, ..CONFIG };

    let batches = run(Drain::new(config, Whom::All, sockets(&[1; 50]), T0));

    let sizes: Vec<_> = batches.iter().map(|(at, batch)| (at.as_millis(), batch.sockets.len())).collect();
    assert_eq!(sizes, [(0, 1), (1000, 1), (2000, 1), (2001, 47)]);
}

#[test]
fn limit_of_nothing_is_one_batch() {
    let config = Config { batch_size: 1, limit: Duration::ZERO, ..CONFIG };

    assert_eq!(run(Drain::new(config, Whom::All, sockets(&[1; 50]), T0)).len(), 1);
}

#[test]
fn early_call_changes_nothing_and_a_late_one_makes_one_batch() {
    let config = Config { batch_size: 1, ..CONFIG };
    let mut drain = Drain::new(config, Whom::All, sockets(&[1; 4]), T0);
    assert!(drain.poll_output().is_some());

    for early in [T0, T0 + (SECOND - MILLI)] {
        drain.handle_timeout(early);
        assert_eq!((drain.poll_output(), drain.poll_timeout()), (None, Some(T0 + SECOND)));
    }
    let late = T0 + 5 * SECOND;
    drain.handle_timeout(late);
    drain.handle_timeout(late);

    assert_eq!(drain.poll_output().unwrap().sockets, [1]);
    assert_eq!((drain.poll_output(), drain.poll_timeout()), (None, Some(late + SECOND)));
    drain.handle_timeout(T0);
    assert_eq!(drain.poll_output(), None);
}

#[test]
fn nobody_to_drain_is_no_batch() {
    assert_eq!(run(Drain::new(CONFIG, Whom::All, sockets(&[]), T0)), []);
    assert_eq!(run(Drain::new(CONFIG, Whom::WithChannels, sockets(&[0, 0]), T0)), []);
}

proptest! {
    #[test]
    fn each_socket_ends_once_in_order_within_the_limit_and_no_batch_is_too_large(
        channels in prop::collection::vec(0_usize..30, 0..60),
        batch_size in 0_usize..40,
        interval in 0_u64..3_000,
        limit in 0_u64..20_000,
    ) {
        let (interval, limit) = (Duration::from_millis(interval), Duration::from_millis(limit));
        let config = Config { batch_size, interval, limit };

        let drain = Drain::new(config, Whom::All, sockets(&channels), T0);
        let (total, rounds) = (drain.total(), drain.rounds());
        let batches = run(drain);

        let named: Vec<_> = batches.iter().flat_map(|(_, batch)| batch.sockets.clone()).collect();
        prop_assert_eq!(named, (0..channels.len()).collect::<Vec<_>>());
        prop_assert_eq!(total, channels.len());
        prop_assert!(batches.len() <= rounds, "{} batches in {rounds} rounds", batches.len());
        prop_assert!(batches.iter().map(|(_, batch)| batch.index).eq(1..=batches.len()));
        for (at, batch) in &batches {
            prop_assert!(*at <= limit);
            let weight = |sockets: &[usize]| sockets.iter().map(|&socket| channels[socket].max(1)).sum::<usize>();
            let (_, all_but_the_last) = batch.sockets.split_last().expect("no batch is empty");
            let is_at_limit = *at == limit;
            prop_assert!(is_at_limit || all_but_the_last.is_empty() || weight(all_but_the_last) < batch_size);
        }
    }
}
