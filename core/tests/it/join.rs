//! Joining, and what a join is refused for.

use crate::pair::{Answer, Pair};
use std::time::Duration;

#[test]
fn accepted_join_is_answered_with_both_of_its_refs() {
    let mut pair = Pair::new();
    let ann = pair.connect();

    pair.send(ann, r#"["1","2","room:a","phx_join",{}]"#);

    pair.expect_said([
        "0 join room:a",
        "interest room:a",
        r#"0 << ["1","2","room:a","phx_reply",{"status":"ok","response":{}}]"#,
    ]);
}

#[test]
fn refused_join_leaves_the_topic_unjoined() {
    let mut pair = Pair::new();
    let ann = pair.connect();

    pair.send(ann, r#"["1","1","room:deny","phx_join",{}]"#);
    pair.send(ann, r#"["1","2","room:deny","echo",{}]"#);

    pair.expect_said([
        "0 join room:deny",
        r#"0 << ["1","1","room:deny","phx_reply",{"status":"error","response":{"reason":"no"}}]"#,
        "0 ended room:deny",
        r#"0 << [null,"2","room:deny","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#,
    ]);
    assert_eq!((pair.server.channels(), pair.server.topics()), (0, 0));
}

#[test]
fn refused_join_leaves_alone_who_waits_on_the_same_topic() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    for peer in [ann, bob] {
        pair.send(peer, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    }

    pair.answer(bob, "room:a", Answer::Refuse);
    pair.answer(ann, "room:a", Answer::Join);
    pair.forget();

    assert_eq!(pair.server.topics(), 1);
    pair.broadcast("room:a", "news", "{}", None);
    pair.expect(ann, [r#"[null,null,"room:a","news",{}]"#]);
}

#[test]
fn crashed_join_is_answered_and_harms_nobody_else() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");

    pair.join(ann, "2", "room:boom");
    pair.send(ann, r#"["1","3","room:a","echo",{}]"#);

    pair.expect(
        ann,
        [
            r#"["2","2","room:boom","phx_reply",{"status":"error","response":{"reason":"join crashed"}}]"#,
            r#"["1","3","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        ],
    );
}

#[test]
fn answer_that_is_none_for_a_join_crashes_it() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);

    pair.answer(ann, "room:a", Answer::Noreply);

    pair.expect(
        ann,
        [r#"["1","1","room:a","phx_reply",{"status":"error","response":{"reason":"join crashed"}}]"#],
    );
}

#[test]
fn answer_of_a_join_for_another_handler_crashes_the_channel() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","park",{}]"#);
    pair.forget();

    pair.answer(ann, "room:a", Answer::Refuse);

    pair.expect(ann, [r#"["1","1","room:a","phx_error",{"reason":"channel_crash"}]"#]);
}

#[test]
fn topic_without_a_route_is_unmatched_and_its_join_ref_is_not_echoed() {
    let mut pair = Pair::new();
    let ann = pair.connect();

    pair.join(ann, "4", "nope");
    pair.join(ann, "5", "exact:more");

    pair.expect(
        ann,
        [
            r#"[null,"4","nope","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#,
            r#"[null,"5","exact:more","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#,
        ],
    );
    assert_eq!(pair.server.topics(), 0);
}

#[test]
fn empty_suffix_is_joined_under_the_prefix_route() {
    let mut pair = Pair::new();
    let ann = pair.connect();

    pair.join(ann, "1", "room:");

    pair.expect(ann, [r#"["1","1","room:","phx_reply",{"status":"ok","response":{}}]"#]);
}

#[test]
fn join_reply_precedes_what_the_channel_does_next() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    let channel = pair.channel(ann, "room:a");
    pair.info(channel, "from join", Duration::ZERO);
    pair.send(ann, r#"["1","2","room:a","echo",{}]"#);
    pair.broadcast("room:a", "too early", "{}", None);
    pair.forget();

    pair.answer(ann, "room:a", Answer::JoinThen("after join"));

    pair.expect_said([
        "interest room:a",
        r#"0 << ["1","1","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        "0 info room:a after join",
        r#"0 << ["1",null,"room:a","after join",{}]"#,
        "0 info room:a from join",
        r#"0 << ["1",null,"room:a","from join",{}]"#,
        "0 in room:a echo",
        r#"0 << ["1","2","room:a","phx_reply",{"status":"ok","response":{}}]"#,
    ]);
}

#[test]
fn push_before_the_join_is_answered_is_an_error() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    let channel = pair.channel(ann, "room:a");

    assert!(!pair.push(channel, "early", "{}"));
    pair.expect(ann, []);
    pair.answer(ann, "room:a", Answer::Join);

    assert!(pair.push(channel, "now", "{}"));
}

#[test]
fn messages_sent_before_any_join_are_unmatched_and_a_leave_is_ok() {
    let mut pair = Pair::new();
    let ann = pair.connect();

    pair.send(ann, r#"["1","2","room:a","echo",{}]"#);
    pair.send(ann, r#"["1","3","room:a","phx_leave",{}]"#);
    pair.send(ann, r#"[null,"4","nowhere","phx_leave",{}]"#);

    pair.expect(
        ann,
        [
            r#"[null,"2","room:a","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#,
            r#"["1","3","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"[null,"4","nowhere","phx_reply",{"status":"ok","response":{}}]"#,
        ],
    );
}

#[test]
fn reserved_server_events_from_a_client_reach_the_handler() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");

    for event in ["phx_reply", "phx_close", "phx_error"] {
        pair.send(ann, &format!(r#"["1","2","room:a","{event}",{{}}]"#));
        assert_eq!(pair.said()[0], format!("0 in room:a {event}"));
    }
}
