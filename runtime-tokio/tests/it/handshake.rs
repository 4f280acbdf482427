//! From a TCP connection to a WebSocket.

use crate::client::{self, Client, Got, SOCKET, answer, request, soon, status};
use crate::server::Server;
use bennu::Endpoint;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dripping_request_head_is_cut_off_while_others_are_served() {
    let (server, _told) = Server::rooms();
    let mut other = Client::connect(server.address).await;
    let mut dripping = TcpStream::connect(server.address).await.unwrap();
    let start = Instant::now();

    let head = format!("GET {SOCKET} HTTP/1.1\r\nx: {}", "x".repeat(1000));
    let mut drops = tokio::time::interval(Duration::from_millis(50));
    for byte in head.bytes() {
        drops.tick().await;
        if dripping.write_all(&[byte]).await.is_err() || start.elapsed() > Duration::from_secs(12) {
            break;
        }
        other.heartbeat().await;
    }
    let _ = soon("the end", dripping.read_to_end(&mut Vec::new())).await;

    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
    other.heartbeat().await;
}

#[tokio::test]
async fn request_target_may_have_8_kib_and_no_more() {
    let (server, _told) = Server::rooms();
    let target = |len: usize| format!("{SOCKET}&pad={}", "x".repeat(len - SOCKET.len() - "&pad=".len()));

    assert_eq!(status(server.address, &request(&target(8192), "")).await, 101);
    assert_eq!(status(server.address, &request(&target(8193), "")).await, 414);
}

/// How many header lines [`request`] has of its own.
const OWN: usize = 5;

#[tokio::test]
async fn request_may_have_64_headers_and_no_more() {
    let (server, _told) = Server::rooms();
    let headers = |count: usize| (0..count - OWN).map(|n| format!("x-{n}: y\r\n")).collect::<String>();

    assert_eq!(status(server.address, &request(SOCKET, &headers(64))).await, 101);
    assert_eq!(status(server.address, &request(SOCKET, &headers(65))).await, 431);
    assert_eq!(status(server.address, &request(SOCKET, &headers(500))).await, 431);
}

#[tokio::test]
async fn header_that_is_repeated_counts_each_time() {
    let (server, _told) = Server::rooms();

    assert_eq!(status(server.address, &request(SOCKET, &"x: y\r\n".repeat(59))).await, 101);
    assert_eq!(status(server.address, &request(SOCKET, &"x: y\r\n".repeat(60))).await, 431);
    assert_eq!(status(server.address, &request(SOCKET, &"x: y\r\n".repeat(100))).await, 431);
}

#[tokio::test]
async fn header_block_may_have_16_kib_and_no_more() {
    let (server, _told) = Server::rooms();
    let own = request(SOCKET, "");
    let own = own.len() - format!("GET {SOCKET} HTTP/1.1\r\n").len() - "\r\n".len();
    let block = |len: usize| format!("x: {}\r\n", "y".repeat(len - own - "x: \r\n".len()));

    assert_eq!(status(server.address, &request(SOCKET, &block(16 * 1024))).await, 101);
    assert_eq!(status(server.address, &request(SOCKET, &block(16 * 1024 + 1))).await, 431);
    assert_eq!(status(server.address, &request(SOCKET, &block(31 * 1024))).await, 431);
}

#[tokio::test]
async fn bytes_that_are_no_http_end_their_connection_alone() {
    let (server, _told) = Server::rooms();
    let mut other = Client::connect(server.address).await;

    for bytes in [&[0x16, 3, 1, 2, 0, 1, 0][..], &[0; 4096], b"\r\n\r\n\r\nnonsense\r\n\r\n", &[0xff; 64]] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // Reset or ended: both are fine.
        let _ = soon("the end", stream.read_to_end(&mut answer)).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    }

    other.heartbeat().await;
}

/// A message as it is on the wire, from a client.
fn text(body: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut client =
        bennu_core::websocket::Connection::client(Default::default(), 1, bennu_core::Instant::EPOCH);
    client.encode(bennu_core::Kind::Text, body.as_bytes(), &mut bytes);
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_in_the_packet_of_the_request_are_handled() {
    let (server, _told) = Server::rooms();
    let mut first = request(SOCKET, "").into_bytes();
    first.extend(text(r#"["1","1","room:a","phx_join",{}]"#));
    let rest = text(&json!(["1", "2", "room:a", "echo", { "text": "x".repeat(150_000) }]).to_string());
    first.extend(&rest[..20_000]);

    let stream = TcpStream::connect(server.address).await.unwrap();
    let mut client = Client::over_with(stream, SOCKET, &first).await;
    assert_eq!(client.reply("1").await.0, "ok");
    client.raw(&rest[20_000..]).await;

    let (_, response) = client.reply("2").await;
    assert_eq!(response["text"].as_str().map(str::len), Some(150_000));
    client.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn place_of_a_connection_that_ended_is_free_again() {
    let (server, _told) = Server::rooms_on(Endpoint::builder().max_connections(2), |socket| socket);
    let mut one = Client::connect(server.address).await;
    let two = Client::connect(server.address).await;
    one.join("room:a").await;

    for _ in 0..3 {
        assert_eq!(status(server.address, &request(SOCKET, "")).await, 503);
    }
    one.heartbeat().await;
    drop(two);

    let mut three = soon("a free place", async {
        loop {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            stream.write_all(request(SOCKET, "").as_bytes()).await.unwrap();
            match answer(&mut stream).await.0 {
                101 => return stream,
                status => assert_eq!(status, 503),
            }
        }
    })
    .await;
    assert_eq!(status(server.address, &request(SOCKET, "")).await, 503);
    three.shutdown().await.unwrap();
}

#[tokio::test]
async fn plain_request_takes_no_place() {
    let (server, _told) = Server::rooms_on(Endpoint::builder().max_connections(1), |socket| socket);

    for _ in 0..3 {
        let plain = format!("GET {SOCKET} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        assert_eq!(status(server.address, &plain).await, 400);
    }

    Client::connect(server.address).await.heartbeat().await;
}

#[tokio::test]
async fn client_that_goes_between_request_and_answer_leaves_nothing_behind() {
    let (server, mut told) = Server::rooms();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request(&format!("{SOCKET}&slow=1"), "").as_bytes()).await.unwrap();
    assert_eq!(told.next().await, "connect waits");

    drop(stream);
    told.let_pass(1);

    Client::connect(server.address).await.heartbeat().await;
    client::until("the connection to be forgotten", || server.endpoint.connections() == 0).await;
}

#[tokio::test]
async fn client_that_ends_its_side_at_once_is_forgotten() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;

    client.stream().shutdown().await.unwrap();

    assert_eq!(client.next().await, Got::Ended);
    client::until("the connection to be forgotten", || server.endpoint.connections() == 0).await;
}
