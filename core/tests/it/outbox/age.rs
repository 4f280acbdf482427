//! How long anything may wait.

use super::{kept, lossy, names, sized};
use bennu_core::Instant;
use bennu_core::outbox::{Outbox, Patience, SlowConsumer, Stuck, Verdict, Written};
use std::time::Duration;

fn ten() -> Patience {
    Patience::from(Duration::from_secs(10))
}

fn at(seconds: u64) -> Instant {
    Instant::EPOCH + Duration::from_secs(seconds)
}

/// A stream that takes so many bytes of what waits, and no more.
fn write(outbox: &mut Outbox, bytes: usize) -> usize {
    let batch = outbox.begin().expect("nobody else writes");
    assert_eq!(outbox.finish(batch, bytes), Written::Blocked);
    bytes
}

/// An outbox in which these wait, for a peer that takes nothing from second 0 on.
fn stuck(frames: impl IntoIterator<Item = bennu_core::Frame>) -> (Outbox, Stuck) {
    let mut outbox = Outbox::new(1000);
    frames.into_iter().for_each(|frame| outbox.push(frame));
    let taken = write(&mut outbox, 0);
    let stuck = outbox.stuck(None, taken, at(0));
    (outbox, stuck)
}

fn is_too_slow(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::TooSlow)
}

fn spared(verdict: Verdict) -> (Stuck, usize) {
    let Verdict::Spared { stuck, dropped } = verdict else { panic!("it is too slow") };
    (stuck, dropped)
}

#[test]
fn age_counts_from_when_what_is_still_waiting_began_to_wait() {
    let (mut outbox, first) = stuck([sized("", 100)]);
    assert_eq!(outbox.patience(first, ten()), at(10));

    outbox.push(sized("", 500));
    let taken = write(&mut outbox, 99);
    let less = outbox.stuck(Some(first), taken, at(5));
    assert_eq!(outbox.patience(less, ten()), at(10), "one byte of the first 100 is left");
    assert!(is_too_slow(outbox.handle_timeout(less, ten(), at(10))));

    let taken = write(&mut outbox, 1);
    let others = outbox.stuck(Some(less), taken, at(9));
    assert_eq!(outbox.patience(others, ten()), at(19), "all of them have been taken");
}

#[test]
fn what_the_peer_has_of_the_first_frame_already_is_not_waited_for() {
    let (mut outbox, first) = stuck([sized("", 100)]);
    let taken = write(&mut outbox, 60);
    let less = outbox.stuck(Some(first), taken, at(5));
    outbox.push(sized("", 100));

    let taken = write(&mut outbox, 40);
    let others = outbox.stuck(Some(less), taken, at(9));
    assert_eq!(outbox.patience(others, ten()), at(19));
}

#[test]
fn of_answers_alone_a_peer_need_only_take_some() {
    let mut outbox = Outbox::new(1000);
    outbox.push_owed(sized("", 500));
    outbox.push_owed(sized("", 500));
    let taken = write(&mut outbox, 0);
    let first = outbox.stuck(None, taken, at(0));

    let taken = write(&mut outbox, 1);
    let slow = outbox.stuck(Some(first), taken, at(9));
    assert_eq!(outbox.patience(slow, ten()), at(19), "it has taken one byte");

    let taken = write(&mut outbox, 0);
    let stopped = outbox.stuck(Some(slow), taken, at(12));
    assert_eq!(outbox.patience(stopped, ten()), at(19), "it takes nothing any more");
    assert!(is_too_slow(outbox.handle_timeout(stopped, ten(), at(19))));
}

#[test]
fn more_than_the_limit_waits_a_second() {
    let (outbox, stuck) = stuck([sized("", 500), sized("", 1001)]);

    let after = |patience| outbox.patience(stuck, Patience::from(patience)).duration_since(Instant::EPOCH);
    assert_eq!(after(Duration::from_secs(10)), Duration::from_secs(1));
    assert_eq!(after(Duration::from_millis(200)), Duration::from_millis(200), "and never longer than less");
}

