//! What others send a channel that does not handle it.

use super::NONE;
use super::input::stuck;
use crate::pair::{Answer, Pair};
use bennu_core::Payload;
use bennu_core::server::Limits;

#[test]
fn channel_with_too_many_messages_of_the_application_ends_and_no_other() {
    let (mut pair, ann) = stuck(Limits::default());
    let channel = pair.channel(ann, "room:a");
    for _ in 0..1024 {
        pair.info(channel, "note", NONE);
    }
    pair.expect_said([]);

    pair.info(channel, "note", NONE);

    pair.expect_said([
        "no interest room:a",
        r#"0 << ["room:a","room:a","room:a","phx_error",{"reason":"channel_crash"}]"#,
        "0 cancel room:a",
        "0 ended room:a",
    ]);
    pair.answer(ann, "room:b", Answer::Reply(Payload::empty()));
    pair.expect(ann, [r#"["room:b","0","room:b","phx_reply",{"status":"ok","response":{}}]"#]);
}

#[test]
fn channel_with_too_many_broadcasts_to_intercept_ends_and_the_fast_path_goes_on() {
    let mut pair = Pair::with(Limits { channel_messages: 2, ..Limits::default() });
    let (ann, bob) = (pair.connect(), pair.connect());
    for peer in [ann, bob] {
        pair.joined(peer, "1", "icpt:a");
    }
    pair.send(ann, r#"["1","2","icpt:a","park",{}]"#);
    pair.forget();

    for n in 1..=3 {
        pair.broadcast("icpt:a", "icpt", &format!(r#"{{"n":{n}}}"#), None);
    }

    pair.expect(ann, [r#"["1","1","icpt:a","phx_error",{"reason":"channel_crash"}]"#]);
    pair.expect(
        bob,
        [
            r#"["1",null,"icpt:a","icpt_out",{"n":1}]"#,
            r#"["1",null,"icpt:a","icpt_out",{"n":2}]"#,
            r#"["1",null,"icpt:a","icpt_out",{"n":3}]"#,
        ],
    );
}

#[test]
fn bytes_of_broadcasts_that_wait_are_bounded_too() {
    let mut pair = Pair::with(Limits { channel_bytes: 100, ..Limits::default() });
    let ann = pair.connect();
    pair.joined(ann, "1", "icpt:a");
    pair.send(ann, r#"["1","2","icpt:a","park",{}]"#);
    pair.forget();

    pair.broadcast("icpt:a", "icpt", &format!(r#"{{"a":"{}"}}"#, "x".repeat(88)), None);
    pair.expect_said([]);
    pair.broadcast("icpt:a", "icpt", "{}", None);

    assert!(pair.said().contains(&"0 ended icpt:a".to_owned()));
}

#[test]
fn what_a_channel_has_handled_counts_no_longer() {
    let mut pair = Pair::with(Limits { channel_messages: 2, ..Limits::default() });
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.info(channel, "park", NONE);
    pair.info(channel, "park", NONE);
    pair.info(channel, "park", NONE);

    for _ in 0..5 {
        pair.answer(ann, "room:a", Answer::Noreply);
        pair.info(channel, "park", NONE);
        assert_eq!(pair.server.channels(), 1, "two wait");
    }
    pair.info(channel, "park", NONE);

    assert_eq!(pair.server.channels(), 0);
}

#[test]
fn pending_join_with_too_many_messages_of_the_application_is_overloaded() {
    let mut pair = Pair::with(Limits { channel_messages: 1, ..Limits::default() });
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    let channel = pair.channel(ann, "room:a");

    pair.info(channel, "one", NONE);
    pair.info(channel, "two", NONE);

    pair.expect(
        ann,
        [r#"["1","1","room:a","phx_reply",{"status":"error","response":{"reason":"overloaded"}}]"#],
    );
    assert_eq!(pair.server.channels(), 0);
}

#[test]
fn messages_of_the_application_do_not_pause_reading() {
    let (mut pair, ann) = stuck(Limits { input_messages: 2, ..Limits::default() });
    let channel = pair.channel(ann, "room:a");

    for _ in 0..100 {
        pair.info(channel, "note", NONE);
    }
    pair.broadcast("room:a", "news", r#"{"a":1}"#, None);

    assert!(!pair.said().contains(&"0 pause".to_owned()));
}
