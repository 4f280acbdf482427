//! What a node counts, over real sockets.

use crate::app::text_of;
use crate::client::{Client, SOCKET, SOCKET_V1, request, status, until};
use crate::poller::{LONGPOLL, Poller, call, get};
use crate::recorder::Recorder;
use crate::rt::RUNTIME;
use crate::server::Server;
use bennu::prelude::*;
use bennu::{LongPoll, Payload};
use http::HeaderValue;
use metrics::Unit;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

fn counted() -> (Recorder, Server, crate::app::Told) {
    Recorder::of_rooms(Endpoint::builder(), |socket| socket.longpoll(LongPoll::new()))
}

/// Waits until a counter has come so far; it must not go on.
async fn counts(recorder: &Recorder, name: &str, count: u64) {
    until(name, || recorder.counter(name) >= count).await;
    assert_eq!(recorder.counter(name), count, "{name}");
}

async fn stands_at(recorder: &Recorder, name: &str, value: f64) {
    until(name, || (recorder.gauge(name) - value).abs() < 0.5).await;
}

#[tokio::test]
async fn connections_channels_and_topics_stand_at_what_there_is() {
    let (recorder, server, _told) = counted();
    let mut ann = Client::connect(server.address).await;
    let mut bob = Client::connect(server.address).await;
    ann.join("room:a").await;
    ann.join("room:b").await;
    bob.join("room:a").await;
    let poller = Poller::joined(&server.endpoint, "room:a").await;

    stands_at(&recorder, "bennu_connections{transport=websocket}", 2.0).await;
    stands_at(&recorder, "bennu_connections{transport=longpoll}", 1.0).await;
    stands_at(&recorder, "bennu_connections{transport=carried}", 0.0).await;
    stands_at(&recorder, "bennu_channels", 4.0).await;
    let leave = ann.push("room:b", "phx_leave", json!({})).await;
    ann.reply(&leave).await;
    stands_at(&recorder, "bennu_channels", 3.0).await;
    assert!(recorder.gauge("bennu_topics") >= 1.0);

    drop((ann, bob));
    stands_at(&recorder, "bennu_connections{transport=websocket}", 0.0).await;
    stands_at(&recorder, "bennu_channels", 1.0).await;
    server.endpoint.drain().await;
    stands_at(&recorder, "bennu_connections{transport=longpoll}", 0.0).await;
    stands_at(&recorder, "bennu_channels", 0.0).await;
    stands_at(&recorder, "bennu_topics", 0.0).await;
    counts(&recorder, "bennu_drained_total", 1).await;
    drop(poller);
}

/// Who may connect depends on what they say.
struct Choosy;

impl Socket for Choosy {
    type Assigns = ();

    async fn connect(&self, params: Params, _: &ConnectInfo) -> Result<(), Refused> {
        match params.str("say") {
            Some("please") => Ok(()),
            Some("panic") => panic!("as asked"),
            _ => Err(Refused::forbidden()),
        }
    }
}

#[tokio::test]
async fn who_asks_to_connect_is_counted_by_what_becomes_of_it() {
    let recorder = Recorder::default();
    let endpoint = recorder.during(|| {
        let socket = bennu::socket(Choosy).longpoll(LongPoll::new());
        Endpoint::builder().socket("/socket", socket).build(RUNTIME)
    });
    let server = Server::start(endpoint);
    let asked = |what: &str, headers: &str| request(&format!("{SOCKET}&{what}"), headers);

    assert_eq!(status(server.address, &asked("say=please", "")).await, 101);
    assert_eq!(status(server.address, &asked("say=nothing", "")).await, 403);
    assert_eq!(status(server.address, &asked("say=panic", "")).await, 500);
    assert_eq!(status(server.address, &asked("say=please", "origin: http://evil.test\r\n")).await, 403);
    assert_eq!(status(server.address, &request("/socket/websocket?vsn=9.0.0", "")).await, 403);
    for what in ["say=please", "say=nothing"] {
        call(&server.endpoint, get(&format!("{LONGPOLL}&{what}"))).await;
    }
    let mut foreign = get(&format!("{LONGPOLL}&say=please"));
    foreign.headers_mut().insert("origin", HeaderValue::from_static("http://evil.test"));
    call(&server.endpoint, foreign).await;

    for (result, count) in [("ok", 2), ("refused", 2), ("failed", 1), ("door", 3)] {
        counts(&recorder, &format!("bennu_connects_total{{result={result}}}"), count).await;
    }
}

/// Refuses what is not to be joined.
struct Gate;

impl Channel for Gate {
    type Assigns = ();

    async fn join(_: &str, _: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        match ctx.subtopic() {
            "shut" => Err(Failure::reason("shut")),
            "broken" => panic!("as asked"),
            _ => Ok(Joined::new(Self)),
        }
    }

    async fn handle_in(&mut self, event: &str, _: Payload, _: &Context<Self>) -> Result<Reply, Failure> {
        match event {
            "crash" => Err(Failure::crash("as asked")),
            _ => Ok(Reply::ok(())),
        }
    }
}

