//! Outboxes of peers that take too little.

mod age;
mod reference;

use bennu_core::outbox::{Outbox, Overflow, SlowConsumer, Written};
use bennu_core::websocket::{Config, Connection, Output};
use bennu_core::{EventName, Frame, Instant, Kind, Topic};

/// A frame that is never dropped: its name, and so many bytes with its header.
fn kept(name: &str) -> Frame {
    sized(name, 10)
}

fn sized(name: &str, len: usize) -> Frame {
    let mut body = name.as_bytes().to_vec();
    body.resize(len - 2, b'.');
    Frame::new(Kind::Text, &body)
}

/// A broadcast of ten bytes on `topic`, of the event that its name begins with.
fn lossy_on(topic: &str, policy: SlowConsumer, name: &str) -> Frame {
    kept(name).losable(policy, &Topic::from(topic), &EventName::from(&name[..1]))
}

fn lossy(policy: SlowConsumer, name: &str) -> Frame {
    lossy_on("room:a", policy, name)
}

/// The names of what waits. The outbox is empty then.
fn names(outbox: &mut Outbox) -> Vec<String> {
    outbox.take_all().0.iter().map(name).collect()
}

fn name(frame: &Frame) -> String {
    String::from_utf8_lossy(frame.body()).trim_end_matches('.').to_owned()
}

/// An outbox with room for four frames of ten bytes behind the first, in which these wait.
fn outbox(frames: impl IntoIterator<Item = Frame>) -> Outbox {
    let mut outbox = Outbox::new(40);
    outbox.push(kept("first"));
    for frame in frames {
        outbox.push(frame);
    }
    outbox
}

const LOSSY: [SlowConsumer; 3] =
    [SlowConsumer::DropNewest, SlowConsumer::DropOldest, SlowConsumer::KeepLatest];

#[test]
fn nothing_is_dropped_at_the_limit() {
    for policy in LOSSY {
        let mut outbox = outbox(["a1", "a2", "a3", "a4"].map(|name| lossy(policy, name)));

        assert_eq!((outbox.make_room(), outbox.waiting()), (Ok(0), 50), "{policy:?}");
        assert_eq!(names(&mut outbox), ["first", "a1", "a2", "a3", "a4"]);
    }
}

#[test]
fn one_frame_past_the_limit_costs_as_each_policy_says() {
    let left = |policy| {
        let mut outbox = outbox(["a1", "b1", "a2", "b2", "a3"].map(|name| lossy(policy, name)));
        (outbox.make_room().unwrap(), names(&mut outbox).split_off(1))
    };

    let strings = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(left(SlowConsumer::DropNewest), (1, strings(&["a1", "b1", "a2", "b2"])));
    assert_eq!(left(SlowConsumer::DropOldest), (1, strings(&["b1", "a2", "b2", "a3"])));
    assert_eq!(left(SlowConsumer::KeepLatest), (3, strings(&["b2", "a3"])));
}

#[test]
fn one_byte_past_the_limit_is_too_much() {
    let mut outbox = outbox(["a1", "a2", "a3"].map(|name| lossy(SlowConsumer::DropOldest, name)));
    outbox.push(sized("kept", 11));

    assert_eq!((outbox.make_room(), outbox.waiting()), (Ok(1), 41));
    assert_eq!(names(&mut outbox), ["first", "a2", "a3", "kept"]);
}

#[test]
fn far_past_the_limit_as_much_is_dropped_as_it_takes() {
    for (policy, left) in [(SlowConsumer::DropNewest, "a0"), (SlowConsumer::DropOldest, "a96")] {
        let mut outbox = outbox((0..100).map(|n| lossy(policy, &format!("a{n}"))));

        assert_eq!((outbox.make_room(), outbox.waiting()), (Ok(96), 50), "{policy:?}");
        assert_eq!(names(&mut outbox)[1], left);
    }
}

