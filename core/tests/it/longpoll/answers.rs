use super::frame;
use bennu_core::longpoll::Answer;
use bennu_core::{Compat, Frame, Kind};
use http::HeaderValue;
use proptest::prelude::*;
use serde_json::{Value, json};

fn body(answer: Answer<'_>) -> String {
    let response = answer.into_response(Compat::default());
    assert_eq!(response.status(), 200);
    String::from_utf8(response.body().to_vec()).unwrap()
}

#[test]
fn answers_are_those_of_phoenix_to_the_byte() {
    // R140 to R147
    let token = "SFMyNTY.g2g";
    let frames = [frame(r#"[null,"1","phoenix","phx_reply",{"response":{},"status":"ok"}]"#), frame("[1]")];

    assert_eq!(body(Answer::Opened { token }), r#"{"messages":[],"status":410,"token":"SFMyNTY.g2g"}"#);
    assert_eq!(body(Answer::Empty { token }), r#"{"messages":[],"status":204,"token":"SFMyNTY.g2g"}"#);
    assert_eq!(
        body(Answer::Messages { token, frames: &frames }),
        concat!(
            r#"{"messages":["[null,\"1\",\"phoenix\",\"phx_reply\",{\"response\":{},\"status\":\"ok\"}]","[1]"],"#,
            r#""status":200,"token":"SFMyNTY.g2g"}"#
        )
    );
    assert_eq!(body(Answer::Accepted), r#"{"status":200}"#);
    assert_eq!(body(Answer::TimedOut), r#"{"status":408}"#);
    assert_eq!(body(Answer::Gone), r#"{"status":410}"#);
    assert_eq!(body(Answer::Forbidden), r#"{"status":403}"#);
}

#[test]
fn messages_are_strings_in_either_version_of_the_protocol() {
    let v1 = r#"{"topic":"room:a","event":"e","payload":{"x":"\n\u00e9é"},"ref":null}"#;
    let v2 = r#"[null,null,"room:a","e",{"x":"\n\u00e9é"}]"#;

    let text = body(Answer::Messages { token: "t", frames: &[frame(v1), frame(v2)] });

    let expected = json!({"messages": [v1, v2], "status": 200, "token": "t"});
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
}

#[test]
fn json_is_said_to_be_json_and_not_to_be_kept() {
    // R151
    for answer in [
        Answer::Opened { token: "t" },
        Answer::Empty { token: "t" },
        Answer::Messages { token: "t", frames: &[] },
        Answer::Accepted,
        Answer::TimedOut,
        Answer::Gone,
        Answer::Forbidden,
    ] {
        let response = answer.into_response(Compat::default());
        let headers = response.headers();
        assert_eq!(headers["content-type"], "application/json; charset=utf-8");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert_eq!(headers.len(), 3);
    }
}

#[test]
fn preflight_says_what_a_page_may_send() {
    // R149
    let response = Answer::Preflight { headers: HeaderValue::from_static("content-type, x-foo") }
        .into_response(Compat::default());

    let headers = response.headers();
    assert_eq!((response.status().as_u16(), response.body().len()), (200, 0));
    assert_eq!(headers["access-control-allow-headers"], "content-type, x-foo");
    assert_eq!(headers["access-control-allow-methods"], "get, post, options");
    assert_eq!(headers["access-control-max-age"], "3600");
    assert_eq!(headers["access-control-allow-origin"], "*");
}

#[test]
fn frame_that_is_no_utf_8_is_no_panic() {
    let text = body(Answer::Messages { token: "t", frames: &[Frame::new(Kind::Text, b"a\xffb")] });

    assert_eq!(text, "{\"messages\":[\"a\u{fffd}b\"],\"status\":200,\"token\":\"t\"}");
}

proptest! {
    #[test]
    fn any_texts_arrive_as_they_are(texts: Vec<String>, token: String) {
        let frames: Vec<Frame> = texts.iter().map(|text| frame(text)).collect();

        let text = body(Answer::Messages { token: &token, frames: &frames });

        let expected = json!({"messages": texts, "status": 200, "token": token});
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }
}
