//! What holds on a node for whoever connects, by WebSocket or by polling.

use super::rooms;
use crate::client::{Client, SOCKET, answer, request, soon};
use crate::poller::{Answer, LONGPOLL, Poller, answer_of, ask, call, exchange, get, head};
use crate::rt::RUNTIME;
use crate::server::{self, Server};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get as route;
use bennu::prelude::*;
use bennu::{CheckOrigin, Drain, LongPoll, TrustedProxies};
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// Rooms that may be polled, and are let go one by one.
fn slowly() -> (Server, crate::app::Told) {
    let drain = Drain::new().batch_size(1).interval(SECOND);
    Server::rooms_with(|socket| socket.longpoll(LongPoll::new()).drain(drain))
}

/// The status of a poll, and when it came.
async fn polled(poller: &Poller, start: Instant) -> (u64, u16) {
    let answer = poller.poll().await;
    (start.elapsed().as_secs(), answer.status)
}

#[tokio::test]
async fn sessions_are_let_go_in_batches_and_those_of_a_later_one_are_served() {
    crate::rt::pause();
    let (server, mut told) = slowly();
    let one = Poller::joined(&server.endpoint, "room:a").await;
    let two = Poller::joined(&server.endpoint, "room:a").await;
    let start = Instant::now();

    let (one, two, ended) =
        tokio::join!(polled(&one, start), polled(&two, start), server.endpoint.drain_socket("/socket"));

    let mut polls = [one, two];
    polls.sort_unstable();
    assert_eq!((polls, ended), ([(0, 204), (1, 204)], Some(2)));
    for _ in 0..2 {
        assert_eq!(told.next().await, "terminate Draining after 0");
    }
    Poller::joined(&server.endpoint, "room:a").await.heartbeat().await;
}

#[tokio::test]
async fn node_that_drains_opens_no_session_from_its_first_moment_and_serves_those_who_wait() {
    crate::rt::pause();
    let (server, _told) = slowly();
    let mut pollers =
        [Poller::joined(&server.endpoint, "room:a").await, Poller::joined(&server.endpoint, "room:a").await];
    let endpoint = server.endpoint.clone();
    let drained = tokio::spawn(async move { endpoint.drain().await });
    tokio::task::yield_now().await;

    assert_eq!(call(&server.endpoint, get(LONGPOLL)).await.status(), 503);
    tokio::time::sleep(SECOND / 2).await;
    let mut left = Vec::new();
    for poller in &mut pollers {
        let (message, _) = poller.message("room:a", "echo", json!({}));
        left.push(poller.post(message).await);
    }
    left.sort_unstable();
    assert_eq!(left, [200, 410]);

    drained.await.unwrap();
    assert_eq!(server.endpoint.connections(), 0);
}

/// The status in the body of what a request for a session is answered with.
async fn opened(server: &Server, headers: &str) -> u16 {
    let (status, body) = exchange(server.address, head("GET", "", headers).as_bytes()).await;
    assert_eq!(status, 200);
    serde_json::from_slice::<Answer>(&body).unwrap().status
}

#[tokio::test]
async fn proxy_that_is_trusted_speaks_for_those_who_poll_too() {
    let server = |proxies| {
        let builder = Endpoint::builder().trusted_proxies(proxies);
        let set = |socket: bennu::SocketSettings<crate::app::Probing>| {
            socket.longpoll(LongPoll::new()).check_origin(CheckOrigin::Conn)
        };
        Server::rooms_on(builder, set).0
    };
    let behind = server(TrustedProxies::new(["127.0.0.1"]).unwrap());
    let open = server(TrustedProxies::default());

    let origin = "origin: https://localhost\r\n";
    let forwarded = format!("{origin}x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: https\r\n");
    assert_eq!(opened(&behind, &forwarded).await, 410);
    assert_eq!(opened(&behind, origin).await, 403);
    assert_eq!(opened(&open, &forwarded).await, 403);
}

/// Lets in who has a session, which says of whom.
struct Members;

impl Socket for Members {
    type Assigns = ();

