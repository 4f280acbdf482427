//! Messages that come later, and the clock.

use crate::pair::{Answer, Pair};
use bennu_core::Instant;
use bennu_core::server::Limits;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const NANO: Duration = Duration::from_nanos(1);

#[test]
fn message_for_now_is_handled_now() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");

    pair.info(channel, "note", Duration::ZERO);

    pair.expect_said(["0 info room:a note", r#"0 << ["1",null,"room:a","note",{}]"#]);
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn message_for_later_is_handled_then_and_not_before() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.info(channel, "note", 60 * SECOND);
    let due = pair.now + 60 * SECOND;
    assert_eq!(pair.server.poll_timeout(), Some(due));

    pair.advance(60 * SECOND - NANO);
    pair.handle_timeout(pair.now);
    pair.expect_said([]);
    assert_eq!(pair.server.poll_timeout(), Some(due));
    pair.advance(NANO);

    pair.expect_said(["0 info room:a note", r#"0 << ["1",null,"room:a","note",{}]"#]);
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn messages_come_in_the_order_of_their_times_then_of_their_making() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    for (note, after) in [("c", 3), ("a", 1), ("d", 3), ("b", 2)] {
        pair.info(channel, note, after * SECOND);
    }

    pair.now = pair.now + 3 * SECOND;
    pair.handle_timeout(pair.now);

    let mut said = pair.said();
    said.retain(|line| line.contains("info"));
    assert_eq!(said, ["0 info room:a a", "0 info room:a b", "0 info room:a c", "0 info room:a d"]);
}

#[test]
fn message_that_is_due_waits_for_the_handler_that_runs() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.info(channel, "note", SECOND);
    pair.send(ann, r#"["1","2","room:a","park",{}]"#);
    pair.forget();

    pair.advance(SECOND);
    pair.expect_said([]);
    pair.answer(ann, "room:a", Answer::Noreply);

    pair.expect_said(["0 info room:a note", r#"0 << ["1",null,"room:a","note",{}]"#]);
}

#[test]
fn cancelled_message_never_comes() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    let timer = pair.info(channel, "note", SECOND).expect("the channel lives");

    assert_eq!(pair.server.cancel(timer), Some("note"));
    assert_eq!(pair.server.cancel(timer), None);
    pair.advance(2 * SECOND);

    pair.expect_said([]);
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn message_that_has_come_cannot_be_cancelled() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    let at_once = pair.info(channel, "one", Duration::ZERO).expect("the channel lives");
    let later = pair.info(channel, "two", SECOND).expect("the channel lives");
    pair.advance(SECOND);

    assert_eq!(pair.server.cancel(at_once), None);
    assert_eq!(pair.server.cancel(later), None);
}

#[test]
fn messages_end_with_their_channel_however_that_ends() {
    for end in ["phx_leave", "stop", "crash", "phx_join"] {
        let mut pair = Pair::new();
        let ann = pair.connect();
        let channel = pair.joined(ann, "1", "room:a");
        let timer = pair.info(channel, "note", SECOND).expect("the channel lives");

        pair.send(ann, &format!(r#"["1","2","room:a","{end}",{{}}]"#));
        pair.forget();

        assert_eq!(pair.server.poll_timeout(), None, "{end}");
        assert_eq!(pair.server.cancel(timer), None);
        assert_eq!(pair.info(channel, "late", SECOND), None);
        pair.advance(2 * SECOND);
        pair.expect_said([]);
    }
}

#[test]
fn channel_that_terminates_takes_no_message() {
    for end in ["stop", "crash"] {
        let mut pair = Pair::new();
        let ann = pair.connect();
        let channel = pair.joined(ann, "1", "room:a");
        pair.park_terminate = true;
        pair.send(ann, &format!(r#"["1","2","room:a","{end}",{{}}]"#));

        assert_eq!(pair.info(channel, "late", Duration::ZERO), None);
        assert_eq!(pair.info(channel, "late", SECOND), None);
        assert!(pair.server.subscribe(channel, "news", pair.now).is_err());
        assert_eq!(pair.server.poll_timeout(), None);
    }
}

#[test]
fn early_and_repeated_timeouts_change_nothing() {
    let mut pair = Pair::with(Limits { input_messages: 1, ..Limits::default() });
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.info(channel, "note", 5 * SECOND);
    pair.send(ann, r#"["1","2","room:a","park",{}]"#);
    pair.send(ann, r#"["1","3","room:a","echo",{}]"#);
    pair.forget();
    let next = pair.server.poll_timeout();

    for _ in 0..3 {
        pair.advance(SECOND);
        assert_eq!(pair.server.poll_timeout(), next);
    }

    pair.expect_said([]);
}

#[test]
fn old_clock_changes_nothing() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.advance(60 * SECOND);
    pair.info(channel, "note", SECOND);
    let next = pair.server.poll_timeout();

    pair.server.handle_timeout(Instant::EPOCH);
    pair.settle();
    let late = pair.server.info(channel, "by an old clock", Instant::EPOCH, Instant::EPOCH);
    pair.settle();

    assert!(late.is_ok());
    assert_eq!(pair.server.poll_timeout(), next);
    pair.expect_said(["0 info room:a by an old clock", r#"0 << ["1",null,"room:a","by an old clock",{}]"#]);
}

#[test]
fn last_instant_there_is_can_be_waited_for() {
    let mut pair = Pair::with(Limits { input_messages: 1, ..Limits::default() });
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.info(channel, "note", Duration::MAX);
    pair.send(ann, r#"["1","2","room:a","noreply",{}]"#);

    pair.advance(Duration::from_secs(1 << 30));

    assert!(pair.server.poll_timeout().is_some());
}
