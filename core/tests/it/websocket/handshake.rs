use bennu_core::websocket::handshake::*;
use http::header::{self, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn request() -> Request<()> {
    Request::get("/socket/websocket?vsn=2.0.0")
        .header("host", "localhost")
        .header("connection", "keep-alive, Upgrade")
        .header("upgrade", "WebSocket")
        .header("sec-websocket-key", KEY)
        .header("sec-websocket-version", "13")
        .body(())
        .expect("all parts are valid")
}

fn without(header: HeaderName) -> Request<()> {
    let mut request = request();
    request.headers_mut().remove(header);
    request
}

fn with(header: HeaderName, value: &'static str) -> Request<()> {
    let mut request = request();
    request.headers_mut().insert(header, HeaderValue::from_static(value));
    request
}

fn refusal(request: &Request<()>) -> String {
    check_upgrade(request).expect_err("the request lacks something").to_string()
}

#[test]
fn a_request_with_all_headers_is_answered_101() {
    let accept = check_upgrade(&request()).unwrap();

    let answer = response(&accept, Some("conf.v1"));

    assert_eq!(answer.status(), 101);
    let expected = [
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("sec-websocket-protocol", "conf.v1"),
    ];
    assert_eq!(answer.headers().len(), expected.len());
    for (name, value) in expected {
        assert_eq!(answer.headers()[name], value);
    }
}

#[test]
fn without_a_subprotocol_the_answer_names_none() {
    let accept = check_upgrade(&request()).unwrap();

    assert!(!response(&accept, None).headers().contains_key("sec-websocket-protocol"));
    assert!(!response(&accept, Some("a\r\nb: c")).headers().contains_key("sec-websocket-protocol"));
}

#[test]
fn a_missing_header_is_named() {
    assert_eq!(refusal(&without(header::HOST)), "'host' header must be present");
    assert_eq!(refusal(&without(header::CONNECTION)), "'connection' header must contain 'upgrade', got []");
    assert_eq!(refusal(&without(header::UPGRADE)), "'upgrade' header must contain 'websocket', got []");
    assert_eq!(refusal(&without(header::SEC_WEBSOCKET_KEY)), "'sec-websocket-key' header must be present");
    assert_eq!(
        refusal(&without(header::SEC_WEBSOCKET_VERSION)),
        "'sec-websocket-version' header must be '13', got []"
    );
}

#[test]
fn a_wrong_header_is_named_and_shown() {
    let cases = [
        (
            header::CONNECTION,
            "keep-alive",
            r#"'connection' header must contain 'upgrade', got ["keep-alive"]"#,
        ),
        (
            header::UPGRADE,
            "websockets, h2c",
            r#"'upgrade' header must contain 'websocket', got ["websockets, h2c"]"#,
        ),
        (header::SEC_WEBSOCKET_VERSION, "8", r#"'sec-websocket-version' header must be '13', got ["8"]"#),
        (
            header::SEC_WEBSOCKET_VERSION,
            "13, 8",
            r#"'sec-websocket-version' header must be '13', got ["13, 8"]"#,
        ),
        (header::HOST, "", "'host' header must be present"),
    ];
    for (header, value, text) in cases {
        assert_eq!(refusal(&with(header, value)), text);
    }
}

#[test]
fn headers_are_looked_at_in_the_order_of_phoenix() {
    let mut request = Request::new(());
    let order = [
        header::HOST,
        header::CONNECTION,
        header::UPGRADE,
        header::SEC_WEBSOCKET_KEY,
        header::SEC_WEBSOCKET_VERSION,
    ];

    for name in order {
        assert!(refusal(&request).starts_with(&format!("'{name}'")), "{name}");
        let value = self::request().headers()[&name].clone();
        request.headers_mut().insert(name, value);
    }
    assert!(check_upgrade(&request).is_ok());
}

#[test]
fn a_key_is_sixteen_bytes_in_base64() {
    // The last one has bits set that no byte needs, as clients send that pick 22 digits at random.
    for key in [KEY, "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAB=="] {
        assert!(check_upgrade(&with(header::SEC_WEBSOCKET_KEY, key)).is_ok(), "{key}");
    }
    for key in [
        "AAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAA!A==",
        "x",
    ] {
        let error = check_upgrade(&with(header::SEC_WEBSOCKET_KEY, key)).unwrap_err();
        assert_eq!(error, UpgradeError::InvalidKey { found: vec![key.to_owned()] });
    }
}

#[test]
fn a_repeated_key_is_refused() {
    let mut request = request();
    request.headers_mut().append(header::SEC_WEBSOCKET_KEY, HeaderValue::from_static(KEY));

    assert!(matches!(check_upgrade(&request), Err(UpgradeError::InvalidKey { .. })));
}

#[test]
fn a_repeated_version_is_refused_and_of_hosts_the_first_counts() {
    let mut twice = request();
    twice.headers_mut().append(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    let mut hosts = with(header::HOST, "");
    hosts.headers_mut().append(header::HOST, HeaderValue::from_static("localhost"));

    assert_eq!(refusal(&twice), r#"'sec-websocket-version' header must be '13', got ["13", "13"]"#);
    assert_eq!(refusal(&hosts), "'host' header must be present");
}

#[test]
fn a_token_may_be_on_any_line_of_its_header() {
    let mut request = with(header::CONNECTION, "keep-alive");
    request.headers_mut().append(header::CONNECTION, HeaderValue::from_static("x,UPGRADE"));

    assert!(check_upgrade(&request).is_ok());
}

fn client_request(key: &ClientKey, subprotocols: Option<&HeaderValue>) -> Request<()> {
    let mut request = Request::new(());
    *request.headers_mut() = request_headers(key, subprotocols);
    request.headers_mut().insert(header::HOST, HeaderValue::from_static("localhost"));
    request
}

#[test]
fn the_two_sides_agree() {
    let key = ClientKey::new(*b"the sample nonce");
    assert_eq!(key.as_str(), KEY);
    let offered = HeaderValue::from_static("conf.v1, conf.v2");

    let accept = check_upgrade(&client_request(&key, Some(&offered))).unwrap();

    for chosen in [None, Some("conf.v1"), Some("conf.v2")] {
        assert_eq!(check_response(&response(&accept, chosen), &key, Some(&offered)), Ok(()));
    }
}

#[test]
fn a_client_refuses_an_answer_that_is_wrong_in_any_header() {
    let key = ClientKey::new([1; 16]);
    let accept = check_upgrade(&client_request(&key, None)).unwrap();
    let answer = |header: HeaderName, value: &'static str| -> Response<()> {
        let mut answer = response(&accept, None);
        answer.headers_mut().insert(header, HeaderValue::from_static(value));
        answer
    };
    let found = |value: &str| vec![value.to_owned()];

    let cases = [
        (answer(header::UPGRADE, "h2c"), ResponseError::Upgrade { found: found("h2c") }),
        (answer(header::CONNECTION, "close"), ResponseError::Connection { found: found("close") }),
        (answer(header::SEC_WEBSOCKET_ACCEPT, KEY), ResponseError::Accept { found: found(KEY) }),
        (answer(header::SEC_WEBSOCKET_EXTENSIONS, "x"), ResponseError::Extension { found: found("x") }),
        (answer(header::SEC_WEBSOCKET_PROTOCOL, "x"), ResponseError::Subprotocol { found: found("x") }),
    ];
    for (answer, error) in cases {
        assert_eq!(check_response(&answer, &key, None), Err(error));
    }

    let mut forbidden = response(&accept, None);
    *forbidden.status_mut() = StatusCode::FORBIDDEN;
    assert_eq!(
        check_response(&forbidden, &key, None),
        Err(ResponseError::Status { found: StatusCode::FORBIDDEN })
    );
}

#[test]
fn wrong_answers_read_as_sentences() {
    let error = ResponseError::Upgrade { found: vec!["h2c".to_owned()] };
    assert_eq!(error.to_string(), r#"'upgrade' header must contain 'websocket', got ["h2c"]"#);
    let error = ResponseError::Status { found: StatusCode::FORBIDDEN };
    assert_eq!(error.to_string(), "the status must be 101, got 403");
}
