//! Conversations recorded from Phoenix, frame for frame: the golden traces, as 1.8.12 has them.
//!
//! The answer to `terminating` is `{}` here; the recorded application put its reason there.

use crate::pair::{App, Pair};
use bennu_core::Kind;
use bennu_core::server::Limits;
use bennu_core::wire::Serializer;

fn golden() -> (Pair, usize) {
    let mut pair = Pair::new();
    pair.app = App::Golden;
    let ann = pair.connect();
    (pair, ann)
}

/// A peer that joined `room:a` with `"1"`, and its application's greetings taken.
fn in_room_a() -> (Pair, usize) {
    let (mut pair, ann) = golden();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"k":1}]"#);
    pair.forget();
    (pair, ann)
}

#[test]
fn join() {
    let (mut pair, ann) = golden();

    pair.send(ann, r#"["1","1","room:a","phx_join",{"k":1}]"#);

    pair.expect(
        ann,
        [
            r#"["1","1","room:a","phx_reply",{"response":{"echo":{"k":1}},"status":"ok"}]"#,
            r#"[null,null,"room:a","entered",{}]"#,
            r#"["1",null,"room:a","joined",{}]"#,
        ],
    );
}

#[test]
fn broadcast_then_push_then_reply_from_one_handler() {
    let (mut pair, ann) = in_room_a();

    pair.send(ann, r#"["1","8","room:a","bcast",{"b":1}]"#);

    pair.expect(
        ann,
        [
            r#"[null,null,"room:a","bc",{"b":1}]"#,
            r#"["1",null,"room:a","after_bc",{}]"#,
            r#"["1","8","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
        ],
    );
}

#[test]
fn the_same_with_an_intercepted_event() {
    let (mut pair, ann) = golden();
    pair.send(ann, r#"["1","1","icpt:a","phx_join",{}]"#);
    pair.forget();

    pair.send(ann, r#"["1","9","icpt:a","icpt",{"b":1}]"#);

    pair.expect(
        ann,
        [
            r#"["1",null,"icpt:a","after_icpt",{}]"#,
            r#"["1","9","icpt:a","phx_reply",{"response":{},"status":"ok"}]"#,
            r#"["1",null,"icpt:a","icpt_out",{"b":1}]"#,
        ],
    );
}

#[test]
fn binary_push_broadcast_and_reply_from_one_handler() {
    let (mut pair, ann) = in_room_a();

    pair.send_frame(ann, Kind::Binary, b"\x00\x01\x02\x06\x03110room:abin\x01\x02\x03");

    let expected: [&[u8]; 3] = [
        b"\x00\x01\x06\x071room:abinpush\x01\x02\x03",
        b"\x02\x06\x05room:abinbc\x01\x02\x03",
        b"\x01\x01\x02\x06\x02110room:aok\x01\x02\x03",
    ];
    assert_eq!(pair.frames(ann), expected.map(|bytes| format!("{bytes:02x?}")));
}

#[test]
fn duplicate_join_stale_leave_leave_again_and_a_message_after_it() {
    let (mut pair, ann) = in_room_a();

    pair.send(ann, r#"["2","11","room:a","phx_join",{"dup":1}]"#);
    pair.expect(
        ann,
        [
            r#"["2","11","room:a","phx_reply",{"response":{"echo":{"dup":1}},"status":"ok"}]"#,
            r#"["1","1","room:a","phx_close",{}]"#,
            r#"[null,null,"room:a","entered",{}]"#,
            r#"["2",null,"room:a","joined",{}]"#,
        ],
    );
    pair.send(ann, r#"["1","12","room:a","phx_leave",{}]"#);
    pair.expect(ann, []);
    pair.send(ann, r#"["2","13","room:a","phx_leave",{}]"#);
    pair.expect(
        ann,
        [
            r#"["2","13","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
            r#"["2","2","room:a","phx_close",{}]"#,
            r#"["2",null,"room:a","terminating",{}]"#,
        ],
    );
    pair.send(ann, r#"["2","14","room:a","phx_leave",{}]"#);
    pair.send(ann, r#"["2","15","room:a","echo",{}]"#);
    pair.expect(
        ann,
        [
            r#"["2","14","room:a","phx_reply",{"response":{},"status":"ok"}]"#,
            r#"[null,"15","room:a","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]"#,
        ],
    );
}

#[test]
fn refusals() {
    let mut pair = Pair::with(Limits { max_channels: 2, ..Limits::default() });
    pair.app = App::Golden;
    let ann = pair.connect();
    pair.joined(ann, "1", "room:1");
    pair.joined(ann, "2", "exact");
    pair.send(ann, r#"["14","35","room:4","phx_join",{}]"#);
    pair.expect(
        ann,
        [r#"["14","35","room:4","phx_reply",{"response":{"reason":"too many channels joined"},"status":"error"}]"#],
    );
    pair.send(ann, r#"["2","15","exact","phx_leave",{}]"#);
    pair.forget();

    for (sent, expected) in [
        (
            r#"["3","16","room:deny","phx_join",{}]"#,
            r#"["3","16","room:deny","phx_reply",{"response":{"reason":"no"},"status":"error"}]"#,
        ),
        (
            r#"["4","17","nope","phx_join",{}]"#,
            r#"[null,"17","nope","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]"#,
        ),
        (
            r#"["5","18","room:boom","phx_join",{}]"#,
            r#"["5","18","room:boom","phx_reply",{"response":{"reason":"join crashed"},"status":"error"}]"#,
        ),
    ] {
        pair.send(ann, sent);
        pair.expect(ann, [expected]);
    }
}

#[test]
fn stop_with_a_reply() {
    let (mut pair, ann) = golden();
    pair.joined(ann, "6", "exact");

    pair.send(ann, r#"["6","21","exact","stop",{}]"#);

    pair.expect(
        ann,
        [
            r#"["6","21","exact","phx_reply",{"response":{"bye":1},"status":"ok"}]"#,
            r#"["6","6","exact","phx_close",{}]"#,
            r#"["6",null,"exact","terminating",{}]"#,
        ],
    );
}

#[test]
fn crash_end_without_a_stop_and_stop_with_a_bad_reason() {
    for (join_ref, event, reply) in
        [("8", "crash", None), ("9", "exitnormal", None), ("10", "badstop", Some("27"))]
    {
        let (mut pair, ann) = golden();
        pair.joined(ann, join_ref, "room:c");

        pair.send(ann, &format!(r#"["{join_ref}","27","room:c","{event}",{{}}]"#));

        let mut expected: Vec<_> = reply
            .map(|r| {
                format!(r#"["{join_ref}","{r}","room:c","phx_reply",{{"response":{{}},"status":"error"}}]"#)
            })
            .into_iter()
            .collect();
        expected.push(format!(r#"["{join_ref}",null,"room:c","terminating",{{}}]"#));
        expected.push(format!(
            r#"["{join_ref}","{join_ref}","room:c","phx_error",{{"reason":"channel_crash"}}]"#
        ));
        assert_eq!(pair.frames(ann), expected);
    }
}

#[test]
fn join_without_a_join_ref_whose_strangers_1_8_12_drops() {
    let (mut pair, ann) = golden();

    pair.send(ann, r#"[null,"28","room:n","phx_join",{}]"#);
    pair.expect(
        ann,
        [
            r#"[null,"28","room:n","phx_reply",{"response":{"echo":{}},"status":"ok"}]"#,
            r#"[null,null,"room:n","entered",{}]"#,
            r#"["28",null,"room:n","joined",{}]"#,
        ],
    );
    pair.send(ann, r#"["whatever","29","room:n","echo",{}]"#);
    pair.send(ann, r#"["zz","31","room:n","phx_leave",{}]"#);
    pair.expect(ann, []);
    pair.send(ann, r#"[null,"32","room:n","phx_leave",{}]"#);
    pair.expect(
        ann,
        [
            r#"["28","32","room:n","phx_reply",{"response":{},"status":"ok"}]"#,
            r#"[null,null,"room:n","phx_close",{}]"#,
            r#"["28",null,"room:n","terminating",{}]"#,
        ],
    );
}

#[test]
fn v1_with_a_join_ref() {
    let mut pair = Pair::new();
    let ann = pair.connect_as(Serializer::V1, 0, None);

    pair.send(ann, r#"{"topic":"room:b","event":"phx_join","payload":{},"ref":"8","join_ref":"77"}"#);
    pair.send(ann, r#"{"topic":"room:b","event":"crash","payload":{},"ref":"11","join_ref":"77"}"#);

    pair.expect(
        ann,
        [
            r#"{"event":"phx_reply","payload":{"response":{},"status":"ok"},"ref":"8","topic":"room:b"}"#,
            r#"{"event":"phx_error","payload":{"reason":"channel_crash"},"ref":"77","topic":"room:b"}"#,
        ],
    );
}

#[test]
fn v1_second_join_closes_the_first_in_a_way_that_cannot_be_told_from_its_own() {
    let mut pair = Pair::new();
    let ann = pair.connect_as(Serializer::V1, 0, None);

    for n in 1..=2 {
        pair.send(ann, &format!(r#"{{"topic":"room:b","event":"phx_join","payload":{{}},"ref":"{n}"}}"#));
    }

    pair.expect(
        ann,
        [
            r#"{"event":"phx_reply","payload":{"response":{},"status":"ok"},"ref":"1","topic":"room:b"}"#,
            r#"{"event":"phx_reply","payload":{"response":{},"status":"ok"},"ref":"2","topic":"room:b"}"#,
            r#"{"event":"phx_close","payload":{},"ref":null,"topic":"room:b"}"#,
        ],
    );
}