#[test]
fn what_was_queued_at_once_past_the_limit_is_dropped_after_a_second_and_the_peer_stays() {
    let broadcasts = (0..200).map(|n| lossy(SlowConsumer::DropOldest, &format!("a{n}")));
    let (mut outbox, stuck) = stuck(broadcasts);
    assert_eq!(outbox.patience(stuck, ten()), at(1));

    let (stuck, dropped) = spared(outbox.handle_timeout(stuck, ten(), at(1)));

    assert_eq!((dropped, outbox.waiting()), (99, 10 + 1000));
    assert_eq!(outbox.patience(stuck, ten()), at(10), "for how long it waits, nothing has changed");
}

#[test]
fn broadcasts_cut_nobody_off_for_how_long_they_wait() {
    for policy in [SlowConsumer::DropNewest, SlowConsumer::DropOldest, SlowConsumer::KeepLatest] {
        let (mut outbox, mut stuck) = stuck(["a1", "b1", "a2"].map(|name| lossy(policy, name)));

        for seconds in [10, 20, 30] {
            assert_eq!(outbox.patience(stuck, ten()), at(seconds), "{policy:?}");
            (stuck, _) = spared(outbox.handle_timeout(stuck, ten(), at(seconds)));
        }
    }
}

#[test]
fn oldest_are_dropped_when_they_have_waited_too_long_and_no_others() {
    let drop = |name| lossy(SlowConsumer::DropOldest, name);
    let (mut outbox, stuck) = stuck(["a1", "a2", "a3"].map(drop));
    outbox.push(drop("a4"));

    let (_, dropped) = spared(outbox.handle_timeout(stuck, ten(), at(10)));

    assert_eq!((dropped, names(&mut outbox)), (2, vec!["a1".to_owned(), "a4".to_owned()]));
}

#[test]
fn what_was_dropped_for_room_is_not_taken_for_what_came_later() {
    let drop = |n: usize| lossy(SlowConsumer::DropOldest, &format!("a{n}"));
    let (mut outbox, first) = stuck((0..101).map(drop));
    for n in 101..300 {
        outbox.push(drop(n));
        outbox.make_room().unwrap();
    }
    // All that waited in second 0 is gone, but for the first: none of these has waited for 10 s.
    let taken = write(&mut outbox, 1);
    let second = outbox.stuck(Some(first), taken, at(9));

    assert_eq!(outbox.patience(second, ten()), at(19));
}

#[test]
fn what_was_dropped_for_room_is_not_dropped_again_for_its_age() {
    let drop = |n: usize| lossy(SlowConsumer::DropOldest, &format!("a{n}"));
    let (mut outbox, first) = stuck((0..101).map(drop));
    for n in 101..300 {
        outbox.push(drop(n));
        outbox.make_room().unwrap();
    }

    // The stream has not been tried since, and what waits has come just now.
    let (_, dropped) = spared(outbox.handle_timeout(first, ten(), at(10)));

    assert_eq!((dropped, outbox.waiting()), (0, 10 + 1000));
}

#[test]
fn newest_that_had_waited_and_was_dropped_for_room_is_not_waited_for() {
    let (mut outbox, first) = stuck([kept("push"), kept("push"), lossy(SlowConsumer::DropNewest, "a1")]);
    outbox.push(sized("push", 988));
    assert_eq!(outbox.make_room(), Ok(1));

    let taken = write(&mut outbox, 20);
    let second = outbox.stuck(Some(first), taken, at(9));

    assert_eq!(outbox.patience(second, ten()), at(19), "all that waited has been taken or dropped");
}

