//! What a client, or a publisher, can grow: at the limit, one past it, far past it.

use crate::pair::{Answer, Pair};
use bennu_core::server::Limits;
use bennu_core::wire::{DecodeError, Serializer};
use bennu_core::{MAX_NAME, Payload};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const NONE: Duration = Duration::ZERO;

fn refused(frames: &[String]) -> usize {
    frames.iter().filter(|frame| frame.contains("too many channels joined")).count()
}

#[test]
fn hundred_channels_are_joined_and_the_next_is_refused() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    for n in 0..100 {
        pair.join(ann, &n.to_string(), &format!("room:{n}"));
    }
    assert_eq!(refused(&pair.frames(ann)), 0);

    pair.join(ann, "a", "room:100");
    pair.join(ann, "b", "nope");
    pair.expect(
        ann,
        [
            r#"["a","a","room:100","phx_reply",{"status":"error","response":{"reason":"too many channels joined"}}]"#,
            r#"[null,"b","nope","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#,
        ],
    );

    pair.send(ann, r#"["5","c","room:5","phx_leave",{}]"#);
    pair.forget();
    pair.join(ann, "d", "room:100");
    pair.expect(ann, [r#"["d","d","room:100","phx_reply",{"status":"ok","response":{}}]"#]);
}

#[test]
fn hundred_thousand_joins_of_one_socket_leave_a_hundred_channels_and_nothing_else() {
    let mut pair = Pair::new();
    let ann = pair.connect();

    let mut refusals = 0;
    for n in 0..100_000 {
        pair.join(ann, "1", &format!("room:{n}"));
        if n % 1000 == 0 {
            refusals += refused(&pair.frames(ann));
            pair.forget();
        }
    }

    refusals += refused(&pair.frames(ann));
    assert_eq!(refusals, 99_900);
    assert_eq!((pair.server.channels(), pair.server.topics()), (100, 100));
}

#[test]
fn pending_joins_count_against_the_limit() {
    let mut pair = Pair::with(Limits { max_channels: 2, ..Limits::default() });
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    pair.send(ann, r#"["2","2","room:b","phx_join",{"do":"park"}]"#);

    pair.join(ann, "3", "room:c");
    assert_eq!(refused(&pair.frames(ann)), 1);

    pair.answer(ann, "room:a", Answer::Refuse);
    pair.join(ann, "4", "room:c");
    assert_eq!(refused(&pair.frames(ann)), 0);
}

#[test]
fn second_join_at_the_limit_succeeds() {
    let mut pair = Pair::with(Limits { max_channels: 1, ..Limits::default() });
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");

    pair.join(ann, "2", "room:a");

    assert_eq!(refused(&pair.frames(ann)), 0);
    assert_eq!(pair.server.channels(), 1);
}

#[test]
fn limits_are_each_sockets_own() {
    let mut pair = Pair::with(Limits { max_channels: 1, ..Limits::default() });
    let (ann, bob) = (pair.connect(), pair.connect());

    pair.join(ann, "1", "room:a");
    pair.join(bob, "1", "room:a");

    assert_eq!(refused(&pair.frames(ann)) + refused(&pair.frames(bob)), 0);
}

#[test]
fn longest_topic_is_joined_and_one_byte_more_is_refused_without_a_trace() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let longest = format!("room:{}", "x".repeat(MAX_NAME - 5));
    for more in [1, 100_000] {
        let longer = format!("{longest}{}", "x".repeat(more));
        pair.join(ann, "1", &longer);
        let reply = format!(
            r#"["1","1","{longer}","phx_reply",{{"status":"error","response":{{"reason":"topic too long"}}}}]"#
        );
        pair.expect(ann, [&*reply]);
        assert_eq!((pair.server.channels(), pair.server.topics()), (0, 0));
    }

    pair.join(ann, "1", &longest);

    assert_eq!(pair.server.channels(), 1);
}

#[test]
fn longest_event_is_handled_and_one_byte_more_is_refused() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    let longest = "é".repeat(MAX_NAME / 2);

    pair.send(ann, &format!(r#"["1","2","room:a","{longest}",{{}}]"#));
    pair.send(ann, &format!(r#"["1","3","room:a","{longest}x",{{}}]"#));

    pair.expect(
        ann,
        [
            r#"["1","2","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1","3","room:a","phx_reply",{"status":"error","response":{"reason":"event too long"}}]"#,
        ],
    );
}

#[test]
fn event_that_is_too_long_is_called_so_on_the_longest_topic_too() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let (topic, event) = ("x".repeat(MAX_NAME), "x".repeat(MAX_NAME + 1));

    pair.send(ann, &format!(r#"["1","2","{topic}","{event}",{{}}]"#));

    assert!(pair.frames(ann)[0].contains("event too long"));
}

#[test]
fn shorter_names_can_be_asked_for_and_longer_ones_cannot() {
    let mut pair = Pair::with(Limits { max_topic: 6, max_event: 0, ..Limits::default() });
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");
    let reasons = |pair: &mut Pair, text: &str| {
        pair.forget();
        pair.send(ann, text);
        let frames = pair.frames(ann);
        (
            frames.iter().any(|frame| frame.contains("topic too long")),
            frames.iter().any(|frame| frame.contains("event too long")),
        )
    };

    // What the protocol's own events need is taken in any case.
    assert_eq!(reasons(&mut pair, r#"["1","2","room:a","123456789",{}]"#), (false, false));
    assert_eq!(reasons(&mut pair, r#"["1","3","room:a","1234567890",{}]"#), (false, true));
    assert_eq!(reasons(&mut pair, r#"["1","4","room:ab","1234567890",{}]"#), (true, false), "one answer");
    assert_eq!(reasons(&mut pair, r#"["1","5","room:a","phx_leave",{}]"#), (false, false));
    assert_eq!(reasons(&mut pair, r#"["6","6","room:a","phx_join",{}]"#), (false, false));

    let mut pair = Pair::with(Limits { max_topic: usize::MAX, max_event: usize::MAX, ..Limits::default() });
    let ann = pair.connect();
    let longer = "x".repeat(MAX_NAME + 1);
    pair.send(ann, &format!(r#"["1","1","room:{longer}","phx_join",{{}}]"#));
    pair.send(ann, &format!(r#"["1","1","room:a","{longer}",{{}}]"#));
    assert_eq!(pair.frames(ann).iter().filter(|frame| frame.contains("too long")).count(), 2);
}

#[test]
fn what_is_too_deep_is_not_read_on() {
    // It is the depth that is told, and not that what comes behind it is no JSON: nobody has looked.
    for opening in ["[", r#"{"a":"#, r#"[ {"a" : "#] {
        let levels = if opening.len() > 6 { 64 } else { 128 };
        for garbage in ["", "]", "\0 no JSON", &"[".repeat(1 << 20)] {
            let text = format!(r#"[null,"1","t","e",{}{garbage}"#, opening.repeat(levels));
            assert_eq!(Serializer::V2.decode_text(&text), Err(DecodeError::TooDeep));
            let text = format!(r#"{{"topic":{}{garbage}"#, opening.repeat(levels));
            assert_eq!(Serializer::V1.decode_text(&text), Err(DecodeError::TooDeep));
        }
    }
}

/// One socket with the channels `room:a` and `room:b`, whose handlers are stuck.
fn stuck(limits: Limits) -> (Pair, usize) {
    let mut pair = Pair::with(limits);
    let ann = pair.connect();
    for topic in ["room:a", "room:b"] {
        pair.joined(ann, topic, topic);
        pair.send(ann, &format!(r#"["{topic}","0","{topic}","park",{{}}]"#));
    }
    pair.forget();
    (pair, ann)
}

fn fill(pair: &mut Pair, peer: usize, topic: &str, messages: u32) {
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

#[test]
fn channel_with_too_many_messages_of_the_application_ends_and_no_other() {
    let (mut pair, ann) = stuck(Limits::default());
    let channel = pair.channel(ann, "room:a");
    for _ in 0..1024 {
        pair.info(channel, "note", NONE);
    }
    pair.expect_said([]);

    pair.info(channel, "note", NONE);

    pair.expect_said([
        "no interest room:a",
        r#"0 << ["room:a","room:a","room:a","phx_error",{"reason":"channel_crash"}]"#,
        "0 cancel room:a",
        "0 ended room:a",
    ]);
    pair.answer(ann, "room:b", Answer::Reply(Payload::empty()));
    pair.expect(ann, [r#"["room:b","0","room:b","phx_reply",{"status":"ok","response":{}}]"#]);
}

#[test]
fn channel_with_too_many_broadcasts_to_intercept_ends_and_the_fast_path_goes_on() {
    let mut pair = Pair::with(Limits { channel_messages: 2, ..Limits::default() });
    let (ann, bob) = (pair.connect(), pair.connect());
    for peer in [ann, bob] {
        pair.joined(peer, "1", "icpt:a");
    }
    pair.send(ann, r#"["1","2","icpt:a","park",{}]"#);
    pair.forget();

    for n in 1..=3 {
        pair.broadcast("icpt:a", "icpt", &format!(r#"{{"n":{n}}}"#), None);
    }

    pair.expect(ann, [r#"["1","1","icpt:a","phx_error",{"reason":"channel_crash"}]"#]);
    pair.expect(
        bob,
        [
            r#"["1",null,"icpt:a","icpt_out",{"n":1}]"#,
            r#"["1",null,"icpt:a","icpt_out",{"n":2}]"#,
            r#"["1",null,"icpt:a","icpt_out",{"n":3}]"#,
        ],
    );
}

#[test]
fn bytes_of_broadcasts_that_wait_are_bounded_too() {
    let mut pair = Pair::with(Limits { channel_bytes: 100, ..Limits::default() });
    let ann = pair.connect();
    pair.joined(ann, "1", "icpt:a");
    pair.send(ann, r#"["1","2","icpt:a","park",{}]"#);
    pair.forget();

    pair.broadcast("icpt:a", "icpt", &format!(r#"{{"a":"{}"}}"#, "x".repeat(88)), None);
    pair.expect_said([]);
    pair.broadcast("icpt:a", "icpt", "{}", None);

    assert!(pair.said().contains(&"0 ended icpt:a".to_owned()));
}

#[test]
fn what_a_channel_has_handled_counts_no_longer() {
    let mut pair = Pair::with(Limits { channel_messages: 2, ..Limits::default() });
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.info(channel, "park", NONE);
    pair.info(channel, "park", NONE);
    pair.info(channel, "park", NONE);

    for _ in 0..5 {
        pair.answer(ann, "room:a", Answer::Noreply);
        pair.info(channel, "park", NONE);
        assert_eq!(pair.server.channels(), 1, "two wait");
    }
    pair.info(channel, "park", NONE);

    assert_eq!(pair.server.channels(), 0);
}

#[test]
fn pending_join_with_too_many_messages_of_the_application_is_overloaded() {
    let mut pair = Pair::with(Limits { channel_messages: 1, ..Limits::default() });
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    let channel = pair.channel(ann, "room:a");

    pair.info(channel, "one", NONE);
    pair.info(channel, "two", NONE);

    pair.expect(
        ann,
        [r#"["1","1","room:a","phx_reply",{"status":"error","response":{"reason":"overloaded"}}]"#],
    );
    assert_eq!(pair.server.channels(), 0);
}

#[test]
fn messages_of_the_application_do_not_pause_reading() {
    let (mut pair, ann) = stuck(Limits { input_messages: 2, ..Limits::default() });
    let channel = pair.channel(ann, "room:a");

    for _ in 0..100 {
        pair.info(channel, "note", NONE);
    }
    pair.broadcast("room:a", "news", r#"{"a":1}"#, None);

    assert!(!pair.said().contains(&"0 pause".to_owned()));
}
