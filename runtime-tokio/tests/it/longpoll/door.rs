//! Who is let in to poll, and what is known of them.

use super::rooms;
use crate::poller::{LONGPOLL, Poller, ask, call, get};
use crate::rt::RUNTIME;
use crate::server;
use bennu::prelude::*;
use bennu::token::Secret;
use bennu::{CheckOrigin, ConnectInfoKeys, LongPoll, Transport};
use http::Method;
use serde_json::json;
use std::time::Duration;

/// Lets in who says so, and keeps what it was told.
struct Asking;

/// Of whoever has connected.
struct Known {
    token: Option<String>,
    agent: Option<String>,
}

impl Socket for Asking {
    type Assigns = Known;

    async fn connect(&self, params: Params, info: &ConnectInfo) -> Result<Known, Refused> {
        match params.str("mode") {
            Some("refuse") => return Err(Refused::forbidden()),
            Some("fail") => return Err("asked to".into()),
            Some("panic") => panic!("asked to"),
            _ => {}
        }
        let (token, agent) = (info.auth_token().flatten(), info.user_agent());
        Ok(Known { token: token.map(str::to_owned), agent: agent.map(str::to_owned) })
    }
}

/// Tells what is known.
struct Telling;

impl Channel for Telling {
    type Assigns = Known;

    async fn join(_: &str, _: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        assert_eq!(ctx.transport(), Transport::LongPoll);
        let Known { token, agent } = ctx.assigns();
        Ok(Joined::with(Self, json!({ "token": token, "agent": agent })))
    }
}

fn asking() -> Endpoint {
    let socket = bennu::socket(Asking)
        .channel::<Telling>("tell:*")
        .auth_token()
        .connect_info(ConnectInfoKeys::new().user_agent())
        .longpoll(LongPoll::new());
    Endpoint::builder().socket("/socket", socket).build(RUNTIME)
}

#[tokio::test]
async fn socket_is_not_polled_unless_it_says_so() {
    let (endpoint, _told) = server::rooms(Endpoint::builder(), |socket| socket);

    assert_eq!(call(&endpoint, get(LONGPOLL)).await.status(), 404);
    assert!(!endpoint.is_polled());
}

#[tokio::test]
async fn who_may_not_connect_is_told_so_in_the_body_and_a_failure_is_500() {
    let endpoint = asking();

    for refused in ["vsn=2.0.0&mode=refuse", "vsn=9.0.0", "vsn[]=2.0.0"] {
        let answer = ask(&endpoint, get(&format!("/socket/longpoll?{refused}"))).await;
        assert_eq!((answer.status, answer.token), (403, None), "{refused}");
    }
    for mode in ["fail", "panic"] {
        assert_eq!(call(&endpoint, get(&format!("{LONGPOLL}&mode={mode}"))).await.status(), 500, "{mode}");
    }
    assert_eq!(endpoint.connections(), 0);
}

