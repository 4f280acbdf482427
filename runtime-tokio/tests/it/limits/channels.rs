//! The channels of one connection: those that are joined or asked for, and those that end.

use crate::client::Client;
use crate::neighbour::beside;
use crate::server::Server;
use bennu::Limits;
use serde_json::{Value, json};

fn too_many() -> (String, Value) {
    ("error".into(), json!({ "reason": "too many channels joined" }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundred_channels_are_joined_and_ten_thousand_more_are_refused_one_by_one() {
    let (server, _told) = Server::rooms();

    beside(server.address, async {
        let mut client = Client::connect(server.address).await;
        for n in 0..100 {
            client.join(&format!("room:{n}")).await;
        }
        for burst in 0..100 {
            let mut refs = Vec::new();
            for n in 0..100 {
                refs.push(client.send_join(&format!("room:more {burst} {n}")).await);
            }
            for join in refs {
                assert_eq!(client.reply(&join).await, too_many());
            }
        }
        for n in 0..100 {
            client.call(&format!("room:{n}"), "count", json!({})).await;
        }
    })
    .await;
}

#[tokio::test]
async fn join_that_is_not_decided_yet_takes_a_place_and_a_refused_one_gives_it_back() {
    let (server, mut told) = Server::rooms_with(|socket| socket.max_channels(1));
    let mut client = Client::connect(server.address).await;
    let pending = client.send_join("room:slow").await;
    assert_eq!(told.next().await, "join waits");

    let join = client.send_join("room:a").await;
    assert_eq!(client.reply(&join).await, too_many());

    told.let_pass(1);
    assert_eq!(client.reply(&pending).await.0, "ok");
    let leave = client.push("room:slow", "phx_leave", json!({})).await;
    client.reply(&leave).await;
    client.event("room:slow", "phx_close").await;
    client.event("room:slow", "goodbye").await;
    client.push("room:panic", "never", json!({})).await;
    client.message().await;
    let crash = client.send_join("room:panic").await;
    assert_eq!(client.reply(&crash).await.0, "error");
    client.join("room:a").await;
}

/// Joins and leaves a room whose `terminate` waits.
async fn linger(client: &mut Client) {
    client.join("room:lingers").await;
    let leave = client.push("room:lingers", "phx_leave", json!({})).await;
    assert_eq!(client.reply(&leave).await.0, "ok");
    client.event("room:lingers", "phx_close").await;
    client.event("room:lingers", "goodbye").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn join_waits_while_a_hundred_channels_end_and_so_do_a_hundred_more_but_not_all() {
    let (server, mut told) = Server::rooms();

    beside(server.address, async {
        let mut client = Client::connect(server.address).await;
        for _ in 0..100 {
            linger(&mut client).await;
            assert_eq!(told.next().await, "terminate Left after 0");
            assert_eq!(told.next().await, "terminate waits");
        }

        let mut waiting = Vec::new();
        for n in 0..100 {
            waiting.push(client.send_join(&format!("room:{n}")).await);
        }
        // Each of them has a place; who comes now has none.
        for n in 0..1000 {
            let join = client.send_join(&format!("room:more {n}")).await;
            assert_eq!(client.reply(&join).await, too_many());
        }
        client.heartbeat().await;

        told.let_pass(1);
        for join in waiting {
            assert_eq!(client.reply(&join).await.0, "ok");
        }
        told.let_pass(99);
        for n in 0..100 {
            client.call(&format!("room:{n}"), "count", json!({})).await;
        }
    })
    .await;
}

#[tokio::test]
async fn how_many_channels_may_end_at_once_is_a_setting() {
    let (server, mut told) = Server::rooms_with(|socket| socket.limits(Limits::new().terminating(2)));
    let mut client = Client::connect(server.address).await;
    linger(&mut client).await;
    client.join("room:a").await;
    linger(&mut client).await;

    let join = client.send_join("room:b").await;
    client.heartbeat().await;
    client.call("room:a", "count", json!({})).await;

    for _ in 0..2 {
        assert_eq!(told.next().await, "terminate Left after 0");
        assert_eq!(told.next().await, "terminate waits");
    }
    told.let_pass(2);
    assert_eq!(client.reply(&join).await.0, "ok");
}
