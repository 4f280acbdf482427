//! Each limit is counted when it is met, as often as it is, and no other with it.

use super::{code_on, deep, frame, header, heartbeat_in};
use crate::app::{Note, Probing, Told, text_of};
use crate::client::{Client, Got, SOCKET, request, status, until};
use crate::poller::{LONGPOLL, Poller, ask, call, get, head};
use crate::recorder::Recorder;
use crate::server::{Server, rooms};
use bennu::{Endpoint, Limits, LongPoll, RequestLimits, SocketSettings, WebSocket};
use http::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

const SHORT: Duration = Duration::from_millis(100);

type Settings = SocketSettings<Probing>;

fn counted(set: impl FnOnce(Settings) -> Settings) -> (Recorder, Server, Told) {
    Recorder::of_rooms(Endpoint::builder(), set)
}

/// Waits until these limits have been counted, and has it that no others are.
async fn has_met<const N: usize>(recorder: &Recorder, limits: [(&str, u64); N]) {
    let limits = limits.map(|(limit, count)| (limit.to_owned(), count));
    until("the limits to be counted", || {
        let met: u64 = recorder.limits().iter().map(|(_, count)| count).sum();
        met >= limits.iter().map(|(_, count)| count).sum()
    })
    .await;
    assert_eq!(recorder.limits(), limits);
}

#[tokio::test]
async fn nothing_is_counted_of_a_client_that_keeps_to_all_of_them() {
    let (recorder, server, _told) = counted(|socket| socket.longpoll(LongPoll::new()));
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.call("room:a", "echo", json!({})).await;
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    poller.call("room:a", "echo", json!({})).await;

    assert_eq!(recorder.limits(), []);
}

#[tokio::test]
async fn place_that_is_not_there() {
    let builder = Endpoint::builder().max_connections(1);
    let (recorder, server, _told) = Recorder::of_rooms(builder, |socket| socket.longpoll(LongPoll::new()));
    let _first = Client::connect(server.address).await;
    has_met(&recorder, []).await;

    assert_eq!(status(server.address, &request(SOCKET, "")).await, 503);
    has_met(&recorder, [("connections", 1)]).await;
    assert_eq!(call(&server.endpoint, get(LONGPOLL)).await.status(), 503);
    has_met(&recorder, [("connections", 2)]).await;
}

#[tokio::test]
async fn request_that_never_comes() {
    for with_app in [false, true] {
        let recorder = Recorder::default();
        let (endpoint, _told) = recorder.during(|| {
            let set = |socket: Settings| if with_app { socket.longpoll(LongPoll::new()) } else { socket };
            rooms(Endpoint::builder(), set)
        });
        let server = Server::start_with(endpoint, |serve| serve.handshake_timeout(SHORT));

        let _silent = TcpStream::connect(server.address).await.unwrap();

        has_met(&recorder, [("handshake", 1)]).await;
    }
}

#[tokio::test]
async fn large_heads_of_requests() {
    let limits = RequestLimits::new().target(100).header_block(1000).headers(8);
    let socket = |socket: Settings| socket.request_limits(limits).longpoll(LongPoll::new());
    let (recorder, server, _told) = counted(socket);
    let long = "x".repeat(100);
    let many = "a: b\r\n".repeat(8);

    assert_eq!(status(server.address, &request(&format!("{SOCKET}&{long}"), "")).await, 414);
    assert_eq!(status(server.address, &request(SOCKET, &format!("a: {}\r\n", long.repeat(10)))).await, 431);
    assert_eq!(status(server.address, &request(SOCKET, &many)).await, 431);
    has_met(&recorder, [("header_block", 1), ("headers", 1), ("request_target", 1)]).await;

    assert_eq!(call(&server.endpoint, get(&format!("{LONGPOLL}&{long}"))).await.status(), 414);
    has_met(&recorder, [("header_block", 1), ("headers", 1), ("request_target", 2)]).await;

    // So long that nobody reads it to its end.
    let endless = format!("a: {}\r\n", "x".repeat(100_000));
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let _ = stream.write_all(request(SOCKET, &endless).as_bytes()).await;
    has_met(&recorder, [("header_block", 2), ("headers", 1), ("request_target", 2)]).await;
}

