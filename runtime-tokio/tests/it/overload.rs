//! Clients that send more than their handlers take.

use crate::client::{Client, Got};
use crate::server::Server;
use bennu::Limits;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flood_behind_a_handler_that_waits_pauses_reading_until_it_goes_on() {
    let (server, mut told) = Server::rooms_with(|socket| socket.limits(Limits::new().input_messages(8)));
    let mut other = Client::connect(server.address).await;
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    let wait = client.push("room:a", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");

    let mut counts = Vec::new();
    for _ in 0..8 {
        counts.push(client.push("room:a", "count", json!({})).await);
    }
    other.heartbeat().await;
    let mut late = Vec::new();
    for _ in 0..100 {
        late.push(client.push("room:a", "count", json!({})).await);
    }
    let heartbeat = client.send_heartbeat().await;
    other.heartbeat().await;

    told.let_pass(1);
    // What a read has brought is taken in as a whole, and so may be the heartbeat: it alone may overtake.
    let mut missing =
        counts.iter().chain(&late).map(String::as_str).collect::<std::collections::VecDeque<_>>();
    missing.push_front(&wait);
    let mut beaten = false;
    while !missing.is_empty() || !beaten {
        let message = client.message().await;
        if message.msg_ref == json!(heartbeat) {
            beaten = true;
            continue;
        }
        assert_eq!(message.msg_ref, json!(missing.pop_front()));
    }
    client.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_read_brings_past_the_bound_is_not_taken_in_either() {
    let (server, mut told) = Server::rooms_with(|socket| socket.limits(Limits::new().input_messages(8)));
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    let (mut batch, wait) = client.pushed("room:a", "wait", json!({}));
    for _ in 0..100 {
        batch.extend(client.pushed("room:a", "count", json!({})).0);
    }
    let (heartbeat, _) = client.pushed("phoenix", "heartbeat", json!({}));
    batch.extend(heartbeat);

    client.raw(&batch).await;
    assert_eq!(told.next().await, "handler waits");
    told.let_pass(1);

    client.reply(&wait).await;
    let mut counted = 0;
    while client.message().await.topic != "phoenix" {
        counted += 1;
    }
    assert!(counted >= 100 - 8, "the heartbeat has overtaken all but {counted}");
    for _ in counted..100 {
        client.event("room:a", "phx_reply").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channel_that_silences_its_connection_for_too_long_is_ended() {
    let limits = Limits::new().input_messages(4).overload(Duration::from_millis(300));
    let (server, mut told) = Server::rooms_with(|socket| socket.limits(limits));
    let mut other = Client::connect(server.address).await;
    let mut client = Client::connect(server.address).await;
    client.join("room:stuck").await;
    client.join("room:well").await;
    client.push("room:stuck", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");

    for _ in 0..4 {
        client.push("room:stuck", "count", json!({})).await;
    }
    other.heartbeat().await;

    assert_eq!(client.event("room:stuck", "phx_error").await, json!({ "reason": "channel_crash" }));
    assert_eq!(told.next().await, "handler dropped");
    client.call("room:well", "count", json!({})).await;
    client.join("room:stuck").await;
    client.call("room:stuck", "count", json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_no_handler_takes_end_their_channel_alone() {
    let (server, mut told) = Server::rooms_with(|socket| socket.limits(Limits::new().channel_messages(10)));
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.join("room:b").await;
    client.call("room:a", "give_handle", json!({})).await;
    client.push("room:a", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");
    let handle = told.handle();

    for _ in 0..11 {
        handle.notify(crate::app::Note("more")).unwrap();
    }

    client.event("room:a", "phx_error").await;
    assert_eq!(told.next().await, "handler dropped");
    client.call("room:b", "count", json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_frame_is_heard_while_reading_pauses() {
    let (server, mut told) = Server::rooms_with(|socket| socket.limits(Limits::new().input_messages(2)));
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    let (mut batch, _) = client.pushed("room:a", "wait", json!({}));
    for _ in 0..4 {
        batch.extend(client.pushed("room:a", "count", json!({})).0);
    }
    client.raw(&batch).await;
    assert_eq!(told.next().await, "handler waits");

    let endpoint = server.endpoint.clone();
    let drained = tokio::spawn(async move { endpoint.drain().await });
    assert_eq!(client.close_code().await, 1012);
    let start = Instant::now();
    client.raw(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xf4]).await;
    assert_eq!(client.next().await, Got::Ended);

    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    told.let_pass(1);
    drained.await.unwrap();
}
