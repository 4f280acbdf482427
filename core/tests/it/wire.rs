//! What the serializers take, refuse and write, beyond the vectors.

use bennu_core::wire::{DecodeError, DecodeLimits, EncodeError, Incoming, Outgoing, Serializer};
use bennu_core::{Frame, Kind, Message, Name, Payload, PayloadSlice, RawJson, Ref};
use std::borrow::Cow;

const V1: Serializer = Serializer::V1;
const V2: Serializer = Serializer::V2;

#[test]
fn empty_text_and_bare_whitespace_are_errors() {
    for serializer in Serializer::ALL {
        assert_eq!(serializer.decode(Kind::Text, b""), Err(DecodeError::Json { at: 0 }));
        assert_eq!(serializer.decode(Kind::Text, b"  "), Err(DecodeError::Json { at: 2 }));
    }
}

#[test]
fn whitespace_may_stand_anywhere_and_that_of_the_payload_is_kept() {
    let text = " [ \"1\" ,\tnull\r\n,\"room:x\", \"e\" , { \"a\" : 1 } ] \n";
    let message = V2.decode_text(text).unwrap();

    assert_eq!(message.join_ref, Some(Ref::text("1")));
    assert_eq!(message.msg_ref, None);
    assert_eq!(message.payload, PayloadSlice::Json("{ \"a\" : 1 }"));
}

#[test]
fn text_that_is_not_utf8_is_an_error() {
    for serializer in Serializer::ALL {
        let decoded = serializer.decode(Kind::Text, b"[null,null,\"t\",\"e\",\"\xff\"]");
        assert_eq!(decoded, Err(DecodeError::NotUtf8 { field: "text" }));
    }
}

#[test]
fn byte_order_mark_is_an_error() {
    let text = "\u{feff}[null,null,\"t\",\"e\",{}]";
    assert_eq!(V2.decode_text(text), Err(DecodeError::Json { at: 0 }));
}

#[test]
fn v1_reads_a_binary_frame_as_json() {
    let frame = br#"{"topic":"t","event":"e","payload":{},"ref":"1"}"#;

    assert_eq!(V1.decode(Kind::Binary, frame), V1.decode(Kind::Text, frame));
    assert_eq!(V1.decode(Kind::Binary, b"\x00\x00\x00\x00\x00"), Err(DecodeError::Json { at: 0 }));
}

