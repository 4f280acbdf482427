//! What is logged, and what must never be.

use crate::app::{Room, Site, endpoint};
use crate::log::told_up_to;
use bennu::prelude::*;
use bennu::test::{Dial, Harness};
use bennu::{Builder, LongPoll, ParameterFilter};
use futures_util::FutureExt as _;
use http::Request;
use serde_json::json;
use tracing::Level;

/// All that is logged while somebody acts.
fn log_of(act: impl FnOnce()) -> String {
    told_up_to(Level::TRACE, act).iter().map(ToString::to_string).collect()
}

/// What is logged while a client connects to an endpoint, joins, and is refused.
fn logged(builder: Builder) -> String {
    let logged = log_of(|| {
        let t = Harness::new(builder);
        let params = json!({ "name": "ann", "password": "hunter2", "deep": { "api_token": "hunter2" }, "pin": "1234" });
        let ann = t.connect_with(Dial::new("/socket").params(params)).unwrap();
        let secrets = json!({ "room": "quiet", "list": [{ "client_secret": "hunter2" }], "pin": "1234" });
        let (mut room, _) = ann.join("room:1", secrets).unwrap();
        room.push("echo", json!({ "password": "hunter2" }));
        let refused =
            Dial::new("/socket").params(json!({ "token": "hunter2" })).header("origin", "http://evil.test");
        t.connect_with(refused).unwrap_err();
    });
    assert!(logged.contains("ann") && logged.contains("quiet") && logged.contains("evil.test"), "{logged}");
    logged
}

// R291
#[test]
fn secrets_are_never_logged() {
    let logged = logged(endpoint());

    assert!(!logged.contains("hunter2"), "{logged}");
    // Of the connect, of what was deep in it, of the join, and of the message.
    assert_eq!(logged.matches("[FILTERED]").count(), 4, "{logged}");
    assert!(logged.contains("1234"), "{logged}");
}

// R291
#[test]
fn what_is_not_logged_can_be_chosen() {
    let words = ["token", "password", "secret", "pin"];

    let logged = logged(endpoint().filter_parameters(ParameterFilter::discard(words)));

    assert!(!logged.contains("hunter2") && !logged.contains("1234"), "{logged}");
}

#[test]
fn auth_token_is_not_logged() {
    let logged = log_of(|| {
        let site = || bennu::socket(Site).channel::<Room>("room:*");
        let t = Harness::new(
            Endpoint::builder().socket("/socket", site().auth_token()).socket("/{token}/socket", site()),
        );
        t.connect_with(Dial::new("/socket").auth_token("hunter2")).unwrap();
        let unknown = Dial::new("/socket").auth_token("hunter2").vsn("9.0.0");
        t.connect_with(unknown).unwrap_err();
        t.connect_with(Dial::new("/hunter2/socket").vsn("9.0.0")).unwrap_err();
    });

    assert!(logged.contains("somebody has asked to connect"), "{logged}");
    assert!(!logged.contains("hunter2") && !logged.contains("aHVudGVyMg"), "{logged}");
}

#[test]
fn secrets_of_those_who_poll_are_not_logged() {
    let logged = log_of(|| {
        let socket = bennu::socket(Site).longpoll(LongPoll::new());
        let t = Harness::new(Endpoint::builder().socket("/{token}/socket", socket));
        let mut statuses = Vec::new();
        for target in ["?vsn=2.0.0&name=ann&password=hunter2", "?vsn=9.0.0", "?vsn=%ff"] {
            let request = Request::get(format!("/hunter2/socket/longpoll{target}")).body(String::new());
            let Some(Ok(response)) = t.endpoint.answer(request.unwrap()).now_or_never() else {
                panic!("a session opens at once")
            };
            statuses.push(response.status().as_u16());
        }
        assert_eq!(statuses, [200, 200, 400]);
    });

    let said = ["somebody has asked to connect", "ann", "no version", "a request was refused"];
    assert!(said.iter().all(|said| logged.contains(said)), "{logged}");
    assert!(!logged.contains("hunter2"), "{logged}");
}
