//! Who speaks a format, and by which transport.

use super::{CUSTOM, Marked, Speaker, marked};
use crate::app::{Probe, Probing, Room};
use crate::client::{Client, Got, request, soon, status};
use crate::poller::{ask, get};
use crate::rt::RUNTIME;
use crate::server::Server;
use bennu::{Endpoint, Format, Kind, Payload};
use http::Request;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

fn rooms(kind: Kind) -> Server {
    Server::rooms_with(|socket| {
        socket.serializer("~> 3.0.0", Marked::writing(kind)).longpoll(bennu::LongPoll::new()).carried()
    })
    .0
}

#[tokio::test]
async fn those_of_a_format_and_those_of_v2_hear_each_other() {
    let server = rooms(Kind::Binary);
    let mut own = Speaker::joined(server.address).await;
    let mut v2 = Client::connect(server.address).await;
    v2.join("room:a").await;

    own.say(json!(["1", "2", "room:a", "shout", { "n": 1 }])).await;

    assert_eq!(own.hear().await, json!([null, null, "room:a", "shout", { "n": 1 }]));
    let reply = json!(["1", "2", "room:a", "phx_reply", { "response": {}, "status": "ok" }]);
    assert_eq!(own.hear().await, reply);
    assert_eq!(v2.event("room:a", "shout").await, json!({ "n": 1 }));
    v2.push("room:a", "shout", json!({ "n": 2 })).await;
    assert_eq!(own.hear().await, json!([null, null, "room:a", "shout", { "n": 2 }]));
}

#[tokio::test]
async fn broadcasts_that_follow_one_another_reach_those_of_a_format_in_order() {
    let server = rooms(Kind::Binary);
    let mut members = Vec::new();
    for _ in 0..20 {
        members.push(Speaker::joined(server.address).await);
    }

    for n in 0..100 {
        server.endpoint.broadcast("room:a", "news", json!({ "n": n })).unwrap();
    }

    for member in &mut members {
        for n in 0..100 {
            assert_eq!(member.hear().await, json!([null, null, "room:a", "news", { "n": n }]));
        }
    }
}

#[tokio::test]
async fn format_writes_bytes_as_it_likes() {
    let server = rooms(Kind::Binary);
    let mut own = Speaker::joined(server.address).await;

    server.endpoint.broadcast("room:a", "bytes", Payload::binary(&b"[7]"[..])).unwrap();

    assert_eq!(own.hear().await, json!([7]));
}

#[tokio::test]
async fn version_that_nobody_answers_to_is_refused() {
    let server = rooms(Kind::Binary);

    for vsn in ["3.1.0", "4.0.0", "3.0.0-rc.1", "3.0"] {
        let request = request(&format!("/socket/websocket?vsn={vsn}"), "");
        assert_eq!(status(server.address, &request).await, 403, "{vsn}");
    }
}

