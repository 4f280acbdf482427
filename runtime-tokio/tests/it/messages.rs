//! Messages to channels: from themselves, from other tasks, from other topics.

use crate::app::Note;
use crate::client::{Client, until};
use crate::server::Server;
use bennu::NotifyError;
use serde_json::json;

#[tokio::test]
async fn message_to_oneself_is_handled_behind_the_handler() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    client.push("room:a", "notify", json!({})).await;

    assert_eq!(client.event("room:a", "note").await, json!({ "text": "now" }));
}

#[tokio::test]
async fn message_for_later_comes_later() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    let start = std::time::Instant::now();

    client.push("room:a", "notify_after", json!({ "millis": 200 })).await;
    client.heartbeat().await;

    assert_eq!(client.event("room:a", "note").await, json!({ "text": "later" }));
    assert!(start.elapsed().as_millis() >= 200);
    assert_eq!(client.call("room:a", "cancel", json!({})).await, json!({ "cancelled": false }));
}

#[tokio::test]
async fn message_that_is_cancelled_never_comes() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.join("room:b").await;
    client.push("room:a", "notify_after", json!({ "millis": 500 })).await;

    assert_eq!(client.call("room:a", "cancel", json!({})).await, json!({ "cancelled": true }));

    client.push("room:b", "notify_after", json!({ "millis": 600 })).await;
    client.event("room:b", "note").await;
}

#[tokio::test]
async fn message_for_later_ends_with_its_channel() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.join("room:b").await;
    client.push("room:a", "notify_after", json!({ "millis": 500 })).await;

    client.join("room:a").await;
    client.event("room:a", "phx_close").await;

    client.push("room:b", "notify_after", json!({ "millis": 600 })).await;
    client.event("room:b", "note").await;
}

#[tokio::test]
async fn handle_reaches_its_channel_from_a_thread_until_that_has_ended() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.call("room:a", "give_handle", json!({})).await;
    let handle = told.handle();
    assert_eq!(handle.topic(), "room:a");

    let threads = handle.clone();
    std::thread::spawn(move || threads.notify(Note("from a thread")).unwrap()).join().unwrap();
    assert_eq!(client.event("room:a", "note").await, json!({ "text": "from a thread" }));

    let leave = client.push("room:a", "phx_leave", json!({})).await;
    client.reply(&leave).await;
    assert_eq!(told.next().await, "terminate Left after 1");
    let Err(NotifyError::Closed(Note(text))) = handle.notify(Note("too late")) else { panic!("it ended") };
    assert_eq!(text, "too late");
    drop(client);
    until("the connection to be forgotten", || server.endpoint.connections() == 0).await;
    assert!(handle.notify(Note("too late")).is_err());
}

#[tokio::test]
async fn deferred_reply_arrives_also_when_its_channel_has_ended() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    let later = client.push("room:a", "later", json!({})).await;
    assert_eq!(told.next().await, "task waits");
    let leave = client.push("room:a", "phx_leave", json!({})).await;
    client.reply(&leave).await;
    client.event("room:a", "phx_close").await;
    client.event("room:a", "goodbye").await;

    told.let_pass(1);

    assert_eq!(client.reply(&later).await, ("ok".into(), json!({ "at": "last" })));
}

#[tokio::test]
async fn deferred_reply_to_a_client_that_has_gone_goes_nowhere() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.push("room:a", "later", json!({})).await;
    assert_eq!(told.next().await, "task waits");
    drop(client);
    assert_eq!(told.next().await, "terminate Closed after 1");

    told.let_pass(1);

    assert_eq!(told.next().await, "replied");
    Client::connect(server.address).await.heartbeat().await;
}

#[tokio::test]
async fn channel_hears_a_further_topic_as_often_as_it_subscribed() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.push("room:a", "subscribe", json!({ "topic": "news" })).await;
    client.call("room:a", "count", json!({})).await;

    server.endpoint.broadcast("news", "first", json!({})).unwrap();
    assert_eq!(client.event("room:a", "heard").await, json!({ "on": "news", "event": "first" }));

    client.push("room:a", "subscribe", json!({ "topic": "news" })).await;
    client.call("room:a", "count", json!({})).await;
    server.endpoint.broadcast("news", "second", json!({})).unwrap();
    client.event("room:a", "heard").await;
    client.event("room:a", "heard").await;

    client.push("room:a", "unsubscribe", json!({ "topic": "news" })).await;
    client.call("room:a", "count", json!({})).await;
    server.endpoint.broadcast("news", "third", json!({})).unwrap();
    client.heartbeat().await;
}
