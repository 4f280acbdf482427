//! What an older release of Phoenix does otherwise.

use crate::pair::Pair;
use bennu_core::connect::{Carrier, Options, Scheme};
use bennu_core::longpoll::{Answer, Request, examine};
use bennu_core::{Compat, Serializer};
use http::StatusCode;

#[test]
fn crash_has_no_reason_in_1_8_9() {
    let mut pair = Pair::following(Compat::Phoenix1_8_9);
    let (ann, old) = (pair.connect(), pair.connect_as(Serializer::V1, 0, None));
    pair.join(ann, "1", "room:a");
    pair.send(old, r#"{"topic":"room:a","event":"phx_join","payload":{},"ref":"1"}"#);
    pair.forget();

    pair.send(ann, r#"["1","2","room:a","crash",{}]"#);
    pair.send(old, r#"{"topic":"room:a","event":"crash","payload":{},"ref":"2"}"#);

    pair.expect(ann, [r#"["1","1","room:a","phx_error",{}]"#]);
    pair.expect(old, [r#"{"topic":"room:a","event":"phx_error","payload":{},"ref":null}"#]);
}

#[test]
fn null_join_ref_is_for_a_channel_joined_with_null_in_1_8_9_and_that_takes_any() {
    for (stored, sent, taken) in [
        (r#""1""#, r#""1""#, true),
        (r#""1""#, r#""9""#, false),
        (r#""1""#, "null", false),
        (r#""1""#, "1", false),
        ("null", "null", true),
        ("null", r#""x""#, true),
        ("null", r#""j""#, true),
        ("1", "1", true),
    ] {
        let mut pair = Pair::following(Compat::Phoenix1_8_9);
        let ann = pair.connect();
        pair.send(ann, &format!(r#"[{stored},"j","room:a","phx_join",{{}}]"#));
        for event in ["echo", "phx_leave"] {
            pair.forget();
            pair.send(ann, &format!(r#"[{sent},"m","room:a","{event}",{{}}]"#));
            assert_eq!(!pair.frames(ann).is_empty(), taken, "joined with {stored}, sent {event} with {sent}");
        }
    }
}

/// M, as it was recorded on 1.8.9.
#[test]
fn channel_joined_without_a_join_ref_hears_all_in_1_8_9() {
    let mut pair = Pair::following(Compat::Phoenix1_8_9);
    let ann = pair.connect();

    pair.send(ann, r#"[null,"28","room:n","phx_join",{}]"#);
    pair.send(ann, r#"["whatever","29","room:n","echo",{}]"#);
    pair.send(ann, r#"["zz","30","room:n","phx_leave",{}]"#);

    pair.expect(
        ann,
        [
            r#"[null,"28","room:n","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["28","29","room:n","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["28","30","room:n","phx_reply",{"status":"ok","response":{}}]"#,
            r#"[null,null,"room:n","phx_close",{}]"#,
        ],
    );
}

#[test]
fn token_in_a_header_is_not_looked_for_in_1_8_9() {
    let request = |method: &str| {
        let request = http::Request::builder().method(method).uri("/?token=from-query");
        let request = request.header("x-phoenix-longpoll-token", "from-header").body(()).unwrap();
        let options = Options { compat: Compat::Phoenix1_8_9, ..Options::default() };
        let carrier = Carrier { peer: None, scheme: Scheme::Http };
        examine(&request.into_parts().0, carrier, &options).unwrap()
    };

    let Request::Poll { token, .. } = request("GET") else { panic!("a GET is a poll") };
    assert_eq!(token.as_deref(), Some("from-query"));
    assert!(matches!(request("POST"), Request::Post { token: Some(token), .. } if token == "from-query"));
}

#[test]
fn answers_may_be_stored_in_1_8_9() {
    for answer in [
        Answer::Opened { token: "t" },
        Answer::Empty { token: "t" },
        Answer::Accepted,
        Answer::Forbidden,
        Answer::Error { status: StatusCode::BAD_REQUEST, body: String::new() },
    ] {
        let response = answer.into_response(Compat::Phoenix1_8_9);
        assert_eq!(response.headers().get("cache-control"), None);
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
    }
}
