//! What a client may send, how much of it, and what it is told.

mod channels;
mod envelope;
mod frames;
mod handshake;
mod input;
mod outbox;
mod subscription;

use crate::client::Client;
use crate::neighbour::beside;
use crate::server::Server;
use bennu::WebSocket;
use serde_json::json;

/// The longest message by default, in bytes.
const LONGEST: usize = 1 << 20;

/// A frame's first bytes, with a mask that changes nothing.
fn header(first: u8, len: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match len {
        0..126 => bytes.push(0x80 | u8::try_from(len).unwrap()),
        126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(len.to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [header(first, payload.len() as u64), payload.to_vec()].concat()
}

/// What a client is closed with that sends these bytes; another one is served meanwhile.
async fn code_for(bytes: &[u8]) -> u16 {
    code_on(&Server::rooms().0, bytes).await
}

/// The same on a server with settings.
async fn code_on(server: &Server, bytes: &[u8]) -> u16 {
    beside(server.address, async {
        let mut client = Client::connect(server.address).await;
        client.join("room:a").await;
        client.raw(bytes).await;
        client.close_code().await
    })
    .await
}

#[tokio::test]
async fn message_at_the_limit_is_taken() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    let (empty, _) = client.pushed("room:a", "echo", json!({ "text": "" }));
    // Lengths of 126 bytes and more take two or eight bytes to write.
    let fill = LONGEST - (empty.len() - 2 - 4);

    let response = client.call("room:a", "echo", json!({ "text": "x".repeat(fill) })).await;

    assert_eq!(response["text"].as_str().map(str::len), Some(fill));
}

#[tokio::test]
async fn message_past_the_limit_is_1009() {
    assert_eq!(code_for(&frame(0x81, &vec![b' '; LONGEST + 1])).await, 1009);
}

#[tokio::test]
async fn fragments_past_the_limit_together_are_1009() {
    let half = vec![b' '; LONGEST / 2];
    let bytes = [frame(0x01, &half), frame(0x00, &half), header(0x80, 1)].concat();

    assert_eq!(code_for(&bytes).await, 1009);
}

#[tokio::test]
async fn length_that_is_only_announced_is_1009_before_any_payload() {
    assert_eq!(code_for(&header(0x82, 1 << 40)).await, 1009);
    assert_eq!(code_for(&header(0x81, (1 << 63) - 1)).await, 1009);
}

#[tokio::test]
async fn limit_of_a_message_is_a_setting() {
    let (server, _told) = Server::rooms_with(|socket| socket.websocket(WebSocket::new().max_message(200)));
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.call("room:a", "echo", json!({ "text": "x".repeat(100) })).await;

    client.push("room:a", "echo", json!({ "text": "x".repeat(200) })).await;

    assert_eq!(client.closed().await, 1009);
}

/// A heartbeat in so many fragments.
fn heartbeat_in(fragments: usize) -> Vec<u8> {
    let text = br#"[null,"1","phoenix","heartbeat",{}]"#;
    let mut bytes = frame(0x01, text);
    for _ in 2..fragments {
        bytes.extend(frame(0x00, b" "));
    }
    bytes.extend(frame(0x80, b" "));
    bytes
}

#[tokio::test]
async fn message_may_come_in_1024_fragments_and_no_more() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;

    client.raw(&heartbeat_in(1024)).await;
    assert_eq!(client.reply("1").await.0, "ok");

    assert_eq!(code_for(&heartbeat_in(1025)).await, 1008);
}

#[tokio::test]
async fn empty_fragments_without_end_are_1008() {
    let bytes = [frame(0x01, b"["), frame(0x00, b"").repeat(17)].concat();

    assert_eq!(code_for(&bytes).await, 1008);
}

#[tokio::test]
async fn text_that_is_not_utf8_is_1007() {
    assert_eq!(code_for(&frame(0x81, b"[\"\xff\"]")).await, 1007);
    assert_eq!(code_for(&[frame(0x01, b"[\"\xc3"), frame(0x80, b"(\"]")].concat()).await, 1007);
}

#[tokio::test]
async fn frame_without_a_mask_is_1002() {
    assert_eq!(code_for(&[0x81, 2, b'[', b']']).await, 1002);
}

#[tokio::test]
async fn text_that_is_no_message_is_1011() {
    for text in ["", "nonsense", "[]", "{}", "null", r#"["1","1","t","e"]"#, r#"["1","1","t","e",{}"#] {
        assert_eq!(code_for(&frame(0x81, text.as_bytes())).await, 1011, "{text}");
    }
}

#[tokio::test]
async fn binary_message_that_ends_too_early_is_1011() {
    assert_eq!(code_for(&frame(0x82, &[0, 9, 9, 9, 9])).await, 1011);
}

/// A push whose payload is so many levels deep.
fn deep(levels: usize) -> Vec<u8> {
    let payload = [r#"{"a":"#.to_owned(), "[".repeat(levels - 1), "]".repeat(levels - 1), "}".to_owned()];
    format!(r#"["1","9","room:a","count",{}]"#, payload.concat()).into_bytes()
}

#[tokio::test]
async fn json_may_be_128_levels_deep_and_no_deeper() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    client.raw(&frame(0x81, &deep(127))).await;
    assert_eq!(client.reply("9").await.0, "ok");

    assert_eq!(code_for(&frame(0x81, &deep(128))).await, 1011);
    assert_eq!(code_for(&frame(0x81, &deep(100_000))).await, 1011);
    assert_eq!(code_for(&frame(0x81, "[".repeat(100_000).as_bytes())).await, 1011);
}

#[tokio::test]
async fn join_past_the_limit_is_answered_and_leaves_the_others_alone() {
    let (server, _told) = Server::rooms_with(|socket| socket.max_channels(2));
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.join("room:b").await;

    for topic in ["room:c", "room:d"] {
        let join = client.send_join(topic).await;
        assert_eq!(
            client.reply(&join).await,
            ("error".into(), json!({ "reason": "too many channels joined" }))
        );
    }

    client.call("room:a", "count", json!({})).await;
    client.call("room:b", "count", json!({})).await;
}
