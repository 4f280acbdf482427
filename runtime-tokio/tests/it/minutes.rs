//! What takes minutes: on tokio, whose clock can be moved on.

use crate::client::Client;
use crate::limits::rates::{HURRIED_POLLS, hurried, just};
use crate::neighbour::Neighbour;
use crate::poller::Poller;
use crate::server::Server;
use bennu::{Limits, LongPoll};
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

/// What a silent client is sent at last, as bytes.
const SILENT: &[u8] = &[0x88, 2, 0x03, 0xea];

#[tokio::test]
async fn client_is_closed_after_60_s_of_silence_and_not_before() {
    let (server, _told) = Server::rooms();
    let mut neighbour = Neighbour::connect(server.address).await;
    let mut client = Client::connect(server.address).await;
    client.heartbeat().await;
    crate::rt::pause();
    crate::rt::advance(Duration::from_secs(59)).await;
    crate::rt::resume();
    // Both are heard, and have another minute.
    let start = tokio::time::Instant::now();
    client.heartbeat().await;
    neighbour.is_served().await;
    crate::rt::pause();
    let paused = tokio::time::Instant::now();

    let mut close = [0; 4];
    let reading = client.stream().read_exact(&mut close);
    timeout(Duration::from_secs(100), reading).await.unwrap().unwrap();

    assert_eq!(close, SILENT);
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(60) && paused.elapsed() < Duration::from_secs(61), "{took:?}");
}

#[tokio::test]
async fn client_that_keeps_polling_lives_on_and_one_that_stops_is_forgotten_after_15_s() {
    crate::rt::pause();
    let (server, mut told) = Server::rooms_with(|socket| socket.longpoll(LongPoll::new()));
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;
    for _ in 0..100 {
        assert_eq!(poller.poll().await.status, 204);
        tokio::time::sleep(Duration::from_secs(14)).await;
    }
    poller.heartbeat().await;

    tokio::time::sleep(Duration::from_millis(14_900)).await;
    assert!(told.is_silent());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(told.next().await, "terminate Closed after 0");

    let answer = poller.poll().await;
    assert_eq!(answer.status, 410);
    assert_ne!(answer.token, Some(poller.token.clone()));
    assert_eq!(poller.post("[]").await, 410);
}

/// Without a poll for 15 s the session would end: the clock stands still but for the 10 s of the last post.
#[tokio::test]
async fn flood_past_the_rate_is_held_up_when_nobody_takes_the_answers() {
    crate::rt::pause();
    let server = hurried(Limits::new().message_rate(just(1)).outbox(20_000));
    let mut poller = Poller::open_at(&server.endpoint, HURRIED_POLLS).await;

    let mut taken = 0;
    loop {
        let (message, _) = poller.message("room:a", "echo", json!({}));
        match poller.post(message).await {
            200 => taken += 1,
            408 => break,
            status => panic!("{status}"),
        }
        assert!(taken < 20_000, "nothing holds it up");
    }

    for _ in 0..taken {
        assert_eq!(poller.next().await.event, "phx_reply");
    }
    poller.heartbeat().await;
}