#[tokio::test]
async fn messages_that_end_their_connection() {
    let long_ref = format!(r#"[null,"{}","phoenix","heartbeat",{{}}]"#, "x".repeat(63));
    let empty = [frame(0x01, b"["), frame(0x00, b"").repeat(17)].concat();
    let cases = [
        ("message", header(0x81, (1 << 20) + 1), 1009),
        ("fragments", heartbeat_in(1025), 1008),
        ("empty_fragments", empty, 1008),
        ("ref", frame(0x81, long_ref.as_bytes()), 1011),
        ("depth", frame(0x81, &deep(128)), 1011),
    ];
    let lower = Limits::new().refs(20).depth(10);
    let of_settings = [
        ("ref", frame(0x81, br#"[null,"7890123456789012345","phoenix","heartbeat",{}]"#), 1011),
        ("depth", frame(0x81, &deep(10)), 1011),
    ];
    let all = cases.into_iter().map(|case| (Limits::new(), case));
    for (limits, (limit, bytes, code)) in all.chain(of_settings.into_iter().map(|case| (lower, case))) {
        let (recorder, server, _told) = counted(|socket| socket.limits(limits));

        assert_eq!(code_on(&server, &bytes).await, code, "{limit}");

        has_met(&recorder, [(limit, 1)]).await;
    }
}

#[tokio::test]
async fn polled_messages_that_end_their_session() {
    let (recorder, server, _told) = counted(|socket| socket.longpoll(LongPoll::new().window(SHORT)));
    let poller = Poller::joined(&server.endpoint, "room:a").await;

    poller.post(String::from_utf8(deep(128)).unwrap()).await;

    // Such a post is not answered before its time is up.
    has_met(&recorder, [("depth", 1), ("post_wait", 1)]).await;
}

#[tokio::test]
async fn silence() {
    let (recorder, server, _told) = counted(|socket| socket.websocket(WebSocket::new().idle_timeout(SHORT)));
    let mut client = Client::connect(server.address).await;

    assert_eq!(client.closed().await, 1002);

    has_met(&recorder, [("idle", 1)]).await;
}

#[tokio::test]
async fn closing_that_the_client_does_not_answer() {
    let websocket = WebSocket::new().close_timeout(SHORT);
    let (recorder, server, _told) = counted(|socket| socket.websocket(websocket));
    let mut orderly = Client::connect(server.address).await;
    orderly.raw(&frame(0x81, b"[]")).await;
    assert_eq!(orderly.closed().await, 1011);

    let mut client = Client::connect(server.address).await;
    client.raw(&frame(0x81, b"[]")).await;
    assert_eq!(client.close_code().await, 1011);
    let start = Instant::now();
    assert_eq!(client.next().await, Got::Ended);
    assert!(start.elapsed() < Duration::from_secs(4), "it is 5 s where nothing is set");

    has_met(&recorder, [("close", 1)]).await;
}

#[tokio::test]
async fn pongs_that_a_later_one_has_replaced() {
    let (recorder, server, _told) = counted(|socket| socket);
    let mut client = Client::connect(server.address).await;
    let ping = |n: u8| frame(0x89, &[n]);
    let heartbeat = client.text(r#"[null,"1","phoenix","heartbeat",{}]"#);

    client.raw(&ping(1)).await;
    assert_eq!(client.next().await, Got::Pong(vec![1]));
    has_met(&recorder, []).await;

    // In one read: three in a row, and one behind a message, before which the third is answered.
    client.raw(&[ping(2), ping(3), ping(4), heartbeat, ping(5)].concat()).await;
    assert_eq!(client.next().await, Got::Pong(vec![4]));
    client.reply("1").await;
    assert_eq!(client.next().await, Got::Pong(vec![5]));
    has_met(&recorder, [("pongs", 2)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pongs_of_a_client_that_takes_nothing() {
    const PINGS: u64 = 2000;
    let (recorder, server, _told) = counted(|socket| socket);
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;
    let grow = client.push("room:a", "grow", json!({ "bytes": 500_000 })).await;

    for n in 0..PINGS {
        client.raw(&frame(0x89, &n.to_be_bytes())).await;
    }
    let last = (PINGS - 1).to_be_bytes().to_vec();
    let (mut pongs, mut answered, mut is_last) = (0, false, false);
    while !(answered && is_last) {
        match client.next().await {
            Got::Pong(payload) => {
                pongs += 1;
                is_last = payload == last;
            }
            Got::Message(message) => answered = message.msg_ref == json!(grow),
            other => panic!("{other:?}"),
        }
    }

    assert!(pongs < PINGS);
    has_met(&recorder, [("pongs", PINGS - pongs)]).await;
}

#[tokio::test]
async fn long_names() {
    let (recorder, server, _told) = counted(|socket| socket.limits(Limits::new().topic(10).event(10)));
    let mut client = Client::connect(server.address).await;
    client.join("room:5678").await;

    client.push("room:567890", "echo", json!({})).await;
    client.message().await;
    client.push("room:5678", "0123456789a", json!({})).await;
    client.message().await;

    has_met(&recorder, [("event", 1), ("topic", 1)]).await;
}

#[tokio::test]
async fn joins_past_the_channels_of_a_connection() {
    let (recorder, server, _told) = counted(|socket| socket.max_channels(1));
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    for n in 1..=3 {
        client.send_join("room:b").await;
        client.message().await;
        has_met(&recorder, [("channels", n)]).await;
    }
}

#[tokio::test]
async fn join_that_waits_for_a_terminate() {
    let (recorder, server, told) = counted(|socket| socket.limits(Limits::new().terminating(1)));
    let mut client = Client::connect(server.address).await;
    client.join("room:lingers").await;
    client.push("room:lingers", "phx_leave", json!({})).await;
    for _ in 0..3 {
        client.message().await;
    }

    let join = client.send_join("room:b").await;

    has_met(&recorder, [("terminating", 1)]).await;
    told.let_pass(1);
    client.reply(&join).await;
}

#[tokio::test]
async fn input_that_waits_and_the_channel_that_ends_for_it() {
    let limits = Limits::new().input_messages(2).overload(SHORT);
    let (recorder, server, mut told) = counted(|socket| socket.limits(limits));
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.push("room:a", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");

    client.push("room:a", "count", json!({})).await;
    client.push("room:a", "count", json!({})).await;

    client.event("room:a", "phx_error").await;
    has_met(&recorder, [("input", 1), ("overload", 1)]).await;
}

#[tokio::test]
async fn messages_that_wait_for_a_channel() {
    let (recorder, server, mut told) = counted(|socket| socket.limits(Limits::new().channel_messages(1)));
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.call("room:a", "give_handle", json!({})).await;
    client.push("room:a", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");
    let handle = told.handle();

    handle.notify(Note("first")).unwrap();
    has_met(&recorder, []).await;
    handle.notify(Note("second")).unwrap();

    has_met(&recorder, [("channel", 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_take_too_little() {
    let limits = Limits::new().outbox(64 * 1024);
    let (recorder, server, mut told) = counted(|socket| socket.limits(limits).longpoll(LongPoll::new()));
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;

    for _ in 0..100 {
        server.endpoint.broadcast("room:a", "event", text_of(8 * 1024)).unwrap();
    }
    assert_eq!(told.next().await, "terminate Closed after 0");
    has_met(&recorder, [("outbox", 1)]).await;

    let _poller = Poller::joined(&server.endpoint, "room:a").await;
    for _ in 0..100 {
        server.endpoint.broadcast("room:a", "event", text_of(8 * 1024)).unwrap();
    }
    has_met(&recorder, [("outbox", 2)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_take_nothing_for_too_long() {
    let limits = Limits::new().outbox(8 << 20).outbox_age(SHORT);
    let (recorder, server, _told) = counted(|socket| socket.limits(limits));
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;

    for _ in 0..100 {
        server.endpoint.broadcast("room:a", "event", text_of(8 * 1024)).unwrap();
    }

    has_met(&recorder, [("outbox", 1)]).await;
}

#[tokio::test]
async fn subscriptions_that_lag() {
    let builder = Endpoint::builder().subscription_messages(3);
    let (recorder, server, _told) = Recorder::of_rooms(builder, |socket| socket);
    let _slow = server.endpoint.subscribe("news");

    for _ in 0..5 {
        server.endpoint.broadcast("news", "event", json!({})).unwrap();
    }

    has_met(&recorder, [("subscription", 2)]).await;
    assert_eq!(recorder.counter("bennu_dropped_total{what=subscription}"), 2);
}

#[tokio::test]
async fn bodies_and_batches() {
    let longpoll = LongPoll::new().max_body(200).max_batch(2).body_timeout(SHORT);
    let (recorder, server, _told) = counted(|socket| socket.longpoll(longpoll));
    let poller = Poller::open(&server.endpoint).await;
    let line = r#"[null,"1","phoenix","heartbeat",{}]"#;

    let two = poller.batch([line; 2].join("\n"));
    assert_eq!(ask(&server.endpoint, two).await.status, 200);
    has_met(&recorder, []).await;
    let three = poller.batch([line; 3].join("\n"));
    assert_eq!(ask(&server.endpoint, three).await.status, 200);
    has_met(&recorder, [("batch", 1)]).await;
    let long = poller.request(Method::POST, "x".repeat(201));
    assert_eq!(call(&server.endpoint, long).await.status(), 413);
    has_met(&recorder, [("batch", 1), ("body", 1)]).await;

    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = head("POST", &poller.token, "content-length: 100\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    has_met(&recorder, [("batch", 1), ("body", 1), ("body_timeout", 1)]).await;
}

#[tokio::test]
async fn answers_that_nobody_takes() {
    let recorder = Recorder::default();
    let (endpoint, _told) =
        recorder.during(|| rooms(Endpoint::builder(), |socket| socket.longpoll(LongPoll::new())));
    let server = Server::start_with(endpoint, |serve| serve.answer_timeout(SHORT));
    let poller = Poller::joined(&server.endpoint, "room:a").await;
    server.endpoint.broadcast("room:a", "much", text_of(900_000)).unwrap();

    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    stream.write_all(head("GET", &poller.token, "").as_bytes()).await.unwrap();

    has_met(&recorder, [("answer", 1)]).await;
}

#[tokio::test]
async fn sessions_that_nobody_polls() {
    crate::rt::pause();
    let recorder = Recorder::default();
    let (endpoint, _told) =
        recorder.during(|| rooms(Endpoint::builder(), |socket| socket.longpoll(LongPoll::new())));
    let _poller = Poller::open(&endpoint).await;

    tokio::time::sleep(Duration::from_secs(14)).await;
    assert_eq!(recorder.limits(), []);
    tokio::time::sleep(Duration::from_secs(2)).await;

    assert_eq!(recorder.limits(), [("session".to_owned(), 1)]);
}
