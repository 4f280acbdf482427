//! Messages and joins per second. How what is left comes back with time is a matter of the core, and of virtual time.

use crate::app::{Probe, Probing, Room};
use crate::client::Client;
use crate::neighbour::beside;
use crate::poller::{Poller, ask};
use crate::server::Server;
use bennu::{Endpoint, Limits, LongPoll, Rate};
use serde_json::{Value, json};
use std::time::Duration;

const HURRIED: &str = "/hurried/websocket?vsn=2.0.0";
pub(crate) const HURRIED_POLLS: &str = "/hurried/longpoll?vsn=2.0.0";

/// So often, and no more for the rest of the test.
pub(crate) fn just(times: u32) -> Rate {
    Rate::every(Duration::from_secs(3600)).burst(times)
}

/// A server with a socket that has these limits, beside the usual one.
pub(crate) fn hurried(limits: Limits) -> Server {
    let (probe, _) = Probe::new();
    let socket =
        bennu::socket(Probing(probe)).channel::<Room>("room:*").limits(limits).longpoll(LongPoll::new());
    Server::rooms_on(Endpoint::builder().socket("/hurried", socket), |socket| socket).0
}

fn too_fast() -> (String, Value) {
    ("error".into(), json!({ "reason": "rate limit" }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_past_their_rate_are_answered_one_by_one_while_others_are_served() {
    let server = hurried(Limits::new().message_rate(just(11)));

    beside(server.address, async {
        let mut client = Client::connect_to(server.address, HURRIED).await;
        client.join("room:a").await;
        for n in 1..=10 {
            assert_eq!(client.call("room:a", "count", json!({})).await, json!({ "n": n }));
        }
        for _ in 0..100 {
            let mut refs = Vec::new();
            for _ in 0..100 {
                refs.push(client.push("room:a", "count", json!({})).await);
            }
            for msg_ref in refs {
                assert_eq!(client.reply(&msg_ref).await, too_fast());
            }
        }
        client.heartbeat().await;
        server.endpoint.broadcast("room:a", "news", json!({})).unwrap();
        client.event("room:a", "news").await;

        // It is each connection's own.
        let mut another = Client::connect_to(server.address, HURRIED).await;
        another.join("room:a").await;
        another.call("room:a", "count", json!({})).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_past_their_rate_are_refused_and_the_channels_that_are_joined_go_on() {
    let server = hurried(Limits::new().join_rate(just(2)));

    beside(server.address, async {
        let mut client = Client::connect_to(server.address, HURRIED).await;
        client.join("room:a").await;
        client.join("room:b").await;
        for burst in 0..100 {
            let mut refs = Vec::new();
            for n in 0..100 {
                refs.push(client.send_join(&format!("room:more {burst} {n}")).await);
            }
            for join in refs {
                assert_eq!(client.reply(&join).await, too_fast());
            }
        }
        client.call("room:a", "count", json!({})).await;
        client.call("room:b", "count", json!({})).await;
        let leave = client.push("room:a", "phx_leave", json!({})).await;
        assert_eq!(client.reply(&leave).await.0, "ok");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_batch_of_posts_those_past_the_rate_are_answered_and_the_session_goes_on() {
    let server = hurried(Limits::new().message_rate(just(11)));

    beside(server.address, async {
        let mut poller = Poller::open_at(&server.endpoint, HURRIED_POLLS).await;
        let join = poller.send("room:a", "phx_join", json!({})).await;
        assert_eq!(poller.reply(&join).await.0, "ok");

        let batch: Vec<_> = (0..100).map(|_| poller.message("room:a", "echo", json!({}))).collect();
        let lines: Vec<_> = batch.iter().map(|(line, _)| line.as_str()).collect();
        assert_eq!(ask(&server.endpoint, poller.batch(lines.join("\n"))).await.status, 200);

        let mut outcomes = Vec::new();
        for _ in 0..100 {
            let message = poller.next().await;
            assert_eq!(message.event, "phx_reply");
            outcomes.push((message.msg_ref, message.payload["response"]["reason"] == "rate limit"));
        }
        // Those that are handled are, as a rule, answered behind those that are not.
        outcomes.sort_by_key(|(msg_ref, _)| msg_ref.as_str().unwrap().parse::<u32>().unwrap());
        let refs: Vec<_> = batch.into_iter().map(|(_, msg_ref)| json!(msg_ref)).collect();
        assert_eq!(outcomes.iter().map(|(msg_ref, _)| msg_ref.clone()).collect::<Vec<_>>(), refs);
        assert!(outcomes[..10].iter().all(|(_, is_refused)| !is_refused), "{outcomes:?}");
        assert!(outcomes[10..].iter().all(|(_, is_refused)| *is_refused), "{outcomes:?}");
        poller.heartbeat().await;
    })
    .await;
}
