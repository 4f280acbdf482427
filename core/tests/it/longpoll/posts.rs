use super::*;
use bennu_core::longpoll::CloseReason;

#[test]
fn post_is_accepted_when_the_last_of_its_messages_is() {
    // R144, R152
    let mut session = session();
    let post = session.handle_post(vec![data("1"), data("2")], T0).unwrap();
    assert_eq!(outputs(&mut session), [receive("1")]);

    session.handle_accepted(at(1));
    assert_eq!(outputs(&mut session), [receive("2")]);
    session.handle_accepted(at(2));
    assert_eq!(outputs(&mut session), [accepted(post)]);
}

#[test]
fn posts_are_taken_in_the_order_in_which_they_came() {
    let mut session = session();
    let first = session.handle_post(vec![data("1"), data("2")], T0).unwrap();
    let second = session.handle_post(vec![data("3")], T0).unwrap();

    let mut seen = outputs(&mut session);
    for millis in 1..=3 {
        session.handle_accepted(at(millis));
        seen.extend(outputs(&mut session));
    }

    let expected = [receive("1"), receive("2"), accepted(first), receive("3"), accepted(second)];
    assert_eq!(seen, expected);
}

#[test]
fn message_that_the_server_has_keeps_no_other_out() {
    let mut session = Session::new(Config { max_input: 100, ..Config::default() }, T0);
    session.handle_post(vec![data("1")], T0).unwrap();
    assert_eq!(outputs(&mut session), [receive("1")]);

    session.handle_post(vec![data(&"x".repeat(200))], T0).unwrap();
    let second = outputs(&mut session);
    let third = session.handle_post(vec![data("3")], T0).unwrap();

    assert_eq!(second, [], "nothing else waits");
    assert_eq!(outputs(&mut session), [timed_out(third)]);
}

#[test]
fn post_without_messages_is_accepted_at_once() {
    let mut session = session();

    let post = session.handle_post(Vec::new(), T0).unwrap();

    assert_eq!(outputs(&mut session), [accepted(post)]);
}

#[test]
fn post_that_a_paused_server_does_not_take_is_408_after_the_window() {
    // R146
    let mut session = session();
    session.pause(T0);
    let post = session.handle_post(vec![data("1"), data("2")], at(1)).unwrap();
    assert_eq!((outputs(&mut session), session.poll_timeout()), (vec![], Some(at(1 + WINDOW))));

    session.handle_timeout(at(WINDOW));
    assert_eq!(outputs(&mut session), []);
    session.handle_timeout(at(1 + WINDOW));
    assert_eq!(outputs(&mut session), [timed_out(post)]);

    session.resume(at(2 + WINDOW));
    assert_eq!(outputs(&mut session), [], "what was not taken in time is dropped");
}

#[test]
fn post_goes_on_when_the_server_takes_messages_again() {
    let mut session = session();
    session.pause(T0);
    session.handle_post(vec![data("1")], T0).unwrap();

    session.resume(at(WINDOW - 1));

    assert_eq!(outputs(&mut session), [receive("1")]);
}

#[test]
fn every_message_has_a_window_of_its_own() {
    let mut session = session();
    let post = session.handle_post(vec![data("1"), data("2")], T0).unwrap();
    outputs(&mut session);
    session.handle_accepted(at(9_000));
    session.pause(at(9_000));
    assert_eq!(outputs(&mut session), [receive("2")]);

    session.handle_timeout(at(9_000 + WINDOW - 1));
    assert_eq!(outputs(&mut session), [Output::Closed(CloseReason::Inactive)]);
    session.handle_timeout(at(9_000 + WINDOW));

    assert_eq!(outputs(&mut session), [timed_out(post), Output::End]);
}

#[test]
fn message_that_is_taken_too_late_holds_up_the_others_until_then() {
    let mut session = session();
    let first = session.handle_post(vec![data("1"), data("2")], T0).unwrap();
    outputs(&mut session);
    session.handle_timeout(at(WINDOW));
    assert_eq!(outputs(&mut session), [timed_out(first)]);

    let second = session.handle_post(vec![data("3")], at(WINDOW)).unwrap();
    assert_eq!(outputs(&mut session), []);
    session.handle_accepted(at(WINDOW + 1));
    assert_eq!(outputs(&mut session), [receive("3")]);
    session.handle_accepted(at(WINDOW + 2));

    assert_eq!(outputs(&mut session), [accepted(second)]);
}

