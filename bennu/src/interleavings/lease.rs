//! One outbox, several who append to it and write it.

use super::wire::Wire;
use super::{Preemptions, explore, frame, spawn, texts};
use crate::peer::{Peer, Queued};
use crate::stream::Stream;
use bennu_core::Frame;
use loom::future::block_on;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

/// Queues frames, and writes them if nobody else has undertaken to, as the flusher does.
fn append(peer: &Peer, frames: &[&str]) {
    for text in frames {
        if peer.push(frame(text)) == Queued::Dirty {
            flush(peer);
        }
    }
}

fn flush(peer: &Peer) {
    peer.touch();
    peer.settle();
    while peer.flush_from_elsewhere().awaits_seal {
        peer.undertake();
        peer.touch();
        peer.settle();
    }
}

/// The part of a connection's task that writes. It goes to sleep after every turn, and ends when it is told.
fn own(peer: &Peer, mut stream: Stream) {
    block_on(poll_fn(|cx| {
        peer.undertake();
        let (_, notice) = peer.take_work(cx.waker());
        stream.flush(peer, cx).expect("the stream is not broken");
        if notice.due { Poll::Ready(()) } else { Poll::Pending }
    }));
}

fn finish(peer: &Peer) {
    peer.notify(|notice| notice.due = true);
}

/// Whether frames that one appender has queued are there once, and in order.
fn is_in_order(written: &[&str], frames: &[&str]) -> bool {
    written.iter().filter(|text| frames.contains(text)).eq(frames)
}

#[test]
fn frames_of_two_appenders_and_none_else_are_written_once_and_each_appenders_in_order() {
    explore(Preemptions::AtMost(3), || {
        let wire = Wire::wide();
        let peer = Arc::new(Peer::new(Some(Box::new(wire.clone())), 1000));
        let appender = spawn({
            let peer = Arc::clone(&peer);
            move || append(&peer, &["a1", "a2"])
        });

        append(&peer, &["b1", "b2"]);
        wire.wait_until(|state| state.taken.len() >= 4 * 4);

        appender.join().unwrap();
        let state = wire.state();
        let written = texts(&state.taken);
        assert!(is_in_order(&written, &["a1", "a2"]) && is_in_order(&written, &["b1", "b2"]), "{written:?}");
        assert_eq!(written.len(), 4);
    });
}

#[test]
fn what_a_blocked_stream_has_not_taken_is_written_by_its_own_task_when_it_takes_more() {
    explore(Preemptions::AtMost(2), || {
        let wire = Wire::with_room(6);
        let peer = Arc::new(Peer::new(Some(Box::new(wire.clone())), 1000));
        let appender = spawn({
            let peer = Arc::clone(&peer);
            move || append(&peer, &["a1", "a2"])
        });
        let owner = spawn({
            let peer = Arc::clone(&peer);
            move || own(&peer, Stream::PLAIN)
        });

        append(&peer, &["b1"]);
        wire.make_room(100);
        wire.wait_until(|state| state.taken.len() >= 3 * 4);
        finish(&peer);

        appender.join().unwrap();
        owner.join().unwrap();
        let state = wire.state();
        let written = texts(&state.taken);
        assert!(is_in_order(&written, &["a1", "a2"]) && is_in_order(&written, &["b1"]), "{written:?}");
        assert_eq!(written.len(), 3);
    });
}

#[test]
fn stream_that_only_its_own_task_can_write_to_is_written_by_that() {
    explore(Preemptions::AtMost(2), || {
        let wire = Wire::with_room(6);
        let peer = Arc::new(Peer::new(None, 1000));
        let appender = spawn({
            let peer = Arc::clone(&peer);
            move || append(&peer, &["a1", "a2"])
        });
        let owner = spawn({
            let (peer, stream) = (Arc::clone(&peer), Stream::foreign(wire.clone()));
            move || own(&peer, stream)
        });

        append(&peer, &["b1"]);
        wire.make_room(100);
        wire.wait_until(|state| state.taken.len() >= 3 * 4);
        finish(&peer);

        appender.join().unwrap();
        owner.join().unwrap();
        let state = wire.state();
        let written = texts(&state.taken);
        assert!(is_in_order(&written, &["a1", "a2"]) && is_in_order(&written, &["b1"]), "{written:?}");
        assert_eq!(written.len(), 3);
    });
}

#[test]
fn run_that_is_sealed_while_its_member_is_flushed_is_written() {
    explore(Preemptions::Any, || {
        let wire = Wire::wide();
        let peer = Arc::new(Peer::new(Some(Box::new(wire.clone())), 1000));
        let run = Frame::open();
        assert_eq!(peer.push(run.clone()), Queued::Dirty);
        let sealer = spawn(move || run.seal(frame("run").as_websocket().to_vec()));

        flush(&peer);

        assert_eq!(texts(&wire.state().taken), ["run"]);
        sealer.join().unwrap();
    });
}
