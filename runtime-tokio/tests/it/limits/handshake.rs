//! The time from the accept to the upgrade, the size of a request, and the places that there are.

use crate::app::Told;
use crate::client::{Client, SOCKET, answer, request, soon, status, until};
use crate::neighbour::beside;
use crate::rt::RUNTIME;
use crate::server::{Server, rooms};
use axum::Router;
use axum::routing::get;
use bennu::{Endpoint, RequestLimits, Runtime};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The time that the tests here allow.
const SHORT: Duration = Duration::from_millis(800);

/// Past which something else has ended a connection, or nothing.
const FAR_TOO_LATE: Duration = Duration::from_secs(5);

fn hasty() -> (Server, Told) {
    let (endpoint, told) = rooms(Endpoint::builder(), |socket| socket);
    (Server::start_with(endpoint, |serve| serve.handshake_timeout(SHORT)), told)
}

/// Reads to the end of a stream; what came.
async fn rest_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Reset or ended: both are an end.
    let _ = soon("the end", stream.read_to_end(&mut bytes)).await;
    bytes
}

#[tokio::test]
async fn silent_connection_is_closed_after_10_s_and_not_before() {
    let (server, _told) = Server::rooms();
    let start = tokio::time::Instant::now();
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    // The server has accepted it once a later one is served.
    Client::connect(server.address).await.heartbeat().await;
    crate::rt::pause();
    let paused = tokio::time::Instant::now();

    let read = timeout(Duration::from_secs(100), async { silent.read(&mut [0; 16]).await }).await;
    assert!(matches!(read, Ok(Ok(0))), "{read:?}");

    let took = start.elapsed();
    assert!(took >= Duration::from_secs(10) && paused.elapsed() < Duration::from_secs(12), "{took:?}");
}

