//! What an operator may want to know of a client: said once, each time that it happens, and by nothing else.

use crate::pair::{Answer, Pair};
use bennu_core::server::{Limits, Notice};
use bennu_core::{MAX_NAME, Payload, Topic};
use std::time::Duration;

/// What is noted of the one client that sends `frames`, behind `prepare`.
fn noted(limits: Limits, prepare: impl FnOnce(&mut Pair, usize), frames: &[&str]) -> Vec<Notice> {
    let mut pair = Pair::with(limits);
    let ann = pair.connect();
    prepare(&mut pair, ann);
    pair.forget();
    for frame in frames {
        pair.send(ann, frame);
    }
    pair.notices().into_iter().map(|(_, notice)| notice).collect()
}

fn nothing(_: &mut Pair, _: usize) {}

fn joined(pair: &mut Pair, ann: usize) {
    pair.joined(ann, "1", "room:a");
}

fn topic(name: &str) -> Topic {
    Topic::from(name)
}

#[test]
fn join_without_a_route_is_noted_and_a_message_to_a_topic_that_is_not_joined_is_not() {
    let frames = [
        r#"["1","1","nope","phx_join",{}]"#,
        r#"["1","2",7,"phx_join",{}]"#,
        r#"["1","3","nope","event",{}]"#,
        r#"["1","4","room:a","event",{}]"#,
        r#"["1","5","nope","phx_leave",{}]"#,
    ];

    let noted = noted(Limits::default(), nothing, &frames);

    assert_eq!(noted, [Notice::Unmatched { topic: Some(topic("nope")) }, Notice::Unmatched { topic: None }]);
}

#[test]
fn ordinary_life_is_not_noted() {
    let frames = [
        r#"[null,"0","phoenix","heartbeat",{}]"#,
        r#"["1","1","room:a","phx_join",{}]"#,
        r#"["1","2","room:a","echo",{}]"#,
        r#"["0","3","room:a","stale",{}]"#,
        r#"["1","4","room:a","phx_leave",{}]"#,
    ];

    assert_eq!(noted(Limits::default(), nothing, &frames), []);
}

#[test]
fn join_past_the_channels_of_a_socket_is_noted() {
    let limits = Limits { max_channels: 1, ..Limits::default() };

    let noted = noted(limits, joined, &[r#"["2","2","room:b","phx_join",{}]"#]);

    assert_eq!(noted, [Notice::TooManyChannels { topic: topic("room:b") }]);
}

#[test]
fn second_join_of_a_topic_is_noted() {
    let noted = noted(Limits::default(), joined, &[r#"["2","2","room:a","phx_join",{}]"#]);

    assert_eq!(noted, [Notice::Duplicate { topic: topic("room:a") }]);
}

#[test]
fn names_are_noted_by_their_length_from_one_past_the_limit_on() {
    let name = |len| "x".repeat(len);
    let topics = [MAX_NAME, MAX_NAME + 1].map(|len| format!(r#"["1","1","{}","event",{{}}]"#, name(len)));
    let events = [MAX_NAME, MAX_NAME + 1].map(|len| format!(r#"["1","1","room:a","{}",{{}}]"#, name(len)));
    let frames: Vec<_> = topics.iter().chain(&events).map(String::as_str).collect();

    let noted = noted(Limits::default(), nothing, &frames);

    let len = MAX_NAME + 1;
    assert_eq!(noted, [Notice::TopicTooLong { len }, Notice::EventTooLong { len }]);
}

#[test]
fn join_that_waits_for_terminates_is_noted() {
    let limits = Limits { max_terminating: 1, ..Limits::default() };
    let leaving = |pair: &mut Pair, ann: usize| {
        pair.park_terminate = true;
        pair.joined(ann, "1", "room:a");
        pair.send(ann, r#"["1","2","room:a","phx_leave",{}]"#);
    };

    let noted = noted(limits, leaving, &[r#"["3","3","room:b","phx_join",{}]"#]);

    assert_eq!(noted, [Notice::Held { topic: topic("room:b") }]);
}

#[test]
fn channel_that_is_ended_since_too_much_waits_for_it_is_noted() {
    let mut pair = Pair::with(Limits { channel_messages: 1, ..Limits::default() });
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","park",{}]"#);

    pair.info(channel, "first", Duration::ZERO);
    assert_eq!(pair.notices(), []);
    pair.info(channel, "second", Duration::ZERO);

    assert_eq!(pair.notices(), [(ann, Notice::ChannelFull { topic: topic("room:a") })]);
}

#[test]
fn channel_that_is_ended_so_that_reading_goes_on_is_noted() {
    let mut pair = Pair::with(Limits { input_messages: 1, ..Limits::default() });
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","park",{}]"#);
    pair.send(ann, r#"["1","3","room:a","waits",{}]"#);
    pair.advance(Duration::from_millis(9_999));
    assert_eq!(pair.notices(), []);

    pair.advance(Duration::from_millis(1));

    assert_eq!(pair.notices(), [(ann, Notice::Overloaded { topic: topic("room:a") })]);
}

#[test]
fn channel_that_answers_in_time_is_not_noted() {
    let mut pair = Pair::with(Limits { input_messages: 1, ..Limits::default() });
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","park",{}]"#);
    pair.send(ann, r#"["1","3","room:a","waits",{}]"#);

    pair.answer(ann, "room:a", Answer::Reply(Payload::empty()));
    pair.advance(Duration::from_secs(60));

    assert_eq!(pair.notices(), []);
}
