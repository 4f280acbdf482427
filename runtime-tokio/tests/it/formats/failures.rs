//! What a format does wrong harms nobody else.

use super::{CUSTOM, Marked, Speaker, marked};
use crate::client::Client;
use crate::server::{Server, rooms};
use bennu::{Decoded, Endpoint, Format, FormatError, Kind, Outgoing};
use serde_json::json;
use std::sync::{Arc, OnceLock};

fn server() -> Server {
    Server::rooms_with(|socket| socket.serializer("~> 3.0.0", Marked::writing(Kind::Binary))).0
}

#[tokio::test]
async fn what_a_format_cannot_read_closes_with_1011_and_harms_nobody_else() {
    let server = server();
    let mut other = Speaker::joined(server.address).await;

    for message in [
        b"no mark".to_vec(),
        b"!no message".to_vec(),
        marked(json!(["1", "1", "room:a", "decode_panic", {}])),
    ] {
        let mut own = Speaker::joined(server.address).await;
        let frame = own.client.binary(&message);
        own.client.raw(&frame).await;
        assert_eq!(own.client.closed().await, 1011);
    }

    other.lives().await;
}

#[tokio::test]
async fn payload_that_is_too_deep_closes_with_1011() {
    let server = server();
    let mut own = Speaker::joined(server.address).await;

    let message = format!(r#"!["1","2","room:a","echo",{{"a":{}{}}}]"#, "[".repeat(127), "]".repeat(127));
    let frame = own.client.binary(message.as_bytes());
    own.client.raw(&frame).await;

    assert_eq!(own.client.closed().await, 1011);
}

#[tokio::test]
async fn format_that_panics_over_the_protocols_own_message_ends_its_client_alone() {
    let server = server();
    let (mut own, mut other) = (Speaker::joined(server.address).await, Speaker::joined(server.address).await);

    own.say(json!([null, "9", "panic:own", "hi", {}])).await;

    assert_eq!(own.client.closed().await, 1011);
    other.lives().await;
}

#[tokio::test]
async fn push_over_which_a_format_panics_crashes_its_channel_alone() {
    let server = server();
    let mut own = Speaker::joined(server.address).await;

    own.say(json!(["1", "2", "room:a", "push_much", { "times": 1, "bytes": 1 }])).await;

    assert_eq!(own.hear().await[3], "goodbye");
    assert_eq!(own.hear().await[3], "phx_error");
    own.lives().await;
}

#[tokio::test]
async fn broadcast_over_which_a_format_panics_skips_its_clients() {
    let server = server();
    let mut own = Speaker::joined(server.address).await;
    let mut v2 = Client::connect(server.address).await;
    v2.join("room:a").await;

    server.endpoint.broadcast("room:a", "broadcast_panic", json!({})).unwrap();
    server.endpoint.broadcast("room:a", "news", json!({})).unwrap();

    v2.event("room:a", "broadcast_panic").await;
    v2.event("room:a", "news").await;
    assert_eq!(own.hear().await[3], "news");
}

#[tokio::test]
async fn broadcasts_that_a_format_cannot_write_leave_no_gap_for_the_others() {
    let server = server();
    let (mut own, mut v2) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        own.push(Speaker::joined(server.address).await);
        let mut client = Client::connect(server.address).await;
        client.join("room:a").await;
        v2.push(client);
    }

    for n in 0..60 {
        let event = if n % 3 == 0 { "broadcast_panic" } else { "news" };
        server.endpoint.broadcast("room:a", event, json!({ "n": n })).unwrap();
    }

    for client in &mut v2 {
        for n in 0..60 {
            assert_eq!(client.message().await.payload, json!({ "n": n }));
        }
    }
    for speaker in &mut own {
        for n in (0..60).filter(|n| n % 3 != 0) {
            assert_eq!(speaker.hear().await[4], json!({ "n": n }));
        }
    }
}

/// A format that, asked to answer a heartbeat, calls its endpoint.
struct Calling(OnceLock<Endpoint>);

impl Format for Calling {
    fn decode(&self, kind: Kind, data: &[u8]) -> Result<Decoded, FormatError> {
        Marked::writing(Kind::Binary).decode(kind, data)
    }

    fn encode(&self, outgoing: &Outgoing<'_>) -> Result<(Kind, Vec<u8>), FormatError> {
        if matches!(outgoing, Outgoing::Reply { topic, .. } if **topic == *"phoenix") {
            let endpoint = self.0.get().expect("it has been built");
            endpoint.broadcast("room:a", "from a format", json!({}))?;
        }
        Marked::writing(Kind::Binary).encode(outgoing)
    }
}

#[tokio::test]
async fn format_that_calls_its_endpoint_fails_instead_of_waiting_for_its_own_lock() {
    let calling = Arc::new(Calling(OnceLock::new()));
    let format = Arc::clone(&calling) as Arc<dyn Format>;
    let (endpoint, _told) =
        rooms(Endpoint::builder().shards(1), |socket| socket.serializer("~> 3.0.0", format));
    let _ = calling.0.set(endpoint.clone());
    let server = Server::start(endpoint);
    let mut v2 = Client::connect(server.address).await;
    v2.join("room:a").await;
    let mut own = Speaker { client: Client::connect_to(server.address, CUSTOM).await };

    own.say(json!([null, "1", "phoenix", "heartbeat", {}])).await;

    assert_eq!(own.client.closed().await, 1011);
    server.endpoint.broadcast("room:a", "news", json!({})).unwrap();
    v2.event("room:a", "news").await;
}

#[tokio::test]
#[should_panic(expected = "a serializer's version is wrong")]
async fn malformed_requirement_is_a_mistake_in_the_program() {
    let _ = bennu::socket(bennu::Open).serializer(">= 3.0.0", Marked::writing(Kind::Text));
}
