//! Where Bennu differs from Phoenix 1.8.12 on purpose, and the tests that prove it.
//!
//! | Phoenix | Bennu | proof |
//! |---|---|---|
//! | a slow join blocks heartbeats and all other channels of its connection | it holds back its own topic only | `ends::slow_join_holds_back_its_own_topic_only`; the machine: core's `order` and `join` |
//! | leave and rejoin sent back to back: the leave is never answered | answered, in order | `ends::leaves_and_joins_back_to_back_are_answered_in_order`; the machine: core's `leave` |
//! | bytes broadcast to a topic with a V1 member crash the broadcaster | V2 members receive them, the others are skipped | `broadcasts::binary_broadcast_reaches_v2_and_skips_v1`, `bytes_that_a_channel_broadcasts_crash_nobody_though_a_member_speaks_v1` |
//! | bytes broadcast, pushed or replied to a client that polls are mangled, or lost with all that waits beside them | a broadcast skips it, a push or a reply crashes its channel | `longpoll::bytes_skip_who_polls_and_reach_the_others`, `longpoll::push_or_reply_of_bytes_crashes_its_channel_and_a_broadcast_does_not` |
//! | unbounded mailboxes | input pauses reading; what the application sends ends its channel | all of `overload`; the machine: core's `limits` |
//! | an unbounded outgoing queue | who does not take it is cut off with 1013 | all of `slow_consumer` |
//! | what waits for a poll is unbounded | past the limit of the outbox the session ends | `longpoll::limits::session_ends_when_more_waits_for_it_than_its_outbox_holds`, `longpoll::limits::hundred_sessions_that_nobody_polls_hold_no_more_than_their_outboxes`; the machine: core's `longpoll` |
//! | a poll takes what waits before its answer is written, and if it is cut off then, that is lost | it takes it when its answer is handed to HTTP | `longpoll::poll_that_is_cut_off_while_it_waits_takes_nothing_with_it`, `longpoll::answer_that_is_dropped_unread_gives_back_what_it_took` |
//! | without a secret an endpoint does not start | tokens of sessions are signed with a random one | all of `longpoll` but `longpoll::door::token_leads_nowhere_at_another_mount_or_endpoint_even_with_the_same_secret` |
//! | long-poll bodies of 8 MB, 400 past it | 1 MiB, a setting, 413 | `longpoll::limits::body_at_the_limit_is_taken_and_a_longer_one_is_413_and_read_by_nobody`, `longpoll::limits::length_of_a_body_is_a_setting` |
//! | messages of 10 MB | 1 MiB, a setting | `limits::message_at_the_limit_is_taken`, `limits::message_past_the_limit_is_1009`, `limits::limit_of_a_message_is_a_setting` |
//! | topics, events and refs of any length | bounded, refs at 64 bytes | `name_longer_than_its_limit_is_refused_and_harms_nobody`; the machine: core's `limits::longest_topic_is_joined_and_one_byte_more_is_refused_without_a_trace`, `limits::longest_event_is_handled_and_one_byte_more_is_refused`, `wire::a_ref_of_64_bytes_fits_and_one_of_65_does_not` |
//! | fragments of one byte without end are collected | they are counted | `limits::message_may_come_in_1024_fragments_and_no_more`, `limits::empty_fragments_without_end_are_1008` |
//! | JSON of any depth is accepted | depth 128, the envelope's own level counted | `limits::json_may_be_128_levels_deep_and_no_deeper` |
//! | 500 on a malformed query or token | 400 | `malformed_query_is_400`, `malformed_auth_token_is_400`, `longpoll::input::malformed_query_is_400_whatever_the_method` |
//! | 500 on a line that is no base64, and on a NUL | 400 | `longpoll::input::line_that_is_no_base64_is_400_and_the_session_lives_on`, `longpoll::input::nul_in_a_body_is_400_and_the_session_lives_on` |
//! | the default origin check compares with the configured host; none configured allows all | with the request's own `Host` | `by_default_an_origin_has_to_be_the_host_of_the_request` |
//! | tricks in an origin are parsed as a URI | userinfo, path and backslash are refused | `origin_with_userinfo_path_or_backslash_is_refused` |

use crate::client::{Client, Got, SOCKET, SOCKET_V1, request, status};
use crate::rt::RUNTIME;
use crate::server::Server;
use bennu::CheckOrigin;
use bennu::prelude::*;
use serde_json::json;

