//! What waits for handlers: what a client has sent, and what others have.

use crate::app::{Note, Told, text_of};
use crate::client::{Client, SOCKET};
use crate::neighbour::{Neighbour, beside};
use crate::server::Server;
use bennu::Limits;
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::time::timeout;

/// A client with a handler in `room:stuck` that waits.
async fn stuck(server: &Server, told: &mut Told) -> (Client, String) {
    // What it has sent and the server does not read shall not wait in its own kernel.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(8 * 1024).unwrap();
    let mut client = Client::over(socket.connect(server.address).await.unwrap(), SOCKET).await;
    client.join("room:stuck").await;
    client.join("room:well").await;
    let wait = client.push("room:stuck", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");
    (client, wait)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_1023_messages_waiting_everything_else_is_heard() {
    let (server, mut told) = Server::rooms();
    let (mut client, wait) = stuck(&server, &mut told).await;

    let mut batch = Vec::new();
    let mut refs = vec![wait];
    for _ in 0..1023 {
        let (push, msg_ref) = client.pushed("room:stuck", "count", json!({}));
        batch.extend(push);
        refs.push(msg_ref);
    }
    client.raw(&batch).await;
    client.heartbeat().await;
    client.call("room:well", "count", json!({})).await;
    client.join("room:another").await;

    told.let_pass(1);
    for msg_ref in refs {
        assert_eq!(client.reply(&msg_ref).await.0, "ok");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flood_behind_a_stuck_handler_waits_at_its_sender_and_loses_nothing() {
    const FLOOD: usize = 50_000;
    let (server, mut told) = Server::rooms();

    beside(server.address, async {
        let (mut client, wait) = stuck(&server, &mut told).await;
        let (mut flood, mut refs) = (Vec::new(), vec![wait]);
        for _ in 0..FLOOD {
            let (push, msg_ref) = client.pushed("room:stuck", "count", json!({}));
            flood.extend(push);
            refs.push(msg_ref);
        }
        let mut sent = 0;
        while let Ok(written) =
            timeout(Duration::from_millis(300), client.stream().write(&flood[sent..])).await
        {
            sent += written.unwrap();
            assert!(sent < flood.len(), "reading never paused");
        }

        told.let_pass(1);
        let mut refs = refs.iter();
        while sent < flood.len() {
            let taken = tokio::select! {
                biased;
                taken = client.stream().write(&flood[sent..]) => Some(taken.unwrap()),
                () = std::future::ready(()) => None,
            };
            match taken {
                Some(taken) => sent += taken,
                None => drop(client.reply(refs.next().unwrap()).await),
            }
        }
        for msg_ref in refs {
            client.reply(msg_ref).await;
        }
    })
    .await;
}

#[tokio::test]
async fn after_10_s_the_fullest_channel_ends_and_the_others_are_heard_again() {
    let (server, mut told) = Server::rooms();
    let mut neighbour = Neighbour::connect(server.address).await;
    let (mut client, _) = stuck(&server, &mut told).await;
    let start = tokio::time::Instant::now();
    let mut batch = Vec::new();
    for _ in 0..1024 {
        batch.extend(client.pushed("room:stuck", "count", json!({})).0);
    }
    client.raw(&batch).await;
    client.send_heartbeat().await;
    // The server has read all this once it has served another.
    neighbour.is_served().await;
    crate::rt::pause();
    let paused = tokio::time::Instant::now();

    // With more patience than tests have, as its time goes by as well.
    let mut first = [0; 1];
    let peeked = timeout(Duration::from_secs(100), client.stream().peek(&mut first)).await;
    assert_eq!(peeked.unwrap().unwrap(), 1);
    let (took, since_then) = (start.elapsed(), paused.elapsed());
    crate::rt::resume();

    assert!(took >= Duration::from_secs(10) && since_then < Duration::from_secs(12), "{took:?}");
    assert_eq!(client.event("room:stuck", "phx_error").await, json!({ "reason": "channel_crash" }));
    assert_eq!(told.next().await, "handler dropped");
    client.event("phoenix", "phx_reply").await;
    client.call("room:well", "count", json!({})).await;
    neighbour.is_served().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_wait_pause_reading_as_messages_do() {
    let limits = Limits::new().input_bytes(10_000).overload(Duration::from_millis(300));
    let (server, mut told) = Server::rooms_with(|socket| socket.limits(limits));

    beside(server.address, async {
        let (mut client, _) = stuck(&server, &mut told).await;
        client.push("room:stuck", "echo", json!({ "text": "x".repeat(9_000) })).await;
        client.heartbeat().await;

        client.push("room:stuck", "echo", json!({ "text": "x".repeat(1_000) })).await;

        client.event("room:stuck", "phx_error").await;
        client.call("room:well", "count", json!({})).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn join_that_never_ends_is_overloaded_by_what_waits_behind_it() {
    let limits = Limits::new().input_messages(4).overload(Duration::from_millis(300));
    let (server, mut told) = Server::rooms_with(|socket| socket.limits(limits));

    beside(server.address, async {
        let mut client = Client::connect(server.address).await;
        let join = client.send_join("room:slow").await;
        assert_eq!(told.next().await, "join waits");
        let mut behind = Vec::new();
        for _ in 0..4 {
            behind.push(client.push("room:slow", "count", json!({})).await);
        }

        let overloaded = ("error".to_owned(), json!({ "reason": "overloaded" }));
        assert_eq!(client.reply(&join).await, overloaded);
        for msg_ref in behind {
            assert_eq!(client.reply(&msg_ref).await.1, json!({ "reason": "unmatched topic" }));
        }
        assert_eq!(told.next().await, "join dropped");
        client.heartbeat().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channel_takes_1024_messages_of_the_application_and_ends_at_the_next() {
    let (server, mut told) = Server::rooms();

    beside(server.address, async {
        for (messages, is_alive) in [(1024, true), (1025, false), (100_000, false)] {
            let (mut client, wait) = stuck(&server, &mut told).await;
            client.call("room:well", "give_handle", json!({})).await;
            let wait_too = client.push("room:well", "wait", json!({})).await;
            assert_eq!(told.next().await, "handler waits");
            let handle = told.handle();

            // Past the limit the channel is gone, and the handle says so.
            let taken = (0..messages).take_while(|_| handle.notify(Note("more")).is_ok()).count();

            if is_alive {
                assert_eq!(taken, 1024);
                told.let_pass(2);
                // Two channels: what they send comes in any order.
                let (mut replies, mut notes) = (Vec::new(), 0);
                while notes < 1024 || replies.len() < 2 {
                    let message = client.message().await;
                    if message.event == "note" { notes += 1 } else { replies.push(message) }
                }
                let refs = replies.iter().map(|reply| &reply.msg_ref).collect::<Vec<_>>();
                assert!(refs.contains(&&json!(wait)) && refs.contains(&&json!(wait_too)));
                client.call("room:well", "count", json!({})).await;
            } else {
                assert_eq!(taken, 1025);
                client.event("room:well", "phx_error").await;
                assert_eq!(told.next().await, "handler dropped");
                told.let_pass(1);
                client.reply(&wait).await;
            }
            drop(client);
            while !told.next().await.starts_with("terminate") {}
            if is_alive {
                assert!(told.next().await.starts_with("terminate"));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_of_broadcasts_that_wait_for_one_channel_end_it_alone() {
    let (server, mut told) = Server::rooms_with(|socket| socket.limits(Limits::new().channel_bytes(10_000)));

    beside(server.address, async {
        let (mut client, _) = stuck(&server, &mut told).await;

        // Its handler would panic, if it came to that.
        server.endpoint.broadcast("room:stuck", "panic_out", text_of(9_000)).unwrap();
        client.call("room:well", "count", json!({})).await;
        server.endpoint.broadcast("room:stuck", "panic_out", text_of(1_000)).unwrap();

        client.event("room:stuck", "phx_error").await;
        assert_eq!(told.next().await, "handler dropped");
        client.call("room:well", "count", json!({})).await;
    })
    .await;
}
