use super::{admit, get};
use bennu_core::connect::{
    Admission, AuthTokenError, ConnectInfoKeys, Options, Refusal, decode_auth_token, encode_auth_token,
};
use http::HeaderValue;
use proptest::prelude::*;

fn speaking(subprotocols: &[&str]) -> Options {
    Options {
        subprotocols: Some(subprotocols.iter().map(|&name| name.to_owned()).collect()),
        ..Options::default()
    }
}

fn with_tokens() -> Options {
    Options { auth_token: true, ..Options::default() }
}

fn offer(options: &Options, line: &str) -> Result<Admission, Refusal> {
    admit(&get("/socket/websocket", &[("sec-websocket-protocol", line)]), options)
}

fn chosen(options: &Options, line: &str) -> Option<Option<String>> {
    match offer(options, line) {
        Ok(admission) => Some(admission.subprotocol),
        Err(refusal) => {
            assert!(matches!(refusal, Refusal::Subprotocol(_)), "{refusal:?}");
            assert_eq!((refusal.status().as_u16(), refusal.body().as_str()), (403, ""));
            None
        }
    }
}

#[test]
fn order_of_the_server_decides() {
    let conf = speaking(&["conf.v1", "conf.v2"]);

    assert_eq!(chosen(&conf, "conf.v2"), Some(Some("conf.v2".to_owned())));
    assert_eq!(chosen(&conf, "foo, conf.v2, conf.v1"), Some(Some("conf.v1".to_owned())));
    assert_eq!(chosen(&speaking(&["sip", "mqtt"]), "mqtt,sip"), Some(Some("sip".to_owned())));
}

#[test]
fn nothing_in_common_is_403() {
    let conf = speaking(&["conf.v1", "conf.v2"]);

    for line in ["foo", "CONF.V1", "conf.v1x", "", ", ,"] {
        assert_eq!(chosen(&conf, line), None, "{line:?}");
    }
    assert_eq!(chosen(&speaking(&[]), "foo"), None);
}

#[test]
fn who_asks_for_nothing_gets_nothing() {
    for options in [Options::default(), speaking(&["conf.v1"]), with_tokens()] {
        assert_eq!(admit(&get("/", &[]), &options).unwrap().subprotocol, None);
    }
}

#[test]
fn without_configured_subprotocols_the_offer_is_ignored() {
    assert_eq!(chosen(&Options::default(), "foo"), Some(None));
    let token = offer(&Options::default(), "phoenix, base64url.bearer.phx.dG9r").unwrap();
    assert_eq!((token.subprotocol, token.info.auth_token()), (None, None));
}

#[test]
fn only_the_first_line_is_read() {
    let parts = get("/", &[("sec-websocket-protocol", "foo"), ("sec-websocket-protocol", "conf.v1")]);

    assert!(matches!(admit(&parts, &speaking(&["conf.v1"])), Err(Refusal::Subprotocol(_))));
    assert_eq!(admit(&parts, &speaking(&["foo"])).unwrap().subprotocol.as_deref(), Some("foo"));
}

#[test]
fn auth_token_table() {
    // R38: (offer, token, response header); no answer means 403.
    let token = "base64url.bearer.phx.c2VjcmV0LXRva2VuLTE";
    let other = "base64url.bearer.phx.b3RoZXI";
    let secret = Some("secret-token-1");
    let phoenix = Some("phoenix");
    let rows = [
        (format!("phoenix, {token}"), Some((secret, phoenix))),
        (token.to_owned(), Some((secret, None))),
        ("phoenix".to_owned(), Some((None, phoenix))),
        (format!("phoenix, {token}, {other}"), Some((None, phoenix))),
        (format!("{token}, {other}"), None),
        ("mqtt".to_owned(), None),
        (format!("mqtt, {token}"), None),
    ];
    for (line, expected) in rows {
        let got = offer(&with_tokens(), &line).ok();
        let got = got.as_ref().map(|admission| {
            let token = admission.info.auth_token().expect("the mount takes tokens");
            (token, admission.subprotocol.as_deref())
        });
        assert_eq!(got, expected, "{line}");
    }

    let none = admit(&get("/", &[]), &with_tokens()).unwrap();
    assert_eq!((none.info.auth_token(), none.subprotocol), (Some(None), None));
}