/// Broadcasts bytes and goes on.
struct Sender;

impl Channel for Sender {
    type Assigns = ();

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }

    async fn handle_in(&mut self, _: &str, _: Payload, ctx: &Context<Self>) -> Result<Reply, Failure> {
        ctx.broadcast("bytes", Payload::binary(vec![1, 2]));
        Ok(Reply::ok(()))
    }
}

#[tokio::test]
async fn bytes_that_a_channel_broadcasts_crash_nobody_though_a_member_speaks_v1() {
    let socket = bennu::socket(Open).channel::<Sender>("sender:*");
    let server = Server::start(Endpoint::builder().socket("/socket", socket).build(RUNTIME));
    let mut two = Client::connect(server.address).await;
    let mut one = Client::connect_to(server.address, SOCKET_V1).await;
    two.join("sender:a").await;
    one.join("sender:a").await;
    let bytes = Got::Binary(b"\x02\x08\x05sender:abytes\x01\x02".to_vec());

    // Whichever of them has the channel that broadcasts.
    let push = two.push("sender:a", "send", json!({})).await;
    assert_eq!(two.next().await, bytes);
    two.reply(&push).await;
    one.call("sender:a", "send", json!({})).await;

    assert_eq!(two.next().await, bytes);
    two.heartbeat().await;
    one.heartbeat().await;
}

#[tokio::test]
async fn name_longer_than_its_limit_is_refused_and_harms_nobody() {
    let (server, _told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;

    let join = client.send_join(&format!("room:{}", "x".repeat(10_000))).await;
    assert_eq!(client.reply(&join).await, ("error".into(), json!({ "reason": "topic too long" })));
    let push = client.push("room:a", &"x".repeat(10_000), json!({})).await;
    assert_eq!(client.reply(&push).await, ("error".into(), json!({ "reason": "event too long" })));

    client.call("room:a", "count", json!({})).await;
}

#[tokio::test]
async fn malformed_query_is_400() {
    let (server, _told) = Server::rooms();

    for query in ["a=%zz", "a=%f", "%ff=1", "a=%ff"] {
        let target = format!("{SOCKET}&{query}");
        assert_eq!(status(server.address, &request(&target, "")).await, 400, "{query}");
    }
}

#[tokio::test]
async fn malformed_auth_token_is_400() {
    let (server, _told) = Server::rooms_with(|socket| socket.auth_token());
    let offer = |token: &str| format!("sec-websocket-protocol: phoenix, base64url.bearer.phx.{token}\r\n");

    assert_eq!(status(server.address, &request(SOCKET, &offer("dG9rZW4"))).await, 101);
    for token in ["!", "dG9rZW4*", "d", "_w"] {
        assert_eq!(status(server.address, &request(SOCKET, &offer(token))).await, 400, "{token}");
    }
}

async fn status_for(server: &Server, origin: &str) -> u16 {
    status(server.address, &request(SOCKET, &format!("origin: {origin}\r\n"))).await
}

#[tokio::test]
async fn by_default_an_origin_has_to_be_the_host_of_the_request() {
    let (server, _told) = Server::rooms();

    // The request asks for `localhost`.
    for origin in ["http://localhost", "https://localhost", "http://localhost:1234", "http://LOCALHOST"] {
        assert_eq!(status_for(&server, origin).await, 101, "{origin}");
    }
    for origin in ["http://127.0.0.1", "http://evil.example", "http://localhost.evil.example", "null", ""] {
        assert_eq!(status_for(&server, origin).await, 403, "{origin}");
    }
}

#[tokio::test]
async fn origin_with_userinfo_path_or_backslash_is_refused() {
    let (same_host, _told) = Server::rooms();
    let (listed, _told) =
        Server::rooms_with(|socket| socket.check_origin(CheckOrigin::hosts(["//localhost"])));

    for server in [&same_host, &listed] {
        assert_eq!(status_for(server, "http://localhost").await, 101);
        for origin in [
            "http://evil.example@localhost",
            "http://localhost@evil.example",
            "http://localhost/",
            "http://localhost/path",
            "http://localhost\\",
            "http://localhost\\@evil.example",
            "http://evil.example\\@localhost",
            "http://localhost?",
            "http://localhost#",
            "//localhost",
            "localhost",
        ] {
            assert_eq!(status_for(server, origin).await, 403, "{origin}");
        }
    }
}
