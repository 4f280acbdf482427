//! Clients that are silent.

use crate::client::{Client, Got};
use crate::server::Server;
use bennu::WebSocket;
use serde_json::json;
use std::time::{Duration, Instant};

const IDLE: Duration = Duration::from_millis(400);

fn server() -> Server {
    Server::rooms_with(|socket| socket.websocket(WebSocket::new().idle_timeout(IDLE))).0
}

#[tokio::test]
async fn silent_client_is_closed_with_1002() {
    let mut client = Client::connect(server().address).await;
    let start = Instant::now();

    assert_eq!(client.closed().await, 1002);

    assert!(start.elapsed() < 3 * IDLE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn ping_keeps_a_client_alive() {
    let mut client = Client::connect(server().address).await;
    let start = Instant::now();

    let mut pings = tokio::time::interval(IDLE / 8);
    while start.elapsed() < 3 * IDLE {
        pings.tick().await;
        client.raw(&[0x89, 0x80, 0, 0, 0, 0]).await;
        assert_eq!(client.next().await, Got::Pong(Vec::new()));
    }

    assert_eq!(client.closed().await, 1002);
}

#[tokio::test]
async fn what_the_server_sends_keeps_nobody_alive() {
    let server = server();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    let (start, endpoint) = (Instant::now(), server.endpoint.clone());
    let publishing = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(IDLE / 8);
        loop {
            ticks.tick().await;
            endpoint.broadcast("room:a", "tick", json!({})).unwrap();
        }
    });

    let mut heard = 0;
    let code = loop {
        match client.next().await {
            Got::Message(_) => heard += 1,
            Got::Closed(code) => break code,
            other => panic!("{other:?}"),
        }
    };
    publishing.abort();

    assert_eq!(code, Some(1002));
    assert!(heard > 2 && start.elapsed() < 3 * IDLE, "{heard} in {:?}", start.elapsed());
}
