//! The flusher's list of peers, and runs that are open while their members are flushed.

use super::node::{Member, Node, broadcast};
use super::wire::Wire;
use super::{Preemptions, explore, frame, spawn, texts};
use crate::Limits;
use crate::peer::{Peer, Queued};
use loom::future::block_on;
use std::sync::Arc;

const TOPIC: &str = "room:a";

/// What the broadcasts on a wire count.
fn counts(bytes: &[u8]) -> Vec<usize> {
    let number = |text: &&str| {
        let (_, n) = text.rsplit_once(r#""n":"#)?;
        n.trim_end_matches(['}', ']']).parse().ok()
    };
    texts(bytes).iter().filter_map(number).collect()
}

#[test]
fn every_peer_that_is_marked_before_a_kick_is_written() {
    explore(Preemptions::AtMost(2), || {
        let node = Node::new(1, Limits::new());
        let flusher = Arc::clone(&node.hub().flusher);
        let pass = spawn(move || block_on(node.flusher));
        let mark = |text: &'static str| {
            let wire = Wire::wide();
            let peer = Arc::new(Peer::new(Some(Box::new(wire.clone())), 1000));
            let flusher = Arc::clone(&flusher);
            let mark = move || {
                assert_eq!(peer.push(frame(text)), Queued::Dirty);
                flusher.mark(&mut vec![peer]);
                flusher.kick();
            };
            (wire, mark)
        };
        let ((one, first), (two, second)) = (mark("a1"), mark("b1"));
        let marker = spawn(first);

        second();
        one.wait_until(|state| texts(&state.taken) == ["a1"]);
        two.wait_until(|state| texts(&state.taken) == ["b1"]);

        marker.join().unwrap();
        drop(node.endpoint);
        pass.join().unwrap();
    });
}

#[test]
fn run_that_is_opened_and_grows_while_a_pass_is_under_way_is_written_whole_and_once() {
    explore(Preemptions::AtMost(2), || {
        let node = Node::new(1, Limits::new());
        let wires = [Wire::wide(), Wire::wide()];
        let members: Vec<Member> = wires.iter().map(|wire| node.member(wire, TOPIC)).collect();
        let pass = spawn(move || block_on(node.flusher));

        for n in 1..=3 {
            broadcast(&node.endpoint, TOPIC, n);
        }
        for wire in &wires {
            wire.wait_until(|state| counts(&state.taken).len() >= 3);
            assert_eq!(counts(&wire.state().taken), [1, 2, 3]);
        }

        drop((members, node.endpoint));
        pass.join().unwrap();
    });
}

#[test]
fn run_that_is_open_while_a_members_own_task_writes_is_written_whole_and_once() {
    explore(Preemptions::AtMost(3), || {
        let mut node = Node::new(1, Limits::new());
        let wires = [Wire::wide(), Wire::wide()];
        let [mut first, _second] = wires.each_ref().map(|wire| node.member(wire, TOPIC));
        let own = spawn(move || {
            first.poll();
            first
        });

        for n in 1..=3 {
            broadcast(&node.endpoint, TOPIC, n);
        }
        node.pass();
        let _first = own.join().unwrap();
        // As it may have been kicked since.
        node.pass();

        for wire in &wires {
            assert_eq!(counts(&wire.state().taken), [1, 2, 3]);
        }
    });
}

#[test]
fn who_joins_while_a_run_grows_hears_all_that_is_broadcast_behind_the_reply_and_nobody_anything_twice() {
    explore(Preemptions::AtMost(2), || {
        let mut node = Node::new(2, Limits::new());
        let wires = [Wire::wide(), Wire::wide()];
        let _members = wires.each_ref().map(|wire| node.member(wire, TOPIC));
        let new = Wire::wide();
        let mut joining = node.connect(&new);
        new.send(r#"["1","1","room:a","phx_join",{}]"#);
        let endpoint = node.endpoint.clone();
        let wire = new.clone();
        let joiner = spawn(move || {
            joining.poll();
            assert!(!wire.state().taken.is_empty(), "the join has been answered");
            broadcast(&endpoint, TOPIC, 9);
            joining
        });

        for n in 1..=3 {
            broadcast(&node.endpoint, TOPIC, n);
        }
        let _joined = joiner.join().unwrap();
        node.pass();
        node.pass();

        for (place, wire) in wires.iter().chain([&new]).enumerate() {
            let heard = counts(&wire.state().taken);
            let (own, others): (Vec<_>, Vec<_>) = heard.iter().copied().partition(|&n| n == 9);
            assert_eq!(own, [9], "of {heard:?}");
            // Who joins hears of them from some one on.
            let first = if place == 2 { 4 - others.len() } else { 1 };
            assert_eq!(others, (first..4).collect::<Vec<_>>(), "of {heard:?}");
        }
    });
}