    async fn connect(&self, params: Params, info: &ConnectInfo) -> Result<(), Refused> {
        let named = params.str("name").map(str::to_owned);
        if info.session::<String>().cloned() == named { Ok(()) } else { Err(Refused::forbidden()) }
    }
}

#[tokio::test]
async fn session_is_read_from_the_request_that_opens_a_session() {
    let socket = bennu::socket(Members).longpoll(LongPoll::new()).session(|headers, _| {
        let cookie = headers.get("cookie")?.to_str().ok()?;
        assert_ne!(cookie, "broken", "the store is down");
        Some(cookie.strip_prefix("session=")?.to_owned())
    });
    let endpoint = Endpoint::builder().socket("/socket", socket).build(RUNTIME);
    let with = |cookie: &str| {
        let mut request = get(&format!("{LONGPOLL}&name=ann"));
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        request
    };

    assert_eq!(ask(&endpoint, with("session=ann")).await.status, 410);
    assert_eq!(ask(&endpoint, with("session=bob")).await.status, 403);
    assert_eq!(ask(&endpoint, with("none")).await.status, 403);
    assert_eq!(call(&endpoint, with("broken")).await.status(), 500);
}

/// A poll behind which the connection goes on.
fn keeping(token: &str) -> String {
    head("GET", token, "").replace("connection: close\r\n", "")
}

#[tokio::test]
async fn connection_that_was_polled_over_becomes_a_websocket() {
    let (server, _told) = rooms();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(keeping("").as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await.0, 200);

    let mut client = Client::over(stream, SOCKET).await;

    client.join("room:a").await;
    client.heartbeat().await;
    assert_eq!(server.endpoint.connections(), 2);
}

#[tokio::test]
async fn place_of_a_connection_whose_101_was_replaced_is_free_for_a_poll() {
    let (endpoint, _told) =
        server::rooms(Endpoint::builder().max_connections(1), |socket| socket.longpoll(LongPoll::new()));
    let refusing = map_response(|response: Response| async {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return StatusCode::IM_A_TEAPOT.into_response();
        }
        response
    });
    let router = Router::new().route_service("/socket/{*path}", endpoint.clone()).layer(refusing);
    let listener = crate::rt::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let serve = crate::rt::serve(listener, endpoint).app(router);
    tokio::spawn(async move { serve.await });

    stream.write_all(request(SOCKET, "").as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await.0, 418);
    stream.write_all(keeping("").as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await.0, 200);
}

#[tokio::test]
async fn polls_are_the_endpoints_where_an_application_stands_beside_it() {
    let (endpoint, _told) = server::rooms(Endpoint::builder(), |socket| socket.longpoll(LongPoll::new()));
    assert!(endpoint.has_socket_at("/socket/longpoll") && endpoint.has_socket_at("/socket/websocket"));
    assert!(!endpoint.has_socket_at("/socket"));
    let aside = || async { StatusCode::IM_A_TEAPOT };
    let router = Router::new().route("/socket/longpoll", route(aside)).route("/aside", route(aside));
    let listener = crate::rt::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let serve = crate::rt::serve(listener, endpoint).fallback(router);
    tokio::spawn(async move { serve.await });

    assert_eq!(exchange(address, head("GET", "", "").as_bytes()).await.0, 200);
    let aside = head("GET", "", "").replace(LONGPOLL, "/aside");
    assert_eq!(exchange(address, aside.as_bytes()).await.0, 418);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn graceful_shutdown_answers_the_poll_that_waits() {
    let (server, mut told) = rooms();
    let poller = Poller::joined(&server.endpoint, "room:a").await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(keeping(&poller.token).as_bytes()).await.unwrap();
    // Whoever asks later has been answered: so this one waits.
    Client::connect(server.address).await.heartbeat().await;

    let served = server.stop();

    let (status, body) = answer_of(stream).await;
    assert_eq!((status, serde_json::from_slice::<Answer>(&body).unwrap().status), (200, 204));
    assert_eq!(told.next().await, "terminate Draining after 0");
    soon("the shutdown", served).await.unwrap().unwrap();
}
