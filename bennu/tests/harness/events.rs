//! The events that Phoenix has as telemetry: at which level, with what, and when there is none.

use crate::app::{Room, Site, endpoint};
use crate::log::Told;
use bennu::prelude::*;
use bennu::test::{Dial, Harness};
use bennu::{Drain, Limits};
use serde_json::json;
use std::time::Duration;
use tracing::Level;

/// What is told, up to a level, of a target that ends like this, while somebody acts.
fn told_up_to(up_to: Level, target: &str, act: impl FnOnce()) -> Vec<Told> {
    let mut told = crate::log::told_up_to(up_to, act);
    told.retain(|told| told.target.ends_with(target));
    told
}

fn told(target: &str, act: impl FnOnce()) -> Vec<Told> {
    told_up_to(Level::TRACE, target, act)
}

// R288, R290
#[test]
fn who_connects_is_told_at_info_with_what_became_of_it() {
    let told = told_up_to(Level::INFO, "::socket_connected", || {
        let t = Harness::new(endpoint());
        let ann = Dial::new("/socket").params(json!({ "name": "ann" })).vsn("1.0.0");
        t.connect_with(ann).unwrap();
        t.connect("/socket", json!({})).unwrap_err();
    });

    let [ann, nobody] = &told[..] else { panic!("one event for each: {told:?}") };
    assert_eq!((ann.level, ann.field("result"), nobody.field("result")), (Level::INFO, "ok", "error"));
    assert_eq!((ann.field("socket"), ann.field("transport")), ("/socket", "websocket"));
    assert_eq!((ann.field("serializer"), ann.field("vsn")), ("V1", "1.0.0"));
    assert!(ann.field("parameters").contains("ann"), "{ann:?}");
    assert_eq!(ann.field("duration"), "0ns");
}

