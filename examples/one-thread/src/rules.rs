//! What every loop has to keep, played with the loop and its clients in one thread.
//!
//! A loop implements [`Loop`] in its tests, and has [`rules!`](crate::rules!) make a test of each rule.

#![expect(clippy::unwrap_used, reason = "these are the bodies of tests")]

mod world;

use crate::node::{From, Node};
use crate::peer::HANDSHAKE;
use crate::service::Service;
use bennu_core::Instant;
use bennu_core::server::Broadcast;
use bennu_core::websocket::Output;
use bennu_core::{Frame, Kind, Payload};
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::time::Duration;
use world::{Client, UPGRADE, World};

/// A loop that takes turns.
pub trait Loop: Sized {
    /// Serves whoever comes to this listener.
    ///
    /// # Errors
    /// Those of the system.
    fn new(listener: TcpListener) -> io::Result<Self>;

    /// Waits so long for something to do, `None` for ever, and does it.
    ///
    /// # Errors
    /// Those of the system.
    fn turn(&mut self, wait: Option<Duration>) -> io::Result<()>;

    /// What it serves.
    fn service(&mut self) -> &mut Service;

    /// Ends in good order when there is something to be read from this.
    ///
    /// # Errors
    /// Those of the system.
    #[cfg(unix)]
    fn wait_for_end(&mut self, signal: std::os::unix::net::UnixStream) -> io::Result<()>;
}

/// Makes a test of each rule, for one loop.
#[macro_export]
macro_rules! rules {
    ($event_loop:ty: $($rule:ident)*) => {$(
        #[test]
        fn $rule() {
            $crate::rules::$rule::<$event_loop>();
        }
    )*};
    ($event_loop:ty) => {
        $crate::rules!($event_loop:
            who_does_not_ask_for_anything_is_let_go
            who_is_refused_is_told_why_also_if_it_has_ended_its_side
            who_goes_without_a_word_leaves_its_place_to_others
            who_goes_while_it_is_held_leaves_its_place_too
            who_is_held_is_not_read_from
            who_says_farewell_has_its_stream_ended
            bytes_may_come_in_whatever_pieces
            input_waits_while_too_much_of_it_waits_for_a_handler
            broadcasts_are_merged_and_what_else_a_member_is_sent_keeps_its_place
            who_keeps_a_handler_busy_for_too_long_is_told_and_others_of_its_channels_go_on
            who_does_not_read_is_cut_off_and_others_lose_nothing
            who_takes_nothing_for_ten_seconds_is_cut_off_however_little_it_is
            who_asks_for_much_and_reads_late_has_all_of_it
            who_is_answered_with_more_than_the_limit_is_not_cut_off_for_it
            who_is_answered_late_with_more_than_the_limit_is_not_cut_off_for_it_either
            who_does_not_answer_a_farewell_is_let_go_in_five_seconds
        );
        #[cfg(unix)]
        $crate::rules!($event_loop:
            at_the_end_everybody_is_told_that_the_server_restarts
            who_comes_at_the_end_is_refused
        );
    };
}

