//! Connections that are being closed, and peers that do not play along.

use crate::app::{Probe, Probing, Room};
use crate::client::{Client, SOCKET, request, soon, status};
use crate::hasty::{HASTE, Hasty};
use crate::server::Server;
use bennu::{Endpoint, WebSocket};
use serde_json::json;
use std::time::{Duration, Instant};

/// A server with room for one connection.
fn server() -> Server {
    server_with(WebSocket::new())
}

fn server_with(websocket: WebSocket) -> Server {
    let socket = bennu::socket(Probing(Probe::new().0)).channel::<Room>("room:*").websocket(websocket);
    Server::start(Endpoint::builder().max_connections(1).socket("/socket", socket).build(Hasty))
}

/// How long it takes until the one connection is forgotten with all that belonged to it, as the server
/// sees time.
async fn time_to_forget(server: &Server) -> Duration {
    let start = Instant::now();
    soon("its place to be free", async {
        while status(server.address, &request(SOCKET, "")).await == 503 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    start.elapsed() * HASTE
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_that_closes_and_takes_nothing_is_forgotten_after_10_s() {
    let server = server();
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;
    let (mut bytes, _) = client.pushed("room:a", "grow", json!({ "bytes": 5_000_000 }));
    bytes.extend([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

    client.raw(&bytes).await;

    let took = time_to_forget(&server).await;
    assert!(took > Duration::from_secs(9) && took < Duration::from_secs(30), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_that_does_not_answer_a_close_frame_is_forgotten_after_5_s() {
    let server = server();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    client.raw(&[0x81, 0]).await;
    assert_eq!(client.close_code().await, 1002);

    let took = time_to_forget(&server).await;
    assert!(took > Duration::from_secs(4) && took < Duration::from_secs(20), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_for_the_answer_to_a_close_frame_is_a_setting() {
    let server = server_with(WebSocket::new().close_timeout(Duration::from_secs(60)));
    let mut client = Client::connect(server.address).await;

    client.raw(&[0x81, 0]).await;
    assert_eq!(client.close_code().await, 1002);

    let took = time_to_forget(&server).await;
    assert!(took > Duration::from_secs(55) && took < Duration::from_secs(120), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_that_answers_a_close_frame_is_not_kept_for_the_rest_of_its_time() {
    let server = server_with(WebSocket::new().close_timeout(Duration::from_secs(3600)));
    let mut client = Client::connect(server.address).await;

    client.raw(&[0x81, 0]).await;
    assert_eq!(client.closed().await, 1002);

    let took = time_to_forget(&server).await;
    assert!(took < Duration::from_secs(60), "{took:?}");
}