fn gates() -> (Recorder, Server) {
    let recorder = Recorder::default();
    let socket = bennu::socket(Open).channel::<Gate>("gate:*").longpoll(LongPoll::new());
    let endpoint = recorder.during(|| Endpoint::builder().shards(1).socket("/socket", socket).build(RUNTIME));
    (recorder, Server::start(endpoint))
}

#[tokio::test]
async fn joins_and_handlers_are_counted_by_what_becomes_of_them() {
    let (recorder, server) = gates();
    let mut client = Client::connect(server.address).await;
    for topic in ["gate:open", "gate:shut", "gate:shut", "gate:broken", "nowhere"] {
        let join = client.send_join(topic).await;
        client.reply(&join).await;
    }
    client.call("gate:open", "echo", json!({})).await;
    client.push("gate:open", "crash", json!({})).await;
    client.event("gate:open", "phx_error").await;

    for (result, count) in [("ok", 1), ("error", 2), ("crash", 1)] {
        counts(&recorder, &format!("bennu_joins_total{{result={result}}}"), count).await;
    }
    for (handler, count) in [("join", 1), ("handle_in", 1), ("handle_info", 0), ("terminate", 0)] {
        counts(&recorder, &format!("bennu_crashes_total{{handler={handler}}}"), count).await;
    }
    // The first info of a channel is its `after_join`.
    for (handler, count) in [("join", 4), ("handle_in", 2), ("handle_info", 1), ("terminate", 1)] {
        let took = recorder.histogram(&format!("bennu_handler_seconds{{handler={handler}}}"));
        assert_eq!(took.len(), count, "{handler}");
        assert!(took.iter().all(|took| (0.0..1.0).contains(took)), "{took:?}");
    }
}

