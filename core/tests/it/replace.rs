//! A second join on a topic.

use crate::pair::{Answer, App, Pair};
use bennu_core::server::Reason;

#[test]
fn second_join_is_answered_before_the_old_channel_is_closed() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.app = App::Golden;

    pair.join(ann, "2", "room:a");

    pair.expect_said([
        "no interest room:a",
        "0 ended room:a",
        "0 join room:a",
        "interest room:a",
        r#"0 << ["2","2","room:a","phx_reply",{"status":"ok","response":{"echo":{}}}]"#,
        r#"0 << ["1","1","room:a","phx_close",{}]"#,
        "0 info room:a after_join",
        r#"0 << [null,null,"room:a","entered",{}]"#,
        r#"0 << ["2",null,"room:a","joined",{}]"#,
    ]);
}

#[test]
fn pending_handler_of_a_replaced_channel_is_cancelled_and_its_answer_ignored() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let old = pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","park",{}]"#);
    pair.send(ann, r#"["1","3","room:a","echo",{}]"#);
    pair.forget();

    pair.join(ann, "4", "room:a");

    pair.expect_said([
        "no interest room:a",
        "0 cancel room:a",
        "0 ended room:a",
        "0 join room:a",
        "interest room:a",
        r#"0 << ["4","4","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        r#"0 << ["1","1","room:a","phx_close",{}]"#,
    ]);
    assert!(!pair.push(old, "late", "{}"));
    assert_eq!(pair.server.channels(), 1);
}

#[test]
fn refused_second_join_leaves_the_topic_unjoined() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");

    pair.send(ann, r#"["2","2","room:a","phx_join",{"do":"refuse"}]"#);
    pair.send(ann, r#"["1","3","room:a","echo",{}]"#);

    pair.expect(
        ann,
        [
            r#"["2","2","room:a","phx_reply",{"status":"error","response":{"reason":"no"}}]"#,
            r#"["1","1","room:a","phx_close",{}]"#,
            r#"[null,"3","room:a","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#,
        ],
    );
    assert_eq!((pair.server.channels(), pair.server.topics()), (0, 0));
}

#[test]
fn crashed_second_join_closes_the_old_channel_too() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");

    pair.send(ann, r#"["2","2","room:a","phx_join",{"do":"crash"}]"#);

    pair.expect(
        ann,
        [
            r#"["2","2","room:a","phx_reply",{"status":"error","response":{"reason":"join crashed"}}]"#,
            r#"["1","1","room:a","phx_close",{}]"#,
        ],
    );
}

#[test]
fn no_broadcast_comes_between_the_second_join_and_its_reply() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["2","2","room:a","phx_join",{"do":"park"}]"#);

    pair.broadcast("room:a", "between", "{}", None);

    pair.expect(ann, []);
}

#[test]
fn join_behind_a_pending_join_replaces_it_once_that_is_decided() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    pair.send(ann, r#"["2","2","room:a","phx_join",{}]"#);
    pair.send(ann, r#"["2","3","room:a","echo",{}]"#);
    assert_eq!(pair.waiting(), ["0 join room:a"]);

    pair.answer(ann, "room:a", Answer::Join);

    pair.expect(
        ann,
        [
            r#"["1","1","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["2","2","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1","1","room:a","phx_close",{}]"#,
            r#"["2","3","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        ],
    );
}

#[test]
fn leave_and_rejoin_back_to_back_are_answered_in_order() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","park",{}]"#);
    for text in [
        r#"["1","3","room:a","phx_leave",{}]"#,
        r#"["4","4","room:a","phx_join",{}]"#,
        r#"["4","5","room:a","echo",{}]"#,
        r#"["4","6","room:a","phx_leave",{}]"#,
        r#"["7","7","room:a","phx_join",{}]"#,
    ] {
        pair.send(ann, text);
    }
    pair.forget();

    pair.answer(ann, "room:a", Answer::Noreply);

    pair.expect(
        ann,
        [
            r#"["1","3","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1","1","room:a","phx_close",{}]"#,
            r#"["4","4","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["4","5","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["4","6","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["4","4","room:a","phx_close",{}]"#,
            r#"["7","7","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        ],
    );
}

#[test]
fn thousands_of_pipelined_leaves_and_joins_are_all_answered() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"["0","0","room:a","phx_join",{"do":"park"}]"#);
    for n in 1..=500 {
        pair.send(ann, &format!(r#"["{}","l{n}","room:a","phx_leave",{{}}]"#, n - 1));
        pair.join(ann, &n.to_string(), "room:a");
    }
    pair.forget();

    pair.answer(ann, "room:a", Answer::Join);

    let frames = pair.frames(ann);
    for n in 1..=500 {
        let leave = format!(r#"["{}","l{n}","room:a","phx_reply",{{"response":{{}},"status":"ok"}}]"#, n - 1);
        let close = format!(r#"["{0}","{0}","room:a","phx_close",{{}}]"#, n - 1);
        let join = format!(r#"["{n}","{n}","room:a","phx_reply",{{"response":{{}},"status":"ok"}}]"#);
        assert_eq!(frames[3 * n - 2..=3 * n], [leave, close, join]);
    }
    assert_eq!(frames.len(), 1501);
}

#[test]
fn rejoin_behind_a_leave_survives_a_stop_and_a_crash_before_the_leave() {
    for (answer, ends) in [
        (Answer::Stop(Reason::Normal), r#"["1","1","room:a","phx_close",{}]"#),
        (Answer::Crash, r#"["1","1","room:a","phx_error",{"reason":"channel_crash"}]"#),
    ] {
        let mut pair = Pair::new();
        let ann = pair.connect();
        pair.joined(ann, "1", "room:a");
        pair.send(ann, r#"["1","2","room:a","park",{}]"#);
        pair.send(ann, r#"["1","3","room:a","phx_leave",{}]"#);
        pair.join(ann, "4", "room:a");
        pair.forget();

        pair.answer(ann, "room:a", answer);

        pair.expect(ann, [ends, r#"["4","4","room:a","phx_reply",{"status":"ok","response":{}}]"#]);
    }
}

#[test]
fn join_during_the_terminate_of_a_crash_waits_for_phx_error() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.park_terminate = true;
    pair.send(ann, r#"["1","2","room:a","crash",{}]"#);
    pair.join(ann, "3", "room:a");
    pair.expect(ann, []);

    pair.answer(ann, "room:a", Answer::Noreply);

    pair.expect(
        ann,
        [
            r#"["1","1","room:a","phx_error",{"reason":"channel_crash"}]"#,
            r#"["3","3","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        ],
    );
}

#[test]
fn replacing_a_channel_ends_it_for_everybody_else_too() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    pair.joined(bob, "1", "room:a");
    pair.joined(ann, "1", "room:a");
    pair.joined(ann, "2", "room:a");

    pair.broadcast("room:a", "news", "{}", None);

    pair.expect(ann, [r#"[null,null,"room:a","news",{}]"#]);
    pair.expect(bob, [r#"[null,null,"room:a","news",{}]"#]);
}
