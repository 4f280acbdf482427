//! What a message may be named, and how deep it may be.

use super::{code_for, code_on, deep, frame};
use crate::client::{Client, Got};
use crate::neighbour::beside;
use crate::server::Server;
use bennu::{Limits, Payload};
use serde_json::json;

/// A heartbeat whose ref is so many bytes of JSON, quotes counted.
fn heartbeat_with_ref(len: usize) -> (String, String) {
    let msg_ref = "x".repeat(len - 2);
    (format!(r#"[null,"{msg_ref}","phoenix","heartbeat",{{}}]"#), msg_ref)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ref_of_64_bytes_is_echoed_and_a_longer_one_ends_its_connection() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;

    let (text, msg_ref) = heartbeat_with_ref(64);
    client.raw(&frame(0x81, text.as_bytes())).await;
    assert_eq!(client.reply(&msg_ref).await.0, "ok");

    for len in [65, 100_000] {
        assert_eq!(code_on(&server, &frame(0x81, heartbeat_with_ref(len).0.as_bytes())).await, 1011);
        let join_ref = "x".repeat(len - 2);
        let join = format!(r#"["{join_ref}","1","room:b","phx_join",{{}}]"#);
        assert_eq!(code_on(&server, &frame(0x81, join.as_bytes())).await, 1011);
        let number = format!(r#"[null,{},"phoenix","heartbeat",{{}}]"#, "1".repeat(len));
        assert_eq!(code_on(&server, &frame(0x81, number.as_bytes())).await, 1011);
    }
    client.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limit_of_refs_is_a_setting_and_never_more_than_255_bytes() {
    for (set, limit) in [(20, 20), (200, 200), (usize::MAX, 255)] {
        let (server, _told) = Server::rooms_with(|socket| socket.limits(Limits::new().refs(set)));
        let mut client = Client::connect(server.address).await;

        let (text, msg_ref) = heartbeat_with_ref(limit);
        client.raw(&frame(0x81, text.as_bytes())).await;
        assert_eq!(client.reply(&msg_ref).await.0, "ok");

        for len in [limit + 1, 256, 100_000] {
            let code = code_on(&server, &frame(0x81, heartbeat_with_ref(len).0.as_bytes())).await;
            assert_eq!(code, 1011, "{set} {len}");
        }
        client.heartbeat().await;
    }
}

#[tokio::test]
async fn longest_ref_that_can_be_taken_comes_back_in_a_binary_frame_too() {
    let (server, _told) = Server::rooms_with(|socket| socket.limits(Limits::new().refs(255)));
    let mut client = Client::connect(server.address).await;
    let join_ref = "j".repeat(253);
    let join = format!(r#"["{join_ref}","1","room:a","phx_join",{{}}]"#);
    client.raw(&frame(0x81, join.as_bytes())).await;
    assert_eq!(client.reply("1").await.0, "ok");

    let lens = [0, 253, 253, 6, 4];
    let push = [&lens[..], join_ref.as_bytes(), &[b'r'; 253], b"room:a", b"echo", b"data"].concat();
    client.raw(&frame(0x82, &push)).await;

    let reply =
        [&[1, 253, 253, 6, 2][..], join_ref.as_bytes(), &[b'r'; 253], b"room:a", b"ok", b"data"].concat();
    assert_eq!(client.next().await, Got::Binary(reply));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limit_of_depth_is_a_setting_and_never_more_than_128() {
    for (set, limit) in [(3, 3), (50, 50), (usize::MAX, 128)] {
        let (server, _told) = Server::rooms_with(|socket| socket.limits(Limits::new().depth(set)));
        let mut client = Client::connect(server.address).await;
        client.join("room:a").await;

        client.raw(&frame(0x81, &deep(limit - 1))).await;
        assert_eq!(client.reply("9").await.0, "ok");

        for levels in [limit, 128, 100_000] {
            assert_eq!(code_on(&server, &frame(0x81, &deep(levels))).await, 1011, "{set} {levels}");
        }
        client.heartbeat().await;
    }
}

/// A binary push to `room:a`, joined as `1`, with a ref and an event of so many bytes.
fn binary_push(ref_len: usize, event_len: usize) -> Vec<u8> {
    let lens = [0, 1, ref_len, "room:a".len(), event_len].map(|len| u8::try_from(len).unwrap());
    let names = ["1".to_owned(), "r".repeat(ref_len), "room:a".to_owned(), "e".repeat(event_len)];
    frame(0x82, &[&lens[..], names.concat().as_bytes(), b"data"].concat())
}

#[tokio::test]
async fn ref_in_a_binary_frame_has_the_same_bound_with_its_quotes() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    // As long a name as the form has room for; no handler knows it, so that the channel crashes.
    client.raw(&binary_push(62, 255)).await;
    crashed(&mut client).await;

    assert_eq!(code_on(&server, &binary_push(63, 4)).await, 1011);
    assert_eq!(code_on(&server, &binary_push(255, 255)).await, 1011);
    client.heartbeat().await;
}

/// Joins a topic of so many bytes; the reason if that is refused.
async fn join_of(client: &mut Client, len: usize) -> Option<String> {
    let join = client.send_join(&format!("room:{}", "x".repeat(len - "room:".len()))).await;
    let (_, response) = client.reply(&join).await;
    response["reason"].as_str().map(str::to_owned)
}

/// `room:a` has heard of an event that it does not know.
async fn crashed(client: &mut Client) {
    client.event("room:a", "goodbye").await;
    client.event("room:a", "phx_error").await;
}

/// Pushes an event of so many bytes, which no handler knows; the reason if it has not come to that.
async fn push_of(client: &mut Client, len: usize) -> Option<String> {
    client.join("room:a").await;
    let push = client.push("room:a", &"x".repeat(len), json!({})).await;
    let message = client.message().await;
    if message.event == "goodbye" {
        client.event("room:a", "phx_error").await;
        return None;
    }
    assert_eq!(message.msg_ref, json!(push));
    client.call("room:a", "count", json!({})).await;
    let leave = client.push("room:a", "phx_leave", json!({})).await;
    client.reply(&leave).await;
    client.event("room:a", "phx_close").await;
    client.event("room:a", "goodbye").await;
    message.payload["response"]["reason"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_1024_bytes_are_taken_and_longer_ones_are_answered() {
    let (server, _told) = Server::rooms();

    beside(server.address, async {
        let mut client = Client::connect(server.address).await;
        assert_eq!(join_of(&mut client, 1024).await, None);
        assert_eq!(push_of(&mut client, 1024).await, None);

        for len in [1025, 100_000, 1_000_000] {
            assert_eq!(join_of(&mut client, len).await.as_deref(), Some("topic too long"));
            assert_eq!(push_of(&mut client, len).await.as_deref(), Some("event too long"));
        }
    })
    .await;
}

#[tokio::test]
async fn limits_of_names_are_settings_and_never_more_than_1024_bytes() {
    let short = Limits::new().topic(20).event(10);
    let (server, _told) = Server::rooms_with(|socket| socket.limits(short));
    let mut client = Client::connect(server.address).await;

    assert_eq!(join_of(&mut client, 20).await, None);
    assert_eq!(join_of(&mut client, 21).await.as_deref(), Some("topic too long"));
    assert_eq!(push_of(&mut client, 11).await.as_deref(), Some("event too long"));
    assert_eq!(push_of(&mut client, 10).await, None);

    let long = Limits::new().topic(usize::MAX).event(usize::MAX);
    let (server, _told) = Server::rooms_with(|socket| socket.limits(long));
    let mut client = Client::connect(server.address).await;
    assert_eq!(join_of(&mut client, 1024).await, None);
    assert_eq!(join_of(&mut client, 1025).await.as_deref(), Some("topic too long"));
    assert_eq!(push_of(&mut client, 1025).await.as_deref(), Some("event too long"));
}

#[tokio::test]
async fn name_of_the_application_past_its_limit_is_an_error_of_the_call_and_reaches_nobody() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    let broadcast = |topic: usize, event: usize| {
        let topic = format!("room:{}", "x".repeat(topic - 5));
        server.endpoint.broadcast(&topic, &"e".repeat(event), json!({}))
    };
    let bytes =
        |event: usize| server.endpoint.broadcast("room:a", &"e".repeat(event), Payload::binary(vec![1]));

    for (topic, event) in [(1025, 1), (100_000, 1), (6, 1025), (6, 100_000)] {
        assert!(broadcast(topic, event).is_err(), "{topic} {event}");
    }
    assert!(bytes(256).is_err());
    assert!(broadcast(1024, 1024).is_ok());

    client.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn depth_without_end_is_1011_wherever_it_stands() {
    // Open or closed, in the payload or in place of another item, in an array or an object.
    assert_eq!(code_for(&frame(0x81, &deep(100_000))).await, 1011);
    for text in [
        "[".repeat(1 << 20),
        format!(r#"["1","1","room:a","e",{}"#, r#"{"a":"#.repeat(200_000)),
        format!("[{}", "[".repeat(100_000) + &"]".repeat(100_000)),
        format!(r#"[null,"1",{},"e",{{}}]"#, "[".repeat(100_000) + &"]".repeat(100_000)),
    ] {
        assert_eq!(code_for(&frame(0x81, text.as_bytes())).await, 1011);
    }
}
