//! How fast a client may speak, and join.

use crate::pair::{Answer, Pair};
use bennu_core::Serializer;
use bennu_core::rate::Rate;
use bennu_core::server::{Limits, TooFast};
use std::time::Duration;

const TENTH: Duration = Duration::from_millis(100);

/// Ten messages a second, three at once.
fn slow_speech() -> Limits {
    Limits { message_rate: Some(Rate::per_second(10).burst(3)), ..Limits::default() }
}

/// Two joins a second.
fn slow_joins() -> Limits {
    Limits { join_rate: Some(Rate::per_second(2)), ..Limits::default() }
}

/// How many of so many pushes are answered as they ought to be, each one being answered.
fn handled(pair: &mut Pair, peer: usize, pushes: usize) -> usize {
    pair.forget();
    for n in 0..pushes {
        pair.send(peer, &format!(r#"["1","p{n}","room:a","echo",{{}}]"#));
    }
    let frames = pair.frames(peer);
    assert_eq!(frames.len(), pushes, "each is answered once");
    frames.iter().filter(|frame| frame.contains(r#""ok""#)).count()
}

#[test]
fn messages_at_the_rate_are_handled_and_one_more_is_answered_with_an_error() {
    let mut pair = Pair::with(slow_speech());
    let ann = pair.connect();
    pair.join(ann, "1", "room:a");
    assert_eq!(handled(&mut pair, ann, 2), 2, "the join was the first of three");
    assert_eq!(pair.too_fast(), []);

    pair.send(ann, r#"["1","2","room:a","echo",{}]"#);
    pair.expect(
        ann,
        [r#"["1","2","room:a","phx_reply",{"status":"error","response":{"reason":"rate limit"}}]"#],
    );
    assert_eq!(pair.too_fast(), [TooFast::Message]);

    for _ in 0..50 {
        pair.advance(TENTH);
        assert_eq!(handled(&mut pair, ann, 1), 1);
    }
    assert_eq!(pair.too_fast(), []);
}

#[test]
fn flood_is_answered_one_by_one_and_takes_nothing_from_what_comes_in_time() {
    let mut pair = Pair::with(slow_speech());
    let (ann, bob) = (pair.connect(), pair.connect());
    pair.join(ann, "1", "room:a");
    pair.join(bob, "1", "room:a");
    pair.advance(3 * TENTH);

    assert_eq!(handled(&mut pair, ann, 10_000), 3);
    assert_eq!(pair.too_fast().len(), 9_997);
    assert_eq!(handled(&mut pair, bob, 3), 3, "it is each socket's own");
    pair.advance(TENTH);
    assert_eq!(handled(&mut pair, ann, 1000), 1);

    assert_eq!((pair.server.channels(), pair.server.topics(), pair.server.poll_timeout()), (2, 1, None));
}

#[test]
fn without_a_rate_nothing_is_too_fast() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.join(ann, "1", "room:a");

    assert_eq!(handled(&mut pair, ann, 10_000), 10_000);
    assert_eq!(pair.too_fast(), []);
}

#[test]
fn heartbeats_and_leaves_are_always_taken_and_do_not_count() {
    let mut pair = Pair::with(slow_speech());
    let ann = pair.connect();
    pair.join(ann, "1", "room:a");
    for n in 0..100 {
        pair.send(ann, &format!(r#"[null,"h{n}","phoenix","heartbeat",{{}}]"#));
        pair.send(ann, &format!(r#"["1","l{n}","room:none","phx_leave",{{}}]"#));
    }
    assert_eq!(handled(&mut pair, ann, 10), 2);

    pair.send(ann, r#"[null,"h","phoenix","heartbeat",{}]"#);
    pair.send(ann, r#"["1","l","room:a","phx_leave",{}]"#);

    pair.expect(
        ann,
        [
            r#"[null,"h","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1","l","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1","1","room:a","phx_close",{}]"#,
        ],
    );
    assert_eq!(pair.too_fast().len(), 8);
}

#[test]
fn heartbeat_on_another_topic_and_another_event_on_that_of_heartbeats_count() {
    let mut pair = Pair::with(slow_speech());
    let ann = pair.connect();
    for _ in 0..3 {
        pair.send(ann, r#"[null,"1","phoenix","else",{}]"#);
    }
    assert_eq!(pair.too_fast(), []);

    pair.send(ann, r#"[null,"2","phoenix","else",{}]"#);
    pair.send(ann, r#"[null,"3","room:a","heartbeat",{}]"#);
    assert_eq!(pair.too_fast(), [TooFast::Message; 2]);
}

#[test]
fn whatever_is_too_fast_is_answered_as_it_came() {
    let mut pair = Pair::with(Limits { message_rate: Some(Rate::every(TENTH)), ..Limits::default() });
    let (ann, old) = (pair.connect(), pair.connect_as(Serializer::V1, 0, None));
    pair.join(ann, "1", "room:a");
    pair.send(old, r#"{"topic":"room:a","event":"phx_join","payload":{},"ref":"1"}"#);
    pair.forget();

    // Without a ref; on no topic; of an earlier life of the channel; on a topic that is not joined.
    pair.send(ann, r#"["1",null,"room:a","echo",{}]"#);
    pair.send(ann, r#"["1","2",["room:a"],"echo",{}]"#);
    pair.send(ann, r#"["0","3","room:a","echo",{}]"#);
    pair.send(ann, r#"[null,"4","nope","echo",{}]"#);
    pair.send(old, r#"{"topic":"room:a","event":"echo","payload":{},"ref":"5"}"#);

    pair.expect(
        ann,
        [
            r#"["1",null,"room:a","phx_reply",{"status":"error","response":{"reason":"rate limit"}}]"#,
            r#"["1","2",["room:a"],"phx_reply",{"status":"error","response":{"reason":"rate limit"}}]"#,
            r#"["0","3","room:a","phx_reply",{"status":"error","response":{"reason":"rate limit"}}]"#,
            r#"[null,"4","nope","phx_reply",{"status":"error","response":{"reason":"rate limit"}}]"#,
        ],
    );
    pair.expect(
        old,
        [
            r#"{"topic":"room:a","event":"phx_reply","payload":{"status":"error","response":{"reason":"rate limit"}},"ref":"5"}"#,
        ],
    );
}

#[test]
fn what_has_waited_does_not_count_again() {
    let mut pair = Pair::with(slow_speech());
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    pair.send(ann, r#"["1","2","room:a","echo",{}]"#);
    pair.send(ann, r#"["1","3","room:a","echo",{}]"#);
    assert_eq!(pair.frames(ann).len(), 0);

    pair.answer(ann, "room:a", Answer::Join);

    let frames = pair.frames(ann);
    assert_eq!(frames.iter().filter(|frame| frame.contains(r#""ok""#)).count(), 3, "{frames:?}");
}

#[test]
fn joins_at_the_rate_are_asked_for_and_one_more_is_refused_without_a_trace() {
    let mut pair = Pair::with(slow_joins());
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.joined(ann, "2", "room:b");

    pair.join(ann, "3", "room:c");
    pair.expect(
        ann,
        [r#"["3","3","room:c","phx_reply",{"status":"error","response":{"reason":"rate limit"}}]"#],
    );
    assert_eq!(pair.too_fast(), [TooFast::Join]);
    assert_eq!((pair.server.channels(), pair.server.topics()), (2, 2));
    assert_eq!(handled(&mut pair, ann, 1000), 1000, "the others are heard as before");

    for n in 0..10_000 {
        pair.join(ann, "4", &format!("room:{n}"));
        assert_eq!(pair.too_fast(), [TooFast::Join]);
        pair.forget();
    }
    assert_eq!((pair.server.channels(), pair.server.topics()), (2, 2));

    pair.advance(5 * TENTH);
    pair.join(ann, "5", "room:c");
    pair.expect(ann, [r#"["5","5","room:c","phx_reply",{"status":"ok","response":{}}]"#]);
}

#[test]
fn channel_that_a_join_too_fast_would_replace_goes_on() {
    let mut pair = Pair::with(slow_joins());
    let ann = pair.connect();
    pair.joined(ann, "0", "room:a");
    pair.joined(ann, "1", "room:a");

    pair.join(ann, "2", "room:a");
    pair.expect(
        ann,
        [r#"["2","2","room:a","phx_reply",{"status":"error","response":{"reason":"rate limit"}}]"#],
    );
    assert_eq!(handled(&mut pair, ann, 1), 1);
}

#[test]
fn refused_joins_count_and_joins_count_as_messages() {
    let limits = Limits { message_rate: Some(Rate::every(TENTH).burst(3)), ..slow_joins() };
    let mut pair = Pair::with(limits);
    let ann = pair.connect();
    pair.join(ann, "1", "room:deny");
    pair.join(ann, "2", "nowhere");

    pair.join(ann, "3", "room:a");
    assert_eq!(pair.too_fast(), [TooFast::Join]);
    pair.join(ann, "4", "room:a");
    assert_eq!(pair.too_fast(), [TooFast::Message]);
}
