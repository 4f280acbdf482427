//! Virtual time.

use crate::app::{Room, Site, client, endpoint, harness};
use bennu::prelude::*;
use bennu::test::Harness;
use bennu::{Limits, Rate, WebSocket};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

// R284
#[test]
fn refuted_until_the_time_has_come() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").subscribe_and_join("room:1", ()).unwrap();
    let sleep = room.push("sleep", ());

    t.advance(Duration::from_millis(3_599_999));
    room.refute_push("woke");
    room.refute_reply(&sleep);
    room.refute_broadcast("said");

    t.advance(Duration::from_millis(1));
    room.assert_push("woke", ());
    room.assert_reply(&sleep, "ok", json!({ "slept": 3600 }));
}

// R287
#[test]
fn whole_day_of_a_chat_takes_no_time() {
    let began = Instant::now();
    let t = harness();
    let ann = t.connect("/socket", json!({ "name": "ann" })).unwrap();
    let bob = t.connect("/socket", json!({ "name": "bob" })).unwrap();
    let (mut anns, _) = ann.join("room:1", ()).unwrap();
    let (mut bobs, _) = bob.join("room:1", ()).unwrap();

    for hour in 0..24 {
        t.advance(Duration::from_secs(3600));
        anns.push("say", json!({ "hour": hour }));
        bobs.assert_push("said", json!({ "hour": hour }));
        anns.assert_push("said", json!({ "hour": hour }));
    }
    bob.close();

    anns.assert_push("left", json!({ "name": "bob", "reason": "Closed" }));
    assert!(ann.is_connected(), "heartbeats keep it");
    assert!(began.elapsed() < Duration::from_secs(60), "a day took {:?}", began.elapsed());
}

#[test]
fn timers_fire_at_their_time_unless_they_are_cancelled() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();
    room.push("remind", ());

    t.advance(Duration::from_millis(1499));
    room.assert_silence();
    t.advance(Duration::from_millis(1));
    room.assert_push("note", json!({ "text": "now" }));

    room.push("remind", ());
    let forget = room.push("forget", ());
    room.assert_reply(&forget, "ok", json!({ "cancelled": true }));
    t.advance(Duration::from_secs(10));
    room.assert_silence();
}

#[test]
fn spawned_tasks_answer_later() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();
    let later = room.push("later", ());
    let echo = room.push("echo", ());

    room.assert_reply(&echo, "ok", ());
    t.advance(Duration::from_secs(9));
    room.refute_reply(&later);
    t.advance(Duration::from_secs(1));
    room.assert_reply(&later, "ok", json!({ "late": true }));
}

#[test]
fn client_is_closed_by_an_endpoint_with_less_patience_than_its_heartbeats() {
    let strict = bennu::socket(Open).websocket(WebSocket::new().idle_timeout(Duration::from_secs(29)));
    let t = Harness::new(Endpoint::builder().socket("/strict", strict));
    let ann = t.connect("/strict", ()).unwrap();

    t.advance(Duration::from_secs(28));
    assert!(ann.is_connected());
    t.advance(Duration::from_secs(1));
    ann.assert_closed(1002);
}

#[test]
fn what_another_thread_does_is_seen() {
    let t = Harness::new(endpoint());
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();
    let handle = room.handle::<Room>();

    std::thread::spawn(move || handle.notify(crate::app::Note("from a thread")).is_ok()).join().unwrap();

    room.assert_push("note", json!({ "text": "from a thread" }));
}

#[test]
fn what_came_too_fast_may_come_a_little_later() {
    let limits = Limits::new().message_rate(Rate::per_second(2).burst(3)).join_rate(Rate::per_second(1));
    let socket = bennu::socket(Site).channel::<Room>("room:*").limits(limits);
    let t = Harness::new(Endpoint::builder().socket("/socket", socket));
    let client = client(&t, "ann");
    let (mut room, _) = client.join("room:1", ()).unwrap();
    let limited = json!({ "reason": "rate limit" });

    assert_eq!(client.join("room:2", ()).unwrap_err().response.parse::<Value>().unwrap(), limited);
    let sent = [(); 3].map(|()| room.push("echo", ()));
    // The second join counted as a message.
    room.assert_reply(&sent[0], "ok", ());
    room.assert_reply(&sent[1], "error", &limited);
    room.assert_reply(&sent[2], "error", &limited);

    t.advance(Duration::from_millis(500));
    let sent = [(); 2].map(|()| room.push("echo", ()));
    room.assert_reply(&sent[0], "ok", ());
    room.assert_reply(&sent[1], "error", &limited);

    t.advance(Duration::from_millis(500));
    client.join("room:2", ()).unwrap();
}
