//! What holds for every message: decode ∘ encode = id, for both sides; and nothing panics.

use bennu_core::wire::{Incoming, Outgoing, Reply, Serializer};
use bennu_core::{Kind, Message, Name, Payload, PayloadSlice, RawJson, Ref};
use proptest::prelude::*;

const V1: Serializer = Serializer::V1;
const V2: Serializer = Serializer::V2;

proptest! {
    #[test]
    fn a_client_message_comes_back_as_text(
        join_ref in any_ref(),
        msg_ref in any_ref(),
        topic in any_name(),
        event in any_name(),
        payload in any_json(),
    ) {
        let message = Message {
            join_ref,
            msg_ref,
            topic: name(&topic),
            event: name(&event),
            payload: PayloadSlice::Json(&payload),
        };
        for serializer in Serializer::ALL {
            let (kind, frame) = serializer.encode_from_client(&message).unwrap();

            prop_assert_eq!(kind, Kind::Text);
            prop_assert_eq!(frame.len(), frame.capacity());
            prop_assert_eq!(serializer.decode(kind, &frame), Ok(message.clone()));
        }
    }

    #[test]
    fn a_client_message_comes_back_as_bytes(
        join_ref in text_ref(),
        msg_ref in text_ref(),
        topic in short_text(),
        event in short_text(),
        data in any::<Vec<u8>>(),
    ) {
        let message = Message {
            join_ref: join_ref.clone(),
            msg_ref: msg_ref.clone(),
            topic: Name::from(&*topic),
            event: Name::from(&*event),
            payload: PayloadSlice::Binary(&data),
        };
        let (kind, frame) = V2.encode_from_client(&message).unwrap();
        // No ref and the empty string are written alike, and read by a server as the latter.
        let empty = || Ref::text("");
        let expected = Message {
            join_ref: Some(join_ref.unwrap_or_else(empty)),
            msg_ref: Some(msg_ref.unwrap_or_else(empty)),
            ..message
        };

        prop_assert_eq!(kind, Kind::Binary);
        prop_assert_eq!(frame.len(), frame.capacity());
        prop_assert_eq!(V2.decode(kind, &frame), Ok(expected));
    }

    #[test]
    fn a_reply_comes_back_as_text(
        join_ref in any_ref(),
        msg_ref in any_ref(),
        topic in any_name(),
        status in any::<String>(),
        response in any_json(),
    ) {
        let topic = name(&topic);
        let payload = json(&response);
        for serializer in Serializer::ALL {
            let frame = serializer.encode(&Outgoing::Reply {
                join_ref: join_ref.as_ref(),
                msg_ref: msg_ref.as_ref(),
                topic: &topic,
                status: &status,
                response: &payload,
            }).unwrap();
            let expected = Incoming::Reply(Reply {
                join_ref: join_ref.clone().filter(|_| serializer == V2),
                msg_ref: msg_ref.clone(),
                topic: topic.clone(),
                status: (&*status).into(),
                response: PayloadSlice::Json(&response),
            });

            prop_assert_eq!(serializer.decode_from_server(Kind::Text, frame.body()), Ok(expected));
        }
    }

    #[test]
    fn a_push_and_a_broadcast_come_back_as_text(
        join_ref in any_ref(),
        msg_ref in any_ref(),
        topic in any::<String>(),
        event in any::<String>(),
        fields in prop::collection::vec((any::<String>(), any_json()), 0..4),
    ) {
        let fields: Vec<_> = fields
            .iter()
            .map(|(key, value)| format!("{}:{value}", serde_json::to_string(key).unwrap()))
            .collect();
        let text = format!("{{{}}}", fields.join(","));
        let payload = json(&text);
        for serializer in Serializer::ALL {
            let expected = |join_ref: Option<&Ref>, msg_ref: Option<&Ref>| {
                Ok(Incoming::Message(Message {
                    join_ref: join_ref.filter(|_| serializer == V2).cloned(),
                    msg_ref: msg_ref.cloned(),
                    topic: Name::from(&*topic),
                    event: Name::from(&*event),
                    payload: PayloadSlice::Json(&text),
                }))
            };
            let (join_ref, msg_ref) = (join_ref.as_ref(), msg_ref.as_ref());
            let (topic, event, payload) = (&*topic, &*event, &payload);
            let push = serializer.encode(&Outgoing::Push { join_ref, msg_ref, topic, event, payload }).unwrap();
            let broadcast = serializer.encode(&Outgoing::Broadcast { topic, event, payload }).unwrap();

            let decoded = serializer.decode_from_server(Kind::Text, push.body());
            prop_assert_eq!(decoded, expected(join_ref, msg_ref));
            let decoded = serializer.decode_from_server(Kind::Text, broadcast.body());
            prop_assert_eq!(decoded, expected(None, None));
        }
    }

    #[test]
    fn bytes_from_a_server_come_back(
        join_ref in text_ref(),
        msg_ref in text_ref(),
        topic in short_text(),
        event in short_text(),
        data in any::<Vec<u8>>(),
    ) {
        let payload = Payload::binary(data.clone());
        let not_empty = |value: &Option<Ref>| value.clone().filter(|value| *value != Ref::text(""));
        let message = |join_ref| Incoming::Message(Message {
            join_ref,
            msg_ref: None,
            topic: Name::from(&*topic),
            event: Name::from(&*event),
            payload: PayloadSlice::Binary(&data),
        });
        let name = Name::from(&*topic);
        let (payload, topic, event) = (&payload, &*topic, &*event);
        let cases = [
            (
                Outgoing::Push { join_ref: join_ref.as_ref(), msg_ref: None, topic, event, payload },
                message(not_empty(&join_ref)),
            ),
            (Outgoing::Broadcast { topic, event, payload }, message(None)),
            (
                Outgoing::Reply {
                    join_ref: join_ref.as_ref(),
                    msg_ref: msg_ref.as_ref(),
                    topic: &name,
                    status: event,
                    response: payload,
                },
                Incoming::Reply(Reply {
                    join_ref: not_empty(&join_ref),
                    msg_ref: not_empty(&msg_ref),
                    topic: name.clone(),
                    status: event.into(),
                    response: PayloadSlice::Binary(&data),
                }),
            ),
        ];
        for (outgoing, expected) in cases {
            let frame = V2.encode(&outgoing).unwrap();

            prop_assert_eq!(frame.kind(), Kind::Binary);
            prop_assert_eq!(V2.decode_from_server(Kind::Binary, frame.body()), Ok(expected));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in any::<Vec<u8>>(), kind in 0..4u8, header in any::<[u8; 4]>()) {
        let lengths = header.map(|len| len % 16);
        let likely = [&[kind], &lengths[..], &bytes].concat();
        for frame in [bytes, likely] {
            decode_every_way(&frame);
        }
    }

    #[test]
    fn arbitrary_fragments_never_panic(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "[", "]", "{", "}", ",", ":", "\"", "\\", "\\u", "d83d", "null", "1", "-", "\"t\"", "\"topic\"",
                "\"event\"", "\"payload\"", "\"ref\"", "\"join_ref\"", "\"phx_reply\"", "\"status\"", "é", " ",
            ]),
            0..40,
        ),
    ) {
        let text = parts.concat();
        decode_every_way(text.as_bytes());
        decode_every_way(format!("[null,null,\"t\",\"phx_reply\",{text}]").as_bytes());
    }

    #[test]
    fn what_v2_accepts_is_an_array_to_serde_json(text in "\\[(null|1|\"t\"|\\{\\}|,|\\]| ){3,16}\\]?") {
        let oracle = serde_json::from_str::<Vec<serde_json::Value>>(&text);
        let accepted = oracle.is_ok_and(|items| items.len() >= 5);

        prop_assert_eq!(V2.decode_text(&text).is_ok(), accepted, "{}", text);
    }
}

