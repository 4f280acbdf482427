//! Clients that poll: sessions, and what comes through them.

#[path = "longpoll/door.rs"]
mod door;
#[path = "longpoll/input.rs"]
mod input;
#[path = "longpoll/limits.rs"]
mod limits;
#[path = "longpoll/node.rs"]
mod node;

use crate::client::{Client, Message, until};
use crate::poller::{LONGPOLL, Poller, answer_of, ask, call, get, head};
use crate::rt::RUNTIME;
use crate::server::Server;
use bennu::LongPoll;
use bennu::prelude::*;
use http::Method;
use serde_json::json;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Rooms that may be polled at `/socket`, and are served.
fn rooms() -> (Server, crate::app::Told) {
    Server::rooms_with(|socket| socket.longpoll(LongPoll::new()))
}

/// The window by default.
const WINDOW: Duration = Duration::from_secs(10);

#[tokio::test]
async fn client_joins_pushes_is_answered_and_hears_broadcasts() {
    let (server, mut told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;

    assert_eq!(poller.call("room:a", "echo", json!({ "n": 1 })).await, json!({ "n": 1 }));
    server.endpoint.broadcast("room:a", "news", json!({ "n": 2 })).unwrap();
    assert_eq!(poller.event("room:a", "news").await, json!({ "n": 2 }));
    poller.heartbeat().await;
    let leave = poller.send("room:a", "phx_leave", json!({})).await;
    assert_eq!(poller.reply(&leave).await.0, "ok");
    poller.event("room:a", "phx_close").await;

    assert_eq!(told.next().await, "terminate Left after 1");
}

/// Intercepts nothing, so that its broadcasts may be merged.
struct Plain;

impl Channel for Plain {
    type Assigns = ();

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }
}

#[tokio::test]
async fn polled_and_pushed_to_on_one_topic_everybody_gets_everything_in_order() {
    let socket = bennu::socket(Open).channel::<Plain>("plain:*").longpoll(LongPoll::new());
    let server = Server::start(Endpoint::builder().shards(1).socket("/socket", socket).build(RUNTIME));
    let mut polls = [
        Poller::joined(&server.endpoint, "plain:a").await,
        Poller::joined(&server.endpoint, "plain:a").await,
    ];
    let mut clients = [Client::connect(server.address).await, Client::connect(server.address).await];
    for client in &mut clients {
        client.join("plain:a").await;
    }

    // Many at once, so that those by WebSocket are merged.
    for n in 0..500 {
        server.endpoint.broadcast("plain:a", "n", json!({ "n": n })).unwrap();
    }

    for n in 0..500 {
        for client in &mut clients {
            assert_eq!(client.event("plain:a", "n").await, json!({ "n": n }));
        }
        for poller in &mut polls {
            assert_eq!(poller.event("plain:a", "n").await, json!({ "n": n }));
        }
    }
}

