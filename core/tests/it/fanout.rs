//! Broadcasts: who gets them, and how often they are encoded.

mod subscriptions;

use crate::pair::{Pair, json};
use bennu_core::server::{
    Broadcast, ChannelId, Config, Event, Limits, Mount, Outcome, Output, Server, SocketConfig,
};
use bennu_core::wire::{EncodeError, Serializer};
use bennu_core::{Frame, Instant, Kind, Payload, Topic};

#[test]
fn broadcast_reaches_every_member_and_the_publisher_itself() {
    let mut pair = Pair::new();
    let (ann, bob, eve) = (pair.connect(), pair.connect(), pair.connect());
    pair.joined(ann, "1", "room:a");
    pair.joined(bob, "2", "room:a");
    pair.joined(eve, "3", "room:b");

    pair.send(ann, r#"["1","2","room:a","broadcast",{"k":1}]"#);

    pair.expect(ann, [r#"[null,null,"room:a","msg",{"k":1}]"#]);
    pair.expect(bob, [r#"[null,null,"room:a","msg",{"k":1}]"#]);
    pair.expect(eve, []);
}

#[test]
fn broadcast_from_a_channel_leaves_out_that_channel_alone() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    let from = pair.joined(ann, "1", "room:a");
    let beside = pair.joined(ann, "2", "room:b");
    pair.joined(bob, "1", "room:a");

    pair.broadcast("room:a", "one", "{}", Some(from));
    pair.broadcast("room:a", "two", "{}", Some(beside));

    pair.expect(ann, [r#"[null,null,"room:a","two",{}]"#]);
    pair.expect(bob, [r#"[null,null,"room:a","one",{}]"#, r#"[null,null,"room:a","two",{}]"#]);
}

#[test]
fn broadcast_on_a_topic_without_members_says_nothing() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "room:a");

    for topic in ["room:", "room:*", "room:A", "*", "room:a ", "room:b", ""] {
        pair.broadcast(topic, "news", "{}", None);
    }

    pair.expect_said([]);
}

#[test]
fn intercepted_event_goes_to_handle_out_and_others_do_not() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "icpt:a");

    pair.broadcast("icpt:a", "icpt", r#"{"n":1}"#, None);
    pair.broadcast("icpt:a", "other", r#"{"n":2}"#, None);

    pair.expect_said([
        "0 out icpt:a icpt",
        r#"0 << ["1",null,"icpt:a","icpt_out",{"n":1}]"#,
        r#"0 << [null,null,"icpt:a","other",{"n":2}]"#,
    ]);
}

#[test]
fn intercepted_copy_comes_behind_the_pushes_and_the_reply_of_the_same_handler() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.joined(ann, "1", "icpt:a");

    pair.send(ann, r#"["1","9","icpt:a","icpt",{"b":1}]"#);

    pair.expect(
        ann,
        [
            r#"["1",null,"icpt:a","after_icpt",{}]"#,
            r#"["1","9","icpt:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["1",null,"icpt:a","icpt_out",{"b":1}]"#,
        ],
    );
}

#[test]
fn sender_that_intercepts_is_left_out_too() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    let from = pair.joined(ann, "1", "icpt:a");
    pair.joined(bob, "1", "icpt:a");

    pair.broadcast("icpt:a", "icpt", "{}", Some(from));

    pair.expect_said(["1 out icpt:a icpt", r#"1 << ["1",null,"icpt:a","icpt_out",{}]"#]);
}

#[test]
fn members_that_intercept_and_members_that_do_not_share_one_broadcast() {
    let mut pair = Pair::new();
    let slow = pair.connect();
    // The other mount routes the same topic to a channel that intercepts nothing.
    let fast = pair.connect_as(Serializer::V2, 1, None);
    let fast_v1 = pair.connect_as(Serializer::V1, 1, None);
    pair.join(slow, "1", "icpt:a");
    pair.join(fast, "1", "icpt:a");
    pair.send(fast_v1, r#"{"topic":"icpt:a","event":"phx_join","payload":{},"ref":"1"}"#);
    pair.forget();

    pair.broadcast_mixed("icpt:a", "icpt", r#"{"n":1}"#, &[fast, fast_v1]);

    pair.expect(slow, [r#"["1",null,"icpt:a","icpt_out",{"n":1}]"#]);
    pair.expect(fast, [r#"[null,null,"icpt:a","icpt",{"n":1}]"#]);
    pair.expect(fast_v1, [r#"{"topic":"icpt:a","event":"icpt","payload":{"n":1},"ref":null}"#]);
}

#[test]
fn each_serializer_gets_its_own_form() {
    let mut pair = Pair::new();
    let v2 = pair.connect();
    let v1 = pair.connect_as(Serializer::V1, 0, None);
    pair.join(v2, "1", "room:a");
    pair.send(v1, r#"{"topic":"room:a","event":"phx_join","payload":{},"ref":"1"}"#);
    pair.forget();

    pair.broadcast("room:a", "news", r#"{"k":1}"#, None);

    pair.expect(v2, [r#"[null,null,"room:a","news",{"k":1}]"#]);
    pair.expect(v1, [r#"{"topic":"room:a","event":"news","payload":{"k":1},"ref":null}"#]);
}

/// A broadcast of a channel that gets its own copy too.
fn broadcast_by(pair: &mut Pair, by: ChannelId, topic: &str, event: &str) -> [Vec<String>; 2] {
    let broadcast = Broadcast::new(Topic::from(topic), event, json(r#"{"n":1}"#)).expect("can be encoded");
    let (mut sends, mut fanouts) = (Vec::new(), Vec::new());
    pair.server.broadcast_by(by, &broadcast, pair.now);
    while let Some(output) = pair.server.poll_output() {
        if let Output::Send { to, frame } = &output {
            let peer = pair.server.handle(*to).expect("it is connected");
            sends.push(format!("{peer} << {}", String::from_utf8_lossy(frame.body())));
        }
        if let Output::Fanout(fanout) = &output {
            fanouts.extend(pair.server.recipients(fanout).map(|(peer, _)| format!("{peer}")));
        }
        if let Output::Call { call, event: Event::Out { event, .. }, .. } = &output {
            let whose = pair.channels().iter().position(|other| *other == call.channel());
            sends.push(format!("channel {} out {event}", whose.expect("it is known")));
        }
    }
    [sends, fanouts]
}

#[test]
fn own_copy_of_a_publisher_is_sent_apart_from_those_of_the_others() {
    let mut pair = Pair::new();
    let (ann, bob, eve) = (pair.connect(), pair.connect(), pair.connect());
    let by = pair.joined(ann, "1", "room:a");
    pair.joined(bob, "1", "room:a");
    pair.joined(eve, "1", "room:b");

    let [sends, fanouts] = broadcast_by(&mut pair, by, "room:a", "msg");

    assert_eq!(sends, [r#"0 << [null,null,"room:a","msg",{"n":1}]"#]);
    assert_eq!(fanouts, ["1"]);
}

#[test]
fn publisher_that_is_alone_gets_its_copy_in_the_form_of_its_serializer() {
    let mut pair = Pair::new();
    let ann = pair.connect_as(Serializer::V1, 0, None);
    pair.send(ann, r#"{"topic":"room:a","event":"phx_join","payload":{},"ref":"1"}"#);
    pair.forget();
    let by = pair.channel(ann, "room:a");

    let [sends, fanouts] = broadcast_by(&mut pair, by, "room:a", "msg");

    assert_eq!(sends.len(), 1, "{sends:?}");
    let (_, copy) = sends[0].split_once(" << ").expect("a frame");
    let copy: serde_json::Value = serde_json::from_str(copy).expect("JSON");
    let expected =
        serde_json::json!({ "topic": "room:a", "event": "msg", "payload": { "n": 1 }, "ref": null });
    assert_eq!(copy, expected);
    assert_eq!(fanouts, [""; 0]);
}

#[test]
fn own_copy_of_an_event_that_is_intercepted_goes_to_handle_out() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    let by = pair.joined(ann, "1", "icpt:a");
    pair.joined(bob, "1", "icpt:a");

    let [calls, fanouts] = broadcast_by(&mut pair, by, "icpt:a", "icpt");

    assert_eq!(calls, ["channel 1 out icpt", "channel 0 out icpt"]);
    assert_eq!(fanouts, [""; 0]);
}

#[test]
fn publisher_that_is_no_member_gets_no_copy() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    pair.joined(bob, "1", "room:a");
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    pair.forget();
    let joining = pair.channel(ann, "room:a");

    let [sends, fanouts] = broadcast_by(&mut pair, joining, "room:a", "msg");

    assert_eq!(sends, [""; 0]);
    assert_eq!(fanouts, ["1"]);
}

#[test]
fn publisher_on_another_topic_gets_a_copy_only_as_a_member_of_that() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    let by = pair.joined(ann, "1", "room:a");
    pair.joined(bob, "1", "room:b");

    assert_eq!(broadcast_by(&mut pair, by, "room:b", "msg"), [vec![], vec!["1".to_owned()]]);

    pair.joined(ann, "2", "room:b");
    let [sends, mut fanouts] = broadcast_by(&mut pair, by, "room:b", "msg");
    fanouts.sort_unstable();
    assert_eq!(sends, [""; 0]);
    assert_eq!(fanouts, ["0", "1"]);
}

/// The channel that a fan-out leaves out.
fn left_out(pair: &mut Pair, topic: &str, from: ChannelId) -> Option<ChannelId> {
    let broadcast = Broadcast::new(Topic::from(topic), "msg", json("{}")).expect("can be encoded");
    pair.server.broadcast(&broadcast, Some(from), pair.now);
    let Some(Output::Fanout(fanout)) = pair.server.poll_output() else { panic!("somebody is on the topic") };
    fanout.from()
}

#[test]
fn fanout_names_whom_it_leaves_out_and_nobody_who_would_not_get_it_anyway() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    let old = pair.joined(ann, "1", "room:a");
    let beside = pair.joined(ann, "2", "room:b");
    pair.joined(bob, "1", "room:a");

    assert_eq!(left_out(&mut pair, "room:a", old), Some(old));
    assert_eq!(left_out(&mut pair, "room:a", beside), None);

    // Its terminate runs while its client is there anew.
    pair.park_terminate = true;
    pair.send(ann, r#"["1","3","room:a","phx_leave",{}]"#);
    let new = pair.joined(ann, "4", "room:a");
    assert_eq!(left_out(&mut pair, "room:a", old), None);
    assert_eq!(left_out(&mut pair, "room:a", new), Some(new));
}

/// What a broadcast says to a driver before anybody is visited: members, and whether all are recipients.
fn fanout(pair: &mut Pair, topic: &str, event: &str) -> Option<(usize, bool)> {
    let broadcast = Broadcast::new(Topic::from(topic), event, json("{}")).expect("can be encoded");
    pair.server.broadcast(&broadcast, None, pair.now);
    let mut fanouts = std::iter::from_fn(|| pair.server.poll_output()).filter_map(|output| {
        if let Output::Fanout(fanout) = output { Some((fanout.members(), fanout.is_uniform())) } else { None }
    });
    let first = fanouts.next();
    assert_eq!(fanouts.count(), 0, "one for all");
    first
}

#[test]
fn fanout_says_how_many_have_joined_and_whether_all_of_them_get_whatever_comes() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    // The other mount routes the same topic to a channel that intercepts nothing.
    let eve = pair.connect_as(Serializer::V2, 1, None);
    for peer in [ann, bob, eve] {
        pair.joined(peer, "1", "room:a");
    }
    pair.joined(ann, "2", "icpt:a");
    assert_eq!(fanout(&mut pair, "room:a", "news"), Some((3, true)));
    assert_eq!(fanout(&mut pair, "icpt:a", "news"), Some((1, false)));
    assert_eq!(fanout(&mut pair, "icpt:a", "icpt"), None, "all members intercept it");

    pair.joined(eve, "2", "icpt:a");

    assert_eq!(fanout(&mut pair, "icpt:a", "icpt"), Some((2, false)));

    pair.disconnect(ann);
    assert_eq!(fanout(&mut pair, "icpt:a", "icpt"), Some((1, true)));
}

#[test]
fn binary_broadcast_reaches_v2_members_and_skips_the_others() {
    let mut pair = Pair::new();
    let v2 = pair.connect();
    let v1 = pair.connect_as(Serializer::V1, 0, None);
    pair.join(v2, "1", "room:a");
    pair.send(v1, r#"{"topic":"room:a","event":"phx_join","payload":{},"ref":"1"}"#);
    pair.forget();

    let bytes = Payload::binary(&b"\x01\x02"[..]);
    let broadcast = Broadcast::new(Topic::from("room:a"), "bin", bytes).expect("V2 carries bytes");
    pair.broadcast_value(&broadcast, None);

    pair.expect(v2, ["[02, 06, 03, 72, 6f, 6f, 6d, 3a, 61, 62, 69, 6e, 01, 02]"]);
    pair.expect(v1, []);
    assert!(pair.is_open(v1));
}

#[test]
fn payload_that_no_serializer_carries_fails_its_publisher() {
    for payload in ["1", "null", "[]", r#""text""#] {
        let broadcast = Broadcast::new(Topic::from("room:a"), "news", json(payload));
        assert_eq!(broadcast.err(), Some(EncodeError::NotAnObject), "{payload}");
    }
}

#[test]
fn thousand_members_of_both_serializers_share_two_frames() {
    let mut mount = Mount { limits: Limits::default(), ..Mount::default() };
    let route = mount.router.add("room:*", &[]).unwrap();
    assert_eq!(mount.router.route("room:a"), Some(route));
    let mut server: Server<usize, ()> =
        Server::new(Config { shard: 0, hash_key: (0, 0), mounts: vec![mount] });
    let now = Instant::EPOCH;
    let join = Serializer::V2.decode(Kind::Text, br#"["1","1","room:a","phx_join",{}]"#).unwrap();
    for handle in 0..1000 {
        let serializer = Serializer::ALL[handle % 2];
        let socket = server.connect(SocketConfig { handle, serializer, mount: 0, id: None }, now);
        server.receive(socket, &join, now);
        while let Some(output) = server.poll_output() {
            if let Output::Call { call, .. } = output {
                let reply = Frame::new(Kind::Text, b"{}");
                server.done(call, Outcome::Joined { reply, next: None }, now);
            }
        }
    }

    let mut broadcast = Broadcast::new(Topic::from("room:a"), "news", Payload::empty()).unwrap();
    broadcast.encode(Serializer::V1);
    server.broadcast(&broadcast, None, now);
    let Some(Output::Fanout(fanout)) = server.poll_output() else { panic!("one output for all") };
    assert!(server.poll_output().is_none());

    let mut handles = Vec::new();
    for (&handle, serializer) in server.recipients(&fanout) {
        assert_eq!(serializer, Serializer::ALL[handle % 2]);
        let shared = fanout.frame(serializer).unwrap().body().as_ptr();
        assert_eq!(
            shared,
            broadcast.frame(serializer).unwrap().body().as_ptr(),
            "encoded once, by the publisher"
        );
        handles.push(handle);
    }
    handles.sort_unstable();
    assert_eq!(handles, (0..1000).collect::<Vec<_>>());
}