#[test]
fn what_was_dropped_for_room_is_remembered_when_the_few_that_are_left_are_tried_in_vain() {
    // Behind the first, there is room for one of these.
    let drop = |name: &str| lossy(SlowConsumer::DropOldest, name);
    let mut outbox = Outbox::new(10);
    outbox.push(drop("a0"));
    outbox.push(drop("a1"));
    let taken = write(&mut outbox, 0);
    let first = outbox.stuck(None, taken, at(0));
    outbox.push(drop("a2"));
    assert_eq!(outbox.make_room(), Ok(1));

    let taken = write(&mut outbox, 0);
    let second = outbox.stuck(Some(first), taken, at(5));
    let (_, dropped) = spared(outbox.handle_timeout(second, ten(), at(10)));

    assert_eq!((dropped, names(&mut outbox)), (0, ["a0", "a2"].map(String::from).to_vec()));
}

#[test]
fn what_waits_for_too_long_keeps_its_place_however_long() {
    let (mut outbox, mut stuck) = stuck(["a1", "a2", "a3"].map(|name| lossy(SlowConsumer::DropNewest, name)));

    for seconds in [10, 20, 30] {
        let dropped;
        (stuck, dropped) = spared(outbox.handle_timeout(stuck, ten(), at(seconds)));
        assert_eq!(dropped, 0, "in second {seconds}");
    }
    assert_eq!(names(&mut outbox), ["a1", "a2", "a3"]);
}

#[test]
fn nothing_new_is_taken_though_the_few_that_wait_are_tried_in_vain() {
    let drop = |name: &str| lossy(SlowConsumer::DropNewest, name);
    let (mut outbox, first) = stuck(["a1", "a2"].map(drop));
    let (second, _) = spared(outbox.handle_timeout(first, ten(), at(10)));

    let taken = write(&mut outbox, 0);
    let _ = outbox.stuck(Some(second), taken, at(11));
    outbox.push(drop("a3"));

    assert_eq!((outbox.make_room(), names(&mut outbox)), (Ok(1), ["a1", "a2"].map(String::from).to_vec()));
}

#[test]
fn broadcasts_that_are_dropped_give_a_peer_that_takes_nothing_no_time() {
    let (mut outbox, first) = stuck([kept("push"), kept("push")]);
    for n in 0..300 {
        outbox.push(lossy(SlowConsumer::DropOldest, &format!("a{n}")));
        outbox.make_room().unwrap();
    }

    let taken = write(&mut outbox, 0);
    let second = outbox.stuck(Some(first), taken, at(9));

    assert_eq!(outbox.patience(second, ten()), at(10));
    assert!(is_too_slow(outbox.handle_timeout(second, ten(), at(10))));
}

#[test]
fn only_the_latest_stay_when_they_have_waited_too_long() {
    let (mut outbox, stuck) =
        stuck(["a0", "a1", "b1", "a2"].map(|name| lossy(SlowConsumer::KeepLatest, name)));
    outbox.push(lossy(SlowConsumer::KeepLatest, "b2"));

    let (_, dropped) = spared(outbox.handle_timeout(stuck, ten(), at(10)));

    assert_eq!((dropped, names(&mut outbox)), (2, ["a0", "a2", "b2"].map(String::from).to_vec()));
}

#[test]
fn nothing_new_is_taken_while_what_waits_does_so_for_too_long() {
    let drop = |name| lossy(SlowConsumer::DropNewest, name);
    let (mut outbox, stuck) = stuck(["a1", "a2"].map(drop));
    outbox.push(drop("a3"));
    assert_eq!(outbox.make_room(), Ok(0));

    let (stuck, dropped) = spared(outbox.handle_timeout(stuck, ten(), at(10)));
    assert_eq!(dropped, 0, "what waits stays");
    outbox.push(drop("a4"));
    assert_eq!(outbox.make_room(), Ok(1));
    outbox.push(kept("reply"));
    assert_eq!(outbox.make_room(), Ok(0));

    let taken = write(&mut outbox, 10);
    let _ = outbox.stuck(Some(stuck), taken, at(12));
    outbox.push(drop("a5"));
    assert_eq!(outbox.make_room(), Ok(0), "some has been taken");
    assert_eq!(names(&mut outbox), ["a2", "a3", "reply", "a5"]);
}

