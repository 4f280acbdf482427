//! Clients that may lose broadcasts.

use crate::app::text_of;
use crate::client::{Client, Got, Message, until};
use crate::poller::Poller;
use crate::server::Server;
use bennu::prelude::*;
use bennu::{Limits, LongPoll};
use serde_json::json;
use std::cell::RefCell;
use std::fmt;
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// A board: cursors may be lost, strokes may not.
struct Board;

impl Channel for Board {
    type Assigns = ();
    const LOSSY: &'static [(&'static str, SlowConsumer)] = &[("cursor", SlowConsumer::KeepLatest)];

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }

    async fn handle_in(&mut self, event: &str, _: Payload, ctx: &Context<Self>) -> Result<Reply, Failure> {
        match event {
            "lost" => Ok(Reply::ok(json!({ "n": ctx.lost() }))),
            _ => Err(Failure::unknown_event(event)),
        }
    }
}

fn boards(limits: Limits) -> Server {
    let socket = bennu::socket(Open).channel::<Board>("board:*").limits(limits);
    Server::start(Endpoint::builder().socket("/socket", socket).build(bennu_tokio::Tokio))
}

fn limits(policy: SlowConsumer) -> Limits {
    Limits::new().outbox(64 * 1024).slow_consumer(policy)
}

/// A broadcast with a number, of 8 KiB.
fn broadcast(server: &Server, topic: &str, event: &str, n: usize) {
    let payload = json!({ "n": n, "text": "x".repeat(8 * 1024) });
    server.endpoint.broadcast(topic, event, payload).unwrap();
}

async fn receives(reader: &mut Client, topic: &str, event: &str, n: usize) {
    assert_eq!(reader.event(topic, event).await["n"], n);
}

/// All messages up to the one of this event.
async fn until_event(client: &mut Client, event: &str) -> Vec<Message> {
    let mut messages = Vec::new();
    loop {
        let message = client.message().await;
        if message.event == event {
            return messages;
        }
        messages.push(message);
    }
}

/// The numbers of all broadcasts.
fn numbers(messages: &[Message]) -> Vec<u64> {
    messages.iter().filter_map(|message| message.payload["n"].as_u64()).collect()
}

/// The numbers of those of this event.
fn numbers_of(messages: &[Message], event: &str) -> Vec<u64> {
    let of_event = messages.iter().filter(|message| message.event == event);
    of_event.map(|message| message.payload["n"].as_u64().expect("it has a number")).collect()
}

/// Sends 200 broadcasts, of two events in turn, to a client that does not read, and to one beside it that does. In
/// between, the first asks for something. Returns all that it reads then, up to a last broadcast; and how many it has
/// lost.
async fn flood(policy: SlowConsumer) -> (Vec<Message>, u64) {
    let (server, _told) = Server::rooms_with(|socket| socket.limits(limits(policy)));
    let mut stuck = Client::connect_narrow(server.address).await;
    stuck.join("room:a").await;
    let mut reader = Client::connect(server.address).await;
    reader.join("room:a").await;
    let mut question = String::new();
    for n in 0..200 {
        let event = ["even", "odd"][n % 2];
        broadcast(&server, "room:a", event, n);
        receives(&mut reader, "room:a", event, n).await;
        if n == 100 {
            question = stuck.push("room:a", "echo", json!({})).await;
            // By then the other question has been answered, too: it was there first.
            reader.heartbeat().await;
        }
    }
    assert_eq!(server.endpoint.connections(), 2, "nobody is cut off");
    let lost = server.endpoint.lost();

    // It reads first, so that there is room for the last.
    let mut messages = Vec::new();
    while numbers(&messages).len() < 200 - lost as usize {
        messages.push(stuck.message().await);
    }
    server.endpoint.broadcast("room:a", "last", text_of(1)).unwrap();
    messages.extend(until_event(&mut stuck, "last").await);
    assert_eq!(server.endpoint.lost(), lost, "it takes its messages again");
    let replies: Vec<_> = messages.iter().filter(|message| message.event == "phx_reply").collect();
    assert_eq!(replies.iter().map(|reply| &reply.msg_ref).collect::<Vec<_>>(), [&json!(question)]);
    stuck.heartbeat().await;
    (messages, lost)
}