#[tokio::test]
async fn format_may_take_the_place_of_v2_and_v1() {
    let (server, _told) = Server::rooms_with(|socket| {
        socket
            .serializer("2.0.0", Marked::writing(Kind::Text))
            .serializer("~> 1.0.0", Marked::writing(Kind::Text))
    });

    for target in ["/socket/websocket?vsn=2.0.0", "/socket/websocket?vsn=1.0.5", "/socket/websocket"] {
        let mut client = Client::connect_to(server.address, target).await;
        let frame = client.text(r#"[null,"1","phoenix","heartbeat",{}]"#);
        client.raw(&frame).await;
        assert_eq!(client.close_code().await, 1011, "{target}: there is no mark");
    }
    let mut client = Client::connect_to(server.address, "/socket/websocket?vsn=2.0.1").await;
    client.heartbeat().await;
}

#[tokio::test]
async fn format_is_shared_by_the_sockets_that_were_given_the_same() {
    let (shared, alone) = (Marked::writing(Kind::Binary), Marked::writing(Kind::Binary));
    let socket = |format: &Arc<Marked>| {
        let (probe, _) = Probe::new();
        let format = Arc::clone(format) as Arc<dyn Format>;
        bennu::socket(Probing(probe)).channel::<Room>("room:*").serializer("~> 3.0.0", format)
    };
    let endpoint = Endpoint::builder()
        .socket("/socket", socket(&shared))
        .socket("/other", socket(&shared))
        .socket("/alone", socket(&alone))
        .build(RUNTIME);
    let server = Server::start(endpoint);
    let mut members = Vec::new();
    for path in ["/socket", "/other", "/alone"] {
        let target = CUSTOM.replace("/socket/", &format!("{path}/"));
        let mut member = Speaker { client: Client::connect_to(server.address, &target).await };
        member.say(json!(["1", "1", "room:a", "phx_join", {}])).await;
        member.hear().await;
        members.push(member);
    }

    server.endpoint.broadcast("room:a", "news", json!({})).unwrap();

    for member in &mut members {
        assert_eq!(member.hear().await, json!([null, null, "room:a", "news", {}]));
    }
    let asked = [shared, alone].map(|format| format.broadcasts.load(Ordering::Relaxed));
    assert_eq!(asked, [1, 1]);
}

#[tokio::test]
async fn client_that_polls_speaks_a_format_of_text() {
    let server = rooms(Kind::Text);
    let opened = ask(&server.endpoint, get("/socket/longpoll?vsn=3.0.0")).await;
    assert_eq!(opened.status, 410);
    let token = opened.token.unwrap();
    let visit = |body: Vec<u8>| {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let request = Request::builder().method(method).uri("/socket/longpoll?vsn=3.0.0");
        request.header("x-phoenix-longpoll-token", &token).body(String::from_utf8(body).unwrap()).unwrap()
    };

    let posted = ask(&server.endpoint, visit(marked(json!(["1", "1", "room:a", "phx_join", {}])))).await;
    let polled = ask(&server.endpoint, visit(Vec::new())).await;

    assert_eq!((posted.status, polled.status), (200, 200));
    let reply = r#"!["1","1","room:a","phx_reply",{"response":{},"status":"ok"}]"#;
    assert_eq!(polled.messages, [reply]);
}

#[tokio::test]
async fn client_that_polls_is_refused_where_a_format_writes_bytes() {
    let server = rooms(Kind::Binary);

    let refused = ask(&server.endpoint, get("/socket/longpoll?vsn=3.0.0")).await;
    let opened = ask(&server.endpoint, get("/socket/longpoll?vsn=2.0.0")).await;

    assert_eq!((refused.status, refused.token), (403, None));
    assert_eq!(opened.status, 410);
}

#[tokio::test]
async fn what_a_format_writes_is_handed_to_a_transport_of_ones_own_text_or_bytes() {
    for kind in [Kind::Text, Kind::Binary] {
        let server = rooms(kind);
        let (inbound, mut outbound) =
            server.endpoint.carry(Request::get(CUSTOM).body(()).unwrap()).await.unwrap();

        inbound.receive(kind, marked(json!(["1", "1", "room:a", "phx_join", {}])).into()).await.unwrap();
        let joined = soon("the reply", outbound.next()).await.unwrap();
        server.endpoint.broadcast("room:a", "bytes", Payload::binary(&b"[7]"[..])).unwrap();
        let bytes = soon("the broadcast", outbound.next()).await.unwrap();

        assert_eq!(joined[0].kind(), kind);
        let reply: Value = serde_json::from_slice(&joined[0].body()[1..]).unwrap();
        assert_eq!(reply[4]["status"], "ok");
        assert_eq!((bytes[0].kind(), bytes[0].body()), (kind, &b"![7]"[..]));
    }
}

#[tokio::test]
async fn text_frame_reaches_a_format_as_such() {
    let server = rooms(Kind::Text);
    let mut client = Client::connect_to(server.address, CUSTOM).await;

    let frame = client.text(r#"![null,"1","phoenix","heartbeat",{}]"#);
    client.raw(&frame).await;

    let Got::Text(text) = client.next().await else { panic!("text was to come") };
    assert_eq!(text, r#"![null,"1","phoenix","phx_reply",{"response":{},"status":"ok"}]"#);
}