#[test]
fn reply_behind_broadcasts_that_may_be_dropped_has_to_be_waited_for_with_something_taken() {
    let frames =
        || [lossy(SlowConsumer::DropOldest, "a1"), kept("reply"), lossy(SlowConsumer::DropOldest, "a2")];

    let (mut outbox, first) = stuck(frames());
    assert!(is_too_slow(outbox.handle_timeout(first, ten(), at(10))), "nothing has been taken");

    let (mut outbox, first) = stuck(frames());
    let taken = write(&mut outbox, 1);
    let second = outbox.stuck(Some(first), taken, at(9));
    let (third, dropped) = spared(outbox.handle_timeout(second, ten(), at(10)));
    assert_eq!(dropped, 1);
    assert!(is_too_slow(outbox.handle_timeout(third, ten(), at(20))), "and then nothing any more");
}

#[test]
fn reply_that_came_later_is_given_as_much_time_as_any() {
    let (mut outbox, first) = stuck(["a1", "a2"].map(|name| lossy(SlowConsumer::DropOldest, name)));
    outbox.push_owed(kept("reply"));

    let (second, _) = spared(outbox.handle_timeout(first, ten(), at(10)));

    assert_eq!(outbox.patience(second, ten()), at(20));
    assert!(is_too_slow(outbox.handle_timeout(second, ten(), at(20))));
}

#[test]
fn what_is_dropped_buys_no_time_for_what_is_not() {
    for policy in [SlowConsumer::DropOldest, SlowConsumer::KeepLatest] {
        let (mut outbox, mut stuck) = stuck([lossy(policy, "a0"), kept("reply")]);
        let is_cut_off = (1..=20).any(|seconds| {
            for n in 0..200 {
                outbox.push(lossy(policy, &format!("a{n}")));
                outbox.make_room().unwrap();
            }
            let taken = write(&mut outbox, 0);
            stuck = outbox.stuck(Some(stuck), taken, at(seconds));
            if outbox.patience(stuck, ten()) > at(seconds) {
                return false;
            }
            match outbox.handle_timeout(stuck, ten(), at(seconds)) {
                Verdict::TooSlow => true,
                Verdict::Spared { stuck: again, .. } => {
                    stuck = again;
                    false
                }
            }
        });

        assert!(is_cut_off, "{policy:?}: nothing has been taken in 20 s");
    }
}

#[test]
fn stream_that_takes_nothing_of_a_write_has_nothing_forgotten() {
    let drop = |name| lossy(SlowConsumer::DropNewest, name);
    let (mut outbox, first) = stuck(["a1", "a2"].map(drop));
    let (second, _) = spared(outbox.handle_timeout(first, ten(), at(10)));

    let taken = write(&mut outbox, 0);
    let third = outbox.stuck(Some(second), taken, at(11));
    outbox.push(drop("a3"));
    assert_eq!(outbox.make_room(), Ok(1), "what waits does so for too long still");

    let taken = write(&mut outbox, 1);
    let _ = outbox.stuck(Some(third), taken, at(12));
    outbox.push(drop("a4"));
    assert_eq!(outbox.make_room(), Ok(0));
}

#[test]
fn what_was_dropped_is_not_waited_for_though_a_write_was_tried_since() {
    let keep = |name| lossy(SlowConsumer::KeepLatest, name);
    let (mut outbox, first) = stuck(["a1", "b1", "a2"].map(keep));
    outbox.push(keep("b2"));
    assert_eq!(outbox.drop_stale(), 1);

    // Of the 30 bytes of second 0, 10 are dropped, and these are the others.
    let taken = write(&mut outbox, 20);
    let second = outbox.stuck(Some(first), taken, at(9));

    assert_eq!(outbox.patience(second, ten()), at(19));
}