fn reply(msg_ref: usize, response: &str) -> String {
    format!(r#"["1","{msg_ref}","room:a","phx_reply",{{"response":{response},"status":"ok"}}]"#)
}

/// Who does not ask for anything is let go.
pub fn who_does_not_ask_for_anything_is_let_go<L: Loop>() {
    let mut world = World::<L>::new();
    let silent = world.connect();
    world.until(|world| world.peers() == 1);

    world.pass(HANDSHAKE);

    world.until(|world| world.clients[silent].has_ended);
    assert_eq!(world.peers(), 0);
}

/// Who is refused is told why also if it has ended its side.
pub fn who_is_refused_is_told_why_also_if_it_has_ended_its_side<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.connect();
    let stream = &mut world.clients[client].stream;
    stream.write_all(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();

    world.until(|world| world.clients[client].has_ended);

    assert!(world.clients[client].answer.starts_with(b"HTTP/1.1 404 "));
}

/// Who goes without a word leaves its place to others.
pub fn who_goes_without_a_word_leaves_its_place_to_others<L: Loop>() {
    let mut world = World::<L>::new();
    let stays = world.join("room:a");
    for n in 0..50 {
        let goes = world.join("room:a");
        world.say(goes, r#"["1","2","room:a","echo",{}]"#);
        let client = &mut world.clients[goes];
        // Even ones are seen to end, odd ones to be reset: they have not read what was sent to them.
        if n % 2 == 0 {
            client.turn();
        }
        world.clients.pop();
    }

    world.until(|world| world.peers() == 1);
    world.say(stays, r#"["1","2","room:a","echo",{"n":1}]"#);
    world.until(|world| !world.clients[stays].heard.is_empty());
    assert_eq!(world.clients[stays].heard, [reply(2, r#"{"n":1}"#)]);
}

/// Who goes while it is held leaves its place, too.
pub fn who_goes_while_it_is_held_leaves_its_place_too<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.join("room:a");
    world.clients[client].reads = false;
    let filler = "x".repeat(50_000);
    for n in 0..200 {
        world.say(client, &format!(r#"["1","{n}","room:a","echo",{{"x":"{filler}"}}]"#));
    }
    world.until(|world| world.node().peers.iter().all(|(_, peer)| peer.held && peer.is_stuck()));

    world.stop_time();
    world.clients.pop();

    world.until(|world| world.peers() == 0);
}

/// Who is held is not read from.
pub fn who_is_held_is_not_read_from<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.join("room:a");
    world.say(client, r#"["1","2","room:a","sleep",{"ms":60000}]"#);
    let filler = "x".repeat(50_000);
    // Twenty megabytes: more than the system takes.
    for n in 0..400 {
        world.say(client, &format!(r#"["1","{n}","room:a","echo",{{"x":"{filler}"}}]"#));
    }
    world.until(|world| world.node().peers.iter().all(|(_, peer)| peer.held));

    for _ in 0..100 {
        world.clients[client].turn();
        world.event_loop.turn(Some(Duration::ZERO)).unwrap();
    }

    assert!(!world.clients[client].out.is_empty());
    assert!(world.node().peers.iter().all(|(_, peer)| peer.input.len() < 1 << 20));
}

/// Who says farewell has its stream ended.
pub fn who_says_farewell_has_its_stream_ended<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.join("room:a");
    let Client { connection, out, .. } = &mut world.clients[client];
    connection.close(1000, "", Instant::EPOCH);
    while let Some(output) = connection.poll_output() {
        if let Output::Send(frame) = output {
            out.extend_from_slice(frame.as_bytes());
        }
    }

    world.until(|world| world.clients[client].has_ended && world.peers() == 0);
}

/// Bytes may come in whatever pieces.
pub fn bytes_may_come_in_whatever_pieces<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.connect();
    let Client { connection, out, .. } = &mut world.clients[client];
    out.extend_from_slice(UPGRADE);
    connection.encode(Kind::Text, br#"["1","1","room:a","phx_join",{}]"#, out);
    connection.encode(Kind::Text, br#"["1","2","room:a","echo",{"n":1}]"#, out);

    for byte in std::mem::take(out) {
        world.clients[client].out.push(byte);
        world.until(|world| world.clients[client].out.is_empty());
    }

    world.until(|world| world.clients[client].heard.len() == 2);
    assert_eq!(world.clients[client].heard, [reply(1, "{}"), reply(2, r#"{"n":1}"#)]);
}

/// Input waits while too much of it waits for a handler.
pub fn input_waits_while_too_much_of_it_waits_for_a_handler<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.join("room:a");
    world.say(client, r#"["1","2","room:a","sleep",{"ms":5000}]"#);
    for n in 3..3000 {
        world.say(client, &format!(r#"["1","{n}","room:a","echo",{{}}]"#));
    }
    world.until(|world| world.node().peers.iter().all(|(_, peer)| peer.held));
    assert_eq!(world.clients[client].heard, [""; 0]);

    world.pass(Duration::from_secs(5));

    world.until(|world| world.clients[client].heard.len() == 2998);
    let echoes = (3..3000).map(|n| reply(n, "{}"));
    let expected: Vec<_> = std::iter::once(reply(2, r#"{"slept":5000}"#)).chain(echoes).collect();
    assert_eq!(world.clients[client].heard, expected);
}

/// Broadcasts are merged and what else a member is sent keeps its place.
pub fn broadcasts_are_merged_and_what_else_a_member_is_sent_keeps_its_place<L: Loop>() {
    let mut world = World::<L>::new();
    let (ann, bob) = (world.join("room:a"), world.join("room:a"));
    let node = world.node();
    let sockets = node.server.socket_ids();
    let places = [ann, bob].map(|client| *node.server.handle(sockets[client]).unwrap());
    let broadcast = |node: &mut Node, n: usize| {
        let payload = Payload::json(&n_is(n)).unwrap();
        node.broadcast(Broadcast::new("room:a".into(), "msg", payload).unwrap(), From::Nobody);
    };

    (1..4).for_each(|n| broadcast(node, n));
    assert!(places.iter().all(|&place| node.peers[place].outbox.ends_open()));
    node.server.reply(sockets[ann], Frame::new(Kind::Text, b"between")).unwrap();
    node.drain();
    assert!(places.iter().all(|&place| !node.peers[place].outbox.ends_open()));
    (4..50).for_each(|n| broadcast(node, n));
    assert!(places.iter().all(|&place| node.peers[place].outbox.ends_open()));

    world.until(|world| world.clients.iter().all(|client| client.heard.len() >= 49));
    let message = |n: usize| format!(r#"[null,null,"room:a","msg",{}]"#, n_is(n));
    let (before, after) = ((1..4).map(message), (4..50).map(message));
    let all: Vec<_> = before.clone().chain(after.clone()).collect();
    assert_eq!(world.clients[bob].heard, all);
    world.until(|world| world.clients[ann].heard.len() == 50);
    let all: Vec<_> = before.chain(["between".to_owned()]).chain(after).collect();
    assert_eq!(world.clients[ann].heard, all);
}

fn n_is(n: usize) -> serde_json::Value {
    serde_json::json!({ "n": n })
}

/// Who keeps a handler busy for too long is told and others of its channels go on.
pub fn who_keeps_a_handler_busy_for_too_long_is_told_and_others_of_its_channels_go_on<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.join("room:a");
    world.say(client, r#"["1","2","room:a","sleep",{"ms":60000}]"#);
    for n in 3..3000 {
        world.say(client, &format!(r#"["1","{n}","room:a","echo",{{}}]"#));
    }
    world.say(client, r#"[null,"3000","phoenix","heartbeat",{}]"#);
    world.until(|world| world.node().peers.iter().all(|(_, peer)| peer.held));

    world.pass(Duration::from_secs(10));

    world.until(|world| world.clients[client].heard.iter().any(|text| text.contains("3000")));
    assert!(world.clients[client].heard[0].contains("phx_error"));
}

/// Who does not read is cut off and others lose nothing.
pub fn who_does_not_read_is_cut_off_and_others_lose_nothing<L: Loop>() {
    let mut world = World::<L>::new();
    let (stuck, reader) = (world.join("bench:a"), world.join("bench:a"));
    world.clients[stuck].reads = false;
    let filler = "x".repeat(50_000);
    let mut sent = 0;

    // The system takes some megabytes for a client that does not read, and the outbox one.
    while world.peers() == 2 {
        world.say(reader, &format!(r#"["1","2","bench:a","broadcast",{{"n":{sent},"x":"{filler}"}}]"#));
        sent += 1;
        world.until(|world| world.clients[reader].heard.len() == sent);
        assert!(sent < 1000, "it is never cut off");
    }

    let number = |text: &String| text.split("\"n\":").nth(1)?.split(',').next()?.parse().ok();
    let heard: Vec<Option<usize>> = world.clients[reader].heard.iter().map(number).collect();
    assert_eq!(heard, (0..sent).map(Some).collect::<Vec<_>>());
    world.clients[stuck].reads = true;
    world.until(|world| world.clients[stuck].has_ended);
    assert!(world.clients[stuck].was_reset);
}

/// Who takes nothing for ten seconds is cut off however little it is.
pub fn who_takes_nothing_for_ten_seconds_is_cut_off_however_little_it_is<L: Loop>() {
    let mut world = World::<L>::new();
    let (stuck, reader) = (world.join("bench:a"), world.join("bench:a"));
    world.clients[stuck].reads = false;
    let filler = "x".repeat(50_000);
    while !world.node().peers.iter().any(|(_, peer)| peer.is_stuck()) {
        world.say(reader, &format!(r#"["1","2","bench:a","broadcast",{{"x":"{filler}"}}]"#));
        let heard = world.clients[reader].heard.len();
        world.until(|world| world.clients[reader].heard.len() > heard);
    }

    world.pass(Duration::from_secs(10));

    world.until(|world| world.peers() == 1);
    assert!(!world.clients[reader].has_ended);
}

/// Who asks for much and reads late has all of it.
pub fn who_asks_for_much_and_reads_late_has_all_of_it<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.join("room:a");
    world.clients[client].reads = false;
    let filler = "x".repeat(50_000);
    for n in 0..200 {
        world.say(client, &format!(r#"["1","{n}","room:a","echo",{{"x":"{filler}"}}]"#));
    }
    // Ten megabytes: more than the system and the outbox take together.
    world.until(|world| world.node().peers.iter().all(|(_, peer)| peer.held));

    world.clients[client].reads = true;

    world.until(|world| world.clients[client].heard.len() == 200);
    let response = format!(r#"{{"x":"{filler}"}}"#);
    let expected: Vec<_> = (0..200).map(|n| reply(n, &response)).collect();
    assert!(world.clients[client].heard == expected);
    assert_eq!(world.peers(), 1);
}

/// Who is answered with more than the limit is not cut off for it.
pub fn who_is_answered_with_more_than_the_limit_is_not_cut_off_for_it<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.join("room:a");
    world.clients[client].reads = false;
    world.say(client, r#"["1","2","room:a","push_many",{"event":"one_of_many","count":150000}]"#);
    world.until(|world| world.node().peers.iter().all(|(_, peer)| peer.is_stuck()));

    world.pass(Duration::from_secs(2));
    for _ in 0..3 {
        world.event_loop.turn(Some(Duration::ZERO)).unwrap();
    }
    world.clients[client].reads = true;

    world.until(|world| world.clients[client].heard.len() == 150_001);
    assert_eq!(world.clients[client].heard.last(), Some(&reply(2, r#"{"count":150000}"#)));
}

/// Who is answered late with more than the limit is not cut off for it either.
pub fn who_is_answered_late_with_more_than_the_limit_is_not_cut_off_for_it_either<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.join("room:a");
    world.clients[client].reads = false;
    world.say(client, r#"["1","2","room:a","sleep",{"ms":1000}]"#);
    world.say(client, r#"["1","3","room:a","push_many",{"event":"one_of_many","count":150000}]"#);
    world.until(|world| world.clients[client].out.is_empty());
    world.pass(Duration::from_secs(1));
    world.until(|world| world.node().peers.iter().all(|(_, peer)| peer.is_stuck()));

    world.pass(Duration::from_secs(2));
    for _ in 0..3 {
        world.event_loop.turn(Some(Duration::ZERO)).unwrap();
    }
    world.clients[client].reads = true;

    world.until(|world| world.clients[client].heard.len() == 150_002);
    assert_eq!(world.clients[client].heard.last(), Some(&reply(3, r#"{"count":150000}"#)));
}

/// Who does not answer a farewell is let go in five seconds.
pub fn who_does_not_answer_a_farewell_is_let_go_in_five_seconds<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.join("room:a");
    // What it was armed with for its handshake is used up: next is how long it may be silent, a minute.
    world.pass(HANDSHAKE);
    world.event_loop.turn(Some(Duration::ZERO)).unwrap();
    world.clients[client].reads = false;
    world.say(client, "this is no message");
    world.until(|world| world.node().peers.iter().all(|(_, peer)| peer.is_closing()));

    world.pass(Duration::from_secs(5));

    world.until(|world| world.peers() == 0);
}

/// Who comes at the end is refused.
#[cfg(unix)]
pub fn who_comes_at_the_end_is_refused<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.join("room:a");
    world.clients[client].reads = false;
    let (read, mut write) = std::os::unix::net::UnixStream::pair().unwrap();
    world.event_loop.wait_for_end(read).unwrap();

    write.write_all(b"x").unwrap();

    world.until(|world| world.refuses());
    assert_eq!(world.peers(), 1);
}

/// At the end everybody is told that the server restarts.
#[cfg(unix)]
pub fn at_the_end_everybody_is_told_that_the_server_restarts<L: Loop>() {
    let mut world = World::<L>::new();
    let client = world.join("room:a");
    let (read, mut write) = std::os::unix::net::UnixStream::pair().unwrap();
    world.event_loop.wait_for_end(read).unwrap();

    write.write_all(b"x").unwrap();

    world.until(|world| world.peers() == 0);
    assert_eq!(world.clients[client].heard, ["Peer { code: Some(1012) }"]);
    assert!(world.event_loop.service().has_ended());
}