fn decode_every_way(frame: &[u8]) {
    for serializer in [V1, V2] {
        for kind in [Kind::Text, Kind::Binary] {
            let _ = serializer.decode(kind, frame);
            let _ = serializer.decode_from_server(kind, frame);
        }
    }
}

fn any_ref() -> impl Strategy<Value = Option<Ref>> {
    let json = prop::sample::select(vec!["1", "-0.5", "true", "[1,{}]", r#"{"a":1}"#, r#""\u0031""#]);
    prop_oneof![text_ref(), json.prop_map(Ref::from_json)]
}

fn text_ref() -> impl Strategy<Value = Option<Ref>> {
    prop::option::of(prop_oneof!["[0-9]{0,20}", "[é🚀\"\\\\\n]{0,8}"].prop_map(|text| Ref::text(&text)))
}

fn short_text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,40}", "[a-z:]{200,255}"]
}

/// The JSON of a topic or event: mostly a string.
fn any_name() -> impl Strategy<Value = String> {
    let other = prop::sample::select(vec!["null", "1", "[\"a\"]", "{\"a\":\"b\"}", "false"]);
    let text = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
    prop_oneof![4 => text, 1 => other.prop_map(str::to_owned)]
}

fn name(json: &str) -> Name<'_> {
    serde_json::from_str::<String>(json).map_or(Name::Other(json), |text| Name::Text(text.into()))
}

fn any_json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        any::<String>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    let tree = scalar.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    (tree, any::<bool>()).prop_map(|(value, pretty)| {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        text.unwrap()
    })
}

fn json(text: &str) -> Payload {
    Payload::from(RawJson::parse(text).unwrap())
}
