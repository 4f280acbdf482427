use super::*;
use crate::Kind;
use std::time::Duration;

#[test]
fn slab_grows_in_few_steps_and_holds_little_room_that_nobody_uses() {
    let mut slab = Slab::new();
    let mut steps = 0;
    for n in 0..1000 {
        let before = slab.capacity();
        insert(&mut slab, n);
        steps += usize::from(slab.capacity() != before);
        let most = slab.len() + (slab.len() / 4).max(8);
        assert!(slab.capacity() <= most, "{} places for {}", slab.capacity(), slab.len());
    }
    assert!(steps < 25, "{steps} steps");
}

#[test]
fn channel_forgets_a_timer_that_has_come_or_was_cancelled() {
    let (mut server, channel) = joined();
    let later = Instant::from_epoch(Duration::from_secs(1));
    let timers = |server: &Server<(), ()>| {
        server.channels[channel.index as usize].extra.as_ref().map(|extra| extra.timers.clone())
    };
    let cancelled = server.info(channel, (), later, Instant::EPOCH).unwrap();
    let kept = server.info(channel, (), later, Instant::EPOCH).unwrap();
    assert_eq!(timers(&server), Some(vec![cancelled, kept]));

    server.cancel(cancelled);
    assert_eq!(timers(&server), Some(vec![kept]));
    server.handle_timeout(later);

    assert_eq!(timers(&server), Some(vec![]));
}

#[test]
#[should_panic(expected = "there are at most 65535 mounts")]
fn mounts_have_an_end() {
    let mounts = vec![Mount::default(); Config::MAX_MOUNTS + 1];

    let _ = Server::<(), ()>::new(Config { shard: 0, hash_key: (0, 0), mounts });
}

/// A machine with one channel.
fn joined() -> (Server<(), ()>, ChannelId) {
    let mut mount = Mount::default();
    mount.router.add("*", &[]).unwrap();
    let mut server = Server::new(Config { shard: 0, hash_key: (0, 0), mounts: vec![mount] });
    let socket = SocketConfig { handle: (), serializer: Serializer::V2, mount: 0, id: None };
    let socket = server.connect(socket, Instant::EPOCH);
    let message = Serializer::V2.decode_text(r#"["1","1","room","phx_join",{}]"#).unwrap();
    server.receive(socket, &message, Instant::EPOCH);
    let Some(Output::Call { call, .. }) = server.poll_output() else { panic!("a join is asked for") };
    let reply = Frame::new(Kind::Text, b"{}");
    server.done(call, Outcome::Joined { reply, next: None }, Instant::EPOCH);
    while server.poll_output().is_some() {}
    (server, call.channel())
}
