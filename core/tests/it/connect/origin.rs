use super::{PLAIN, TLS, get};
use bennu_core::connect::{
    Carrier, CheckOrigin, Origin, OriginEntry, OriginEntryError, OriginError, OriginRefusal,
};
use http::HeaderValue;
use proptest::prelude::*;
use std::sync::Arc;

fn allowed_by(policy: &CheckOrigin, carrier: Carrier, host: &str, origin: &str) -> bool {
    policy.check(&get("/", &[("host", host), ("origin", origin)]), carrier).is_ok()
}

fn entry_matches(entry: &str, origin: &str) -> bool {
    OriginEntry::parse(entry).unwrap().matches(&Origin::parse(origin).unwrap())
}

fn everything() -> Vec<CheckOrigin> {
    vec![
        CheckOrigin::Any,
        CheckOrigin::SameHost(None),
        CheckOrigin::SameHost(Some("example.com".to_owned())),
        CheckOrigin::Conn,
        CheckOrigin::hosts(["//example.com"]).unwrap(),
        CheckOrigin::Func(Arc::new(|_| false)),
    ]
}

/// Not an origin at all, though some URL parsers find `example.com` in each.
const TRICKS: [&str; 19] = [
    "http://evil.test@example.com",
    "http://example.com@evil.test",
    "http://user:pw@example.com",
    "http://example.com/",
    "http://example.com/path",
    "http://example.com?q",
    "http://example.com#f",
    "http://example.com\\",
    "http:\\\\example.com",
    "http://evil.test\\.example.com",
    "http://example.com http://evil.test",
    "http://example.com:80:80",
    "http://example.com:",
    "http://example.com:http",
    "http://example.com:+80",
    "http://example.com:99999",
    "http:example.com",
    "example.com",
    "http://%65xample.com",
];

#[test]
fn request_without_an_origin_passes_every_setting() {
    for policy in everything() {
        assert_eq!(policy.check(&get("/", &[]), PLAIN), Ok(()), "{policy:?}");
    }
}

#[test]
fn any_looks_at_nothing() {
    for origin in TRICKS.into_iter().chain(["null", "", "file://", "http://evil.test"]) {
        assert!(allowed_by(&CheckOrigin::Any, PLAIN, "example.com", origin), "{origin}");
    }
}

#[test]
fn what_is_no_origin_passes_no_setting_that_looks() {
    let mut policies = everything();
    policies.remove(0);
    policies.push(CheckOrigin::Func(Arc::new(|_| true)));

    for policy in policies {
        for origin in TRICKS {
            assert!(!allowed_by(&policy, PLAIN, "example.com", origin), "{policy:?} {origin}");
        }
    }
}

#[test]
fn configured_host_is_compared_without_scheme_and_port() {
    let policy = CheckOrigin::SameHost(Some("example.com".to_owned()));

    for origin in ["http://example.com", "https://example.com:9999", "capacitor://example.com"] {
        assert!(allowed_by(&policy, PLAIN, "other.test", origin), "{origin}");
    }
    for origin in ["http://evil.test", "http://a.example.com", "http://Example.com", "http://other.test"] {
        assert!(!allowed_by(&policy, PLAIN, "other.test", origin), "{origin}");
    }
}

#[test]
fn without_a_configured_host_the_requests_own_is_compared() {
    let policy = CheckOrigin::default();

    assert!(allowed_by(&policy, PLAIN, "example.com:4000", "https://example.com:9999"));
    assert!(allowed_by(&policy, PLAIN, "Example.COM", "http://example.com"));
    assert!(allowed_by(&policy, PLAIN, "[::1]:4000", "http://[::1]:3000"));
    assert!(!allowed_by(&policy, PLAIN, "example.com", "http://evil.test"));
    assert!(!allowed_by(&policy, PLAIN, "user@example.com", "http://example.com"));
    assert!(policy.check(&get("/", &[("origin", "http://example.com")]), PLAIN).is_err());
    let twice = get("/", &[("host", "example.com"), ("host", "evil.test"), ("origin", "http://example.com")]);
    assert!(policy.check(&twice, PLAIN).is_err());
}

#[test]
fn host_with_anything_behind_it_but_a_port_is_no_host() {
    for (host, origin) in [
        ("[::1]evil.test", "http://[::1]"),
        ("[::1]80", "http://[::1]"),
        ("example.com:99999", "http://example.com"),
        ("example.com:+80", "http://example.com"),
    ] {
        assert!(!allowed_by(&CheckOrigin::SameHost(None), PLAIN, host, origin), "{host}");
        assert!(!allowed_by(&CheckOrigin::Conn, PLAIN, host, origin), "{host}");
    }
    for (host, origin) in
        [("[::1]", "http://[::1]"), ("[::1]:80", "http://[::1]"), ("example.com:", "http://example.com")]
    {
        assert!(allowed_by(&CheckOrigin::SameHost(None), PLAIN, host, origin), "{host}");
        assert!(allowed_by(&CheckOrigin::Conn, PLAIN, host, origin), "{host}");
    }
}

