//! Joins: their answers, their routes, and those that take time.

use crate::app::{Note, Other, Room, client, harness};
use serde_json::{Value, json};
use std::time::Duration;

// R281
#[test]
fn join_returns_the_response() {
    let t = harness();

    let (room, response) = client(&t, "ann").join("room:1", json!({ "lang": "en" })).unwrap();

    assert_eq!(room.topic(), "room:1");
    assert_eq!(response.parse::<Value>().unwrap(), json!({ "you": "ann", "sent": { "lang": "en" } }));
}

// R281
#[test]
fn refused_join_is_an_error_with_the_response() {
    let t = harness();

    let refused = client(&t, "ann").join("room:secret", ()).unwrap_err();

    assert_eq!(refused.response.parse::<Value>().unwrap(), json!({ "reason": "unauthorized" }));
    assert_eq!(refused.crash, None);
    assert_eq!(refused.to_string(), r#"the join of "room:secret" was refused: {"reason":"unauthorized"}"#);
}

#[test]
fn crashed_join_is_an_error_that_says_why() {
    let t = harness();

    let refused = client(&t, "ann").join("room:broken", ()).unwrap_err();

    assert_eq!(refused.response.parse::<Value>().unwrap(), json!({ "reason": "join crashed" }));
    assert_eq!(refused.crash.as_deref(), Some("panicked: no such table"));
    assert!(refused.to_string().ends_with("(panicked: no such table)"), "{refused}");
}

// R281
#[test]
fn topic_finds_its_channel_by_the_routes() {
    let t = harness();
    let ann = client(&t, "ann");

    let (other, _) = ann.join("other", ()).unwrap();
    let _ = other.handle::<Other>();

    let unmatched = ann.join("nowhere", ()).unwrap_err();
    assert_eq!(unmatched.response.parse::<Value>().unwrap(), json!({ "reason": "unmatched topic" }));
}

#[test]
fn join_that_takes_time_is_answered_when_that_has_passed() {
    let t = harness();
    let ann = client(&t, "ann");

    let slow = ann.begin_join("room:slow", ());
    let (mut other, _) = ann.join("room:1", ()).unwrap();
    let echo = other.push("echo", json!({ "n": 1 }));
    other.assert_reply(&echo, "ok", json!({ "n": 1 }));
    assert!(!slow.is_answered());

    t.advance(Duration::from_secs(60));
    assert!(slow.is_answered());
    let (mut room, _) = slow.answer().unwrap();
    room.assert_silence();
}

#[test]
fn second_join_of_a_topic_closes_the_first_and_takes_over_its_broadcasts() {
    let t = harness();
    let ann = client(&t, "ann");
    let (mut first, _) = ann.join("room:1", ()).unwrap();

    let (mut second, _) = ann.join("room:1", ()).unwrap();
    t.endpoint.broadcast("room:1", "said", json!({ "n": 1 })).unwrap();

    assert_eq!(first.next(), Some(bennu::test::Arrival::Close));
    first.assert_silence();
    second.assert_push("said", json!({ "n": 1 }));
    assert!(first.handle::<Room>().notify(Note("to nobody")).is_err());
}
