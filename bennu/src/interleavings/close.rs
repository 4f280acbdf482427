//! Streams that end, and peers that take too little, while others write to them.

use super::node::{LONG, Node, broadcast};
use super::wire::{End, Wire};
use super::{Preemptions, explore, frame, spawn, texts};
use crate::Limits;
use crate::peer::{Peer, Queued};
use crate::stream::Stream;
use loom::future::block_on;
use std::sync::Arc;
use std::task::{Context, Waker};

const TOPIC: &str = "room:a";

#[test]
fn stream_is_closed_behind_what_was_queued_before_and_nothing_is_left_to_write() {
    explore(Preemptions::Any, || {
        let wire = Wire::wide();
        let peer = Arc::new(Peer::new(Some(Box::new(wire.clone())), 1000));
        assert_eq!(peer.push(frame("a1")), Queued::Dirty);
        let elsewhere = spawn({
            let peer = Arc::clone(&peer);
            move || {
                peer.settle();
                peer.flush_from_elsewhere();
            }
        });

        assert!(matches!(peer.push(frame("a2")), Queued::Undertaken | Queued::Dirty));
        let mut stream = Stream::PLAIN;
        stream.flush(&peer, &mut Context::from_waker(Waker::noop())).unwrap();
        stream.close(&peer);
        peer.retire();
        wire.wait_until(|state| state.end.is_some());

        assert_eq!(texts(&wire.state().taken), ["a1", "a2"]);
        elsewhere.join().unwrap();
        assert_eq!(peer.backlog(), 0);
    });
}

#[test]
fn connection_ends_while_a_broadcast_to_it_is_under_way() {
    explore(Preemptions::AtMost(2), || {
        let node = Node::new(1, Limits::new());
        let wire = Wire::wide();
        let member = node.member(&wire, TOPIC);
        let hub = Arc::clone(node.hub());
        let pass = spawn(move || block_on(node.flusher));
        let own = spawn(move || block_on(member.task));

        wire.end();
        broadcast(&node.endpoint, TOPIC, 1);
        wire.wait_until(|state| state.end.is_some());

        own.join().unwrap();
        assert_eq!(hub.sockets(), 0);
        assert_eq!(hub.index.get(&TOPIC.into()).next(), None);
        assert_eq!(member.peer.backlog(), 0);
        drop((hub, node.endpoint));
        pass.join().unwrap();
    });
}

#[test]
fn nothing_is_written_behind_a_close_frame_whoever_broadcasts_meanwhile() {
    explore(Preemptions::AtMost(2), || {
        let mut node = Node::new(1, Limits::new());
        let wire = Wire::wide();
        let mut member = node.member(&wire, TOPIC);
        wire.send_close();
        let own = spawn(move || {
            member.poll();
            member
        });

        for n in 1..=2 {
            broadcast(&node.endpoint, TOPIC, n);
        }
        node.pass();
        let mut member = own.join().unwrap();
        node.pass();
        member.poll();

        let taken = &wire.state().taken;
        assert!(taken.ends_with(&[0x88, 2, 0x03, 0xe8]), "{taken:?}");
    });
}

#[test]
fn peer_that_takes_too_little_is_cut_off_while_a_flush_is_under_way() {
    explore(Preemptions::AtMost(2), || {
        let mut node = Node::new(1, Limits::new());
        let wire = Wire::wide();
        let member = node.member(&wire, TOPIC);
        wire.make_room(10);
        let hub = Arc::clone(node.hub());
        broadcast(&node.endpoint, TOPIC, 1);
        let own = spawn(move || block_on(member.task));
        let cut_off = spawn(move || hub.cut_off(member.peer.id().expect("it is connected")));

        node.pass();
        wire.wait_until(|state| state.end == Some(End::Aborted));

        cut_off.join().unwrap();
        own.join().unwrap();
        assert_eq!(node.hub().sockets(), 0);
        assert!(wire.state().taken.len() <= 10);
    });
}

#[test]
fn client_that_is_not_read_from_while_too_much_waits_is_heard_again_when_it_takes_that() {
    explore(Preemptions::AtMost(2), || {
        let node = Node::new(1, Limits::new().outbox(LONG));
        let wire = Wire::wide();
        let mut member = node.member(&wire, TOPIC);
        wire.make_room(10);
        for n in 2..6 {
            wire.send(&ask(n));
        }
        member.poll();
        assert!(member.peer.holds(), "its answers wait");
        let own = spawn(move || block_on(member.task));

        wire.make_room(usize::MAX);
        wire.wait_until(|state| texts(&state.taken).len() >= 4);

        wire.end();
        own.join().unwrap();
    });
}

#[test]
fn client_whose_answers_somebody_else_writes_is_heard_again() {
    explore(Preemptions::AtMost(2), || {
        let mut node = Node::new(1, Limits::new().outbox(LONG));
        let wire = Wire::wide();
        let member = node.member(&wire, TOPIC);
        for n in 2..6 {
            wire.send(&ask(n));
        }
        broadcast(&node.endpoint, TOPIC, 1);
        let own = spawn(move || block_on(member.task));

        node.pass();
        wire.wait_until(|state| texts(&state.taken).len() >= 5);

        wire.end();
        own.join().unwrap();
    });
}

/// A message whose answer is long.
fn ask(n: usize) -> String {
    format!(r#"["1","{n}","{TOPIC}","ask",{{}}]"#)
}
