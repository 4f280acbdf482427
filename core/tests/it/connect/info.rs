use super::{PLAIN, TLS, get};
use bennu_core::connect::{Carrier, ConnectInfo, ConnectInfoKeys, RequestUri, Scheme};
use http::HeaderValue;

fn all() -> ConnectInfoKeys {
    ConnectInfoKeys::new()
        .peer_data()
        .uri()
        .user_agent()
        .x_headers()
        .trace_context_headers()
        .sec_websocket_headers()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn request() -> http::request::Parts {
    get(
        "/info_socket/websocket?a=1&vsn=2.0.0",
        &[
            ("X-Foo", "bar"),
            ("Host", "conf.test:81"),
            ("X-Two", "2"),
            ("User-Agent", "conf/1"),
            ("traceparent", "00-abc-def-01"),
            ("tracestate", "a=b"),
            ("traceparent-not", "no"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "key"),
            ("Other", "no"),
            ("Xray", "no"),
        ],
    )
}

#[test]
fn everything_asked_for_is_there() {
    let carrier = Carrier { peer: Some("127.0.0.1:5000".parse().unwrap()), ..PLAIN };

    let info = ConnectInfo::collect(all(), &request(), carrier);

    assert_eq!(info.peer_data(), carrier.peer);
    assert_eq!(info.user_agent(), Some("conf/1"));
    assert_eq!(info.x_headers(), pairs(&[("x-foo", "bar"), ("x-two", "2")]));
    assert_eq!(
        info.trace_context_headers(),
        pairs(&[("traceparent", "00-abc-def-01"), ("tracestate", "a=b")])
    );
    assert_eq!(
        info.sec_websocket_headers(),
        pairs(&[("sec-websocket-version", "13"), ("sec-websocket-key", "key")])
    );
    assert_eq!(
        info.uri(),
        Some(&RequestUri {
            scheme: Scheme::Http,
            host: "conf.test".to_owned(),
            port: 81,
            path: "/info_socket/websocket".to_owned(),
            query: "a=1&vsn=2.0.0".to_owned(),
        })
    );
    assert_eq!(info.auth_token(), None);
}

#[test]
fn each_key_brings_its_own_fact_and_no_other() {
    let carrier = Carrier { peer: Some("127.0.0.1:5000".parse().unwrap()), ..PLAIN };
    let new = ConnectInfoKeys::new;
    let keys = [
        new().peer_data(),
        new().uri(),
        new().user_agent(),
        new().x_headers(),
        new().trace_context_headers(),
        new().sec_websocket_headers(),
    ];

    for (index, key) in keys.into_iter().enumerate() {
        let info = ConnectInfo::collect(key, &request(), carrier);
        let present = [
            info.peer_data().is_some(),
            info.uri().is_some(),
            info.user_agent().is_some(),
            !info.x_headers().is_empty(),
            !info.trace_context_headers().is_empty(),
            !info.sec_websocket_headers().is_empty(),
        ];
        let expected: [bool; 6] = std::array::from_fn(|n| n == index);
        assert_eq!(present, expected, "{key:?}");
        assert_eq!(info.keys(), key);
        assert!(all().contains(key) && !key.contains(all()));
    }
}

#[test]
fn nothing_asked_for_costs_two_words() {
    let info = ConnectInfo::collect(ConnectInfoKeys::new(), &request(), PLAIN);

    assert_eq!(info, ConnectInfo::default());
    assert_eq!(size_of::<ConnectInfo>(), 2 * size_of::<usize>());
}

#[test]
fn uri_falls_back_to_the_default_port_and_an_empty_host() {
    let uri = |target: &str, headers: &[(&str, &str)], carrier| {
        let info = ConnectInfo::collect(ConnectInfoKeys::new().uri(), &get(target, headers), carrier);
        let uri = info.uri().unwrap().clone();
        (uri.scheme.as_str(), uri.host, uri.port, uri.query)
    };

    assert_eq!(uri("/", &[("host", "a.test")], PLAIN), ("http", "a.test".to_owned(), 80, String::new()));
    assert_eq!(uri("/?", &[("host", "a.test")], TLS), ("https", "a.test".to_owned(), 443, String::new()));
    assert_eq!(uri("/", &[], PLAIN), ("http", String::new(), 80, String::new()));
    assert_eq!(uri("/", &[("host", "[::1]:81")], PLAIN), ("http", "[::1]".to_owned(), 81, String::new()));
    assert_eq!(uri("/?a=%ff", &[("host", "a:b:c")], PLAIN), ("http", String::new(), 80, "a=%ff".to_owned()));
}

#[test]
fn header_that_is_no_utf8_is_kept_with_replacement_characters() {
    let mut parts = get("/", &[]);
    parts.headers.insert("x-odd", HeaderValue::from_bytes(b"a\xffb").unwrap());
    parts.headers.append("x-odd", HeaderValue::from_static("again"));

    let info = ConnectInfo::collect(all(), &parts, PLAIN);

    assert_eq!(info.x_headers(), pairs(&[("x-odd", "a\u{fffd}b"), ("x-odd", "again")]));
}

#[test]
fn printing_leaves_out_what_may_be_secret() {
    let parts = get("/?token=s1", &[("x-api-token", "s2"), ("sec-websocket-key", "s3"), ("host", "a.test")]);
    let mut info = ConnectInfo::collect(all(), &parts, PLAIN);
    info.set_auth_token(Some("s4".to_owned()));

    let printed = format!("{info:?}");

    for secret in ["s1", "s2", "s3", "s4"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains("x-api-token") && printed.contains("a.test"), "{printed}");
    assert_eq!(info.auth_token(), Some(Some("s4")));
}
