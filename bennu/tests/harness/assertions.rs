//! Pushes, replies, and what is asserted of them.

use crate::app::{Note, Room, client, harness};
use bennu::Payload;
use bennu::test::Arrival;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
struct Numbered {
    n: u32,
}

// R283
#[test]
fn push_returns_the_ref_of_its_reply() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();

    let one = room.push("echo", json!({ "n": 1 }));
    let two = room.push("echo", json!({ "n": 2 }));
    let refused = room.push("refuse", ());
    let accepted = room.push("accept", ());

    room.assert_reply(&two, "ok", json!({ "n": 2 }));
    room.assert_reply(&one, "ok", json!({ "n": 1 }));
    room.assert_reply(&refused, "error", json!({ "reason": "no" }));
    room.assert_reply(&accepted, "accepted", ());
    room.assert_silence();
}

// R283
#[test]
fn assertions_take_patterns() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").subscribe_and_join("room:1", ()).unwrap();
    for n in 1..4 {
        room.push("push", json!({ "n": n }));
    }
    let echo = room.push("echo", json!({ "n": 7, "more": true }));
    room.push("say", json!({ "n": 8 }));

    assert_eq!(room.assert_push_that("pushed", |pushed: &Numbered| pushed.n > 1).n, 2);
    room.assert_push_that("pushed", |pushed: &Value| pushed["n"] == 3);
    assert_eq!(room.assert_reply_that(&echo, "ok", |_: &Numbered| true).n, 7);
    assert_eq!(room.assert_broadcast_that("said", |said: &Numbered| said.n == 8).n, 8);
    room.assert_push("pushed", json!({ "n": 1 }));
}

#[test]
fn what_comes_keeps_its_order_for_who_asks_for_the_next() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();

    room.push("push", json!({ "n": 1 }));
    let echo = room.push("echo", ());

    let pushed =
        Arrival::Push { event: "pushed".to_owned(), payload: Payload::json(&json!({ "n": 1 })).unwrap() };
    assert_eq!(room.next(), Some(pushed));
    let reply = Arrival::Reply { to: echo, status: "ok".to_owned(), response: Payload::empty() };
    assert_eq!(room.next(), Some(reply));
    assert_eq!(room.next(), None);
}

#[test]
fn bytes_are_compared_as_bytes() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();

    let echo = room.push("echo", Payload::binary(vec![0, 159, 146, 150]));
    room.push("push", Payload::binary("{}"));

    room.assert_reply(&echo, "ok", Payload::binary(vec![0, 159, 146, 150]));
    room.assert_push("pushed", Payload::binary("{}"));
}

#[test]
fn message_reaches_the_channel_through_a_handle() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();

    room.handle::<Room>().notify(Note("from outside")).unwrap();

    room.assert_push("note", json!({ "text": "from outside" }));
}

#[test]
fn large_messages_pass_in_both_directions() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();
    let large = json!({ "text": "x".repeat(900_000) });

    let echo = room.push("echo", &large);

    room.assert_reply(&echo, "ok", large);
}
