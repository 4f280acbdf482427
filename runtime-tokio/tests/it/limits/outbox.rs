//! What waits for a client that takes too little.

use crate::app::text_of;
use crate::client::{Client, Got, until};
use crate::neighbour::{Neighbour, beside};
use crate::server::Server;
use bennu::Limits;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;

/// Reads on to the end: the close code, if it came.
async fn end_of(client: &mut Client) -> Option<u16> {
    loop {
        match client.next().await {
            Got::Message(_) => {}
            Got::Closed(code) => return code,
            Got::Ended => return None,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn client_that_takes_nothing_is_cut_off_after_10_s_however_little_waits() {
    let (server, _told) = Server::rooms();
    let mut neighbour = Neighbour::connect(server.address).await;
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;
    let start = tokio::time::Instant::now();
    for _ in 0..60 {
        server.endpoint.broadcast("room:a", "event", text_of(8 * 1024)).unwrap();
    }
    // What could be written has been once another one is served.
    neighbour.is_served().await;
    let waiting = server.endpoint.connections();
    crate::rt::pause();
    let paused = tokio::time::Instant::now();

    while server.endpoint.connections() == waiting {
        assert!(paused.elapsed() < Duration::from_secs(12));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let took = start.elapsed();
    crate::rt::resume();
    assert!(took >= Duration::from_secs(10), "{took:?}");
    neighbour.is_served().await;
    assert!(matches!(end_of(&mut client).await, Some(1013) | None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn age_of_an_outbox_is_a_setting_and_taking_a_little_is_not_enough() {
    let limits = Limits::new().outbox_age(Duration::from_millis(400));
    let (server, _told) = Server::rooms_with(|socket| socket.limits(limits));

    beside(server.address, async {
        let mut client = Client::connect_narrow(server.address).await;
        client.join("room:a").await;
        let start = Instant::now();
        for _ in 0..60 {
            server.endpoint.broadcast("room:a", "event", text_of(8 * 1024)).unwrap();
        }

        let mut sips = tokio::time::interval(Duration::from_millis(20));
        while server.endpoint.connections() == 2 {
            assert!(start.elapsed() < Duration::from_secs(5), "it is never cut off");
            sips.tick().await;
            let _ = client.stream().read(&mut [0; 16]).await;
        }

        assert!(start.elapsed() > Duration::from_millis(300), "{:?}", start.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_that_takes_all_in_time_is_not_cut_off_however_much_it_is() {
    let limits = Limits::new().outbox(64 * 1024).outbox_age(Duration::from_secs(3));
    let (server, _told) = Server::rooms_with(|socket| socket.limits(limits));

    beside(server.address, async {
        let mut client = Client::connect_narrow(server.address).await;
        client.join("room:a").await;
        for n in 0..1000 {
            server.endpoint.broadcast("room:a", &format!("event {n}"), text_of(8 * 1024)).unwrap();
            client.event("room:a", &format!("event {n}")).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn size_of_an_outbox_is_a_setting() {
    for (limit, is_cut) in [(100 * 1024, true), (4 << 20, false)] {
        let (server, _told) = Server::rooms_with(|socket| socket.limits(Limits::new().outbox(limit)));

        beside(server.address, async {
            let mut client = Client::connect_narrow(server.address).await;
            client.join("room:a").await;
            for n in 0..300 {
                server.endpoint.broadcast("room:a", &format!("event {n}"), text_of(8 * 1024)).unwrap();
                tokio::task::yield_now().await;
            }
            if is_cut {
                until("the client to be cut off", || server.endpoint.connections() == 1).await;
                assert!(matches!(end_of(&mut client).await, Some(1013) | None));
                return;
            }
            for n in 0..300 {
                client.event("room:a", &format!("event {n}")).await;
            }
            client.push("room:a", "echo", json!({})).await;
            client.message().await;
        })
        .await;
    }
}
