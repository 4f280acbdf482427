//! What no client should send.

use super::rooms;
use crate::client::Client;
use crate::neighbour::beside;
use crate::poller::{BATCH, LONGPOLL, Poller, answer_of, call, exchange, head};
use crate::server;
use bennu::{Endpoint, LongPoll};
use http::Method;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test]
async fn line_that_is_no_base64_is_400_and_the_session_lives_on() {
    let (server, _told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;

    for line in ["{}", "*", "AAE", "AAE=\u{e9}", " [1]", "AAEB=AAA"] {
        let response = call(&server.endpoint, poller.batch(line)).await;
        assert_eq!(response.status(), 400, "{line}");
    }

    poller.heartbeat().await;
}

#[tokio::test]
async fn nul_in_a_body_is_400_and_the_session_lives_on() {
    let (server, _told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;

    for body in ["\0", "[\0]", "[\"1\",\"1\",\"room:\0\",\"phx_join\",{}]"] {
        let single = poller.request(Method::POST, body);
        assert_eq!(call(&server.endpoint, single).await.status(), 400);
    }

    poller.heartbeat().await;
}

#[tokio::test]
async fn what_is_no_message_ends_its_session_and_no_other() {
    let window = LongPoll::new().window(Duration::from_millis(100));
    let (server, _told) = server::Server::rooms_with(|socket| socket.longpoll(window));
    let mut other = Poller::joined(&server.endpoint, "room:a").await;

    for body in ["", "{", "[]", "7", "[1,2,3,4,5]x", "\u{1F525}"] {
        let poller = Poller::open(&server.endpoint).await;
        let (post, alive) = tokio::join!(poller.post(body), other.poll());
        assert_eq!((post, alive.status), (408, 204), "{body}");
        assert_eq!(poller.poll().await.status, 410, "{body}");
    }

    other.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn body_of_nothing_but_newlines_harms_nobody() {
    let wide = LongPoll::new().max_body(8 << 20).window(Duration::from_millis(300));
    let (server, _told) = server::Server::rooms_with(|socket| socket.longpoll(wide));

    beside(server.address, async {
        let poller = Poller::open(&server.endpoint).await;
        let newlines = "\n".repeat(7_900_000);
        let headers = format!("content-type: {BATCH}\r\ncontent-length: {}\r\n", newlines.len());
        let request = head("POST", &poller.token, &headers) + &newlines;
        // The first line is a binary message that is none.
        let (status, body) = exchange(server.address, request.as_bytes()).await;
        assert_eq!((status, &*body), (200, &br#"{"status":408}"#[..]));
    })
    .await;
}

#[tokio::test]
async fn methods_that_are_none_of_its_own_are_400() {
    let (server, _told) = rooms();
    let poller = Poller::open(&server.endpoint).await;

    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD, Method::TRACE] {
        let response = call(&server.endpoint, poller.request(method.clone(), "")).await;
        assert_eq!(response.status(), 400, "{method}");
    }
}

#[tokio::test]
async fn malformed_query_is_400_whatever_the_method() {
    let (server, _told) = rooms();

    for query in ["a=%zz", "a=%f", "%ff=1", "token=%ff"] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let mut request = crate::poller::get(&format!("{LONGPOLL}&{query}"));
            *request.method_mut() = method;
            assert_eq!(call(&server.endpoint, request).await.status(), 400, "{query}");
        }
    }
}

/// A request within what another one could be taken for.
const HIDDEN: &str = "GET /socket/longpoll?vsn=2.0.0 HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn length_that_can_be_read_in_two_ways_hides_no_second_request() {
    let window = LongPoll::new().window(Duration::from_millis(200));
    let (server, _told) = server::Server::rooms_with(|socket| socket.longpoll(window));

    beside(server.address, async {
        let len = HIDDEN.len();
        for headers in [
            format!("content-length: 0\r\ncontent-length: {len}\r\n"),
            format!("content-length: {len}\r\ntransfer-encoding: chunked\r\n"),
            "transfer-encoding: chunked\r\ncontent-length: 0\r\n".to_owned(),
            "transfer-encoding: chunked, identity\r\n".to_owned(),
            "transfer-encoding: xchunked\r\n".to_owned(),
            format!("content-length: +{len}\r\n"),
            format!("content-length: {len}, {len}\r\n"),
            "content-length: -1\r\n".to_owned(),
            "content-length: 18446744073709551616\r\n".to_owned(),
            "content-length : 0\r\n".to_owned(),
            " content-length: 0\r\n".to_owned(),
        ] {
            let poller = Poller::open(&server.endpoint).await;
            let head = head("POST", &poller.token, &headers).replace("connection: close\r\n", "");
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            let _ = stream.write_all(format!("{head}0\r\n\r\n{HIDDEN}").as_bytes()).await;
            stream.shutdown().await.unwrap();
            let mut answers = Vec::new();
            let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answers);
            let _ = crate::client::soon("the end", read).await;
            let answers = String::from_utf8_lossy(&answers);
            assert!(!answers.contains(r#""status":410,"token""#), "{headers:?} opened a session: {answers}");
        }
    })
    .await;
}

#[tokio::test]
async fn token_with_an_end_of_line_in_it_writes_no_header_of_its_own() {
    let (server, _told) = rooms();

    let target = format!("{LONGPOLL}&token=x%0d%0aset-cookie:%20a=b");
    let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let (status, body) = exchange(server.address, request.as_bytes()).await;

    assert_eq!(status, 200);
    assert!(!String::from_utf8(body).unwrap().contains("set-cookie"));
}

#[tokio::test]
async fn chunks_are_one_body_and_a_bad_one_is_400() {
    let (server, _told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    let head = head("POST", &poller.token, "transfer-encoding: chunked\r\n");
    let post = |chunks: &str| format!("{head}{chunks}").into_bytes();
    let heartbeat = ["[null,\"7\",", "\"phoenix\",\"heart", "beat\",{}]"];

    let chunks = heartbeat.map(|part| format!("{:x}\r\n{part}\r\n", part.len())).concat();
    let (status, body) = exchange(server.address, &post(&format!("{chunks}0\r\n\r\n"))).await;
    assert_eq!((status, &*body), (200, &br#"{"status":200}"#[..]));
    poller.reply("7").await;

    for bad in ["zz\r\n", "fffffffffffffffff\r\n", "-1\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&post(bad)).await.unwrap();
        assert_eq!(answer_of(stream).await.0, 400, "{bad:?}");
    }
    poller.heartbeat().await;
}

#[tokio::test]
async fn post_that_ends_within_its_body_is_not_taken() {
    let (server, _told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    let whole = r#"[null,"7","phoenix","heartbeat",{}]"#;

    for len in [whole.len() + 1, whole.len() + 1000] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = head("POST", &poller.token, &format!("content-length: {len}\r\n"));
        stream.write_all(format!("{head}{whole}").as_bytes()).await.unwrap();
        drop(stream);
    }

    // Its answer is the next that comes, and not one to what was cut.
    Client::connect(server.address).await.heartbeat().await;
    poller.heartbeat().await;
}

#[tokio::test]
async fn hundreds_of_bad_requests_leave_a_session_as_it_was() {
    let (endpoint, _told) = server::rooms(Endpoint::builder(), |socket| socket.longpoll(LongPoll::new()));
    let mut poller = Poller::joined(&endpoint, "room:a").await;

    for n in 0..300 {
        let bad = poller.batch(format!("[\"{n}\"]\nnot base64!"));
        assert_eq!(call(&endpoint, bad).await.status(), 400);
        assert_eq!(call(&endpoint, poller.request(Method::OPTIONS, "")).await.status(), 200);
    }

    poller.heartbeat().await;
}