#[test]
fn phoenix_comes_before_what_is_configured() {
    let options = Options { auth_token: true, ..speaking(&["conf.v1"]) };

    assert_eq!(chosen(&options, "conf.v1, phoenix"), Some(Some("phoenix".to_owned())));
    assert_eq!(chosen(&options, "conf.v1"), Some(Some("conf.v1".to_owned())));
}

#[test]
fn client_encodes_with_the_standard_alphabet_and_no_padding() {
    // R39
    assert_eq!(encode_auth_token("tok?>~"), "base64url.bearer.phx.dG9rPz5+");
    assert_eq!(encode_auth_token("a"), "base64url.bearer.phx.YQ");
}

#[test]
fn both_alphabets_decode_with_and_without_padding() {
    for (encoded, token) in [
        ("dG9rPz5+", "tok?>~"),
        ("dG9rPz5-", "tok?>~"),
        ("Pz8/", "???"),
        ("Pz8_", "???"),
        ("YQ", "a"),
        ("YQ==", "a"),
        ("", ""),
    ] {
        let entry = format!("base64url.bearer.phx.{encoded}");
        assert_eq!(decode_auth_token(&entry), Some(Ok(token.to_owned())), "{encoded}");
    }
    assert_eq!(decode_auth_token("phoenix"), None);
}

#[test]
fn garbage_token_is_400() {
    for (encoded, error) in [
        ("!", AuthTokenError::NotBase64),
        ("Y", AuthTokenError::NotBase64),
        ("YQ=Q", AuthTokenError::NotBase64),
        ("+-==", AuthTokenError::NotBase64),
        ("/w", AuthTokenError::NotUtf8),
    ] {
        let refusal = offer(&with_tokens(), &format!("phoenix, base64url.bearer.phx.{encoded}")).unwrap_err();
        assert_eq!(refusal, Refusal::AuthToken(error), "{encoded}");
        assert_eq!(refusal.status(), 400);
    }
}

#[test]
fn taken_token_is_not_among_the_kept_headers() {
    let keys = ConnectInfoKeys::new().sec_websocket_headers();
    let options = Options { connect_info: keys, ..with_tokens() };
    let kept = |line: &str| offer(&options, line).unwrap().info.sec_websocket_headers().to_vec();

    let rest = vec![("sec-websocket-protocol".to_owned(), "phoenix, x".to_owned())];
    assert_eq!(kept("phoenix,base64url.bearer.phx.dG9r,x"), rest);
    assert_eq!(kept("base64url.bearer.phx.dG9r"), vec![]);
}

#[test]
fn token_is_not_printed() {
    let admission = offer(&with_tokens(), "phoenix, base64url.bearer.phx.c2VjcmV0").unwrap();

    assert!(!format!("{admission:?}").contains("secret"));
}

proptest! {
    #[test]
    fn token_survives_the_trip(token in ".{0,60}") {
        prop_assert_eq!(decode_auth_token(&encode_auth_token(&token)), Some(Ok(token)));
    }

    #[test]
    fn no_offer_panics(line in prop::collection::vec(any::<u8>(), 0..60), tail in ".{0,20}") {
        let mut line = line;
        line.extend_from_slice(b", base64url.bearer.phx.");
        line.extend_from_slice(tail.as_bytes());
        let mut parts = get("/", &[]);
        if let Ok(value) = HeaderValue::from_bytes(&line) {
            parts.headers.insert("sec-websocket-protocol", value);
        }
        let _ = admit(&parts, &Options { auth_token: true, ..speaking(&["conf.v1"]) });
    }
}
