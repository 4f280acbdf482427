//! Fragments, pings, silence.

use super::{code_for, code_on, frame};
use crate::client::{Client, Got, soon};
use crate::neighbour::beside;
use crate::server::Server;
use bennu::WebSocket;
use serde_json::json;
use std::time::Duration;

/// Fragments of a message that never ends.
fn endless(payload: &[u8], how_many: usize) -> Vec<u8> {
    [frame(0x01, b"["), frame(0x00, payload).repeat(how_many)].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fragments_without_end_are_cut_at_the_first_limit_that_they_reach() {
    assert_eq!(code_for(&endless(&[b' '; 1000], 10_000)).await, 1008);
    assert_eq!(code_for(&endless(&[b' '; 1100], 10_000)).await, 1009);
    assert_eq!(code_for(&endless(b" ", 1_000_000)).await, 1008);
    assert_eq!(code_for(&endless(b"", 1_000_000)).await, 1008);
}

/// A heartbeat with so many empty fragments in it.
fn heartbeat_around(empty: usize) -> Vec<u8> {
    let (first, last) = (frame(0x01, br#"[null,"1","phoenix","#), frame(0x80, br#""heartbeat",{}]"#));
    [first, frame(0x00, b"").repeat(empty), last].concat()
}

#[tokio::test]
async fn sixteen_empty_fragments_in_a_row_are_taken_and_no_more() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;

    for _ in 0..10 {
        client.raw(&heartbeat_around(16)).await;
        assert_eq!(client.reply("1").await.0, "ok");
    }

    assert_eq!(code_on(&server, &heartbeat_around(17)).await, 1008);
}

#[tokio::test]
async fn limits_of_fragments_are_settings() {
    let websocket = WebSocket::new().max_fragments(4).max_empty_fragments(1);
    let (server, _told) = Server::rooms_with(|socket| socket.websocket(websocket));
    let mut client = Client::connect(server.address).await;

    client.raw(&super::heartbeat_in(4)).await;
    assert_eq!(client.reply("1").await.0, "ok");
    client.raw(&heartbeat_around(1)).await;
    assert_eq!(client.reply("1").await.0, "ok");

    assert_eq!(code_on(&server, &super::heartbeat_in(5)).await, 1008);
    assert_eq!(code_on(&server, &heartbeat_around(2)).await, 1008);
}

fn ping(n: u32) -> Vec<u8> {
    frame(0x89, &n.to_be_bytes())
}

#[tokio::test]
async fn ping_is_answered_with_its_payload_and_125_bytes_are_the_most() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;

    client.raw(&frame(0x89, &[7; 125])).await;
    assert_eq!(client.next().await, Got::Pong(vec![7; 125]));

    assert_eq!(code_on(&server, &[&[0x89, 0xfe, 0, 126, 0, 0, 0, 0][..], &[7; 126]].concat()).await, 1002);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_that_takes_nothing_is_owed_the_latest_pong_only() {
    const PINGS: u32 = 20_000;
    let (server, _told) = Server::rooms();

    beside(server.address, async {
        let mut client = Client::connect_narrow(server.address).await;
        client.stream().set_nodelay(true).unwrap();
        client.join("room:a").await;
        // More than the kernel takes, and too little to keep the server from reading.
        let grow = client.push("room:a", "grow", json!({ "bytes": 500_000 })).await;

        // One a packet, so that each may be a read of its own.
        for n in 0..PINGS {
            client.raw(&ping(n)).await;
        }
        let heartbeat = client.send_heartbeat().await;

        let (mut pongs, mut answered) = (Vec::new(), Vec::new());
        while answered.len() < 2 || pongs.last() != Some(&(PINGS - 1)) {
            match client.next().await {
                Got::Pong(payload) => pongs.push(u32::from_be_bytes(payload.try_into().unwrap())),
                Got::Message(message) => answered.push(message.msg_ref),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(answered, [json!(grow), json!(heartbeat)]);
        assert!(pongs.is_sorted());
        assert!(pongs.len() < 1000, "{} pongs waited", pongs.len());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundred_silent_clients_are_closed_while_another_is_served() {
    let websocket = WebSocket::new().idle_timeout(Duration::from_secs(1));
    let (server, _told) = Server::rooms_with(|socket| socket.websocket(websocket));

    beside(server.address, async {
        let mut silent = Vec::new();
        for _ in 0..100 {
            silent.push(Client::connect(server.address).await);
        }
        for mut client in silent {
            assert_eq!(client.closed().await, 1002);
        }
        soon("the silent ones to be forgotten", async {
            while server.endpoint.connections() > 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    })
    .await;
}
