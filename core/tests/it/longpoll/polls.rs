use super::*;
use bennu_core::longpoll::{Carries, NotText};
use bennu_core::websocket;

#[test]
fn frames_that_wait_are_taken_by_one_poll_oldest_first() {
    // R142
    let mut session = session();
    session.push(frame("1")).unwrap();
    session.push_owed(frame("2")).unwrap();
    session.push(frame("3")).unwrap();

    assert_eq!(poll_now(&mut session, at(1)), ["1", "2", "3"]);
    session.handle_poll(at(2)).unwrap();
    assert_eq!(outputs(&mut session), []);
    assert_eq!(session.queued(), 0);
}

#[test]
fn poll_without_frames_ends_empty_after_the_window() {
    // R143
    let mut session = session();
    let poll = session.handle_poll(at(5)).unwrap();
    assert_eq!(session.poll_timeout(), Some(at(5 + WINDOW)));

    session.handle_timeout(at(5 + WINDOW - 1));
    assert_eq!(outputs(&mut session), []);

    session.handle_timeout(at(5 + WINDOW));
    assert_eq!(outputs(&mut session), [Output::Empty { poll }]);
    assert_eq!(session.take(poll, at(5 + WINDOW)), []);
}

#[test]
fn first_frame_wakes_the_poll_which_takes_all_that_is_there_by_then() {
    // R158
    let mut session = session();
    let poll = session.handle_poll(T0).unwrap();

    session.push(frame("1")).unwrap();
    session.push(frame("2")).unwrap();
    assert_eq!(outputs(&mut session), [Output::Ready { poll }]);
    session.push(frame("3")).unwrap();
    assert_eq!(outputs(&mut session), []);

    assert_eq!(taken(&mut session, poll, at(9)), ["1", "2", "3"]);
}

#[test]
fn window_of_a_poll_that_is_ready_does_not_end() {
    let mut session = session();
    let poll = session.handle_poll(T0).unwrap();
    session.push(frame("1")).unwrap();
    outputs(&mut session);
    assert_eq!(session.poll_timeout(), None);

    session.handle_timeout(at(10 * WINDOW));

    assert_eq!(outputs(&mut session), []);
    assert_eq!(taken(&mut session, poll, at(10 * WINDOW)), ["1"]);
}

#[test]
fn of_two_polls_the_newer_is_served_and_the_older_ends_empty_with_its_window() {
    // R157
    let mut session = session();
    let older = session.handle_poll(T0).unwrap();
    let newer = session.handle_poll(at(1_000)).unwrap();

    session.push(frame("1")).unwrap();
    assert_eq!(outputs(&mut session), [Output::Ready { poll: newer }]);
    assert_eq!(taken(&mut session, newer, at(2_000)), ["1"]);
    session.push(frame("2")).unwrap();
    session.handle_timeout(at(WINDOW));

    assert_eq!(outputs(&mut session), [Output::Empty { poll: older }]);
    assert_eq!(poll_now(&mut session, at(WINDOW)), ["2"]);
}

#[test]
fn poll_that_is_ready_takes_nothing_once_a_newer_one_has_come() {
    // I-18
    let mut session = session();
    let older = session.handle_poll(T0).unwrap();
    session.push(frame("1")).unwrap();
    let newer = session.handle_poll(at(1)).unwrap();
    assert_eq!(outputs(&mut session), [Output::Ready { poll: older }, Output::Ready { poll: newer }]);

    assert_eq!(session.take(older, at(2)), []);

    assert_eq!(taken(&mut session, newer, at(2)), ["1"]);
}

#[test]
fn replaced_poll_gets_nothing_even_if_the_newer_one_is_cut() {
    let mut session = session();
    let older = session.handle_poll(T0).unwrap();
    let newer = session.handle_poll(at(1)).unwrap();
    session.handle_cut(newer, at(2));

    session.push(frame("1")).unwrap();

    assert_eq!(outputs(&mut session), []);
    assert_eq!(session.take(older, at(3)), []);
    assert_eq!(poll_now(&mut session, at(4)), ["1"]);
}

#[test]
fn past_the_limit_of_replaced_polls_the_oldest_ends_at_once() {
    let mut session = session();
    let max = Config::default().max_replaced;
    let polls: Vec<PollId> = (0..=max).map(|_| session.handle_poll(T0).unwrap()).collect();
    assert_eq!(outputs(&mut session), []);

    session.handle_poll(T0).unwrap();

    assert_eq!(outputs(&mut session), [Output::Empty { poll: polls[0] }]);
    for _ in 0..10_000 {
        session.handle_poll(T0).unwrap();
        assert_eq!(outputs(&mut session).len(), 1);
    }
}

