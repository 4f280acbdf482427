//! One message to many.

use crate::app::text_of;
use crate::client::{Client, Got, SOCKET_V1, soon};
use crate::server::Server;
use bennu::{Notification, Payload};
use serde_json::json;

#[tokio::test]
async fn broadcast_reaches_every_member_from_any_thread() {
    let (server, _told) = Server::rooms();
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = Client::connect(server.address).await;
        client.join("room:a").await;
        clients.push(client);
    }
    let mut elsewhere = Client::connect(server.address).await;
    elsewhere.join("room:b").await;

    let endpoint = server.endpoint.clone();
    let publisher = std::thread::spawn(move || {
        for n in 0..10 {
            endpoint.broadcast("room:a", "event", json!({ "n": n })).unwrap();
        }
    });

    for client in &mut clients {
        for n in 0..10 {
            assert_eq!(client.event("room:a", "event").await, json!({ "n": n }));
        }
    }
    publisher.join().unwrap();
    elsewhere.heartbeat().await;
}

#[tokio::test]
async fn broadcast_from_spares_the_channel_that_made_it_and_no_other() {
    let (server, _told) = Server::rooms();
    let mut sender = Client::connect(server.address).await;
    let mut other = Client::connect(server.address).await;
    sender.join("room:a").await;
    other.join("room:a").await;

    sender.push("room:a", "tell_others", json!({ "n": 1 })).await;

    assert_eq!(other.event("room:a", "told").await, json!({ "n": 1 }));
    sender.heartbeat().await;
}

#[tokio::test]
async fn binary_broadcast_reaches_v2_and_skips_v1() {
    let (server, _told) = Server::rooms();
    let mut two = Client::connect(server.address).await;
    let mut one = Client::connect_to(server.address, SOCKET_V1).await;
    two.join("room:a").await;
    one.join("room:a").await;

    server.endpoint.broadcast("room:a", "bytes", Payload::binary(vec![1, 2, 3])).unwrap();
    server.endpoint.broadcast("room:a", "text", json!({})).unwrap();

    assert_eq!(two.next().await, Got::Binary(b"\x02\x06\x05room:abytes\x01\x02\x03".to_vec()));
    two.event("room:a", "text").await;
    one.event("room:a", "text").await;
    one.call("room:a", "echo", json!({})).await;
}

#[tokio::test]
async fn broadcast_that_cannot_be_sent_reaches_nobody() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    assert!(server.endpoint.broadcast("room:a", "event", 5).is_err());
    assert!(server.endpoint.broadcast("room:a", &"e".repeat(256), Payload::binary(vec![1])).is_err());

    client.heartbeat().await;
}

#[tokio::test]
async fn subscription_sees_what_clients_see() {
    let (server, _told) = Server::rooms();
    let mut subscription = server.endpoint.subscribe("room:a");
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    client.push("room:a", "shout", json!({ "n": 1 })).await;

    let Notification::Broadcast(broadcast) = soon("a broadcast", subscription.next()).await else {
        panic!("nothing was lost")
    };
    assert_eq!((&*broadcast.topic, &*broadcast.event), ("room:a", "shout"));
    assert_eq!(broadcast.payload.parse::<serde_json::Value>().unwrap(), json!({ "n": 1 }));
}

#[tokio::test]
async fn subscription_that_lags_behind_is_told_how_much_it_lost() {
    let (server, _told) = Server::rooms();
    let mut subscription = server.endpoint.subscribe("room:a");

    for n in 0..1030 {
        server.endpoint.broadcast("room:a", "event", json!({ "n": n })).unwrap();
    }

    assert_eq!(soon("the loss", subscription.next()).await, Notification::Lost(6));
    for n in 6..1030 {
        let Notification::Broadcast(broadcast) = subscription.next().await else { panic!("lost once") };
        assert_eq!(broadcast.payload.parse::<serde_json::Value>().unwrap(), json!({ "n": n }));
    }
    drop(subscription);
    server.endpoint.broadcast("room:a", "event", json!({})).unwrap();
}

#[tokio::test]
async fn subscription_keeps_4_mib_and_no_more() {
    let (server, _told) = Server::rooms();
    let mut subscription = server.endpoint.subscribe("room:a");

    for _ in 0..5 {
        server.endpoint.broadcast("room:a", "event", text_of(1 << 20)).unwrap();
    }

    assert_eq!(soon("the loss", subscription.next()).await, Notification::Lost(2));
}
