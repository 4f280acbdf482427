//! What a client may grow, and what it is told past that; and the tests that prove it.
//!
//! Where a limit is of a machine without I/O, its bounds are proven there as well: in the tests of `bennu-core`, which
//! are named `core`. Nearly all that go past a limit have a client beside them, on the same server, that is served
//! before, meanwhile and behind it: see `neighbour`. That each is counted, and nothing else with it, is in `counted`. Modules without a path are below this one; `memory` is the
//! test binary of that name.
//!
//! | limit | at it | one past it | far past it | its setting |
//! |---|---|---|---|---|
//! | handshake: 10 s in all | `handshake`: `request_that_comes_byte_by_byte_…`, `connection_that_was_upgraded_in_time_lives_on` | `silent_connection_is_closed_after_10_s_and_not_before`, `application_that_takes_too_long_to_decide_…`, `requests_for_something_else_…`, `answers_that_nobody_reads_…` | `many_that_are_silent_or_drip_…`; `super::handshake`: `dripping_request_head_…` | all with `hasty`; `with_an_application_the_head_alone_has_its_time_…` |
//! | TLS handshake: 5 s | all of `super::tls` | `tls_handshake_that_never_comes_is_cut_off_after_5_s` | `tls_takes_no_more_than_its_share_of_the_handshake` | `time_for_tls_is_a_setting` |
//! | target 8 KiB, header lines 16 KiB and 64 of them | `super::handshake`: `request_target_…`, `request_may_have_…`, `header_that_is_repeated_…`, `header_block_…` | the same | `handshake`: `heads_far_past_every_limit_…` | `limits_of_a_request_are_settings` |
//! | messages and joins per second: no limit | `rates`: `messages_past_…`, `joins_past_…`, `of_a_batch_…`; core `limits::pace`: all | the same | the same | the same |
//! | how fast connections come: no limit, 503 | `places`: `connections_that_come_too_fast_…`; `places` of `bennu` | the same | the same | `rate_of_a_socket_…` |
//! | connections: 503 | `super::handshake`: `place_of_a_connection_that_ended_is_free_again` | the same | `handshake`: `hundreds_that_come_when_no_place_is_free_…` | the same; `places`: `socket_has_places_of_its_own_…` |
//! | message: 1 MiB, 1009 | `message_at_the_limit_is_taken`; core `websocket::limits` | `message_past_the_limit_is_1009`, `fragments_past_the_limit_together_are_1009` | `length_that_is_only_announced_…`; `memory`: `message_that_is_announced_…` | `limit_of_a_message_is_a_setting` |
//! | fragments: 1,024, 16 empty ones in a row, 1008 | `message_may_come_in_1024_…`, `frames`: `sixteen_empty_fragments_…`; core `websocket::limits` | the same | `frames`: `fragments_without_end_…`; `memory`: the same | `frames`: `limits_of_fragments_are_settings` |
//! | pongs owed: the latest | `frames`: `ping_is_answered_…`; core `websocket::framing`: `of_the_pongs_owed_…` | `frames`: `client_that_takes_nothing_is_owed_…` | `memory`: `pings_of_a_client_that_reads_nothing_…` | none: there is no less |
//! | silence: 60 s, 1002 | `super::minutes`: `client_is_closed_after_60_s_of_silence_and_not_before`; core `websocket::timers` | the same | `frames`: `hundred_silent_clients_…` | the same, and all of `super::idle` |
//! | the answer to a close frame: 5 s | `super::farewells`: `client_that_answers_a_close_frame_…` | `client_that_does_not_answer_a_close_frame_…` | the same | `time_for_the_answer_to_a_close_frame_…` |
//! | long-poll bodies: 1 MiB, 413; 20 s | `super::longpoll::limits`: `body_at_the_limit_…`, `body_has_20_s_…` | `body_at_the_limit_…` | `body_without_end_…`, `body_that_drips_…` | `length_of_a_body_…`, `body_that_drips_…` |
//! | long-poll batches: 100 lines | `super::longpoll::limits`: `of_a_batch_a_hundred_…` | the same | the same; `super::longpoll::input`: `body_of_nothing_but_newlines_…` | the same |
//! | a long-poll session: its queue as the outbox; 15 s without a poll; 8 polls replaced | `super::longpoll::limits`: `session_ends_when_more_waits_…`; `super::minutes`: `client_that_keeps_polling_…`; core `longpoll` | the same | `hundred_sessions_that_nobody_polls_…` | the same, `of_more_polls_than_may_wait_…`, `of_more_posts_than_may_wait_…` |
//! | channels: 100, pending joins counted | core `limits`: `hundred_channels_…`; `channels`: `hundred_channels_…`, `join_that_is_not_decided_yet_…` | the same | the same; `memory`: `of_100_000_joins_…` | `join_past_the_limit_is_answered_…` |
//! | channels that end: 100 | `channels`: `join_waits_while_a_hundred_channels_end_…` | the same | the same; `memory`: `joins_and_leaves_…` | `how_many_channels_may_end_at_once_is_a_setting`; core `end`: `joins_wait_while_too_many_terminates_run_…` |
//! | refs: 64 bytes, 1011 | `envelope`: `ref_of_64_bytes_…`, `ref_in_a_binary_frame_…`; core `wire`: `a_ref_of_64_bytes_…` | the same | the same | `limit_of_refs_…`; `super::longpoll::limits`: `refs_and_depth_…`; core `wire`: `how_long_a_ref_may_be_…` |
//! | topic, event: 1,024 bytes | `envelope`: `names_of_1024_bytes_…`; core `limits`: `longest_topic_…`, `longest_event_…` | the same, and `name_of_the_application_…` | the same | `limits_of_names_are_settings_…`; core `limits`: `shorter_names_can_be_asked_for_…` |
//! | depth: 128, 1011 | `json_may_be_128_levels_deep_…`; core `wire`: `a_payload_is_127_levels_deep_…` | the same | `envelope`: `depth_without_end_is_1011_…`; core `limits`: `what_is_too_deep_is_not_read_on` | `limit_of_depth_…`; `super::longpoll::limits`: `refs_and_depth_…`; core `wire`: `how_deep_a_message_may_be_…` |
//! | input that waits: 1,024 messages or 1 MiB, 10 s | `input`: `with_1023_messages_waiting_…`; core `limits`: `reading_pauses_…` | `after_10_s_the_fullest_channel_ends_…`, `join_that_never_ends_is_overloaded_…` | `flood_behind_a_stuck_handler_…`; `memory`: `flood_behind_a_handler_…`; all of `super::overload` | `bytes_that_wait_pause_reading_…`, `super::overload` |
//! | messages and broadcasts that wait at a channel: 1,024, 1 MiB | `input`: `channel_takes_1024_messages_…`; core `limits` | the same, and `bytes_of_broadcasts_that_wait_…` | `channel_takes_1024_messages_…` | `bytes_of_broadcasts_that_wait_…`; `super::overload` |
//! | outbox: 1 MiB, 10 s, 1013 | `outbox`: `client_that_takes_all_in_time_…`; `super::slow_consumer` | `client_that_takes_nothing_is_cut_off_after_10_s_…`, `taking_a_little_…` | `memory`: `twenty_that_never_read_…`; `super::slow_consumer` | `size_of_an_outbox_is_a_setting`, `age_of_an_outbox_is_a_setting_…` |
//! | a subscription: 1,024 broadcasts, 4 MiB | `subscription`: `of_more_than_1024_broadcasts_…`; `super::broadcasts` | the same | the same; `memory`: `subscriber_that_takes_nothing_…` | `limits_of_a_subscription_are_settings` |

#[path = "limits/channels.rs"]
mod channels;
#[path = "limits/counted.rs"]
mod counted;
#[path = "limits/envelope.rs"]
mod envelope;
#[path = "limits/frames.rs"]
mod frames;
#[path = "limits/handshake.rs"]
mod handshake;
#[path = "limits/input.rs"]
mod input;
#[path = "limits/outbox.rs"]
mod outbox;
#[path = "limits/places.rs"]
mod places;
#[path = "limits/rates.rs"]
pub(crate) mod rates;
#[path = "limits/subscription.rs"]
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
