use super::{PLAIN, admit, get};
use bennu_core::connect::{
    CheckOrigin, ConnectInfo, LimitError, Limits, Options, PathVariables, QueryError, Refusal, Vsn, examine,
};
use http::Method;
use proptest::prelude::*;

/// Everything that can go wrong is set up so that it would.
fn strict() -> Options {
    Options {
        check_origin: CheckOrigin::hosts(["//good.test"]).unwrap(),
        subprotocols: Some(vec!["conf.v1".to_owned()]),
        auth_token: true,
        ..Options::default()
    }
}

#[test]
fn first_check_that_fails_decides() {
    let bad_origin = ("origin", "http://evil.test");
    let bad_token = ("sec-websocket-protocol", "mqtt, base64url.bearer.phx.!");
    let bad_protocol = ("sec-websocket-protocol", "mqtt");
    let long = format!("/?a=%ff&{}", "b".repeat(9_000));
    let refusal = |method: Method, target: &str, headers: &[(&str, &str)]| {
        let mut parts = get(target, headers);
        parts.method = method;
        admit(&parts, &strict()).unwrap_err()
    };

    let target = refusal(Method::POST, &long, &[bad_origin, bad_token]);
    assert_eq!((target.status().as_u16(), matches!(target, Refusal::Limit(_))), (414, true));
    let method = refusal(Method::POST, "/?a=%ff", &[bad_origin, bad_token]);
    assert_eq!((method.status().as_u16(), method), (400, Refusal::Method(Method::POST)));
    let query = refusal(Method::GET, "/?a=%ff", &[bad_origin, bad_token]);
    assert!(query.status() == 400 && matches!(query, Refusal::Query(QueryError::Percent(_))));
    let origin = refusal(Method::GET, "/?vsn=9", &[bad_origin, bad_token]);
    assert!(origin.status() == 403 && matches!(origin, Refusal::Origin(_)));
    let token = refusal(Method::GET, "/?vsn=9", &[bad_token]);
    assert!(token.status() == 400 && matches!(token, Refusal::AuthToken(_)));
    let protocol = refusal(Method::GET, "/?vsn=9", &[bad_protocol]);
    assert!(protocol.status() == 403 && matches!(protocol, Refusal::Subprotocol(_)));
}

#[test]
fn other_methods_are_400_with_an_empty_body() {
    for method in [Method::POST, Method::PUT, Method::HEAD, Method::OPTIONS, Method::CONNECT, Method::DELETE]
    {
        let mut parts = get("/socket/websocket?vsn=2.0.0", &[]);
        parts.method = method.clone();

        let refusal = admit(&parts, &Options::default()).unwrap_err();

        assert_eq!(refusal, Refusal::Method(method));
        assert_eq!((refusal.status().as_u16(), refusal.body().as_str()), (400, ""));
    }
}

#[test]
fn refused_origin_has_an_empty_body_and_a_reason_for_the_log() {
    let refusal = admit(&get("/", &[("origin", "http://evil.test")]), &strict()).unwrap_err();

    assert_eq!(refusal.body(), "");
    assert!(refusal.to_string().contains("http://evil.test"));
}

#[test]
fn body_repeats_nothing_that_was_sent() {
    let refusal = admit(&get("/?token=hunter2%ff", &[]), &strict()).unwrap_err();

    assert_eq!(refusal.status(), 400);
    assert!(!refusal.body().is_empty() && !refusal.body().contains("hunter2"));
    assert!(!format!("{refusal:?} {refusal}").contains("hunter2"));
}

#[test]
fn plain_get_without_upgrade_headers_is_admitted() {
    let admission = admit(&get("/socket/websocket?vsn=2.0.0&token=x", &[]), &Options::default()).unwrap();

    assert_eq!(admission.params.str("token"), Some("x"));
    assert_eq!(admission.subprotocol, None);
    assert_eq!(admission.info, ConnectInfo::default());
}

#[test]
fn vsn_is_absent_a_text_or_something_else() {
    let vsn_is = |query: &str, expected: Vsn<'_>| {
        let admission = admit(&get(&format!("/?{query}"), &[]), &Options::default()).unwrap();
        assert_eq!(admission.vsn(), expected, "{query}");
    };

    vsn_is("", Vsn::Absent);
    vsn_is("vsn=2.0.0", Vsn::Text("2.0.0"));
    vsn_is("vsn", Vsn::Text(""));
    vsn_is("vsn=+2.0.0", Vsn::Text(" 2.0.0"));
    vsn_is("vsn[]=2.0.0", Vsn::NotText);
    vsn_is("vsn[a]=2.0.0", Vsn::NotText);
}

#[test]
fn target_is_bounded_at_8_kib() {
    let target = |len: usize| format!("/?{}", "a".repeat(len - 2));

    assert!(admit(&get(&target(8_192), &[]), &Options::default()).is_ok());
    for len in [8_193, 60_000] {
        let refusal = admit(&get(&target(len), &[]), &Options::default()).unwrap_err();
        assert_eq!((refusal.status().as_u16(), refusal), (414, Refusal::Limit(LimitError::Target { len })));
    }
}

#[test]
fn header_block_is_bounded_at_16_kib() {
    // `x: ` and the line's end take 5 bytes.
    let block = |len: usize| get("/", &[("x", "a".repeat(len - 5).as_str())]);

    assert!(admit(&block(16_384), &Options::default()).is_ok());
    for len in [16_385, 1_000_000] {
        let refusal = admit(&block(len), &Options::default()).unwrap_err();
        assert_eq!(
            (refusal.status().as_u16(), refusal),
            (431, Refusal::Limit(LimitError::HeaderBlock { len }))
        );
    }
}

#[test]
fn headers_are_bounded_at_64_with_repetitions_counted() {
    let repeated = |count: usize| get("/", &vec![("x", "1"); count]);

    assert!(admit(&repeated(64), &Options::default()).is_ok());
    for count in [65, 10_000] {
        let refusal = admit(&repeated(count), &Options::default()).unwrap_err();
        assert_eq!(
            (refusal.status().as_u16(), refusal),
            (431, Refusal::Limit(LimitError::Headers { count }))
        );
    }
}

#[test]
fn limits_are_settings() {
    let options = Options { limits: Limits { headers: 100, ..Limits::default() }, ..Options::default() };

    assert!(admit(&get("/", &[("x", "1"); 100]), &options).is_ok());
    assert!(admit(&get("/", &[("x", "1"); 101]), &options).is_err());
}

proptest! {
    #[test]
    fn no_request_panics(
        target in "/[a-z%/]{0,20}\\?[a-z0-9%&=\\[\\]+]{0,60}",
        headers in prop::collection::vec((0..6_usize, "[ -~]{0,40}"), 0..12),
    ) {
        let names = ["origin", "host", "sec-websocket-protocol", "x-a", "user-agent", "traceparent"];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (names[*name], value.as_str())).collect();
        if let Ok(request) = http::Request::get(target.as_str()).body(()) {
            let (mut parts, ()) = request.into_parts();
            parts.headers = get("/", &headers).headers;

            if let Err(refusal) = examine(&parts, PathVariables::default(), PLAIN, &strict()) {
                prop_assert!(refusal.status().is_client_error());
            }
        }
    }
}