#[tokio::test]
async fn request_that_comes_byte_by_byte_is_accepted_within_its_time() {
    let (server, _told) = Server::rooms();

    beside(server.address, async {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = request(SOCKET, "");
        let (last, first) = request.as_bytes().split_last().unwrap();
        for byte in first {
            stream.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        Client::over_with(stream, SOCKET, &[*last]).await.heartbeat().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_are_silent_or_drip_are_closed_in_time_whatever_they_have_sent() {
    let (server, _told) = hasty();
    let start = Instant::now();

    beside(server.address, async {
        let mut slow = Vec::new();
        for n in 0..100 {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            let request = request(SOCKET, "");
            stream.write_all(&request.as_bytes()[..n * 2 % request.len()]).await.unwrap();
            slow.push(stream);
        }
        let mut drops = tokio::time::interval(Duration::from_millis(20));
        while start.elapsed() < SHORT {
            drops.tick().await;
            for stream in &mut slow {
                let _ = stream.write_all(b"x").await;
            }
        }
        soon("all of them to be closed", async {
            for mut stream in slow {
                let answer = rest_of(&mut stream).await;
                assert!(!answer.starts_with(b"HTTP/1.1 101"), "{answer:?}");
            }
        })
        .await;
    })
    .await;

    assert!(start.elapsed() < FAR_TOO_LATE, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_for_something_else_prolong_nothing() {
    let (server, _told) = hasty();

    let took = beside(server.address, async {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let start = Instant::now();
        let mut pace = tokio::time::interval(SHORT / 8);
        while stream.write_all(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n").await.is_ok() {
            pace.tick().await;
            assert!(start.elapsed() < FAR_TOO_LATE);
        }
        start.elapsed()
    })
    .await;

    assert!(took > SHORT / 2, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_reads_prolong_nothing() {
    let (server, _told) = hasty();

    beside(server.address, async {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let requests = "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
        soon("a connection that is closed, though it takes no answer", async {
            while stream.write_all(requests.as_bytes()).await.is_ok() {}
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn application_that_takes_too_long_to_decide_loses_its_client_and_its_place_is_free() {
    let (endpoint, mut told) = rooms(Endpoint::builder().max_connections(1), |socket| socket);
    let server = Server::start_with(endpoint, |serve| serve.handshake_timeout(SHORT));
    let mut stream = TcpStream::connect(server.address).await.unwrap();

    stream.write_all(request(&format!("{SOCKET}&slow=1"), "").as_bytes()).await.unwrap();
    assert_eq!(told.next().await, "connect waits");

    assert_eq!(rest_of(&mut stream).await, b"");
    assert_eq!(told.next().await, "connect dropped");
    until("its place to be free", || server.endpoint.connections() == 0).await;
    Client::connect(server.address).await.heartbeat().await;
}

#[tokio::test]
async fn connection_that_was_upgraded_in_time_lives_on() {
    let (server, _told) = hasty();
    let mut client = Client::connect(server.address).await;

    crate::rt::pause();
    crate::rt::advance(2 * SHORT).await;
    crate::rt::resume();

    client.heartbeat().await;
}

/// A server of an application with a page that takes its time, and rooms.
fn with_application(timeout: Duration) -> SocketAddr {
    let (endpoint, _) = rooms(Endpoint::builder(), |socket| socket);
    let slow = || async {
        RUNTIME.sleep(2 * SHORT).await;
        "at last"
    };
    let router = Router::new().route("/slow", get(slow)).route_service("/socket/{*path}", endpoint.clone());
    let listener = crate::rt::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let serve = crate::rt::serve(listener, endpoint).app(router).handshake_timeout(timeout);
    tokio::spawn(async move { serve.await });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_an_application_the_head_alone_has_its_time_and_each_further_one_anew() {
    let address = with_application(SHORT);

    beside(address, async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        for _ in 0..2 {
            stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let (status, mut body) = answer(&mut stream).await;
            assert_eq!(status, 200);
            while body.len() < "at last".len() {
                assert_ne!(stream.read_buf(&mut body).await.unwrap(), 0);
            }
        }
        let start = Instant::now();

        stream.write_all(b"GET /slow HTTP/1.1\r\n").await.unwrap();
        assert_eq!(rest_of(&mut stream).await, b"");

        assert!(start.elapsed() < FAR_TOO_LATE, "{:?}", start.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_without_end_is_one_that_can_be_told() {
    let (endpoint, _told) = rooms(Endpoint::builder(), |socket| socket);
    let alone = Server::start_with(endpoint, |serve| {
        serve.handshake_timeout(Duration::MAX).answer_timeout(Duration::MAX)
    });

    for address in [alone.address, with_application(Duration::MAX)] {
        Client::connect(address).await.heartbeat().await;
    }
}

/// The status of a request that may be too long for the server to read all of it.
async fn status_of_flood(address: SocketAddr, request: &str) -> u16 {
    let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let sending = async {
        // The server may have hung up before all is sent.
        let _ = write.write_all(request.as_bytes()).await;
    };
    let ((status, _), ()) = tokio::join!(answer(&mut read), sending);
    status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_far_past_every_limit_are_refused_while_others_are_served() {
    let (server, _told) = Server::rooms();
    let address = server.address;

    beside(address, async {
        let target = |len: usize| format!("{SOCKET}&pad={}", "x".repeat(len));
        assert_eq!(status_of_flood(address, &request(&target(20_000), "")).await, 414);
        // No more is read of a head than could be accepted, and some: then it is too large, whatever is.
        assert_eq!(status_of_flood(address, &request(&target(1 << 20), "")).await, 431);
        let one_name = "x: y\r\n".repeat(10_000);
        assert_eq!(status_of_flood(address, &request(SOCKET, &one_name)).await, 431);
        let names = (0..10_000).map(|n| format!("x-{n}: y\r\n")).collect::<String>();
        assert_eq!(status_of_flood(address, &request(SOCKET, &names)).await, 431);
        let long = format!("x: {}\r\n", "y".repeat(1 << 20));
        assert_eq!(status_of_flood(address, &request(SOCKET, &long)).await, 431);
    })
    .await;
}

#[tokio::test]
async fn limits_of_a_request_are_settings() {
    let wide = RequestLimits::new().target(50_000).header_block(60_000).headers(500);
    let narrow = RequestLimits::new().target(100).header_block(300).headers(10);
    let target = |len: usize| format!("{SOCKET}&pad={}", "x".repeat(len));
    let lines = |count: usize| (0..count).map(|n| format!("x-{n}: y\r\n")).collect::<String>();
    let block = |len: usize| format!("x: {}\r\n", "y".repeat(len));

    let (server, _told) = Server::rooms_with(|socket| socket.request_limits(wide));
    for (request, expected) in [
        (request(&target(49_000), ""), 101),
        (request(&target(51_000), ""), 414),
        (request(SOCKET, &block(59_000)), 101),
        (request(SOCKET, &block(61_000)), 431),
        (request(SOCKET, &lines(495)), 101),
        (request(SOCKET, &lines(496)), 431),
        (request(SOCKET, &lines(10_000)), 431),
    ] {
        assert_eq!(status_of_flood(server.address, &request).await, expected, "{} bytes", request.len());
    }

    let (server, _told) = Server::rooms_with(|socket| socket.request_limits(narrow));
    for (request, expected) in [
        (request(SOCKET, &lines(5)), 101),
        (request(SOCKET, &lines(6)), 431),
        (request(SOCKET, &block(300)), 431),
        (request(&target(100), ""), 414),
    ] {
        assert_eq!(status(server.address, &request).await, expected, "{} bytes", request.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_that_come_when_no_place_is_free_get_503_and_take_none() {
    let (server, _told) = Server::rooms_on(Endpoint::builder().max_connections(2), |socket| socket);
    let mut first = Client::connect(server.address).await;

    beside(server.address, async {
        for _ in 0..10 {
            let asking = (0..30).map(|_| {
                let address = server.address;
                tokio::spawn(async move { status(address, &request(SOCKET, "")).await })
            });
            for asked in asking.collect::<Vec<_>>() {
                assert_eq!(asked.await.unwrap(), 503);
            }
        }
    })
    .await;

    first.heartbeat().await;
    drop(first);
    until("all places to be free", || server.endpoint.connections() == 0).await;
    Client::connect(server.address).await.heartbeat().await;
}
