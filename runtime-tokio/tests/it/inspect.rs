//! What an operator sees of a node.

use crate::app::text_of;
use crate::client::{Client, SOCKET_V1, until};
use crate::poller::Poller;
use crate::rt::RUNTIME;
use crate::server::Server;
use bennu::prelude::*;
use bennu::{ChannelStage, InspectedSocket, LongPoll, Transport};
use serde_json::json;
use std::collections::HashSet;
use std::time::Duration;

/// The only socket that is connected.
fn only(endpoint: &Endpoint) -> InspectedSocket {
    let mut sockets = endpoint.inspect().sockets;
    assert_eq!(sockets.len(), 1, "{sockets:?}");
    sockets.remove(0)
}

#[tokio::test]
async fn socket_is_seen_with_who_it_is_and_what_its_channels_do() {
    let (server, mut told) = Server::rooms();
    assert!(server.endpoint.inspect().sockets.is_empty());
    let mut client = Client::connect_to(server.address, SOCKET_V1).await;
    client.join("room:a").await;
    client.push("room:a", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");
    client.push("room:a", "count", json!({})).await;
    client.send_join("room:slow").await;
    assert_eq!(told.next().await, "join waits");

    let seen = only(&server.endpoint);

    assert_eq!((&*seen.path, seen.id.as_deref()), ("/socket", Some("socket:everybody")));
    assert_eq!((seen.transport, seen.vsn), (Transport::WebSocket, "1.0.0"));
    assert_eq!(seen.peer, Some(client.stream().local_addr().unwrap()));
    assert!(seen.seconds < 10, "{seen:?}");
    let channels: Vec<_> = seen
        .channels
        .iter()
        .map(|channel| (&*channel.topic, channel.stage, channel.is_busy, channel.mailbox_messages))
        .collect();
    assert_eq!(
        channels,
        [("room:a", ChannelStage::Joined, true, 1), ("room:slow", ChannelStage::Joining, true, 0)]
    );
    told.let_pass(2);
    until("the handlers to have answered", || {
        only(&server.endpoint).channels.iter().all(|channel| !channel.is_busy)
    })
    .await;
    assert_eq!(only(&server.endpoint).channels[0].mailbox_messages, 0);
}

#[tokio::test]
async fn what_waits_for_a_client_is_seen_however_it_is_connected() {
    let (server, _told) = Server::rooms_with(|socket| socket.longpoll(LongPoll::new()));
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;
    // More than the kernel takes.
    client.push("room:a", "grow", json!({ "bytes": 900_000 })).await;
    until("some of it to wait", || only(&server.endpoint).outbox_bytes > 0).await;
    assert_eq!(only(&server.endpoint).outbox_frames, 1);
    drop(client);
    until("it to be gone", || server.endpoint.inspect().sockets.is_empty()).await;

    let _poller = Poller::joined(&server.endpoint, "room:b").await;
    for _ in 0..3 {
        server.endpoint.broadcast("room:b", "event", text_of(1000)).unwrap();
    }
    until("all three to wait", || only(&server.endpoint).outbox_frames == 3).await;
    let seen = only(&server.endpoint);
    assert_eq!((seen.transport, seen.peer, seen.vsn), (Transport::LongPoll, None, "2.0.0"));
    assert!((3000..4000).contains(&seen.outbox_bytes), "{seen:?}");
}

#[tokio::test]
async fn time_since_a_client_connected_is_seen() {
    crate::rt::pause();
    let socket = bennu::socket(Open).longpoll(LongPoll::new().window(Duration::from_secs(3600)));
    let endpoint = Endpoint::builder().socket("/socket", socket).build(RUNTIME);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let begun = tokio::time::Instant::now();
    let _poller = Poller::open(&endpoint).await;

    tokio::time::sleep(Duration::from_secs(2)).await;

    let seconds = only(&endpoint).seconds;
    assert!((2..=begun.elapsed().as_secs()).contains(&seconds), "{seconds}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_is_seen_once_while_others_come_and_go() {
    let (server, _told) = Server::rooms();
    let mut stay = Vec::new();
    for n in 0..300 {
        let mut client = Client::connect(server.address).await;
        client.join(&format!("room:{n}")).await;
        stay.push(client);
    }
    let address = server.address;
    let churn = tokio::spawn(async move {
        loop {
            Client::connect(address).await.heartbeat().await;
        }
    });

    for _ in 0..20 {
        let sockets = server.endpoint.inspect().sockets;
        let names: HashSet<_> = sockets.iter().map(|socket| socket.socket).collect();
        assert_eq!(names.len(), sockets.len());
        let topics: HashSet<_> = sockets.iter().flat_map(|s| &s.channels).map(|c| &c.topic).collect();
        assert_eq!(topics.len(), 300);
        tokio::task::yield_now().await;
    }
    churn.abort();
}
