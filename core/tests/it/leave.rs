//! Leaving.

use crate::pair::{Answer, Pair};
use bennu_core::Payload;
use bennu_core::server::Ended;

#[test]
fn leave_is_answered_then_closed_then_terminate_runs() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");

    pair.send(ann, r#"["1","2","room:a","phx_leave",{}]"#);

    pair.expect_said([
        r#"0 << ["1","2","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        "no interest room:a",
        r#"0 << ["1","1","room:a","phx_close",{}]"#,
        "0 terminate room:a Left",
        "0 ended room:a",
    ]);
    assert_eq!((pair.server.channels(), pair.server.topics()), (0, 0));
}

#[test]
fn leave_with_another_join_ref_is_ignored_in_silence() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");

    pair.send(ann, r#"["9","2","room:a","phx_leave",{}]"#);

    pair.expect_said([]);
    assert_eq!(pair.server.channels(), 1);
}

#[test]
fn leave_waits_behind_what_was_sent_before_it() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","park",{}]"#);
    pair.send(ann, r#"["1","3","room:a","echo",{}]"#);
    pair.send(ann, r#"["1","4","room:a","phx_leave",{}]"#);
    pair.forget();

    pair.answer(ann, "room:a", Answer::Reply(Payload::empty()));

    pair.expect(
        ann,
        [
            r#"["1","2","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1","3","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1","4","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1","1","room:a","phx_close",{}]"#,
        ],
    );
}

#[test]
fn what_waits_behind_a_leave_is_lost_in_silence() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","park",{}]"#);
    pair.send(ann, r#"["1","3","room:a","phx_leave",{}]"#);
    pair.send(ann, r#"["1","4","room:a","echo",{}]"#);
    pair.forget();

    pair.answer(ann, "room:a", Answer::Noreply);

    pair.expect(
        ann,
        [
            r#"["1","3","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1","1","room:a","phx_close",{}]"#,
        ],
    );
}

#[test]
fn leave_behind_a_pending_join_is_answered_whatever_the_join_comes_to() {
    for (answer, expected) in [
        (
            Answer::Join,
            vec![
                r#"["1","1","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
                r#"["1","2","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
                r#"["1","1","room:a","phx_close",{}]"#,
            ],
        ),
        (
            Answer::Refuse,
            vec![
                r#"["1","1","room:a","phx_reply",{"response":{"reason":"no"},"status":"error"}]"#,
                r#"["1","2","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
            ],
        ),
    ] {
        let mut pair = Pair::new();
        let ann = pair.connect();
        pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
        pair.send(ann, r#"["1","2","room:a","phx_leave",{}]"#);

        pair.answer(ann, "room:a", answer);

        assert_eq!(pair.frames(ann), expected);
    }
}

#[test]
fn after_a_leave_the_topic_is_unmatched_and_gets_no_broadcast() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.park_terminate = true;
    pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","phx_leave",{}]"#);
    pair.forget();

    pair.broadcast("room:a", "news", "{}", None);
    pair.send(ann, r#"["1","3","room:a","echo",{}]"#);

    pair.expect(
        ann,
        [r#"[null,"3","room:a","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#],
    );
}

#[test]
fn push_of_an_ended_channel_is_an_error_and_a_deferred_reply_is_not() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","noreply",{}]"#);
    pair.send(ann, r#"["1","3","room:a","phx_leave",{}]"#);
    pair.forget();

    assert!(!pair.push(channel, "late", "{}"));
    assert!(pair.reply_later(channel, "2", r#"{"n":1}"#));
    assert!(pair.reply_later(channel, "2", r#"{"n":2}"#));
    pair.expect(
        ann,
        [
            r#"["1","2","room:a","phx_reply",{"status":"ok","response":{"n":1}}]"#,
            r#"["1","2","room:a","phx_reply",{"status":"ok","response":{"n":2}}]"#,
        ],
    );

    pair.disconnect(ann);
    assert!(!pair.reply_later(channel, "2", "{}"));
    assert_eq!(Ended.to_string(), "the channel has ended");
}
