//! What a client, or a publisher, can grow: at the limit, one past it, far past it.

mod application;
mod input;
mod pace;

use crate::pair::{Answer, Pair};
use bennu_core::MAX_NAME;
use bennu_core::server::Limits;
use bennu_core::wire::{DecodeError, Serializer};
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