#[test]
fn poll_that_is_cut_while_it_waits_loses_nothing() {
    // I-18
    let mut session = session();
    let waiting = session.handle_poll(T0).unwrap();
    session.handle_cut(waiting, at(1));
    session.push(frame("1")).unwrap();
    assert_eq!(outputs(&mut session), []);

    let ready = session.handle_poll(at(2)).unwrap();
    session.push(frame("2")).unwrap();
    assert_eq!(outputs(&mut session), [Output::Ready { poll: ready }]);
    session.handle_cut(ready, at(3));

    assert_eq!(session.take(ready, at(4)), []);
    assert_eq!(poll_now(&mut session, at(5)), ["1", "2"]);
}

#[test]
fn what_was_not_written_goes_back_to_the_front() {
    // I-18
    for cut in [
        |session: &mut Session, poll: PollId| session.finish(poll, Delivery::Cut, at(3)),
        |session: &mut Session, poll: PollId| session.handle_cut(poll, at(3)),
    ] {
        let mut session = session();
        session.push(frame("1")).unwrap();
        session.push(frame("2")).unwrap();
        let poll = session.handle_poll(at(1)).unwrap();
        outputs(&mut session);
        assert_eq!(texts(&session.take(poll, at(2))), ["1", "2"]);
        session.push(frame("3")).unwrap();

        cut(&mut session, poll);

        assert_eq!(session.queued(), 3);
        assert_eq!(poll_now(&mut session, at(4)), ["1", "2", "3"]);
    }
}

#[test]
fn poll_waits_while_the_answer_to_another_is_being_written() {
    // I-11: what comes back belongs in front of what came later.
    let mut session = session();
    session.push(frame("1")).unwrap();
    let first = session.handle_poll(T0).unwrap();
    outputs(&mut session);
    assert_eq!(texts(&session.take(first, at(1))), ["1"]);

    let second = session.handle_poll(at(2)).unwrap();
    session.push(frame("2")).unwrap();
    assert_eq!(outputs(&mut session), []);
    session.finish(first, Delivery::Cut, at(3));

    assert_eq!(outputs(&mut session), [Output::Ready { poll: second }]);
    assert_eq!(taken(&mut session, second, at(3)), ["1", "2"]);
}

#[test]
fn end_of_an_answer_is_told_once() {
    let mut session = session();
    session.push(frame("1")).unwrap();
    let poll = session.handle_poll(T0).unwrap();
    outputs(&mut session);
    assert_eq!(texts(&session.take(poll, at(1))), ["1"]);

    session.finish(poll, Delivery::Written, at(2));
    session.finish(poll, Delivery::Cut, at(3));
    session.handle_cut(poll, at(3));

    assert_eq!(session.queued(), 0);
    session.handle_poll(at(4)).unwrap();
    assert_eq!(outputs(&mut session), []);
}

#[test]
fn second_take_of_a_poll_finds_nothing() {
    let mut session = session();
    session.push(frame("1")).unwrap();
    let poll = session.handle_poll(T0).unwrap();
    outputs(&mut session);

    assert_eq!(session.take(poll, at(1)).len(), 1);
    assert_eq!(session.take(poll, at(1)), []);
}

#[test]
fn session_that_carries_bytes_takes_a_binary_frame() {
    let mut session = Session::new(Config { carries: Carries::TextAndBytes, ..Config::default() }, T0);
    let binary = Frame::new(Kind::Binary, b"\x01");

    session.push(binary.clone()).unwrap();
    session.push_owed(frame("text")).unwrap();

    let poll = session.handle_poll(T0).unwrap();
    assert_eq!(session.take(poll, T0), [binary, frame("text")]);
}

#[test]
fn binary_frame_is_refused_and_leaves_nothing_behind() {
    let mut session = session();

    assert_eq!(session.push(Frame::new(Kind::Binary, b"\x01")), Err(NotText));
    assert_eq!(session.push_owed(Frame::new(Kind::Binary, b"text all the same")), Err(NotText));
    let mut websocket = websocket::Connection::server(websocket::Config::default(), at(0));
    websocket.receive(&mut [0x89, 0x80, 1, 2, 3, 4], at(0));
    let pong = Frame::control(&websocket.take_pong().expect("a ping is owed one"));
    assert_eq!(session.push(pong), Err(NotText));

    assert_eq!(session.queued(), 0);
}
