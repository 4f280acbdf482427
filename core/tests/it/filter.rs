//! What may be printed, and what may not.

use bennu_core::connect::{Carrier, Options, Params, PathVariables, Scheme, examine};
use bennu_core::longpoll::{self, Answer, Encoding};
use bennu_core::wire::Serializer;
use bennu_core::{Frame, Kind, ParameterFilter, Payload, PayloadSlice, RawJson};
use proptest::prelude::*;
use serde_json::{Value, json};

fn payload(text: &str) -> Payload {
    RawJson::parse(text).unwrap().into()
}

fn filtered(filter: &ParameterFilter, text: &str) -> String {
    let printed = format!("{:?}", filter.payload(&payload(text)));
    printed.strip_prefix("Json(").unwrap().strip_suffix(')').unwrap().to_owned()
}

#[test]
fn secrets_of_a_payload_are_left_out_at_any_depth_and_the_rest_is_as_it_was() {
    let text = r#" {"a" : [ 1, {"Password" : "s1", "b":{"user_secret":["s2",{"x":"s3"}]}} ], "token":12345 ,"n":-1.50} "#;

    let printed = filtered(&ParameterFilter::default(), text);

    let expected = r#"{"a" : [ 1, {"Password":"[FILTERED]", "b":{"user_secret":"[FILTERED]"}} ], "token":"[FILTERED]" ,"n":-1.50}"#;
    assert_eq!(printed.trim(), expected);
}

