use super::{PLAIN, TLS};
use bennu_core::connect::{
    Carrier, CheckOrigin, ConnectInfoKeys, Options, PathVariables, ProxyEntryError, Scheme, TrustedProxies,
    examine,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

const PROXY: &str = "10.0.0.3:51000";

fn proxies() -> TrustedProxies {
    TrustedProxies::new(["10.0.0.0/8", "fd00::/8", "192.0.2.200"]).unwrap()
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let line = |&(name, value): &(&str, &str)| {
        (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap())
    };
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().map(line) {
        headers.append(name, value);
    }
    headers
}

fn from(peer: &str) -> Carrier {
    Carrier { peer: Some(peer.parse().unwrap()), ..PLAIN }
}

/// The address and the scheme that come of such headers, through a proxy.
fn behind(proxies: &TrustedProxies, lines: &[(&str, &str)]) -> (Option<String>, &'static str) {
    let carrier = proxies.carrier(&headers(lines), from(PROXY));
    (carrier.peer.map(|peer| peer.to_string()), carrier.scheme.as_str())
}

fn by_x(addresses: &str, schemes: &str) -> (Option<String>, &'static str) {
    behind(&proxies(), &[("x-forwarded-for", addresses), ("x-forwarded-proto", schemes)])
}

fn by_rfc(forwarded: &str) -> (Option<String>, &'static str) {
    behind(&proxies().forwarded(), &[("forwarded", forwarded)])
}

fn found(peer: &str, scheme: &'static str) -> (Option<String>, &'static str) {
    (Some(peer.to_owned()), scheme)
}

#[test]
fn nobody_is_believed_who_is_not_named() {
    let lines = headers(&[
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=192.0.2.7;proto=https"),
    ]);

    for proxies in [TrustedProxies::default(), proxies(), proxies().forwarded()] {
        for tcp in [from("11.0.0.3:1"), from("[2001:db8::1]:1"), PLAIN, TLS] {
            assert_eq!(proxies.carrier(&lines, tcp), tcp);
        }
    }
    assert_eq!(TrustedProxies::default().carrier(&lines, from(PROXY)), from(PROXY));
}

#[test]
fn proxy_says_who_its_client_is_and_how_it_came() {
    assert_eq!(by_x("192.0.2.7", "https"), found("192.0.2.7:0", "https"));
    assert_eq!(by_x("192.0.2.7:4711", "WSS"), found("192.0.2.7:4711", "https"));
    assert_eq!(by_x("2001:db8::1", "ws"), found("[2001:db8::1]:0", "http"));
    assert_eq!(by_x("[2001:db8::1]", "http"), found("[2001:db8::1]:0", "http"));
    assert_eq!(by_x("[2001:db8::1]:80", "gopher"), found("[2001:db8::1]:80", "http"));
    assert_eq!(by_rfc("For=192.0.2.7; Proto=HTTPS ;by=10.0.0.3"), found("192.0.2.7:0", "https"));
    assert_eq!(by_rfc(r#"for="[2001:db8::1]:4711""#), found("[2001:db8::1]:4711", "http"));
}

#[test]
fn only_the_headers_that_the_proxies_set_are_read() {
    let both =
        [("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https"), ("forwarded", "for=192.0.2.8")];

    assert_eq!(behind(&proxies(), &both), found("192.0.2.7:0", "https"));
    assert_eq!(behind(&proxies().forwarded(), &both), found("192.0.2.8:0", "http"));
    assert_eq!(behind(&proxies(), &both[2..]), found(PROXY, "http"));
    assert_eq!(behind(&proxies().forwarded(), &both[..2]), found(PROXY, "http"));
}

#[test]
fn client_is_the_last_address_that_no_trusted_proxy_has() {
    assert_eq!(
        by_x("1.1.1.1, 10.9.9.9, 192.0.2.7 ,, fd00::1,10.0.0.9", "https"),
        found("192.0.2.7:0", "https")
    );
    assert_eq!(by_rfc("for=1.1.1.1, for=192.0.2.7, for=10.0.0.9"), found("192.0.2.7:0", "http"));
    let lines =
        [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.7"), ("x-forwarded-for", "10.0.0.9")];
    assert_eq!(behind(&proxies(), &lines), found("192.0.2.7:0", "http"));
}

#[test]
fn first_of_nothing_but_proxies_is_the_client() {
    assert_eq!(by_x("10.1.1.1, 10.2.2.2", "https"), found("10.1.1.1:0", "https"));
    assert_eq!(by_rfc("for=10.1.1.1, for=10.2.2.2"), found("10.1.1.1:0", "http"));
}

#[test]
fn scheme_is_the_one_that_is_said_of_that_client() {
    assert_eq!(by_x("192.0.2.7, 10.0.0.9", "https, http"), found("192.0.2.7:0", "https"));
    assert_eq!(by_rfc("for=192.0.2.7;proto=https, for=10.0.0.9;proto=http"), found("192.0.2.7:0", "https"));
    let only = [("x-forwarded-proto", "https")];
    assert_eq!(behind(&proxies(), &only), found(PROXY, "https"));
    assert_eq!(by_rfc("proto=https"), found(PROXY, "https"));
}

#[test]
fn client_cannot_make_up_a_scheme() {
    // What it sent itself stands on the left of what its proxy appends.
    assert_eq!(by_x("192.0.2.7", "https, https, http"), found("192.0.2.7:0", "http"));
    assert_eq!(by_x("1.1.1.1, 192.0.2.7", "https, http"), found("192.0.2.7:0", "http"));
    assert_eq!(by_x("1.1.1.1, 192.0.2.7", "http"), found("192.0.2.7:0", "http"));
    assert_eq!(by_rfc("for=1.1.1.1;proto=https, for=192.0.2.7;proto=http"), found("192.0.2.7:0", "http"));
}

#[test]
fn quote_that_a_client_leaves_open_swallows_nothing() {
    assert_eq!(by_rfc(r#"for="1.1.1.1, for=192.0.2.7"#), found("192.0.2.7:0", "http"));
    assert_eq!(
        by_rfc(r#"for="1.1.1.1;x=", for="[2001:db8::1]";proto=https"#),
        found("[2001:db8::1]:0", "https")
    );
}

#[test]
fn address_that_is_none_is_nobody_and_not_the_proxy() {
    for address in [
        "unknown",
        "_hidden",
        "example.com",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.4:99999",
        "1.2.3.4:",
        "[1.2.3.4]",
        "[::1",
        "::1]",
        "2001:db8::1:x",
        "\"192.0.2.7\"",
        "192.0.2.7;x",
        "127.1",
        "0x7f.0.0.1",
        "192.0.2.7/8",
    ] {
        assert_eq!(by_x(address, "https"), (None, "https"), "{address}");
        assert_eq!(by_x(&format!("1.1.1.1, {address}, 10.0.0.9"), "https"), (None, "https"), "{address}");
    }
    for element in [
        "for=unknown",
        "for=_hidden",
        "for",
        "for=",
        "for==1",
        "for=1.1.1.1;for=192.0.2.7",
        "for=192.0.2.7;",
        r#"for="192.0.2.7"#,
        r#"for=192.0.2.7""#,
        r#"for="192.\0.2.7""#,
        "192.0.2.7",
        ";",
    ] {
        assert_eq!(by_rfc(element).0, None, "{element}");
        assert_eq!(by_rfc(&format!("for=1.1.1.1, {element}, for=10.0.0.9")).0, None, "{element}");
    }
}

#[test]
fn header_that_is_no_text_is_nobody() {
    let mut lines = headers(&[("x-forwarded-for", "192.0.2.7")]);
    lines.append("x-forwarded-for", HeaderValue::from_bytes(b"192.0.2.7\xff").unwrap());

    assert_eq!(proxies().carrier(&lines, from(PROXY)).peer, None);
}

#[test]
fn huge_header_is_read_no_further_than_32_proxies() {
    let chain = |len: usize| format!("192.0.2.7{}", ", 10.0.0.9".repeat(len));

    assert_eq!(by_x(&chain(31), "https"), found("192.0.2.7:0", "https"));
    assert_eq!(by_x(&chain(100_000), "https"), found("10.0.0.9:0", "https"));
    assert_eq!(
        by_x(&format!("{}192.0.2.7", "1.1.1.1,".repeat(100_000)), "https"),
        found("192.0.2.7:0", "https")
    );
    assert_eq!(by_x(&",".repeat(100_000), "https"), found(PROXY, "https"));
}

#[test]
fn network_is_compared_by_its_bits_and_a_mapped_address_is_what_it_maps() {
    let trusts = |entry: &str, peer: &str| {
        let proxies = TrustedProxies::new([entry]).unwrap();
        proxies.carrier(&headers(&[("x-forwarded-for", "192.0.2.7")]), from(peer)) != from(peer)
    };

    for (entry, inside, outside) in [
        ("10.0.0.0/8", "10.255.255.255:1", "11.0.0.0:1"),
        ("10.1.2.3/8", "10.0.0.0:1", "9.255.255.255:1"),
        ("10.0.0.3", "10.0.0.3:1", "10.0.0.2:1"),
        ("10.0.0.2/31", "10.0.0.3:1", "10.0.0.4:1"),
        ("10.0.0.3/32", "[::ffff:10.0.0.3]:1", "[::10.0.0.3]:1"),
        ("::ffff:10.0.0.0/104", "10.1.1.1:1", "11.1.1.1:1"),
        ("::ffff:10.0.0.3", "10.0.0.3:1", "10.0.0.4:1"),
        ("0.0.0.0/0", "203.0.113.1:1", "[2001:db8::1]:1"),
        ("::/0", "[2001:db8::1]:1", "203.0.113.1:1"),
        ("fd00::/8", "[fdff::1]:1", "[fe00::1]:1"),
        ("2001:db8::1", "[2001:db8::1]:1", "[2001:db8::2]:1"),
    ] {
        assert!(trusts(entry, inside), "{entry} {inside}");
        assert!(!trusts(entry, outside), "{entry} {outside}");
    }
}

#[test]
fn entry_that_is_no_network_is_an_error() {
    let entry = |entry: &str| TrustedProxies::new([entry]).unwrap_err();

    for wrong in ["", "localhost", "10.0.0", "10.0.0.0.0", "/8", "*", " 10.0.0.1", "10.0.0.1:80"] {
        assert_eq!(entry(wrong), ProxyEntryError::Address { entry: wrong.to_owned() });
    }
    for wrong in [
        "10.0.0.0/",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/8/8",
        "::ffff:10.0.0.0/8",
    ] {
        assert_eq!(entry(wrong), ProxyEntryError::Bits { entry: wrong.to_owned() });
    }
}

#[test]
fn origin_checks_and_connect_info_see_the_client_of_a_proxy() {
    let request = http::Request::get("/socket/websocket")
        .header("host", "app.test")
        .header("origin", "https://app.test")
        .header("x-forwarded-for", "192.0.2.7")
        .header("x-forwarded-proto", "https");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let connect_info = ConnectInfoKeys::new().peer_data().uri();
    let options = Options { check_origin: CheckOrigin::Conn, connect_info, ..Options::default() };

    let carrier = proxies().carrier(&parts.headers, from(PROXY));
    let admission = examine(&parts, PathVariables::default(), carrier, &options).unwrap();

    assert_eq!(admission.info.peer_data(), Some("192.0.2.7:0".parse().unwrap()));
    let uri = admission.info.uri().unwrap();
    assert_eq!((uri.scheme, uri.port), (Scheme::Https, 443));
    assert!(examine(&parts, PathVariables::default(), from(PROXY), &options).is_err());
}

proptest! {
    #[test]
    fn no_header_panics(text in "[ -~]{0,60}", scheme in "[ -~]{0,20}") {
        by_x(&text, &scheme);
        by_rfc(&text);
    }

    #[test]
    fn what_a_client_sends_changes_nothing_of_what_its_proxy_appends(
        addresses in prop_oneof!["[ -~]{0,40}", "(10\\.0\\.0\\.[1-9], ?|\"|;|for=){0,9}"],
        schemes in prop_oneof!["[ -~]{0,20}", "(https?, ?){0,4}"],
    ) {
        let by_x = by_x(&format!("{addresses}, 192.0.2.7"), &format!("{schemes}, http"));
        let by_rfc = by_rfc(&format!("{addresses}, for=192.0.2.7;proto=http"));

        prop_assert_eq!(by_x, found("192.0.2.7:0", "http"));
        prop_assert_eq!(by_rfc, found("192.0.2.7:0", "http"));
    }
}
