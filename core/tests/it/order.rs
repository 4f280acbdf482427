//! What waits for what.

use crate::pair::{Answer, Pair};
use bennu_core::Payload;

#[test]
fn messages_of_one_channel_are_handled_one_at_a_time_and_in_order() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");

    for n in 2..=4 {
        pair.send(ann, &format!(r#"["1","{n}","room:a","park",{{"n":{n}}}]"#));
    }
    assert_eq!(pair.waiting(), ["0 in room:a park"]);

    for n in 2..=4 {
        pair.answer(ann, "room:a", Answer::Reply(Payload::empty()));
        let reply = format!(r#"["1","{n}","room:a","phx_reply",{{"status":"ok","response":{{}}}}]"#);
        pair.expect(ann, [&*reply]);
    }
}

#[test]
fn slow_channel_does_not_delay_another() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.joined(ann, "2", "room:b");
    pair.send(ann, r#"["1","3","room:a","park",{}]"#);

    pair.send(ann, r#"["2","4","room:b","echo",{}]"#);

    pair.expect(ann, [r#"["2","4","room:b","phx_reply",{"status":"ok","response":{}}]"#]);
}

#[test]
fn pending_join_holds_back_only_its_own_topic() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:slow","phx_join",{"do":"park"}]"#);

    pair.join(ann, "2", "room:b");
    pair.send(ann, r#"["2","3","room:b","echo",{}]"#);
    pair.send(ann, r#"["1","4","room:slow","echo",{}]"#);
    pair.send(ann, r#"[null,"5","phoenix","heartbeat",{}]"#);

    pair.expect(
        ann,
        [
            r#"["2","2","room:b","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["2","3","room:b","phx_reply",{"status":"ok","response":{}}]"#,
            r#"[null,"5","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
        ],
    );
}

#[test]
fn what_waits_behind_a_refused_join_is_unmatched() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    pair.send(ann, r#"["1","2","room:a","echo",{}]"#);
    pair.send(ann, r#"["1","3","room:a","phx_leave",{}]"#);
    pair.send(ann, r#"["4","4","room:a","phx_join",{}]"#);
    pair.send(ann, r#"["4","5","room:a","echo",{}]"#);

    pair.answer(ann, "room:a", Answer::Refuse);

    pair.expect(
        ann,
        [
            r#"["1","1","room:a","phx_reply",{"status":"error","response":{"reason":"no"}}]"#,
            r#"[null,"2","room:a","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#,
            r#"["1","3","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["4","4","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["4","5","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        ],
    );
}

#[test]
fn what_waits_behind_an_accepted_join_is_dropped_if_its_join_ref_is_another() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    pair.send(ann, r#"["0","2","room:a","echo",{}]"#);
    pair.send(ann, r#"[null,"3","room:a","echo",{}]"#);

    pair.answer(ann, "room:a", Answer::Join);

    pair.expect(
        ann,
        [
            r#"["1","1","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1","3","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        ],
    );
}

#[test]
fn join_that_is_never_answered_harms_nobody() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);

    pair.join(bob, "1", "room:a");
    pair.broadcast("room:a", "news", "{}", None);

    pair.expect(ann, []);
    pair.expect(
        bob,
        [
            r#"["1","1","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"[null,null,"room:a","news",{}]"#,
        ],
    );
}

#[test]
fn heartbeat_is_answered_whatever_it_carries_with_its_ref_and_no_join_ref() {
    let mut pair = Pair::new();
    let ann = pair.connect();

    pair.send(ann, r#"["7","1","phoenix","heartbeat",{"a":[1]}]"#);
    pair.send(ann, r#"[null,2,"phoenix","heartbeat",null]"#);
    pair.send(ann, r#"[null,null,"phoenix","heartbeat",{}]"#);

    pair.expect(
        ann,
        [
            r#"[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
            r#"[null,2,"phoenix","phx_reply",{"status":"ok","response":{}}]"#,
            r#"[null,null,"phoenix","phx_reply",{"status":"ok","response":{}}]"#,
        ],
    );
}

#[test]
fn phoenix_is_a_topic_like_others_but_for_the_heartbeat() {
    use bennu_core::wire::Serializer;
    let mut pair = Pair::new();
    let unrouted = pair.connect();
    let routed = pair.connect_as(Serializer::V2, 1, None);

    pair.send(unrouted, r#"[null,"1","phoenix","other",{}]"#);
    pair.join(routed, "1", "phoenix");
    pair.send(routed, r#"["1","2","phoenix","heartbeat",{}]"#);
    pair.send(routed, r#"["1","3","phoenix","echo",{}]"#);

    pair.expect(
        unrouted,
        [r#"[null,"1","phoenix","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#],
    );
    pair.expect(
        routed,
        [
            r#"["1","1","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
            r#"[null,"2","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1","3","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
        ],
    );
}

#[test]
fn push_broadcast_and_reply_of_one_handler_keep_their_order() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");

    pair.send(ann, r#"["1","2","room:a","bcast",{"b":1}]"#);

    pair.expect(
        ann,
        [
            r#"[null,null,"room:a","bc",{"b":1}]"#,
            r#"["1",null,"room:a","after_bc",{}]"#,
            r#"["1","2","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        ],
    );
}
