//! Ends: of channels, of connections, of the node.

use crate::app::{client, harness};
use bennu::prelude::*;
use bennu::test::Arrival;
use serde_json::json;

// R285
#[test]
fn left_channel_is_told_so() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();

    let leave = room.leave();

    room.assert_reply(&leave, "ok", ());
    assert_eq!(room.next(), Some(Arrival::Close));
    room.assert_end(&Reason::Left);
}

// R285
#[test]
fn closed_channel_is_told_so_and_its_connection_goes_on() {
    let t = harness();
    let ann = client(&t, "ann");
    let (mut room, _) = ann.join("room:1", ()).unwrap();
    let (mut other, _) = ann.join("room:2", ()).unwrap();

    room.close();

    room.assert_end(&Reason::Closed);
    let echo = other.push("echo", ());
    other.assert_reply(&echo, "ok", ());
    other.refute_push("left");
}

// R285
#[test]
fn closed_connection_closes_its_channels() {
    let t = harness();
    let ann = client(&t, "ann");
    let (mut room, _) = ann.join("room:1", ()).unwrap();
    let (mut bobs, _) = client(&t, "bob").join("room:1", ()).unwrap();

    ann.close();

    assert!(!ann.is_connected());
    room.assert_end(&Reason::Closed);
    bobs.assert_push("left", json!({ "name": "ann", "reason": "Closed" }));
    assert_eq!(t.endpoint.connections(), 1);
}

#[test]
fn stopped_channel_says_why() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();

    room.push("stop", ());

    room.assert_end(&Reason::ShutdownWith("done".to_owned()));
    assert_eq!(room.next(), Some(Arrival::Close));
}

#[test]
fn crash_is_an_error_with_a_reason() {
    let t = harness();
    let ann = client(&t, "ann");
    let (mut room, _) = ann.join("room:1", ()).unwrap();
    let (mut other, _) = ann.join("room:2", ()).unwrap();

    room.push("crash", ());
    other.push("panic", ());

    room.assert_crash("out of paper");
    room.assert_end(&Reason::Crash("out of paper".to_owned()));
    room.assert_silence();
    assert_eq!(other.next(), Some(Arrival::Error));
    other.assert_end(&Reason::Crash("panicked: what now?".to_owned()));
}

#[test]
fn push_to_a_channel_that_has_ended_is_unmatched() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();
    room.leave();

    let late = room.push("echo", ());

    room.assert_reply(&late, "error", json!({ "reason": "unmatched topic" }));
}

#[test]
fn drained_endpoint_closes_its_clients_and_takes_no_more() {
    let t = harness();
    let ann = client(&t, "ann");
    let (mut room, _) = ann.join("room:1", ()).unwrap();

    let endpoint = t.endpoint.clone();
    t.spawn(async move { endpoint.drain().await });

    ann.assert_closed(1012);
    room.assert_end(&Reason::Draining);
    assert_eq!(t.connect("/socket", json!({ "name": "bob" })).unwrap_err().status.as_u16(), 503);
}

#[test]
fn dropped_harness_drops_all_it_held() {
    let held = std::sync::Arc::new(());
    let t = harness();
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();
    room.push("sleep", ());
    let task = std::sync::Arc::clone(&held);
    t.spawn(async move {
        std::future::pending::<()>().await;
        drop(task);
    });
    assert_eq!(std::sync::Arc::strong_count(&held), 2);

    drop((room, t));

    assert_eq!(std::sync::Arc::strong_count(&held), 1);
}