#[tokio::test]
async fn handler_that_waits_holds_up_neither_polls_nor_posts() {
    let (server, mut told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;

    let waits = poller.send("room:a", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");
    poller.heartbeat().await;
    told.let_pass(1);

    assert_eq!(poller.reply(&waits).await.0, "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_answers_at_once_is_there_when_its_message_has_been_taken() {
    let (server, _told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;

    for _ in 0..300 {
        for _ in 0..3 {
            poller.send("room:a", "echo", json!({ "text": "x".repeat(10_000) })).await;
        }
        assert_eq!(poller.poll().await.messages.len(), 3);
    }
}

#[tokio::test]
async fn channel_that_sends_itself_messages_without_end_still_hears_its_client() {
    let (server, _told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    poller.call("room:a", "spin", json!({ "millis": 20_000 })).await;

    poller.heartbeat().await;
    assert_eq!(poller.call("room:a", "halt", json!({})).await, json!({ "spins": true }));
}

#[tokio::test]
async fn panic_ends_one_channel_and_nothing_else_of_its_session() {
    let (server, _told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    let join = poller.send("room:b", "phx_join", json!({})).await;
    poller.reply(&join).await;

    poller.send("room:a", "panic", json!({})).await;

    poller.event("room:a", "goodbye").await;
    poller.event("room:a", "phx_error").await;
    poller.call("room:b", "echo", json!({})).await;
}

#[tokio::test]
async fn poll_is_answered_when_something_comes_and_not_before() {
    crate::rt::pause();
    let (server, _told) = rooms();
    let poller = Poller::joined(&server.endpoint, "room:a").await;
    let start = Instant::now();

    let (answer, ()) = tokio::join!(poller.poll(), async {
        tokio::time::sleep(Duration::from_secs(7)).await;
        server.endpoint.broadcast("room:a", "news", json!({})).unwrap();
    });

    assert_eq!(answer.messages, [r#"[null,null,"room:a","news",{}]"#]);
    assert_eq!((answer.status, answer.token), (200, Some(poller.token.clone())));
    assert_eq!(start.elapsed().as_secs(), 7);
}

#[tokio::test]
async fn poll_for_which_nothing_comes_ends_with_the_window() {
    crate::rt::pause();
    let (server, _told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    let start = Instant::now();

    let answer = poller.poll().await;

    assert_eq!((answer.status, &*answer.messages), (204, &[][..]));
    assert_eq!(answer.token.as_ref(), Some(&poller.token));
    assert_eq!(start.elapsed().as_secs(), WINDOW.as_secs());
    poller.heartbeat().await;
}

#[tokio::test]
async fn poll_that_is_cut_off_while_it_waits_takes_nothing_with_it() {
    let (server, _told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    let broadcast = |n: u32| server.endpoint.broadcast("room:a", "n", json!({ "n": n })).unwrap();

    for n in (0..100).step_by(2) {
        let mut waiting = Box::pin(call(&server.endpoint, poller.request(Method::GET, "")));
        assert!(waiting.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())).is_pending());
        broadcast(n);
        // Let the session see it, or not: the poll is told of it, and never comes for it.
        for _ in 0..n % 7 {
            tokio::task::yield_now().await;
        }
        drop(waiting);
        broadcast(n + 1);

        assert_eq!(poller.event("room:a", "n").await, json!({ "n": n }));
        assert_eq!(poller.event("room:a", "n").await, json!({ "n": n + 1 }));
    }
}

#[tokio::test]
async fn answer_that_is_dropped_unread_gives_back_what_it_took() {
    let (server, _told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    for n in 0..3 {
        server.endpoint.broadcast("room:a", "n", json!({ "n": n })).unwrap();
    }

    let response = call(&server.endpoint, poller.request(Method::GET, "")).await;
    server.endpoint.broadcast("room:a", "n", json!({ "n": 3 })).unwrap();
    drop(response);

    for n in 0..4 {
        assert_eq!(poller.event("room:a", "n").await, json!({ "n": n }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_poll_with_one_token_each_message_goes_to_one_and_to_no_other() {
    const MESSAGES: usize = 300;
    let (server, _told) = rooms();
    let poller = Poller::joined(&server.endpoint, "room:a").await;
    let taken = Arc::new(AtomicUsize::new(0));
    let poll_all = |token: String| {
        let (endpoint, taken) = (server.endpoint.clone(), Arc::clone(&taken));
        tokio::spawn(async move {
            let mut got = Vec::new();
            loop {
                let answer = ask(&endpoint, get(&format!("{LONGPOLL}&token={token}"))).await;
                if answer.status == 410 {
                    return got;
                }
                taken.fetch_add(answer.messages.len(), Ordering::Relaxed);
                got.extend(answer.messages.iter().map(|text| Message::parse(text).payload["n"].as_u64()));
            }
        })
    };
    let pollers = [(); 2].map(|()| poll_all(poller.token.clone()));

    for n in 0..MESSAGES {
        server.endpoint.broadcast("room:a", "n", json!({ "n": n })).unwrap();
        tokio::task::yield_now().await;
    }
    until("all to be taken", || taken.load(Ordering::Relaxed) >= MESSAGES).await;
    server.endpoint.disconnect("socket:everybody");

    let mut all = Vec::new();
    for poller in pollers {
        all.extend(poller.await.unwrap());
    }
    all.sort_unstable();
    let each_once: Vec<_> = (0..MESSAGES).map(|n| Some(n as u64)).collect();
    assert_eq!(all, each_once);
}

#[tokio::test]
async fn newer_poll_takes_the_place_of_the_one_before_which_ends_with_its_window() {
    crate::rt::pause();
    let (server, _told) = rooms();
    let poller = Poller::joined(&server.endpoint, "room:a").await;
    let start = Instant::now();

    let (older, newer, ()) = tokio::join!(
        async { (poller.poll().await.status, start.elapsed().as_secs()) },
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            poller.poll().await.messages.len()
        },
        async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            server.endpoint.broadcast("room:a", "news", json!({})).unwrap();
        }
    );

    assert_eq!((older, newer), ((204, 10), 1));
}

#[tokio::test]
async fn disconnect_ends_the_poll_that_waits_and_the_next_gets_another_session() {
    crate::rt::pause();
    let (server, mut told) = rooms();
    let poller = Poller::joined(&server.endpoint, "room:a").await;
    let start = Instant::now();

    let (answer, ()) = tokio::join!(poller.poll(), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.endpoint.disconnect("socket:everybody");
    });

    assert_eq!((answer.status, start.elapsed().as_secs()), (204, 1));
    assert_eq!(poller.poll().await.status, 410);
    assert_eq!(told.next().await, "terminate Closed after 0");
}

#[tokio::test]
async fn drain_answers_the_polls_that_wait_and_takes_no_new_session() {
    crate::rt::pause();
    let (server, mut told) = rooms();
    let poller = Poller::joined(&server.endpoint, "room:a").await;
    let start = Instant::now();

    let (answer, ()) = tokio::join!(poller.poll(), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.endpoint.drain().await;
    });

    assert_eq!((answer.status, start.elapsed().as_secs()), (204, 1));
    assert_eq!(told.next().await, "terminate Draining after 0");
    assert_eq!(call(&server.endpoint, get(LONGPOLL)).await.status(), 503);
    assert_eq!(server.endpoint.connections(), 0);
}

#[tokio::test]
async fn bytes_skip_who_polls_and_reach_the_others() {
    let (server, _told) = rooms();
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    server.endpoint.broadcast("room:a", "bytes", Payload::binary(vec![1])).unwrap();
    server.endpoint.broadcast("room:a", "text", json!({})).unwrap();

    assert_eq!(client.next().await, crate::client::Got::Binary(b"\x02\x06\x05room:abytes\x01".to_vec()));
    poller.event("room:a", "text").await;
}

/// Sends bytes when asked to.
struct Bytes;

impl Channel for Bytes {
    type Assigns = ();

    async fn join(_: &str, _: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        assert_eq!(ctx.transport(), bennu::Transport::LongPoll);
        Ok(Joined::new(Self))
    }

    async fn handle_in(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> Result<Reply, Failure> {
        match event {
            "push" => ctx.push("bytes", Payload::binary(vec![1])),
            "reply" => return Ok(Reply::ok(Payload::binary(vec![1]))),
            // What a client sends as bytes comes as bytes.
            "len" => return Ok(Reply::ok(json!({ "bytes": payload.as_bytes().len() }))),
            _ => ctx.broadcast("bytes", Payload::binary(vec![1])),
        }
        Ok(Reply::ok(()))
    }
}

#[tokio::test]
async fn push_or_reply_of_bytes_crashes_its_channel_and_a_broadcast_does_not() {
    let socket = bennu::socket(Open).channel::<Bytes>("bytes:*").longpoll(LongPoll::new());
    let endpoint = Endpoint::builder().socket("/socket", socket).build(RUNTIME);

    for event in ["push", "reply"] {
        let mut poller = Poller::joined(&endpoint, "bytes:a").await;
        poller.send("bytes:a", event, json!({})).await;
        poller.event("bytes:a", "phx_error").await;
    }
    let mut poller = Poller::joined(&endpoint, "bytes:a").await;
    poller.call("bytes:a", "broadcast", json!({})).await;

    // A push of V2, with join_ref 1 and ref 9.
    let push = "AAEBBwMxOWJ5dGVzOmFsZW4BAgM=";
    assert_eq!(ask(&endpoint, poller.batch(push)).await.status, 200);
    assert_eq!(poller.reply("9").await.1, json!({ "bytes": 3 }));
}

#[tokio::test]
async fn session_over_one_connection_outlives_what_a_handshake_may_take() {
    let socket = |socket: bennu::SocketSettings<crate::app::Probing>| {
        socket.longpoll(LongPoll::new().window(Duration::from_millis(300)))
    };
    let (endpoint, _told) = crate::server::rooms(Endpoint::builder(), socket);
    let server = Server::start_with(endpoint, |serve| serve.handshake_timeout(Duration::from_millis(200)));
    let poller = Poller::open(&server.endpoint).await;

    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let keep = head("GET", &poller.token, "").replace("connection: close\r\n", "");
    for _ in 0..2 {
        stream.write_all(keep.as_bytes()).await.unwrap();
        assert_eq!(crate::client::answer(&mut stream).await.0, 200);
    }
    stream.write_all(head("GET", &poller.token, "").as_bytes()).await.unwrap();
    assert_eq!(answer_of(stream).await.0, 200);
}