#[test]
fn key_that_is_written_with_escapes_is_the_key_that_it_stands_for() {
    assert_eq!(
        filtered(&ParameterFilter::default(), r#"{"pass\u0077ord":"s1","\"":"token"}"#),
        r#"{"pass\u0077ord":"[FILTERED]","\"":"token"}"#
    );
}

#[test]
fn text_that_names_a_secret_and_its_value_is_left_out() {
    let filter = ParameterFilter::default();

    assert_eq!(
        filtered(&filter, r#"["/login?Password=s1","a token\u003ds2","token = none",{"u":"secret=s3"}]"#),
        r#"["[FILTERED]","[FILTERED]","token = none",{"u":"[FILTERED]"}]"#
    );
    let params = Params::from_query("back=%2Flogin%3Ftoken%3Ds1").unwrap();
    assert_eq!(format!("{params:?}"), r#"{"back": [FILTERED]}"#);
}

#[test]
fn words_can_be_chosen_and_replace_the_default() {
    let filter = ParameterFilter::discard(["PIN"]);

    assert_eq!(
        filtered(&filter, r#"{"pin":1,"Shipping":2,"token":3}"#),
        r#"{"pin":"[FILTERED]","Shipping":"[FILTERED]","token":3}"#
    );
    let params = Params::from_query("pin=s1&token=3").unwrap();
    assert_eq!(format!("{:?}", filter.params(&params)), r#"{"pin": [FILTERED], "token": "3"}"#);
    assert_eq!(filtered(&ParameterFilter::discard([""; 0]), r#"{"token":"3"}"#), r#"{"token":"3"}"#);
}

// R291
#[test]
fn filter_that_keeps_shows_nothing_else() {
    let filter = ParameterFilter::keep(["id", "page"]);

    assert_eq!(
        filtered(
            &filter,
            r#"{"id":{"token":[1,"two"]},"page":3,"ids":4,"a":[5,null,"x",{"page":true,"b":false}]}"#
        ),
        r#"{"id":{"token":[1,"two"]},"page":3,"ids":"[FILTERED]","a":["[FILTERED]","[FILTERED]","[FILTERED]",{"page":true,"b":"[FILTERED]"}]}"#
    );
    let params = Params::from_query("id[token]=1&a[page]=2&a[b]=3&l[]=4").unwrap();
    assert_eq!(
        format!("{:?}", filter.params(&params)),
        r#"{"a": {"b": [FILTERED], "page": "2"}, "id": {"token": "1"}, "l": [[FILTERED]]}"#
    );
}

#[test]
fn nothing_that_may_carry_a_secret_prints_it() {
    let text = r#"["1","2","room:a","sign_in",{"user":{"password":"hunter2"}}]"#;
    let message = Serializer::V2.decode(Kind::Text, text.as_bytes()).unwrap();
    let request = http::Request::get("/socket/websocket?token=hunter2&a[][secret]=hunter2");
    let request = request.header("sec-websocket-protocol", "phoenix, base64url.bearer.phx.aHVudGVyMg");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let options = Options { auth_token: true, ..Options::default() };
    let carrier = Carrier { peer: None, scheme: Scheme::Http };
    let admission = examine(&parts, PathVariables::default(), carrier, &options).unwrap();
    assert_eq!(admission.info.auth_token(), Some(Some("hunter2")));

    let frame = Frame::new(Kind::Text, text.as_bytes());
    let json = RawJson::parse(r#"{"token":"hunter2"}"#).unwrap();
    let printed = format!("{message:?} {:?} {frame:?} {json:?} {admission:#?}", message.payload.to_payload());

    assert!(!printed.contains("hunter2") && !printed.contains("aHVudGVyMg"), "{printed}");
    assert_eq!(printed.matches("[FILTERED]").count(), 6, "{printed}");
}

#[test]
fn neither_tokens_nor_bodies_of_long_polls_are_printed() {
    let read = |method, query| {
        let request = http::Request::builder().method(method).uri(format!("/socket/longpoll?{query}"));
        let (parts, ()) =
            request.header("x-phoenix-longpoll-token", "hunter2").body(()).unwrap().into_parts();
        let carrier = Carrier { peer: None, scheme: Scheme::Http };
        longpoll::examine(&parts, carrier, &Options::default()).unwrap()
    };
    let body = "[\"1\",\"1\",\"a\",\"b\",{\"password\":\"hunter2\"}]\naHVudGVyMg==".as_bytes();
    let frames = [Frame::new(Kind::Text, br#"{"token":"hunter2"}"#)];
    let answers = [
        Answer::Opened { token: "hunter2" },
        Answer::Messages { token: "hunter2", frames: &frames },
        Answer::Empty { token: "hunter2" },
    ];

    let data = Encoding::Batch.read(&body.into(), longpoll::BodyLimits::default()).unwrap();
    let printed =
        format!("{:?} {:?} {answers:?}", read("GET", "token=hunter2"), read("POST", "token=hunter2"));

    assert!(!printed.contains("hunter2"), "{printed}");
    assert_eq!(printed.matches("[FILTERED]").count(), 7, "{printed}");
    assert_eq!(format!("{data:?}"), "[Data { kind: Text, len: 40 }, Data { kind: Binary, len: 7 }]");
}

#[test]
fn bytes_are_printed_as_they_are_wherever_they_lie() {
    let bytes = b"a\"\0\xff";

    for printed in
        [format!("{:?}", Payload::binary(&bytes[..])), format!("{:?}", PayloadSlice::Binary(bytes))]
    {
        assert_eq!(printed, r#"Binary(b"a\"\x00\xff")"#);
    }
}

#[test]
fn of_what_is_no_json_nothing_is_printed_from_there_on() {
    let printed = |text: &str| format!("{:?}", Frame::new(Kind::Text, text.as_bytes()));

    assert_eq!(printed("password:xyz"), "Frame([FILTERED])");
    assert_eq!(printed("[1,xyz,2]"), "Frame([1,[FILTERED])");
    assert_eq!(printed(r#"{"a":'xyz'}"#), r#"Frame({"a":[FILTERED])"#);
    assert_eq!(printed("[1]\u{a0}2"), "Frame([1][FILTERED])");
    assert_eq!(printed("[ 1 ,\t2\r\n]"), "Frame([ 1 ,\t2\r\n])");
}

/// JSON values whose secrets are all under `token`.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z\"\\\\\u{1}é]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[ab\"\\\\]{0,2}|token", inner, 0..4)
                .prop_map(|entries| entries.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

fn without_tokens(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_tokens).collect(),
        Value::Object(entries) => entries
            .into_iter()
            .map(|(key, value)| {
                let value = if key == "token" { json!("[FILTERED]") } else { without_tokens(value) };
                (key, value)
            })
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_the_same_json_without_its_secrets(value in value()) {
        let printed = filtered(&ParameterFilter::default(), &value.to_string());

        prop_assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), without_tokens(value));
    }

    #[test]
    fn no_frame_is_too_broken_to_be_printed(text in r#"[\[\]{}:,"\\a-z0-9 -]{0,40}"#) {
        let _ = format!("{:?}", Frame::new(Kind::Text, text.as_bytes()));
    }
}