#[test]
fn absolute_target_names_the_host_before_the_header_does() {
    let parts = get("http://example.com/socket", &[("host", "evil.test"), ("origin", "http://evil.test")]);

    assert!(CheckOrigin::default().check(&parts, PLAIN).is_err());
}

#[test]
fn conn_compares_scheme_host_and_port() {
    let rows = [
        (PLAIN, "example.com", "http://example.com", true),
        (PLAIN, "example.com", "http://example.com:80", true),
        (PLAIN, "example.com:4000", "http://example.com:4000", true),
        (TLS, "example.com", "https://example.com", true),
        (TLS, "example.com", "https://example.com:443", true),
        (TLS, "example.com", "http://example.com", false),
        (PLAIN, "example.com", "https://example.com", false),
        (PLAIN, "example.com:4000", "http://example.com", false),
        (PLAIN, "example.com", "http://example.com:4000", false),
        (PLAIN, "example.com", "ws://example.com:80", false),
        (PLAIN, "example.com", "http://a.example.com", false),
    ];
    for (carrier, host, origin, expected) in rows {
        assert_eq!(allowed_by(&CheckOrigin::Conn, carrier, host, origin), expected, "{host} {origin}");
    }
}

#[test]
fn entries_match_as_their_table_says() {
    let rows = [
        ("//example.com", "http://example.com", true),
        ("//example.com", "https://example.com:9999", true),
        ("//example.com", "http://a.example.com", false),
        ("//example.com", "http://EXAMPLE.com", false),
        ("//example.com:8080", "https://example.com:8080", true),
        ("//example.com:8080", "https://example.com", false),
        ("//example.com:443", "https://example.com", true),
        ("https://example.com", "https://example.com", true),
        ("https://example.com", "https://example.com:443", true),
        ("https://example.com", "https://example.com:8443", false),
        ("https://example.com", "http://example.com", false),
        ("HTTPS://example.com", "https://example.com", true),
        ("http://port.test:8080", "http://port.test:8080", true),
        ("http://port.test:8080", "http://port.test:9999", false),
        ("http://port.test:8080", "http://port.test", false),
        ("https://*.allowed.test", "https://allowed.test", true),
        ("https://*.allowed.test", "https://a.allowed.test", true),
        ("https://*.allowed.test", "https://a.b.allowed.test", true),
        ("https://*.allowed.test", "http://a.allowed.test", false),
        ("https://*.allowed.test", "https://notallowed.test", false),
        ("https://*.allowed.test", "https://a-allowed.test", false),
        ("https://*.allowed.test", "https://allowed.test.evil.test", false),
        ("https://*.allowed.test", "https://allowed.test.", false),
        ("capacitor://localhost", "capacitor://localhost", true),
        ("capacitor://localhost", "capacitor://localhost:1", false),
        ("//[::1]", "http://[::1]:3000", true),
    ];
    for (entry, origin, expected) in rows {
        assert_eq!(entry_matches(entry, origin), expected, "{entry} {origin}");
    }
}

#[test]
fn recorded_origins_are_decided_as_recorded() {
    let policy =
        CheckOrigin::hosts(["//example.com", "https://*.allowed.test", "http://port.test:8080"]).unwrap();
    let allowed = [
        "http://example.com",
        "https://example.com",
        "https://example.com:9999",
        "https://a.allowed.test",
        "https://a.b.allowed.test",
        "http://port.test:8080",
        "https://allowed.test",
    ];
    let refused = [
        "http://evil.test",
        "http://a.allowed.test",
        "http://port.test:9999",
        "http://port.test",
        "https://notallowed.test",
        "http://sub.example.com",
        "null",
    ];

    for origin in allowed {
        assert!(allowed_by(&policy, PLAIN, "127.0.0.1:4100", origin), "{origin}");
    }
    for origin in refused {
        assert_eq!(
            policy.check(&get("/", &[("origin", origin)]), PLAIN),
            Err(OriginRefusal::NotAllowed { origin: origin.to_owned() })
        );
    }
}

