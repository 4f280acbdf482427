//! Handlers that wait, panic, fail.

use crate::client::{Client, until};
use crate::server::Server;
use serde_json::json;

#[tokio::test]
async fn panic_in_join_refuses_it_and_harms_nobody() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    let join = client.send_join("room:panic").await;

    assert_eq!(client.reply(&join).await, ("error".into(), json!({ "reason": "join crashed" })));
    client.call("room:a", "count", json!({})).await;
}

/// Ends a channel by an event that crashes it; its state has to survive to `terminate`.
async fn crash_by(event: &str) {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.join("room:b").await;
    client.call("room:a", "count", json!({})).await;

    client.push("room:a", event, json!({})).await;

    assert_eq!(client.event("room:a", "goodbye").await, json!({ "count": 2 }), "{event}");
    client.event("room:a", "phx_error").await;
    let told = told.next().await;
    assert!(told.starts_with("terminate Crash(") && told.ends_with("after 2"), "{told}");
    client.call("room:b", "count", json!({})).await;
    client.join("room:a").await;
    assert_eq!(client.call("room:a", "count", json!({})).await, json!({ "n": 1 }));
}

#[tokio::test]
async fn panic_in_handle_in_ends_its_channel_alone() {
    crash_by("panic").await;
}

#[tokio::test]
async fn panic_behind_an_await_ends_its_channel_alone() {
    crash_by("panic_later").await;
}

#[tokio::test]
async fn panic_in_handle_info_ends_its_channel_alone() {
    crash_by("panic_info").await;
}

#[tokio::test]
async fn unknown_event_ends_its_channel_alone() {
    crash_by("no such event").await;
}

#[tokio::test]
async fn push_that_is_no_object_crashes_its_channel() {
    crash_by("push_number").await;
}

#[tokio::test]
async fn reply_that_cannot_be_written_crashes_its_channel() {
    crash_by("reply_unwritable").await;
}

#[tokio::test]
async fn broadcast_that_cannot_be_written_crashes_its_channel() {
    crash_by("broadcast_unwritable").await;
}

#[tokio::test]
async fn crash_outranks_stop() {
    crash_by("stop_and_crash").await;
}

#[tokio::test]
async fn panic_in_handle_out_ends_each_channel_that_panicked() {
    let (server, _told) = Server::rooms();
    let mut one = Client::connect(server.address).await;
    let mut two = Client::connect(server.address).await;
    one.join("room:a").await;
    two.join("room:a").await;
    two.join("room:b").await;

    one.push("room:a", "panic_out", json!({})).await;

    for client in [&mut one, &mut two] {
        client.event("room:a", "goodbye").await;
        client.event("room:a", "phx_error").await;
    }
    two.call("room:b", "count", json!({})).await;
}

#[tokio::test]
async fn panic_in_terminate_is_the_end_all_the_same() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:panics_at_the_end").await;

    let leave = client.push("room:panics_at_the_end", "phx_leave", json!({})).await;

    assert_eq!(client.reply(&leave).await.0, "ok");
    client.event("room:panics_at_the_end", "phx_close").await;
    client.event("room:panics_at_the_end", "goodbye").await;
    assert_eq!(told.next().await, "terminate Left after 0");
    client.join("room:panics_at_the_end").await;
    drop(client);
    until("the connection to be forgotten", || server.endpoint.connections() == 0).await;
}

#[tokio::test]
async fn payload_of_the_wrong_shape_is_an_error_reply() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    let push = client.push("room:a", "notify_after", json!({ "millis": "soon" })).await;

    assert_eq!(client.reply(&push).await, ("error".into(), json!({ "reason": "invalid payload" })));
    client.call("room:a", "count", json!({})).await;
}

#[tokio::test]
async fn handler_that_waits_holds_back_its_own_channel_only() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.join("room:b").await;
    let wait = client.push("room:a", "wait", json!({})).await;
    let behind = client.push("room:a", "count", json!({})).await;
    assert_eq!(told.next().await, "handler waits");

    client.call("room:b", "count", json!({})).await;
    client.heartbeat().await;

    told.let_pass(1);
    client.reply(&wait).await;
    assert_eq!(client.reply(&behind).await.1, json!({ "n": 2 }));
}

#[tokio::test]
async fn many_handlers_of_one_connection_wait_at_once() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    let mut refs = Vec::new();
    for n in 0..50 {
        let topic = format!("room:{n}");
        client.join(&topic).await;
        refs.push(client.push(&topic, "wait", json!({})).await);
        assert_eq!(told.next().await, "handler waits");
    }

    told.let_pass(50);

    for _ in 0..50 {
        let message = client.message().await;
        let at = refs.iter().position(|msg_ref| message.msg_ref == json!(msg_ref)).expect("each once");
        refs.swap_remove(at);
    }
    client.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channel_that_sends_itself_one_message_after_the_other_starves_nobody() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    let mut other = Client::connect(server.address).await;
    client.join("room:a").await;

    client.call("room:a", "spin", json!({ "millis": 30_000 })).await;
    client.heartbeat().await;
    client.join("room:b").await;
    other.heartbeat().await;
    server.endpoint.broadcast("room:b", "event", json!({})).unwrap();
    client.event("room:b", "event").await;

    assert_eq!(
        client.call("room:a", "halt", json!({})).await,
        json!({ "spins": true }),
        "all that meanwhile"
    );
}
