//! What a client that polls may grow.

use super::{WINDOW, rooms};
use crate::app::text_of;
use crate::client::{soon, until};
use crate::neighbour::beside;
use crate::poller::{Poller, answer_of, ask, call, exchange, head};
use crate::server::{self, Server};
use bennu::prelude::*;
use bennu::{Limits, LongPoll};
use http::Method;
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// The longest body by default, in bytes.
const LONGEST: usize = 1 << 20;

/// A heartbeat of so many bytes.
fn heartbeat(len: usize) -> String {
    let (start, end) = (r#"[null,"7","phoenix","heartbeat",{"x":""#, r#""}]"#);
    format!("{start}{}{end}", "x".repeat(len - start.len() - end.len()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn body_at_the_limit_is_taken_and_a_longer_one_is_413_and_read_by_nobody() {
    let (server, _told) = rooms();

    beside(server.address, async {
        let mut poller = Poller::open(&server.endpoint).await;
        let post = |len: usize| {
            let headers = format!("content-length: {len}\r\n");
            (head("POST", &poller.token, &headers) + &heartbeat(len)).into_bytes()
        };
        assert_eq!(exchange(server.address, &post(LONGEST)).await.0, 200);
        for len in [LONGEST + 1, 8_000_001] {
            assert_eq!(exchange(server.address, &post(len)).await.0, 413, "{len}");
        }
        poller.reply("7").await;
        poller.heartbeat().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn body_without_end_is_cut_off() {
    let (server, _told) = rooms();

    beside(server.address, async {
        let poller = Poller::open(&server.endpoint).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = head("POST", &poller.token, "transfer-encoding: chunked\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let mut sent = 0;
        soon("a body that is refused", async {
            while stream.write_all(chunk.as_bytes()).await.is_ok() {
                sent += chunk.len();
            }
        })
        .await;
        assert!(sent < 64 << 20, "{sent} bytes were taken");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refs_and_depth_are_the_settings_of_the_socket_for_those_who_poll_too() {
    let limits = Limits::new().refs(10).depth(3);
    let longpoll = LongPoll::new().window(Duration::from_millis(100));
    let (server, _told) = Server::rooms_with(|socket| socket.limits(limits).longpoll(longpoll));
    let heartbeat = |ref_len: usize, depth: usize| {
        let payload = "[".repeat(depth - 1) + &"]".repeat(depth - 1);
        format!(r#"[null,"{}","phoenix","heartbeat",{payload}]"#, "7".repeat(ref_len - 2))
    };

    beside(server.address, async {
        for (ref_len, depth) in [(11, 3), (64, 2), (100_000, 2), (10, 4), (10, 128), (10, 100_000)] {
            let mut poller = Poller::open(&server.endpoint).await;
            assert_eq!(poller.post(heartbeat(10, 3)).await, 200);
            poller.reply("77777777").await;

            // Such a post is not answered before its time is up.
            assert_eq!(poller.post(heartbeat(ref_len, depth)).await, 408, "{ref_len} {depth}");
            assert_eq!(poller.poll().await.status, 410);
        }
    })
    .await;
}

#[tokio::test]
async fn length_of_a_body_is_a_setting() {
    let (server, _told) = Server::rooms_with(|socket| socket.longpoll(LongPoll::new().max_body(100)));
    let poller = Poller::open(&server.endpoint).await;

    assert_eq!(poller.post(heartbeat(100)).await, 200);
    let longer = poller.request(Method::POST, heartbeat(101));
    assert_eq!(call(&server.endpoint, longer).await.status(), 413);
}

#[tokio::test]
async fn of_a_batch_a_hundred_messages_are_taken_and_the_rest_is_dropped() {
    let few = LongPoll::new().path("few").max_batch(3);
    let (endpoint, _told) = server::rooms(Endpoint::builder(), |socket| socket.longpoll(LongPoll::new()));
    let (fewer, _told) = server::rooms(Endpoint::builder(), |socket| socket.longpoll(few.path("longpoll")));
    for (endpoint, most) in [(endpoint, 100), (fewer, 3)] {
        for sent in [most, most + 1, 5000] {
            let mut poller = Poller::open(&endpoint).await;
            let lines: Vec<_> =
                (0..sent).map(|n| format!(r#"[null,"b{n}","phoenix","heartbeat",{{}}]"#)).collect();
            assert_eq!(ask(&endpoint, poller.batch(lines.join("\n"))).await.status, 200);
            for n in 0..most {
                poller.reply(&format!("b{n}")).await;
            }
            poller.heartbeat().await;
        }
    }
}

#[tokio::test]
async fn body_that_drips_is_cut_off_in_time_whatever_has_come() {
    let timeout = Duration::from_millis(300);
    let (server, _told) = Server::rooms_with(|socket| socket.longpoll(LongPoll::new().body_timeout(timeout)));

    beside(server.address, async {
        let poller = Poller::open(&server.endpoint).await;
        let stream = TcpStream::connect(server.address).await.unwrap();
        let (read, mut write) = stream.into_split();
        let head = head("POST", &poller.token, "content-length: 100000\r\n");
        write.write_all(head.as_bytes()).await.unwrap();
        let start = Instant::now();
        let drip = async {
            let mut pace = tokio::time::interval(Duration::from_millis(10));
            while write.write_all(b"x").await.is_ok() {
                pace.tick().await;
                assert!(start.elapsed() < Duration::from_secs(8));
            }
        };
        drip.await;
        assert!(start.elapsed() >= timeout);
        drop(read);
    })
    .await;
}

#[tokio::test]
async fn body_has_20_s_to_arrive() {
    crate::rt::pause();
    let (server, _told) = rooms();
    let poller = Poller::open(&server.endpoint).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = head("POST", &poller.token, "content-length: 100\r\n");
    let start = Instant::now();

    stream.write_all(head.as_bytes()).await.unwrap();

    let mut answer = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    // Time also moves on, to whatever is due next, while the head is on its way.
    assert!((20..40).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn session_ends_when_more_waits_for_it_than_its_outbox_holds() {
    let limits = Limits::new().outbox(100_000);
    let (server, mut told) = Server::rooms_with(|socket| socket.longpoll(LongPoll::new()).limits(limits));

    beside(server.address, async {
        let mut at_the_limit = Poller::joined(&server.endpoint, "room:at").await;
        let past_it = Poller::joined(&server.endpoint, "room:past").await;
        // The first does not count, nor what is around the text.
        for _ in 0..10 {
            server.endpoint.broadcast("room:at", "much", text_of(10_000)).unwrap();
        }
        for _ in 0..12 {
            server.endpoint.broadcast("room:past", "much", text_of(10_000)).unwrap();
        }

        assert_eq!(told.next().await, "terminate Closed after 0");
        assert_eq!(past_it.post("[]").await, 410);
        for _ in 0..10 {
            at_the_limit.event("room:at", "much").await;
        }
        at_the_limit.heartbeat().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundred_sessions_that_nobody_polls_hold_no_more_than_their_outboxes() {
    let limits = Limits::new().outbox(50_000);
    let (server, _told) = Server::rooms_with(|socket| socket.longpoll(LongPoll::new()).limits(limits));

    beside(server.address, async {
        for _ in 0..100 {
            Poller::joined(&server.endpoint, "room:a").await;
        }
        for _ in 0..20 {
            server.endpoint.broadcast("room:a", "much", text_of(10_000)).unwrap();
        }
        // The neighbour is left.
        until("all of them to be ended", || server.endpoint.connections() == 1).await;
    })
    .await;
}

#[tokio::test]
async fn of_more_polls_than_may_wait_the_oldest_are_answered_at_once() {
    crate::rt::pause();
    let polls = LongPoll::new().max_replaced_polls(2);
    let (server, _told) = Server::rooms_with(|socket| socket.longpoll(polls));
    let poller = Poller::open(&server.endpoint).await;
    let start = Instant::now();
    let poll = async || {
        assert_eq!(poller.poll().await.status, 204);
        start.elapsed()
    };

    // One is served, and two have been replaced.
    let (first, second, third, fourth, fifth) = tokio::join!(poll(), poll(), poll(), poll(), poll());

    assert!(first < WINDOW && second < WINDOW, "{first:?} {second:?}");
    assert!(third >= WINDOW && fourth >= WINDOW && fifth >= WINDOW, "{third:?} {fourth:?} {fifth:?}");
}

#[tokio::test]
async fn post_that_is_not_taken_within_the_window_is_408() {
    crate::rt::pause();
    // Two messages may wait, and reading pauses behind them.
    let limits = Limits::new().input_messages(2).overload(Duration::from_secs(60));
    let (server, mut told) = Server::rooms_with(|socket| socket.longpoll(LongPoll::new()).limits(limits));
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    poller.send("room:a", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");
    for _ in 0..2 {
        poller.send("room:a", "count", json!({})).await;
    }
    let start = Instant::now();

    let (message, _) = poller.message("room:a", "echo", json!({}));
    assert_eq!(poller.post(message).await, 408);

    assert_eq!(start.elapsed().as_secs(), WINDOW.as_secs());
    told.let_pass(1);
    for _ in 0..3 {
        assert_eq!(poller.next().await.event, "phx_reply");
    }
    poller.heartbeat().await;
}

#[tokio::test]
async fn of_more_posts_than_may_wait_the_next_is_408_at_once() {
    crate::rt::pause();
    // Two messages may wait, reading pauses behind them, and one post waits there.
    let limits = Limits::new().input_messages(2).overload(Duration::from_secs(60));
    let polls = LongPoll::new().max_waiting_posts(100);
    let (server, mut told) = Server::rooms_with(|socket| socket.longpoll(polls).limits(limits));
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    poller.send("room:a", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");
    for _ in 0..2 {
        poller.send("room:a", "count", json!({})).await;
    }
    let [first, second] = [(); 2].map(|()| poller.message("room:a", "echo", json!({})).0);
    let start = Instant::now();
    let post = async |message| {
        assert_eq!(poller.post(message).await, 408);
        start.elapsed()
    };

    let (first, second) = tokio::join!(post(first), post(second));

    assert_eq!((first.as_secs(), second.as_secs()), (WINDOW.as_secs(), 0));
}

#[tokio::test]
async fn answers_of_an_own_making_hold_up_who_does_not_poll_and_end_nothing() {
    let window = LongPoll::new().window(Duration::from_millis(500));
    let limits = Limits::new().outbox(100_000);
    let (server, _told) = Server::rooms_with(|socket| socket.longpoll(window).limits(limits));
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;

    let mut taken = 0;
    loop {
        let (message, _) = poller.message("room:a", "grow", json!({ "bytes": 20_000 }));
        match poller.post(message).await {
            200 => taken += 1,
            408 => break,
            status => panic!("{status}"),
        }
        assert!(taken < 20, "nothing holds it up");
    }

    for _ in 0..taken {
        assert_eq!(poller.next().await.event, "phx_reply");
    }
    poller.heartbeat().await;
}

#[tokio::test]
async fn heads_far_past_every_limit_are_refused() {
    let (server, _told) = rooms();

    beside(server.address, async {
        let token = "x".repeat(20_000);
        assert_eq!(exchange(server.address, head("GET", &token, "").as_bytes()).await.0, 431);
        let many = "a: b\r\n".repeat(90);
        assert_eq!(exchange(server.address, head("POST", "x", &many).as_bytes()).await.0, 431);
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let target = format!("/socket/longpoll?vsn=2.0.0&token={}", "x".repeat(9000));
        let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(answer_of(stream).await.0, 414);
    })
    .await;
}

/// Asks for what waits in a session, more than the kernel holds, from a client with small buffers.
async fn asks_for_much(server: &Server) -> TcpStream {
    let poller = Poller::joined(&server.endpoint, "room:much").await;
    server.endpoint.broadcast("room:much", "much", json!({ "x": "x".repeat(900_000) })).unwrap();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    stream.write_all(head("GET", &poller.token, "").as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_cut_off_in_time_and_who_takes_some_is_not() {
    let timeout = Duration::from_millis(400);
    let (endpoint, _told) = server::rooms(Endpoint::builder(), |socket| socket.longpoll(LongPoll::new()));
    let server = Server::start_with(endpoint, |serve| serve.answer_timeout(timeout));

    beside(server.address, async {
        let start = Instant::now();
        let mut stuck = asks_for_much(&server).await;
        let slow = asks_for_much(&server).await;
        let cut = async {
            // Until the other end is no more; nobody reads this.
            while stuck.write_all(b"x").await.is_ok() {
                assert!(start.elapsed() < Duration::from_secs(8));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            start.elapsed()
        };
        let whole = async {
            let mut answer = 0;
            let mut piece = [0; 8 * 1024];
            loop {
                slow.readable().await.unwrap();
                match slow.try_read(&mut piece) {
                    Ok(0) => return (answer, start.elapsed()),
                    Ok(read) => answer += read,
                    Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let (cut, (answer, took)) = tokio::join!(cut, whole);

        assert!(cut >= timeout, "{cut:?}");
        assert!(answer > 900_000, "{answer} bytes");
        assert!(took > 2 * timeout, "{took:?}: slower than one who takes nothing may be");
    })
    .await;
}
