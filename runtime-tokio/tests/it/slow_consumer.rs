//! Clients that do not take what they are sent.

mod lossy;

use crate::app::{Probe, Probing, Room, text_of};
use crate::client::{Client, Got, until};
use crate::hasty::{HASTE, Hasty};
use crate::server::Server;
use bennu::{Endpoint, Limits};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reader_that_never_reads_is_cut_off_and_others_lose_nothing() {
    let (server, _told) = Server::rooms();
    let mut stuck = Vec::new();
    for _ in 0..20 {
        let mut client = Client::connect_narrow(server.address).await;
        client.join("room:a").await;
        stuck.push(client);
    }
    let mut reader = Client::connect(server.address).await;
    reader.join("room:a").await;
    let (start, payload) = (Instant::now(), text_of(8 * 1024));

    for n in 0..200 {
        server.endpoint.broadcast("room:a", &format!("event {n}"), &payload).unwrap();
        assert_eq!(
            reader.event("room:a", &format!("event {n}")).await["text"].as_str().map(str::len),
            Some(8192)
        );
    }

    until("the stuck readers to be cut off", || server.endpoint.connections() == 1).await;
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
    for mut client in stuck {
        let end = loop {
            match client.next().await {
                Got::Message(_) => {}
                end => break end,
            }
        };
        assert!(matches!(end, Got::Closed(Some(1013)) | Got::Ended), "{end:?}");
    }
    reader.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_consumer_s_channels_are_terminated() {
    let (server, mut told) = Server::rooms_with(|socket| socket.limits(Limits::new().outbox(64 * 1024)));
    let mut stuck = Client::connect_narrow(server.address).await;
    stuck.join("room:a").await;
    let payload = text_of(8 * 1024);

    for _ in 0..100 {
        server.endpoint.broadcast("room:a", "event", &payload).unwrap();
    }

    assert_eq!(told.next().await, "terminate Closed after 0");
    until("the connection to be forgotten", || server.endpoint.connections() == 0).await;
}

/// Floods a server with echoes and reads nothing, until nothing more is taken; then reads, while the rest
/// is sent.
async fn flood_without_reading(limits: Limits, how_many: usize, bytes: usize) {
    let (server, _told) = Server::rooms_with(|socket| socket.limits(limits));
    let mut other = Client::connect(server.address).await;
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;
    let mut flood = Vec::new();
    let mut refs = Vec::new();
    for n in 0..how_many {
        let (push, msg_ref) = client.pushed("room:a", "echo", json!({ "n": n, "text": "x".repeat(bytes) }));
        flood.extend(push);
        refs.push(msg_ref);
    }

    let mut sent = 0;
    while let Ok(written) =
        tokio::time::timeout(Duration::from_millis(300), client.stream().write(&flood[sent..])).await
    {
        sent += written.unwrap();
        assert!(sent < flood.len(), "reading never paused");
    }
    assert_eq!(server.endpoint.connections(), 2, "a flood of its own cuts nobody off");
    other.heartbeat().await;

    for (n, msg_ref) in refs.iter().enumerate() {
        // As much as is taken at once, beside what is read.
        while let Ok(written) =
            tokio::time::timeout(Duration::ZERO, client.stream().write(&flood[sent..])).await
            && sent < flood.len()
        {
            sent += written.unwrap();
        }
        let (_, response) = client.reply(msg_ref).await;
        assert_eq!(response["n"], n);
    }
    client.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flood_of_one_s_own_pauses_reading_and_loses_nothing() {
    flood_without_reading(Limits::new(), 500, 8 * 1024).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flood_of_one_s_own_cuts_nobody_off_however_small_the_outbox() {
    flood_without_reading(Limits::new().outbox(4 * 1024), 4000, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_much_larger_than_their_questions_cut_nobody_off() {
    let (server, _told) = Server::rooms_with(|socket| socket.limits(Limits::new().outbox(64 * 1024)));
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;

    let mut refs = Vec::new();
    let mut questions = Vec::new();
    for n in 0..100 {
        // Some are larger than the outbox, and nothing that is asked for is too large.
        let bytes = if n % 2 == 0 { 10_000 } else { 100_000 };
        let (push, msg_ref) = client.pushed("room:a", "grow", json!({ "bytes": bytes }));
        questions.extend(push);
        refs.push((msg_ref, bytes));
    }
    client.raw(&questions).await;

    for (msg_ref, bytes) in refs {
        let (_, response) = client.reply(&msg_ref).await;
        assert_eq!(response["text"].as_str().map(str::len), Some(bytes));
    }
    client.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reader_that_pauses_below_the_limit_gets_everything() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;
    let payload = text_of(8 * 1024);

    for n in 0..80 {
        server.endpoint.broadcast("room:a", &format!("event {n}"), &payload).unwrap();
    }

    for n in 0..80 {
        client.event("room:a", &format!("event {n}")).await;
    }
    client.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_that_goes_while_reading_from_it_has_paused_is_forgotten() {
    let (server, mut told) = Server::rooms_with(|socket| socket.limits(Limits::new().outbox(4 * 1024)));
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;
    let mut flood = Vec::new();
    for _ in 0..500 {
        flood.extend(client.pushed("room:a", "echo", json!({ "text": "x".repeat(1000) })).0);
    }
    let mut sent = 0;
    while let Ok(written) =
        tokio::time::timeout(Duration::from_millis(100), client.stream().write(&flood[sent..])).await
    {
        sent += written.unwrap();
    }

    drop(client);

    assert!(told.next().await.starts_with("terminate Closed"));
    until("the connection to be forgotten", || server.endpoint.connections() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_goes_on_once_a_burst_of_answers_has_been_written() {
    let (server, _told) = Server::rooms_with(|socket| socket.limits(Limits::new().outbox(8 * 1024)));
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    let (mut burst, mut refs) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        let (push, msg_ref) = client.pushed("room:a", "grow", json!({ "bytes": 1000 }));
        burst.extend(push);
        refs.push(msg_ref);
    }

    client.raw(&burst).await;
    for msg_ref in refs {
        client.reply(&msg_ref).await;
    }

    client.call("room:a", "count", json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_of_one_handler_cut_nobody_off_however_large() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    client.push("room:a", "push_much", json!({ "times": 3, "bytes": 600_000 })).await;

    for _ in 0..3 {
        let payload = client.event("room:a", "much").await;
        assert_eq!(payload["text"].as_str().map(str::len), Some(600_000));
    }
    client.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reader_that_takes_nothing_for_10_s_is_cut_off_though_it_asked_for_all_that_waits() {
    let socket = bennu::socket(Probing(Probe::new().0)).channel::<Room>("room:*");
    let server = Server::start(Endpoint::builder().socket("/socket", socket).build(Hasty));
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;
    let mut flood = Vec::new();
    for _ in 0..500 {
        flood.extend(client.pushed("room:a", "echo", json!({ "text": "x".repeat(8 * 1024) })).0);
    }
    let mut sent = 0;
    while let Ok(written) =
        tokio::time::timeout(Duration::from_millis(100), client.stream().write(&flood[sent..])).await
    {
        sent += written.unwrap();
    }
    assert_eq!(server.endpoint.connections(), 1, "it is not too much for it");
    let start = Instant::now();

    until("the stuck reader to be cut off", || server.endpoint.connections() == 0).await;

    // A silent client would be closed after 60 s.
    assert!(start.elapsed() < Duration::from_secs(20) / HASTE, "{:?}", start.elapsed());
    let end = loop {
        match client.next().await {
            Got::Message(_) => {}
            end => break end,
        }
    };
    assert!(matches!(end, Got::Closed(Some(1013)) | Got::Ended), "{end:?}");
}