#[test]
fn names_without_escapes_are_borrowed() {
    let message = V2.decode_text(r#"[null,null,"room:é","\u0065",{}]"#).unwrap();

    assert!(matches!(message.topic, Name::Text(Cow::Borrowed("room:é"))));
    assert!(matches!(message.event, Name::Text(Cow::Owned(event)) if event == "e"));
}

#[test]
fn a_ref_of_64_bytes_fits_and_one_of_65_does_not() {
    for (text_len, fits) in [(62, true), (63, false), (10_000, false)] {
        let value = "x".repeat(text_len);
        let frames = [
            (V2, format!(r#"["{value}",null,"t","e",{{}}]"#)),
            (V2, format!(r#"[null,"{value}","t","e",{{}}]"#)),
            (V1, format!(r#"{{"topic":"t","event":"e","payload":{{}},"ref":"{value}"}}"#)),
            (V1, format!(r#"{{"topic":"t","event":"e","payload":{{}},"ref":null,"join_ref":"{value}"}}"#)),
        ];
        for (serializer, text) in frames {
            let decoded = serializer.decode_text(&text);
            assert_eq!(decoded.is_ok(), fits, "{text}");
            assert!(fits || decoded == Err(DecodeError::RefTooLong));
        }
    }
    let frame = [b"\x00\x00\x3f\x00\x00", "x".repeat(63).as_bytes()].concat();
    assert_eq!(V2.decode(Kind::Binary, &frame), Err(DecodeError::RefTooLong));
}

#[test]
fn a_payload_is_127_levels_deep_and_the_message_is_the_128th() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let v1 = |payload: String| format!(r#"{{"topic":"t","event":"e","payload":{payload},"ref":null}}"#);
    let v2 = |payload: String| format!(r#"[null,null,"t","e",{payload}]"#);

    assert!(V1.decode_text(&v1(nested(127))).is_ok());
    assert!(V2.decode_text(&v2(nested(127))).is_ok());
    assert_eq!(V1.decode_text(&v1(nested(128))), Err(DecodeError::TooDeep));
    assert_eq!(V2.decode_text(&v2(nested(128))), Err(DecodeError::TooDeep));
}

/// A message with a ref of so many bytes of JSON, and one with such a join ref, for each serializer; and in a binary frame.
fn messages_with_refs_of(len: usize) -> Vec<(Serializer, Kind, Vec<u8>)> {
    let value = "x".repeat(len - 2);
    let texts = [
        (V2, format!(r#"["{value}",null,"t","e",{{}}]"#)),
        (V2, format!(r#"[null,"{value}","t","e",{{}}]"#)),
        (V2, format!(r#"[null,{},"t","e",{{}}]"#, "1".repeat(len))),
        (V1, format!(r#"{{"topic":"t","event":"e","payload":{{}},"ref":"{value}"}}"#)),
        (V1, format!(r#"{{"topic":"t","event":"e","payload":{{}},"ref":null,"join_ref":"{value}"}}"#)),
    ];
    let mut messages: Vec<_> =
        texts.into_iter().map(|(serializer, text)| (serializer, Kind::Text, text.into_bytes())).collect();
    if let Ok(field) = u8::try_from(value.len()) {
        for lens in [[field, 0], [0, field]] {
            let head = [0, lens[0], lens[1], 0, 0];
            messages.push((V2, Kind::Binary, [&head[..], value.as_bytes()].concat()));
        }
    }
    messages
}

#[test]
fn how_long_a_ref_may_be_is_a_setting_and_never_more_than_255_bytes() {
    for max_ref in [3, 63, 64, 65, 255] {
        let limits = DecodeLimits { max_ref, ..DecodeLimits::default() };
        let max = usize::from(max_ref);
        for len in [2, max, max + 1, 256, 100_000] {
            for (serializer, kind, data) in messages_with_refs_of(len) {
                let decoded = serializer.decode_within(kind, &data, limits).map(|_| ());
                let expected = if len <= max { Ok(()) } else { Err(DecodeError::RefTooLong) };
                assert_eq!(decoded, expected, "{max_ref} {len} {kind:?}");
            }
        }
    }
}

#[test]
fn how_deep_a_message_may_be_is_a_setting_between_2_and_128() {
    for (max_depth, max) in [(0, 2), (1, 2), (2, 2), (3, 3), (64, 64), (127, 127), (128, 128), (255, 128)] {
        let limits = DecodeLimits { max_depth, ..DecodeLimits::default() };
        for depth in [2, max, max + 1, 129, 100_000] {
            let nested = "[".repeat(depth - 1) + &"]".repeat(depth - 1);
            let v1 = format!(r#"{{"topic":"t","event":"e","payload":{nested},"ref":null}}"#);
            for (serializer, text) in [(V1, v1), (V2, format!(r#"[null,null,"t","e",{nested}]"#))] {
                let decoded = serializer.decode_text_within(&text, limits).map(|_| ());
                let expected = if depth <= max { Ok(()) } else { Err(DecodeError::TooDeep) };
                assert_eq!(decoded, expected, "{max_depth} {depth}");
            }
        }
    }
}

#[test]
fn a_client_can_read_the_longest_ref_that_a_server_returns() {
    let longest = Ref::text(&"x".repeat(253));
    let (text, bytes) = (json("{}"), Payload::binary(vec![1]));
    for (serializer, response) in [(V1, &text), (V2, &text), (V2, &bytes)] {
        let frame = reply(serializer, None, Some(&longest), "ok", response).unwrap();
        let decoded = serializer.decode_from_server(frame.kind(), frame.body()).unwrap();

        let Incoming::Reply(reply) = decoded else { panic!("{decoded:?} is no reply") };
        assert_eq!(reply.msg_ref.as_ref(), Some(&longest));
    }
}

#[test]
fn a_hundred_thousand_open_brackets_are_too_deep() {
    for open in ["[", "{\"\":"] {
        let nested = open.repeat(100_000);
        assert_eq!(V2.decode_text(&format!("[null,null,\"t\",\"e\",{nested}")), Err(DecodeError::TooDeep));
        assert_eq!(V1.decode_text(&format!("{{\"payload\":{nested}")), Err(DecodeError::TooDeep));
        // Also where no message starts.
        assert_eq!(V1.decode_text(&"[".repeat(100_000)), Err(DecodeError::TooDeep));
    }
}

#[test]
fn a_client_can_read_the_reply_that_returns_the_deepest_payload() {
    let deepest = "[".repeat(127) + &"]".repeat(127);
    let response = json(&deepest);
    for serializer in Serializer::ALL {
        let frame = reply(serializer, None, None, "ok", &response).unwrap();
        let decoded = serializer.decode_from_server(Kind::Text, frame.body()).unwrap();

        let Incoming::Reply(reply) = decoded else { panic!("{decoded:?} is no reply") };
        assert_eq!(reply.response, PayloadSlice::Json(&deepest));
    }
}

#[test]
fn a_reply_without_response_has_null_and_one_without_status_is_a_message() {
    let decode = |payload| {
        let frame = format!(r#"[null,"1","t","phx_reply",{payload}]"#);
        match V2.decode_from_server(Kind::Text, frame.as_bytes()).unwrap() {
            Incoming::Reply(reply) => Some((reply.status.into_owned(), reply.response.to_payload())),
            Incoming::Message(_) => None,
        }
    };

    assert_eq!(decode(r#"{"status":"ok"}"#), Some(("ok".to_owned(), json("null"))));
    assert_eq!(
        decode(r#"{ "x" : 1, "st\u0061tus" : "\u006fk" , "response" : [2] }"#),
        Some(("ok".to_owned(), json("[2]")))
    );
    for payload in ["{}", "[]", "null", r#""ok""#, r#"{"status":1,"response":{}}"#, r#"{"response":{}}"#] {
        assert_eq!(decode(payload), None, "{payload}");
    }
}

#[test]
fn pushes_and_broadcasts_on_v2_are_objects_or_bytes() {
    for text in ["1", "null", "[]", "\"{}\""] {
        let payload = json(text);
        assert_eq!(push(V2, "t", "e", &payload), Err(EncodeError::NotAnObject));
        assert_eq!(broadcast(V2, "t", "e", &payload), Err(EncodeError::NotAnObject));
        assert!(push(V1, "t", "e", &payload).is_ok());
        assert!(broadcast(V1, "t", "e", &payload).is_ok());
        for serializer in Serializer::ALL {
            assert!(reply(serializer, None, None, "ok", &payload).is_ok());
        }
    }
    let object = json(" {\"a\":1}");
    assert!(push(V2, "t", "e", &object).is_ok());
}

#[test]
fn v1_has_no_binary_messages() {
    let bytes = Payload::binary(vec![1]);

    assert_eq!(push(V1, "t", "e", &bytes), Err(EncodeError::BinaryOnV1));
    assert_eq!(broadcast(V1, "t", "e", &bytes), Err(EncodeError::BinaryOnV1));
    assert_eq!(reply(V1, None, None, "ok", &bytes), Err(EncodeError::BinaryOnV1));
    assert_eq!(V1.encode_from_client(&client_push("t", "e")), Err(EncodeError::BinaryOnV1));
}

#[test]
fn fields_of_255_bytes_fit_in_a_binary_frame_and_256_do_not() {
    let bytes = Payload::binary(vec![1]);
    // The limit counts bytes: 127 characters of two, and one or two more.
    let (fits, long) = ("é".repeat(127) + "x", "é".repeat(128));
    let error = |field| EncodeError::FieldTooLong { field, len: 256 };

    assert!(push(V2, &fits, &fits, &bytes).is_ok());
    assert!(reply(V2, None, None, &fits, &bytes).is_ok());
    assert!(V2.encode_from_client(&client_push(&fits, &fits)).is_ok());
    assert_eq!(push(V2, &long, "e", &bytes), Err(error("topic")));
    assert_eq!(push(V2, "t", &long, &bytes), Err(error("event")));
    assert_eq!(broadcast(V2, &long, "e", &bytes), Err(error("topic")));
    assert_eq!(broadcast(V2, "t", &long, &bytes), Err(error("event")));
    assert_eq!(reply(V2, None, None, &long, &bytes), Err(error("status")));
    assert_eq!(V2.encode_from_client(&client_push(&long, "e")), Err(error("topic")));
    assert_eq!(V2.encode_from_client(&client_push("t", &long)), Err(error("event")));
    assert!(push(V2, &long, &long, &Payload::empty()).is_ok());
}

#[test]
fn refs_and_names_in_binary_frames_are_strings() {
    let bytes = Payload::binary(vec![1]);
    let number = Ref::from_json("7").unwrap();
    let (join_ref, msg_ref) = (Some(&number), Some(&number));
    let topic = Name::Other("7");

    let expected = EncodeError::RefNotText { field: "join_ref" };
    assert_eq!(reply(V2, join_ref, None, "ok", &bytes), Err(expected));
    let expected = EncodeError::RefNotText { field: "ref" };
    assert_eq!(reply(V2, None, msg_ref, "ok", &bytes), Err(expected));
    assert!(reply(V2, join_ref, msg_ref, "ok", &Payload::empty()).is_ok());
    let outgoing =
        Outgoing::Reply { join_ref: None, msg_ref: None, topic: &topic, status: "ok", response: &bytes };
    assert_eq!(V2.encode(&outgoing), Err(EncodeError::NameNotText { field: "topic" }));
    let message = Message { event: Name::Other("null"), ..client_push("t", "e") };
    assert_eq!(V2.encode_from_client(&message), Err(EncodeError::NameNotText { field: "event" }));
}

#[test]
fn refs_in_binary_frames_are_unescaped() {
    let join_ref = Ref::from_json(r#""\u00e9\"""#).unwrap();
    let frame = reply(V2, Some(&join_ref), None, "ok", &Payload::binary(vec![1])).unwrap();

    assert_eq!(frame.body(), b"\x01\x03\x00\x01\x02\xc3\xa9\"tok\x01");
}

#[test]
fn an_empty_ref_from_a_client_is_a_string_and_not_null() {
    let message = V2.decode(Kind::Binary, b"\x00\x00\x00\x01\x01te").unwrap();

    assert_eq!(message.join_ref, Some(Ref::text("")));
    assert_eq!(message.msg_ref, Some(Ref::text("")));
}

#[test]
fn every_prefix_of_a_binary_frame_is_an_error() {
    let bytes = Payload::binary(vec![]);
    let one = Ref::text("1");
    let server = [
        push(V2, "topic", "event", &bytes).unwrap(),
        reply(V2, Some(&one), Some(&one), "ok", &bytes).unwrap(),
        broadcast(V2, "topic", "event", &bytes).unwrap(),
    ];
    let truncated = |len: usize, found: usize, error: DecodeError| {
        let DecodeError::Truncated { needed, found: said } = error else { panic!("{error}") };
        assert!(found < needed && needed <= len && said == found);
    };
    for frame in &server {
        for len in 0..frame.body().len() {
            let prefix = &frame.body()[..len];
            let error = V2.decode_from_server(Kind::Binary, prefix).unwrap_err();
            truncated(frame.body().len(), len, error);
        }
    }
    let (_, frame) = V2.encode_from_client(&client_push("topic", "event")).unwrap();
    let frame = &frame[..frame.len() - 1];
    for len in 0..frame.len() {
        truncated(frame.len(), len, V2.decode(Kind::Binary, &frame[..len]).unwrap_err());
    }
    assert!(V2.decode(Kind::Binary, frame).is_ok());
}

#[test]
fn a_frame_is_allocated_at_its_exact_size() {
    // What has to be escaped counts with its escapes, also in the websocket header's length.
    let topic = "room:\"\\\u{1}é\n";
    for serializer in Serializer::ALL {
        let frame = broadcast(serializer, topic, "e", &Payload::empty()).unwrap();
        let header = frame.as_websocket();
        assert_eq!(header[..2], [0x81, u8::try_from(frame.body().len()).unwrap()]);
        let decoded = serializer.decode_from_server(Kind::Text, frame.body()).unwrap();
        assert!(matches!(decoded, Incoming::Message(message) if message.topic == *topic));
    }
}

#[test]
fn errors_read_as_sentences() {
    assert_eq!(DecodeError::Json { at: 7 }.to_string(), "the text is not JSON at byte 7");
    let error = EncodeError::FieldTooLong { field: "topic", len: 256 };
    assert_eq!(error.to_string(), "topic has 256 bytes, and a binary frame has room for 255");
}

fn json(text: &str) -> Payload {
    Payload::from(RawJson::parse(text).unwrap())
}

fn push(serializer: Serializer, topic: &str, event: &str, payload: &Payload) -> Result<Frame, EncodeError> {
    serializer.encode(&Outgoing::Push {
        join_ref: Some(&Ref::text("1")),
        msg_ref: None,
        topic,
        event,
        payload,
    })
}

fn broadcast(
    serializer: Serializer,
    topic: &str,
    event: &str,
    payload: &Payload,
) -> Result<Frame, EncodeError> {
    serializer.encode(&Outgoing::Broadcast { topic, event, payload })
}

fn reply(
    serializer: Serializer,
    join_ref: Option<&Ref>,
    msg_ref: Option<&Ref>,
    status: &str,
    response: &Payload,
) -> Result<Frame, EncodeError> {
    let topic = Name::from("t");
    serializer.encode(&Outgoing::Reply { join_ref, msg_ref, topic: &topic, status, response })
}

fn client_push<'a>(topic: &'a str, event: &'a str) -> Message<'a> {
    Message {
        join_ref: Some(Ref::text("1")),
        msg_ref: Some(Ref::text("2")),
        topic: Name::from(topic),
        event: Name::from(event),
        payload: PayloadSlice::Binary(&[1]),
    }
}

#[test]
fn names_of_a_push_or_broadcast_have_at_most_1024_bytes() {
    let payload = Payload::empty();
    for serializer in Serializer::ALL {
        let encode = |topic: usize, event: usize| {
            let (topic, event) = ("t".repeat(topic), "e".repeat(event));
            serializer.encode(&Outgoing::Broadcast { topic: &topic, event: &event, payload: &payload })
        };

        assert!(encode(1024, 1024).is_ok());
        assert_eq!(encode(1025, 1), Err(EncodeError::NameTooLong { field: "topic", len: 1025 }));
        assert_eq!(encode(1, 100_000), Err(EncodeError::NameTooLong { field: "event", len: 100_000 }));
    }
}