#[test]
fn what_is_no_broadcast_makes_room_for_itself_and_keeps_its_place() {
    let mut outbox = outbox([
        kept("reply"),
        lossy(SlowConsumer::DropOldest, "a1"),
        kept("push"),
        lossy(SlowConsumer::DropOldest, "a2"),
    ]);

    outbox.push(kept("close"));

    assert_eq!(outbox.make_room(), Ok(1));
    assert_eq!(names(&mut outbox), ["first", "reply", "push", "a2", "close"]);
}

#[test]
fn peer_is_too_slow_once_nothing_is_left_to_be_dropped() {
    for (policy, left) in LOSSY.into_iter().zip([0, 0, 10]) {
        let mut outbox = outbox([lossy(policy, "a1"), lossy(policy, "a2")]);
        for _ in 0..5 {
            outbox.push(kept("push"));
        }

        assert_eq!(outbox.make_room(), Err(Overflow { waiting: 50 + left, limit: 40 }), "{policy:?}");
    }
}

#[test]
fn the_latest_of_each_is_not_dropped_for_room() {
    let mut outbox = outbox(["a1", "b1", "c1", "d1", "e1"].map(|name| lossy(SlowConsumer::KeepLatest, name)));

    assert_eq!(outbox.make_room(), Err(Overflow { waiting: 50, limit: 40 }));
}

#[test]
fn topics_are_kept_apart_however_alike_their_events() {
    let keep = |topic, name| lossy_on(topic, SlowConsumer::KeepLatest, name);
    let mut outbox = outbox([
        keep("room:a", "x1"),
        keep("room:b", "x2"),
        keep("room:a", "x3"),
        keep("room:b", "x4"),
        keep("room:b", "x5"),
    ]);

    assert_eq!(outbox.make_room(), Ok(3));
    assert_eq!(names(&mut outbox), ["first", "x3", "x5"]);
}

#[test]
fn what_is_stale_can_be_dropped_while_there_is_room() {
    let keep = |name| lossy(SlowConsumer::KeepLatest, name);
    let mut outbox = outbox([keep("a1"), kept("reply"), keep("b1"), keep("a2")]);
    assert_eq!(outbox.make_room(), Ok(0));

    assert_eq!((outbox.drop_stale(), outbox.waiting()), (1, 40));

    assert_eq!((outbox.drop_stale(), outbox.waiting()), (0, 40));
    assert_eq!(names(&mut outbox), ["first", "reply", "b1", "a2"]);
}

#[test]
fn what_other_policies_may_drop_is_never_stale() {
    for policy in [SlowConsumer::DropNewest, SlowConsumer::DropOldest, SlowConsumer::Disconnect] {
        let mut outbox = outbox(["a1", "a2"].map(|name| lossy(policy, name)));

        assert_eq!((outbox.drop_stale(), outbox.waiting()), (0, 30), "{policy:?}");
    }
    assert_eq!(Outbox::new(0).drop_stale(), 0);
}

#[test]
fn of_several_policies_the_stale_go_first_then_the_oldest_then_the_newest() {
    let of = |policy: SlowConsumer, name| lossy(policy, name);
    let frames = || {
        [
            of(SlowConsumer::DropNewest, "n1"),
            of(SlowConsumer::DropOldest, "o1"),
            of(SlowConsumer::KeepLatest, "k1"),
            of(SlowConsumer::DropNewest, "n2"),
            of(SlowConsumer::KeepLatest, "k2"),
        ]
    };
    let left = |more: usize| {
        let mut outbox = outbox(frames());
        (0..more).for_each(|_| outbox.push(kept("push")));
        outbox.make_room().map(|_| names(&mut outbox).into_iter().filter(|name| name.len() == 2).collect())
    };

    assert_eq!(left(0), Ok(["n1", "o1", "n2", "k2"].map(String::from).to_vec()));
    assert_eq!(left(1), Ok(["n1", "n2", "k2"].map(String::from).to_vec()));
    assert_eq!(left(2), Ok(["n1", "k2"].map(String::from).to_vec()));
    assert_eq!(left(3), Ok(["k2"].map(String::from).to_vec()));
    assert_eq!(left(4), Err(Overflow { waiting: 50, limit: 40 }));
}

