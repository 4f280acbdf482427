//! Connections: how many one socket may have, and how fast they may come, by whichever transport.

use super::rates::just;
use crate::app::{Probe, Probing, Room};
use crate::client::{Client, SOCKET, request, status, until};
use crate::neighbour::beside;
use crate::poller::{LONGPOLL, Poller, call, get};
use crate::server::Server;
use bennu::{Builder, Endpoint, LongPoll, SocketSettings};
use std::net::SocketAddr;

const OTHER: &str = "/other/websocket?vsn=2.0.0";
const OTHER_POLLS: &str = "/other/longpoll?vsn=2.0.0";

/// A server with the usual socket, which is polled too, and another one with settings.
fn with_other(
    builder: Builder,
    set: impl FnOnce(SocketSettings<Probing>) -> SocketSettings<Probing>,
) -> Server {
    let (probe, _) = Probe::new();
    let other = bennu::socket(Probing(probe)).channel::<Room>("room:*").longpoll(LongPoll::new());
    let builder = builder.socket("/other", set(other));
    Server::rooms_on(builder, |socket| socket.longpoll(LongPoll::new())).0
}

/// What so many get that ask at once.
async fn all_get(address: SocketAddr, target: &'static str, how_many: usize, expected: u16) {
    let asking = (0..how_many)
        .map(|_| tokio::spawn(async move { status(address, &request(target, "")).await }))
        .collect::<Vec<_>>();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_come_too_fast_get_503_and_take_no_place() {
    // The neighbour is one of them.
    let server = with_other(Endpoint::builder().accept_rate(just(4)).max_connections(5), |socket| socket);

    beside(server.address, async {
        let mut client = Client::connect(server.address).await;
        let mut other = Client::connect_to(server.address, OTHER).await;
        let mut poller = Poller::open(&server.endpoint).await;

        assert_eq!(status(server.address, &request(SOCKET, "")).await, 503);
        assert_eq!(call(&server.endpoint, get(LONGPOLL)).await.status(), 503);
        for _ in 0..10 {
            all_get(server.address, SOCKET, 30, 503).await;
            all_get(server.address, OTHER, 30, 503).await;
        }
        for _ in 0..300 {
            assert_eq!(call(&server.endpoint, get(OTHER_POLLS)).await.status(), 503);
        }

        client.heartbeat().await;
        other.heartbeat().await;
        poller.heartbeat().await;
        assert_eq!(server.endpoint.connections(), 4);
    })
    .await;
}

#[tokio::test]
async fn who_comes_too_fast_is_told_before_anything_else_is_looked_at() {
    let server = with_other(Endpoint::builder().accept_rate(just(1)), |socket| socket);
    let foreign = request("/socket/websocket?vsn=9.9.9", "origin: http://evil.test\r\n");

    assert_eq!(status(server.address, &foreign).await, 403);

    assert_eq!(status(server.address, &foreign).await, 503);
    assert_eq!(status(server.address, &request("/nowhere", "")).await, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rate_of_a_socket_is_its_own_and_takes_nothing_from_that_of_all() {
    let server = with_other(Endpoint::builder().accept_rate(just(4)), |other| other.accept_rate(just(1)));

    beside(server.address, async {
        let _one = Client::connect_to(server.address, OTHER).await;
        all_get(server.address, OTHER, 100, 503).await;
        assert_eq!(call(&server.endpoint, get(OTHER_POLLS)).await.status(), 503);

        Client::connect(server.address).await.heartbeat().await;
        Client::connect(server.address).await.heartbeat().await;
        assert_eq!(status(server.address, &request(SOCKET, "")).await, 503);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn socket_has_places_of_its_own_and_one_that_is_left_is_free() {
    let server = with_other(Endpoint::builder(), |other| other.max_connections(2));

    beside(server.address, async {
        let mut first = Client::connect_to(server.address, OTHER).await;
        let polled = Poller::open_at(&server.endpoint, OTHER_POLLS).await;
        for _ in 0..10 {
            all_get(server.address, OTHER, 30, 503).await;
        }
        assert_eq!(call(&server.endpoint, get(OTHER_POLLS)).await.status(), 503);
        // One that has its session takes no other place.
        assert_eq!(polled.post(r#"[null,"1","phoenix","heartbeat",{}]"#).await, 200);
        Client::connect(server.address).await.heartbeat().await;

        first.heartbeat().await;
        drop(first);
        until("a place to be free", || server.endpoint.connections() <= 2).await;
        Client::connect_to(server.address, OTHER).await.heartbeat().await;
    })
    .await;
}