#[test]
fn origin_without_a_host_reaches_functions_and_nothing_else() {
    let hostless = CheckOrigin::Func(Arc::new(|origin| origin.host().is_none()));

    for origin in ["null", "", "file://"] {
        for policy in &everything()[1..5] {
            assert!(!allowed_by(policy, PLAIN, "example.com", origin), "{policy:?} {origin:?}");
        }
        assert!(allowed_by(&hostless, PLAIN, "example.com", origin), "{origin:?}");
    }
    assert!(!allowed_by(&hostless, PLAIN, "example.com", "http://example.com"));
}

#[test]
fn function_sees_the_parts() {
    let policy = CheckOrigin::Func(Arc::new(|origin| {
        (origin.scheme(), origin.host(), origin.port()) == ("https", Some("example.com"), Some(443))
    }));

    assert!(allowed_by(&policy, PLAIN, "other.test", "HTTPS://example.com"));
    assert!(!allowed_by(&policy, PLAIN, "other.test", "http://example.com"));
    assert_eq!(format!("{policy:?}"), "Func(..)");
}

#[test]
fn only_the_first_origin_line_counts() {
    let parts = get("/", &[("origin", "http://example.com"), ("origin", "http://evil.test")]);

    assert!(CheckOrigin::hosts(["//example.com"]).unwrap().check(&parts, PLAIN).is_ok());
    assert!(CheckOrigin::hosts(["//evil.test"]).unwrap().check(&parts, PLAIN).is_err());
}

#[test]
fn entry_without_a_host_is_a_configuration_error() {
    for entry in ["example.com", "example.com:80", "", "https:", "//", "https://", "*"] {
        assert_eq!(OriginEntry::parse(entry), Err(OriginEntryError::NoHost { entry: entry.to_owned() }));
        assert!(CheckOrigin::hosts(["//fine.test", entry]).is_err(), "{entry}");
    }
}

#[test]
fn entry_that_matches_nothing_or_too_much_is_a_configuration_error() {
    for (entry, error) in [
        ("https//example.com", OriginError::Scheme),
        ("1s://example.com", OriginError::Scheme),
        ("https://example.com/", OriginError::Host),
        ("//user@example.com", OriginError::Host),
        ("//*", OriginError::Host),
        ("//*.", OriginError::Host),
        ("//*.*.example.com", OriginError::Host),
        ("//a.*.com", OriginError::Host),
        ("//*example.com", OriginError::Host),
        ("//example.com:", OriginError::Port),
        ("//example.com:*", OriginError::Port),
    ] {
        assert_eq!(
            OriginEntry::parse(entry),
            Err(OriginEntryError::Malformed { entry: entry.to_owned(), error })
        );
    }
}

/// Joins what an attacker can register or write before, between and after the words of an allowed host.
fn look_alike() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("allowed.test".to_owned()),
        Just("allowed".to_owned()),
        Just("test".to_owned()),
        Just(".".to_owned()),
        "[a-z0-9@:/\\\\#?%\\[\\]. \\*_-]{1,4}",
    ];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn look_alikes_never_pass_a_wildcard(host in look_alike()) {
        let entry = OriginEntry::parse("https://*.allowed.test").unwrap();

        if let Ok(origin) = Origin::parse(&format!("https://{host}")) && entry.matches(&origin) {
            let name = host.strip_suffix(":443").unwrap_or(&host);
            let labels: Vec<&str> = name.split('.').collect();
            prop_assert!(labels.ends_with(&["allowed", "test"]), "{}", host);
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            prop_assert!(labels.iter().all(|label| !label.is_empty() && label.bytes().all(legal)), "{}", host);
        }
    }

    #[test]
    fn whatever_is_prepended_without_a_dot_does_not_pass(prefix in "[a-z0-9_-]{1,20}") {
        let entry = OriginEntry::parse("https://*.allowed.test").unwrap();

        let passes = |host: String| entry.matches(&Origin::parse(&format!("https://{host}")).unwrap());
        let before = format!("{prefix}allowed.test");
        let after = [format!("allowed.test.{prefix}"), format!("allowed.test{prefix}")];
        let below = format!("{prefix}.allowed.test");

        for host in after.into_iter().chain([before]) {
            prop_assert!(!passes(host.clone()), "{}", host);
        }
        prop_assert!(passes(below));
    }

    #[test]
    fn no_origin_and_no_entry_panics(text in ".{0,60}") {
        let _ = Origin::parse(&text);
        let _ = OriginEntry::parse(&text);
    }

    #[test]
    fn no_header_panics(
        origin in prop::collection::vec(any::<u8>(), 0..40),
        host in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut parts = get("/", &[]);
        for (name, bytes) in [("origin", &origin), ("host", &host)] {
            if let Ok(value) = HeaderValue::from_bytes(bytes) {
                parts.headers.insert(name, value);
            }
        }
        for policy in everything() {
            let _ = policy.check(&parts, PLAIN);
        }
    }
}
