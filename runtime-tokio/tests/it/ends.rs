//! Joins, leaves, and connections that go, while handlers run.

use crate::app::text_of;
use crate::client::{Client, Got, until};
use crate::server::Server;
use serde_json::json;

#[tokio::test]
async fn handler_finishes_when_its_client_has_gone_and_terminate_follows() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.push("room:a", "wait", json!({})).await;
    client.push("room:a", "count", json!({})).await;
    assert_eq!(told.next().await, "handler waits");

    drop(client);
    let mut other = Client::connect(server.address).await;
    other.heartbeat().await;
    assert!(told.is_silent(), "the handler goes on");
    told.let_pass(1);

    assert_eq!(told.next().await, "terminate Closed after 2");
    until("the connection to be forgotten", || server.endpoint.connections() == 1).await;
}

#[tokio::test]
async fn join_finishes_when_its_client_has_gone_and_terminate_follows() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.send_join("room:slow").await;
    assert_eq!(told.next().await, "join waits");

    drop(client);
    told.let_pass(1);

    assert_eq!(told.next().await, "terminate Closed after 0");
    until("the connection to be forgotten", || server.endpoint.connections() == 0).await;
}

#[tokio::test]
async fn second_join_drops_the_handler_of_the_first() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.push("room:a", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");

    client.join("room:a").await;

    assert_eq!(told.next().await, "handler dropped");
    assert_eq!(client.event("room:a", "phx_close").await, json!({}));
    assert_eq!(client.call("room:a", "count", json!({})).await, json!({ "n": 1 }));
    assert!(told.is_silent(), "terminate does not run");
}

#[tokio::test]
async fn slow_join_holds_back_its_own_topic_only() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    let join = client.send_join("room:slow").await;
    let behind = client.push("room:slow", "count", json!({})).await;
    assert_eq!(told.next().await, "join waits");

    client.heartbeat().await;
    client.join("room:b").await;
    client.call("room:b", "count", json!({})).await;
    told.let_pass(1);

    assert_eq!(client.reply(&join).await.0, "ok");
    assert_eq!(client.reply(&behind).await.1, json!({ "n": 1 }));
}

#[tokio::test]
async fn leaves_and_joins_back_to_back_are_answered_in_order() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    let (mut batch, mut awaited) = (Vec::new(), Vec::new());
    client.join("room:a").await;
    for _ in 0..200 {
        let (leave, leave_ref) = client.pushed("room:a", "phx_leave", json!({}));
        // A join's join_ref is its own ref: it is made by hand here.
        let (_, join_ref) = client.pushed("room:a", "nothing", json!({}));
        let join = client.text(&json!([join_ref, join_ref, "room:a", "phx_join", {}]).to_string());
        client.now_joined("room:a", &join_ref);
        batch.extend(leave);
        batch.extend(join);
        awaited.extend([leave_ref, join_ref]);
    }

    client.raw(&batch).await;

    for pair in awaited.chunks(2) {
        assert_eq!(client.reply(&pair[0]).await.0, "ok");
        client.event("room:a", "phx_close").await;
        // What the old channel says in the end may come before or behind the answer to the new join.
        let mut messages = [client.message().await, client.message().await];
        messages.sort_by_key(|message| message.event != "goodbye");
        assert_eq!((&*messages[0].event, &messages[1].msg_ref), ("goodbye", &json!(pair[1])));
    }
    for _ in 0..200 {
        assert_eq!(told.next().await, "terminate Left after 0");
    }
    client.call("room:a", "count", json!({})).await;
}

#[tokio::test]
async fn topic_can_be_joined_while_the_old_terminate_still_runs() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:lingers").await;
    let leave = client.push("room:lingers", "phx_leave", json!({})).await;
    client.reply(&leave).await;
    client.event("room:lingers", "phx_close").await;
    client.event("room:lingers", "goodbye").await;
    assert_eq!(told.next().await, "terminate Left after 0");
    assert_eq!(told.next().await, "terminate waits");

    client.join("room:lingers").await;

    client.call("room:lingers", "count", json!({})).await;
    told.let_pass(2);
    drop(client);
    assert_eq!(told.next().await, "terminate Closed after 1");
    until("the connection to be forgotten", || server.endpoint.connections() == 0).await;
}

#[tokio::test]
async fn stop_ends_the_channel_behind_its_pushes_and_reply() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    let stop = client.push("room:a", "stop", json!({})).await;

    client.event("room:a", "pushed").await;
    assert_eq!(client.reply(&stop).await.0, "ok");
    client.event("room:a", "phx_close").await;
    client.event("room:a", "goodbye").await;
    assert_eq!(told.next().await, "terminate Normal after 1");
    client.heartbeat().await;
}

#[tokio::test]
async fn last_call_of_stop_wins() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    client.push("room:a", "stop_twice", json!({})).await;

    client.event("room:a", "phx_close").await;
    assert_eq!(told.next().await, "terminate ShutdownWith(\"last\") after 1");
}

#[tokio::test]
async fn client_that_closes_is_answered_and_its_channels_are_terminated() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    client.raw(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).await;

    assert_eq!(client.closed().await, 1000);
    assert_eq!(told.next().await, "terminate Closed after 0");
    until("the connection to be forgotten", || server.endpoint.connections() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_frame_is_answered_while_others_write_broadcasts_to_its_sender() {
    let (server, _told) = Server::rooms();
    for _ in 0..60 {
        let mut client = Client::connect(server.address).await;
        client.join("room:a").await;
        let (endpoint, payload) = (server.endpoint.clone(), text_of(20_000));
        let publishing = tokio::spawn(async move {
            for _ in 0..10 {
                endpoint.broadcast("room:a", "event", &payload).unwrap();
                tokio::task::yield_now().await;
            }
        });

        client.raw(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).await;

        let end = loop {
            match client.next().await {
                Got::Message(message) => assert!(message.event == "event" || message.event == "goodbye"),
                end => break end,
            }
        };
        assert_eq!(end, Got::Closed(Some(1000)));
        publishing.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_frame_is_answered_behind_what_its_sender_has_not_taken_yet() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;
    let (mut bytes, msg_ref) = client.pushed("room:a", "grow", json!({ "bytes": 5_000_000 }));
    bytes.extend([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

    client.raw(&bytes).await;
    assert_eq!(told.next().await, "terminate Closed after 1");

    assert_eq!(client.reply(&msg_ref).await.0, "ok");
    assert_eq!(client.close_code().await, 1000);
    assert_eq!(client.next().await, Got::Ended);
}
