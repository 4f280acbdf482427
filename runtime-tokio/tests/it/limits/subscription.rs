//! What waits for a subscriber within the application.

use crate::app::text_of;
use crate::client::soon;
use crate::neighbour::beside;
use crate::server::Server;
use bennu::{Endpoint, Notification, Subscription};
use serde_json::json;

fn publish(server: &Server, how_many: u64) {
    for n in 0..how_many {
        server.endpoint.broadcast("room:news", "event", json!({ "n": n })).unwrap();
    }
}

/// Takes what waits: how many were lost before the first, which they are, and how many there are.
async fn taken(subscription: &mut Subscription, server: &Server) -> (u64, u64, u64) {
    server.endpoint.broadcast("room:news", "last", json!({})).unwrap();
    let (mut lost, mut first, mut count) = (0, None, 0);
    loop {
        match soon("a notification", subscription.next()).await {
            Notification::Lost(more) => lost += more,
            Notification::Broadcast(broadcast) if &*broadcast.event == "last" => {
                return (lost, first.unwrap(), count);
            }
            Notification::Broadcast(broadcast) => {
                let n = broadcast.payload.parse::<serde_json::Value>().unwrap()["n"].as_u64().unwrap();
                assert_eq!(n, *first.get_or_insert(n) + count, "in order, and without a gap");
                count += 1;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_more_than_1024_broadcasts_the_oldest_are_lost_and_counted() {
    for (published, lost) in [(1023, 0), (1024, 1), (100_000, 98_977)] {
        let (server, _told) = Server::rooms();
        let mut slow = server.endpoint.subscribe("room:news");

        beside(server.address, async {
            publish(&server, published);
            // The last one of all comes on top.
            assert_eq!(taken(&mut slow, &server).await, (lost, lost, published - lost));
        })
        .await;
    }
}

#[tokio::test]
async fn slow_subscriber_costs_another_nothing() {
    let (server, _told) = Server::rooms();
    let mut slow = server.endpoint.subscribe("room:news");
    let mut quick = server.endpoint.subscribe("room:news");

    for _ in 0..20 {
        publish(&server, 1000);
        assert_eq!(taken(&mut quick, &server).await, (0, 0, 1000));
    }

    assert_eq!(slow.next().await, Notification::Lost(20 * 1001 - 1024));
}

#[tokio::test]
async fn limits_of_a_subscription_are_settings() {
    let (server, _told) = Server::rooms_on(Endpoint::builder().subscription_messages(3), |socket| socket);
    let mut slow = server.endpoint.subscribe("room:news");
    publish(&server, 5);
    assert_eq!(taken(&mut slow, &server).await, (3, 3, 2));

    let one = text_of(1000).len();
    let (server, _told) = Server::rooms_on(Endpoint::builder().subscription_bytes(3 * one), |socket| socket);
    let mut slow = server.endpoint.subscribe("room:news");
    for _ in 0..3 {
        server.endpoint.broadcast("room:news", "event", text_of(1000)).unwrap();
    }
    assert!(matches!(slow.next().await, Notification::Broadcast(_)));
    for _ in 0..2 {
        server.endpoint.broadcast("room:news", "event", text_of(1000)).unwrap();
    }
    assert_eq!(slow.next().await, Notification::Lost(1));
    // One that is larger than all that may wait is lost itself.
    server.endpoint.broadcast("room:news", "event", text_of(4 * one)).unwrap();
    assert_eq!(slow.next().await, Notification::Lost(4));
}
