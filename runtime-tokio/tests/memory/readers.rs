//! Clients that do not read.

use crate::app::text_of;
use crate::client::{Client, until};
use crate::growth::{MIB, grows_at_most};
use crate::server::Server;
use bennu::{Limits, SlowConsumer};
use std::time::{Duration, Instant};

async fn twenty_that_never_read(server: &Server, topic: impl Fn(usize) -> String) -> Vec<Client> {
    let mut stuck = Vec::new();
    for n in 0..20 {
        let mut client = Client::connect_narrow(server.address).await;
        client.join(&topic(n)).await;
        stuck.push(client);
    }
    stuck
}

/// As slow that none of them has more waiting than it may: they are cut off for how long it waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_that_never_read_are_cut_off_within_12_s_and_another_loses_nothing() {
    let (server, _told) = Server::rooms();

    grows_at_most(32 * MIB, &server, async {
        let stuck = twenty_that_never_read(&server, |_| "room:news".to_owned()).await;
        let mut reader = Client::connect(server.address).await;
        reader.join("room:news").await;
        let all = server.endpoint.connections();
        let start = Instant::now();

        // What the kernel takes is gone at once: their time begins with the first that waits.
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        let mut n = 0;
        while server.endpoint.connections() > all - stuck.len() {
            let took = start.elapsed();
            assert!(
                took < Duration::from_secs(14),
                "{} are left after {took:?}",
                server.endpoint.connections()
            );
            for _ in 0..if n < 40 { 10 } else { 1 } {
                let event = format!("event {n}");
                server.endpoint.broadcast("room:news", &event, text_of(8 * 1024)).unwrap();
                reader.event("room:news", &event).await;
                n += 1;
            }
            pace.tick().await;
        }

        assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
        reader.heartbeat().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_that_never_read_what_each_is_sent_alone_keep_as_much_as_they_may() {
    let (server, _told) = Server::rooms();
    let topic = |n: usize| format!("room:news {n}");

    grows_at_most(32 * MIB, &server, async {
        let stuck = twenty_that_never_read(&server, topic).await;
        let all = server.endpoint.connections();
        let start = Instant::now();

        for _ in 0..200 {
            for n in 0..stuck.len() {
                server.endpoint.broadcast(&topic(n), "event", text_of(8 * 1024)).unwrap();
            }
            tokio::task::yield_now().await;
        }
        until("all of them to be cut off", || server.endpoint.connections() == all - stuck.len()).await;

        assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_that_never_read_and_lose_the_oldest_keep_as_much_as_they_may() {
    let limits = Limits::new().slow_consumer(SlowConsumer::DropOldest);
    let (server, _told) = Server::rooms_with(|socket| socket.limits(limits));
    let topic = |n: usize| format!("room:news {n}");

    grows_at_most(32 * MIB, &server, async {
        let stuck = twenty_that_never_read(&server, topic).await;
        let all = server.endpoint.connections();

        for _ in 0..400 {
            for n in 0..stuck.len() {
                server.endpoint.broadcast(&topic(n), "event", text_of(8 * 1024)).unwrap();
            }
            tokio::task::yield_now().await;
        }

        assert_eq!(server.endpoint.connections(), all);
        // Of 64 MB the kernel has taken some, and their outboxes hold a third.
        assert!(server.endpoint.lost() > 400 * 20 / 4, "{}", server.endpoint.lost());
    })
    .await;
}