#[test]
fn late_end_of_one_post_gives_no_other_more_time() {
    let mut session = session();
    session.handle_post(vec![data("1")], T0).unwrap();
    session.handle_post(vec![data("2")], at(4_000)).unwrap();
    session.handle_timeout(at(WINDOW));
    outputs(&mut session);

    session.handle_accepted(at(WINDOW + 1));

    assert_eq!(outputs(&mut session), [receive("2")]);
    assert_eq!(session.poll_timeout(), Some(at(4_000 + WINDOW)));
}

#[test]
fn what_is_no_message_ends_the_session_and_is_408_after_the_window() {
    // R154
    let mut session = session();
    let post = session.handle_post(vec![data("1"), data("not json"), data("3")], T0).unwrap();
    session.handle_accepted(at(1));
    outputs(&mut session);

    session.handle_malformed(at(2));
    assert_eq!(outputs(&mut session), [Output::Closed(CloseReason::Malformed)]);
    assert_eq!(session.poll_timeout(), Some(at(1 + WINDOW)));
    session.handle_timeout(at(1 + WINDOW));

    assert_eq!(outputs(&mut session), [timed_out(post), Output::End]);
}

#[test]
fn message_that_disconnects_its_own_socket_is_accepted() {
    let mut session = session();
    let post = session.handle_post(vec![data("disconnect me")], T0).unwrap();
    outputs(&mut session);

    session.close(at(1));
    session.handle_accepted(at(2));

    assert_eq!(outputs(&mut session), [Output::Closed(CloseReason::Local), accepted(post), Output::End]);
}

#[test]
fn post_that_the_end_of_its_session_interrupts_is_408_after_the_window() {
    let mut session = session();
    let post = session.handle_post(vec![data("1"), data("2")], T0).unwrap();
    let other = session.handle_post(vec![data("3")], at(5)).unwrap();
    outputs(&mut session);
    session.close(at(6));
    session.handle_accepted(at(7));
    assert_eq!(outputs(&mut session), [Output::Closed(CloseReason::Local)]);

    session.handle_timeout(at(5 + WINDOW));
    assert_eq!(outputs(&mut session), [timed_out(other)]);
    session.handle_timeout(at(7 + WINDOW));

    assert_eq!(outputs(&mut session), [timed_out(post), Output::End]);
}

fn stuck(max_input: usize) -> Session {
    let mut session = Session::new(Config { max_input, ..Config::default() }, T0);
    session.pause(T0);
    session
}

#[test]
fn waiting_input_of_the_limit_is_kept_and_one_byte_more_is_408_at_once() {
    let mut session = stuck(2 * 100);
    session.handle_post(vec![data(&"x".repeat(36))], T0).unwrap();

    session.handle_post(vec![data(&"x".repeat(36))], T0).unwrap();
    assert_eq!(outputs(&mut session), []);

    let mut session = stuck(2 * 100);
    session.handle_post(vec![data(&"x".repeat(36))], T0).unwrap();
    let post = session.handle_post(vec![data(&"x".repeat(37))], T0).unwrap();
    assert_eq!(outputs(&mut session), [timed_out(post)]);
}

#[test]
fn first_post_is_never_too_much() {
    let mut session = stuck(10);

    session.handle_post(vec![data(&"x".repeat(1_000))], T0).unwrap();

    assert_eq!(outputs(&mut session), []);
}

#[test]
fn empty_messages_count_as_well() {
    let mut session = stuck(64 * 100);

    let refused = (0..10_000)
        .filter(|_| {
            session.handle_post(vec![data("")], T0).unwrap();
            !outputs(&mut session).is_empty()
        })
        .count();

    assert_eq!(refused, 9_900);
}

#[test]
fn room_comes_back_with_what_is_taken_or_dropped() {
    let mut session = stuck(64);
    session.handle_post(vec![data("")], T0).unwrap();
    session.handle_timeout(at(WINDOW));
    session.handle_post(vec![data("")], at(WINDOW)).unwrap();
    session.resume(at(WINDOW));
    outputs(&mut session);

    session.handle_post(vec![data("")], at(WINDOW)).unwrap();

    assert_eq!(outputs(&mut session), [], "it waits, since the other has just been offered");
}