#[tokio::test]
async fn application_is_told_of_the_request_that_opens_a_session_and_of_no_other() {
    let endpoint = asking();
    let mut request = get(LONGPOLL);
    request.headers_mut().insert("x-phoenix-authtoken", "secret".parse().unwrap());
    request.headers_mut().insert("user-agent", "opener".parse().unwrap());
    let token = ask(&endpoint, request).await.token.unwrap();

    let join = r#"["1","1","tell:a","phx_join",{}]"#;
    let mut post = get(&format!("{LONGPOLL}&token={token}")).map(|_| join.to_owned());
    *post.method_mut() = Method::POST;
    post.headers_mut().insert("x-phoenix-authtoken", "another".parse().unwrap());
    assert_eq!(ask(&endpoint, post).await.status, 200);

    let answer = ask(&endpoint, get(&format!("{LONGPOLL}&token={token}"))).await;
    let response = r#"{"response":{"agent":"opener","token":"secret"},"status":"ok"}"#;
    assert_eq!(answer.messages, [format!(r#"["1","1","tell:a","phx_reply",{response}]"#)]);
}

#[tokio::test]
async fn origin_that_may_not_connect_is_refused_whatever_it_asks_for() {
    let (endpoint, _told) = server::rooms(Endpoint::builder(), |socket| {
        socket.longpoll(LongPoll::new()).check_origin(CheckOrigin::hosts(["//example.com"]))
    });
    let poller = Poller::open(&endpoint).await;

    for (origin, is_allowed) in [("http://example.com", true), ("http://evil.example", false)] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let mut request = poller.request(method.clone(), "[]");
            // Another session: a poll of this one would wait.
            request.headers_mut().remove("x-phoenix-longpoll-token");
            request.headers_mut().insert("origin", origin.parse().unwrap());
            let response = call(&endpoint, request).await;
            assert_eq!(response.headers()["access-control-allow-origin"], "*");
            let body = crate::poller::read(response.into_body()).await;
            assert_eq!(body == br#"{"status":403}"#, !is_allowed, "{origin} {method}");
        }
    }
}

#[tokio::test]
async fn token_leads_to_its_session_from_the_header_or_the_query_and_the_header_comes_first() {
    let (server, _told) = rooms();
    let one = Poller::joined(&server.endpoint, "room:a").await;
    let two = Poller::joined(&server.endpoint, "room:b").await;
    server.endpoint.broadcast("room:a", "one", json!({})).unwrap();
    server.endpoint.broadcast("room:b", "two", json!({})).unwrap();

    let mut both = get(&format!("{LONGPOLL}&token={}", two.token));
    both.headers_mut().insert("x-phoenix-longpoll-token", one.token.parse().unwrap());
    assert!(ask(&server.endpoint, both).await.messages[0].contains("one"));

    let query = get(&format!("{LONGPOLL}&token={}", two.token));
    assert!(ask(&server.endpoint, query).await.messages[0].contains("two"));
}

/// I-17.
#[tokio::test]
async fn token_that_was_altered_anywhere_leads_nowhere() {
    let (server, _told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    server.endpoint.broadcast("room:a", "mine", json!({})).unwrap();
    let token = poller.token.clone();

    let altered = (0..token.len()).map(|at| {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    });
    let others = ["", "x", "SFMyNTY.g2g.x", &"A".repeat(2000)].map(str::to_owned);
    for other in altered.chain(others).chain([token[1..].to_owned(), format!("{token}A")]) {
        let mut post = poller.request(Method::POST, "[]");
        post.headers_mut().insert("x-phoenix-longpoll-token", other.parse().unwrap());
        assert_eq!(ask(&server.endpoint, post).await.status, 410, "{other}");
    }
    for bytes in [&b"\xff"[..], b"\x80abc"] {
        let mut get = poller.request(Method::GET, "");
        let value = http::HeaderValue::from_bytes(bytes).unwrap();
        get.headers_mut().insert("x-phoenix-longpoll-token", value);
        let opened = ask(&server.endpoint, get).await;
        assert_eq!((opened.status, &*opened.messages), (410, &[][..]));
    }

    poller.event("room:a", "mine").await;
}

#[tokio::test]
async fn token_leads_nowhere_at_another_mount_or_endpoint_even_with_the_same_secret() {
    let secret = || Secret::new("0123456789abcdef".repeat(4)).unwrap();
    let start = || {
        let socket = || bennu::socket(Open).longpoll(LongPoll::new());
        let builder = Endpoint::builder().secret(secret());
        builder.socket("/socket", socket()).socket("/other", socket()).build(RUNTIME)
    };
    let (endpoint, another) = (start(), start());
    let poller = Poller::open(&endpoint).await;

    assert_eq!(ask(&another, poller.request(Method::POST, "[]")).await.status, 410);
    let mut elsewhere = poller.request(Method::POST, "[]");
    *elsewhere.uri_mut() = "/other/longpoll?vsn=2.0.0".parse().unwrap();
    assert_eq!(ask(&endpoint, elsewhere).await.status, 410);
    let heartbeat = r#"[null,"1","phoenix","heartbeat",{}]"#;
    assert_eq!(poller.post(heartbeat).await, 200);
}

#[tokio::test]
async fn path_and_its_variables_are_settings() {
    let socket = bennu::socket(Asking).longpoll(LongPoll::new().path("units/{mode}/poll"));
    let endpoint = Endpoint::builder().socket("/orgs/{org}", socket).build(RUNTIME);

    let path = |unit: &str| format!("/orgs/acme/units/{unit}/poll?vsn=2.0.0");
    assert_eq!(ask(&endpoint, get(&path("any"))).await.status, 410);
    assert_eq!(ask(&endpoint, get(&path("refuse"))).await.status, 403);
    assert_eq!(call(&endpoint, get("/orgs/acme/longpoll")).await.status(), 404);
}

#[tokio::test]
async fn session_holds_a_place_among_the_connections_until_it_ends() {
    crate::rt::pause();
    let (endpoint, _told) =
        server::rooms(Endpoint::builder().max_connections(2), |socket| socket.longpoll(LongPoll::new()));
    let sessions = (Poller::open(&endpoint).await, Poller::open(&endpoint).await);
    assert_eq!(endpoint.connections(), 2);

    assert_eq!(call(&endpoint, get(LONGPOLL)).await.status(), 503);
    assert_eq!(sessions.0.post(r#"[null,"1","phoenix","heartbeat",{}]"#).await, 200);

    tokio::time::sleep(Duration::from_secs(16)).await;
    Poller::open(&endpoint).await.heartbeat().await;
}
