//! What many tasks publish at once arrives in each one's order.

use crate::client::{Client, Got};
use crate::server::Server;
use bennu::Endpoint;
use serde_json::json;
use std::collections::HashMap;

/// How many messages each publisher makes.
const MESSAGES: u64 = 300;

/// Reads until each of so many publishers has been heard in full, in its order and without a gap.
async fn hear_all(client: &mut Client, publishers: usize) {
    let mut next = HashMap::<String, u64>::new();
    while next.len() < publishers || next.values().any(|n| *n < MESSAGES) {
        let message = match client.next().await {
            Got::Message(message) if message.event == "phx_reply" => continue,
            Got::Message(message) => message,
            other => panic!("{other:?}"),
        };
        let by = message.payload["by"].as_str().expect("a publisher").to_owned();
        let expected = next.entry(by).or_default();
        assert_eq!(message.payload["n"], json!(*expected));
        *expected += 1;
    }
    client.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_subscriber_hears_each_publisher_in_order_without_loss_or_doubles() {
    let (server, _told) = Server::rooms_on(Endpoint::builder().shards(8), |socket| socket);
    let mut subscribers = Vec::new();
    for _ in 0..16 {
        let mut client = Client::connect(server.address).await;
        client.join("room:a").await;
        subscribers.push(client);
    }

    let mut tasks = Vec::new();
    for by in ["one", "two"] {
        let endpoint = server.endpoint.clone();
        tasks.push(tokio::spawn(async move {
            for n in 0..MESSAGES {
                endpoint.broadcast("room:a", "event", json!({ "by": by, "n": n })).unwrap();
                if n % 7 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }));
    }
    for by in ["three", "four"] {
        let mut client = Client::connect(server.address).await;
        tasks.push(tokio::spawn(async move {
            client.join("room:b").await;
            client.join("room:a").await;
            let mut batch = Vec::new();
            for n in 0..MESSAGES {
                batch.extend(client.pushed("room:a", "shout", json!({ "by": by, "n": n })).0);
            }
            client.raw(&batch).await;
            // It has joined while others were publishing: what it hears of them begins anywhere.
            let mut own = 0;
            while own < MESSAGES {
                let message = client.message().await;
                own += u64::from(message.payload["by"] == json!(by));
            }
        }));
    }
    for mut client in subscribers {
        tasks.push(tokio::spawn(async move { hear_all(&mut client, 4).await }));
    }

    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reply_comes_behind_the_broadcasts_made_before_it() {
    let (server, _told) = Server::rooms_on(Endpoint::builder().shards(8), |socket| socket);
    let mut tasks = Vec::new();
    for by in ["one", "two"] {
        let mut client = Client::connect(server.address).await;
        client.join("room:a").await;
        tasks.push(tokio::spawn(async move {
            let mut refs = Vec::new();
            let mut batch = Vec::new();
            for n in 0..MESSAGES {
                let (push, msg_ref) = client.pushed("room:a", "shout", json!({ "by": by, "n": n }));
                batch.extend(push);
                refs.push(msg_ref);
            }
            client.raw(&batch).await;

            let (mut shouts, mut replies) = (0, 0);
            while replies < refs.len() {
                let message = client.message().await;
                if message.event == "phx_reply" {
                    assert_eq!(message.msg_ref, json!(refs[replies]));
                    replies += 1;
                    assert_eq!(shouts, replies, "its broadcast first");
                } else if message.payload["by"] == json!(by) {
                    assert_eq!(message.payload["n"], json!(shouts));
                    shouts += 1;
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_behind_the_reply_to_a_join_is_heard() {
    let (server, _told) = Server::rooms_on(Endpoint::builder().shards(8), |socket| socket);
    let mut client = Client::connect(server.address).await;

    for n in 0..300 {
        let topic = format!("room:{n}");
        client.join(&topic).await;
        server.endpoint.broadcast(&topic, "event", json!({})).unwrap();
        client.event(&topic, "event").await;
        let leave = client.push(&topic, "phx_leave", json!({})).await;
        client.reply(&leave).await;
        client.event(&topic, "phx_close").await;
        client.event(&topic, "goodbye").await;
    }
}