#[test]
fn frame_that_is_partly_written_is_never_dropped() {
    for policy in LOSSY {
        let mut outbox = Outbox::new(40);
        outbox.push(lossy(policy, "a0"));
        let batch = outbox.begin().unwrap();
        for n in 1..9 {
            outbox.push(lossy(policy, &format!("a{n}")));
        }
        assert_eq!(outbox.finish(batch, 1), Written::Blocked);

        outbox.make_room().unwrap();

        let rest: Vec<u8> = outbox.begin().unwrap().slices().next().unwrap().to_vec();
        assert_eq!(rest, &lossy(policy, "a0").as_websocket()[1..], "{policy:?}");
    }
}

#[test]
fn frames_that_came_back_unwritten_may_be_dropped() {
    let mut outbox = outbox((1..9).map(|n| lossy(SlowConsumer::DropOldest, &format!("a{n}"))));
    let batch = outbox.begin().unwrap();
    assert_eq!(outbox.finish(batch, 3), Written::Blocked);

    assert_eq!(outbox.make_room(), Ok(4));
    assert_eq!(names(&mut outbox), ["first", "a5", "a6", "a7", "a8"]);
}

#[test]
fn what_may_be_dropped_is_no_congestion_and_no_answer() {
    let mut outbox = outbox([]);
    for n in 0..4 {
        outbox.push_owed(lossy(SlowConsumer::DropOldest, &format!("a{n}")));
    }
    assert!(!outbox.is_congested());

    outbox.push_owed(lossy(SlowConsumer::DropOldest, "a5"));
    assert_eq!(outbox.make_room(), Ok(1), "it counts against the limit");

    outbox.push(kept("push"));
    outbox.push(sized("push", 10));
    assert!(!outbox.is_congested(), "twenty of forty bytes");
    outbox.push(kept(""));
    assert!(outbox.is_congested());
}

#[test]
fn answers_that_have_been_written_are_owed_no_longer_though_broadcasts_wait_all_the_time() {
    let mut outbox = outbox([]);
    for round in 0..20 {
        outbox.push_owed(kept("reply"));
        for n in 0..4 {
            outbox.push(lossy(SlowConsumer::DropOldest, &format!("a{n}")));
        }
        outbox.make_room().unwrap();
        let batch = outbox.begin().unwrap();
        outbox.finish(batch, 20);

        assert!(outbox.waiting() <= 10 + 40 + 10, "{} in round {round}", outbox.waiting());
    }
}

/// What a server sends when it ends a connection.
fn close() -> Frame {
    let mut connection = Connection::server(Config::default(), Instant::EPOCH);
    connection.close(1001, "", Instant::EPOCH);
    let Some(Output::Send(frame)) = connection.poll_output() else { panic!("a close frame is sent") };
    Frame::control(&frame)
}

#[test]
fn close_frame_overtakes_nothing_that_was_sent_before_it() {
    let mut outbox = Outbox::new(1000);
    let run = Frame::open();
    outbox.push(run.clone());

    outbox.push_control(close());

    assert!(outbox.awaits_seal() && outbox.begin().is_none());
    run.seal(b"run".to_vec());
    let sent = outbox.begin().unwrap().slices().flatten().copied().collect::<Vec<_>>();
    assert_eq!(sent, [b"run", close().as_websocket()].concat());
}

#[test]
fn frame_that_may_be_dropped_is_the_same_on_the_wire() {
    let frame = kept("a");

    for policy in LOSSY {
        let lossy = lossy(policy, "a");
        assert_eq!((lossy.as_websocket(), lossy.body()), (frame.as_websocket(), frame.body()));
        assert_eq!((&lossy, lossy.kind(), lossy.slow_consumer()), (&frame, Kind::Text, policy));
    }
    let frame = lossy(SlowConsumer::Disconnect, "a");
    assert_eq!(frame.slow_consumer(), SlowConsumer::Disconnect);
    let run = Frame::open();
    let same = run.losable(SlowConsumer::DropOldest, &Topic::from("a"), &EventName::from("b"));
    run.seal(b"run".to_vec());
    assert_eq!((same.as_websocket(), same.slow_consumer()), (&b"run"[..], SlowConsumer::Disconnect));
}