/// The numbers of all broadcasts, which have to be in order.
fn in_order(messages: &[Message]) -> Vec<u64> {
    let numbers = numbers(messages);
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    numbers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuck_reader_that_drops_the_newest_has_all_up_to_a_gap_and_another_loses_nothing() {
    let (messages, lost) = flood(SlowConsumer::DropNewest).await;

    let numbers = in_order(&messages);
    assert_eq!(numbers.len() as u64, 200 - lost);
    assert!(lost > 100, "{lost}");
    let whole = (0..).zip(&numbers).take_while(|(n, number)| n == *number).count();
    assert!(whole >= 8, "{numbers:?}");
    // Behind the gap are those that had room when the kernel took a little more.
    assert!(numbers.len() - whole < 4, "{numbers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuck_reader_that_drops_the_oldest_has_the_newest_and_another_loses_nothing() {
    let (messages, lost) = flood(SlowConsumer::DropOldest).await;

    let numbers = in_order(&messages);
    assert_eq!(numbers.len() as u64, 200 - lost);
    assert!(lost > 100, "{lost}");
    // As many as have room in the outbox, without a gap.
    assert_eq!(numbers[numbers.len() - 6..], [194, 195, 196, 197, 198, 199]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuck_reader_that_keeps_the_latest_has_the_newest_of_each_and_another_loses_nothing() {
    let (messages, lost) = flood(SlowConsumer::KeepLatest).await;

    let numbers = in_order(&messages);
    assert_eq!(numbers.len() as u64, 200 - lost);
    assert!(lost > 100, "{lost}");
    assert_eq!(numbers[numbers.len() - 2..], [198, 199]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_that_keeps_the_latest_is_lost_and_others_of_its_topic_are_not() {
    let server = boards(Limits::new().outbox(64 * 1024));
    let mut stuck = Client::connect_narrow(server.address).await;
    stuck.join("board:a").await;
    let mut reader = Client::connect(server.address).await;
    reader.join("board:a").await;

    for n in 0..300 {
        broadcast(&server, "board:a", "cursor", n);
        receives(&mut reader, "board:a", "cursor", n).await;
        if n % 100 == 50 {
            server.endpoint.broadcast("board:a", "stroke", json!({ "n": n })).unwrap();
            receives(&mut reader, "board:a", "stroke", n).await;
        }
    }
    assert_eq!(server.endpoint.connections(), 2);
    server.endpoint.broadcast("board:a", "last", json!({})).unwrap();

    let messages = until_event(&mut stuck, "last").await;
    assert_eq!(numbers_of(&messages, "stroke"), [50, 150, 250]);
    let cursors = numbers_of(&messages, "cursor");
    assert_eq!(cursors.last(), Some(&299));
    in_order(&messages);
    let lost = 300 - cursors.len();
    assert_eq!(stuck.call("board:a", "lost", json!({})).await["n"], lost);
    assert_eq!(server.endpoint.lost(), lost as u64);
    reader.event("board:a", "last").await;
    assert_eq!(reader.call("board:a", "lost", json!({})).await["n"], 0);
}

#[tokio::test]
async fn what_may_be_lost_is_not_merged_with_what_may_not() {
    let server = boards(Limits::new().outbox(64 * 1024));
    let mut stuck = Client::connect_narrow(server.address).await;
    stuck.join("board:a").await;
    let mut reader = Client::connect(server.address).await;
    reader.join("board:a").await;

    for round in 0..10 {
        // All in one batch, in which broadcasts to the same members are merged.
        for n in 24 * round..24 * (round + 1) {
            match n % 24 {
                0..2 => server.endpoint.broadcast("board:a", "stroke", json!({ "n": n })).unwrap(),
                _ => broadcast(&server, "board:a", "cursor", n),
            }
        }
        for n in 24 * round..24 * (round + 1) {
            receives(&mut reader, "board:a", if n % 24 < 2 { "stroke" } else { "cursor" }, n).await;
        }
    }

    assert_eq!(server.endpoint.connections(), 2);
    assert!(server.endpoint.lost() > 0);
    server.endpoint.broadcast("board:a", "last", json!({})).unwrap();
    let messages = until_event(&mut stuck, "last").await;
    let strokes: Vec<u64> = (0..10).flat_map(|round| [24 * round, 24 * round + 1]).collect();
    assert_eq!(numbers_of(&messages, "stroke"), strokes);
    in_order(&messages);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_lost_cuts_off_whoever_does_not_take_it() {
    let server = boards(Limits::new().outbox(64 * 1024));
    let mut stuck = Client::connect_narrow(server.address).await;
    stuck.join("board:a").await;

    for n in 0..100 {
        broadcast(&server, "board:a", "stroke", n);
    }

    until("the stuck reader to be cut off", || server.endpoint.connections() == 0).await;
    let end = loop {
        match stuck.next().await {
            Got::Message(_) => {}
            end => break end,
        }
    };
    assert!(matches!(end, Got::Closed(Some(1013)) | Got::Ended), "{end:?}");
    assert_eq!(server.endpoint.lost(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_are_not_lost_whatever_the_policy_and_too_many_of_them_cut_off() {
    for policy in [SlowConsumer::DropNewest, SlowConsumer::DropOldest, SlowConsumer::KeepLatest] {
        let (server, mut told) = Server::rooms_with(|socket| socket.limits(limits(policy)));
        let mut stuck = Client::connect_narrow(server.address).await;
        stuck.join("room:a").await;

        // What the kernel takes, and more.
        stuck.push("room:a", "push_much", json!({ "times": 100, "bytes": 8 * 1024 })).await;
        stuck.push("room:a", "push_much", json!({ "times": 100, "bytes": 8 * 1024 })).await;

        assert!(told.next().await.starts_with("terminate Closed"));
        assert_eq!(server.endpoint.lost(), 0);
    }
}

/// As many as the kernel does not take, and their outbox does.
fn some(server: &Server) -> usize {
    for n in 0..60 {
        broadcast(server, "room:a", "event", n);
    }
    60
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broadcasts_that_wait_too_long_are_dropped_and_whoever_does_not_take_them_stays() {
    let limits = Limits::new().slow_consumer(SlowConsumer::DropOldest).outbox_age(Duration::from_millis(200));
    let (server, _told) = Server::rooms_with(|socket| socket.limits(limits));
    let mut stuck = Client::connect_narrow(server.address).await;
    stuck.join("room:a").await;

    let sent = some(&server);
    until("the oldest to be dropped", || server.endpoint.lost() > 0).await;

    assert_eq!(server.endpoint.connections(), 1);
    let lost = server.endpoint.lost() as usize;
    server.endpoint.broadcast("room:a", "last", json!({})).unwrap();
    let messages = until_event(&mut stuck, "last").await;
    assert_eq!(messages.len(), sent - lost);
    in_order(&messages);
    stuck.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reader_that_may_lose_broadcasts_and_takes_nothing_of_an_answer_is_cut_off_for_its_age() {
    let limits = Limits::new().slow_consumer(SlowConsumer::DropOldest).outbox_age(Duration::from_millis(200));
    let (server, _told) = Server::rooms_with(|socket| socket.limits(limits));
    let mut stuck = Client::connect_narrow(server.address).await;
    stuck.join("room:a").await;

    some(&server);
    stuck.send_heartbeat().await;

    until("the stuck reader to be cut off", || server.endpoint.connections() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flooding_publisher_is_answered_though_it_takes_nothing_of_what_it_publishes() {
    let limits = Limits::new().outbox(64 * 1024).slow_consumer(SlowConsumer::DropOldest);
    let (server, _told) = Server::rooms_with(|socket| socket.limits(limits));
    let mut client = Client::connect_narrow(server.address).await;
    client.join("room:a").await;
    let mut refs = Vec::new();
    for n in 0..200 {
        refs.push(json!(
            client.push("room:a", "shout", json!({ "n": n, "text": "x".repeat(8 * 1024) })).await
        ));
    }

    let mut replies = Vec::new();
    while replies.len() < refs.len() {
        let message = client.message().await;
        if message.event == "phx_reply" {
            replies.push(message.msg_ref);
        }
    }
    assert_eq!(replies, refs);
    assert!(server.endpoint.lost() > 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_by_several_sockets_of_which_some_may_lose_get_all_in_order_if_they_read() {
    let socket = |limits| bennu::socket(Open).channel::<Board>("board:*").limits(limits);
    let builder = Endpoint::builder()
        .socket("/socket", socket(Limits::new()))
        .socket("/lossy", socket(limits(SlowConsumer::DropOldest)));
    let server = Server::start(builder.build(bennu_tokio::Tokio));
    let mut clients = Vec::new();
    for target in ["/socket", "/lossy", "/socket", "/lossy"] {
        let target = format!("{target}/websocket?vsn=2.0.0");
        let mut client = Client::connect_to(server.address, &target).await;
        client.join("board:a").await;
        clients.push(client);
    }

    for n in 0..100 {
        for event in ["stroke", "cursor"] {
            server.endpoint.broadcast("board:a", event, json!({ "n": n })).unwrap();
        }
    }

    for client in &mut clients {
        for n in 0..100 {
            receives(client, "board:a", "stroke", n).await;
            receives(client, "board:a", "cursor", n).await;
        }
        client.heartbeat().await;
    }
    assert_eq!(server.endpoint.lost(), 0);
}

#[tokio::test]
async fn client_that_does_not_poll_has_the_newest_and_its_session_goes_on() {
    let limits = limits(SlowConsumer::DropOldest);
    let (server, _told) = Server::rooms_with(|socket| socket.longpoll(LongPoll::new()).limits(limits));
    let mut poller = Poller::joined(&server.endpoint, "room:a").await;

    for n in 0..100 {
        broadcast(&server, "room:a", "event", n);
    }
    until("the oldest to be dropped", || server.endpoint.lost() > 0).await;

    // The first of all, which is the next to be sent, and as many of the newest as there is room for.
    let lost = server.endpoint.lost();
    assert_eq!(poller.next().await.payload["n"], 0);
    for n in lost + 1..100 {
        assert_eq!(poller.next().await.payload["n"], n);
    }
    poller.heartbeat().await;
}

thread_local! {
    /// What connections that have ended on this thread are said to have lost.
    static LOST: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Notes it. The subscriber of the whole process: whether one of a thread is asked, other threads have a say in.
struct Log;

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Self);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Visit for Log {
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "lost" {
            LOST.with_borrow_mut(|lost| lost.push(value));
        }
    }
}

#[tokio::test]
async fn what_a_client_has_lost_is_logged_once_when_it_ends() {
    tracing::subscriber::set_global_default(Log).unwrap();
    let (server, _told) = Server::rooms_with(|socket| socket.limits(limits(SlowConsumer::DropOldest)));
    let mut stuck = Client::connect_narrow(server.address).await;
    stuck.join("room:a").await;
    let mut reader = Client::connect(server.address).await;
    reader.join("room:a").await;
    for n in 0..100 {
        broadcast(&server, "room:a", "event", n);
        receives(&mut reader, "room:a", "event", n).await;
    }
    assert!(LOST.take().is_empty());

    drop((stuck, reader));
    until("the connections to be forgotten", || server.endpoint.connections() == 0).await;

    assert_eq!(LOST.take(), [server.endpoint.lost()]);
}