#[tokio::test]
async fn time_that_a_handler_waits_is_counted() {
    let (recorder, server, mut told) = counted();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    let wait = client.push("room:a", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");
    assert!(recorder.histogram("bennu_handler_seconds{handler=handle_in}").is_empty());

    // Time that passes while it waits, whatever else is done in it.
    let start = std::time::Instant::now();
    tokio::time::sleep(Duration::from_millis(50)).await;
    told.let_pass(1);
    client.reply(&wait).await;

    let took = recorder.histogram("bennu_handler_seconds{handler=handle_in}");
    assert!(
        matches!(took[..], [took] if (0.05..=start.elapsed().as_secs_f64() + 0.1).contains(&took)),
        "{took:?}"
    );
}

#[tokio::test]
async fn messages_and_bytes_are_counted_both_ways() {
    let (recorder, server) = gates();
    let mut client = Client::connect(server.address).await;
    let read = recorder.counter("bennu_received_bytes_total");
    client.join("gate:a").await;
    let (push, _) = client.pushed("gate:a", "echo", json!({}));
    client.raw(&push.repeat(10)).await;
    for _ in 0..10 {
        client.message().await;
    }

    // The join and ten pushes, and as many replies: `[join_ref, ref, topic, "phx_reply", …]`.
    counts(&recorder, "bennu_messages_total{direction=in}", 11).await;
    counts(&recorder, "bennu_messages_total{direction=out}", 11).await;
    let read = recorder.counter("bennu_received_bytes_total") - read;
    assert!(read > 10 * push.len() as u64 && read < 11 * push.len() as u64 + 100, "{read}");
    let reply = br#"["1","2","gate:a","phx_reply",{"response":{},"status":"ok"}]"#.len() as u64 + 2;
    let written = || recorder.counter("bennu_sent_bytes_total");
    until("what was written to be counted", || written() >= 11 * reply).await;
    assert_eq!(written(), 11 * reply);
}

#[tokio::test]
async fn broadcast_is_counted_once_and_each_of_its_recipients() {
    let (recorder, server) = gates();
    let mut members = Vec::new();
    for _ in 0..20 {
        let mut client = Client::connect(server.address).await;
        client.join("gate:a").await;
        members.push(client);
    }
    Poller::joined(&server.endpoint, "gate:a").await;
    // The replies to the joins.
    let out = 21;
    counts(&recorder, "bennu_messages_total{direction=out}", out).await;
    let written = recorder.counter("bennu_sent_bytes_total");

    // Some are queued one by one, the others in a run.
    for n in 0..50 {
        server.endpoint.broadcast("gate:a", "news", json!({ "n": n })).unwrap();
    }
    for client in &mut members {
        for n in 0..50 {
            assert_eq!(client.event("gate:a", "news").await, json!({ "n": n }));
        }
    }

    counts(&recorder, "bennu_broadcasts_total", 50).await;
    counts(&recorder, "bennu_deliveries_total", 50 * 21).await;
    counts(&recorder, "bennu_messages_total{direction=out}", out + 50 * 21).await;
    counts(&recorder, "bennu_dropped_total{what=binary}", 0).await;
    let frame = |n: u32| format!(r#"[null,null,"gate:a","news",{{"n":{n}}}]"#).len() as u64 + 2;
    let all: u64 = 20 * (0..50).map(frame).sum::<u64>();
    until("what was written to be counted", || recorder.counter("bennu_sent_bytes_total") >= written + all)
        .await;
    assert_eq!(recorder.counter("bennu_sent_bytes_total"), written + all);
}

#[tokio::test]
async fn member_that_cannot_have_bytes_is_counted_as_skipped() {
    let (recorder, server) = gates();
    let mut two = Client::connect(server.address).await;
    let mut one = Client::connect_to(server.address, SOCKET_V1).await;
    two.join("gate:a").await;
    one.join("gate:a").await;
    let mut poller = Poller::joined(&server.endpoint, "gate:a").await;

    for _ in 0..5 {
        server.endpoint.broadcast("gate:a", "bytes", Payload::binary(vec![1, 2, 3])).unwrap();
    }
    for _ in 0..5 {
        two.next().await;
    }
    poller.heartbeat().await;

    counts(&recorder, "bennu_dropped_total{what=binary}", 10).await;
    until("deliveries", || recorder.counter("bennu_deliveries_total") >= 5).await;
}

#[tokio::test]
async fn queues_are_told_when_they_are_sampled() {
    let (recorder, server, mut told) = counted();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    client.push("room:a", "wait", json!({})).await;
    assert_eq!(told.next().await, "handler waits");
    client.push("room:a", "count", json!({})).await;
    client.push("room:a", "count", json!({})).await;
    client.heartbeat().await;
    let _poller = Poller::joined(&server.endpoint, "room:b").await;
    server.endpoint.broadcast("room:b", "much", text_of(1000)).unwrap();

    until("the broadcast to wait", || {
        server.endpoint.sample_queues();
        recorder.gauge("bennu_outbox_bytes") > 1000.0
    })
    .await;

    assert_eq!(recorder.gauge("bennu_outbox_frames"), 1.0);
    assert_eq!(recorder.gauge("bennu_outbox_largest_bytes"), recorder.gauge("bennu_outbox_bytes"));
    assert_eq!(recorder.gauge("bennu_mailbox_messages"), 2.0);
    told.let_pass(1);
}

#[tokio::test]
async fn two_nodes_of_one_process_tell_the_same_recorder_together() {
    let recorder = Recorder::default();
    let build = || Endpoint::builder().socket("/socket", bennu::socket(Open)).build(RUNTIME);
    let servers = recorder.during(|| [build(), build()]).map(Server::start);

    let clients = [Client::connect(servers[0].address).await, Client::connect(servers[1].address).await];

    stands_at(&recorder, "bennu_connections{transport=websocket}", 2.0).await;
    drop(clients);
    stands_at(&recorder, "bennu_connections{transport=websocket}", 0.0).await;
}

#[tokio::test]
async fn all_of_them_are_there_from_the_start_and_in_the_table_of_the_docs() {
    let (recorder, _server) = gates();
    let docs = include_str!("../../../bennu/src/docs/metrics.md");

    for (name, unit) in recorder.names() {
        let row = docs.lines().find(|line| line.starts_with(&format!("| `{name}")));
        let row = row.unwrap_or_else(|| panic!("{name} is not in the table"));
        let unit = match unit.expect("each has a unit") {
            Unit::Bytes => "bytes",
            Unit::Seconds => "seconds",
            _ => "",
        };
        assert_eq!(row.split('|').nth(3).map(str::trim), Some(unit), "{row}");
    }
    for row in docs.lines().filter_map(|line| line.strip_prefix("| `bennu_")) {
        let name = format!("bennu_{}", row.split(['`', '{']).next().unwrap());
        assert!(recorder.names().contains_key(&name), "{name} is in the table and nowhere else");
    }
}

#[tokio::test]
async fn every_value_of_a_label_is_in_the_tables_of_the_docs_and_no_other() {
    let (recorder, _server) = gates();
    let docs = include_str!("../../../bennu/src/docs/metrics.md");
    let (table, behind) = docs.split_once("# Limits").unwrap();
    let (limits, _) = behind.split_once("# What waits").unwrap();
    let labels = recorder.labels();
    let values = |label: &str| -> BTreeSet<String> {
        labels.iter().filter(|[_, of, _]| of == label).map(|[.., value]| value.clone()).collect()
    };

    let rows = limits.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: BTreeSet<_> = rows.filter(|name| *name != "limit").map(str::to_owned).collect();
    assert_eq!(documented, values("limit"));

    for label in ["transport", "result", "direction", "what", "handler"] {
        let cells = table.lines().filter_map(|line| line.split('|').nth(4)).map(str::trim);
        let cells = cells.filter(|cell| cell.starts_with(&format!("`{label}`")));
        let documented: BTreeSet<_> =
            cells.flat_map(|cell| cell.split('`').skip(3).step_by(2)).map(str::to_owned).collect();
        assert_eq!(documented, values(label), "{label}");
    }
}
