//! What one message may have, as it is set for one socket.

use crate::app::{Room, Site, User};
use bennu::prelude::*;
use bennu::test::{Client, Harness, Member};
use bennu::{Limits, RawJson};

/// Two sockets with the same channels: one with these limits, one with those of everybody.
fn harness(limits: Limits) -> Harness {
    let site = || bennu::socket(Site).channel::<Room>("room:*");
    Harness::new(Endpoint::builder().socket("/bound", site().limits(limits)).socket("/socket", site()))
}

fn joined(t: &Harness, path: &str) -> (Client, Member) {
    let client = t.socket(path, User { name: "ann".to_owned() });
    let (room, _) = client.join("room:1", ()).unwrap();
    (client, room)
}

/// Pushes so many times, as often answered.
fn talk(room: &mut Member, times: usize) {
    for _ in 0..times {
        let echo = room.push("echo", ());
        room.assert_reply(&echo, "ok", ());
    }
}

/// A payload so many levels deep.
fn nested(depth: usize) -> Payload {
    RawJson::parse(&format!(r#"{{"a":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1))).unwrap().into()
}

#[test]
fn how_long_a_ref_may_be_is_set_for_one_socket() {
    let t = harness(Limits::new().refs(3));
    let (ann, mut bound) = joined(&t, "/bound");
    let (_bob, mut free) = joined(&t, "/socket");

    // The join was "1": "9" is three bytes long, and "10" four.
    talk(&mut bound, 8);
    talk(&mut free, 8);
    bound.push("echo", ());

    ann.assert_closed(1011);
    bound.assert_end(&Reason::Closed);
    talk(&mut free, 100);
}

#[test]
fn how_deep_a_message_may_be_is_set_for_one_socket() {
    let t = harness(Limits::new().depth(10));
    let (_bob, mut free) = joined(&t, "/socket");
    for depth in [10, 11, 126] {
        let (ann, mut bound) = joined(&t, "/bound");

        let echo = bound.push("echo", nested(9));
        bound.assert_reply(&echo, "ok", nested(9));
        let echo = free.push("echo", nested(depth));
        free.assert_reply(&echo, "ok", nested(depth));
        assert!(ann.is_connected());
        bound.push("echo", nested(depth));

        ann.assert_closed(1011);
        talk(&mut free, 1);
    }
}