// R288, R290
#[test]
fn joins_are_told_at_info_but_for_those_that_crash_and_topics_of_phoenix() {
    let told = told_up_to(Level::INFO, "::channel_joined", || {
        let socket = bennu::socket(Site).channel::<Room>("room:*").channel::<Room>("phoenix*");
        let t = Harness::new(Endpoint::builder().socket("/socket", socket));
        let ann = t.connect("/socket", json!({ "name": "ann" })).unwrap();
        ann.join("room:a", json!({ "n": 1 })).unwrap();
        ann.join("room:secret", ()).unwrap_err();
        ann.join("room:broken", ()).unwrap_err();
        ann.join("phoenix:a", ()).unwrap();
        ann.join("nowhere", ()).unwrap_err();
    });

    let [joined, refused] = &told[..] else { panic!("one event for each: {told:?}") };
    assert_eq!((joined.field("topic"), joined.field("result")), ("room:a", "ok"));
    assert_eq!((refused.field("topic"), refused.field("result")), ("room:secret", "error"));
    assert_eq!(joined.level, Level::INFO);
    assert!(joined.field("parameters").contains(r#""n":1"#), "{joined:?}");
    assert!(joined.field("channel").ends_with("Room") && joined.field("socket").starts_with("socket "));
}

// R288
#[test]
fn duration_is_that_of_the_handler() {
    let told = told("::channel_joined", || {
        let t = Harness::new(endpoint());
        let ann = t.connect("/socket", json!({ "name": "ann" })).unwrap();
        let join = ann.begin_join("room:slow", ());
        t.advance(Duration::from_secs(60));
        join.answer().unwrap();
    });

    assert_eq!(told[0].field("duration"), "60s");
}

// R288, R289, R290, R291
#[test]
fn messages_are_told_at_debug_but_for_leaves_heartbeats_crashes_and_topics_of_phoenix() {
    let act = || {
        let socket = bennu::socket(Site).channel::<Room>("room:*").channel::<Room>("phoenix*");
        let t = Harness::new(Endpoint::builder().socket("/socket", socket));
        let ann = t.connect("/socket", json!({ "name": "ann" })).unwrap();
        for topic in ["room:crash", "room:panic", "phoenix:a", "room:a"] {
            let (mut room, _) = ann.join(topic, ()).unwrap();
            match topic {
                "room:crash" | "room:panic" => {
                    room.push(topic.trim_start_matches("room:"), ());
                    room.assert_crash(if topic == "room:crash" { "out of paper" } else { "what now?" });
                }
                "phoenix:a" => {
                    room.push("echo", ());
                }
                _ => {
                    room.push("echo", json!({ "n": 1, "password": "hunter2" }));
                    room.push("refuse", ());
                    room.push("sleep", ());
                    t.advance(Duration::from_secs(3600));
                    room.leave();
                }
            }
        }
    };

    let told = told("::channel_handled_in", act);
    let events: Vec<_> = told.iter().map(|told| told.field("event")).collect();
    assert_eq!(events, ["echo", "refuse", "sleep"]);
    let echo = &told[0];
    assert_eq!((echo.level, echo.field("topic")), (Level::DEBUG, "room:a"));
    assert!(echo.field("channel").ends_with("Room") && echo.field("socket").starts_with("socket "));
    assert!(echo.field("msg_ref").contains('"'), "as it was sent: {echo:?}");
    assert!(echo.field("parameters").contains(r#""n":1"#) && !echo.field("parameters").contains("hunter2"));
    assert_eq!((echo.field("duration"), told[2].field("duration")), ("0ns", "3600s"));

    assert!(told_up_to(Level::INFO, "::channel_handled_in", act).is_empty());
}

// R288
#[test]
fn batches_of_a_drain_are_told_at_info() {
    let told = told_up_to(Level::INFO, "::socket_drain", || {
        let drain = Drain::new().batch_size(2).interval(Duration::from_secs(1));
        let socket = bennu::socket(Site).channel::<Room>("room:*").drain(drain);
        let t = Harness::new(Endpoint::builder().socket("/socket", socket));
        let clients: Vec<_> =
            (0..3).map(|_| t.connect("/socket", json!({ "name": "ann" })).unwrap()).collect();
        for client in &clients {
            client.join("room:a", ()).unwrap();
        }
        let endpoint = t.endpoint.clone();
        t.spawn(async move { endpoint.drain().await });
        t.advance(Duration::from_secs(2));
    });

    let field = |name: &str| told.iter().map(|told| told.field(name)).collect::<Vec<_>>();
    assert_eq!((field("count"), field("total")), (vec!["2", "1"], vec!["3", "3"]));
    assert_eq!((field("index"), field("rounds")), (vec!["1", "2"], vec!["2", "2"]));
    assert_eq!((field("socket"), field("interval")), (vec!["/socket"; 2], vec!["1s"; 2]));
    assert_eq!(told[0].level, Level::INFO);
}

// R290
#[test]
fn what_a_client_does_wrong_is_told_at_the_level_of_phoenix() {
    let told = told("::notice", || {
        let socket = bennu::socket(Site).channel::<Room>("room:*").limits(Limits::new().channels(1));
        let t = Harness::new(Endpoint::builder().socket("/socket", socket));
        let ann = t.connect("/socket", json!({ "name": "ann" })).unwrap();
        ann.join("room:a", ()).unwrap();
        ann.join("nowhere", ()).unwrap_err();
        ann.join("room:b", ()).unwrap_err();
        ann.join("room:a", ()).unwrap();
    });

    let levels: Vec<_> = told.iter().map(|told| (told.level, told.field("topic"))).collect();
    assert_eq!(levels, [(Level::WARN, "nowhere"), (Level::ERROR, "room:b"), (Level::DEBUG, "room:a")]);
}

// R290
#[test]
fn refused_origin_is_an_error_and_another_refusal_is_none() {
    let told = told("::admission", || {
        let t = Harness::new(endpoint());
        let evil = Dial::new("/socket").header("origin", "http://evil.test");
        t.connect_with(evil).unwrap_err();
        let large = Dial::new("/socket").header("large", &"x".repeat(20_000));
        t.connect_with(large).unwrap_err();
        t.connect_with(Dial::new("/socket").vsn("9.0.0")).unwrap_err();
    });

    let levels: Vec<_> = told.iter().map(|told| told.level).collect();
    assert_eq!(levels, [Level::ERROR, Level::INFO, Level::WARN]);
}
