//! Clients that send without end.

use crate::client::{Client, Got, SOCKET, soon};
use crate::growth::{MIB, grows_at_most};
use crate::server::Server;
use bennu::Notification;
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_100_000_joins_a_hundred_succeed_and_each_other_is_answered_once() {
    let (server, _told) = Server::rooms();

    let (joined, refused) = grows_at_most(4 * MIB, &server, async {
        let mut client = Client::connect(server.address).await;
        let (mut joined, mut refused) = (0, 0);
        for burst in 0..1000 {
            let mut joins = Vec::new();
            for n in 0..100 {
                let text = format!(r#"["{n}","{n}","room:{burst}-{n}","phx_join",{{}}]"#);
                joins.extend(client.text(&text));
            }
            client.raw(&joins).await;
            for n in 0..100 {
                let (status, response) = client.reply(&n.to_string()).await;
                match &*status {
                    "ok" => joined += 1,
                    _ => {
                        assert_eq!(response, json!({ "reason": "too many channels joined" }));
                        refused += 1;
                    }
                }
            }
        }
        client.heartbeat().await;
        (joined, refused)
    })
    .await;

    assert_eq!((joined, refused), (100, 99_900));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_and_leaves_of_ever_new_topics_leave_nothing_behind() {
    let (server, mut told) = Server::rooms();

    grows_at_most(4 * MIB, &server, async {
        let mut client = Client::connect(server.address).await;
        for burst in 0..200 {
            let mut pairs = Vec::new();
            for n in 0..50 {
                let topic = format!("room:{burst}-{n}");
                for event in ["phx_join", "phx_leave"] {
                    let text = format!(r#"["{n}","{n}","{topic}","{event}",{{}}]"#);
                    pairs.extend(client.text(&text));
                }
            }
            client.raw(&pairs).await;
            let mut replies = 0;
            while replies < 100 {
                replies += usize::from(client.message().await.event == "phx_reply");
            }
            while !told.is_silent() {}
        }
    })
    .await;
}

/// A frame with this first byte and a mask that changes nothing.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap();
    let header = match len {
        0..126 => vec![first, 0x80 | len as u8],
        _ => [&[first, 0x80 | 126][..], &len.to_be_bytes()].concat(),
    };
    [&header[..], &[0; 4], payload].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fragments_without_end_are_cut_and_keep_little() {
    let (server, _told) = Server::rooms();

    for (payload, code) in [(&[b' '; 1000][..], 1008), (b" ", 1008), (b"", 1008), (&[b' '; 1100], 1009)] {
        let some = frame(0x00, payload).repeat(1000);
        let got = grows_at_most(4 * MIB, &server, async {
            let mut client = Client::connect(server.address).await;
            client.raw(&frame(0x01, b"[")).await;
            for _ in 0..50 {
                client.raw(&some).await;
            }
            client.close_code().await
        })
        .await;
        assert_eq!(got, code);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_that_is_announced_takes_no_room_before_it_comes() {
    let (server, _told) = Server::rooms();

    grows_at_most(4 * MIB, &server, async {
        let mut clients = Vec::new();
        for _ in 0..100 {
            let mut client = Client::connect(server.address).await;
            let header =
                [&[0x82, 0x80 | 127][..], &MIB.to_be_bytes(), &[0; 4], b"one byte, or some"].concat();
            client.raw(&header).await;
            clients.push(client);
        }
        // They are read once others are served.
        Client::connect(server.address).await.heartbeat().await;
    })
    .await;
}

/// A client of whom nothing that it sends, or is sent, waits in the kernel for long.
async fn narrow(server: &Server) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(8 * 1024).unwrap();
    Client::over(socket.connect(server.address).await.unwrap(), SOCKET).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_of_a_client_that_reads_nothing_keep_one_pong() {
    let (server, _told) = Server::rooms();

    grows_at_most(4 * MIB, &server, async {
        let mut client = Client::connect_narrow(server.address).await;
        client.stream().set_nodelay(true).unwrap();
        client.join("room:a").await;
        client.push("room:a", "grow", json!({ "bytes": 500_000 })).await;
        let some = frame(0x89, b"").repeat(10);
        for _ in 0..20_000 {
            client.raw(&some).await;
        }
        while !matches!(client.next().await, Got::Pong(_)) {}
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flood_behind_a_handler_that_waits_stays_with_its_sender() {
    let (server, mut told) = Server::rooms();

    grows_at_most(8 * MIB, &server, async {
        while !told.is_silent() {}
        let mut client = narrow(&server).await;
        client.join("room:a").await;
        client.push("room:a", "wait", json!({})).await;
        while told.next().await != "handler waits" {}
        let some = client.pushed("room:a", "echo", json!({ "text": "x".repeat(400) })).0.repeat(100);

        let mut sent = 0;
        while tokio::time::timeout(Duration::from_millis(500), client.stream().write_all(&some)).await.is_ok()
        {
            sent += 1;
            assert!(sent < 1000, "reading never paused");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriber_that_takes_nothing_keeps_4_mib() {
    let (server, _told) = Server::rooms();
    let mut subscription = server.endpoint.subscribe("room:news");

    // What is lost is given back to the allocator, which may need as much again.
    grows_at_most(12 * MIB, &server, async {
        for n in 0..4_000 {
            let payload = crate::app::text_of(10_000);
            server.endpoint.broadcast("room:news", "event", payload).unwrap();
            if n % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
        let lost = soon("the loss", subscription.next()).await;
        assert!(matches!(lost, Notification::Lost(2_976..)), "{lost:?}");
    })
    .await;
}
