use super::*;
use bennu_core::longpoll::CloseReason;
use bennu_core::outbox::SlowConsumer;
use bennu_core::{EventName, Topic};

const LIMIT: usize = 100;

fn small() -> Session {
    Session::new(Config { max_queue: LIMIT, ..Config::default() }, T0)
}

fn bytes(len: usize) -> Frame {
    frame(&"x".repeat(len))
}

fn slow(waiting: usize) -> [Output; 2] {
    [Output::Closed(CloseReason::SlowConsumer { waiting }), Output::End]
}

#[test]
fn queue_of_the_limit_is_kept_and_one_byte_more_ends_the_session() {
    let mut session = small();
    session.push(bytes(7)).unwrap();
    session.push(bytes(LIMIT)).unwrap();
    assert_eq!(outputs(&mut session), []);

    session.push(bytes(1)).unwrap();

    assert_eq!(outputs(&mut session), slow(LIMIT + 1));
    assert_eq!(session.queued(), 0);
}

#[test]
fn far_past_the_limit_nothing_is_kept() {
    let mut session = small();

    for _ in 0..10_000 {
        session.push(bytes(LIMIT)).unwrap();
        assert!(session.queued() <= 2 * LIMIT);
    }

    assert_eq!(outputs(&mut session), slow(2 * LIMIT));
}

#[test]
fn one_frame_is_never_too_much() {
    let mut session = small();

    session.push(bytes(50 * LIMIT)).unwrap();

    assert_eq!(outputs(&mut session), []);
}

#[test]
fn what_the_client_itself_causes_does_not_end_its_session() {
    let mut session = small();
    for _ in 0..5 {
        session.push_owed(bytes(LIMIT)).unwrap();
    }
    session.push(bytes(LIMIT)).unwrap();
    assert_eq!(outputs(&mut session), []);

    session.push(bytes(1)).unwrap();

    assert_eq!(outputs(&mut session), slow(LIMIT + 1));
}

#[test]
fn burst_that_comes_before_a_ready_poll_can_take_it_ends_no_session() {
    let mut session = small();
    let poll = session.handle_poll(T0).unwrap();
    for _ in 0..10 {
        session.push(bytes(LIMIT)).unwrap();
    }
    assert_eq!(outputs(&mut session), [Output::Ready { poll }]);

    assert_eq!(session.take(poll, at(1)).len(), 10);

    // What is being written is not counted, and all that comes meanwhile is behind it.
    session.push(bytes(LIMIT)).unwrap();
    assert_eq!(outputs(&mut session), []);
    session.push(bytes(1)).unwrap();
    assert_eq!(outputs(&mut session), slow(LIMIT + 1));
}

#[test]
fn what_comes_back_counts_again() {
    let mut session = small();
    let poll = session.handle_poll(T0).unwrap();
    session.push(bytes(LIMIT)).unwrap();
    session.push(bytes(LIMIT)).unwrap();
    outputs(&mut session);
    assert_eq!(session.take(poll, at(1)).len(), 2);
    session.finish(poll, Delivery::Cut, at(2));
    assert_eq!((outputs(&mut session), session.queued()), (vec![], 2 * LIMIT));

    session.push(bytes(1)).unwrap();

    assert_eq!(outputs(&mut session), slow(LIMIT + 1));
}

#[test]
fn no_message_is_taken_while_more_than_half_of_the_queue_is_full() {
    let mut session = small();
    session.push_owed(bytes(1)).unwrap();
    session.push_owed(bytes(LIMIT / 2 + 1)).unwrap();
    let post = session.handle_post(vec![data("[]")], T0).unwrap();
    assert_eq!(outputs(&mut session), []);

    let poll = session.handle_poll(at(1)).unwrap();
    assert_eq!(session.take(poll, at(2)).len(), 2);
    assert_eq!(outputs(&mut session), [Output::Ready { poll }, receive("[]")]);
    session.handle_accepted(at(3));

    assert_eq!(outputs(&mut session), [accepted(post)]);
}

#[test]
fn message_is_taken_while_half_of_the_queue_is_full() {
    let mut session = small();
    session.push_owed(bytes(1)).unwrap();
    session.push_owed(bytes(LIMIT / 2)).unwrap();

    session.handle_post(vec![data("[]")], T0).unwrap();

    assert_eq!(outputs(&mut session), [receive("[]")]);
}

/// Twenty bytes that may be dropped, of the event that they begin with.
fn losable(policy: SlowConsumer, name: &str) -> Frame {
    frame(&format!("{name:.<20}")).losable(policy, &Topic::from("room:a"), &EventName::from(&name[..1]))
}

#[test]
fn past_the_limit_what_may_be_dropped_is_as_its_policy_says_and_the_session_goes_on() {
    for (policy, left) in [
        (SlowConsumer::DropNewest, ["a0", "a1", "b2", "a3", "b4", "a5"].as_slice()),
        (SlowConsumer::DropOldest, &["a0", "b4", "a5", "b6", "a7", "b8"]),
        (SlowConsumer::KeepLatest, &["a0", "a5", "b6", "a7", "b8"]),
    ] {
        let mut session = small();
        for (n, event) in (0..9).zip(["a", "a", "b", "a", "b", "a", "b", "a", "b"]) {
            session.push(losable(policy, &format!("{event}{n}"))).unwrap();
        }

        assert_eq!(session.take_lost(), 9 - left.len(), "{policy:?}");
        assert_eq!((session.take_lost(), session.queued()), (0, 20 * left.len()));
        assert_eq!(outputs(&mut session), []);
        let poll = session.handle_poll(T0).unwrap();
        let taken = session.take(poll, T0);
        let names: Vec<_> = taken.iter().map(|frame| String::from_utf8_lossy(&frame.body()[..2])).collect();
        assert_eq!(names, left, "{policy:?}");
    }
}

#[test]
fn session_ends_once_nothing_is_left_to_be_dropped() {
    let mut session = small();
    session.push(bytes(7)).unwrap();
    session.push(losable(SlowConsumer::DropOldest, "a")).unwrap();
    session.push(bytes(LIMIT)).unwrap();
    assert_eq!((session.take_lost(), outputs(&mut session)), (1, vec![]));

    session.push(bytes(1)).unwrap();

    assert_eq!(outputs(&mut session), slow(LIMIT + 1));
}

#[test]
fn what_may_be_dropped_is_no_answer_and_keeps_no_message_from_being_taken() {
    let mut session = small();
    for n in 0..6 {
        session.push_owed(losable(SlowConsumer::DropOldest, &format!("a{n}"))).unwrap();
    }
    assert_eq!(session.take_lost(), 0, "all of the limit, and the first");

    session.handle_post(vec![data("1")], T0).unwrap();
    assert!(matches!(outputs(&mut session)[..], [Output::Receive(_)]));

    session.push_owed(losable(SlowConsumer::DropOldest, "a6")).unwrap();
    assert_eq!(session.take_lost(), 1);
}
