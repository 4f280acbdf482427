//! What a server says of itself to those who look after it.

use crate::pair::Pair;
use bennu_core::server::{ChannelStage, ChannelView};
use bennu_core::{Serializer, Topic};
use std::collections::BTreeSet;
use std::time::Duration;

fn channel(topic: &str, stage: ChannelStage) -> ChannelView {
    ChannelView { topic: Topic::from(topic), stage, is_busy: false, messages: 0, bytes: 0 }
}

#[test]
fn sockets_are_seen_with_their_channels_and_what_waits_for_them() {
    let mut pair = Pair::new();
    let ann = pair.connect_as(Serializer::V1, 1, Some("user:ann"));
    let bob = pair.connect();
    let room = pair.joined(bob, "1", "room:a");
    pair.send(bob, r#"["1","2","room:a","park",{}]"#);
    pair.send(bob, r#"["1","3","room:a","wait",{"n":1}]"#);
    pair.info(room, "note", Duration::ZERO);
    pair.send(bob, r#"["4","4","room:b","phx_join",{"do":"park"}]"#);
    pair.send(bob, r#"["4","5","room:b","behind",{}]"#);
    pair.joined(bob, "6", "room:c");

    let (sockets, rest) = pair.server.inspect(0, usize::MAX);

    assert_eq!(rest, None);
    let [one, two] = &sockets[..] else { panic!("two are connected: {sockets:?}") };
    assert_eq!((one.handle, one.mount, one.serializer), (ann, 1, Serializer::V1));
    assert_eq!((one.id.as_deref(), &one.channels[..]), (Some("user:ann"), &[][..]));
    assert_eq!((two.handle, two.mount, two.id.as_deref(), two.terminating), (bob, 0, None, 0));
    assert_eq!(
        two.channels,
        [
            // Of "wait" and its payload; a message of the application has no size that is known.
            ChannelView {
                is_busy: true,
                messages: 2,
                bytes: 4 + 7,
                ..channel("room:a", ChannelStage::Joined)
            },
            ChannelView {
                is_busy: true,
                messages: 1,
                bytes: 6 + 2,
                ..channel("room:b", ChannelStage::Joining)
            },
            channel("room:c", ChannelStage::Joined),
        ]
    );
}

#[test]
fn channel_that_terminates_is_counted_and_a_socket_that_has_ended_is_not_seen() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    pair.park_terminate = true;
    pair.joined(ann, "1", "room:a");
    pair.joined(bob, "1", "room:a");

    pair.send(ann, r#"["1","2","room:a","phx_leave",{}]"#);
    pair.disconnect(bob);

    let (sockets, _) = pair.server.inspect(0, usize::MAX);
    let seen: Vec<_> = sockets.iter().map(|s| (s.handle, s.channels.len(), s.terminating)).collect();
    assert_eq!(seen, [(ann, 0, 1)]);
}

#[test]
fn each_socket_is_seen_once_whatever_the_steps() {
    let mut pair = Pair::new();
    let peers: BTreeSet<_> = (0..50).map(|_| pair.connect()).collect();

    for step in [1, 7, 50, 1000] {
        let (mut seen, mut from) = (Vec::new(), Some(0));
        while let Some(place) = from {
            let (sockets, next) = pair.server.inspect(place, step);
            assert!(sockets.len() <= step);
            seen.extend(sockets.into_iter().map(|socket| socket.handle));
            from = next;
        }
        assert_eq!(seen.len(), peers.len());
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), peers);
    }
}
