//! How channels and sockets end.

use crate::pair::{Answer, App, Pair};
use bennu_core::Payload;
use bennu_core::server::{CloseReason, Limits, Reason};
use std::time::Duration;

const OVER: Duration = Duration::from_secs(3600);

#[test]
fn graceful_stop_is_reply_then_close_then_what_terminate_pushes() {
    for reason in [Reason::Normal, Reason::Shutdown, Reason::ShutdownWith("maintenance".into())] {
        let mut pair = Pair::new();
        let ann = pair.connect();
        pair.joined(ann, "1", "room:a");
        pair.app = App::Golden;
        pair.send(ann, r#"["1","2","room:a","park",{}]"#);
        pair.forget();

        pair.answer(ann, "room:a", Answer::StopReplying(reason.clone(), "ok", Payload::empty()));

        pair.expect_said([
            r#"0 << ["1","2","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            "no interest room:a",
            r#"0 << ["1","1","room:a","phx_close",{}]"#,
            &format!("0 terminate room:a {reason:?}"),
            r#"0 << ["1",null,"room:a","terminating",{}]"#,
            "0 ended room:a",
        ]);
    }
}

#[test]
fn crash_is_what_terminate_pushes_then_phx_error() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.app = App::Golden;

    pair.send(ann, r#"["1","2","room:a","crash",{}]"#);

    pair.expect_said([
        "0 in room:a crash",
        r#"0 terminate room:a Crash("because")"#,
        r#"0 << ["1",null,"room:a","terminating",{}]"#,
        "no interest room:a",
        r#"0 << ["1","1","room:a","phx_error",{"reason":"channel_crash"}]"#,
        "0 ended room:a",
    ]);
}

#[test]
fn broadcasts_reach_a_crashing_channel_until_its_phx_error() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.park_terminate = true;
    pair.send(ann, r#"["1","2","room:a","crash",{}]"#);

    pair.broadcast("room:a", "before", "{}", None);
    pair.answer(ann, "room:a", Answer::Noreply);
    pair.broadcast("room:a", "behind", "{}", None);

    pair.expect(
        ann,
        [
            r#"[null,null,"room:a","before",{}]"#,
            r#"["1","1","room:a","phx_error",{"reason":"channel_crash"}]"#,
        ],
    );
}

#[test]
fn crash_loses_what_waited_and_nothing_of_other_topics() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.joined(ann, "2", "room:b");
    pair.send(ann, r#"["1","3","room:a","park",{}]"#);
    pair.send(ann, r#"["1","4","room:a","echo",{}]"#);
    pair.send(ann, r#"["2","5","room:b","park",{}]"#);
    pair.forget();

    pair.answer(ann, "room:a", Answer::Crash);
    pair.answer(ann, "room:b", Answer::Reply(Payload::empty()));
    pair.send(ann, r#"["1","6","room:a","echo",{}]"#);

    pair.expect(
        ann,
        [
            r#"["1","1","room:a","phx_error",{"reason":"channel_crash"}]"#,
            r#"["2","5","room:b","phx_reply",{"status":"ok","response":{}}]"#,
            r#"[null,"6","room:a","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#,
        ],
    );
}

#[test]
fn terminate_may_answer_what_it_likes() {
    for answer in [Answer::Crash, Answer::Stop(Reason::Normal), Answer::Join] {
        let mut pair = Pair::new();
        let ann = pair.connect();
        pair.joined(ann, "1", "room:a");
        pair.park_terminate = true;
        pair.send(ann, r#"["1","2","room:a","stop",{}]"#);
        pair.forget();

        pair.answer(ann, "room:a", answer);

        pair.expect_said(["0 ended room:a"]);
        assert_eq!(pair.server.channels(), 0);
    }
}

#[test]
fn topic_may_be_joined_while_the_old_terminate_still_runs() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let old = pair.joined(ann, "1", "room:a");
    pair.park_terminate = true;
    pair.send(ann, r#"["1","2","room:a","phx_leave",{}]"#);
    pair.forget();

    pair.join(ann, "3", "room:a");
    pair.send(ann, r#"["3","4","room:a","echo",{}]"#);
    assert!(pair.push(old, "last", "{}"));
    pair.answer_at(0, Answer::Noreply);
    pair.broadcast("room:a", "news", "{}", None);

    pair.expect(
        ann,
        [
            r#"["3","3","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["3","4","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1",null,"room:a","last",{}]"#,
            r#"[null,null,"room:a","news",{}]"#,
        ],
    );
    assert_eq!(pair.server.channels(), 1);
}

#[test]
fn disconnect_handles_what_was_received_then_terminates_with_closed() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","park",{}]"#);
    pair.send(ann, r#"["1","3","room:a","push",{}]"#);
    pair.forget();

    pair.disconnect(ann);
    pair.expect_said(["no interest room:a"]);
    pair.answer(ann, "room:a", Answer::Reply(Payload::empty()));

    pair.expect_said(["0 in room:a push", "0 terminate room:a Closed", "0 ended room:a"]);
    pair.assert_holds_nothing();
}

#[test]
fn disconnect_of_an_idle_channel_terminates_it_at_once() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");

    pair.disconnect(ann);

    pair.expect_said(["no interest room:a", "0 terminate room:a Closed", "0 ended room:a"]);
    pair.assert_holds_nothing();
}

#[test]
fn pending_join_of_a_socket_that_went_is_decided_then_terminated() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    pair.send(ann, r#"["1","2","room:a","echo",{}]"#);
    pair.send(ann, r#"["1","3","room:a","phx_leave",{}]"#);
    pair.send(ann, r#"["4","4","room:a","phx_join",{}]"#);
    pair.disconnect(ann);
    pair.forget();

    pair.answer(ann, "room:a", Answer::JoinThen("after join"));

    pair.expect_said([
        "0 info room:a after join",
        "0 in room:a echo",
        "0 terminate room:a Left",
        "0 ended room:a",
    ]);
    pair.assert_holds_nothing();
}

#[test]
fn pending_join_that_is_refused_after_the_socket_went_leaves_nothing() {
    for answer in [Answer::Refuse, Answer::Crash] {
        let mut pair = Pair::new();
        let ann = pair.connect();
        pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
        pair.disconnect(ann);
        pair.forget();

        pair.answer(ann, "room:a", answer);

        pair.expect_said(["0 ended room:a"]);
        pair.assert_holds_nothing();
    }
}

#[test]
fn broadcasts_do_not_reach_a_socket_that_has_ended_while_its_handler_runs() {
    for by_server in [true, false] {
        let mut pair = Pair::new();
        let ann = pair.connect();
        pair.joined(ann, "1", "room:a");
        pair.send(ann, r#"["1","2","room:a","park",{}]"#);
        if by_server {
            pair.stop(ann, CloseReason::SlowConsumer);
        } else {
            pair.disconnect(ann);
        }
        pair.forget();

        pair.broadcast("room:a", "news", "{}", None);

        pair.expect_said([]);
    }
}

#[test]
fn broadcasts_do_not_reach_a_join_that_is_accepted_after_its_socket_ended() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    pair.disconnect(ann);
    pair.park_terminate = true;
    pair.answer(ann, "room:a", Answer::JoinThen("park"));
    pair.forget();

    pair.broadcast("room:a", "news", "{}", None);

    pair.expect_said([]);
}

#[test]
fn frames_to_a_socket_that_went_go_nowhere() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","park",{}]"#);
    pair.disconnect(ann);
    pair.forget();

    assert!(!pair.push(channel, "late", "{}"));
    assert!(!pair.reply_later(channel, "2", "{}"));
    pair.send(ann, r#"[null,"3","phoenix","heartbeat",{}]"#);

    pair.expect_said([]);
}

#[test]
fn stopped_socket_is_closed_once_and_takes_nothing_more() {
    for (reason, code) in [
        (CloseReason::Disconnected, 1001),
        (CloseReason::Draining, 1012),
        (CloseReason::SlowConsumer, 1013),
        (CloseReason::Malformed, 1011),
    ] {
        let mut pair = Pair::new();
        let ann = pair.connect();

        pair.stop(ann, reason);
        pair.stop(ann, CloseReason::Malformed);
        pair.send(ann, r#"[null,"3","phoenix","heartbeat",{}]"#);

        pair.expect_said([&*format!("0 close {code}")]);
        pair.disconnect(ann);
        pair.disconnect(ann);
        pair.stop(ann, reason);
        pair.expect_said([]);
        pair.assert_holds_nothing();
    }
}

#[test]
fn socket_that_sent_what_cannot_be_decoded_ends_with_all_its_channels() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.joined(ann, "2", "room:b");

    pair.stop(ann, CloseReason::Malformed);

    let said = pair.said();
    assert_eq!(said[0], "0 close 1011");
    for line in ["0 terminate room:a Closed", "0 ended room:a", "0 terminate room:b Closed", "0 ended room:b"]
    {
        assert!(said.iter().any(|said| said == line), "{line}");
    }
    assert!(!said.iter().any(|line| line.contains("<<")));
}

#[test]
fn drained_channel_is_told_so() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    pair.joined(ann, "2", "room:b");
    pair.send(ann, r#"["2","3","room:b","park",{}]"#);
    pair.send(ann, r#"["4","4","room:c","phx_join",{"do":"park"}]"#);
    pair.forget();

    pair.stop(ann, CloseReason::Draining);
    pair.answer(ann, "room:b", Answer::Noreply);
    pair.answer(ann, "room:c", Answer::Join);
    pair.disconnect(ann);

    let said = pair.said();
    for topic in ["room:a", "room:b", "room:c"] {
        assert!(said.contains(&format!("0 terminate {topic} Draining")), "{topic} in {said:#?}");
    }
    pair.assert_holds_nothing();
}

#[test]
fn joins_wait_while_too_many_terminates_run_and_all_go_on_when_they_end() {
    let mut pair = Pair::with(Limits { max_terminating: 2, ..Limits::default() });
    let ann = pair.connect();
    pair.park_terminate = true;
    for n in 1..=2 {
        pair.joined(ann, &n.to_string(), "room:a");
        pair.send(ann, r#"[null,"9","room:a","phx_leave",{}]"#);
    }
    pair.forget();

    pair.join(ann, "3", "room:a");
    pair.send(ann, r#"["3","4","room:a","echo",{}]"#);
    pair.join(ann, "5", "room:b");
    pair.send(ann, r#"[null,"6","phoenix","heartbeat",{}]"#);
    pair.expect(ann, [r#"[null,"6","phoenix","phx_reply",{"status":"ok","response":{}}]"#]);

    pair.answer_at(0, Answer::Noreply);
    pair.expect(
        ann,
        [
            r#"["3","3","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["5","5","room:b","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["3","4","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        ],
    );
}

#[test]
fn joins_that_wait_for_terminates_are_forgotten_with_their_socket() {
    let mut pair = Pair::with(Limits { max_terminating: 1, ..Limits::default() });
    let ann = pair.connect();
    pair.park_terminate = true;
    pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","phx_leave",{}]"#);
    pair.join(ann, "3", "room:a");
    pair.send(ann, r#"["3","4","room:a","echo",{}]"#);

    pair.disconnect(ann);
    pair.answer_at(0, Answer::Noreply);

    pair.assert_holds_nothing();
}

#[test]
fn ids_of_a_socket_that_has_gone_mean_nothing_to_the_next_one() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    let old = pair.socket(ann);
    pair.info(channel, "late", OVER);
    pair.disconnect(ann);
    let bob = pair.connect();
    pair.joined(bob, "1", "room:a");

    assert_ne!(pair.socket(bob), old);
    assert_eq!(pair.server.handle(old), None);
    assert!(!pair.push(channel, "late", "{}"));
    pair.server.disconnect(old, pair.now);
    pair.settle();

    assert_eq!((pair.server.sockets(), pair.server.channels()), (1, 1));
    pair.advance(OVER);
    pair.expect_said([]);
}

#[test]
fn ids_of_another_machine_mean_nothing() {
    let (mut pair, mut other) = (Pair::new(), Pair::on_shard(8));
    let (ann, bob) = (pair.connect(), other.connect());
    let channel = pair.joined(ann, "1", "room:a");
    let theirs = other.joined(bob, "1", "room:a");
    let timer = other.info(theirs, "note", OVER).expect("the channel lives");
    pair.info(channel, "note", OVER);

    assert_eq!(pair.server.handle(other.socket(bob)), None);
    assert_eq!(pair.server.cancel(timer), None);
    assert_eq!(pair.info(theirs, "note", OVER), None);
    pair.server.disconnect(other.socket(bob), pair.now);
    pair.settle();

    assert_eq!((pair.server.sockets(), pair.server.channels()), (1, 1));
    assert_eq!(other.server.cancel(timer), Some("note"));
}

#[test]
fn abandoned_socket_is_forgotten_at_once_and_no_other() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    pair.joined(ann, "1", "room:a");
    pair.joined(ann, "2", "room:b");
    pair.send(ann, r#"["2","3","room:b","park",{}]"#);
    pair.joined(bob, "1", "room:a");
    pair.park_terminate = true;

    pair.abandon(ann);

    assert_eq!((pair.server.sockets(), pair.server.channels(), pair.server.topics()), (1, 1, 1));
    pair.abandon(bob);
    pair.assert_holds_nothing();
}
