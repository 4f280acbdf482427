use super::{PLAIN, get};
use bennu_core::connect::{MountPath, Options, PathError, PathVariables, PercentError, Refusal, examine};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What the parameters are for this target, if the path matches.
fn params(path: &MountPath, target: &str) -> Option<Result<Value, Refusal>> {
    let parts = get(target, &[]);
    let variables = path.capture(parts.uri.path())?;
    let admission = examine(&parts, variables, PLAIN, &Options::default());
    Some(admission.map(|admission| serde_json::to_value(admission.params).unwrap()))
}

#[test]
fn trailing_slash_matches_and_a_further_segment_does_not() {
    let path = MountPath::new("/socket", "websocket").unwrap();

    for matching in ["/socket/websocket", "/socket/websocket/", "//socket//websocket//", "socket/websocket"] {
        assert_eq!(path.capture(matching), Some(PathVariables::default()), "{matching}");
    }
    for other in [
        "/",
        "",
        "/socket",
        "/socket/other",
        "/socket/websocket/more",
        "/socket/Websocket",
        "/socket/%77ebsocket",
    ] {
        assert_eq!(path.capture(other), None, "{other}");
    }
}

#[test]
fn slashes_around_patterns_do_not_matter() {
    let path = MountPath::new("/socket/", "/websocket/").unwrap();

    assert_eq!(path, MountPath::new("/socket", "websocket").unwrap());
    assert!(MountPath::new("/", "websocket").unwrap().capture("/websocket").is_some());
}

#[test]
fn variables_of_mount_and_transport_become_parameters() {
    let path = MountPath::new("/orgs/{org}", "units/{unit}/live").unwrap();

    assert_eq!(
        params(&path, "/orgs/acme/units/7/live?q=x+y&vsn=2.0.0"),
        Some(Ok(json!({ "org": "acme", "unit": "7", "q": "x y", "vsn": "2.0.0" })))
    );
    assert_eq!(params(&path, "/orgs/acme/units/live"), None);
}

#[test]
fn path_wins_over_the_query() {
    let path = MountPath::new("/orgs/{org}", "websocket").unwrap();

    for query in ["org=evil", "org[]=evil", "org[a]=evil"] {
        let target = format!("/orgs/acme/websocket?{query}");
        assert_eq!(params(&path, &target), Some(Ok(json!({ "org": "acme" }))), "{query}");
    }
}

#[test]
fn variable_with_an_underscore_is_matched_and_forgotten() {
    let path = MountPath::new("/{_tenant}/{_}/{room}", "websocket").unwrap();

    assert_eq!(params(&path, "/a/b/c/websocket"), Some(Ok(json!({ "room": "c" }))));
    assert_eq!(params(&path, "/a/b/websocket"), None);
}

#[test]
fn variables_are_percent_decoded_with_plus_left_alone() {
    let path = MountPath::new("/r/{room}", "websocket").unwrap();

    assert_eq!(params(&path, "/r/a%20b+c%2Fd%C3%A9/websocket"), Some(Ok(json!({ "room": "a b+c/dé" }))));
}

#[test]
fn variable_that_cannot_be_decoded_is_400() {
    let path = MountPath::new("/r/{room}", "websocket").unwrap();

    let refusal = params(&path, "/r/%ff/websocket").unwrap().unwrap_err();

    assert_eq!(refusal, Refusal::PathVariable(PercentError::NotUtf8));
    assert_eq!(refusal.status(), 400);
    assert_eq!(
        params(&path, "/r/%zz/websocket"),
        Some(Err(Refusal::PathVariable(PercentError::NotHex { at: 0 })))
    );
}

#[test]
fn patterns_that_could_never_mean_what_they_say_are_errors() {
    for segment in
        [":org", "*rest", "{}", "{a b}", "{*rest}", "x{org}", "{org}x", "{", "}", "{a-b}", "a?b", "a#b"]
    {
        assert_eq!(
            MountPath::new(&format!("/orgs/{segment}"), "websocket"),
            Err(PathError::Segment { segment: segment.to_owned() })
        );
    }
    for mount in ["", "socket"] {
        assert_eq!(
            MountPath::new(mount, "websocket"),
            Err(PathError::NotAbsolute { mount: mount.to_owned() })
        );
    }
    assert_eq!(MountPath::new("/{id}", "{id}/live"), Err(PathError::Repeated { variable: "id".to_owned() }));
}

proptest! {
    #[test]
    fn no_path_panics(mount in ".{0,40}", transport in ".{0,40}", path in ".{0,80}") {
        if let Ok(pattern) = MountPath::new(&mount, &transport) {
            let _ = pattern.capture(&path);
        }
    }
}
