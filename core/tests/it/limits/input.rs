//! What of a client's input waits for handlers.

use super::{NONE, SECOND};
use crate::pair::{Answer, Pair};
use bennu_core::server::Limits;
use std::time::Duration;

/// One socket with the channels `room:a` and `room:b`, whose handlers are stuck.
pub(super) fn stuck(limits: Limits) -> (Pair, usize) {
    let mut pair = Pair::with(limits);
    let ann = pair.connect();
    for topic in ["room:a", "room:b"] {
        pair.joined(ann, topic, topic);
        pair.send(ann, &format!(r#"["{topic}","0","{topic}","park",{{}}]"#));
    }
    pair.forget();
    (pair, ann)
}

pub(super) fn fill(pair: &mut Pair, peer: usize, topic: &str, messages: u32) {
    for _ in 0..messages {
        pair.send(peer, &format!(r#"[null,"1","{topic}","noreply",{{}}]"#));
    }
}

#[test]
fn reading_pauses_at_the_bound_and_goes_on_at_half() {
    let (mut pair, ann) = stuck(Limits::default());
    fill(&mut pair, ann, "room:a", 511);
    fill(&mut pair, ann, "room:b", 512);
    pair.expect_said([]);

    fill(&mut pair, ann, "room:b", 1);
    pair.expect_said(["0 pause"]);
    fill(&mut pair, ann, "room:b", 1);
    pair.expect_said([]);

    pair.answer(ann, "room:b", Answer::Noreply);
    let said = pair.said();
    let (before, after) =
        said.split_at(said.iter().position(|line| line == "0 resume").expect("half is reached"));
    assert_eq!((before.len(), after.len()), (512, 3), "goes on when 512 of 1,025 wait");
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn reading_stays_paused_while_what_waited_behind_one_join_waits_behind_the_next() {
    // Above half the bound by two, and by one.
    for (bound, behind) in [(8, 6), (6, 4)] {
        let mut pair = Pair::with(Limits { input_messages: bound, ..Limits::default() });
        let ann = pair.connect();
        pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
        pair.send(ann, r#"["1","2","room:a","phx_leave",{}]"#);
        pair.send(ann, r#"["3","3","room:a","phx_join",{"do":"park"}]"#);
        fill(&mut pair, ann, "room:a", behind);
        assert_eq!(pair.said().last().expect("something was said"), "0 pause");

        pair.answer(ann, "room:a", Answer::Join);
        let said = pair.said();
        assert!(!said.contains(&"0 resume".to_owned()), "{behind} of {bound} still wait: {said:#?}");
        pair.answer(ann, "room:a", Answer::Join);

        let mut said = pair.said();
        said.retain(|line| line.ends_with("resume") || line.ends_with("noreply"));
        assert_eq!(said.iter().position(|line| line == "0 resume"), Some(1), "{said:#?}");
        assert_eq!((said.len(), pair.server.poll_timeout()), (behind as usize + 1, None));
    }
}

#[test]
fn reading_stays_paused_while_what_waited_behind_a_join_waits_for_its_handler() {
    let mut pair = Pair::with(Limits { input_messages: 2, ..Limits::default() });
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    let channel = pair.channel(ann, "room:a");
    pair.info(channel, "park", NONE);
    fill(&mut pair, ann, "room:a", 2);
    pair.forget();
    let until = pair.server.poll_timeout();
    pair.advance(SECOND);

    pair.answer(ann, "room:a", Answer::Join);

    pair.expect_said([
        "interest room:a",
        r#"0 << ["1","1","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        "0 info room:a park",
    ]);
    assert_eq!(pair.server.poll_timeout(), until, "the clock of the pause runs on");
}

#[test]
fn reading_stays_paused_while_a_join_that_waited_waits_for_a_terminate() {
    let mut pair = Pair::with(Limits { input_messages: 1, max_terminating: 1, ..Limits::default() });
    let ann = pair.connect();
    pair.joined(ann, "1", "room:b");
    pair.send(ann, r#"["2","2","room:a","phx_join",{"do":"park"}]"#);
    pair.park_terminate = true;
    pair.send(ann, r#"["1","3","room:b","phx_leave",{}]"#);
    let channel = pair.channel(ann, "room:a");
    pair.info(channel, "park", NONE);
    pair.info(channel, "lost", NONE);
    pair.forget();
    pair.join(ann, "4", "room:a");
    pair.expect_said(["0 pause"]);

    pair.answer(ann, "room:a", Answer::Join);

    pair.expect_said([
        "interest room:a",
        r#"0 << ["2","2","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        "0 info room:a park",
        "no interest room:a",
        "0 cancel room:a",
        "0 ended room:a",
    ]);
}

#[test]
fn reading_pauses_at_the_bound_in_bytes() {
    let (mut pair, ann) = stuck(Limits { input_bytes: 1000, ..Limits::default() });

    // The event counts, the payload counts.
    pair.send(ann, &format!(r#"[null,"1","room:a","echo",{{"a":"{}"}}]"#, "x".repeat(987)));
    pair.expect_said([]);
    pair.send(ann, r#"[null,"1","room:b","e",{}]"#);

    pair.expect_said(["0 pause"]);
}

#[test]
fn what_waits_behind_a_join_counts_in_bytes_too() {
    let mut pair = Pair::with(Limits { input_bytes: 1000, ..Limits::default() });
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    pair.forget();

    // 4 bytes of event, 993 of payload.
    pair.send(ann, &format!(r#"["1","2","room:a","echo",{{"a":"{}"}}]"#, "x".repeat(985)));
    pair.expect_said([]);
    pair.send(ann, r#"["1","3","room:a","e",{}]"#);

    pair.expect_said(["0 pause"]);
}

#[test]
fn after_ten_seconds_of_pause_the_fullest_channel_ends() {
    let (mut pair, ann) = stuck(Limits::default());
    fill(&mut pair, ann, "room:a", 1000);
    fill(&mut pair, ann, "room:b", 24);
    pair.expect_said(["0 pause"]);

    pair.advance(10 * SECOND - Duration::from_nanos(1));
    pair.expect_said([]);
    pair.advance(Duration::from_nanos(1));

    pair.expect_said([
        "no interest room:a",
        r#"0 << ["room:a","room:a","room:a","phx_error",{"reason":"channel_crash"}]"#,
        "0 resume",
        "0 cancel room:a",
        "0 ended room:a",
    ]);
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn one_stuck_channel_after_the_other_ends_until_reading_goes_on() {
    let (mut pair, ann) = stuck(Limits { input_messages: 4, input_bytes: 40, ..Limits::default() });
    // Of each just over half the bound.
    pair.send(ann, &format!(r#"[null,"1","room:a","e",{{"a":"{}"}}]"#, "x".repeat(15)));
    pair.send(ann, &format!(r#"[null,"1","room:b","e",{{"a":"{}"}}]"#, "x".repeat(16)));
    pair.expect_said(["0 pause"]);

    pair.advance(10 * SECOND);
    assert!(pair.said().contains(&"0 ended room:b".to_owned()));
    assert_eq!(pair.server.channels(), 1);
    pair.advance(10 * SECOND);

    assert!(pair.said().contains(&"0 resume".to_owned()));
    assert_eq!((pair.server.channels(), pair.server.poll_timeout()), (0, None));
}

#[test]
fn channel_that_fills_the_bound_in_messages_ends_before_one_that_holds_few_long_ones() {
    let (mut pair, ann) = stuck(Limits { input_messages: 100, ..Limits::default() });
    pair.send(ann, &format!(r#"[null,"1","room:b","e",{{"a":"{}"}}]"#, "x".repeat(5000)));
    fill(&mut pair, ann, "room:a", 99);

    pair.advance(10 * SECOND);

    let said = pair.said();
    assert!(said.contains(&"0 ended room:a".to_owned()), "{said:#?}");
    assert!(said.contains(&"0 resume".to_owned()));
    assert_eq!(pair.server.channels(), 1);
}

#[test]
fn channel_that_holds_few_long_ones_ends_before_one_that_fills_less_of_the_bound_in_messages() {
    let (mut pair, ann) = stuck(Limits { input_messages: 10, input_bytes: 1000, ..Limits::default() });
    for _ in 0..2 {
        pair.send(ann, &format!(r#"[null,"1","room:b","e",{{"a":"{}"}}]"#, "x".repeat(441)));
    }
    fill(&mut pair, ann, "room:a", 8);

    pair.advance(10 * SECOND);

    assert!(pair.said().contains(&"0 ended room:b".to_owned()), "nine tenths are more than eight");
}

#[test]
fn what_a_crash_has_dropped_counts_no_longer() {
    let (mut pair, ann) = stuck(Limits { input_messages: 8, ..Limits::default() });
    fill(&mut pair, ann, "room:a", 3);
    pair.send(ann, r#"[null,"1","room:a","phx_leave",{}]"#);
    pair.send(ann, r#"["2","2","room:a","phx_join",{}]"#);
    pair.park_terminate = true;
    pair.answer(ann, "room:a", Answer::Crash);
    pair.expect_said([r#"0 terminate room:a Crash("because")"#]);

    // The join behind the leave waits still: one of eight.
    fill(&mut pair, ann, "room:b", 6);
    pair.expect_said([]);
    fill(&mut pair, ann, "room:b", 1);
    pair.expect_said(["0 pause"]);
    pair.advance(10 * SECOND);

    assert!(pair.said().contains(&"0 ended room:b".to_owned()), "seven are more than one");
}

#[test]
fn what_waited_behind_a_join_counts_once_when_it_waits_for_a_handler() {
    let mut pair = Pair::with(Limits { input_messages: 10, ..Limits::default() });
    let ann = pair.connect();
    pair.joined(ann, "1", "room:b");
    pair.send(ann, r#"["1","2","room:b","park",{}]"#);
    pair.send(ann, r#"["3","3","room:a","phx_join",{"do":"park"}]"#);
    let channel = pair.channel(ann, "room:a");
    pair.info(channel, "park", NONE);
    pair.info(channel, "behind it", NONE);
    fill(&mut pair, ann, "room:a", 4);
    pair.answer(ann, "room:a", Answer::Join);

    fill(&mut pair, ann, "room:b", 6);
    pair.advance(10 * SECOND);

    assert!(pair.said().contains(&"0 ended room:b".to_owned()), "six are more than four");
}

#[test]
fn pending_join_that_holds_most_is_answered_overloaded_and_what_waited_is_unmatched() {
    let mut pair = Pair::with(Limits { input_messages: 2, ..Limits::default() });
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    pair.send(ann, r#"["1","2","room:a","echo",{}]"#);
    pair.send(ann, r#"["1","3","room:a","phx_leave",{}]"#);
    pair.forget();

    pair.advance(10 * SECOND);

    pair.expect_said([
        r#"0 << ["1","1","room:a","phx_reply",{"status":"error","response":{"reason":"overloaded"}}]"#,
        "0 cancel room:a",
        "0 ended room:a",
        r#"0 << [null,"2","room:a","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#,
        "0 resume",
        r#"0 << ["1","3","room:a","phx_reply",{"status":"ok","response":{}}]"#,
    ]);
    assert_eq!((pair.server.channels(), pair.server.topics()), (0, 0));
}

#[test]
fn payloads_of_joins_that_wait_for_terminates_count_as_input() {
    let mut pair = Pair::with(Limits { max_terminating: 1, input_bytes: 1000, ..Limits::default() });
    let ann = pair.connect();
    pair.park_terminate = true;
    pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","phx_leave",{}]"#);
    pair.forget();
    let long = "x".repeat(600);
    pair.send(ann, &format!(r#"["3","3","room:b","phx_join",{{"a":"{long}"}}]"#));
    pair.expect_said([]);

    pair.send(ann, &format!(r#"["4","4","room:c","phx_join",{{"a":"{long}y"}}]"#));
    pair.expect_said(["0 pause"]);
    pair.advance(10 * SECOND);

    pair.expect_said([
        r#"0 << ["4","4","room:c","phx_reply",{"status":"error","response":{"reason":"overloaded"}}]"#,
    ]);
    pair.answer(ann, "room:a", Answer::Noreply);
    pair.expect_said([
        "0 ended room:a",
        "0 resume",
        "0 join room:b",
        "interest room:b",
        r#"0 << ["3","3","room:b","phx_reply",{"status":"ok","response":{}}]"#,
    ]);
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn heartbeats_are_answered_while_input_waits() {
    let (mut pair, ann) = stuck(Limits::default());
    fill(&mut pair, ann, "room:a", 1024);
    pair.forget();

    pair.send(ann, r#"[null,"1","phoenix","heartbeat",{}]"#);

    pair.expect(ann, [r#"[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]"#]);
}

#[test]
fn pause_ends_with_its_socket() {
    let (mut pair, ann) = stuck(Limits { input_messages: 1, ..Limits::default() });
    fill(&mut pair, ann, "room:a", 1);
    pair.forget();

    pair.disconnect(ann);
    assert_eq!(pair.server.poll_timeout(), None);
    pair.answer(ann, "room:a", Answer::Noreply);
    pair.answer(ann, "room:b", Answer::Noreply);

    pair.assert_holds_nothing();
}
