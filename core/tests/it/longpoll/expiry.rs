use super::*;
use bennu_core::longpoll::{Carries, CloseReason, Ended};

const INACTIVE_END: [Output; 2] = [Output::Closed(CloseReason::Inactive), Output::End];

#[test]
fn defaults_are_those_of_the_documentation() {
    let Config { window, inactive, max_queue, max_input, max_replaced, carries } = Config::default();

    assert_eq!((window.as_millis(), inactive.as_millis()), (10_000, 15_000));
    assert_eq!((max_queue, max_input, max_replaced), (1 << 20, 1 << 20, 8));
    assert_eq!(carries, Carries::Text);
    assert_eq!(Config::with_window(Duration::from_millis(600)).inactive.as_millis(), 900);
}

#[test]
fn session_that_is_never_polled_ends() {
    let mut session = session();
    assert_eq!(session.poll_timeout(), Some(at(INACTIVE)));

    session.handle_timeout(at(INACTIVE - 1));
    assert_eq!(outputs(&mut session), []);

    session.handle_timeout(at(INACTIVE));
    assert_eq!(outputs(&mut session), INACTIVE_END);
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn session_ends_15_to_30_seconds_after_its_last_poll_whatever_became_of_that() {
    // R159
    type End = fn(&mut Session, PollId);
    let ends: [(&str, u64, End); 4] = [
        ("empty", WINDOW, |session, _| session.handle_timeout(at(WINDOW))),
        ("cut", 4_000, |session, poll| session.handle_cut(poll, at(4_000))),
        ("written", 9_000, |session, poll| {
            session.push(frame("1")).unwrap();
            assert_eq!(taken(session, poll, at(9_000)), ["1"]);
        }),
        ("replaced", 0, |session, poll| {
            let newer = session.handle_poll(T0).unwrap();
            session.handle_cut(newer, T0);
            session.handle_cut(poll, T0);
        }),
    ];
    for (name, ended, end) in ends {
        let mut session = session();
        let poll = session.handle_poll(T0).unwrap();
        end(&mut session, poll);
        outputs(&mut session);

        let due = session.poll_timeout().unwrap();
        assert!((at(15_000)..=at(30_000)).contains(&due), "{name}: {due:?}");
        assert_eq!(due, at(ended + INACTIVE), "{name}");
        session.handle_timeout(due);
        assert_eq!(outputs(&mut session), INACTIVE_END, "{name}");
    }
}

#[test]
fn posts_do_not_keep_a_session_alive() {
    // R159
    let mut session = session();
    for second in 1..15 {
        session.handle_post(vec![data("[]")], at(second * 1_000)).unwrap();
        session.handle_accepted(at(second * 1_000));
    }
    outputs(&mut session);

    session.handle_timeout(at(INACTIVE));

    assert_eq!(outputs(&mut session), INACTIVE_END);
}

#[test]
fn frames_do_not_keep_a_session_alive() {
    let mut session = session();
    session.push(frame("1")).unwrap();

    session.handle_timeout(at(INACTIVE));

    assert_eq!(outputs(&mut session), INACTIVE_END);
    assert_eq!(session.queued(), 0);
}

#[test]
fn polling_keeps_a_session_alive_over_many_windows() {
    let mut session = session();
    let mut now = 0;
    for _ in 0..1_000 {
        let poll = session.handle_poll(at(now)).unwrap();
        now += WINDOW;
        session.handle_timeout(at(now));
        assert_eq!(outputs(&mut session), [Output::Empty { poll }]);
        now += INACTIVE - 1;
        session.handle_timeout(at(now));
        assert_eq!(outputs(&mut session), []);
    }
}

#[test]
fn session_lives_while_an_answer_is_being_written() {
    let mut session = session();
    session.push(frame("1")).unwrap();
    let poll = session.handle_poll(T0).unwrap();
    outputs(&mut session);
    assert_eq!(session.take(poll, at(1)).len(), 1);
    assert_eq!(session.poll_timeout(), None);

    session.finish(poll, Delivery::Written, at(60_000));

    assert_eq!(session.poll_timeout(), Some(at(60_000 + INACTIVE)));
}

#[test]
fn closed_session_answers_its_polls_and_knows_no_others() {
    // R164
    let mut session = session();
    let older = session.handle_poll(T0).unwrap();
    let newer = session.handle_poll(T0).unwrap();

    session.close(at(1));

    let empty = |poll| Output::Empty { poll };
    let closed = Output::Closed(CloseReason::Local);
    assert_eq!(outputs(&mut session), [closed, empty(older), empty(newer), Output::End]);
    assert_eq!(session.handle_poll(at(2)), Err(Ended));
    assert_eq!(session.handle_post(vec![data("[]")], at(2)), Err(Ended));
}

#[test]
fn poll_that_is_ready_when_the_session_closes_has_its_frames_yet() {
    let mut session = session();
    let poll = session.handle_poll(T0).unwrap();
    session.push(frame("last")).unwrap();
    session.close(at(1));
    assert_eq!(outputs(&mut session), [Output::Ready { poll }, Output::Closed(CloseReason::Local)]);

    assert_eq!(taken(&mut session, poll, at(2)), ["last"]);

    assert_eq!(outputs(&mut session), [Output::End]);
}

#[test]
fn poll_that_is_ready_when_the_session_closes_may_be_cut() {
    let mut session = session();
    let poll = session.handle_poll(T0).unwrap();
    session.push(frame("last")).unwrap();
    session.close(at(1));
    outputs(&mut session);

    session.handle_cut(poll, at(2));

    assert_eq!(outputs(&mut session), [Output::End]);
    assert_eq!(session.queued(), 0);
}

#[test]
fn session_ends_once() {
    // I-2, I-6
    let mut session = session();
    let poll = session.handle_poll(T0).unwrap();
    session.close(at(1));
    outputs(&mut session);

    session.close(at(2));
    session.handle_malformed(at(2));
    session.handle_accepted(at(2));
    session.pause(at(2));
    session.resume(at(2));
    session.push(frame("late")).unwrap();
    session.handle_cut(poll, at(3));
    session.finish(poll, Delivery::Cut, at(3));
    assert_eq!(session.take(poll, at(3)), []);
    session.handle_timeout(at(100 * INACTIVE));

    assert_eq!(outputs(&mut session), []);
    assert_eq!((session.queued(), session.poll_timeout(), session.is_closed()), (0, None, true));
}

#[test]
fn session_that_is_closed_holds_no_frames_though_a_post_still_waits() {
    let mut session = session();
    session.push(frame("1")).unwrap();
    session.handle_post(vec![data("1"), data("2")], T0).unwrap();

    session.close(at(1));

    assert_eq!(session.queued(), 0);
    assert_eq!(session.poll_timeout(), Some(at(WINDOW)));
}

#[test]
fn old_clock_counts_as_the_latest() {
    // I-5
    let mut session = session();
    session.handle_timeout(at(14_000));

    session.handle_timeout(T0);
    session.handle_poll(at(1)).unwrap();

    assert_eq!(session.poll_timeout(), Some(at(14_000 + WINDOW)));
}
